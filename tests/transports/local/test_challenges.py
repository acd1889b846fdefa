"""Challenges after the password: a new password, a second factor."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from srpcore.crypto.totp import totp
from srpcore.exceptions import ServiceError
from srpcore_transports.local.auth import passwords
from srpcore_transports.local.steps import outside
from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client, enrol, refused, temporary_user

Make = Callable[..., Client]


def sms(client: Client, *, prefer: bool = False) -> None:
    client.admin(
        "AdminUpdateUserAttributes",
        Username="alice",
        UserAttributes=[{"Name": "phone_number", "Value": "+15550001234"}],
    )
    settings = {"Enabled": True, "PreferredMfa": prefer}
    client.admin("AdminSetUserMFAPreference", Username="alice", SMSMfaSettings=settings)


class TestNewPassword:
    def test_a_new_password_is_required_and_set(self, client: Client) -> None:
        temporary_user(client, email="alice@example.com")
        challenge = client.log_in()
        assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        parameters = challenge["ChallengeParameters"]
        assert json.loads(parameters["requiredAttributes"]) == []
        assert json.loads(parameters["userAttributes"]) == {"email": "alice@example.com"}
        assert "AuthenticationResult" in client.answer(challenge, NEW_PASSWORD=OTHER_PASSWORD)
        assert client.tokens(password=OTHER_PASSWORD)
        with refused("NotAuthorizedException"):
            client.log_in()

    def test_required_attributes_must_be_given(self, make: Make) -> None:
        client = make(
            pool_settings={
                "Schema": [{"Name": "email", "Required": True}, {"Name": "team", "AttributeDataType": "String"}]
            }
        )
        temporary_user(client)
        challenge = client.log_in()
        assert json.loads(challenge["ChallengeParameters"]["requiredAttributes"]) == ["userAttributes.email"]
        with refused("InvalidParameterException", "email"):
            client.answer(challenge, NEW_PASSWORD=OTHER_PASSWORD)
        given = {"userAttributes.email": "alice@example.com", "userAttributes.custom:team": "blue"}
        tokens = client.answer(challenge, NEW_PASSWORD=OTHER_PASSWORD, **given)["AuthenticationResult"]
        attributes = client.call("GetUser", AccessToken=tokens["AccessToken"])["UserAttributes"]
        assert {"Name": "email", "Value": "alice@example.com"} in attributes
        assert {"Name": "custom:team", "Value": "blue"} in attributes

    def test_a_given_e_mail_address_is_not_replaced(self, client: Client) -> None:
        temporary_user(client, email="alice@example.com")
        changed = {"userAttributes.email": "mallory@example.com"}
        with refused("NotAuthorizedException", "Cannot modify an already provided email"):
            client.answer(client.log_in(), NEW_PASSWORD=OTHER_PASSWORD, **changed)
        with refused("NotAuthorizedException"):
            client.log_in(password=OTHER_PASSWORD)

    @pytest.mark.parametrize("name", ["email_verified", "sub", "unknown"])
    def test_an_attribute_that_the_user_may_not_write_is_refused(self, client: Client, name: str) -> None:
        temporary_user(client)
        with pytest.raises(ServiceError):
            client.answer(client.log_in(), NEW_PASSWORD=OTHER_PASSWORD, **{f"userAttributes.{name}": "true"})

    def test_a_password_against_the_policy_is_refused_and_the_session_stays_valid(self, client: Client) -> None:
        temporary_user(client)
        challenge = client.log_in()
        with refused("InvalidPasswordException"):
            client.answer(challenge, NEW_PASSWORD="short")
        assert "AuthenticationResult" in client.answer(challenge, NEW_PASSWORD=OTHER_PASSWORD)

    def test_the_password_of_a_user_who_is_disabled_meanwhile_is_not_changed(self, client: Client) -> None:
        temporary_user(client)
        challenge = client.log_in()
        client.admin("AdminDisableUser", Username="alice")
        with refused("NotAuthorizedException", "disabled"):
            client.answer(challenge, NEW_PASSWORD=OTHER_PASSWORD)
        assert client.admin("AdminGetUser", Username="alice")["UserStatus"] == "FORCE_CHANGE_PASSWORD"
        client.admin("AdminEnableUser", Username="alice")
        assert client.log_in()["ChallengeName"] == "NEW_PASSWORD_REQUIRED"

    def test_a_session_can_be_used_once(self, client: Client) -> None:
        temporary_user(client)
        challenge = client.log_in()
        client.answer(challenge, NEW_PASSWORD=OTHER_PASSWORD)
        with refused("NotAuthorizedException", "Invalid session for the user."):
            client.answer(challenge, NEW_PASSWORD=PASSWORD)

    def test_made_up_absent_and_expired_sessions_are_refused(self, client: Client) -> None:
        temporary_user(client)
        challenge = client.log_in()
        answers = {"USERNAME": "alice", "NEW_PASSWORD": OTHER_PASSWORD}
        with refused("NotAuthorizedException", "Invalid session for the user."):
            client.respond("NEW_PASSWORD_REQUIRED", "A" * 400, answers)
        with refused("InvalidParameterException", "Session"):
            client.respond("NEW_PASSWORD_REQUIRED", None, answers)
        client.clock.now += 180
        with refused("NotAuthorizedException", "expired"):
            client.respond("NEW_PASSWORD_REQUIRED", challenge["Session"], answers)
        with refused("NotAuthorizedException"):
            client.log_in(password=OTHER_PASSWORD)

    def test_a_session_is_bound_to_its_user_challenge_and_client(self, client: Client) -> None:
        temporary_user(client)
        temporary_user(client, "bob")
        other = client.admin("CreateUserPoolClient", ClientName="other")["UserPoolClient"]["ClientId"]
        answers = {"NEW_PASSWORD": OTHER_PASSWORD, "SOFTWARE_TOKEN_MFA_CODE": "000000"}
        for who, name, user in (
            (client, "NEW_PASSWORD_REQUIRED", "bob"),
            (client, "SOFTWARE_TOKEN_MFA", "alice"),
            (client.use(other), "NEW_PASSWORD_REQUIRED", "alice"),
        ):
            with refused("NotAuthorizedException", "Invalid session for the user."):
                who.respond(name, client.log_in()["Session"], {"USERNAME": user, **answers})

    def test_a_secret_hash_is_required(self, make: Make) -> None:
        client = make(client_secret=True)
        temporary_user(client)
        with refused("NotAuthorizedException", "SECRET_HASH was not received"):
            client.answer(client.log_in(), NEW_PASSWORD=OTHER_PASSWORD, SECRET_HASH="")

    # As documented, 0 is the default of 7 days.
    @pytest.mark.parametrize(("days", "valid"), [(None, 7), (0, 7), (1, 1), (30, 30)])
    def test_a_temporary_password_expires(self, make: Make, days: int | None, valid: int) -> None:
        policies = {} if days is None else {"PasswordPolicy": {"TemporaryPasswordValidityDays": days}}
        client = make(pool_settings={"Policies": policies})
        temporary_user(client)
        client.clock.now += valid * 86400 - 1
        assert client.log_in()["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        client.clock.now += 1
        with refused("NotAuthorizedException", "Temporary password has expired"):
            client.log_in()


class TestSoftwareToken:
    def test_the_right_code_is_accepted_once(self, client: Client) -> None:
        client.user()
        secret = enrol(client)
        challenge = client.log_in()
        assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        code = totp(secret, client.clock.now)
        assert "AuthenticationResult" in client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=code)
        with refused("ExpiredCodeException", "already been used"):
            client.answer(client.log_in(), SOFTWARE_TOKEN_MFA_CODE=code)
        with refused("ExpiredCodeException", "already been used"):
            client.answer(client.log_in(), SOFTWARE_TOKEN_MFA_CODE=totp(secret, client.clock.now - 30))

    def test_a_wrong_code_may_be_tried_again_a_few_times(self, client: Client) -> None:
        client.user()
        secret = enrol(client)
        challenge = client.log_in()
        wrong = totp(secret, client.clock.now + 3600)
        for _ in range(4):
            with refused("CodeMismatchException", "Invalid code received for user"):
                client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=wrong)
        client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=totp(secret, client.clock.now))
        client.clock.now += 60
        challenge = client.log_in()
        for _ in range(5):
            with refused("CodeMismatchException"):
                client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=wrong)
        with refused("NotAuthorizedException", "Invalid session"):
            client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=totp(secret, client.clock.now))

    def test_the_code_of_the_set_up_cannot_be_used_again(self, client: Client) -> None:
        client.user()
        secret = enrol(client)
        client.clock.now -= 60
        with refused("ExpiredCodeException"):
            client.answer(client.log_in(), SOFTWARE_TOKEN_MFA_CODE=totp(secret, client.clock.now))

    def test_a_wrong_code_does_not_complete_the_set_up(self, client: Client) -> None:
        client.user()
        token = client.tokens()["AccessToken"]
        with refused("EnableSoftwareTokenMFAException", "Code mismatch"):
            client.call("VerifySoftwareToken", AccessToken=token, UserCode="000000")
        secret = client.call("AssociateSoftwareToken", AccessToken=token)["SecretCode"]
        with refused("EnableSoftwareTokenMFAException", "Code mismatch"):
            client.call("VerifySoftwareToken", AccessToken=token, UserCode=totp(secret, client.clock.now + 3600))
        with refused("InvalidParameterException", "not verified"):
            client.call("SetUserMFAPreference", AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True})

    def test_the_settings_are_shown(self, client: Client) -> None:
        client.user()
        enrol(client)
        shown = client.admin("AdminGetUser", Username="alice")
        assert shown["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
        assert shown["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
        off = {"Enabled": False, "PreferredMfa": False}
        client.admin("AdminSetUserMFAPreference", Username="alice", SoftwareTokenMfaSettings=off)
        assert "PreferredMfaSetting" not in client.admin("AdminGetUser", Username="alice")
        client.tokens()

    def test_second_factors_cannot_be_set_up_if_the_pool_has_none(self, make: Make) -> None:
        client = make(pool_settings={"MfaConfiguration": "OFF"})
        client.user()
        token = client.tokens()["AccessToken"]
        with refused("SoftwareTokenMFANotFoundException"):
            client.call("AssociateSoftwareToken", AccessToken=token)
        with refused("InvalidParameterException", "User pool does not have MFA enabled"):
            client.call("SetUserMFAPreference", AccessToken=token, SMSMfaSettings={"Enabled": True})

    def test_the_set_up_needs_a_valid_token_or_session(self, client: Client) -> None:
        client.user()
        for given in ({"AccessToken": "a.b.c"}, {"Session": "A" * 30}):
            with refused("NotAuthorizedException"):
                client.call("AssociateSoftwareToken", **given)
            with refused("NotAuthorizedException"):
                client.call("VerifySoftwareToken", UserCode="000000", **given)
        with refused("InvalidParameterException"):
            client.call("AssociateSoftwareToken")

    def test_the_session_of_another_challenge_is_refused_for_the_set_up(self, client: Client) -> None:
        temporary_user(client)
        session = client.log_in()["Session"]
        with refused("NotAuthorizedException", "Invalid session"):
            client.call("AssociateSoftwareToken", Session=session)

    def test_a_preference_needs_a_factor(self, client: Client) -> None:
        client.user()
        with refused("InvalidParameterException"):
            client.admin(
                "AdminSetUserMFAPreference", Username="alice", SMSMfaSettings={"Enabled": True, "PreferredMfa": True}
            )
        enrol(client)
        sms(client)
        both = {"Enabled": True, "PreferredMfa": True}
        with refused("InvalidParameterException"):
            client.admin(
                "AdminSetUserMFAPreference", Username="alice", SMSMfaSettings=both, SoftwareTokenMfaSettings=both
            )
        off = {"Enabled": False, "PreferredMfa": True}
        with refused("InvalidParameterException"):
            client.admin("AdminSetUserMFAPreference", Username="alice", SMSMfaSettings=off)


class TestSms:
    def test_only_the_code_that_was_sent_is_accepted(self, client: Client) -> None:
        client.user()
        sms(client)
        challenge = client.log_in()
        assert challenge["ChallengeName"] == "SMS_MFA"
        assert challenge["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"] == "SMS"
        assert challenge["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "+*******1234"
        message = client.pool.outbox.latest("alice")
        assert (message.destination, message.medium, message.purpose) == ("+15550001234", "SMS", "mfa")
        assert message.code not in repr(message)
        wrong = "000000" if message.code != "000000" else "111111"
        with refused("CodeMismatchException", "Invalid code or auth state for the user."):
            client.answer(challenge, SMS_MFA_CODE=wrong)
        assert "AuthenticationResult" in client.answer(challenge, SMS_MFA_CODE=message.code)

    def test_a_code_is_valid_only_in_its_own_session(self, client: Client) -> None:
        client.user()
        sms(client)
        client.log_in()
        first = client.pool.outbox.latest("alice").code
        second = client.log_in()
        if first == client.pool.outbox.latest("alice").code:  # one time in a million
            return
        with refused("CodeMismatchException"):
            client.answer(second, SMS_MFA_CODE=first)


class TestChoice:
    def test_the_user_chooses_between_two_factors_without_a_preference(self, client: Client) -> None:
        client.user()
        secret = enrol(client, prefer=False)
        sms(client)
        challenge = client.log_in()
        assert challenge["ChallengeName"] == "SELECT_MFA_TYPE"
        assert set(json.loads(challenge["ChallengeParameters"]["MFAS_CAN_CHOOSE"])) == {"SMS_MFA", "SOFTWARE_TOKEN_MFA"}
        chosen = client.answer(challenge, ANSWER="SOFTWARE_TOKEN_MFA")
        assert chosen["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        code = totp(secret, client.clock.now)
        assert "AuthenticationResult" in client.answer(chosen, SOFTWARE_TOKEN_MFA_CODE=code)
        chosen = client.answer(client.log_in(), ANSWER="SMS_MFA")
        assert "AuthenticationResult" in client.answer(chosen, SMS_MFA_CODE=client.pool.outbox.latest("alice").code)
        with refused("InvalidParameterException"):
            client.answer(client.log_in(), ANSWER="EMAIL_OTP")

    def test_the_preferred_factor_is_asked_for(self, client: Client) -> None:
        client.user()
        enrol(client, prefer=True)
        sms(client)
        assert client.log_in()["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        sms(client, prefer=True)
        assert client.log_in()["ChallengeName"] == "SMS_MFA"

    def test_a_required_factor_is_set_up_during_login(self, make: Make) -> None:
        client = make(pool_settings={"MfaConfiguration": "ON"})
        client.user()
        challenge = client.log_in()
        assert challenge["ChallengeName"] == "MFA_SETUP"
        assert json.loads(challenge["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SOFTWARE_TOKEN_MFA"]
        associated = client.call("AssociateSoftwareToken", Session=challenge["Session"])
        code = totp(associated["SecretCode"], client.clock.now)
        with refused("NotAuthorizedException", "Invalid session"):
            client.call("VerifySoftwareToken", Session=challenge["Session"], UserCode=code)
        wrong = totp(associated["SecretCode"], client.clock.now + 3600)
        with refused("EnableSoftwareTokenMFAException"):
            client.call("VerifySoftwareToken", Session=associated["Session"], UserCode=wrong)
        verified = client.call("VerifySoftwareToken", Session=associated["Session"], UserCode=code)
        assert verified["Status"] == "SUCCESS"
        answer: dict[str, Any] = {"USERNAME": "alice"}
        assert "AuthenticationResult" in client.respond("MFA_SETUP", verified["Session"], answer)
        client.clock.now += 60
        assert client.log_in()["ChallengeName"] == "SOFTWARE_TOKEN_MFA"

    def test_a_user_who_is_disabled_meanwhile_cannot_set_up_a_factor(self, make: Make) -> None:
        client = make(pool_settings={"MfaConfiguration": "ON"})
        client.user()
        first = client.log_in()
        associated = client.call("AssociateSoftwareToken", Session=client.log_in()["Session"])
        code = totp(associated["SecretCode"], client.clock.now)
        client.admin("AdminDisableUser", Username="alice")
        with refused("NotAuthorizedException", "disabled"):
            client.call("AssociateSoftwareToken", Session=first["Session"])
        with refused("NotAuthorizedException", "disabled"):
            client.call("VerifySoftwareToken", Session=associated["Session"], UserCode=code)

    def test_a_required_factor_cannot_be_skipped(self, make: Make) -> None:
        client = make(pool_settings={"MfaConfiguration": "ON"})
        client.user()
        with refused("NotAuthorizedException"):
            client.answer(client.log_in())

    def test_a_second_factor_is_asked_for_after_a_new_password(self, client: Client) -> None:
        client.user()
        secret = enrol(client)
        client.admin("AdminSetUserPassword", Username="alice", Password=PASSWORD, Permanent=False)
        following = client.answer(client.log_in(), NEW_PASSWORD=OTHER_PASSWORD)
        assert following["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        code = totp(secret, client.clock.now)
        assert "AuthenticationResult" in client.answer(following, SOFTWARE_TOKEN_MFA_CODE=code)


@pytest.mark.parametrize("when", ["before the answer", "while it is computed"])
def test_a_login_does_not_replace_a_password_that_an_administrator_has_set(
    client: Client, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary_user(client)
    challenge = client.log_in()
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"

    def set_password() -> None:
        client.admin("AdminSetUserPassword", Username="alice", Password="Another-Horse-3", Permanent=True)

    make_verifier = passwords.make_verifier

    def interrupted(pool: Any, username: str, password: str) -> Any:
        verifier = yield from make_verifier(pool, username, password)
        if password == OTHER_PASSWORD:
            yield from outside(set_password)
        return verifier

    if when == "before the answer":
        set_password()
    else:
        monkeypatch.setattr(passwords, "make_verifier", interrupted)
    with refused("NotAuthorizedException", "Invalid session for the user."):
        client.respond(
            "NEW_PASSWORD_REQUIRED", challenge["Session"], {"USERNAME": "alice", "NEW_PASSWORD": OTHER_PASSWORD}
        )
    assert client.tokens(password="Another-Horse-3")["AccessToken"]


@pytest.mark.parametrize("swept", [False, True])
def test_an_expired_session_of_a_deleted_user_is_unknown(client: Client, swept: bool) -> None:
    temporary_user(client)
    client.user("bob")
    challenge = client.log_in()
    client.clock.now += 300
    if swept:
        client.log_in("bob")  # this deletes logins that have expired
    client.admin("AdminDeleteUser", Username="alice")
    with refused("NotAuthorizedException", r"Invalid session for the user\."):
        client.answer(challenge, NEW_PASSWORD=OTHER_PASSWORD)


def test_an_expired_session_is_named_once_also_after_it_was_swept(client: Client) -> None:
    temporary_user(client)
    sessions = [client.log_in()["Session"] for _ in range(2)]
    client.clock.now += 400
    client.log_in()  # this deletes logins that have expired
    for session in sessions:
        answers = {"USERNAME": "alice", "NEW_PASSWORD": OTHER_PASSWORD}
        with refused("NotAuthorizedException", "Invalid session for the user, session is expired."):
            client.respond("NEW_PASSWORD_REQUIRED", session, answers)
        with refused("NotAuthorizedException", r"Invalid session for the user\."):
            client.respond("NEW_PASSWORD_REQUIRED", session, answers)
