"""The limit of wrong codes of a user: ten of each kind, over all Sessions and all codes that were sent.

Without it, a code of six digits could be guessed: each new login, and each new message, would allow more tries. The
count starts again at 0 an hour after the last wrong code. At a login, and when an authenticator app is set up, a right
code resets it at once. The right code of a sign-up, a reset or an attribute does not: a user could verify their own
address in between, and so get more tries for the code of an address of somebody else.
"""

from __future__ import annotations

from msgspec.structs import replace

from ..api.errors import Refusal, limit_exceeded, not_authorized
from ..model.auth_sessions import AuthSession
from ..model.users import Stranger, Tries, User
from ..storage.state import State

__all__ = ["MOST_OF_ONE_CODE", "allow_another", "count_wrong", "forgive", "locked", "require"]

MOST_OF_ONE_CODE = 5
"""How many wrong tries one code that was sent, or one Session, allows."""

_MOST, _FORGIVEN_AFTER = 10, 3600


def locked() -> Refusal:
    """Return the refusal of any further code at a login, or when an authenticator app is set up.

    In the service model these operations do not have LimitExceededException.
    """
    return not_authorized("User temporarily locked. Try again soon.")


def require(state: State, guesser: User | Stranger, kind: str, refusal: Refusal | None = None) -> None:
    """Check that another code of *kind* may be tried.

    Args:
        kind: the purpose of the code, or the name of the challenge.
        refusal: what to raise; LimitExceededException by default.

    Raises:
        Refusal: ten codes in a row were wrong, the last one less than an hour ago.
    """
    tries = guesser.tries.get(kind)
    if tries is None:
        return
    if state.clock() - tries.last >= _FORGIVEN_AFTER:
        del guesser.tries[kind]
    elif tries.wrong >= _MOST:
        raise refusal or limit_exceeded()


def count_wrong(state: State, guesser: User | Stranger, kind: str) -> None:
    """Count a wrong code of *kind*."""
    tries = guesser.tries.setdefault(kind, Tries())
    tries.wrong += 1
    tries.last = state.clock()


def forgive(guesser: User | Stranger, kind: str) -> None:
    """Forget the wrong codes of *kind*, because the right one was sent."""
    guesser.tries.pop(kind, None)


def allow_another(state: State, session: str | None, auth_session: AuthSession) -> None:
    """Let the client correct a mistyped code in the same Session, unless the Session has had five wrong ones.

    Args:
        session: the Session that was answered; None if the answer was matched without one.
    """
    wrong = auth_session.wrong_codes + 1
    if wrong < MOST_OF_ONE_CODE:
        state.auth_sessions.put_back(session, replace(auth_session, wrong_codes=wrong))
