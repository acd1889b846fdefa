"""Where a client's keys come from and which issuers it accepts: emulators by name, and the endpoints of transports."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from srpcore import AsyncCognito, AsyncTokenVerifier, Cognito, ConfigurationError, TokenVerifier, exceptions
from srpcore_transports import http_connection
from srpcore_transports.botocore import BotocoreTransport
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.local import LocalUserPool
from srpcore_transports.recorded import Fault, FaultTransport, RecordingTransport
from support.ports import reserved_port
from support.users import PASSWORD

REFUSED = "plain http to cognito-local would send passwords in the clear: use https, or pass allow_http=True"
NAMES = ["https", "httpx", "botocore"]


class Emulator(NamedTuple):
    pool: LocalUserPool
    url: str

    @property
    def ids(self) -> tuple[str, str]:
        return self.pool.user_pool_id, self.pool.client_id


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Serve a local pool by the name that it has in another container, and let that name be this machine."""
    lookup = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **named: Any) -> Any:
        return lookup("127.0.0.1" if host in ("cognito-local", b"cognito-local") else host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(http_connection, "getaddrinfo", resolve, raising=False)
    monkeypatch.delenv("SRPCORE_ALLOW_HTTP", raising=False)
    with reserved_port() as port:
        url = f"http://cognito-local:{port}"
        with LocalUserPool(issuer=url) as pool, pool.serve("0.0.0.0", port):
            register(pool)
            yield Emulator(pool, url)


def register(pool: LocalUserPool) -> None:
    user = Cognito(pool.user_pool_id, pool.client_id, transport=pool)
    user.set_base_attributes(email="alice@example.com")
    user.register("alice", PASSWORD)
    user.confirm_sign_up(pool.outbox.latest("alice").code)


def log_in(user: Cognito) -> None:
    user.username = "alice"
    with user:
        user.authenticate(PASSWORD)
    assert user.access_claims is not None


def log_in_on_an_event_loop(user: AsyncCognito) -> None:
    async def steps() -> None:
        user.username = "alice"
        async with user:
            await user.authenticate(PASSWORD)
        assert user.access_claims is not None

    asyncio.run(steps())


@pytest.fixture
def access_token(emulator: Emulator) -> str:
    user = Cognito(*emulator.ids, username="alice", transport=emulator.pool, endpoint_url=emulator.url, allow_http=True)
    user.authenticate(PASSWORD)
    assert user.access_token is not None
    return user.access_token


# The opt-in of clients


@pytest.mark.parametrize("name", NAMES)
def test_plain_http_to_another_machine_is_refused_and_the_error_names_the_argument(
    emulator: Emulator, name: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        log_in(Cognito(*emulator.ids, endpoint_url=emulator.url, transport=name))
    assert str(caught.value) == f"{REFUSED} if it is an emulator (clients also read SRPCORE_ALLOW_HTTP=true)"


@pytest.mark.parametrize("name", NAMES)
def test_cognito_logs_in_to_an_emulator_by_name_with_allow_http(emulator: Emulator, name: str) -> None:
    log_in(Cognito(*emulator.ids, endpoint_url=emulator.url, transport=name, allow_http=True))


@pytest.mark.parametrize("name", NAMES)
def test_async_cognito_logs_in_to_an_emulator_by_name_with_allow_http(emulator: Emulator, name: str) -> None:
    log_in_on_an_event_loop(AsyncCognito(*emulator.ids, endpoint_url=emulator.url, transport=name, allow_http=True))


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "yes", "On"])
def test_a_client_and_its_transport_read_the_environment_variable(
    emulator: Emulator, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRPCORE_ALLOW_HTTP", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    log_in(Cognito(*emulator.ids))
    log_in_on_an_event_loop(AsyncCognito(*emulator.ids, transport="httpx"))
    assert HttpsTransport("us-east-1", emulator.url).allow_http


@pytest.mark.parametrize("value", ["", "false", "0", "no", "off"])
def test_other_values_of_the_environment_variable_allow_nothing(
    emulator: Emulator, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRPCORE_ALLOW_HTTP", value)
    with pytest.raises(ConfigurationError, match=REFUSED):
        Cognito(*emulator.ids, endpoint_url=emulator.url)
    with pytest.raises(ConfigurationError, match=REFUSED):
        HttpsTransport("us-east-1", emulator.url)


@pytest.mark.parametrize("value", ["maybe", "2", "1.0"])
def test_an_unknown_value_of_the_environment_variable_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRPCORE_ALLOW_HTTP", value)
    with pytest.raises(ConfigurationError, match=f"invalid SRPCORE_ALLOW_HTTP '{value}': use 'true' or 'false'"):
        HttpsTransport("us-east-1")


def test_the_refusal_of_plain_http_names_the_argument_and_the_environment_variable(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match=r"allow_http=True .*SRPCORE_ALLOW_HTTP=true"):
        HttpsTransport("us-east-1", emulator.url)


def test_allow_http_false_overrides_the_environment_variable(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRPCORE_ALLOW_HTTP", "true")
    with pytest.raises(ConfigurationError, match=REFUSED):
        Cognito(*emulator.ids, endpoint_url=emulator.url, allow_http=False)
    with pytest.raises(ConfigurationError, match=REFUSED):
        HttpsTransport("us-east-1", emulator.url, allow_http=False)


@pytest.mark.parametrize("value", ["false", 1, object()])
def test_allow_http_must_be_a_boolean(value: Any) -> None:
    for make in (
        lambda: Cognito("us-east-1_AbCd12345", "client", allow_http=value),
        lambda: HttpsTransport("us-east-1", allow_http=value),
        lambda: TokenVerifier("us-east-1_AbCd12345", client_id=None, token_use=None, allow_http=value),
    ):
        with pytest.raises(ConfigurationError, match="allow_http must be True or False, not "):
            make()


def test_boto3_arguments_name_an_emulator_too(emulator: Emulator) -> None:
    keywords = {"endpoint_url": emulator.url, "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    with pytest.raises(ConfigurationError, match=REFUSED):
        log_in(Cognito(*emulator.ids, boto3_client_kwargs=keywords))
    log_in(Cognito(*emulator.ids, boto3_client_kwargs=keywords, allow_http=True))


# The endpoint of a transport object


def boto3_client(url: str) -> Any:
    return boto3.client("cognito-idp", "us-east-1", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b")


TRANSPORTS: dict[str, Callable[[str, Path], Any]] = {
    "https": lambda url, _: HttpsTransport("us-east-1", url, allow_http=True),
    "httpx": lambda url, _: HttpxTransport("us-east-1", url, allow_http=True),
    "botocore": lambda url, _: BotocoreTransport(boto3_client(url), allow_http=True),
    "faults": lambda url, _: FaultTransport(
        HttpsTransport("us-east-1", url, allow_http=True), [Fault.throttling("GetUser", 1)]
    ),
    "recording": lambda url, folder: RecordingTransport(
        HttpsTransport("us-east-1", url, allow_http=True), folder / "cassette.json"
    ),
}


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_keys_are_fetched_from_the_endpoint_of_a_transport_which_is_an_accepted_issuer(
    emulator: Emulator, kind: str, tmp_path: Path
) -> None:
    transport = TRANSPORTS[kind](emulator.url, tmp_path)
    user = Cognito(*emulator.ids, transport=transport)
    log_in(user)
    assert user.access_claims is not None
    assert user.access_claims["iss"] == user.user_pool_url == f"{emulator.url}/{emulator.pool.user_pool_id}"
    assert user.pool_domain_url == emulator.url
    transport.close()


def test_the_opt_in_of_a_transport_counts_for_an_endpoint_that_is_given_too(emulator: Emulator) -> None:
    with HttpsTransport("us-east-1", emulator.url, allow_http=True) as transport:
        log_in(Cognito(*emulator.ids, transport=transport, endpoint_url=emulator.url))
        with pytest.raises(ConfigurationError, match=REFUSED):
            log_in(Cognito(*emulator.ids, transport=transport, allow_http=False))


def test_the_endpoint_of_an_asynchronous_transport_counts_as_well(emulator: Emulator) -> None:
    async def steps() -> None:
        async with AsyncHttpxTransport("us-east-1", emulator.url, allow_http=True) as transport:
            user = AsyncCognito(*emulator.ids, username="alice", transport=transport)
            await user.authenticate(PASSWORD)
            assert user.access_claims is not None

    asyncio.run(steps())
    with HttpsTransport("us-east-1", emulator.url, allow_http=True) as synchronous:
        log_in_on_an_event_loop(AsyncCognito(*emulator.ids, transport=synchronous))


def test_the_documented_transport_of_a_served_pool_logs_in() -> None:
    with LocalUserPool() as pool, pool.serve() as server, HttpsTransport("us-east-1", server.url) as transport:
        register(pool)
        log_in(Cognito(pool.user_pool_id, pool.client_id, transport=transport))


@pytest.mark.parametrize("served_by", ["client", "transport", "service client"])
def test_the_endpoint_of_a_client_that_is_set_later_counts_as_well(emulator: Emulator, served_by: str) -> None:
    user = Cognito(*emulator.ids, allow_http=True)
    assert user.pool_domain_url is None
    transport = HttpsTransport("us-east-1", emulator.url, allow_http=True)
    clients: dict[str, Any] = {
        "client": boto3_client(emulator.url),
        "transport": transport,
        "service client": Cognito(*emulator.ids, transport=transport).client,
    }
    user.client = clients[served_by]
    log_in(user)
    transport.close()
    assert user.pool_domain_url == emulator.url


def test_the_endpoint_of_an_aws_profile_counts_over_botocore(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(f"[default]\nregion = us-east-1\nendpoint_url = {emulator.url}\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    user = Cognito(*emulator.ids, session=boto3.Session(), allow_http=True)
    assert user.pool_domain_url == emulator.url
    log_in(user)


def test_an_endpoint_that_is_given_stays_when_the_session_is_switched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = us-east-1\nendpoint_url = https://other.example\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    user = Cognito("us-east-1_AbCd12345", "client", endpoint_url="https://keys.example")
    user.switch_session(boto3.Session())
    assert user.pool_domain_url == "https://keys.example"


def test_an_endpoint_that_is_given_overrides_that_of_the_transport() -> None:
    transport = HttpsTransport("us-east-1", "http://127.0.0.1:9")
    user = Cognito("us-east-1_AbCd12345", "client", transport=transport, endpoint_url="https://keys.example")
    assert user.user_pool_url == "https://keys.example/us-east-1_AbCd12345"


@pytest.mark.parametrize(
    "transport",
    [
        HttpsTransport("eu-west-1"),
        HttpsTransport("eu-west-1", use_fips=True),
        HttpsTransport("eu-west-1", use_dualstack=True),
        HttpsTransport("cn-north-1", use_dualstack=True),
        HttpsTransport("eusc-de-east-1"),
        HttpsTransport("us-gov-west-1", use_dualstack=True, use_fips=True),
        BotocoreTransport(boto3.client("cognito-idp", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")),
        LocalUserPool(),
        object(),
    ],
    ids=lambda transport: str(getattr(transport, "endpoint_url", type(transport).__name__)),
)
def test_the_endpoints_of_aws_do_not_change_the_issuer(transport: Any) -> None:
    user = Cognito("eu-west-1_AbCd12345", "client", transport=transport)
    assert user.pool_domain_url is None
    assert user.user_pool_url == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd12345"


@pytest.mark.parametrize("url", ["https://cognito-idp.eu-west-1.amazonaws.com.evil.example", "https://amazonaws.com"])
def test_a_host_that_only_looks_like_aws_counts_as_another_endpoint(url: str) -> None:
    user = Cognito("eu-west-1_AbCd12345", "client", transport=HttpsTransport("eu-west-1", url))
    assert user.pool_domain_url == url


# Verifiers


VERIFIERS = [TokenVerifier, AsyncTokenVerifier]


def verify(kind: Any, emulator: Emulator, token: str, **arguments: Any) -> Any:
    """Return the claims of *token* by a new verifier of the emulator's pool."""
    verifier = kind(emulator.pool.user_pool_id, client_id=emulator.pool.client_id, token_use="access", **arguments)

    async def claims() -> Any:
        async with verifier:
            return await verifier.verify(token)

    if kind is AsyncTokenVerifier:
        return asyncio.run(claims())
    with verifier:
        return verifier.verify(token)


@pytest.mark.parametrize("kind", VERIFIERS)
def test_a_verifier_trusts_an_emulator_by_name_with_allow_http(
    kind: Any, emulator: Emulator, access_token: str
) -> None:
    claims = verify(kind, emulator, access_token, endpoint_url=emulator.url, allow_http=True)
    assert claims["iss"] == f"{emulator.url}/{emulator.pool.user_pool_id}"


@pytest.mark.parametrize("kind", VERIFIERS)
@pytest.mark.parametrize("arguments", [{}, {"allow_http": False}, {"allow_http": None}])
def test_environment_variables_do_not_make_a_verifier_trust_plain_http(
    kind: Any, emulator: Emulator, access_token: str, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]
) -> None:
    monkeypatch.setenv("SRPCORE_ALLOW_HTTP", "true")
    with pytest.raises(ConfigurationError, match=REFUSED):
        verify(kind, emulator, access_token, endpoint_url=emulator.url, **arguments)


@pytest.mark.parametrize("kind", VERIFIERS)
def test_the_endpoint_of_a_transport_does_not_change_what_a_verifier_trusts(
    kind: Any, emulator: Emulator, access_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRPCORE_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    with pytest.raises(exceptions.IssuerMismatch):
        verify(kind, emulator, access_token, transport=HttpsTransport("us-east-1"))


@pytest.mark.parametrize("kind", VERIFIERS)
def test_a_verifier_fetches_over_a_botocore_client_with_its_own_setting(
    kind: Any, emulator: Emulator, access_token: str
) -> None:
    arguments: dict[str, Any] = {"endpoint_url": emulator.url, "allow_http": True}
    assert verify(kind, emulator, access_token, transport=boto3_client(emulator.url), **arguments)


# Issuers


def served_user(issuer: str, **arguments: Any) -> Cognito:
    """Return a user of a pool in us-east-1 whose tokens have the issuer ``<issuer>/<pool id>``."""
    pool = LocalUserPool(issuer=issuer)
    register(pool)
    user = Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool, **arguments)
    user.authenticate(PASSWORD)
    return user


@pytest.mark.parametrize("service", ["cognito-idp", "issuer-cognito-idp"])
@pytest.mark.parametrize("issuing", ["us-east-1", "us-west-2"])
def test_a_replica_issues_tokens_of_the_home_region_or_of_its_own(service: str, issuing: str) -> None:
    user = served_user(f"https://{service}.{issuing}.amazonaws.com", user_pool_region="us-west-2")
    assert user.access_claims is not None
    assert user.access_claims["iss"] == f"https://{service}.{issuing}.amazonaws.com/{user.user_pool_id}"
    assert user.user_pool_url == f"https://cognito-idp.us-west-2.amazonaws.com/{user.user_pool_id}"
    user.verify_tokens()


def test_a_pool_does_not_accept_the_issuer_of_a_third_region() -> None:
    with pytest.raises(exceptions.IssuerMismatch):
        served_user("https://cognito-idp.eu-west-1.amazonaws.com", user_pool_region="us-west-2")


@pytest.mark.parametrize("several", [False, True])
def test_issuer_replaces_the_accepted_issuers(several: bool) -> None:
    with LocalUserPool(issuer="http://0.0.0.0:9229") as pool:
        register(pool)
        expected = f"http://0.0.0.0:9229/{pool.user_pool_id}"
        issuer = ["https://auth.example.com", expected] if several else expected
        log_in(Cognito(pool.user_pool_id, pool.client_id, transport=pool, issuer=issuer))
        log_in_on_an_event_loop(AsyncCognito(pool.user_pool_id, pool.client_id, transport=pool, issuer=issuer))
    with LocalUserPool() as pool:
        register(pool)
        with pytest.raises(exceptions.IssuerMismatch):
            log_in(Cognito(pool.user_pool_id, pool.client_id, transport=pool, issuer=issuer))


@pytest.mark.parametrize("issuer", ["", [], [""], [1]])
def test_an_issuer_that_no_token_can_have_is_refused(issuer: Any) -> None:
    with pytest.raises(ConfigurationError, match="issuer must be one string or several"):
        Cognito("us-east-1_AbCd12345", "client", issuer=issuer)
