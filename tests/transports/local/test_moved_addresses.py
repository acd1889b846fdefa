"""A code that was sent to an address is refused as soon as the user does not have this address any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from srpcore_transports.local.triggers.configuration import Triggers
from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client, refused

pytestmark = pytest.mark.slow

OLD = {"email": "old@example.com", "email_verified": "true"}


def move(client: Client, *, verified: bool = True) -> None:
    """Give alice another address, as an administrator."""
    values = {"email": "new@example.com", "email_verified": str(verified).lower()}
    pairs = [{"Name": name, "Value": value} for name, value in values.items()]
    client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=pairs)


def move_by_code(client: Client) -> None:
    """Give alice another address, as alice, who enters the code that was sent to it."""
    token = client.tokens()["AccessToken"]
    pairs = [{"Name": "email", "Value": "new@example.com"}]
    client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs)
    code = client.pool.outbox.messages[-1].code
    client.call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)


def remove(client: Client) -> None:
    client.admin("AdminDeleteUserAttributes", Username="alice", UserAttributeNames=["email"])


def reset(client: Client, code: str) -> None:
    given = {"Username": "alice", "ConfirmationCode": code, "Password": OTHER_PASSWORD}
    client.call("ConfirmForgotPassword", ClientId=client.client_id, **given)


def forget(client: Client) -> str:
    client.call("ForgotPassword", ClientId=client.client_id, Username="alice")
    return client.pool.outbox.messages[-1].code


@pytest.mark.parametrize("first", [[], ["email"]], ids=["at once", "after the code"])
@pytest.mark.parametrize("act", [move, move_by_code, remove])
def test_a_reset_code_is_refused_after_the_address_was_changed(
    make: Callable[..., Client], act: Callable[[Client], None], first: list[str]
) -> None:
    settings = {
        "AutoVerifiedAttributes": ["email"],
        "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": first},
    }
    client = make(pool_settings=settings)
    client.user(**OLD)
    code = forget(client)
    act(client)
    with refused("ExpiredCodeException", "request a code again"):
        reset(client, code)
    if act is not remove:
        reset(client, forget(client))
        assert client.pool.outbox.messages[-1].destination == "new@example.com"


def test_a_code_stays_valid_if_the_address_is_written_again(client: Client) -> None:
    client.user(**OLD)
    code = forget(client)
    pairs = [{"Name": name, "Value": value} for name, value in OLD.items()]
    client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=pairs)
    reset(client, code)


@pytest.mark.parametrize(("factor", "purpose"), [("first", "sign_in"), ("second", "mfa")])
def test_a_login_code_is_refused_after_the_address_was_changed(
    make: Callable[..., Client], factor: str, purpose: str
) -> None:
    policies = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    mfa: dict[str, Any] = {"MfaConfiguration": "ON", "EmailMfaConfiguration": {}}
    flows = {"ExplicitAuthFlows": ["ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH"]}
    client = make(pool_settings={"Policies": policies} if factor == "first" else mfa, client_settings=flows)
    if factor == "second":
        client.admin("SetUserPoolMfaConfig", MfaConfiguration="ON", EmailMfaConfiguration={"Message": "{####}"})
    client.user(**OLD)
    if factor == "first":
        values = {"USERNAME": "alice", "PREFERRED_CHALLENGE": "EMAIL_OTP"}
        challenge = client.call("InitiateAuth", ClientId=client.client_id, AuthFlow="USER_AUTH", AuthParameters=values)
    else:
        challenge = client.log_in()
    message = client.pool.outbox.messages[-1]
    assert (challenge["ChallengeName"], message.purpose) == ("EMAIL_OTP", purpose)
    move(client)
    with refused("ExpiredCodeException"):
        client.answer(challenge, EMAIL_OTP_CODE=message.code)


def test_a_message_goes_to_the_address_that_the_user_had_when_it_was_composed(make: Callable[..., Client]) -> None:
    def change_address(event: dict[str, Any], _: object) -> dict[str, Any]:
        remove(client)
        return event

    client = make(triggers=Triggers(custom_message=change_address))
    client.user(**OLD)
    code = forget(client)
    assert client.pool.outbox.messages[-1].destination == "old@example.com"
    with refused("ExpiredCodeException"):
        reset(client, code)
    assert client.tokens(password=PASSWORD)
