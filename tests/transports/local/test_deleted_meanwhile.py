"""A user, or an app client, that another request deletes while a request computes outside of the transaction."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from srpcore.exceptions import ServiceError
from srpcore_transports.local import steps
from srpcore_transports.local.triggers.configuration import Triggers
from support.users import PASSWORD

from .client import Client, refused, temporary_user

pytestmark = pytest.mark.slow

OTHER = "Other-Passw0rd!"
ADDRESS = {"email": "alice@example.com", "email_verified": "true"}
FLOWS = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_AUTH"]


def unchanged(event: dict[str, Any], _: object) -> dict[str, Any]:
    return event


def confirm_bob(event: dict[str, Any], _: object) -> dict[str, Any]:
    return {**event, "response": {"autoConfirmUser": event["userName"] == "bob"}}


class Between:
    """Lets another request act just before a chosen computation of a request.

    Attributes:
        acted: it has acted.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.acted = True
        self._act: Callable[[], object] = str
        self._left = 0
        compute = steps._compute_and_advance

        def compute_and_advance(*arguments: Any) -> Any:
            if not self.acted:
                self._left -= 1
                if self._left < 0:
                    self.acted = True
                    self._act()
            return compute(*arguments)

        monkeypatch.setattr(steps, "_compute_and_advance", compute_and_advance)

    def begin(self, act: Callable[[], object], computation: int) -> None:
        """Call *act* before the computation with this number, counted from 0."""
        self._act, self._left, self.acted = act, computation, False


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    return Between(monkeypatch)


def set_password(client: Client) -> Callable[[], object]:
    client.user()
    return lambda: client.admin("AdminSetUserPassword", Username="alice", Password=OTHER, Permanent=True)


def resend(client: Client) -> Callable[[], object]:
    temporary_user(client, **ADDRESS)
    return lambda: client.admin(
        "AdminCreateUser", Username="alice", MessageAction="RESEND", DesiredDeliveryMediums=["EMAIL"]
    )


def reset_by_administrator(client: Client) -> Callable[[], object]:
    client.user(**ADDRESS)
    return lambda: client.admin("AdminResetUserPassword", Username="alice")


def forgot(client: Client) -> Callable[[], object]:
    client.user(**ADDRESS)
    return lambda: client.call("ForgotPassword", ClientId=client.client_id, Username="alice")


def confirm_forgot(client: Client) -> Callable[[], object]:
    forgot(client)()
    given = {"ConfirmationCode": client.pool.outbox.messages.pop().code, "Password": OTHER}
    return lambda: client.call("ConfirmForgotPassword", ClientId=client.client_id, Username="alice", **given)


def change(client: Client) -> Callable[[], object]:
    client.user()
    token = client.tokens()["AccessToken"]
    given = {"PreviousPassword": PASSWORD, "ProposedPassword": OTHER}
    return lambda: client.call("ChangePassword", AccessToken=token, **given)


def update(client: Client) -> Callable[[], object]:
    client.user(**ADDRESS)
    token = client.tokens()["AccessToken"]
    address = [{"Name": "email", "Value": "new@example.com"}]
    return lambda: client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=address)


def send_verification(client: Client) -> Callable[[], object]:
    client.user(**ADDRESS)
    token = client.tokens()["AccessToken"]
    return lambda: client.call("GetUserAttributeVerificationCode", AccessToken=token, AttributeName="email")


def resend_confirmation(client: Client) -> Callable[[], object]:
    address = [{"Name": "email", "Value": "alice@example.com"}]
    client.call("SignUp", ClientId=client.client_id, Username="alice", Password=PASSWORD, UserAttributes=address)
    client.pool.outbox.messages.clear()
    return lambda: client.call("ResendConfirmationCode", ClientId=client.client_id, Username="alice")


def log_in_by_code(client: Client) -> Callable[[], object]:
    client.user(**ADDRESS)
    values = {"USERNAME": "alice", "PREFERRED_CHALLENGE": "EMAIL_OTP"}
    return lambda: client.call("InitiateAuth", ClientId=client.client_id, AuthFlow="USER_AUTH", AuthParameters=values)


def new_password(client: Client) -> Callable[[], object]:
    temporary_user(client, **ADDRESS)
    challenge = client.log_in()
    return lambda: client.answer(challenge, NEW_PASSWORD=OTHER)


NOT_FOUND, REFUSED = "UserNotFoundException", "NotAuthorizedException"


def make_client(make: Callable[..., Client], **client_settings: Any) -> Client:
    policies = {
        "PasswordPolicy": {"PasswordHistorySize": 2},
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]},
    }
    settings = {
        "AutoVerifiedAttributes": ["email"],
        "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"},
        "Policies": policies,
    }
    return make(
        pool_settings=settings,
        client_settings={"ExplicitAuthFlows": FLOWS, "PreventUserExistenceErrors": "LEGACY", **client_settings},
        triggers=Triggers(pre_sign_up=confirm_bob, custom_message=unchanged, post_confirmation=unchanged),
    )


def events_of_nobody(client: Client) -> int:
    orphans = "SELECT count(*) FROM auth_event WHERE user NOT IN (SELECT id FROM user)"
    return int(client.run(lambda state: state.work.execute(orphans).fetchone()[0]))


def answers(
    make: Callable[..., Client],
    between: Between,
    prepare: Callable[[Client], Callable[[], object]],
    act: Callable[[Client], object],
    **client_settings: Any,
) -> list[str | None]:
    """Return the answers to a request during whose first, second, ... computation another request does *act*."""
    given = list[str | None]()
    while True:
        client = make_client(make, **client_settings)
        request = prepare(client)
        between.begin(partial(act, client), len(given))
        try:
            request()
            answer = None
        except ServiceError as error:
            answer = error.code
        if not between.acted:
            return given
        given.append(answer)
        assert client.pool.outbox.messages == []
        assert events_of_nobody(client) == 0


def delete(client: Client) -> None:
    client.admin("AdminDeleteUser", Username="alice")


def create_again(client: Client) -> None:
    delete(client)
    temporary_user(client, email="other@example.com")


@pytest.mark.parametrize("act", [delete, create_again])
@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (set_password, [NOT_FOUND] * 2),
        (resend, [NOT_FOUND] * 2),
        (reset_by_administrator, [NOT_FOUND]),
        (forgot, [NOT_FOUND]),
        # The last computation is the trigger PostConfirmation, which runs when the password is set already.
        (confirm_forgot, [NOT_FOUND] * 2 + [None]),
        (change, [NOT_FOUND] * 3),
        (update, [NOT_FOUND]),
        (send_verification, [NOT_FOUND]),
        (resend_confirmation, [NOT_FOUND]),
        (log_in_by_code, [REFUSED]),
        # The login is complete when the key is generated and the tokens are signed. They are revoked, as after it.
        (new_password, [REFUSED, None, None]),
    ],
)
def test_a_request_for_a_user_who_is_deleted_meanwhile_is_refused(
    make: Callable[..., Client],
    between: Between,
    prepare: Callable[[Client], Callable[[], object]],
    expected: list[str | None],
    act: Callable[[Client], object],
) -> None:
    assert answers(make, between, prepare, act) == expected


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (forgot, [None]),
        (confirm_forgot, ["ExpiredCodeException"] * 2 + [None]),
        (resend_confirmation, [None]),
    ],
)
def test_a_client_that_hides_users_hides_that_one_was_deleted_meanwhile(
    make: Callable[..., Client],
    between: Between,
    prepare: Callable[[Client], Callable[[], object]],
    expected: list[str | None],
) -> None:
    assert answers(make, between, prepare, delete, PreventUserExistenceErrors="ENABLED") == expected


def test_an_invitation_does_not_replace_a_password_that_was_set_meanwhile(
    make: Callable[..., Client], between: Between
) -> None:
    def choose_password(client: Client) -> None:
        client.admin("AdminSetUserPassword", Username="alice", Password=OTHER, Permanent=True)

    assert answers(make, between, resend, choose_password) == ["UnsupportedUserStateException"] * 2


def test_an_app_client_that_is_deleted_meanwhile_gets_no_token(make: Callable[..., Client], between: Between) -> None:
    def token(client: Client) -> Callable[[], object]:
        flow = {"ExplicitAuthFlows": ["ALLOW_CLIENT_TOKEN_AUTH"], "GenerateSecret": True}
        made = client.admin("CreateUserPoolClient", ClientName="machine", **flow)["UserPoolClient"]
        identity = {"ClientId": made["ClientId"], "Secret": made["ClientSecret"]}
        return lambda: client.call("GetClientToken", **identity)

    def remove(client: Client) -> None:
        for each in client.admin("ListUserPoolClients")["UserPoolClients"]:
            client.admin("DeleteUserPoolClient", ClientId=each["ClientId"])

    # Before the key is generated, and before the token is signed, which cannot be taken back.
    assert answers(make, between, token, remove) == ["ResourceNotFoundException", None]


@pytest.mark.parametrize("flow", ["USER_SRP_AUTH", "USER_PASSWORD_AUTH"])
def test_a_login_of_an_app_client_that_is_deleted_during_a_trigger_is_refused(
    make: Callable[..., Client], flow: str
) -> None:
    def delete_client(event: dict[str, Any], _: object) -> dict[str, Any]:
        client.admin("DeleteUserPoolClient", ClientId=client.client_id)
        return event

    client = make(triggers=Triggers(post_authentication=delete_client))
    client.user()
    challenge = {"AuthFlow": flow, "AuthParameters": {"USERNAME": "alice", "PASSWORD": PASSWORD}}
    with refused("ResourceNotFoundException", "User pool client .* does not exist"):
        if flow == "USER_SRP_AUTH":
            client.tokens()
        else:
            client.call("InitiateAuth", ClientId=client.client_id, **challenge)


def test_a_user_who_is_deleted_during_the_confirmation_of_the_sign_up_leaves_no_event(
    make: Callable[..., Client], between: Between
) -> None:
    client = make_client(make)
    between.begin(lambda: client.admin("AdminDeleteUser", Username="bob"), 2)
    client.call("SignUp", ClientId=client.client_id, Username="bob", Password=PASSWORD)
    assert between.acted
    assert events_of_nobody(client) == 0
