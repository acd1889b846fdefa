"""What every rule of a life does: one request, with the same answer from the pool and from the model.

After each request the status, the attributes, the second factors and the devices that an administrator sees are
compared, and the codes that were sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from .actor import Actor, Outcome
from .model import NAMES
from .model_logins import Pool
from .records import Client, Refused, Session
from .worlds import Stage

__all__ = ["Life", "check_equal"]

LOGINS = ("sign_in", "authenticate", "answer", "set_up_totp")
"""The actions whose outcome is the name of a challenge."""


class Life(RuleBasedStateMachine):
    """A life without rules."""

    led: ClassVar[int] = 0
    """The number of lives that this process has led."""
    outcomes: ClassVar[Counter[str]] = Counter()
    """How often each request had each outcome."""

    stage: Stage
    actor: Actor
    model: Pool

    def __init__(self) -> None:
        super().__init__()
        self.waited = 0
        self.exits = ExitStack()
        self.donors: dict[str, list[Client]] = {name: [] for name in NAMES}
        Life.led += 1

    def teardown(self) -> None:
        """Close the pool. A recorded life is led again on its recording."""
        self.exits.close()

    def same(self, predict: Callable[[], object], action: str, *arguments: Any) -> Outcome:
        """Do *action*, and check that it ends as the model predicts. Return the outcome."""
        try:
            predict()
            expected = None
        except Refused as refused:
            expected = refused.error
        outcome = self.actor.do(action, *arguments)
        name = arguments[0] if action.startswith("admin") else arguments[1] if action == "call" else action
        ended = outcome.error.__qualname__ if outcome.error else outcome.value if action in LOGINS else "done"
        Life.outcomes[f"{name}: {ended}"] += 1
        check_equal(f"the outcome of {name}", outcome.error, expected)
        self.compare_messages()
        for user in NAMES:
            self.compare_account(user)
        return outcome

    def compare_messages(self) -> None:
        """Compare the messages that were sent, and tell the model their codes."""
        messages = self.stage.new_messages()
        sent, self.model.sent = self.model.sent, []
        received = [(message.username, message.purpose) for message in messages]
        check_equal("the messages", received, [(code.username, code.purpose) for code in sent])
        for message, code in zip(messages, sent, strict=True):
            code.value = message.code

    def compare_account(self, name: str) -> None:
        """Compare what an administrator sees of a user."""
        shown, user = self.stage.look_up(name), self.model.users.get(name)
        if user is None:
            check_equal(f"the account of {name}", shown.get("Error", {}).get("Code"), "UserNotFoundException")
            return
        attributes = {one["Name"]: one["Value"] for one in shown["UserAttributes"] if one["Name"] != "sub"}
        seen = (shown["UserStatus"], shown["Enabled"], attributes)
        check_equal(f"the account of {name}", seen, (user.status, user.enabled, user.attributes))
        factors = (set(shown.get("UserMFASettingList", [])), shown.get("PreferredMfaSetting"))
        check_equal(f"the factors of {name}", factors, (user.enabled_mfa, user.preferred_mfa))
        remembered = [device.remembered for device in user.devices if device.confirmed]
        check_equal(f"the devices of {name}", self.stage.confirmed_devices(name), remembered)

    def admin(self, predict: Callable[[], object], method: str, *arguments: Any, **keywords: Any) -> None:
        """Call a method of an administrator."""
        self.same(predict, "admin", method, arguments, keywords)

    def log_in_client(self, client: Client, predict: Callable[[], Session | None], *action: Any) -> None:
        """Do an action of a login, and compare the challenge to which it leads."""
        reached: list[Session | None] = []
        outcome = self.same(lambda: reached.append(predict()), *action)
        session = reached[0] if reached else None
        check_equal("the challenge", outcome.value, None if session is None else session.challenge)
        if session is not None and outcome.step >= 0:
            client.sessions.append((session, outcome.step))
        if outcome.error is None and session is None:
            self.keep(client)

    def keep(self, client: Client) -> None:
        """Keep the present tokens, so that they can be used when they are old."""
        assert client.access is not None
        assert client.refresh is not None
        number = self.actor.do("keep_tokens", client.number).value
        assert isinstance(number, int)
        client.kept.append((client.access, client.refresh, number))

    def new_client(self, name: str, donor: Client | None = None) -> Client:
        """Make a client for *name*, which has the device of *donor*."""
        number = self.actor.do("new_client", name, None if donor is None else donor.number).value
        assert isinstance(number, int)
        return Client(number, name, device=None if donor is None else donor.device)

    def password_of(self, name: str, which: str) -> str:
        """Return the password that the user types."""
        user = self.model.users.get(name)
        if user is None or which == "wrong":
            return "Wrong-Password-9"
        return user.earlier[-1] if which == "earlier" and user.earlier else user.password

    def code_of(self, name: str, purpose: str, which: str) -> str:
        """Return the code that the user types."""
        user = self.model.users.get(name)
        code = None if user is None else user.codes.get(purpose)
        value = "123456" if code is None or code.value is None else code.value
        return value if which == "right" else wrong_code(value)

    def answer_of(self, session: Session, which: str, password: str) -> tuple[str, str]:
        """Return what the user answers, as the model and as the service must get it."""
        if session.challenge == "NEW_PASSWORD_REQUIRED":
            return password, password
        if session.challenge == "SELECT_MFA_TYPE":
            factor = session.choices[0 if which == "right" else -1]
            return factor, factor
        if session.challenge == "MFA_SETUP":
            return self.totp_code(session.user.totp_pending, which)
        if session.challenge == "SOFTWARE_TOKEN_MFA":
            return self.totp_code(session.user.totp, which)
        assert session.code is not None
        assert session.code.value is not None
        code = session.code.value if which == "right" else wrong_code(session.code.value)
        return code, code

    def totp_code(self, secret: str | None, which: str) -> tuple[str, str]:
        """Return whether the code is right, and the code."""
        right = which == "right" and secret is not None
        return "right" if right else "wrong", self.actor.totp_code(secret, right=right)


def check_equal(what: str, got: object, expected: object) -> None:
    """Compare what the pool has with what the model expects. ``assert`` shows no values outside of pytest."""
    if got != expected:
        raise AssertionError(f"{what}: got {got!r}, expected {expected!r}")


def wrong_code(code: str) -> str:
    """Return a code other than *code*."""
    return "654321" if code != "654321" else "123456"
