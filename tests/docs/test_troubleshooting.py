"""The page on troubleshooting shows the errors and hints as a program gets them."""

from __future__ import annotations

import re
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srpcore import Cognito, TokenVerifier
from srpcore.exceptions import hints
from srpcore.exceptions.base import SrpcoreError, WarrantException
from srpcore.exceptions.reply import service_error
from srpcore.flows.challenge import raise_challenge
from srpcore.protocol import Reply
from srpcore.tokens.policy import TokenUse
from support.minting import access_claims, jwk, mint

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

PAGE = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text("utf-8")
BLOCKS: list[str] = [block.rstrip("\n") for block in re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)]
POOL, CLIENT_ID = "eu-west-1_AbCd12345", "4dn6jbcbhqcofxyczo3ms9z4cc"
ISSUER = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"
OF_THE_SERVICE = re.compile(r"(?P<code>\w+) \(HTTP (?P<status>\d+), (?P<operation>\w+)\): (?P<message>.*)")
NOW = 1767225600


def service_blocks() -> list[str]:
    return [block for block in BLOCKS if OF_THE_SERVICE.match(block)]


@pytest.mark.parametrize("block", service_blocks())
def test_the_hint_of_a_service_error_is_the_one_that_the_page_shows(block: str) -> None:
    shown = OF_THE_SERVICE.match(block)
    assert shown
    document = {
        "Error": {"Code": shown["code"], "Message": shown["message"]},
        "ResponseMetadata": {"HTTPStatusCode": int(shown["status"])},
    }
    error = service_error(Reply(document), shown["operation"])
    assert "\n".join([str(error), *error.__notes__]) == block


def test_every_hint_is_on_the_page() -> None:
    every = {*hints.BY_CLASS.values(), *(hint for _, _, hint in hints.BY_PHRASE)}
    assert {hint for hint in every if hint not in PAGE} == set()


def test_every_hint_of_the_page_exists() -> None:
    every = {*hints.BY_CLASS.values(), *(hint for _, _, hint in hints.BY_PHRASE)}
    table = PAGE.split("## Other hints")[1]
    shown = re.findall(r"^\| (?!error |---)[^|]+ \| ([^|]+) \|$", table, re.MULTILINE)
    assert len(shown) > 5
    assert {hint for hint in shown if hint not in every} == set()


def verify(
    token: str, pool: str = POOL, client_id: str = CLIENT_ID, token_use: TokenUse = "access", later: int = 0
) -> None:
    verifier = TokenVerifier(pool, client_id=client_id, token_use=token_use, clock=lambda: NOW + later)
    verifier.load_jwks({"keys": [jwk()]})
    verifier.verify(token)


def token() -> str:
    return mint(access_claims(iss=ISSUER, client_id=CLIENT_ID, iat=NOW, exp=NOW + 3600))


def log_in(endpoint_url: str | None = None) -> None:
    with Cognito(POOL, CLIENT_ID, username="alice", endpoint_url=endpoint_url) as user:
        user.authenticate("wrong")


def changed(text: str) -> str:
    return text[:-8] + "AAAAAAAA"


OWN: dict[str, Callable[[], object]] = {
    "user_pool_id must": lambda: Cognito("eu-west-1", CLIENT_ID, username="alice").authenticate("wrong"),
    "token has expired": lambda: verify(token(), later=7200),
    "token was issued to": lambda: verify(token(), client_id="another-client"),
    "token is of the wrong kind": lambda: verify(token(), token_use="id"),
    "token is from another issuer": lambda: verify(token(), pool="eu-west-1_Other1234"),
    "token still has": lambda: verify(f"Bearer {token()}"),
    "token is not a JWT": lambda: verify("abc"),
    "signature does not match": lambda: verify(changed(token())),
    "plain http to": lambda: Cognito(POOL, CLIENT_ID, endpoint_url="http://cognito-local:9229"),
    "no username": lambda: Cognito(POOL, CLIENT_ID).authenticate("wrong"),
    "connecting to nowhere.invalid:": lambda: log_in(endpoint_url="https://nowhere.invalid"),
    "AdminGetUser must be signed": lambda: Cognito(POOL, CLIENT_ID, username="alice").admin_get_user(),
    "unknown transport": lambda: Cognito(POOL, CLIENT_ID, transport="httpxx"),
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(
        sys.modules, "botocore.exceptions", raising=False
    )  # while it is loaded, botocore's text is used
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    names = "ACCESS_KEY_ID SECRET_ACCESS_KEY PROFILE CONFIG_FILE SHARED_CREDENTIALS_FILE".split()
    for name in ("HTTPS_PROXY", "https_proxy", *(f"AWS_{name}" for name in names)):
        monkeypatch.delenv(name, raising=False)


UNKNOWN_HOST = "connecting to cognito-idp.eu-west-1.amazonaws.com: the host"
PROXY = "connecting to cognito-idp.eu-west-1.amazonaws.com through"
CHALLENGES = ("SoftwareTokenMFAChallengeException", "SMSMFAChallengeException", "ForceChangePasswordException")


def shown(start: str) -> str:
    (block,) = (block for block in BLOCKS if block.startswith(start))
    return block


@pytest.mark.parametrize("start", OWN)
def test_an_error_is_the_one_that_the_page_shows(start: str) -> None:
    with pytest.raises(SrpcoreError) as caught:
        OWN[start]()
    assert str(caught.value) == shown(start)


@pytest.mark.parametrize("name", ["SOFTWARE_TOKEN_MFA", "SMS_MFA", "NEW_PASSWORD_REQUIRED"])
def test_the_exception_of_a_challenge_is_the_one_that_the_page_shows(name: str) -> None:
    with pytest.raises(WarrantException) as caught:
        raise_challenge({"ChallengeName": name, "Session": "a session", "ChallengeParameters": {}})
    lines = "".join(traceback.format_exception_only(caught.value)).splitlines()
    assert "\n".join([lines[0].rpartition("challenges.")[2], *lines[1:]]) == shown(type(caught.value).__name__)


def test_a_refused_connection_is_named_as_the_page_shows() -> None:
    with pytest.raises(SrpcoreError) as caught:
        log_in(endpoint_url="http://127.0.0.1:1")
    assert str(caught.value) == shown("connecting to 127.0.0.1:").replace("9229", "1")


def test_a_host_that_is_not_found_is_named_as_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(SrpcoreError) as caught:
        log_in()
    assert str(caught.value) == shown(UNKNOWN_HOST)


def test_a_proxy_that_does_not_answer_is_named_as_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with pytest.raises(SrpcoreError) as caught:
        log_in()
    assert str(caught.value) == shown(PROXY)


def test_a_missing_extra_is_named_as_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("srpcore_transports.httpx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(SrpcoreError) as caught:
        Cognito(POOL, CLIENT_ID, transport="httpx").client.get_user(AccessToken="a")
    assert str(caught.value) == shown("httpx is not installed")


def test_every_block_of_the_page_is_tested() -> None:
    others = ("connecting to 127.0.0.1:", UNKNOWN_HOST, PROXY, "httpx is not installed", *CHALLENGES)
    assert {*BLOCKS} - {*service_blocks(), *map(shown, OWN), *map(shown, others)} == set()
