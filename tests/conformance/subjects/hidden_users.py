"""App clients with PreventUserExistenceErrors: answers do not reveal whether a user name exists.

The rules are in "Managing user existence error responses" of AWS's developer guide.
"""

from __future__ import annotations

import re
from typing import Any

from ..probes import answers_to, guide, members, probe, refused
from ..stage import NEW_PASSWORD, Stage
from .users import UUID

HIDDEN = guide("cognito-user-pool-managing-errors")


@probe(HIDDEN)
def stranger_with_a_password(s: Stage) -> None:
    with refused("NotAuthorizedException", "^Incorrect username or password.$"):
        s.pool.client.log_in(s.name("nobody"))


@probe(HIDDEN)
def stranger_by_srp(s: Stage) -> None:
    exchange = s.pool.client.begin(s.name("nobody"))
    assert exchange.reply["ChallengeName"] == "PASSWORD_VERIFIER"
    with refused("NotAuthorizedException", "^Incorrect username or password.$"):
        exchange.respond(exchange.answers())


@probe(HIDDEN)
def challenge_has_the_same_members(s: Stage) -> None:
    user = s.pool.client.begin(s.pool.user()).reply
    stranger = s.pool.client.begin(s.name("nobody")).reply
    assert user.keys() == stranger.keys()
    assert user["ChallengeParameters"].keys() == stranger["ChallengeParameters"].keys()
    for name in ("SECRET_BLOCK", "SRP_B"):
        lengths = [len(reply["ChallengeParameters"][name]) for reply in (user, stranger)]
        assert abs(lengths[0] - lengths[1]) <= 4, f"{name} has {lengths} characters"


@probe(HIDDEN)
def challenge_of_a_stranger_stays_the_same(s: Stage) -> None:
    name = s.name("nobody")
    salts = {s.pool.client.begin(name).reply["ChallengeParameters"]["SALT"] for _ in range(2)}
    assert len(salts) == 1


@probe(HIDDEN)
def user_id_in_a_pool_of_addresses(s: Stage) -> None:
    pool, email = s.new_pool(UsernameAttributes=["email"]), s.email()
    pool.user(email)
    for name in (email, s.email("nobody")):
        assert UUID.fullmatch(pool.client.begin(name).reply["ChallengeParameters"]["USER_ID_FOR_SRP"])


@probe(HIDDEN)
def user_id_does_not_depend_on_case(s: Stage) -> None:
    pool = s.new_pool(UsernameConfiguration={"CaseSensitive": False})
    user, stranger = pool.user(s.name("alice")), s.name("nobody")
    shown = [
        pool.client.begin(name.upper()).reply["ChallengeParameters"]["USER_ID_FOR_SRP"] == name
        for name in (user, stranger)
    ]
    assert shown[0] == shown[1], "the case of USER_ID_FOR_SRP reveals whether the user exists"


@probe(HIDDEN)
def lock_out_does_not_reveal_users(s: Stage) -> None:
    names = s.pool.user(), s.name("nobody")
    user, stranger = (answers_to(lambda _: s.pool.client.log_in(name, NEW_PASSWORD), 8) for name in names)  # noqa: B023
    assert user == stranger, f"{user[-1]!r} of a user, {stranger[-1]!r} of a stranger"


def _delivery(reply: dict[str, Any]) -> None:
    members(reply["CodeDeliveryDetails"], Destination=str, DeliveryMedium=re.compile("EMAIL|SMS"), AttributeName=str)


@probe(HIDDEN)
def forgotten_password_of_a_stranger(s: Stage) -> None:
    _delivery(s.pool.client.call("ForgotPassword", Username=s.name("nobody")))


@probe(HIDDEN)
def forgotten_password_without_a_verified_address(s: Stage) -> None:
    _delivery(s.pool.client.call("ForgotPassword", Username=s.pool.user()))


@probe(HIDDEN)
def forgotten_password_of_a_disabled_user(s: Stage) -> None:
    user = s.pool.user(email=s.email(), email_verified="true")
    s.pool.admin("AdminDisableUser", Username=user)
    _delivery(s.pool.client.call("ForgotPassword", Username=user))


@probe(HIDDEN)
def reset_code_of_a_stranger(s: Stage) -> None:
    with refused("CodeMismatchException|ExpiredCodeException"):
        s.pool.client.call(
            "ConfirmForgotPassword", Username=s.name("nobody"), ConfirmationCode="123456", Password=NEW_PASSWORD
        )


@probe(HIDDEN)
def further_code_for_a_stranger(s: Stage) -> None:
    _delivery(s.pool.client.call("ResendConfirmationCode", Username=s.name("nobody")))


@probe(HIDDEN)
def choice_of_a_stranger(s: Stage) -> None:
    reply = s.pool.client.initiate("USER_AUTH", USERNAME=s.name("nobody"))
    assert reply["ChallengeName"] in ("SELECT_CHALLENGE", "PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP")


@probe(HIDDEN)
def sign_up_with_a_taken_alias_is_not_hidden(s: Stage) -> None:
    user = s.pool.user()
    with refused("UsernameExistsException"):
        s.pool.client.call("SignUp", Username=user, Password=NEW_PASSWORD)
