"""The finer kinds of NotAuthorizedException, and the hints of errors, on every transport."""

from __future__ import annotations

import copy
import pickle
import re
import traceback

import pytest

import srpcore
from srpcore import exceptions
from srpcore.exceptions.not_authorized import _CLASS_BY_PHRASE
from srpcore.exceptions.reply import service_error
from support.users import PASSWORD
from support.world import World, error


def test_an_expired_access_token_is_not_an_expired_session(world: World) -> None:
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    world.clock.now += 3601
    with pytest.raises(exceptions.AccessTokenExpired) as caught:
        user.get_user()
    assert not isinstance(caught.value, exceptions.InvalidSession)
    assert type(caught.value).__name__ == "NotAuthorizedException"


def test_an_expired_session_is_not_an_expired_access_token(world: World) -> None:
    world.create(permanent=False)
    step = world.user().sign_in(PASSWORD)
    world.clock.now += 3601
    with pytest.raises(exceptions.SessionExpired) as caught:
        step.answer(new_password="Battery-Staple-2")
    assert not isinstance(caught.value, exceptions.AccessTokenExpired)
    assert type(caught.value).__name__ == "NotAuthorizedException"


def test_a_session_that_was_used_is_invalid(world: World) -> None:
    world.create(permanent=False)
    step = world.user().sign_in(PASSWORD)
    step.answer(new_password="Battery-Staple-2")
    with pytest.raises(exceptions.InvalidSession) as caught:
        step.answer(new_password="Battery-Staple-3")
    assert not isinstance(caught.value, exceptions.SessionExpired)


def test_a_revoked_access_token_is_its_own_kind(world: World) -> None:
    world.create()
    user, other = world.user(), world.user()
    user.authenticate(PASSWORD)
    other.authenticate(PASSWORD)
    other.logout()
    with pytest.raises(exceptions.AccessTokenRevoked):
        user.get_user()


def refused(user: srpcore.Cognito, password: str = PASSWORD) -> exceptions.ServiceError:
    with pytest.raises(exceptions.ServiceError) as caught:
        user.authenticate(password)
    return caught.value


def test_a_wrong_password_names_the_pool_id_and_the_clock_too(world: World) -> None:
    world.create()
    found = refused(world.user(), "not the password")
    assert isinstance(found, exceptions.WrongPassword)
    for cause in ("password", "user pool id", "clock", "Date header"):
        assert cause in found.hint
    assert found.hint not in str(found)
    assert f"Hint: {found.hint}" in "".join(traceback.format_exception(found))
    for again in (copy.copy(found), pickle.loads(pickle.dumps(found))):
        assert (again.hint, again.__notes__) == (found.hint, found.__notes__)


def test_a_missing_or_unneeded_client_secret_is_named(world: World) -> None:
    world.create()
    secret = None if world.pool.client_secret else "a secret"
    user = srpcore.Cognito(
        world.pool.user_pool_id, world.pool.client_id, username="alice", client_secret=secret, **world.arguments
    )
    assert "client_secret" in refused(user).hint


@pytest.mark.parametrize(
    ("code", "message", "cause"),
    [
        ("InvalidParameterException", "USER_SRP_AUTH is not enabled for the client.", "ALLOW_USER_SRP_AUTH"),
        ("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client", "ExplicitAuthFlows"),
        ("InvalidParameterException", "Initiate Auth method not supported.", "admin_authenticate"),
        (
            "InvalidParameterException",
            "1 validation error detected: Value 'X' at 'authFlow' failed to satisfy constraint",
            "USER_SRP_AUTH",
        ),
        ("InvalidParameterException", "Auth flow not enabled for this client", "add ALLOW_USER_SRP_AUTH to"),
        ("CodeMismatchException", "Invalid code received for user", "same step may be answered again"),
        ("ExpiredCodeException", "Invalid code provided, please request a code again.", "request a new code"),
        ("NotAuthorizedException", "User account disabled", "admin_enable_user"),
        ("ResourceNotFoundException", "User pool us-east-1_x does not exist.", "user pool id"),
        ("ResourceNotFoundException", "User pool client abc does not exist.", "client id"),
        ("ResourceNotFoundException", "Device does not exist.", ""),
        ("NotAuthorizedException", "Unable to verify secret hash for client abc", "client_secret"),
        ("NotAuthorizedException", "Invalid Access Token", "'Bearer ' prefix"),
        (
            "NotAuthorizedException",
            "Invalid Access Token",
            "restarted without its state does not know its old tokens: log",
        ),
        (
            "InvalidParameterException",
            "1 validation error detected: Value at 'userCode' failed to satisfy constraint: Member must have length "
            "greater than or equal to 6",
            "six digits",
        ),
        ("NotAuthorizedException", "Access Token has expired", "renew_access_token()"),
        ("NotAuthorizedException", "Invalid Refresh Token", "confirm_device"),
        ("NotAuthorizedException", "Invalid session for the user, session is expired.", "log in again"),
        ("InvalidSignatureException", "Signature expired", "clock"),
        ("TooManyRequestsException", "Rate exceeded", ""),
    ],
)
def test_the_hint_names_the_likely_cause(world: World, code: str, message: str, cause: str) -> None:
    world.wire.instead = lambda operation: error(code, message)
    found = refused(world.user())
    assert found.message == message
    assert cause in found.hint
    # An error without a frequent cause has neither a hint nor a note.
    assert bool(found.hint) is bool(cause) is hasattr(found, "__notes__")


@pytest.mark.parametrize(
    ("flow", "value"),
    [
        ("ADMIN_NO_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"),
        ("ADMIN_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"),
        ("USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH"),
        ("REFRESH_TOKEN_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
    ],
)
def test_the_hint_for_a_flow_that_is_off_names_the_exact_value(flow: str, value: str) -> None:
    by_request = service_error(error("InvalidParameterException", "Auth flow not enabled for this client"), "X", flow)
    by_message = service_error(error("InvalidParameterException", f"{flow} flow not enabled for this client"), "X")
    for found in (by_request, by_message):
        assert re.findall("ALLOW_[A-Z_]+", found.hint) == [value]


def test_the_hint_for_an_unknown_flow_that_is_off_names_no_wrong_value() -> None:
    found = service_error(error("InvalidParameterException", "NEW_AUTH flow not enabled for this client"), "X")
    assert "ExplicitAuthFlows" in found.hint
    assert "ALLOW_USER" not in found.hint


@pytest.mark.parametrize(("phrase", "kind"), _CLASS_BY_PHRASE)
def test_every_phrase_that_selects_a_class_has_a_hint(
    world: World, phrase: str, kind: type[exceptions.NotAuthorizedException]
) -> None:
    world.wire.instead = lambda operation: error("NotAuthorizedException", f"{phrase.capitalize()}.")
    found = refused(world.user())
    assert isinstance(found, kind)
    assert found.hint
