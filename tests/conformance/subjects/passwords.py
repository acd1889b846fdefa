"""Passwords: the policy, changing a password, and recovering from a forgotten one."""

from __future__ import annotations

from typing import Any

from ..probes import UNSURE, answers_to, api, guide, members, probe, refused
from ..stage import NEW_PASSWORD, PASSWORD, Stage, attributes

# The pattern of PasswordType.
MODEL = "https://github.com/boto/botocore/blob/develop/botocore/data/cognito-idp/2016-04-18/service-2.json"
POLICY = guide("managing-users-passwords")
RECOVERY = guide("managing-users-passwords")
FORGOTTEN = "https://github.com/aws-amplify/aws-sdk-ios/issues/4837"
UNVERIFIED = "https://github.com/aws-amplify/amplify-js/issues/11270"
LIMIT = "https://github.com/aws-amplify/aws-sdk-android/issues/627"
EXCEEDED = "LimitExceededException: Attempt limit exceeded, please try after some time."
ADMINISTRATOR = {"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]}


@probe(POLICY)
def policy_names_what_is_missing(s: Stage) -> None:
    for password, reason in (
        ("Short-1", "Password not long enough"),
        ("correct-horse-1", "Password must have uppercase characters"),
        ("CORRECT-HORSE-1", "Password must have lowercase characters"),
        ("Correct-Horse-x", "Password must have numeric characters"),
        ("CorrectHorse1", "Password must have symbol characters"),
    ):
        with refused("InvalidPasswordException", f"^Password did not conform with policy: {reason}$"):
            s.pool.client.call("SignUp", Username=s.name(), Password=password)


@probe(POLICY)
def policy_of_the_pool_counts(s: Stage) -> None:
    rules = {f"Require{kind}": False for kind in ("Uppercase", "Lowercase", "Numbers", "Symbols")}
    pool = s.new_pool(Policies={"PasswordPolicy": {"MinimumLength": 12, **rules}})
    assert pool.create(s.name(), password="aaaaaaaaaaaa")["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    with refused("InvalidPasswordException", "not long enough$"):
        pool.create(s.name(), password="aaaaaaaaaaa")


@probe(POLICY)
def policy_is_checked_wherever_a_password_is_set(s: Stage) -> None:
    user = s.pool.user()
    token = s.pool.client.tokens(user)["AccessToken"]
    calls: list[dict[str, Any]] = [
        {
            "operation": "ChangePassword",
            "AccessToken": token,
            "PreviousPassword": PASSWORD,
            "ProposedPassword": "weak-pw",
        },
        {"operation": "AdminSetUserPassword", "UserPoolId": s.pool.id, "Username": user, "Password": "weak-pw"},
        {"operation": "AdminCreateUser", "UserPoolId": s.pool.id, "Username": s.name(), "TemporaryPassword": "weak-pw"},
    ]
    for parameters in calls:
        with refused("InvalidPasswordException"):
            s.call(**parameters)


@probe(MODEL)
def blanks_at_the_ends_are_refused(s: Stage) -> None:
    for password in (f" {PASSWORD}", f"{PASSWORD} "):
        with refused("InvalidParameterException|InvalidPasswordException"):
            s.pool.client.call("SignUp", Username=s.name(), Password=password)
        with refused("InvalidParameterException|InvalidPasswordException"):
            s.pool.admin("AdminSetUserPassword", Username=s.pool.user(), Password=password, Permanent=True)


@probe(api("PasswordPolicyType"))
def previous_passwords_are_refused(s: Stage) -> None:
    pool = s.new_pool(Policies={"PasswordPolicy": {"MinimumLength": 8, "PasswordHistorySize": 2}})
    user = pool.user()
    token = pool.client.tokens(user)["AccessToken"]

    def change(old: str, new: str) -> None:
        s.call("ChangePassword", AccessToken=token, PreviousPassword=old, ProposedPassword=new)

    with refused("PasswordHistoryPolicyViolationException"):
        change(PASSWORD, PASSWORD)
    change(PASSWORD, NEW_PASSWORD)
    with refused("PasswordHistoryPolicyViolationException"):
        change(NEW_PASSWORD, PASSWORD)
    third, fourth = "Third-Password-3", "Fourth-Password-4"
    change(NEW_PASSWORD, third)
    change(third, fourth)
    change(fourth, PASSWORD)


@probe(api("ChangePassword"))
def change_of_a_password(s: Stage) -> None:
    user = s.pool.user()
    token = s.pool.client.tokens(user)["AccessToken"]
    with refused("NotAuthorizedException", "^Incorrect username or password.$"):
        s.call("ChangePassword", AccessToken=token, PreviousPassword=NEW_PASSWORD, ProposedPassword=NEW_PASSWORD)
    s.call("ChangePassword", AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword=NEW_PASSWORD)
    with refused("NotAuthorizedException"):
        s.pool.client.srp(user, PASSWORD)
    assert "AuthenticationResult" in s.pool.client.srp(user, NEW_PASSWORD)


@probe(FORGOTTEN)
def forgotten_password_of_a_stranger(s: Stage) -> None:
    client = s.pool.new_client(PreventUserExistenceErrors="LEGACY")
    with refused("UserNotFoundException", "^Username/client id combination not found.$"):
        client.call("ForgotPassword", Username=s.name("nobody"))


@probe("https://github.com/massif-press/compcon/issues/2351")
def reset_code_of_a_stranger(s: Stage) -> None:
    client = s.pool.new_client(PreventUserExistenceErrors="LEGACY")
    with refused("UserNotFoundException", "^Username/client id combination not found.$"):
        client.call("ConfirmForgotPassword", Username=s.name("nobody"), ConfirmationCode="1", Password=NEW_PASSWORD)


@probe(UNVERIFIED)
def forgotten_password_without_a_verified_address(s: Stage) -> None:
    client = s.pool.new_client(PreventUserExistenceErrors="LEGACY")
    with refused(
        "InvalidParameterException",
        "^Cannot reset password for the user as there is no registered/verified email or phone_number$",
    ):
        client.call("ForgotPassword", Username=s.pool.user(email=s.email()))


@probe("https://github.com/getmoto/moto/blob/master/moto/cognitoidp/models.py")
def forgotten_temporary_password(s: Stage) -> None:
    name = s.pool.create(s.name(), email=s.email(), email_verified="true")["Username"]
    with refused("NotAuthorizedException", "^User password cannot be reset in the current state.$"):
        s.pool.client.call("ForgotPassword", Username=name)


@probe(RECOVERY, unsuitable_for={"ministack": "its codes for a forgotten password cannot be read"})
def forgotten_password_is_recovered(s: Stage) -> None:
    user = s.pool.user(email=s.email(), email_verified="true")
    reply = s.pool.client.call("ForgotPassword", Username=user)
    members(reply["CodeDeliveryDetails"], AttributeName="email", DeliveryMedium="EMAIL", Destination=str)
    code = s.target.code(user)
    with refused("CodeMismatchException", "^Invalid verification code provided, please try again.$"):
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        s.pool.client.call("ConfirmForgotPassword", Username=user, ConfirmationCode=wrong, Password=NEW_PASSWORD)
    s.pool.client.call("ConfirmForgotPassword", Username=user, ConfirmationCode=code, Password=NEW_PASSWORD)
    assert "AuthenticationResult" in s.pool.client.srp(user, NEW_PASSWORD)
    with refused("ExpiredCodeException", "^Invalid code provided, please request a code again.$"):
        s.pool.client.call("ConfirmForgotPassword", Username=user, ConfirmationCode=code, Password=PASSWORD)


@probe(RECOVERY)
def recovered_account_may_be_told_to_ask_the_administrator(s: Stage) -> None:
    pool = s.new_pool(AccountRecoverySetting=ADMINISTRATOR)
    user = pool.user(email=s.email(), email_verified="true")
    with refused("NotAuthorizedException|InvalidParameterException"):
        pool.client.call("ForgotPassword", Username=user)


@probe(UNSURE, question="what does ForgotPassword answer if AccountRecoverySetting has admin_only?")
def words_of_admin_only(s: Stage) -> None:
    pool = s.new_pool({"PreventUserExistenceErrors": "LEGACY"}, AccountRecoverySetting=ADMINISTRATOR)
    user = pool.user(email=s.email(), email_verified="true")
    with refused("NotAuthorizedException|InvalidParameterException"):
        pool.client.call("ForgotPassword", Username=user)


@probe(api("RecoveryOptionType"))
def recovery_follows_the_priorities(s: Stage) -> None:
    setting = {
        "RecoveryMechanisms": [
            {"Priority": 1, "Name": "verified_email"},
            {"Priority": 2, "Name": "verified_phone_number"},
        ]
    }
    pool = s.new_pool(AccountRecoverySetting=setting)
    verified = {"email_verified": "true", "phone_number_verified": "true"}
    user = pool.user(email=s.email(), phone_number="+15555550100", **verified)
    reply = pool.client.call("ForgotPassword", Username=user)
    members(reply["CodeDeliveryDetails"], AttributeName="email", DeliveryMedium="EMAIL")


@probe(LIMIT, unsuitable_for={"AWS": "would use up the limit of the account"})
def guesses_of_a_reset_code_are_limited(s: Stage) -> None:
    user = s.pool.user(email=s.email(), email_verified="true")
    s.pool.client.call("ForgotPassword", Username=user)
    code = int(s.target.code(user))

    def guess(number: int) -> None:
        given = {"ConfirmationCode": f"{(code + number + 1) % 10**6:06d}", "Password": NEW_PASSWORD}
        s.pool.client.call("ConfirmForgotPassword", Username=user, **given)

    assert answers_to(guess, 20)[-1] == EXCEEDED


@probe(LIMIT, unsuitable_for={"AWS": "would use up the limit of the account"})
def guesses_are_limited_over_several_codes(s: Stage) -> None:
    user = s.pool.user(email=s.email(), email_verified="true")

    def guess(number: int) -> None:
        if number % 3 == 0:
            s.pool.client.call("ForgotPassword", Username=user)
        wrong = f"{(int(s.target.code(user)) + 1 + number % 3) % 10**6:06d}"
        s.pool.client.call("ConfirmForgotPassword", Username=user, ConfirmationCode=wrong, Password=NEW_PASSWORD)

    assert EXCEEDED in answers_to(guess, 45), "forty-five guesses were judged"


@probe(LIMIT, unsuitable_for={"AWS": "would use up the limit of the account"})
def guesses_of_the_previous_password_are_limited(s: Stage) -> None:
    user = s.pool.user()
    token = s.pool.client.tokens(user)["AccessToken"]

    def guess(number: int) -> None:
        passwords = {"PreviousPassword": f"Wrong-Horse-{number}", "ProposedPassword": NEW_PASSWORD}
        s.call("ChangePassword", AccessToken=token, **passwords)

    # Not each one after the fifth: a pool may judge one more after a second, when the first lock-out has ended.
    assert EXCEEDED in answers_to(guess, 20)


@probe(guide("how-to-create-user-accounts"))
def temporary_password_does_not_verify(s: Stage) -> None:
    name = s.pool.create(s.name(), email=s.email())["Username"]
    s.pool.client.answer(s.pool.client.log_in(name), name, NEW_PASSWORD=NEW_PASSWORD)
    assert attributes(s.pool.get(name)).get("email_verified", "false") == "false"
