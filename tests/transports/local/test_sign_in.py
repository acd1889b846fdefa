"""Login by SRP and by password: who gets in, and everything that must not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, cast

import pytest

from srpcore.crypto import cognito
from srpcore.crypto.encoding import to_hex
from srpcore.crypto.secret_hash import secret_hash
from srpcore.exceptions import NotAuthorizedException, ServiceError
from srpcore_transports.local.model.users import User
from srpcore_transports.local.storage.state import State
from support.clock import Clock
from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client, refused

pytestmark = pytest.mark.slow

Make = Callable[..., Client]
WRONG = ("NotAuthorizedException", "Incorrect username or password.")
N = cognito.GROUP.N


def test_the_right_password_gives_tokens(client: Client) -> None:
    client.user()
    reply = client.log_in()
    assert set(reply["AuthenticationResult"]) == {"AccessToken", "IdToken", "RefreshToken", "ExpiresIn", "TokenType"}
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert reply["ResponseMetadata"]["RequestId"]


def test_the_challenge_has_the_form_of_the_service(client: Client) -> None:
    client.user()
    for _ in range(8):
        reply = client.begin().reply
        parameters = reply["ChallengeParameters"]
        assert reply["ChallengeName"] == "PASSWORD_VERIFIER"
        assert parameters["USERNAME"] == parameters["USER_ID_FOR_SRP"] == "alice"
        for name in ("SALT", "SRP_B"):
            assert parameters[name] == f"{int(parameters[name], 16):x}"
        assert len(parameters["SECRET_BLOCK"]) > 1000


@pytest.mark.parametrize("password", [OTHER_PASSWORD, PASSWORD + " ", PASSWORD.lower(), ""])
def test_another_password_is_refused(client: Client, password: str) -> None:
    client.user()
    with refused(*WRONG):
        client.log_in(password=password)


@pytest.mark.parametrize("A", ["0", to_hex(N), to_hex(2 * N), "00", to_hex(N + 1), "", "-1", "0x2", "zz", "2" * 2000])
def test_a_public_value_out_of_range_is_refused(client: Client, A: str) -> None:
    client.user()
    with refused("InvalidParameterException"):
        client.begin(SRP_A=A)


def test_a_public_value_that_is_not_hexadecimal_is_refused_as_by_the_service(client: Client) -> None:
    client.user()
    rule = r"Value 'zz' at 'sRPA' failed to satisfy constraint: .* regular expression pattern: \^\[0-9a-fA-F\]\+\$"
    with refused("InvalidParameterException", rule):
        client.begin(SRP_A="zz")


@pytest.mark.parametrize("shift", [-300, 0, 300])
def test_a_timestamp_near_the_clock_is_accepted(client: Client, shift: int) -> None:
    client.user()
    exchange = client.begin()
    assert "AuthenticationResult" in exchange.respond(exchange.answers(PASSWORD, timestamp=client.timestamp(shift)))


@pytest.mark.parametrize("shift", [-301, 301, 86400])
def test_a_stale_timestamp_is_refused(client: Client, shift: int) -> None:
    client.user()
    exchange = client.begin()
    with refused("NotAuthorizedException"):
        exchange.respond(exchange.answers(PASSWORD, timestamp=client.timestamp(shift)))


def malformed(now: float) -> list[str]:
    time = datetime.fromtimestamp(now, tz=timezone.utc).replace(day=5)
    right = cognito.format_timestamp(time)
    return [
        right.replace(" 5 ", " 005 "),
        right.replace("UTC", "utc"),
        right.replace("UTC", "CEST"),
        right[3:].replace(" ", "Xxx ", 1),
        time.isoformat(),
        right.replace(" 5 ", " 32 "),
        right + " ",
    ]


@pytest.mark.parametrize("index", range(7))
def test_a_malformed_timestamp_is_refused(client: Client, index: int) -> None:
    client.user()
    exchange = client.begin()
    stamp = malformed(client.clock.now)[index]
    with refused("InvalidParameterException", "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."):
        exchange.respond({**exchange.answers(PASSWORD), "TIMESTAMP": stamp})


@pytest.mark.parametrize(
    "change", [str.lower, lambda stamp: stamp.replace("UTC", "GMT"), lambda stamp: f"Xyz{stamp[3:]}"]
)
def test_a_timestamp_in_another_form_is_signed_in_the_canonical_one(
    client: Client, change: Callable[[str], str]
) -> None:
    client.user()
    right = client.timestamp()
    sent = change(right).replace("utc", "UTC").replace("Xyz", "Mon" if right.startswith("Tue") else "Tue")
    for signed, accepted in ((sent, False), (right, True)):
        exchange = client.begin()
        answers = {**exchange.answers(PASSWORD, timestamp=signed), "TIMESTAMP": sent}
        if accepted:
            assert "AuthenticationResult" in exchange.respond(answers)
            continue
        with refused(*WRONG):
            exchange.respond(answers)


def test_the_first_value_that_the_proof_lacks_is_named(client: Client) -> None:
    client.user()
    exchange = client.begin()
    right = exchange.answers(PASSWORD)
    order = ["USERNAME", "TIMESTAMP", "PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK"]
    for index, name in enumerate(order):
        given = {key: value for key, value in right.items() if key not in order[index:]}
        given = given or {"SECRET_HASH": "x"}
        with refused("InvalidParameterException", f"Missing required parameter {name}"):
            exchange.respond(given)
    with refused("InvalidParameterException", "Missing required parameter challenge responses."):
        exchange.respond({})
    with refused("InvalidParameterException", "Invalid PASSWORD_CLAIM_SIGNATURE format. Must be a Base64 string."):
        exchange.respond({**right, "PASSWORD_CLAIM_SIGNATURE": "not!base64!!"})
    assert "AuthenticationResult" in exchange.respond(right)


def test_the_claim_covers_the_timestamp(client: Client) -> None:
    client.user()
    exchange = client.begin()
    with refused(*WRONG):
        exchange.respond({**exchange.answers(PASSWORD), "TIMESTAMP": client.timestamp(1)})


def test_a_secret_block_can_be_used_once(client: Client) -> None:
    client.user()
    exchange = client.begin()
    exchange.respond(exchange.answers(PASSWORD))
    with refused(*WRONG):
        exchange.respond(exchange.answers(PASSWORD))


def test_a_secret_block_cannot_be_used_after_a_wrong_answer(client: Client) -> None:
    client.user()
    exchange = client.begin()
    with refused(*WRONG):
        exchange.respond(exchange.answers(OTHER_PASSWORD))
    with refused(*WRONG):
        exchange.respond(exchange.answers(PASSWORD))


def test_a_secret_block_of_another_exchange_is_refused(client: Client) -> None:
    client.user()
    first, second = client.begin(), client.begin()
    answers = {
        **first.answers(PASSWORD),
        "PASSWORD_CLAIM_SECRET_BLOCK": second.parameters["SECRET_BLOCK"],
    }
    with refused("NotAuthorizedException"):
        first.respond(answers)


def test_a_secret_block_of_another_user_is_refused(client: Client) -> None:
    client.user()
    client.user("bob")
    exchange = client.begin()
    with refused("NotAuthorizedException", "Invalid session"):
        exchange.respond({**exchange.answers(PASSWORD), "USERNAME": "bob"})


def test_a_secret_block_of_another_client_is_refused(client: Client) -> None:
    client.user()
    exchange = client.begin()
    other = client.admin("CreateUserPoolClient", ClientName="other")["UserPoolClient"]["ClientId"]
    with refused("NotAuthorizedException", "Invalid session"):
        client.use(other).respond("PASSWORD_VERIFIER", None, exchange.answers(PASSWORD))


def test_a_made_up_session_is_refused(client: Client) -> None:
    client.user()
    exchange = client.begin()
    with refused("NotAuthorizedException", "Invalid session for the user."):
        exchange.respond(exchange.answers(PASSWORD), session="A" * 200)


def test_an_exchange_expires(client: Client) -> None:
    client.user()
    exchange = client.begin()
    client.clock.now += 180
    with refused("NotAuthorizedException", "session is expired"):
        exchange.respond(exchange.answers(PASSWORD))


def test_a_password_changed_during_the_login_is_refused(client: Client) -> None:
    client.user()
    exchange = client.begin()
    client.admin("AdminSetUserPassword", Username="alice", Password=OTHER_PASSWORD, Permanent=True)
    with refused(*WRONG):
        exchange.respond(exchange.answers(PASSWORD))


def test_five_wrong_passwords_lock_the_user_out_for_a_while(client: Client) -> None:
    client.user()
    for _ in range(5):
        with refused(*WRONG):
            client.log_in(password=OTHER_PASSWORD)
    with refused("NotAuthorizedException", "Password attempts exceeded"):
        client.log_in()
    client.clock.now += 1
    with refused(*WRONG):
        client.log_in(password=OTHER_PASSWORD)
    client.clock.now += 1
    with refused("NotAuthorizedException", "Password attempts exceeded"):
        client.log_in()
    client.clock.now += 1
    client.tokens()
    with refused(*WRONG):
        client.log_in(password=OTHER_PASSWORD)


def test_wrong_passwords_are_forgiven_after_a_quarter_of_an_hour(client: Client) -> None:
    client.user()
    for _ in range(4):
        with refused(*WRONG):
            client.log_in(password=OTHER_PASSWORD)
    client.clock.now += 900
    for _ in range(4):
        with refused(*WRONG):
            client.log_in(password=OTHER_PASSWORD)
    client.tokens()


class TestSecretHash:
    def test_the_right_secret_hash_is_accepted(self, make: Make) -> None:
        client = make(client_secret=True)
        client.user()
        assert client.tokens()["AccessToken"]

    @pytest.mark.parametrize("given", [None, "", "AAAA", "wrong client", "wrong name"])
    def test_a_missing_or_wrong_secret_hash_is_refused_in_the_first_step(self, make: Make, given: str | None) -> None:
        client = make(client_secret=True)
        client.user()
        assert client.secret is not None
        if given == "wrong client":
            given = secret_hash("alice", "x" + client.client_id, client.secret)
        elif given == "wrong name":
            given = secret_hash("bob", client.client_id, client.secret)
        expected = "Unable to verify secret hash for client" if given else "SECRET_HASH was not received"
        with refused("NotAuthorizedException", expected):
            client.begin(SECRET_HASH=given)

    @pytest.mark.parametrize("given", ["", "AAAA"])
    def test_a_missing_or_wrong_secret_hash_is_refused_in_the_answer(self, make: Make, given: str) -> None:
        client = make(client_secret=True)
        client.user()
        exchange = client.begin()
        with refused("NotAuthorizedException", "SECRET_HASH was not received" if not given else "Unable to verify"):
            exchange.respond({**exchange.answers(PASSWORD), "SECRET_HASH": given})

    def test_a_secret_hash_for_a_public_client_is_refused(self, client: Client) -> None:
        client.user()
        with refused("NotAuthorizedException", "not configured for secret"):
            client.begin(SECRET_HASH="AAAA")

    def test_the_secret_hash_is_over_the_typed_name_first_and_the_canonical_one_later(self, make: Make) -> None:
        client = make(client_secret=True, pool_settings={"UsernameAttributes": ["email"]})
        canonical = client.user("alice@example.com")
        exchange = client.begin("alice@example.com")
        assert exchange.parameters["USERNAME"] == exchange.parameters["USER_ID_FOR_SRP"] == canonical
        tokens = exchange.respond(exchange.answers(PASSWORD))["AuthenticationResult"]
        assert client.refresh(tokens["RefreshToken"], canonical)["AuthenticationResult"]["AccessToken"]
        with refused("NotAuthorizedException", "Unable to verify secret hash"):
            client.refresh(tokens["RefreshToken"], "alice@example.com")


class TestNames:
    def test_an_alias_logs_in_once_it_is_verified(self, make: Make) -> None:
        client = make(pool_settings={"AliasAttributes": ["email", "phone_number"]})
        client.user(email="alice@example.com", phone_number="+15550001234")
        with refused(*WRONG):
            client.log_in("alice@example.com")
        verified = [{"Name": f"{name}_verified", "Value": "true"} for name in ("email", "phone_number")]
        client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=verified)
        for alias in ("alice@example.com", "+15550001234", "alice"):
            exchange = client.begin(alias)
            assert exchange.parameters["USER_ID_FOR_SRP"] == "alice"
            assert "AuthenticationResult" in exchange.respond(exchange.answers(PASSWORD))

    def test_an_answer_may_give_the_name_that_was_typed(self, make: Make) -> None:
        client = make(pool_settings={"UsernameAttributes": ["email"]}, client_secret=True)
        client.user("alice@example.com")
        exchange = client.begin("alice@example.com")
        typed = {"USERNAME": "alice@example.com", **client.hash("alice@example.com")}
        assert "AuthenticationResult" in exchange.respond({**exchange.answers(PASSWORD), **typed})

    def test_usernames_are_case_sensitive_unless_the_pool_says_otherwise(self, make: Make) -> None:
        strict, lenient = make(), make(pool_settings={"UsernameConfiguration": {"CaseSensitive": False}})
        strict.user("Alice")
        with refused(*WRONG):
            strict.log_in("alice")
        lenient.user("Alice")
        assert lenient.begin("aLICE").parameters["USER_ID_FOR_SRP"] == "Alice"
        assert lenient.tokens("aLICE")["AccessToken"]

    @pytest.mark.parametrize("settings", [{}, {"UsernameAttributes": ["email"]}])
    def test_an_unknown_name_gets_a_stable_challenge_and_the_error_of_a_wrong_password(
        self, make: Make, settings: dict[str, object]
    ) -> None:
        client = make(pool_settings=settings)
        first, second = client.begin("nobody@example.com"), client.begin("nobody@example.com")
        for name in ("SALT", "USER_ID_FOR_SRP", "USERNAME"):
            assert first.parameters[name] == second.parameters[name]
        assert first.parameters["SRP_B"] != second.parameters["SRP_B"]
        assert client.begin("other@example.com").parameters["SALT"] != first.parameters["SALT"]
        assert (first.parameters["USERNAME"] == "nobody@example.com") is (not settings)
        with refused(*WRONG):
            first.respond({**first.answers(PASSWORD), "USERNAME": "nobody@example.com"})

    def test_an_unknown_name_is_an_error_if_the_client_reveals_users(self, make: Make) -> None:
        client = make(client_settings={"PreventUserExistenceErrors": "LEGACY"})
        with refused("UserNotFoundException", "User does not exist."):
            client.begin("nobody")

    def test_a_lone_surrogate_is_refused(self, client: Client) -> None:
        body = b'{"ClientId": "x", "Username": "\\ud800", "Password": "x"}'
        from srpcore_transports.local.operations import dispatch

        response = dispatch.answer(client.pool._service, "SignUp", body)
        assert response.status == 400
        assert b"SerializationException" in response.body


class TestPasswordFlows:
    def initiate(self, client: Client, flow: str, password: str, username: str = "alice") -> dict[str, object]:
        parameters = {"USERNAME": username, "PASSWORD": password, **client.hash(username)}
        if flow.startswith("ADMIN"):
            return client.admin(
                "AdminInitiateAuth", ClientId=client.client_id, AuthFlow=flow, AuthParameters=parameters
            )
        return client.call("InitiateAuth", ClientId=client.client_id, AuthFlow=flow, AuthParameters=parameters)

    @pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])
    def test_only_the_right_password_is_accepted(self, client: Client, flow: str) -> None:
        client.user()
        assert "AuthenticationResult" in self.initiate(client, flow, PASSWORD)
        for username, password in (("alice", OTHER_PASSWORD), ("nobody", PASSWORD)):
            with refused(*WRONG):
                self.initiate(client, flow, password, username)

    def test_the_admin_flow_is_refused_for_users(self, client: Client) -> None:
        client.user()
        with refused("InvalidParameterException", "Initiate Auth method not supported."):
            client.call(
                "InitiateAuth",
                ClientId=client.client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
            )

    @pytest.mark.parametrize("flow", ["USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])
    def test_a_flow_that_is_off_is_refused(self, make: Make, flow: str) -> None:
        client = make(client_settings={"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]})
        client.user()
        with refused("InvalidParameterException", "not enabled"):
            self.initiate(client, flow, PASSWORD)
        tokens = client.tokens()
        with refused("InvalidParameterException", "not enabled"):
            client.refresh(tokens["RefreshToken"])

    def test_srp_can_be_disabled(self, make: Make) -> None:
        client = make(client_settings={"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]})
        client.user()
        with refused("InvalidParameterException", "USER_SRP_AUTH is not enabled for the client."):
            client.begin()
        with refused("InvalidParameterException", "Auth flow not enabled for this client"):
            self.initiate(client, "ADMIN_USER_PASSWORD_AUTH", PASSWORD)

    def test_older_names_of_flows_are_accepted(self, make: Make) -> None:
        client = make(client_settings={"ExplicitAuthFlows": ["ADMIN_NO_SRP_AUTH"]})
        client.user()
        assert self.initiate(client, "ADMIN_NO_SRP_AUTH", PASSWORD)
        client.refresh(client.tokens()["RefreshToken"])
        custom = make(client_settings={"ExplicitAuthFlows": ["CUSTOM_AUTH_FLOW_ONLY"]})
        custom.user()
        with refused("InvalidParameterException", "not enabled"):
            custom.begin()


class TestUserState:
    def test_the_error_for_a_disabled_user_needs_the_right_password(self, client: Client) -> None:
        client.user()
        client.admin("AdminDisableUser", Username="alice")
        with refused("NotAuthorizedException", "User is disabled."):
            client.log_in()
        with refused(*WRONG):
            client.log_in(password=OTHER_PASSWORD)
        client.admin("AdminEnableUser", Username="alice")
        client.tokens()

    def test_srp_does_not_begin_for_a_user_who_cannot_log_in(self, make: Make) -> None:
        client = make(client_settings={"PreventUserExistenceErrors": "LEGACY"})
        client.call("SignUp", ClientId=client.client_id, Username="alice", Password=PASSWORD)
        with refused("UserNotConfirmedException", "User is not confirmed."):
            client.begin()
        client.admin("AdminDisableUser", Username="alice")
        with refused("NotAuthorizedException", "User is disabled."):
            client.begin()

    def test_a_user_who_is_disabled_before_the_confirmation_is_refused_as_disabled(self, client: Client) -> None:
        client.call("SignUp", ClientId=client.client_id, Username="alice", Password=PASSWORD)
        client.admin("AdminDisableUser", Username="alice")
        parameters = {"USERNAME": "alice", "PASSWORD": PASSWORD}
        with refused("NotAuthorizedException", "User is disabled."):
            client.call(
                "InitiateAuth", ClientId=client.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
            )

    def test_srp_begins_for_any_user_if_the_client_hides_who_exists(self, make: Make) -> None:
        client = make(client_settings={"PreventUserExistenceErrors": "ENABLED"})
        client.call("SignUp", ClientId=client.client_id, Username="alice", Password=PASSWORD)
        client.admin("AdminDisableUser", Username="alice")
        assert client.begin().reply["ChallengeName"] == "PASSWORD_VERIFIER"

    @pytest.mark.parametrize("password", [PASSWORD, OTHER_PASSWORD], ids=["right", "wrong"])
    def test_an_unconfirmed_user_is_refused_with_any_password(self, client: Client, password: str) -> None:
        client.call("SignUp", ClientId=client.client_id, Username="alice", Password=PASSWORD)
        with refused("UserNotConfirmedException", "User is not confirmed."):
            client.log_in(password=password)
        parameters = {"USERNAME": "alice", "PASSWORD": password}
        with refused("UserNotConfirmedException", "User is not confirmed."):
            client.call(
                "InitiateAuth", ClientId=client.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
            )

    def test_a_user_deleted_during_the_login_is_refused(self, client: Client) -> None:
        client.user()
        exchange = client.begin()
        client.admin("AdminDeleteUser", Username="alice")
        with refused("NotAuthorizedException"):
            exchange.respond(exchange.answers(PASSWORD))


class TestParameters:
    def test_a_missing_parameter_is_named(self, client: Client) -> None:
        for missing in ("USERNAME", "SRP_A"):
            with refused("InvalidParameterException", f"Missing required parameter {missing}"):
                client.begin(**cast(dict[str, Any], {missing: None}))
        for missing in ("ClientId", "AuthFlow"):
            values = {"ClientId": client.client_id, "AuthFlow": "USER_SRP_AUTH"}
            del values[missing]
            with refused("InvalidParameterException", f"{missing[0].lower() + missing[1:]}.*must not be null"):
                client.call("InitiateAuth", **values)

    def test_a_missing_answer_is_named(self, client: Client) -> None:
        client.user()
        exchange = client.begin()
        answers = exchange.answers(PASSWORD)
        for missing in answers:
            with refused("InvalidParameterException", f"Missing required parameter {missing}"):
                exchange.respond({name: value for name, value in answers.items() if name != missing})
        # None of these was an answer: the exchange goes on.
        exchange.respond(answers)

    def test_a_wrong_type_is_refused(self, client: Client) -> None:
        with refused("SerializationException"):
            client.call("InitiateAuth", ClientId=7, AuthFlow="USER_SRP_AUTH")
        with refused("SerializationException"):
            client.call("InitiateAuth", ClientId=client.client_id, AuthFlow="USER_SRP_AUTH", AuthParameters=[])
        with refused("SerializationException"):
            client.begin(USERNAME=["alice"])
        for attributes in (["email"], "email", [{"Name": 7}]):
            with refused("SerializationException"):
                client.admin("AdminCreateUser", Username="alice", UserAttributes=attributes)
        with refused("SerializationException"):
            client.admin("ListUsers", AttributesToGet=[7])
        with refused("SerializationException"):
            client.admin("ListUsers", Limit=True)
        for username in ("", "a" * 200_000):
            with refused("InvalidParameterException"):
                client.admin("AdminGetUser", Username=username)

    def test_an_unknown_client_operation_or_challenge_is_refused(self, client: Client) -> None:
        with refused("ResourceNotFoundException", "User pool client nope does not exist."):
            client.use("nope").begin()
        with refused("UnknownOperationException"):
            client.call("MakeCoffee")
        with refused("InvalidParameterException", "'challengeName' failed to satisfy constraint"):
            client.respond("NONE", None, {"USERNAME": "alice"})

    def test_a_client_of_another_pool_is_refused(self, client: Client) -> None:
        pool = client.call("CreateUserPool", PoolName="other")["UserPool"]["Id"]
        with refused("ResourceNotFoundException"):
            client.call(
                "AdminInitiateAuth",
                UserPoolId=pool,
                ClientId=client.client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
            )


def test_expired_exchanges_are_dropped(client: Client) -> None:
    client.user()
    for _ in range(300):
        client.clock.now += 1
        client.begin()
    database = client.pool._service.database.connection
    assert database.execute("SELECT count(*) FROM login").fetchone()[0] <= 190


def test_the_administrator_answers_challenges_too(client: Client) -> None:
    client.user()
    client.admin("AdminSetUserPassword", Username="alice", Password=PASSWORD)
    challenge = client.admin(
        "AdminInitiateAuth",
        ClientId=client.client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
    )
    answer = {
        "ClientId": client.client_id,
        "ChallengeName": challenge["ChallengeName"],
        "Session": challenge["Session"],
        "ChallengeResponses": {"USERNAME": "alice", "NEW_PASSWORD": OTHER_PASSWORD},
    }
    with refused("InvalidParameterException", "userPoolId"):
        client.call("AdminRespondToAuthChallenge", **answer)
    assert "AuthenticationResult" in client.admin("AdminRespondToAuthChallenge", **answer)


def test_a_repr_does_not_show_secrets(make: Make) -> None:
    client = make(client_secret=True)
    client.user(email="alice@example.com")
    exchange, service = client.begin(), client.pool._service

    def records(state: State) -> tuple[list[object], User]:
        pool = state.pool(client.pool_id)
        auth_session = state.auth_sessions.take_by_secret_block(exchange.parameters["SECRET_BLOCK"])
        assert auth_session.user is not None
        state.auth_sessions.put_back(None, auth_session)
        shown = [pool, auth_session, state.client(client.client_id), auth_session.user, state.grants, state]
        return shown, auth_session.user

    stored, user = State(service).run(records)
    assert user.password is not None
    tokens = exchange.respond(exchange.answers(PASSWORD))["AuthenticationResult"]
    shown = repr([client.pool, service, stored, client.pool.outbox])
    secrets = [
        client.secret,
        PASSWORD,
        tokens["RefreshToken"],
        tokens["AccessToken"],
        repr(user.password.value_bytes),
    ]
    assert not [secret for secret in secrets if secret and secret in shown]


def test_the_clock_of_the_pool_is_used(clock: Clock, make: Make) -> None:
    clock.now = 1_000_000_000.0
    client = make()
    client.user()
    assert client.tokens()
    user = client.admin("AdminGetUser", Username="alice")
    assert user["UserCreateDate"] == datetime.fromtimestamp(1_000_000_000, tz=timezone.utc)


def test_refusals_are_typed(client: Client) -> None:
    client.user()
    with pytest.raises(NotAuthorizedException) as caught:
        client.log_in(password=OTHER_PASSWORD)
    error: ServiceError = caught.value
    assert error.status == 400
    assert error.request_id
