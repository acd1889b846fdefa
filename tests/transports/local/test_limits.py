"""Passwords and codes cannot be guessed, and the limits do not reveal which users exist."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.request import Request, urlopen

import pytest

from srpcore.crypto import cognito
from srpcore.crypto.totp import totp
from srpcore.exceptions import ServiceError
from srpcore_transports.local.storage import strangers
from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client, enrol, refused

pytestmark = pytest.mark.slow

Make = Callable[..., Client]

EXCEEDED = ("LimitExceededException", "Attempt limit exceeded, please try after some time.")
LOCKED = ("NotAuthorizedException", "User temporarily locked.")
VERIFIED = {"email": "alice@example.com", "email_verified": "true"}
NAMES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "alice", "nobody"),
    ({"UsernameAttributes": ["email"]}, "alice@example.com", "nobody@example.com"),
    ({"AliasAttributes": ["email"]}, "alice@example.com", "nobody@example.com"),
]


def answer_of(call: Callable[[], object]) -> str:
    try:
        call()
    except ServiceError as error:
        return f"{error.code}: {error.message}"
    return "accepted"


def wrong(code: str, step: int = 1) -> str:
    return f"{(int(code) + step) % 10**6:06d}"


def by_password(client: Client, username: str, password: str) -> dict[str, Any]:
    values = {"USERNAME": username, "PASSWORD": password, **client.hash(username)}
    return client.call("InitiateAuth", ClientId=client.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=values)


class TestStrangers:
    @pytest.mark.parametrize("log_in", [by_password, Client.log_in])
    @pytest.mark.parametrize(("settings", "user", "nobody"), NAMES)
    @pytest.mark.parametrize("secret", [False, True])
    def test_a_stranger_is_locked_out_like_a_user(
        self, make: Make, settings: dict[str, Any], user: str, nobody: str, log_in: Callable[..., object], secret: bool
    ) -> None:
        client = make(pool_settings=settings, client_secret=secret)
        client.user(**VERIFIED) if "@" not in user or "AliasAttributes" in settings else client.user(user)
        answers = {}
        for name in (user, nobody):
            answers[name] = [answer_of(lambda: log_in(client, name, "Wrong-Horse-1")) for _ in range(7)]  # noqa: B023
            client.clock.now += 1
            answers[name] += [answer_of(lambda: log_in(client, name, "Wrong-Horse-1")) for _ in range(2)]  # noqa: B023
            client.clock.now += 901
            answers[name] += [answer_of(lambda: log_in(client, name, "Wrong-Horse-1"))]  # noqa: B023
        wrong_password = "NotAuthorizedException: Incorrect username or password."
        locked = "NotAuthorizedException: Password attempts exceeded"
        expected = [wrong_password] * 5 + [locked] * 2 + [wrong_password, locked, wrong_password]
        assert answers == {user: expected, nobody: expected}

    @pytest.mark.parametrize(
        ("settings", "typed", "shown"),
        [
            ({"UsernameConfiguration": {"CaseSensitive": False}}, "Nobody", "nobody"),
            ({"UsernameConfiguration": {"CaseSensitive": True}}, "Nobody", "Nobody"),
            ({"UsernameAttributes": ["email"]}, "nobody@example.com", None),
            # The user name of a pool of addresses, which is a UUID.
            (
                {"UsernameAttributes": ["email"]},
                "0b2f7c3e-6b5a-4b7e-9d0c-3a1f5e2d4c6b",
                "0b2f7c3e-6b5a-4b7e-9d0c-3a1f5e2d4c6b",
            ),
            ({"AliasAttributes": ["email"]}, "nobody@example.com", None),
            ({"AliasAttributes": ["email"]}, "nobody", "nobody"),
        ],
    )
    def test_the_id_of_a_stranger_has_the_form_of_a_user_s(
        self, make: Make, settings: dict[str, Any], typed: str, shown: str | None
    ) -> None:
        client = make(pool_settings=settings)
        ids = {client.begin(typed).parameters["USER_ID_FOR_SRP"] for _ in range(2)}
        assert len(ids) == 1
        (identity,) = ids
        assert identity == shown if shown else len(identity) == 36

    @pytest.mark.parametrize("name", ["alice", "nobody"])
    def test_the_case_of_a_name_does_not_give_more_tries(self, make: Make, name: str) -> None:
        client = make(pool_settings={"UsernameConfiguration": {"CaseSensitive": False}})
        client.user()
        for typed in (name, name.upper(), name.title(), name, name.upper()):
            with refused("NotAuthorizedException", "Incorrect username or password."):
                by_password(client, typed, "Wrong-Horse-1")
        with refused("NotAuthorizedException", "Password attempts exceeded"):
            by_password(client, name.title(), "Wrong-Horse-1")

    def test_reset_codes_of_a_stranger_are_limited_like_those_of_a_user(self, client: Client) -> None:
        client.user(**VERIFIED)
        answers: dict[str, list[str]] = {}
        for name in ("alice", "nobody"):

            def call(operation: str, name: str = name, **parameters: str) -> str:
                named = {"ClientId": client.client_id, "Username": name}
                return answer_of(lambda: client.call(operation, **named, **parameters))

            guess = {"ConfirmationCode": "not-a-code", "Password": OTHER_PASSWORD}
            answers[name] = [call("ConfirmForgotPassword", **guess)]
            for _ in range(4):
                answers[name].append(call("ForgotPassword"))
                answers[name] += [call("ConfirmForgotPassword", **guess) for _ in range(4)]
        assert answers["alice"] == answers["nobody"]
        assert Counter(answer.split(":")[0] for answer in answers["alice"]) == {
            "ExpiredCodeException": 1,
            "accepted": 4,
            "CodeMismatchException": 10,
            "LimitExceededException": 6,
        }

    @pytest.mark.parametrize("operation", ["ForgotPassword", "ResendConfirmationCode"])
    def test_the_masked_address_of_a_stranger_depends_on_the_name_and_the_pool(
        self, make: Make, operation: str
    ) -> None:
        def address(client: Client, name: str) -> str:
            reply = client.call(operation, ClientId=client.client_id, Username=name)
            return str(reply["CodeDeliveryDetails"]["Destination"])

        names = [f"nobody{number}" for number in range(12)]
        insensitive = {"pool_settings": {"UsernameConfiguration": {"CaseSensitive": False}}}
        first, second = make(**insensitive), make(**insensitive)
        shown = [address(first, name) for name in names]
        assert all(re.fullmatch(r"n\*\*\*@[a-z]\*\*\*", each) for each in shown)
        assert len(set(shown)) > 2
        assert [address(first, name.upper()) for name in names] == shown
        assert [address(second, name) for name in names] != shown
        assert address(first, "bob@example.com") == "b***@e***"

    @pytest.mark.parametrize(
        ("mechanisms", "name", "medium"),
        [
            (["verified_email"], "nobody", "EMAIL"),
            (["verified_email"], "+15555550100", "EMAIL"),
            (["verified_phone_number"], "nobody", "SMS"),
            (["verified_phone_number"], "bob@example.com", "SMS"),
            (["verified_phone_number", "verified_email"], "nobody", "EMAIL"),
            (["verified_phone_number", "verified_email"], "+15555550100", "SMS"),
        ],
    )
    def test_a_stranger_gets_a_reset_code_by_a_medium_that_the_pool_uses(
        self, make: Make, mechanisms: list[str], name: str, medium: str
    ) -> None:
        ordered = [{"Name": each, "Priority": number + 1} for number, each in enumerate(mechanisms)]
        client = make(pool_settings={"AccountRecoverySetting": {"RecoveryMechanisms": ordered}})
        sent = client.call("ForgotPassword", ClientId=client.client_id, Username=name)["CodeDeliveryDetails"]
        assert sent["DeliveryMedium"] == medium

    def test_a_user_without_an_address_looks_like_a_stranger_at_the_reset_too(self, client: Client) -> None:
        client.user()
        for name in ("alice", "nobody"):
            named = {"ClientId": client.client_id, "Username": name}
            assert client.call("ForgotPassword", **named)["CodeDeliveryDetails"]
            with refused("CodeMismatchException"):
                client.call("ConfirmForgotPassword", ConfirmationCode="000000", Password=OTHER_PASSWORD, **named)

    def test_a_bounded_number_of_strangers_is_stored(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(strangers, "_MOST", 3)
        for number in range(5):
            with refused("NotAuthorizedException"):
                by_password(client, f"nobody{number}" * 1000, PASSWORD)

        def stored(state: Any) -> int:
            count: int = state.strangers._table.count(state.pool(client.pool_id))
            return count

        assert client.run(stored) == 3

    def test_one_time_codes_of_a_stranger_are_limited_like_those_of_a_user(self, make: Make) -> None:
        factors = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
        client = make(pool_settings={"Policies": factors})
        client.user(**VERIFIED)
        answers: dict[str, list[str]] = {}
        for name in ("alice", "nobody"):
            answers[name] = []
            for _ in range(3):
                challenge = client.call(
                    "InitiateAuth",
                    ClientId=client.client_id,
                    AuthFlow="USER_AUTH",
                    AuthParameters={"USERNAME": name, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
                )
                for _ in range(4):
                    guess = lambda: client.answer(challenge, name, EMAIL_OTP_CODE="not-it")  # noqa: B023, E731
                    answers[name].append(answer_of(guess))
        assert answers["alice"] == answers["nobody"]
        assert [answer.startswith("CodeMismatchException") for answer in answers["alice"]] == [True] * 10 + [False] * 2


class TestCodes:
    def test_codes_of_an_app_are_limited_over_sessions_and_forgiven_after_an_hour(self, client: Client) -> None:
        client.user()
        secret = enrol(client)

        def attempt(code: str) -> dict[str, Any]:
            return client.answer(client.log_in(), SOFTWARE_TOKEN_MFA_CODE=code)

        for _ in range(10):
            with refused("CodeMismatchException"):
                attempt(wrong(totp(secret, client.clock.now)))
        for _ in range(2):
            with refused(*LOCKED):
                attempt(totp(secret, client.clock.now))
        client.clock.now += 3600
        assert "AuthenticationResult" in attempt(totp(secret, client.clock.now))
        # The right code forgives the wrong ones.
        for _ in range(2):
            for _ in range(9):
                with refused("CodeMismatchException"):
                    attempt(wrong(totp(secret, client.clock.now)))
            client.clock.now += 60
            assert "AuthenticationResult" in attempt(totp(secret, client.clock.now))

    def test_codes_that_set_up_an_app_are_limited_over_secrets(self, client: Client) -> None:
        client.user()
        token, secret = client.tokens()["AccessToken"], ""
        for number in range(10):
            if number % 3 == 0:
                secret = client.call("AssociateSoftwareToken", AccessToken=token)["SecretCode"]
            with refused("EnableSoftwareTokenMFAException"):
                code = wrong(totp(secret, client.clock.now), 1 + number)
                client.call("VerifySoftwareToken", AccessToken=token, UserCode=code)
        secret = client.call("AssociateSoftwareToken", AccessToken=token)["SecretCode"]
        with refused(*LOCKED):
            client.call("VerifySoftwareToken", AccessToken=token, UserCode=totp(secret, client.clock.now))
        client.clock.now += 3600
        client.call(
            "VerifySoftwareToken", AccessToken=client.tokens()["AccessToken"], UserCode=totp(secret, client.clock.now)
        )

    @pytest.mark.parametrize("kind", ["sign_up", "reset", "attribute"])
    def test_codes_that_are_sent_are_limited_over_messages(self, client: Client, kind: str) -> None:
        named: dict[str, Any] = {"ClientId": client.client_id, "Username": "alice"}
        if kind == "sign_up":
            email = [{"Name": "email", "Value": "alice@example.com"}]
            client.call("SignUp", Password=PASSWORD, UserAttributes=email, **named)
        else:
            client.user(**VERIFIED)
            token = client.tokens()["AccessToken"]

        def send() -> None:
            if kind == "sign_up":
                client.call("ResendConfirmationCode", **named)
            elif kind == "reset":
                client.call("ForgotPassword", **named)
            else:
                client.call("GetUserAttributeVerificationCode", AccessToken=token, AttributeName="email")

        def enter(code: str) -> None:
            if kind == "sign_up":
                client.call("ConfirmSignUp", ConfirmationCode=code, **named)
            elif kind == "reset":
                client.call("ConfirmForgotPassword", ConfirmationCode=code, Password=OTHER_PASSWORD, **named)
            else:
                client.call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)

        for number in range(10):
            if number % 3 == 0:
                send()
            with refused("CodeMismatchException"):
                enter(wrong(client.pool.outbox.latest("alice").code))
        send()
        with refused(*EXCEEDED):
            enter(client.pool.outbox.latest("alice").code)
        client.clock.now += 3599
        with refused(*EXCEEDED):
            enter(client.pool.outbox.latest("alice").code)
        client.clock.now += 1
        if kind == "attribute":
            token = client.tokens()["AccessToken"]
        send()
        enter(client.pool.outbox.latest("alice").code)

    def test_a_code_of_an_own_address_does_not_forgive_guesses_of_another(self, client: Client) -> None:
        client.user()
        token = client.tokens()["AccessToken"]

        def set_address(address: str) -> str:
            client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=[{"Name": "email", "Value": address}])
            return client.pool.outbox.latest(address).code

        def enter(code: str) -> None:
            client.call("VerifyUserAttribute", AccessToken=token, AttributeName="email", Code=code)

        for number in range(2):
            code = set_address("victim@example.com")
            for _ in range(5):
                with refused("CodeMismatchException"):
                    enter(wrong(code))
            if number == 0:
                enter(set_address("own@example.com"))
        with refused(*EXCEEDED):
            enter(set_address("own@example.com"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_five_of_sixty_parallel_wrong_passwords_are_judged(client: Client, name: str) -> None:
    client.user()
    with client.pool.serve() as server, ThreadPoolExecutor(60) as threads:

        def attempt(number: int) -> str:
            values = {"USERNAME": name, "PASSWORD": f"Wrong-Horse-{number}"}
            body = {"ClientId": client.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": values}
            target = {"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth"}
            headers = {"Content-Type": "application/x-amz-json-1.1", **target}
            request = Request(server.url, json.dumps(body).encode(), headers)
            try:
                urlopen(request, timeout=60).close()
            except OSError as error:
                message: str = json.loads(error.read())["message"]  # type: ignore[attr-defined]
                return message
            return "accepted"

        answers = Counter(threads.map(attempt, range(60)))
    assert answers == {"Incorrect username or password.": 5, "Password attempts exceeded": 55}


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_of_ten_passwords_that_are_computed_at_the_same_time_five_are_judged(
    client: Client, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.user()
    compute, all_begun = cognito.verifier, Barrier(10)

    def compute_together(private_key: int) -> int:
        all_begun.wait(60)
        return compute(private_key)

    def attempt(number: int) -> str:
        values = {"USERNAME": name, "PASSWORD": f"Wrong-Horse-{number}"}
        return answer_of(
            lambda: client.call(
                "InitiateAuth", ClientId=client.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=values
            )
        )

    monkeypatch.setattr(cognito, "verifier", compute_together)
    with ThreadPoolExecutor(10) as threads:
        answers = Counter(threads.map(attempt, range(10)))
    assert answers == {
        "NotAuthorizedException: Incorrect username or password.": 5,
        "NotAuthorizedException: Password attempts exceeded": 5,
    }


@pytest.mark.parametrize("forgive", ["right password", "15 minutes"])
def test_the_count_of_wrong_passwords_starts_again(client: Client, forgive: str) -> None:
    client.user()
    fail = 4 if forgive == "right password" else 5

    def try_wrong(times: int) -> None:
        for _ in range(times):
            with refused("NotAuthorizedException", "Incorrect username or password"):
                client.log_in(password="Wrong-Horse-1")

    try_wrong(fail)
    if forgive == "right password":
        client.tokens()
    else:
        client.clock.now += 900
    try_wrong(4)
    assert client.tokens()


def test_a_password_of_256_characters_is_accepted(client: Client) -> None:
    password = PASSWORD + "x" * (256 - len(PASSWORD))
    client.user(password=password)
    assert client.tokens(password=password)
