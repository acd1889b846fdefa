"""The finer kinds of NotAuthorizedException, on every transport."""

from __future__ import annotations

import pytest

from srpcore import exceptions
from support.users import PASSWORD
from support.world import World


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
