"""The limits of wrong passwords and wrong codes. There are three rules, and each is in one place here.

=============  ===========================  ==================================  =======================================
Limit of       What is counted              When the count starts again at 0    What happens at the limit
=============  ===========================  ==================================  =======================================
passwords      wrong passwords of a user    a right or a new password;          after 5, the user is locked out for one
               in a row                     15 minutes after the last one       second, and for twice as long after
                                                                                each further one, up to 15 minutes
codes of a     wrong codes of a user in a   a right code at a login, or when    after 10, no code of this kind is
user           row, of each kind: over all  an authenticator app is set up;     accepted
               Sessions and all messages    an hour after the last one
one code       wrong answers to one code    for a code never (a new message     after 5, even the right code is
               that was sent, or in one     has a new code); for a login after  refused; a login ends with the fifth
               login                        a right code                        wrong answer
=============  ===========================  ==================================  =======================================

The first two are stored in ``User.tries``, by kind: the purpose of the code, the name of the challenge, or
:data:`PASSWORD`. The third is stored in ``Code.wrong`` or ``AuthSession.wrong``.

Without the second rule, a code of six digits could be guessed: each new login, and each new message, would allow more
tries. The right code of a sign-up, a reset or an attribute does not reset it: a user could verify their own address in
between, and so get more tries for the code of an address of somebody else.

What is tried for a name that does not exist is counted in the same way, for a Stranger instead of a User: otherwise the
limits would reveal which names exist.
"""

from __future__ import annotations

from msgspec.structs import replace

from ..api.errors import Refusal, limit_exceeded, not_authorized
from ..model.auth_sessions import AuthSession
from ..model.users import Code, Stranger, Tries, User
from ..storage.state import State

__all__ = [
    "PASSWORD",
    "allow_another",
    "count_wrong",
    "forgive",
    "locked",
    "require_code",
    "require_password",
    "require_tries_left",
]

PASSWORD = "PASSWORD"
"""The kind of tries that are passwords."""

_FREE_PASSWORDS, _LONGEST_LOCK, _PASSWORDS_FORGIVEN_AFTER = 5, 900, 900
_MOST_CODES, _CODES_FORGIVEN_AFTER = 10, 3600
_MOST_OF_ONE_CODE = 5


def require_password(state: State, guesser: User | Stranger, refusal: Refusal | None = None) -> None:
    """Check that another password may be tried.

    Args:
        refusal: what to raise; NotAuthorizedException by default.

    Raises:
        Refusal: the user is locked out.
    """
    tries = _recent(state, guesser, PASSWORD, _PASSWORDS_FORGIVEN_AFTER)
    if tries.wrong >= _FREE_PASSWORDS:
        # After the fifth wrong password the user is locked out for 2^0 = 1 second.
        lock = min(2 ** (tries.wrong - _FREE_PASSWORDS), _LONGEST_LOCK)
        if state.clock() < tries.last + lock:
            raise refusal or not_authorized("Password attempts exceeded")


def require_code(state: State, guesser: User | Stranger, kind: str, refusal: Refusal | None = None) -> None:
    """Check that another code of *kind* may be tried.

    Args:
        kind: the purpose of the code, or the name of the challenge.
        refusal: what to raise; LimitExceededException by default.

    Raises:
        Refusal: ten codes in a row were wrong, the last one less than an hour ago.
    """
    if _recent(state, guesser, kind, _CODES_FORGIVEN_AFTER).wrong >= _MOST_CODES:
        raise refusal or limit_exceeded()


def _recent(state: State, guesser: User | Stranger, kind: str, forgiven_after: int) -> Tries:
    """Return the tries of *kind*, and forget them if the last one is too long ago."""
    tries = guesser.tries.get(kind)
    if tries is None:
        return Tries()
    if state.clock() - tries.last >= forgiven_after:
        forgive(guesser, kind)
        return Tries()
    return tries


def count_wrong(state: State, guesser: User | Stranger, kind: str) -> None:
    """Count a wrong password or code of *kind*."""
    tries = guesser.tries.setdefault(kind, Tries())
    tries.wrong += 1
    tries.last = state.clock()


def forgive(guesser: User | Stranger, kind: str) -> None:
    """Start the count of wrong passwords or codes of *kind* again at 0."""
    guesser.tries.pop(kind, None)


def locked() -> Refusal:
    """Return the refusal of any further code at a login, or when an authenticator app is set up.

    In the service model these operations do not have LimitExceededException.
    """
    return not_authorized("User temporarily locked. Try again soon.")


def require_tries_left(code: Code) -> None:
    """Check that *code* may still be tried: fewer than five wrong codes were sent instead of it.

    Raises:
        Refusal: five wrong ones were sent.
    """
    if code.wrong >= _MOST_OF_ONE_CODE:
        raise limit_exceeded()


def allow_another(state: State, session: str | None, auth_session: AuthSession) -> None:
    """Let the client correct a mistyped code in the same Session, unless the login has had five wrong ones.

    Args:
        session: the Session that was answered; None if the answer was matched without one.
    """
    wrong = auth_session.wrong + 1
    if wrong < _MOST_OF_ONE_CODE:
        state.auth_sessions.put_back(session, replace(auth_session, wrong=wrong))
