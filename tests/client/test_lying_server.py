"""Replies that are valid JSON, but malformed: each one is an UnsafeServerValue, and the tokens stay as they were."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from srpcore import AsyncCognito, Cognito, TokenVerifier
from srpcore.exceptions import InvalidKey, TransportError, UnsafeServerValue
from support.loopback import LoopbackServer, Request, answer
from support.minting import access_claims, mint

NAMES = ("https", "httpx", "botocore")
IDS = ("eu-west-1_AbCd12345", "4dn6jbcbhqcofxyczo3ms9z4cc")
TOKENS = {"AccessToken": "new access", "IdToken": "new id", "RefreshToken": "new refresh", "TokenType": "Bearer"}
HUGE = 10**400


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


class Trusting(Cognito):
    """A program that has replaced the verification of tokens, as programs for pycognito do."""

    def verify_token(self, token: str, id_name: str, token_use: str) -> dict[str, Any]:
        setattr(self, id_name, token)
        return {}


class AsyncTrusting(AsyncCognito):
    async def verify_token(self, token: str, id_name: str, token_use: str) -> dict[str, Any]:
        setattr(self, id_name, token)
        return {}


@contextmanager
def served(reply: object) -> Generator[str]:
    """Answer every request with *reply*, and return the server's URL."""

    def handler(request: Request, connection: socket.socket) -> bytes:
        return answer(json.dumps(reply).encode(), Content_Type="application/x-amz-json-1.1")

    with LoopbackServer(handler) as server:
        yield server.url


def tokens_of(user: Cognito | AsyncCognito) -> tuple[object, ...]:
    return (
        user.access_token,
        user.id_token,
        user.refresh_token,
        user.token_type,
        user.expires_in,
        user.expires_datetime,
        user.new_device_metadata,
    )


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in TOKENS.items() if key != name}


RESULTS: dict[str, object] = {
    "ExpiresIn is 1e18": {**TOKENS, "ExpiresIn": 10**18},
    "ExpiresIn is NaN": {**TOKENS, "ExpiresIn": float("nan")},
    "ExpiresIn is Infinity": {**TOKENS, "ExpiresIn": float("inf")},
    "ExpiresIn has 400 digits": {**TOKENS, "ExpiresIn": HUGE},
    "ExpiresIn is negative": {**TOKENS, "ExpiresIn": -1},
    "ExpiresIn is a string": {**TOKENS, "ExpiresIn": "soon"},
    "ExpiresIn is a boolean": {**TOKENS, "ExpiresIn": True},
    "no IdToken": without("IdToken"),
    "no AccessToken": without("AccessToken"),
    "AccessToken is a number": {**TOKENS, "AccessToken": 1},
    "NewDeviceMetadata is a string": {**TOKENS, "NewDeviceMetadata": "device"},
    "a list": [1],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_a_login_with_wrong_tokens_is_refused_and_sets_nothing(name: str, result: object) -> None:
    # botocore's parser refuses some of these before we see them.
    refused = (UnsafeServerValue, TransportError) if name == "botocore" else UnsafeServerValue
    with (
        served({"AuthenticationResult": result}) as url,
        Trusting(*IDS, username="alice", refresh_token="old", endpoint_url=url, transport=name) as user,
    ):
        before = tokens_of(user)
        with pytest.raises(refused):
            user.sign_in("password", auth_flow="USER_PASSWORD_AUTH")
        assert tokens_of(user) == before


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_an_async_login_with_wrong_tokens_is_refused_and_sets_nothing(result: object) -> None:
    async def story(url: str) -> None:
        async with AsyncTrusting(*IDS, username="alice", endpoint_url=url, transport="httpx") as user:
            before = tokens_of(user)
            with pytest.raises(UnsafeServerValue):
                await user.sign_in("password", auth_flow="USER_PASSWORD_AUTH")
            assert tokens_of(user) == before

    with served({"AuthenticationResult": result}) as url:
        asyncio.run(story(url))


@pytest.mark.parametrize("validity", [None, 0, 3600, 86400.0])
def test_a_login_accepts_a_missing_expiry_and_usual_ones(validity: float | None) -> None:
    result = TOKENS if validity is None else {**TOKENS, "ExpiresIn": validity}
    with (
        served({"AuthenticationResult": result}) as url,
        Trusting(*IDS, username="alice", endpoint_url=url) as user,
    ):
        user.sign_in("password", auth_flow="USER_PASSWORD_AUTH")
        assert (user.access_token, user.expires_in) == ("new access", validity)


# Other operations.

CALLS: dict[str, tuple[Callable[[Cognito], object], object]] = {
    "no secret of an app": (lambda user: user.associate_software_token(), {"Session": "s"}),
    "a secret that is a number": (lambda user: user.associate_software_token(), {"SecretCode": 7}),
    "no status of a code": (lambda user: user.verify_software_token("123456"), {"Session": "s"}),
    "attributes that are a string": (lambda user: user.get_user(), {"UserAttributes": "abc", "Username": "alice"}),
    "attributes that are strings": (lambda user: user.get_user(), {"UserAttributes": ["a"], "Username": "alice"}),
    "an attribute whose name is a list": (lambda user: user.get_user(), {"UserAttributes": [{"Name": []}]}),
    "attributes for an administrator": (lambda user: user.admin_get_user(), {"UserAttributes": {"a": 1}}),
    "users that are strings": (lambda user: user.get_users(), {"Users": ["alice"]}),
    "users that are an object": (lambda user: user.get_users(), {"Users": {"alice": 1}}),
    "a page token that is a number": (lambda user: user.get_users(), {"Users": [], "PaginationToken": 7}),
    "attributes of a listed user": (lambda user: user.get_users(), {"Users": [{"Attributes": 5}]}),
    "no group": (lambda user: user.get_group("readers"), {"Other": 1}),
    "a group that is a list": (lambda user: user.get_group("readers"), {"Group": [1]}),
    "groups that are strings": (lambda user: user.get_groups(), {"Groups": ["readers"]}),
    "a group without a name": (lambda user: user.admin_list_groups_for_user("alice"), {"Groups": [{}]}),
    "no app client": (lambda user: user.describe_user_pool_client(*IDS), {"Other": 1}),
    "no options of a passkey": (lambda user: user.start_web_authn_registration(), {"Other": 1}),
}


@pytest.mark.parametrize(("call", "reply"), CALLS.values(), ids=CALLS)
def test_a_malformed_reply_is_an_unsafe_server_value(call: Callable[[Cognito], object], reply: object) -> None:
    with (
        served(reply) as url,
        Cognito(*IDS, username="alice", access_token="token", endpoint_url=url) as user,
        pytest.raises(UnsafeServerValue),
    ):
        call(user)


def test_a_new_device_without_a_key_is_refused_before_a_request() -> None:
    result = {**TOKENS, "NewDeviceMetadata": {"DeviceKey": 5}}
    with (
        served({"AuthenticationResult": result}) as url,
        Trusting(*IDS, username="alice", endpoint_url=url) as user,
    ):
        user.sign_in("password", auth_flow="USER_PASSWORD_AUTH")
        with pytest.raises(UnsafeServerValue, match="DeviceKey"):
            user.confirm_device()
        assert user.device is None


# Key sets.

DOCUMENTS = {
    "HTML": b"<!DOCTYPE html><title>Sign in</title>",
    "not UTF-8": b"\xff\xfe",
    "a list": b"[1]",
    "an object without keys": b'{"message": "not found"}',
    "no usable key": b'{"keys": [{"kty": "EC"}]}',
}


@contextmanager
def key_server(document: bytes) -> Generator[str]:
    with LoopbackServer(lambda request, connection: answer(document)) as server:
        yield server.url


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_fetched_document_that_is_not_a_key_set_is_a_transport_error_of_a_fetch(name: str, document: bytes) -> None:
    import requests

    with key_server(document) as url, Cognito(*IDS, endpoint_url=url, transport=name) as user:
        with pytest.raises(TransportError, match="not a usable key set") as caught:
            user.get_keys()
        assert (caught.value.reason, caught.value.fetching, caught.value.transient) == ("document", True, False)
        assert caught.value.url.startswith(url)
        # pycognito lets requests decode the document.
        assert isinstance(caught.value, requests.exceptions.JSONDecodeError)
        assert isinstance(caught.value, ValueError)
        assert user.pool_jwk is None


def test_a_verifier_reports_a_fetched_document_that_is_not_a_key_set() -> None:
    with (
        key_server(DOCUMENTS["HTML"]) as url,
        TokenVerifier(IDS[0], client_id=None, endpoint_url=url, token_use=None) as verifier,
        pytest.raises(TransportError, match="not a usable key set") as caught,
    ):
        verifier.verify(mint(access_claims()))
    assert (caught.value.reason, caught.value.fetching) == ("document", True)


def test_keys_that_the_program_gives_are_refused_with_invalid_key() -> None:
    with Cognito(*IDS) as user:
        user.pool_jwk = {"message": "not found"}
        with pytest.raises(InvalidKey):
            user.get_keys()
