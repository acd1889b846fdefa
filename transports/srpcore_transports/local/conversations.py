"""Log-ins under way: who is logging in, what may be answered next, and the Session that names the conversation."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from srpcore.crypto.srp import Ephemeral

from .errors import invalid_session, not_authorized
from .records import AppClient, User, UserPool

__all__ = ["Conversation", "Conversations", "Custom", "Exchange"]

_SWEEP_OVER = 256


@dataclass(frozen=True)
class Exchange:
    """The server's half of one SRP exchange: identity, the client's A, the server's pair, the verifier."""

    identity: str
    A: int
    pair: Ephemeral
    verifier: int = field(repr=False)
    secret_block: str = field(repr=False)


@dataclass(frozen=True)
class Custom:
    """How far a custom log-in is: the results so far, the client's A until it is used, what only the triggers know."""

    results: tuple[Mapping[str, Any], ...] = ()
    A: int | None = None
    private: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    challenge_metadata: str | None = None
    password_proved: bool = False
    done: bool = False


@dataclass(frozen=True)
class Conversation:
    """One log-in: ``user`` is None for a name that does not exist; ``challenges`` are what may be answered next."""

    pool: UserPool
    client: AppClient
    user: User | None
    typed: str
    device_key: str | None = None
    challenges: tuple[str, ...] = ()
    exchange: Exchange | None = None
    code: str | None = field(default=None, repr=False)
    new_address: str | None = field(default=None, repr=False)
    first_factor: str | None = None
    passkey_challenge: str | None = field(default=None, repr=False)
    custom: Custom | None = None
    client_metadata: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    second_factor_done: bool = False
    wrong_codes: int = 0
    expires: float = 0.0

    @property
    def names(self) -> set[str]:
        """The names that an answer may give: the canonical one, and the one that was typed."""
        return {self.typed} if self.user is None else {self.typed, self.user.username}


class Conversations:
    """The conversations under way, by Session; one whose Session was not sent is found by what it asked."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_session: dict[str, Conversation] = {}

    def open(self, conversation: Conversation, *challenges: str) -> str:
        """Keep *conversation* for an answer to one of *challenges*, and return its Session."""
        if len(self._by_session) > _SWEEP_OVER:
            self._sweep()
        session = base64.urlsafe_b64encode(secrets.token_bytes(300)).decode("ascii")
        expires = self._clock() + conversation.client.session_seconds
        self._by_session[session] = replace(conversation, challenges=challenges, expires=expires)
        return session

    def _sweep(self) -> None:
        now = self._clock()
        self._by_session = {key: value for key, value in self._by_session.items() if value.expires > now}

    def take(self, session: str) -> Conversation:
        """Return the conversation of *session*, which is spent with that.

        Raises:
            Refusal: there is no such Session, or it has expired.
        """
        conversation = self._by_session.pop(session, None)
        if conversation is None:
            raise invalid_session()
        if conversation.expires <= self._clock():
            raise not_authorized("Invalid session for the user, session is expired.")
        return conversation

    def put_back(self, session: str, conversation: Conversation) -> None:
        """Keep *conversation* under the Session it had: a mistyped code may be tried again."""
        self._by_session[session] = conversation

    def find(self, matches: Callable[[Conversation], bool]) -> str:
        """Return the Session of the newest conversation that *matches*.

        Raises:
            Refusal: there is none.
        """
        for session in reversed(self._by_session):
            if matches(self._by_session[session]):
                return session
        raise invalid_session()

    def forget_user(self, user: User) -> None:
        """Drop the conversations of *user*."""
        self._by_session = {key: value for key, value in self._by_session.items() if value.user is not user}

    def forget_client(self, client: AppClient) -> None:
        """Drop the conversations of *client*."""
        self._by_session = {key: value for key, value in self._by_session.items() if value.client is not client}
