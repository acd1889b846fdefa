"""The endpoints of containers and instances, played by servers on this machine; botocore asks the same servers."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore_transports.credentials import Credentials, DefaultCredentials
from srpcore_transports.credentials.metadata import (
    container_url,
    fetch_from_container,
    fetch_from_instance,
    instance_endpoint,
)
from support.loopback import LoopbackServer, Request, answer, chunked, tls, write_bundle
from support.ports import reserved_port
from support.waiting import wait_until

FULL, RELATIVE = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
TOKEN, TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
SECRET = "hunter2"
HOUR = 3600.0


def document(number: int = 0, seconds: float = HOUR, **changes: Any) -> bytes:
    expiration = (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    whole = {"AccessKeyId": f"AKID{number}", "SecretAccessKey": SECRET, "Token": "t" * 9, "Expiration": expiration}
    return json.dumps({**whole, **changes}).encode()


def keys(number: int = 0) -> Credentials:
    return Credentials(f"AKID{number}", SECRET, "t" * 9)


GARBAGE = {
    "no JSON": b"<html>hunter2</html>",
    "nothing": b"",
    "no UTF-8": b'{"AccessKeyId": "\xff\xfe"}',
    "a list": b'["hunter2"]',
    "a number": b"5",
    "no key": b'{"SecretAccessKey": "hunter2", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}',
    "no secret": document(SecretAccessKey=None),
    "an empty token": document(Token=""),
    "a key with a line end": document(AccessKeyId="AKID\r\nX: hunter2"),
    "no date": document(Expiration="hunter2"),
    "a number as date": document(Expiration=5),
    "too early": document(Expiration="0000-01-01T00:00:00Z"),
    "an error": b'{"Code": "AssumeRoleUnauthorizedAccess", "Message": "hunter2"}',
    "too deep": b"[" * 60_000,
    "too long": document(Padding="x" * 70_000),
}


class Container:
    """The endpoint of a container, which wants *token*; ``answers`` are given in turn, the last for ever."""

    def __init__(self, *answers: bytes, token: str | None = None) -> None:
        self.answers = [*answers]
        self.token = token

    def __call__(self, request: Request, _: socket.socket) -> bytes:
        if request.headers.get("authorization") != self.token:
            return answer(b'{"message": "hunter2"}', 401)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., LoopbackServer]]:
    servers: list[LoopbackServer] = []

    def start(*answers: bytes, token: str | None = None, path: str = "/role?id=1") -> LoopbackServer:
        server = LoopbackServer(Container(*answers, token=token))
        servers.append(server)
        server.__enter__()
        monkeypatch.setenv(FULL, server.url + path)
        return server

    yield start
    for server in servers:
        server.__exit__()


def by_botocore() -> Credentials:
    import botocore.session

    credentials: Any = botocore.session.Session().get_credentials()
    found = credentials.get_frozen_credentials()
    return Credentials(found.access_key, found.secret_key, found.token)


# Containers.


def test_a_container_gets_one_request_for_many_calls(container: Callable[..., LoopbackServer]) -> None:
    server = container(answer(document()))
    provider = DefaultCredentials()
    assert server.requests == []
    assert [provider() for _ in range(3)] == [keys()] * 3
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("GET", "/role?id=1", b"")
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert "authorization" not in request.headers


@pytest.mark.counterpart
@pytest.mark.parametrize("response", [answer(document()), chunked(document()[:40], document()[40:])])
def test_credentials_of_a_container_equal_those_of_botocore(
    container: Callable[..., LoopbackServer], response: bytes
) -> None:
    container(response)
    assert DefaultCredentials()() == by_botocore()


def test_rotated_credentials_of_a_container_are_fetched(container: Callable[..., LoopbackServer]) -> None:
    server = container(answer(document(0, 45)), answer(document(1, 45)), answer(document(2)))
    provider = DefaultCredentials()
    assert [provider() for _ in range(5)] == [keys(0), keys(1), keys(2), keys(2), keys(2)]
    assert len(server.requests) == 3


def test_many_threads_send_one_request_to_a_container(container: Callable[..., LoopbackServer]) -> None:
    server = container(answer(document()))
    provider = DefaultCredentials()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: provider(), range(32))) == {keys()}
    assert len(server.requests) == 1


def test_the_token_of_a_container_is_sent(
    container: Callable[..., LoopbackServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    container(answer(document()), token="Basic abc")
    with pytest.raises(TransportError, match="HTTP 401"):
        DefaultCredentials()()
    monkeypatch.setenv(TOKEN, "Basic abc")
    assert DefaultCredentials()() == keys()


@pytest.mark.counterpart
def test_the_token_equals_that_of_botocore(
    container: Callable[..., LoopbackServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = container(answer(document()), token="Basic abc")
    (tmp_path / "token").write_text("Basic abc")
    monkeypatch.setenv(TOKEN, "Basic abc")
    assert DefaultCredentials()() == by_botocore()
    monkeypatch.setenv(TOKEN, "other")
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "token"))
    assert DefaultCredentials()() == by_botocore()
    assert len(server.requests) == 4


def test_the_token_file_wins_and_is_read_for_each_request(
    container: Callable[..., LoopbackServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = container(answer(document(0, 45)), token="first")
    file = tmp_path / "token"
    file.write_text("first")
    monkeypatch.setenv(TOKEN, "other")
    monkeypatch.setenv(TOKEN_FILE, str(file))
    provider = DefaultCredentials()
    assert provider() == keys()
    file.write_text("second")
    with pytest.raises(TransportError):
        provider()
    assert server.requests[-1].headers["authorization"] == "second"


@pytest.mark.parametrize("content", [b"hunter2\n", b"hunter2\r\nX: y", b"\xff", "hunter2é".encode(), b"a\0b", None])
def test_a_token_that_a_header_cannot_carry_is_refused(
    container: Callable[..., LoopbackServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    server = container(answer(document()))
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "token"))
    with pytest.raises(ConfigurationError, match=TOKEN_FILE) as caught:
        DefaultCredentials()()
    assert SECRET not in str(caught.value)
    monkeypatch.delenv(TOKEN_FILE)
    monkeypatch.setenv(TOKEN, "hunter2\n")
    with pytest.raises(ConfigurationError, match=f"{TOKEN} "):
        DefaultCredentials()()
    assert server.connections == 0


@pytest.mark.parametrize("status", [201, 301, 400, 403, 404, 429, 500])
def test_a_refusal_of_a_container_is_an_error(container: Callable[..., LoopbackServer], status: int) -> None:
    server = container(answer(b"hunter2", status, Location="http://127.0.0.1:1/"), answer(document()))
    provider = DefaultCredentials()
    with pytest.raises(TransportError, match=f"HTTP {status} from 127.0.0.1") as caught:
        provider()
    assert SECRET not in str(caught.value)
    assert provider() == keys()
    assert len(server.requests) == 2


@pytest.mark.parametrize("name", GARBAGE)
def test_an_invalid_answer_of_a_container_is_an_error(container: Callable[..., LoopbackServer], name: str) -> None:
    container(answer(GARBAGE[name]))
    with pytest.raises(TransportError, match=r"127\.0\.0\.1") as caught:
        DefaultCredentials()()
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_expired_credentials_of_a_container_are_refused(container: Callable[..., LoopbackServer]) -> None:
    container(answer(document(seconds=-5)))
    with pytest.raises(TransportError, match="expired"):
        DefaultCredentials()()


@pytest.mark.parametrize("expiration", ["2100-01-01T00:00:00Z", "2100-01-01T01:00:00+01:00", "2100-01-01T00:00:00"])
def test_every_form_of_an_expiration_is_parsed(container: Callable[..., LoopbackServer], expiration: str) -> None:
    container(answer(document(Expiration=expiration)))
    assert fetch_from_container().expires == datetime(2100, 1, 1, tzinfo=timezone.utc).timestamp()


def test_a_silent_container_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Event()

    def silent(_: Request, __: socket.socket) -> bytes:
        release.wait(30)
        return answer(document())

    monkeypatch.setattr("srpcore_transports.credentials.metadata.CONTAINER_SECONDS", 0.05)
    with LoopbackServer(silent) as server:
        monkeypatch.setenv(FULL, server.url)
        with pytest.raises(TransportTimeout):
            DefaultCredentials()()
        release.set()


def test_requests_to_a_container_do_not_use_a_proxy(
    container: Callable[..., LoopbackServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    container(answer(document()))
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert DefaultCredentials()() == keys()


def test_a_container_over_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trustme")
    with LoopbackServer(Container(answer(document())), tls("localhost")) as server:
        monkeypatch.setenv(FULL, server.url)
        with pytest.raises(TransportError, match="certificate verification failed"):
            DefaultCredentials()()
        monkeypatch.setenv("SSL_CERT_FILE", write_bundle(tmp_path))
        assert DefaultCredentials()() == keys()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1", "http://127.1.2.3:80/x", "http://[::1]:1/", "http://localhost:9/", "http://169.254.170.2/v1", "http://169.254.170.23/v1",
        "http://[fd00:ec2::23]/v1", "http://[FD00:EC2::23]/v1", "https://example.com/role", "https://10.0.0.1/",
    ],
)  # fmt: skip
def test_allowed_hosts_get_requests(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FULL, url)
    assert container_url() == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "http://10.0.0.1/", "http://169.254.169.254/", "http://169.254.170.20/", "http://127.0.0.1.example.com/", "http://[fd00:ec2::24]/",
        "http://169.254.170.2@example.com/", "http://user:hunter2@127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "127.0.0.1", "/v2/role",
        "http://", "http://127.0.0.1:port/", "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y", "http://127.0.0.1\\@example.com/", "http://127.0.0.1/é",
    ],
)  # fmt: skip
def test_other_hosts_never_get_requests(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FULL, url)
    with pytest.raises(ConfigurationError, match=FULL) as caught:
        DefaultCredentials()()
    assert SECRET not in str(caught.value)


def test_the_relative_uri_wins_and_cannot_change_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FULL, "http://127.0.0.1/")
    monkeypatch.setenv(RELATIVE, "/v2/credentials/a-b?c")
    assert container_url() == "http://169.254.170.2/v2/credentials/a-b?c"
    for relative in ("@example.com/", ".example.com/", ":80@example.com/", "0/"):
        monkeypatch.setenv(RELATIVE, relative)
        with pytest.raises(ConfigurationError):
            container_url()
    monkeypatch.setenv(RELATIVE, "")
    assert container_url() == "http://127.0.0.1/"
    monkeypatch.setenv(FULL, "")
    assert container_url() is None


def test_without_variables_no_request_is_sent() -> None:
    with pytest.raises(ConfigurationError, match=f"neither {RELATIVE} nor {FULL} is set"):
        fetch_from_container()
    with pytest.raises(ConfigurationError, match="AWS_EC2_METADATA_DISABLED is true"):
        fetch_from_instance()


# Instances.


class Instance:
    """The metadata service of an instance with *role*: nothing without a session token, and a session takes a PUT."""

    def __init__(self, *answers: bytes, role: bytes | None = b"the-role") -> None:
        self.container = Container(*answers)
        self.role = role
        self.token = b"a-session=="
        self.failing: dict[str, bytes] = {}

    def __call__(self, request: Request, connection: socket.socket) -> bytes:
        path = request.target.removeprefix("/latest/")
        if path in self.failing:
            return self.failing[path]
        if path == "api/token":
            lifetime = request.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
            good = request.method == "PUT" and lifetime.isdigit() and 1 <= int(lifetime) <= 21600
            return answer(self.token) if good else answer(b"", 400)
        if request.headers.get("x-aws-ec2-metadata-token", "").encode() != self.token or request.method != "GET":
            return answer(b"", 401)
        if path == "meta-data/iam/security-credentials/" and self.role is not None:
            return answer(self.role)
        if self.role is not None and path == "meta-data/iam/security-credentials/" + self.role.decode():
            return self.container(request, connection)
        return answer(b"<html>Not Found</html>", 404)


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Instance], LoopbackServer]]:
    servers: list[LoopbackServer] = []

    def start(handler: Instance) -> LoopbackServer:
        server = LoopbackServer(handler)
        servers.append(server)
        server.__enter__()
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        return server

    yield start
    for server in servers:
        server.__exit__()


def test_requests_to_an_instance_use_a_session_token(instance: Callable[[Instance], LoopbackServer]) -> None:
    server = instance(Instance(answer(document())))
    provider = DefaultCredentials()
    assert [provider() for _ in range(3)] == [keys()] * 3
    assert [(request.method, request.target) for request in server.requests] == [
        ("PUT", "/latest/api/token"),
        ("GET", "/latest/meta-data/iam/security-credentials/"),
        ("GET", "/latest/meta-data/iam/security-credentials/the-role"),
    ]
    assert not any("x-forwarded-for" in request.headers for request in server.requests)


@pytest.mark.counterpart
@pytest.mark.parametrize("role", [b"the-role", b"A+b=c,d.e@f_g", b"r" * 64])
def test_credentials_of_an_instance_equal_those_of_botocore(
    instance: Callable[[Instance], LoopbackServer], role: bytes
) -> None:
    instance(Instance(answer(document()), role=role))
    assert DefaultCredentials()() == by_botocore()


def test_rotated_credentials_of_an_instance_are_fetched(instance: Callable[[Instance], LoopbackServer]) -> None:
    server = instance(Instance(answer(document(0, 45)), answer(document(1, 45)), answer(document(2))))
    provider = DefaultCredentials()
    # The search itself asks for the first.
    assert [provider() for _ in range(4)] == [keys(1), keys(2), keys(2), keys(2)]
    assert len(server.requests) == 9


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500])
def test_without_a_session_token_credentials_are_not_requested(
    instance: Callable[[Instance], LoopbackServer], status: int
) -> None:
    handler = Instance(answer(document()))
    handler.failing["api/token"] = answer(b"hunter2", status)
    server = instance(handler)
    with pytest.raises(ConfigurationError, match=f"instance metadata at {server.url} .HTTP {status}") as caught:
        DefaultCredentials()()
    assert SECRET not in str(caught.value)
    assert [request.method for request in server.requests] == ["PUT"]


@pytest.mark.parametrize("token", [b"", b"two words", b"a\r\nX: hunter2", b"\xff"])
def test_a_session_token_that_a_header_cannot_carry_is_refused(
    instance: Callable[[Instance], LoopbackServer], token: bytes
) -> None:
    handler = Instance(answer(document()))
    handler.token = token
    server = instance(handler)
    with pytest.raises(ConfigurationError, match="session token"):
        DefaultCredentials()()
    assert len(server.requests) == 1


@pytest.mark.parametrize("role", [b"", b"\n", b"a/../b", b"a?b", b"r" * 65, b"\xff", b"a%2F"])
def test_an_invalid_role_name_is_refused(instance: Callable[[Instance], LoopbackServer], role: bytes) -> None:
    handler = Instance(answer(document()))
    handler.failing["meta-data/iam/security-credentials/"] = answer(role)
    server = instance(handler)
    with pytest.raises(ConfigurationError, match="returned no role"):
        DefaultCredentials()()
    assert len(server.requests) == 2


def test_the_first_of_several_lines_is_the_role(instance: Callable[[Instance], LoopbackServer]) -> None:
    handler = Instance(answer(document()))
    handler.failing["meta-data/iam/security-credentials/"] = answer(b"the-role\nanother\n")
    instance(handler)
    assert DefaultCredentials()() == keys()


def test_an_instance_without_a_role_has_no_credentials(instance: Callable[[Instance], LoopbackServer]) -> None:
    instance(Instance(answer(document()), role=None))
    with pytest.raises(ConfigurationError, match="HTTP 404"):
        DefaultCredentials()()


@pytest.mark.parametrize("name", GARBAGE)
def test_an_invalid_answer_of_an_instance_is_an_error(
    instance: Callable[[Instance], LoopbackServer], name: str
) -> None:
    instance(Instance(answer(GARBAGE[name])))
    with pytest.raises(ConfigurationError, match=r"instance metadata at .* 127\.0\.0\.1") as caught:
        DefaultCredentials()()
    assert SECRET not in str(caught.value)


def test_an_instance_service_that_disappears_is_an_error(instance: Callable[[Instance], LoopbackServer]) -> None:
    handler = Instance(answer(document(0, 45)))
    instance(handler)
    provider = DefaultCredentials()
    assert provider() == keys()
    handler.failing["api/token"] = answer(b"", 503)
    with pytest.raises(TransportError, match="HTTP 503"):
        provider()
    handler.failing.clear()
    assert provider() == keys()


def test_a_silent_or_missing_instance_service_means_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Event()

    def silent(_: Request, __: socket.socket) -> bytes:
        release.wait(30)
        return answer(b"")

    monkeypatch.setattr("srpcore_transports.credentials.metadata.INSTANCE_SECONDS", 0.05)
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with LoopbackServer(silent) as server:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
        with pytest.raises(ConfigurationError, match="hop limit"):
            DefaultCredentials()()
        wait_until(lambda: len(server.requests) >= 1)
        assert len(server.requests) == 1
        release.set()
    with reserved_port() as port:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{port}")
        with pytest.raises(ConfigurationError, match="there are no AWS credentials"):
            DefaultCredentials()()


@pytest.mark.parametrize("disabled", ["true", "True", "TRUE"])
def test_the_instance_service_can_be_disabled(
    instance: Callable[[Instance], LoopbackServer], monkeypatch: pytest.MonkeyPatch, disabled: str
) -> None:
    server = instance(Instance(answer(document())))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", disabled)
    with pytest.raises(ConfigurationError, match="AWS_EC2_METADATA_DISABLED"):
        DefaultCredentials()()
    assert server.connections == 0


def test_the_address_of_the_instance_service_can_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    assert instance_endpoint() == "http://169.254.169.254"
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6")
    assert instance_endpoint() == "http://[fd00:ec2::254]"
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:80/")
    assert instance_endpoint() == "http://127.0.0.1:80"
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "127.0.0.1")
    with pytest.raises(ConfigurationError, match="AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        instance_endpoint()
