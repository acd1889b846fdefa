"""``srpcore login`` in this process, with a challenge of each kind. The answers come from functions instead of a terminal."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import srpcore
from srpcore.cli import main
from srpcore.crypto.totp import totp
from srpcore.protocol import Reply
from support.users import NEW_PASSWORD, PASSWORD
from support.world import World, enrol, error

MFA_ON = {"MfaConfiguration": "ON"}
EMAIL = {"EmailMfaConfiguration": {"Subject": "code"}}


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def make(**settings: Any) -> World:
        worlds.append(World(**settings))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


class Login:
    """Run the command in the world, answering each question with a string or a function. Record the questions."""

    def __init__(
        self, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **arguments: Any
    ) -> None:
        self.world, self.capsys = world, capsys
        self.questions: list[str] = []
        module = importlib.import_module("srpcore.cli.login")
        made = {**world.arguments, **arguments}
        settings = importlib.import_module("srpcore.cli.settings")

        def in_the_world(pool: str, client: str, *_: object, username: str, **__: object) -> srpcore.Cognito:
            return srpcore.Cognito(pool, client, username=username, **made)

        monkeypatch.setattr(settings, "Cognito", in_the_world)
        monkeypatch.setattr(module, "ask", self.ask)
        for asking in (module, importlib.import_module("srpcore.cli.prompt")):
            monkeypatch.setattr(asking, "ask_secret", self.ask)

    def __call__(self, *answers: str | Callable[[], str]) -> tuple[int, str, str]:
        self.answers = list(answers)
        self.questions.clear()
        pool = ("--user-pool-id", self.world.pool.user_pool_id, "--client-id", self.world.pool.client_id)
        status = main(("login", *pool, "--username", "alice"))
        assert not self.answers, f"not asked for: {self.answers}"
        return status, *self.capsys.readouterr()

    def ask(self, question: str) -> str:
        self.questions.append(question)
        answer = self.answers.pop(0)
        return answer if isinstance(answer, str) else answer()

    def code(self) -> str:
        """Return the last code that the pool sent to alice."""
        return self.world.pool.outbox.latest("alice").code

    def shown_code(self) -> str:
        """Return the code of an authenticator app that has the secret which the command printed."""
        secret = self.capsys.readouterr().err.split("authenticator app: ")[1].strip()
        return totp(secret, self.world.clock())


@pytest.fixture
def make_login(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Login]:
    return lambda world, **arguments: Login(world, monkeypatch, capsys, **arguments)


def assert_logged_in(result: tuple[int, str, str]) -> None:
    status, output, _ = result
    assert status == 0, result
    assert json.loads(output)["access_token"]


def test_code_by_email_after_a_new_password(make_world: Callable[..., World], make_login: Callable[..., Login]) -> None:
    world = make_world(pool_settings={**MFA_ON, **EMAIL})
    world.create(permanent=False, email="alice@example.com", email_verified="true")
    login = make_login(world)
    assert_logged_in(login(PASSWORD, NEW_PASSWORD, NEW_PASSWORD, login.code))
    assert login.questions[-1].startswith("Code sent to ")
    assert "@" in login.questions[-1]


def test_blanks_in_a_code_of_digits_are_removed(
    make_world: Callable[..., World], make_login: Callable[..., Login]
) -> None:
    world = make_world(pool_settings={**MFA_ON, **EMAIL})
    world.create(email="alice@example.com", email_verified="true")
    login = make_login(world)
    assert_logged_in(login(PASSWORD, lambda: f" {login.code()[:3]} {login.code()[3:]}"))


def test_empty_code_that_is_not_from_a_terminal_is_an_error(
    make_world: Callable[..., World], make_login: Callable[..., Login]
) -> None:
    world = make_world(pool_settings={**MFA_ON, **EMAIL})
    world.create(email="alice@example.com", email_verified="true")
    status, _, message = make_login(world)(PASSWORD, "")
    assert status == 2
    assert "the challenge needs code: it is missing or empty" in message


def test_choice_of_a_second_factor(make_world: Callable[..., World], make_login: Callable[..., Login]) -> None:
    world = make_world(pool_settings=EMAIL)
    world.create(email="alice@example.com", email_verified="true")
    secret = enrol(world)
    user = world.user()
    with pytest.raises(srpcore.SoftwareTokenMFAChallengeException):
        user.authenticate(PASSWORD)
    user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()))
    user.set_user_mfa_preference(None, True, email_mfa=True)
    login = make_login(world)
    assert_logged_in(login(PASSWORD, "EMAIL_OTP", login.code))
    assert login.questions[1] == "Second factor (SOFTWARE_TOKEN_MFA, EMAIL_OTP): "
    world.clock.ahead += 60
    assert_logged_in(login(PASSWORD, "SOFTWARE_TOKEN_MFA", lambda: totp(secret, world.clock())))
    status, output, message = login(PASSWORD, "SMS_MFA")
    assert (status, output) == (2, "")
    assert "choose one of" in message


def test_set_up_of_an_authenticator_app(make_world: Callable[..., World], make_login: Callable[..., Login]) -> None:
    world = make_world(pool_settings=MFA_ON)
    world.create()
    login = make_login(world)
    assert_logged_in(login(PASSWORD, login.shown_code))
    assert login.questions[1:] == ["Code of the authenticator app: "]


def test_set_up_of_an_email_address(make_world: Callable[..., World], make_login: Callable[..., Login]) -> None:
    world = make_world(pool_settings={**MFA_ON, **EMAIL})
    world.create()
    login = make_login(world)
    assert_logged_in(login(PASSWORD, "EMAIL_OTP", "alice@example.com", login.code))
    assert login.questions[1] == "Second factor to set up (SOFTWARE_TOKEN_MFA, EMAIL_OTP): "


def test_custom_challenge(make_world: Callable[..., World], make_login: Callable[..., Login]) -> None:
    world = make_world()
    world.create()
    challenge = {"ChallengeName": "CUSTOM_CHALLENGE", "Session": "s", "ChallengeParameters": {"question": "1 + 1?"}}
    world.wire.instead = lambda operation: (
        Reply(challenge)
        if operation.parameters.get("ChallengeName") == "PASSWORD_VERIFIER"
        else error("NotAuthorizedException", "Incorrect username or password.")
        if operation.parameters.get("ChallengeName") == "CUSTOM_CHALLENGE"
        else None
    )
    status, _, message = make_login(world)(PASSWORD, "2")
    assert status == 3
    assert message.startswith("question: 1 + 1?\n")
    assert world.wire.operations[-1].parameters["ChallengeResponses"]["ANSWER"] == "2"


@pytest.mark.parametrize(
    ("challenge", "parameters", "way"),
    [
        ("DEVICE_SRP_AUTH", {}, "device=..."),
        ("MFA_SETUP", {"MFAS_CAN_SETUP": '["SMS_MFA"]'}, "phone_number"),
    ],
)
def test_challenge_that_the_command_cannot_answer_names_the_way(
    make_world: Callable[..., World],
    make_login: Callable[..., Login],
    challenge: str,
    parameters: dict[str, str],
    way: str,
) -> None:
    world = make_world()
    world.create()
    reply = Reply({"ChallengeName": challenge, "Session": "the-session", "ChallengeParameters": parameters})
    world.wire.instead = lambda operation: reply if operation.name == "RespondToAuthChallenge" else None
    status, output, message = make_login(world)(PASSWORD)
    assert (status, output) == (2, "")
    assert way in message
    assert "the-session" not in message
