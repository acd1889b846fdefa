"""The default chain: its order, what botocore resolves, and the error if nothing is found."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from srpcore.exceptions import ConfigurationError, TransportError
from srpcore_transports.credentials import BotocoreCredentials, Credentials, DefaultCredentials
from srpcore_transports.credentials.botocore_resolver import resolve_by_botocore
from support.loopback import LoopbackServer, Request, answer
from support.ports import reserved_port

SECRET = "hunter2"
ROLE = "arn:aws:iam::123456789012:role/r"
PAIR = f"aws_access_key_id = AKIDSOURCE\naws_secret_access_key = {SECRET}\n"
DOCUMENT = {"AccessKeyId": "AKIDTEMP", "SecretAccessKey": SECRET, "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    return tmp_path


def write(home: Path, config: str = "", shared: str = "") -> None:
    (home / ".aws" / "config").write_text(config)
    (home / ".aws" / "credentials").write_text(shared)


def sts(request: Request, _: socket.socket) -> bytes:
    """Answer AssumeRole and AssumeRoleWithWebIdentity."""
    (action,) = parse_qs(request.body.decode())["Action"]
    fields = {"AccessKeyId": "AKIDROLE", "SecretAccessKey": SECRET, "SessionToken": "role-token"}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return answer(
        f"<{action}Response><{action}Result><Credentials>{inner}<Expiration>2100-01-01T00:00:00Z</Expiration>"
        f"</Credentials></{action}Result></{action}Response>".encode()
    )


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    with LoopbackServer(sts) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        yield server


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    with LoopbackServer(lambda request, connection: answer(json.dumps(DOCUMENT).encode())) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url)
        yield server


# Order.


def test_keys_of_the_environment_win_and_are_read_for_each_call(
    home: Path, container: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, shared="no file of keys")
    provider = DefaultCredentials()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    for key in ("AKIDONE", "AKIDTWO"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        assert provider() == Credentials(key, SECRET)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigurationError, match="AWS_SECRET_ACCESS_KEY is not"):
        provider()
    assert container.connections == 0


def test_files_win_over_the_container_and_the_container_over_the_instance(
    home: Path, container: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackServer(sts) as instance:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url)
        assert DefaultCredentials()() == Credentials("AKIDTEMP", SECRET, "t")
        write(home, config=f"[default]\n{PAIR}")
        provider = DefaultCredentials()
        assert provider() == Credentials("AKIDSOURCE", SECRET)
        write(home)
        # What was found is kept.
        assert provider() == Credentials("AKIDSOURCE", SECRET)
        assert instance.connections == 0
    assert len(container.requests) == 1


def test_the_error_lists_every_source_that_was_tried(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_CONFIG_FILE", "~/settings")
    (home / "settings").write_text("[profile work]\nsso_session = s\nsource_profile = other\nregion = eu-west-1\n")
    with pytest.raises(ConfigurationError) as caught:
        DefaultCredentials()()
    for expected in (
        "there are no AWS credentials",
        "AWS_ACCESS_KEY_ID (not set)",
        "profile 'work' of ~/.aws/credentials (not there) and ~/settings (read): "
        "source_profile, sso_session is not enough",
        "AWS_WEB_IDENTITY_TOKEN_FILE (not set)",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI (not set)",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI (not set)",
        "instance metadata (AWS_EC2_METADATA_DISABLED)",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ):
        assert expected in str(caught.value)


def test_credentials_that_appear_later_are_found(home: Path) -> None:
    provider = DefaultCredentials()
    with pytest.raises(ConfigurationError):
        provider()
    write(home, shared=f"[default]\n{PAIR}")
    assert provider() == Credentials("AKIDSOURCE", SECRET)


# Without botocore.

UNUSABLE = {
    "role": (f"role_arn = {ROLE}\nsource_profile = other", "role_arn, source_profile of profile 'default'"),
    "source": (f"role_arn = {ROLE}\ncredential_source = Environment", "role_arn, credential_source of profile"),
    "identity": (f"role_arn = {ROLE}\nweb_identity_token_file = /t", "web_identity_token_file, role_arn of profile"),
    "sso": ("sso_session = s\nsso_account_id = 1", "sso_session, sso_account_id of profile 'default'"),
    "old sso": ("sso_start_url = https://a\nsso_role_name = r", "sso_start_url, sso_role_name of profile"),
    "login": ("login_session = arn:s", "login_session of profile 'default'"),
    "process": ("credential_process = /bin/echo hunter2", "credential_process of profile 'default'"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_setting_that_needs_botocore_is_named_with_the_extra(
    home: Path, container: LoopbackServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    content, found = UNUSABLE[name]
    write(home, config=f"[default]\n{content}\n{PAIR}")
    with pytest.raises(ConfigurationError) as caught:
        DefaultCredentials()()
    message = str(caught.value)
    assert f"{found}" in message
    assert "cannot be used without botocore: pip install 'srpcore[botocore]'" in message
    assert "~/.aws/credentials (read) and ~/.aws/config (read)" in message
    assert SECRET not in message
    # Another identity that is there as well must not be taken for it.
    assert container.connections == 0


def test_a_web_identity_of_the_environment_without_botocore_is_an_error(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")
    write(home, shared=f"[default]\n{PAIR}")
    with pytest.raises(ConfigurationError, match=r"^AWS_WEB_IDENTITY_TOKEN_FILE cannot be used"):
        DefaultCredentials()()


def test_keys_do_not_need_botocore(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    write(home, shared=f"[default]\n{PAIR}")
    assert DefaultCredentials()() == Credentials("AKIDSOURCE", SECRET)


# Through botocore.


@pytest.mark.counterpart
def test_an_assumed_role_is_resolved_by_botocore(home: Path, service: LoopbackServer) -> None:
    write(home, f"[default]\nrole_arn = {ROLE}\nsource_profile = other\n[profile other]\n{PAIR}", f"[default]\n{PAIR}")
    provider = DefaultCredentials()
    assert [provider() for _ in range(3)] == [Credentials("AKIDROLE", SECRET, "role-token")] * 3
    (request,) = service.requests
    assert parse_qs(request.body.decode())["RoleArn"] == [ROLE]
    assert "Credential=AKIDSOURCE/" in request.headers["authorization"]


@pytest.mark.counterpart
def test_a_web_identity_of_the_environment_is_resolved_by_botocore(
    home: Path, service: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "token").write_text("an-identity")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(home / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    assert DefaultCredentials()() == Credentials("AKIDROLE", SECRET, "role-token")
    (request,) = service.requests
    assert parse_qs(request.body.decode())["WebIdentityToken"] == ["an-identity"]


@pytest.mark.counterpart
def test_the_region_is_given_to_botocore_if_it_has_none(
    home: Path, service: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    config = f"[default]\nrole_arn = {ROLE}\nsource_profile = other\n[profile other]\n{PAIR}"
    write(home, config)
    DefaultCredentials("ap-south-1")()
    assert "/ap-south-1/sts/" in service.requests[0].headers["authorization"]
    write(home, config.replace("role_arn", "region = sa-east-1\nrole_arn"))
    DefaultCredentials("ap-south-1")()
    assert "/sa-east-1/sts/" in service.requests[1].headers["authorization"]


@pytest.mark.counterpart
def test_a_role_with_the_container_as_source_is_resolved(
    home: Path, service: LoopbackServer, container: LoopbackServer
) -> None:
    write(home, f"[default]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n")
    assert DefaultCredentials()().access_key_id == "AKIDROLE"
    assert "Credential=AKIDTEMP/" in service.requests[0].headers["authorization"]


@pytest.mark.counterpart
def test_a_role_with_the_instance_as_source_never_uses_imds_version_1(
    home: Path, service: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, f"[default]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n")
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with LoopbackServer(lambda request, connection: answer(b"role", 404 if request.method == "PUT" else 200)) as old:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", old.url)
        with pytest.raises(ConfigurationError, match="botocore could not get the AWS credentials"):
            DefaultCredentials()()
        assert {request.method for request in old.requests} == {"PUT"}


@pytest.mark.counterpart
@pytest.mark.parametrize("expiration", [None, "2100-01-01T00:00:00Z"])
def test_a_credential_process_is_run_by_botocore(home: Path, expiration: str | None) -> None:
    document = {"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": SECRET, "Expiration": expiration}
    (home / "out.json").write_text(json.dumps(document | {"SessionToken": ""}))
    write(home, f"[default]\ncredential_process = cat {home / 'out.json'}\n{PAIR}")
    assert DefaultCredentials()() == Credentials("AKIDPROCESS", SECRET)


@pytest.mark.counterpart
@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("credential_process = /bin/sh -c 'echo hunter2 >&2; exit 1'", "CredentialRetrievalError"),
        ("credential_process = /bin/echo hunter2", "JSONDecodeError"),
        ("credential_process = /bin/echo '[\"hunter2\"]'", "AttributeError"),
        ("credential_process = /nowhere/hunter2", "FileNotFoundError"),
        (f"role_arn = {ROLE}\nsource_profile = nobody", "InvalidConfigError"),
        (f"role_arn = {ROLE}", "PartialCredentialsError"),
        (f"role_arn = {ROLE}\nweb_identity_token_file = /nowhere", "FileNotFoundError"),
        ("sso_account_id = 1\nsso_session = nobody", "InvalidConfigError"),
    ],
)
def test_a_setting_that_botocore_refuses_is_an_error_that_does_not_quote_it(
    home: Path, config: str, reason: str
) -> None:
    write(home, f"[default]\nregion = eu-west-1\n{config}\n")
    with pytest.raises(ConfigurationError, match=rf"could not get the AWS credentials \({reason}\)") as caught:
        DefaultCredentials()()
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.counterpart
def test_a_role_that_is_refused_or_unreachable_is_an_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    write(home, f"[default]\nregion = eu-west-1\nrole_arn = {ROLE}\nsource_profile = other\n[profile other]\n{PAIR}")
    refusal = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>hunter2</Message></Error></ErrorResponse>"
    with LoopbackServer(lambda request, connection: answer(refusal, 403)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        with pytest.raises(ConfigurationError, match=r"\(AccessDenied\)") as caught:
            DefaultCredentials()()
        assert SECRET not in str(caught.value)
    with reserved_port() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{port}")
        with pytest.raises(TransportError, match="EndpointConnectionError"):
            DefaultCredentials()()


@pytest.mark.counterpart
def test_botocore_does_not_look_for_a_container_or_an_instance(container: LoopbackServer) -> None:
    with pytest.raises(ConfigurationError, match="LookupError"):
        resolve_by_botocore()
    assert container.connections == 0


@pytest.mark.counterpart
def test_credentials_of_botocore_are_accepted_as_a_provider() -> None:
    from botocore.credentials import Credentials as BotocoresOwn

    provider = BotocoreCredentials(BotocoresOwn("AKID", SECRET, "token"))
    assert provider() == Credentials("AKID", SECRET, "token")
    assert SECRET not in repr(provider)


def test_many_threads_make_one_search(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "[default]\ncredential_process = x\n")
    searches, started = [], threading.Barrier(6)

    def search(region: str | None) -> object:
        searches.append(region)
        return lambda: Credentials("AKID", SECRET)

    monkeypatch.setattr("srpcore_transports.credentials.chain.resolve_by_botocore", search)
    provider = DefaultCredentials("eu-west-1")

    def ask() -> None:
        started.wait(10)
        provider()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert searches == ["eu-west-1"]
