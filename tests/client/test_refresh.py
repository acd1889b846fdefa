"""Refresh, revoke and log out: which operation is tried first, and which tokens are kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.client.login_state import LoggedOut
from srpcore.flows.refresh import GET_TOKENS
from srpcore.protocol import Operation, Reply
from support.users import PASSWORD
from support.world import World, error

BY_FLOW = "InitiateAuth:REFRESH_TOKEN_AUTH"
ROTATION = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}


def logged_in(world: World, name: str = "alice") -> srpcore.Cognito:
    user = world.user(name)
    user.authenticate(PASSWORD)
    world.wire.clear()
    return user


def replied(answer: Reply | Exception) -> Reply:
    """Return *answer*, or raise it."""
    if isinstance(answer, Exception):
        raise answer
    return answer


def test_refresh_sets_new_tokens(world: World) -> None:
    world.create()
    user = logged_in(world)
    before = (user.access_token, user.id_token)
    refresh_token = user.refresh_token
    world.clock.ahead += 5
    user.renew_access_token()
    assert user.access_token != before[0]
    assert user.id_token != before[1]
    assert user.refresh_token == refresh_token
    confidential = world.pool.client_secret is not None
    assert world.wire.names == [GET_TOKENS if confidential else BY_FLOW]


def test_rotation_switches_to_get_tokens_from_refresh_token_for_good(make_world: Callable[..., World]) -> None:
    world = make_world(client_settings=ROTATION)
    world.create()
    user = logged_in(world)
    first = user.refresh_token
    user.renew_access_token()
    second = user.refresh_token
    assert first != second
    assert world.wire.names == [BY_FLOW, GET_TOKENS]
    world.wire.clear()
    user.renew_access_token()
    assert world.wire.names == [GET_TOKENS]
    assert user.refresh_token not in (first, second)


def test_a_used_refresh_token_is_refused_and_no_other_operation_is_tried(make_world: Callable[..., World]) -> None:
    world = make_world(client_settings=ROTATION, client_secret=True)
    world.create()
    user = logged_in(world)
    spent = user.refresh_token
    user.renew_access_token()
    kept = (user.access_token, user.refresh_token)
    user.refresh_token = spent
    world.clock.ahead += 5
    world.wire.clear()
    with pytest.raises(exceptions.RefreshTokenReuseException):
        user.renew_access_token()
    assert world.wire.names == [GET_TOKENS]
    assert user.access_token == kept[0]


@pytest.mark.parametrize("by", ["alias", "name"])
def test_confidential_client_refreshes_if_the_operation_is_unknown(make_world: Callable[..., World], by: str) -> None:
    world = make_world(client_secret=True, pool_settings={"AliasAttributes": ["email"]})
    world.create(email="alice@example.com", email_verified="true")
    user = logged_in(world, "alice@example.com" if by == "alias" else "alice")
    world.wire.instead = lambda operation: error("UnknownOperationException") if operation.name == GET_TOKENS else None
    user.renew_access_token()
    assert world.wire.names == [GET_TOKENS, BY_FLOW]
    world.wire.clear()
    user.renew_access_token()
    assert world.wire.names == [BY_FLOW]


@pytest.mark.parametrize(
    "answer",
    [
        error("InternalFailure", "not implemented", 501),
        error("InvalidAction"),
        error("NotImplemented"),
        error("UnknownOperation"),
        error("Unsupported"),
        error("UnsupportedOperation"),
        error("UnsupportedOperationException"),
        NotImplementedError("The get_tokens_from_refresh_token action has not been implemented"),
    ],
    ids=str,
)
def test_confidential_client_refreshes_if_an_emulator_lacks_the_operation(
    make_world: Callable[..., World], answer: Reply | Exception
) -> None:
    world = make_world(client_secret=True)
    world.create()
    user = logged_in(world)
    world.wire.instead = lambda operation: replied(answer) if operation.name == GET_TOKENS else None
    user.renew_access_token()
    assert world.wire.names == [GET_TOKENS, BY_FLOW]


@pytest.mark.parametrize("endpoint_url", [None, "https://emulator.example"])
def test_http_500_without_a_document_means_a_missing_operation_only_on_an_emulator(
    make_world: Callable[..., World], endpoint_url: str | None
) -> None:
    world = make_world(client_secret=True)
    world.create()
    user = logged_in(world)
    user.pool_domain_url = endpoint_url
    failure = exceptions.TransportError("HTTP 500", status=500)
    world.wire.instead = lambda operation: replied(failure) if operation.name == GET_TOKENS else None
    with nullcontext() if endpoint_url else pytest.raises(exceptions.TransportError):
        user.renew_access_token()
    assert world.wire.names == ([GET_TOKENS, BY_FLOW] if endpoint_url else [GET_TOKENS])


@pytest.mark.parametrize(
    "answer",
    [
        error("InternalFailure", "", 500),
        error("NotAuthorizedException", "not implemented"),
        error("RefreshTokenReuseException"),
        exceptions.TransportTimeout("no answer in time"),
        exceptions.TransportError("HTTP 502", status=502),
    ],
    ids=str,
)
def test_confidential_client_on_an_emulator_stays_with_the_operation_after_other_failures(
    make_world: Callable[..., World], answer: Reply | Exception
) -> None:
    world = make_world(client_secret=True)
    world.create()
    user = logged_in(world)
    user.pool_domain_url = "https://emulator.example"
    world.wire.instead = lambda operation: replied(answer)
    with pytest.raises(exceptions.SrpcoreError):
        user.renew_access_token()
    assert world.wire.names == [GET_TOKENS]


def test_restored_tokens_of_an_alias_refresh_with_a_secret(make_world: Callable[..., World]) -> None:
    world = make_world(client_secret=True, pool_settings={"UsernameAttributes": ["email"]})
    world.create("alice@example.com", email_verified="true")
    user = logged_in(world, "alice@example.com")
    restored = world.user("alice@example.com", access_token=user.access_token, refresh_token=user.refresh_token)
    world.wire.instead = lambda operation: error("UnknownOperationException") if operation.name == GET_TOKENS else None
    restored.renew_access_token()
    assert restored.access_claims is not None


@pytest.mark.parametrize(
    "refusal",
    [
        error("NotAuthorizedException", "Refresh Token has expired"),
        error("NotAuthorizedException", "the flow is not enabled"),
        error("RefreshTokenReuseException"),
        error("TooManyRequestsException", "Rate exceeded"),
        error("InvalidParameterException", "Missing required parameter REFRESH_TOKEN"),
        error("InternalErrorException", "", 500),
        error("ResourceNotFoundException", "not enabled"),
    ],
)
def test_the_other_operation_is_not_tried_after_a_refusal(world: World, refusal: Reply) -> None:
    world.create()
    user = logged_in(world)
    tokens = (user.access_token, user.id_token, user.refresh_token)
    world.wire.instead = lambda operation: refusal
    with pytest.raises(exceptions.ServiceError):
        user.renew_access_token()
    assert len(world.wire.operations) == 1
    assert (user.access_token, user.id_token, user.refresh_token) == tokens


def test_the_other_operation_is_not_tried_after_a_timeout(world: World) -> None:
    world.create()
    user = logged_in(world)

    def no_answer(operation: Operation) -> Reply:
        raise exceptions.TransportTimeout("no answer in time")

    world.wire.instead = no_answer
    with pytest.raises(exceptions.TransportTimeout):
        user.renew_access_token()
    assert len(world.wire.operations) == 1
    assert user.access_token
    assert user.refresh_token


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidParameterException", "Auth flow not enabled for this client"),
        ("InvalidParameterException", "REFRESH_TOKEN_AUTH is not allowed with refresh token rotation"),
        ("UnsupportedOperationException", "off"),
    ],
)
def test_public_client_switches_to_the_other_operation_if_the_flow_is_off(
    make_world: Callable[..., World], code: str, message: str
) -> None:
    world = make_world()
    world.create()
    user = logged_in(world)
    world.wire.instead = lambda operation: error(code, message) if operation.name == "InitiateAuth" else None
    user.renew_access_token()
    assert world.wire.names == [BY_FLOW, GET_TOKENS]


def test_the_key_set_is_fetched_before_the_refresh_token_is_used(world: World) -> None:
    world.create()
    user = logged_in(world)
    user.pool_jwk = None
    user.renew_access_token()
    assert len(world.wire.fetched) == 1

    def outage(url: str) -> bytes:
        raise exceptions.TransportError("no answer")

    user.pool_jwk = None
    world.wire.clear()
    world.wire.fetch = outage  # type: ignore[method-assign]
    with pytest.raises(exceptions.TransportError):
        user.renew_access_token()
    assert world.wire.operations == []


def public(user: srpcore.Cognito) -> dict[str, Any]:
    return {name: value for name, value in vars(user).items() if not name.startswith("_")}


def test_new_tokens_that_fail_verification_do_not_replace_the_old_ones(world: World) -> None:
    world.create()
    world.create("mallory")
    user, other = logged_in(world), logged_in(world, "mallory")
    kept = public(user)
    result = {"AccessToken": other.access_token, "IdToken": f"{other.id_token}x", "TokenType": "Bearer"}
    world.wire.instead = lambda operation: Reply({"AuthenticationResult": result})
    with pytest.raises(exceptions.TokenVerificationException):
        user.renew_access_token()
    assert public(user) == kept


def test_without_a_refresh_token_nothing_is_sent(world: World) -> None:
    with pytest.raises(exceptions.ConfigurationError, match="log in first"):
        world.user().renew_access_token()
    with pytest.raises(exceptions.ConfigurationError, match="log in first"):
        world.user().revoke_token()
    assert world.wire.operations == []
    assert world.wire.fetched == []


def test_a_refused_login_of_an_administrator_leaves_no_token_in_the_state(world: World) -> None:
    world.create()
    user = world.user()
    result = {"AccessToken": "no token", "IdToken": "no token", "RefreshToken": "the-refresh-token"}
    world.wire.instead = lambda operation: Reply({"AuthenticationResult": result})
    for log_in in (user.admin_authenticate, user.authenticate, user.sign_in):
        with pytest.raises((exceptions.TokenVerificationException, exceptions.UnsupportedChallenge)):
            log_in(PASSWORD)
        assert user._login == LoggedOut()


def test_check_token_refreshes_an_expired_token(world: World) -> None:
    world.create()
    user = logged_in(world)
    token = user.access_token
    assert user.check_token() is False
    world.clock.ahead += 3601
    assert user.check_token(renew=False) is True
    assert user.access_token == token
    assert user.check_tokens() is True
    assert user.access_token != token
    assert user.check_token() is False


def test_check_token_needs_a_token(world: World) -> None:
    user = world.user()
    with pytest.raises(AttributeError):
        user.check_token()
    user.access_token = "no token"
    with pytest.raises(exceptions.MalformedToken):
        user.check_token()


def test_revoked_tokens_are_refused(world: World) -> None:
    world.create()
    user = logged_in(world)
    access_token, refresh_token = user.access_token, user.refresh_token
    user.revoke_token()
    assert (user.access_token, user.id_token, user.refresh_token, user.access_claims) == (None,) * 4
    with pytest.raises(exceptions.NotAuthorizedException):
        user.client.get_user(AccessToken=access_token)
    user.refresh_token = refresh_token
    with pytest.raises(exceptions.NotAuthorizedException):
        user.renew_access_token()


def test_logout_ends_every_session(world: World) -> None:
    world.create()
    user, elsewhere = logged_in(world), logged_in(world)
    user.logout()
    assert (user.access_token, user.id_token, user.refresh_token, user.token_type, user.expires_in) == (None,) * 5
    with pytest.raises(exceptions.NotAuthorizedException):
        elsewhere.renew_access_token()
    with pytest.raises(AttributeError):
        user.logout()


def test_logout_that_fails_keeps_the_tokens(world: World) -> None:
    world.create()
    user = logged_in(world)
    world.wire.instead = lambda operation: error("TooManyRequestsException")
    with pytest.raises(exceptions.TooManyRequestsException):
        user.logout()
    with pytest.raises(exceptions.TooManyRequestsException):
        user.revoke_token()
    assert user.access_token
    assert user.refresh_token


def test_another_refresh_token_can_be_revoked(world: World) -> None:
    world.create()
    user, elsewhere = logged_in(world), logged_in(world)
    user.revoke_token(elsewhere.refresh_token)
    assert user.access_token
    user.renew_access_token()
    with pytest.raises(exceptions.NotAuthorizedException):
        elsewhere.renew_access_token()


def test_alias_refreshes_without_an_access_token(make_world: Callable[..., World]) -> None:
    world = make_world(client_secret=True, pool_settings={"UsernameAttributes": ["email"]})
    world.create("alice@example.com", email_verified="true")
    user = logged_in(world, "alice@example.com")
    user.access_token = None
    world.wire.instead = lambda operation: error("UnknownOperationException") if operation.name == GET_TOKENS else None
    user.renew_access_token()
    assert user.access_token
