"""What type checkers see of the public methods. ``make lint`` checks this file; nothing runs it.

With mypy --strict an ignored error that is not there is an error itself, so each ``type: ignore`` is a test that the
mistake is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from srpcore import AsyncCognito, AsyncSignIn, AsyncUserObj, Cognito, GroupObj, LoginTokens, SignIn, UserObj
from srpcore.client.operations.streams import AsyncStream, Stream


def methods_return_results(user: Cognito) -> None:
    assert_type(user.authenticate("password"), None)
    assert_type(user.check_token(), bool)
    assert_type(user.verify_token("token", "access_token", "access"), Mapping[str, Any])
    assert_type(user.tokens, LoginTokens)
    assert_type(user.tokens.access_token, str)
    assert_type(user.access_token, str | None)
    user.authenticate()  # type: ignore[call-arg]
    user.check_token(renew="yes")  # type: ignore[arg-type]


def steps_are_values(user: Cognito) -> None:
    step = assert_type(user.sign_in("password"), SignIn)
    step = assert_type(step.answer(code="123456"), SignIn)
    assert_type(step.set_up_totp(), tuple[str, SignIn])
    assert_type(user.resume_sign_in("{}"), SignIn)


def users_and_groups_are_values(user: Cognito) -> None:
    assert_type(user.get_users(), list[UserObj])
    assert_type(user.iter_users(), Stream[UserObj])
    assert_type(user.get_group("name"), GroupObj)
    assert_type(user.get_user().save(), None)


async def users_of_an_async_cognito_are_saved_by_a_coroutine(user: AsyncCognito) -> None:
    assert_type(await user.get_users(), list[AsyncUserObj])
    assert_type(user.iter_users_in_group("name"), AsyncStream[AsyncUserObj])
    assert_type(await (await user.admin_get_user()).delete(admin=True), None)
    found = await user.get_user()
    found.save()  # type: ignore[unused-coroutine]
    found.delete()  # type: ignore[unused-coroutine]


async def coroutine_methods_must_be_awaited(user: AsyncCognito) -> None:
    assert_type(await user.check_token(), bool)
    step = assert_type(await user.sign_in("password"), AsyncSignIn)
    step = assert_type(await step.answer(code="123456"), AsyncSignIn)
    assert_type(await user.resume_sign_in("{}"), AsyncSignIn)
    user.sign_in("password").answer(code="123456")  # type: ignore[attr-defined]
    print(step.answer(code="123456").done)  # type: ignore[attr-defined]
    user.authenticate("password")  # type: ignore[unused-coroutine]
