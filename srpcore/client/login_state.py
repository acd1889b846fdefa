"""The login state of an object: which user's tokens it holds, and which user is logging in.

The states are immutable values. The functions of this module return the next state.

Theory of operation::

                      started()                       obtained()
    LoggedOut ─────────────────────────► LoggingIn ─────────────────────────► LoggedIn
        ▲                                                                         │
        └───────────────────────────────── forgotten() ───────────────────────────┘

    LoggingIn ──settled()──► LoggingIn.before, if the login failed: LoggedOut or LoggedIn

==========  ============  ==========  ==========================================================================
from        function      to          when
==========  ============  ==========  ==========================================================================
any         started()     LoggingIn   a login starts; ``LoggingIn.before`` is the state to return to
any         answering()   LoggingIn   the program answers a challenge, of this object's login or of another's
LoggingIn   settled()     before      the login failed, or its tokens were refused
any         obtained()    LoggedIn    tokens arrived, from a login or from a refresh
any         restored()    either      ``restore()`` read the store, which had tokens or had none
any         forgotten()   LoggedOut   logout, revocation, or, with a store, a definitive refusal of the refresh token
==========  ============  ==========  ==========================================================================

A login may need several requests. Between them the program asks the user, for example for a code. A login may fail, or
the program may give it up. The tokens of the user who was logged in before stay valid until the new tokens arrive. So
:class:`LoggingIn` carries the state ``before`` it, and a failed login returns to that state. Everything that concerns
the present tokens (refresh, storage) uses :func:`settled`, which ignores a login that is under way.

The tokens themselves are not part of the state. They are attributes of the object, because programs written for
pycognito read and set them there.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from .._values import Value, replace

__all__ = [
    "Account",
    "AdminChallenge",
    "LoggedIn",
    "LoggedOut",
    "LoggingIn",
    "LoginState",
    "answering",
    "challenged",
    "forgotten",
    "named",
    "obtained",
    "restored",
    "settled",
]


class Account(Value):
    """What is known of a user besides the tokens."""

    __slots__ = ("key", "refresh_way", "username")

    key: str | None
    """The key of the login in the store. It is fixed when the tokens are obtained; ``username`` may change later."""

    username: str | None
    """The canonical username: the service's own name for the user. SECRET_HASH is computed over it."""

    refresh_way: str | None
    """The operation with which the last refresh succeeded, if that is known."""

    def __init__(self, key: str | None = None, username: str | None = None, refresh_way: str | None = None) -> None:
        self._set(key=key, username=username, refresh_way=refresh_way)


class LoggedOut(Value):
    """The object holds no tokens that it obtained itself or restored from a store."""

    __slots__ = ("account",)

    account: Account

    def __init__(self, account: Account | None = None) -> None:
        self._set(account=account or Account())


class LoggedIn(Value):
    """The object holds tokens of *account*."""

    __slots__ = ("account",)

    account: Account

    def __init__(self, account: Account) -> None:
        self._set(account=account)


class AdminChallenge:
    """A challenge in a login by an administrator. Only an administrator's operation can answer its Session."""

    __slots__ = ("reply",)

    def __init__(self, reply: dict[str, Any]) -> None:
        self.reply = reply

    def __repr__(self) -> str:
        return f"<AdminChallenge {self.reply.get('ChallengeName')}>"  # the Session is a secret

    @property
    def session(self) -> str | None:
        """The Session of the challenge."""
        return self.reply.get("Session")


class LoggingIn(Value):
    """A login of *account* is under way."""

    __slots__ = ("account", "admin", "before")

    account: Account
    before: LoggedOut | LoggedIn
    admin: AdminChallenge | None

    def __init__(self, account: Account, before: LoggedOut | LoggedIn, admin: AdminChallenge | None = None) -> None:
        self._set(account=account, before=before, admin=admin)


LoginState: TypeAlias = LoggedOut | LoggingIn | LoggedIn


def settled(state: LoginState) -> LoggedOut | LoggedIn:
    """Return the state of the present tokens. A login under way does not count until its own tokens arrive."""
    return state.before if isinstance(state, LoggingIn) else state


def started(state: LoginState, key: str | None) -> LoggingIn:
    """Return the state at the beginning of a login that will be stored under *key*."""
    return LoggingIn(Account(key), settled(state))


def answering(state: LoginState, key: str | None) -> LoggingIn:
    """Return the state while a challenge is answered. The login may have begun in another object or process."""
    if isinstance(state, LoggingIn):
        return replace(state, account=replace(state.account, key=key or state.account.key))
    return started(state, key)


def named(state: LoginState, username: str | None) -> LoginState:
    """Return *state* with the canonical *username* from a reply, or unchanged if the reply had none."""
    return state if username is None else replace(state, account=replace(state.account, username=username))


def challenged(state: LoginState, reply: dict[str, Any] | None) -> LoginState:
    """Return *state* with the challenge in *reply* to an administrator's login; with none if *reply* has none."""
    if not isinstance(state, LoggingIn):
        return state
    # A reply without a challenge has the tokens, which must not stay in the state.
    has_challenge = reply is not None and reply.get("ChallengeName") is not None
    return replace(state, admin=AdminChallenge(reply) if reply is not None and has_challenge else None)


def obtained(state: LoginState) -> LoggedIn:
    """Return the state after tokens were obtained, by the login under way or by a refresh."""
    if isinstance(state, LoggingIn) and state.account.key is None:
        return LoggedIn(replace(state.account, key=state.before.account.key))
    return LoggedIn(state.account)


def restored(state: LoginState, account: Account, *, tokens: bool) -> LoggedOut | LoggedIn:
    """Return the state after the store was read: what it knows of *account*, and whether it had *tokens*.

    What *account* leaves open (None) is taken from *state*.
    """
    known = settled(state).account
    account = Account(
        account.key or known.key, account.username or known.username, account.refresh_way or known.refresh_way
    )
    return LoggedIn(account) if tokens else LoggedOut(account)


def forgotten(state: LoginState) -> LoggedOut:
    """Return the state after the present tokens were dropped. What is known about the user is kept."""
    return LoggedOut(settled(state).account)
