"""Choice-based login (USER_AUTH): the challenges to choose from, and each of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from srpcore.crypto import cognito
from srpcore.crypto.encoding import to_hex
from srpcore_transports.local import LocalUserPool
from support.clock import Clock
from support.users import OTHER_PASSWORD, PASSWORD

from .boto import KEYS, connected
from .client import Client, Exchange, enrol, refused

pytestmark = pytest.mark.slow

Make = Callable[..., Client]
ALL = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]}}}
ADDRESSES = {
    "email": "alice@example.com",
    "email_verified": "true",
    "phone_number": "+15550001234",
    "phone_number_verified": "true",
}


@pytest.fixture
def client(make: Make) -> Client:
    client = make(pool_settings=ALL)
    client.user(**ADDRESSES)
    return client


def begin(client: Client, username: str = "alice", **values: str) -> dict[str, Any]:
    return client.call(
        "InitiateAuth",
        ClientId=client.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": username, **client.hash(username), **values},
    )


def other(code: str) -> str:
    return "000000" if code != "000000" else "111111"


class TestTheChoice:
    def test_the_available_challenges_are_at_the_top_of_the_reply(self, client: Client) -> None:
        challenge = begin(client)
        assert challenge["ChallengeName"] == "SELECT_CHALLENGE"
        assert challenge["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP"]

    def test_a_pool_allows_only_the_password_by_default(self, make: Make) -> None:
        client = make()
        client.user(**ADDRESSES)
        assert begin(client)["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]
        assert begin(client, PREFERRED_CHALLENGE="EMAIL_OTP")["ChallengeName"] == "SELECT_CHALLENGE"
        with refused("InvalidParameterException", "not available"):
            client.answer(begin(client), ANSWER="EMAIL_OTP")
        assert client.pool.outbox.messages == []

    def test_an_address_that_is_not_verified_gets_no_code(self, make: Make) -> None:
        client = make(pool_settings=ALL)
        client.user(email="alice@example.com", phone_number="+15550001234")
        assert begin(client)["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]

    def test_a_user_with_a_second_factor_begins_with_the_password(self, client: Client) -> None:
        enrol(client)
        challenge = begin(client)
        assert challenge["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]
        following = client.answer(challenge, ANSWER="PASSWORD", PASSWORD=PASSWORD)
        assert following["ChallengeName"] == "SOFTWARE_TOKEN_MFA"

    def test_a_required_second_factor_applies_to_user_auth(self, make: Make) -> None:
        client = make(pool_settings={**ALL, "MfaConfiguration": "ON"})
        client.user()
        assert begin(client)["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]
        assert begin(client, "nobody")["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]

    def test_user_auth_is_refused_if_the_client_does_not_allow_it(self, make: Make) -> None:
        client = make(client_settings={"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]})
        client.user()
        with refused("InvalidParameterException", "USER_AUTH flow not enabled"):
            begin(client)

    @pytest.mark.parametrize("name", ["SOFTWARE_TOKEN", "password", "SELECT_CHALLENGE"])
    def test_an_unknown_challenge_is_refused(self, client: Client, name: str) -> None:
        with refused("InvalidParameterException"):
            begin(client, PREFERRED_CHALLENGE=name)
        with refused("InvalidParameterException"):
            client.answer(begin(client), ANSWER=name)

    def test_an_invalid_answer_can_be_corrected_in_the_session(self, client: Client) -> None:
        challenge = begin(client)
        for answers in ({"ANSWER": "NONSENSE"}, {"ANSWER": "PASSWORD"}, {"ANSWER": "PASSWORD_SRP"}, {}):
            with refused("InvalidParameterException"):
                client.answer(challenge, **answers)
        assert "AuthenticationResult" in client.answer(challenge, ANSWER="PASSWORD", PASSWORD=PASSWORD)

    def test_administrators_can_use_user_auth(self, client: Client) -> None:
        reply = client.admin(
            "AdminInitiateAuth", ClientId=client.client_id, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": "alice"}
        )
        assert reply["ChallengeName"] == "SELECT_CHALLENGE"

    def test_a_secret_hash_is_required(self, make: Make) -> None:
        client = make(client_secret=True)
        client.user()
        with refused("NotAuthorizedException", "SECRET_HASH"):
            begin(client, SECRET_HASH="")
        assert "AuthenticationResult" in client.answer(begin(client), ANSWER="PASSWORD", PASSWORD=PASSWORD)


class TestPassword:
    def test_the_password_can_be_sent_with_the_preference_the_choice_or_the_answer(self, client: Client) -> None:
        assert "AuthenticationResult" in begin(client, PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD)
        assert "AuthenticationResult" in client.answer(begin(client), ANSWER="PASSWORD", PASSWORD=PASSWORD)
        challenge = begin(client, PREFERRED_CHALLENGE="PASSWORD")
        assert challenge["ChallengeName"] == "PASSWORD"
        assert "AuthenticationResult" in client.answer(challenge, PASSWORD=PASSWORD)

    def test_a_wrong_password_is_refused_and_ends_the_session(self, client: Client) -> None:
        with refused("NotAuthorizedException", "Incorrect username or password."):
            begin(client, PREFERRED_CHALLENGE="PASSWORD", PASSWORD=OTHER_PASSWORD)
        challenge = begin(client)
        with refused("NotAuthorizedException", "Incorrect username or password."):
            client.answer(challenge, ANSWER="PASSWORD", PASSWORD=OTHER_PASSWORD)
        with refused("NotAuthorizedException", "Invalid session"):
            client.answer(challenge, ANSWER="PASSWORD", PASSWORD=PASSWORD)


class TestSrp:
    def finish(self, client: Client, reply: dict[str, Any], pair: Any, password: str = PASSWORD) -> dict[str, Any]:
        assert reply["ChallengeName"] == "PASSWORD_VERIFIER"
        exchange = Exchange(client, reply, pair)
        return exchange.respond(exchange.answers(password))

    def test_srp_a_can_be_sent_with_the_preference_the_choice_or_the_answer(self, client: Client) -> None:
        pair = cognito.client_pair()
        A = to_hex(pair.public)
        asked = begin(client, PREFERRED_CHALLENGE="PASSWORD_SRP")
        assert asked["ChallengeName"] == "PASSWORD_SRP"
        for reply in (
            begin(client, PREFERRED_CHALLENGE="PASSWORD_SRP", SRP_A=A),
            client.answer(begin(client), ANSWER="PASSWORD_SRP", SRP_A=A),
            client.answer(asked, SRP_A=A),
        ):
            assert reply["Session"]
            assert "AuthenticationResult" in self.finish(client, reply, pair)

    def test_a_wrong_password_and_a_zero_A_are_refused(self, client: Client) -> None:
        pair = cognito.client_pair()
        reply = client.answer(begin(client), ANSWER="PASSWORD_SRP", SRP_A=to_hex(pair.public))
        with refused("NotAuthorizedException", "Incorrect username or password."):
            self.finish(client, reply, pair, OTHER_PASSWORD)
        with refused("InvalidParameterException", "SRP_A"):
            client.answer(begin(client), ANSWER="PASSWORD_SRP", SRP_A="0")


@pytest.mark.parametrize(
    ("factor", "medium", "shown", "destination"),
    [
        ("EMAIL_OTP", "EMAIL", "a***@e***", "alice@example.com"),
        ("SMS_OTP", "SMS", "+*******1234", "+15550001234"),
    ],
)
class TestCodes:
    def test_only_the_code_that_was_sent_is_accepted(
        self, client: Client, factor: str, medium: str, shown: str, destination: str
    ) -> None:
        challenge = client.answer(begin(client), ANSWER=factor)
        assert challenge["ChallengeName"] == factor
        assert challenge["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"] == medium
        assert challenge["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == shown
        message = client.pool.outbox.latest("alice")
        assert (message.medium, message.destination) == (medium, destination)
        with refused("CodeMismatchException"):
            client.answer(challenge, **{f"{factor}_CODE": other(message.code)})
        assert "AuthenticationResult" in client.answer(challenge, **{f"{factor}_CODE": message.code})
        with refused("NotAuthorizedException", "Invalid session"):
            client.answer(challenge, **{f"{factor}_CODE": message.code})

    def test_a_code_can_be_preferred(
        self, client: Client, factor: str, medium: str, shown: str, destination: str
    ) -> None:
        challenge = begin(client, PREFERRED_CHALLENGE=factor)
        assert challenge["ChallengeName"] == factor
        code = client.pool.outbox.latest("alice").code
        assert "AuthenticationResult" in client.answer(challenge, **{f"{factor}_CODE": code})

    def test_attempts_are_limited_and_codes_expire(
        self, client: Client, factor: str, medium: str, shown: str, destination: str
    ) -> None:
        challenge = begin(client, PREFERRED_CHALLENGE=factor)
        code = client.pool.outbox.latest("alice").code
        for _ in range(5):
            with refused("CodeMismatchException"):
                client.answer(challenge, **{f"{factor}_CODE": other(code)})
        with refused("NotAuthorizedException", "Invalid session"):
            client.answer(challenge, **{f"{factor}_CODE": code})
        challenge = begin(client, PREFERRED_CHALLENGE=factor)
        code = client.pool.outbox.latest("alice").code
        client.clock.now += 180
        with refused("NotAuthorizedException", "expired"):
            client.answer(challenge, **{f"{factor}_CODE": code})

    def test_a_second_factor_set_up_meanwhile_is_asked_for(
        self, client: Client, factor: str, medium: str, shown: str, destination: str
    ) -> None:
        challenge = begin(client, PREFERRED_CHALLENGE=factor)
        code = client.pool.outbox.latest("alice").code
        enrol(client)
        client.clock.now -= 60
        following = client.answer(challenge, **{f"{factor}_CODE": code})
        assert following["ChallengeName"] == "SOFTWARE_TOKEN_MFA"

    def test_an_unknown_user_gets_the_same_challenge_and_every_code_is_wrong(
        self, client: Client, factor: str, medium: str, shown: str, destination: str
    ) -> None:
        assert begin(client, "nobody")["AvailableChallenges"] == begin(client)["AvailableChallenges"]
        challenge = client.answer(begin(client, "nobody"), "nobody", ANSWER=factor)
        real = client.answer(begin(client), ANSWER=factor)
        assert challenge.keys() == real.keys()
        assert challenge["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"] == medium
        again = begin(client, "nobody", PREFERRED_CHALLENGE=factor)
        assert again["ChallengeParameters"] == challenge["ChallengeParameters"]
        assert len(client.pool.outbox.messages) == 1
        with refused("CodeMismatchException"):
            client.answer(challenge, "nobody", **{f"{factor}_CODE": "000000"})

    def test_a_code_is_refused_until_a_reset_password_is_set(
        self, client: Client, factor: str, medium: str, shown: str, destination: str
    ) -> None:
        challenge = begin(client, PREFERRED_CHALLENGE=factor)
        code = client.pool.outbox.latest("alice").code
        client.admin("AdminResetUserPassword", Username="alice")
        with refused("PasswordResetRequiredException"):
            client.answer(challenge, **{f"{factor}_CODE": code})


def test_an_unknown_user_is_an_error_if_the_client_reveals_users(make: Make) -> None:
    client = make(client_settings={"PreventUserExistenceErrors": "LEGACY"})
    with refused("UserNotFoundException"):
        begin(client, "nobody")


def test_the_password_of_an_unknown_user_is_refused_in_every_flow(client: Client) -> None:
    with refused("NotAuthorizedException", "Incorrect username or password."):
        begin(client, "nobody", PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD)
    pair = cognito.client_pair()
    reply = begin(client, "nobody", PREFERRED_CHALLENGE="PASSWORD_SRP", SRP_A=to_hex(pair.public))
    exchange = Exchange(client, reply, pair)
    with refused("NotAuthorizedException", "Incorrect username or password."):
        exchange.respond(exchange.answers(PASSWORD))


@pytest.mark.counterpart
def test_boto3_reads_every_step(clock: Clock) -> None:
    pool = LocalUserPool(clock=clock, credentials=KEYS, pool_settings=ALL)
    client = Client(pool, clock)
    client.user(**ADDRESSES)
    with connected(pool) as boto:
        named = {"ClientId": pool.client_id}
        asked = boto.initiate_auth(
            **named,
            AuthFlow="USER_AUTH",
            AuthParameters={"USERNAME": "alice"},
            UserContextData={"IpAddress": "192.0.2.1", "EncodedData": "x"},
            AnalyticsMetadata={"AnalyticsEndpointId": "y"},
        )
        assert "EMAIL_OTP" in asked["AvailableChallenges"]
        sent = boto.respond_to_auth_challenge(
            **named,
            ChallengeName="SELECT_CHALLENGE",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": "alice", "ANSWER": "EMAIL_OTP"},
            UserContextData={"EncodedData": "x"},
            AnalyticsMetadata={"AnalyticsEndpointId": "y"},
        )
        done = boto.respond_to_auth_challenge(
            **named,
            ChallengeName="EMAIL_OTP",
            Session=sent["Session"],
            ChallengeResponses={"USERNAME": "alice", "EMAIL_OTP_CODE": pool.outbox.latest("alice").code},
        )
        factors = boto.get_user_auth_factors(AccessToken=done["AuthenticationResult"]["AccessToken"])
        assert factors["ConfiguredUserAuthFactors"] == ["PASSWORD", "EMAIL_OTP", "SMS_OTP"]
        assert factors["Username"] == "alice"
        same = boto.admin_get_user_auth_factors(UserPoolId=pool.user_pool_id, Username="alice")
        assert same["ConfiguredUserAuthFactors"] == factors["ConfiguredUserAuthFactors"]
        with pytest.raises(boto.exceptions.UserNotFoundException):
            boto.admin_get_user_auth_factors(UserPoolId=pool.user_pool_id, Username="nobody")


class TestEmailAsSecondFactor:
    def prefer(self, client: Client, **settings: Any) -> None:
        client.admin("AdminSetUserMFAPreference", Username="alice", **settings)

    def test_email_mfa_is_set_by_the_user_and_asked_for(self, client: Client) -> None:
        token = client.tokens()["AccessToken"]
        settings = {"Enabled": True, "PreferredMfa": True}
        client.call("SetUserMFAPreference", AccessToken=token, EmailMfaSettings=settings)
        shown = client.call("GetUser", AccessToken=token)
        assert (shown["PreferredMfaSetting"], shown["UserMFASettingList"]) == ("EMAIL_OTP", ["EMAIL_OTP"])
        challenge = client.log_in()
        assert challenge["ChallengeName"] == "EMAIL_OTP"
        assert challenge["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "a***@e***"
        message = client.pool.outbox.latest("alice")
        assert (message.medium, message.purpose) == ("EMAIL", "mfa")
        with refused("CodeMismatchException"):
            client.answer(challenge, EMAIL_OTP_CODE=other(message.code))
        with refused("InvalidParameterException", "EMAIL_OTP_CODE"):
            client.answer(challenge, SMS_MFA_CODE=message.code)
        assert "AuthenticationResult" in client.answer(challenge, EMAIL_OTP_CODE=message.code)

    def test_the_user_can_choose_among_three_factors(self, client: Client) -> None:
        secret = enrol(client, prefer=False)
        assert secret
        on = {"Enabled": True, "PreferredMfa": False}
        self.prefer(client, EmailMfaSettings=on, SMSMfaSettings=on)
        challenge = client.log_in()
        assert challenge["ChallengeName"] == "SELECT_MFA_TYPE"
        choices = json.loads(challenge["ChallengeParameters"]["MFAS_CAN_CHOOSE"])
        assert choices == ["SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP"]
        for answer in ("EMAIL_OTP", "EMAIL_MFA"):
            chosen = client.answer(client.log_in(), ANSWER=answer)
            assert chosen["ChallengeName"] == "EMAIL_OTP"
            code = client.pool.outbox.latest("alice").code
            assert "AuthenticationResult" in client.answer(chosen, EMAIL_OTP_CODE=code)

    def test_setting_one_factor_does_not_change_the_others(self, client: Client) -> None:
        first, on, off = (
            {"Enabled": enabled, "PreferredMfa": preferred}
            for enabled, preferred in ((True, True), (True, False), (False, False))
        )
        self.prefer(client, EmailMfaSettings=first)
        self.prefer(client, SMSMfaSettings=on)
        shown = client.admin("AdminGetUser", Username="alice")
        assert shown["PreferredMfaSetting"] == "EMAIL_OTP"
        assert shown["UserMFASettingList"] == ["SMS_MFA", "EMAIL_OTP"]
        self.prefer(client, EmailMfaSettings=on)
        assert "PreferredMfaSetting" not in client.admin("AdminGetUser", Username="alice")
        self.prefer(client, EmailMfaSettings=off)
        assert client.admin("AdminGetUser", Username="alice")["UserMFASettingList"] == ["SMS_MFA"]

    def test_email_mfa_needs_an_address_and_only_one_factor_can_be_preferred(self, make: Make, client: Client) -> None:
        first = {"Enabled": True, "PreferredMfa": True}
        with refused("InvalidParameterException", "Only one"):
            self.prefer(client, EmailMfaSettings=first, SMSMfaSettings=first)
        with refused("InvalidParameterException"):
            self.prefer(client, EmailMfaSettings={"Enabled": False, "PreferredMfa": True})
        bare = make()
        bare.user()
        with refused("InvalidParameterException", "EMAIL_OTP"):
            self.prefer(bare, EmailMfaSettings=first)

    def demanding(self, make: Make, **attributes: str) -> Client:
        client = make()
        mail = {"Message": "the code is {####}", "Subject": "code"}
        config = client.admin("SetUserPoolMfaConfig", MfaConfiguration="ON", EmailMfaConfiguration=mail)
        assert config["EmailMfaConfiguration"] == mail
        assert client.admin("GetUserPoolMfaConfig")["MfaConfiguration"] == "ON"
        client.user(**attributes)
        return client

    def test_a_verified_address_counts_as_the_required_factor(self, make: Make) -> None:
        client = self.demanding(make, email="alice@example.com", email_verified="true")
        assert client.log_in()["ChallengeName"] == "EMAIL_OTP"

    def test_an_address_is_set_up_during_login(self, make: Make) -> None:
        client = self.demanding(make)
        challenge = client.log_in()
        assert challenge["ChallengeName"] == "MFA_SETUP"
        assert json.loads(challenge["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"]
        with refused("InvalidParameterException"):
            client.answer(challenge, EMAIL="no address")
        sent = client.answer(challenge, EMAIL="alice@example.com")
        assert sent["ChallengeName"] == "EMAIL_OTP"
        assert "email" not in str(client.admin("AdminGetUser", Username="alice")["UserAttributes"])
        code = client.pool.outbox.latest("alice@example.com").code
        with refused("CodeMismatchException"):
            client.answer(sent, EMAIL_OTP_CODE=other(code))
        assert "AuthenticationResult" in client.answer(sent, EMAIL_OTP_CODE=code)
        shown = client.admin("AdminGetUser", Username="alice")
        assert {"Name": "email_verified", "Value": "true"} in shown["UserAttributes"]
        assert shown["UserMFASettingList"] == ["EMAIL_OTP"]
        assert client.log_in()["ChallengeName"] == "EMAIL_OTP"

    def test_the_address_of_a_user_who_is_disabled_meanwhile_is_not_saved(self, make: Make) -> None:
        client = self.demanding(make)
        sent = client.answer(client.log_in(), EMAIL="alice@example.com")
        client.admin("AdminDisableUser", Username="alice")
        with refused("NotAuthorizedException", "disabled"):
            client.answer(sent, EMAIL_OTP_CODE=client.pool.outbox.latest("alice@example.com").code)
        assert "UserMFASettingList" not in client.admin("AdminGetUser", Username="alice")

    def test_another_address_than_that_of_the_user_is_refused(self, make: Make) -> None:
        client = self.demanding(make, email="alice@example.com")
        challenge = client.log_in()
        with refused("InvalidParameterException", "another"):
            client.answer(challenge, EMAIL="mallory@example.com")
        assert client.pool.outbox.messages == []
        assert client.answer(challenge, EMAIL="alice@example.com")["ChallengeName"] == "EMAIL_OTP"

    def test_the_alias_of_another_user_is_refused(self, make: Make) -> None:
        client = make(pool_settings={"AliasAttributes": ["email"]})
        client.user("bob", email="bob@example.com", email_verified="true")
        mail = {"Message": "the code is {####}", "Subject": "code"}
        client.admin("SetUserPoolMfaConfig", MfaConfiguration="ON", EmailMfaConfiguration=mail)
        client.user()
        sent = client.answer(client.log_in(), EMAIL="bob@example.com")
        code = client.pool.outbox.latest("bob@example.com").code
        with refused("AliasExistsException"):
            client.answer(sent, EMAIL_OTP_CODE=code)
        assert "bob" not in str(client.admin("AdminGetUser", Username="alice"))

    def test_email_mfa_cannot_be_set_up_if_the_pool_sends_no_mail(self, make: Make) -> None:
        client = make(pool_settings={"MfaConfiguration": "ON"})
        client.user()
        with refused("NotAuthorizedException"):
            client.answer(client.log_in(), EMAIL="alice@example.com")


@pytest.fixture
def boto(clock: Clock) -> Iterator[Any]:
    with connected(LocalUserPool(clock=clock, credentials=KEYS)) as client:
        yield client


@pytest.mark.counterpart
def test_boto3_reads_and_sets_the_pool_s_factors(boto: Any) -> None:
    pool_id = boto.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    passkeys = {"RelyingPartyId": "id.example", "UserVerification": "required"}
    token = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
    boto.set_user_pool_mfa_config(UserPoolId=pool_id, MfaConfiguration="ON", WebAuthnConfiguration=passkeys, **token)
    config = boto.get_user_pool_mfa_config(UserPoolId=pool_id)
    assert (config["MfaConfiguration"], config["WebAuthnConfiguration"]) == ("ON", passkeys)
    assert boto.set_user_pool_mfa_config(UserPoolId=pool_id, MfaConfiguration="OFF")["WebAuthnConfiguration"]
    for wrong in ({"UserVerification": "never"}, {"RelyingPartyId": "x" * 128}, {"FactorConfiguration": "x"}):
        with pytest.raises(boto.exceptions.InvalidParameterException):
            boto.set_user_pool_mfa_config(UserPoolId=pool_id, WebAuthnConfiguration=wrong)
    boto.update_user_pool(UserPoolId=pool_id)
    assert boto.get_user_pool_mfa_config(UserPoolId=pool_id)["WebAuthnConfiguration"] == passkeys
    assert "WebAuthnConfiguration" not in boto.describe_user_pool(UserPoolId=pool_id)["UserPool"]
