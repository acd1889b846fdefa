"""Whose tokens an object holds, and whose login is under way: immutable values and the moves between them.

Theory of operation::

    ┌───────────┐    begin()     ┌───────────┐   obtained()   ┌──────────┐
    │ LoggedOut │ ─────────────► │ LoggingIn │ ─────────────► │ LoggedIn │ ──┐ obtained():
    └───────────┘                └───────────┘                └──────────┘ ◄─┘ a refresh
          ▲   ▲    settled():      │  ▲   │  ▲                  │  ▲   │
          │   └─── it failed ──────┘  │   │  └── begin():       │  │   │
          │                           └───┘      another login ─┘  │   │
          │                      answering(): a challenge          │   │
          │                               └──── settled(): it failed   │
          └──────────── forgotten(): log-out, revocation, refusal ─────┘

A login may need several requests, between which the program asks the user for a code; it may fail, or be given up. The
tokens of the user who was logged in before stay valid until those of the new login arrive. So :class:`LoggingIn`
carries the state ``before`` it, to which a failed login returns, and everything that concerns the present tokens
(refresh, storage) goes by :func:`settled`.

The tokens themselves are attributes of the object, which programs written for pycognito read and set.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

__all__ = [
    "Account",
    "AdminChallenge",
    "LoggedIn",
    "LoggedOut",
    "LoggingIn",
    "LoginState",
    "answering",
    "begin",
    "challenged",
    "forgotten",
    "named",
    "obtained",
    "settled",
]


class Account(NamedTuple):
    """What is known of a user besides the tokens."""

    key: str | None = None
    """The key of the login in the store. It is fixed when the tokens are obtained; ``username`` may change later."""

    username: str | None = None
    """The canonical username: the service's own name for the user, which SECRET_HASH is computed over."""

    refresh_way: str | None = None
    """The operation that refreshed the tokens last time, if that is known."""


class LoggedOut(NamedTuple):
    """There are no tokens from a login of this object."""

    account: Account = Account()


class LoggedIn(NamedTuple):
    """The object holds tokens of *account*."""

    account: Account


class AdminChallenge:
    """A challenge to a login by an administrator: only the administrator's operation can answer its Session."""

    __slots__ = ("reply",)

    def __init__(self, reply: dict[str, Any]) -> None:
        self.reply = reply

    def __repr__(self) -> str:
        return f"<AdminChallenge {self.reply.get('ChallengeName')}>"  # the Session is a secret

    @property
    def session(self) -> str | None:
        """The Session of the challenge."""
        return self.reply.get("Session")


class LoggingIn(NamedTuple):
    """A login of *account* is under way."""

    account: Account
    before: LoggedOut | LoggedIn
    admin: AdminChallenge | None = None


LoginState: TypeAlias = LoggedOut | LoggingIn | LoggedIn


def settled(state: LoginState) -> LoggedOut | LoggedIn:
    """Return the state of the present tokens: a login under way does not count until its own tokens arrive."""
    return state.before if isinstance(state, LoggingIn) else state


def begin(state: LoginState, key: str | None) -> LoggingIn:
    """Begin a login, which the store will keep under *key*."""
    return LoggingIn(Account(key), settled(state))


def answering(state: LoginState, key: str | None) -> LoggingIn:
    """Go on with a login by answering a challenge. It may have begun in another object or process."""
    if isinstance(state, LoggingIn):
        return state._replace(account=state.account._replace(key=key or state.account.key))
    return begin(state, key)


def named(state: LoginState, username: str | None) -> LoginState:
    """Note the canonical *username* that the service has used, if it has used one."""
    return state if username is None else state._replace(account=state.account._replace(username=username))


def challenged(state: LoginState, admin: AdminChallenge | None) -> LoginState:
    """Note the challenge to an administrator's login, None if there is none (any more)."""
    return state._replace(admin=admin) if isinstance(state, LoggingIn) else state


def obtained(state: LoginState) -> LoggedIn:
    """Take note that tokens were obtained: by the login under way, or else by a refresh."""
    if isinstance(state, LoggingIn) and state.account.key is None:
        return LoggedIn(state.account._replace(key=state.before.account.key))
    return LoggedIn(state.account)


def forgotten(state: LoginState) -> LoggedOut:
    """Take note that the present tokens are given up. What is known of the user stays."""
    return LoggedOut(settled(state).account)
