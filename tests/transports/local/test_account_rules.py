"""Settings of a pool and an app client that rule passwords, recovery, addresses, tokens and the end of a sign-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from srpcore.crypto.totp import totp
from srpcore.tokens import unverified_claims
from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client, begin_device, confirm_device, enrol, refused, temporary_user

Make = Callable[..., Client]

VERIFIED = {"email": "alice@example.com", "email_verified": "true"}
BOTH = {**VERIFIED, "phone_number": "+15550001234", "phone_number_verified": "true"}
THIRD, FOURTH = "Third-Password-3", "Fourth-Password-4"
USED = ("PasswordHistoryPolicyViolationException", "Password has previously been used.")


def pairs(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def stored(client: Client, username: str = "alice") -> dict[str, str]:
    found = client.admin("AdminGetUser", Username=username)["UserAttributes"]
    return {entry["Name"]: entry["Value"] for entry in found}


class TestPasswordHistory:
    """PasswordHistorySize counts the current password: the developer guide allows "up to 23 additional" ones, at most 24."""

    @pytest.fixture
    def client(self, make: Make) -> Client:
        return make(pool_settings={"Policies": {"PasswordPolicy": {"PasswordHistorySize": 2}}})

    def set_password(self, client: Client, password: str, *, permanent: bool = True) -> None:
        client.admin("AdminSetUserPassword", Username="alice", Password=password, Permanent=permanent)

    def test_a_recent_password_is_refused_wherever_one_is_set(self, client: Client) -> None:
        client.user(**VERIFIED)
        self.set_password(client, OTHER_PASSWORD)
        token = client.tokens(password=OTHER_PASSWORD)["AccessToken"]
        named = {"ClientId": client.client_id, "Username": "alice"}
        client.call("ForgotPassword", **named)
        code = client.pool.outbox.latest("alice").code
        for used in (PASSWORD, OTHER_PASSWORD):
            with refused(*USED):
                self.set_password(client, used)
            with refused(*USED):
                client.call("ChangePassword", AccessToken=token, PreviousPassword=OTHER_PASSWORD, ProposedPassword=used)
            with refused(*USED):
                client.call("ConfirmForgotPassword", ConfirmationCode=code, Password=used, **named)
        # The code is still good for another password.
        client.call("ConfirmForgotPassword", ConfirmationCode=code, Password=THIRD, **named)
        self.set_password(client, PASSWORD)
        assert client.tokens()

    def test_a_temporary_password_does_not_count(self, client: Client) -> None:
        client.user()
        self.set_password(client, OTHER_PASSWORD, permanent=False)
        challenge = client.log_in(password=OTHER_PASSWORD)
        with refused(*USED):
            client.answer(challenge, NEW_PASSWORD=PASSWORD)
        # In the same Session, and with the temporary password.
        assert "AuthenticationResult" in client.answer(challenge, NEW_PASSWORD=OTHER_PASSWORD)

    def test_without_the_setting_nothing_is_stored(self, make: Make) -> None:
        client = make()
        client.user()
        for password in (OTHER_PASSWORD, PASSWORD, PASSWORD):
            self.set_password(client, password)

        def count(state: Any) -> int:
            user = state.users.get(state.pool(client.pool_id), "alice")
            return len(user.previous_passwords)

        assert client.run(count) == 0


@pytest.mark.parametrize("password", [f" {PASSWORD}", f"{PASSWORD} ", f"{PASSWORD}\t"])
def test_a_new_password_has_no_blanks_at_its_ends(client: Client, password: str) -> None:
    temporary_user(client)
    challenge = client.log_in()
    with refused("InvalidPasswordException", "begin or end with a space"):
        client.answer(challenge, NEW_PASSWORD=password)
    with refused("InvalidParameterException", "regular expression"):
        client.admin("AdminSetUserPassword", Username="alice", Password=password)
    assert "AuthenticationResult" in client.answer(challenge, NEW_PASSWORD=f"{PASSWORD} {PASSWORD}")


class TestRecovery:
    @pytest.mark.parametrize("first", ["email", "phone_number"])
    def test_a_code_goes_to_the_address_of_the_first_priority(self, make: Make, first: str) -> None:
        second = "phone_number" if first == "email" else "email"
        order = [{"Priority": 2, "Name": f"verified_{second}"}, {"Priority": 1, "Name": f"verified_{first}"}]
        client = make(pool_settings={"AccountRecoverySetting": {"RecoveryMechanisms": order}})
        client.user(**BOTH)
        sent = client.call("ForgotPassword", ClientId=client.client_id, Username="alice")["CodeDeliveryDetails"]
        assert sent["AttributeName"] == first
        client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=pairs(**{f"{first}_verified": ""}))
        sent = client.call("ForgotPassword", ClientId=client.client_id, Username="alice")["CodeDeliveryDetails"]
        assert sent["AttributeName"] == second

    @pytest.mark.parametrize("hidden", ["ENABLED", "LEGACY"])
    def test_admin_only_refuses_users_but_not_administrators(self, make: Make, hidden: str) -> None:
        only = {"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]}
        client = make(
            pool_settings={"AccountRecoverySetting": only}, client_settings={"PreventUserExistenceErrors": hidden}
        )
        client.user(**VERIFIED)
        for name in ("alice", *(("nobody",) if hidden == "ENABLED" else ())):
            with refused("NotAuthorizedException", "Contact administrator to reset password."):
                client.call("ForgotPassword", ClientId=client.client_id, Username=name)
        client.admin("AdminResetUserPassword", Username="alice")
        given = {"ConfirmationCode": client.pool.outbox.latest("alice").code, "Password": OTHER_PASSWORD}
        client.call("ConfirmForgotPassword", ClientId=client.client_id, Username="alice", **given)

    def test_admin_only_excludes_other_mechanisms(self, client: Client) -> None:
        mixed = [{"Priority": 1, "Name": "admin_only"}, {"Priority": 2, "Name": "verified_email"}]
        with refused("InvalidParameterException", "cannot use admin_only setting with any other"):
            client.call("CreateUserPool", PoolName="p", AccountRecoverySetting={"RecoveryMechanisms": mixed})


class TestVerificationBeforeTheUpdate:
    @pytest.fixture
    def client(self, make: Make) -> Client:
        first = {"AttributesRequireVerificationBeforeUpdate": ["email"]}
        client = make(pool_settings={"UserAttributeUpdateSettings": first, "UsernameAttributes": ["email"]})
        client.user("alice@example.com", email_verified="true")
        return client

    def test_the_old_address_stays_until_the_code_is_entered(self, client: Client) -> None:
        token = client.tokens("alice@example.com")["AccessToken"]
        values = pairs(email="new@example.com", name="Alice")
        reply = client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=values)
        assert reply["CodeDeliveryDetailsList"][0]["Destination"] == "n***@e***"
        expected = {"email": "alice@example.com", "email_verified": "true", "name": "Alice"}
        assert expected.items() <= stored(client, "alice@example.com").items()
        client.call("GetUserAttributeVerificationCode", AccessToken=token, AttributeName="email")
        code = client.pool.outbox.latest("new@example.com").code
        assert len(client.pool.outbox.messages) == 2
        client.call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)
        assert {"email": "new@example.com", "email_verified": "true"}.items() <= stored(
            client, "new@example.com"
        ).items()
        with refused("UserNotFoundException"):
            stored(client, "alice@example.com")

    def test_the_new_address_must_be_free_at_both_times(self, client: Client) -> None:
        token = client.tokens("alice@example.com")["AccessToken"]
        new = pairs(email="new@example.com")
        client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=new)
        code = client.pool.outbox.latest("new@example.com").code
        client.user("new@example.com")
        with refused("AliasExistsException"):
            client.call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)
        with refused("AliasExistsException"):
            client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=new)
        assert stored(client, "alice@example.com")["email"] == "alice@example.com"

    def test_an_administrator_changes_the_address_at_once(self, client: Client) -> None:
        token = client.tokens("alice@example.com")["AccessToken"]
        client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs(email="new@example.com"))
        code = client.pool.outbox.latest("new@example.com").code
        values = pairs(email="other@example.com", email_verified="true")
        client.admin("AdminUpdateUserAttributes", Username="alice@example.com", UserAttributes=values)
        assert stored(client, "other@example.com")["email_verified"] == "true"
        # The code that was sent before is void.
        with refused("ExpiredCodeException"):
            client.call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)


class TestRevocation:
    """Source: "Revoking tokens" of the developer guide."""

    def test_tokens_that_cannot_be_revoked_have_no_claims_for_it(self, make: Make) -> None:
        client = make(client_settings={"EnableTokenRevocation": False})
        client.user()
        result = client.tokens()
        refreshed = client.refresh(result["RefreshToken"])["AuthenticationResult"]
        for tokens in (result, refreshed):
            for token in (tokens["AccessToken"], tokens["IdToken"]):
                assert unverified_claims(token).keys().isdisjoint({"origin_jti", "jti"})
            assert client.call("GetUser", AccessToken=tokens["AccessToken"])["Username"] == "alice"
        with refused("UnsupportedOperationException"):
            client.call("RevokeToken", ClientId=client.client_id, Token=result["RefreshToken"])
        client.admin("AdminUserGlobalSignOut", Username="alice")
        with refused("NotAuthorizedException", "revoked"):
            client.call("GetUser", AccessToken=refreshed["AccessToken"])

    def test_a_change_of_the_setting_leaves_older_logins_as_they_are(self, client: Client) -> None:
        client.user()
        result = client.tokens()
        for enabled in (False, True):
            described = client.admin("DescribeUserPoolClient", ClientId=client.client_id)["UserPoolClient"]
            kept = {"ExplicitAuthFlows": described["ExplicitAuthFlows"], "ClientId": client.client_id}
            client.admin("UpdateUserPoolClient", EnableTokenRevocation=enabled, **kept)
            refreshed = client.refresh(result["RefreshToken"])["AuthenticationResult"]
            assert "origin_jti" in unverified_claims(refreshed["AccessToken"])
            assert client.call("GetUser", AccessToken=refreshed["AccessToken"])


class TestSessionOfASignUp:
    """Source: the API reference of ConfirmSignUp, and https://github.com/aws/aws-sdk-js-v3/issues/6724"""

    def sign_up(self, client: Client, username: str = "alice") -> tuple[str, str]:
        named = {"ClientId": client.client_id, "Username": username, "Password": PASSWORD}
        email = f"{username}@example.com"
        session = client.call("SignUp", UserAttributes=pairs(email=email), **named)["Session"]
        return session, client.pool.outbox.latest(email).code

    def confirm(self, client: Client, code: str, username: str = "alice", **parameters: str) -> dict[str, Any]:
        named = {"ClientId": client.client_id, "Username": username, "ConfirmationCode": code}
        return client.call("ConfirmSignUp", **named, **parameters)

    def log_in(self, client: Client, session: str, username: str = "alice") -> dict[str, Any]:
        values = {"USERNAME": username, **client.hash(username)}
        return client.call(
            "InitiateAuth", ClientId=client.client_id, AuthFlow="USER_AUTH", AuthParameters=values, Session=session
        )

    def test_it_logs_in_once_after_the_confirmation(self, client: Client) -> None:
        session, code = self.sign_up(client)
        with refused("NotAuthorizedException"):
            self.log_in(client, session)
        session, _ = self.sign_up(client, "bob")
        with refused("CodeMismatchException"):
            self.confirm(client, "not-it", "bob", Session=session)
        code = client.pool.outbox.latest("bob@example.com").code
        confirmed = self.confirm(client, code, "bob", Session=session)
        assert "AuthenticationResult" in self.log_in(client, confirmed["Session"], "bob")
        with refused("NotAuthorizedException"):
            self.log_in(client, confirmed["Session"], "bob")

    def test_it_belongs_to_one_user(self, client: Client) -> None:
        (session, code), (of_bob, _) = self.sign_up(client), self.sign_up(client, "bob")
        with refused("NotAuthorizedException", "Invalid session"):
            self.confirm(client, code, Session=of_bob)
        confirmed = self.confirm(client, code, Session=session)
        with refused("NotAuthorizedException", "Invalid session"):
            self.log_in(client, confirmed["Session"], "bob")

    def test_an_expired_one_does_not_prevent_the_confirmation(self, client: Client) -> None:
        session, code = self.sign_up(client)
        client.clock.now += 181
        assert self.confirm(client, code, Session=session).keys() == {"ResponseMetadata"}

    def test_the_confirmation_answers_one_to_a_request_without_one(self, client: Client) -> None:
        # Amplify sends none: https://github.com/aws-amplify/amplify-js/issues/14138 (it logs in with the one of the answer)
        _, code = self.sign_up(client)
        with refused("CodeMismatchException"):
            self.confirm(client, "not-it")
        confirmed = self.confirm(client, code)
        assert "AuthenticationResult" in self.log_in(client, confirmed["Session"])

    def test_without_the_flow_there_is_none(self, make: Make) -> None:
        client = make(client_settings={"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]})
        named = {"ClientId": client.client_id, "Username": "alice"}
        email = pairs(email="alice@example.com")
        assert "Session" not in client.call("SignUp", UserAttributes=email, Password=PASSWORD, **named)
        code = client.pool.outbox.latest("alice").code
        assert self.confirm(client, code).keys() == {"ResponseMetadata"}

    def test_a_second_factor_is_still_needed(self, make: Make) -> None:
        client = make(pool_settings={"MfaConfiguration": "ON"})
        session, code = self.sign_up(client)
        confirmed = self.confirm(client, code, Session=session)
        assert self.log_in(client, confirmed["Session"])["ChallengeName"] == "MFA_SETUP"


class TestSessionBeforeTheDeviceChallenge:
    """amazon-cognito-identity-js sends the Session of the challenge before DEVICE_SRP_AUTH again."""

    def test_it_is_accepted_and_another_one_is_not(self, make: Make) -> None:
        client = make(remember_devices=True)
        client.user()
        secret = enrol(client)

        def challenge(**more: str) -> tuple[dict[str, Any], dict[str, Any]]:
            client.clock.now += 30
            first = client.log_in()
            return first, client.answer(first, SOFTWARE_TOKEN_MFA_CODE=totp(secret, client.clock.now), **more)

        _, done = challenge()
        device, _ = confirm_device(client, done["AuthenticationResult"])
        first, following = challenge(DEVICE_KEY=device.key)
        assert following["ChallengeName"] == "DEVICE_SRP_AUTH"
        with refused("NotAuthorizedException", "Invalid session"):
            begin_device(client, following, device, session="x" * 40)
        exchange = begin_device(client, following, device, session=first["Session"])
        answers = exchange.answers(device.password, identity=device.identity)
        assert "AuthenticationResult" in exchange.respond({**answers, "DEVICE_KEY": device.key})
