"""Passwords: the pool's policy, the SRP verifier that is stored instead of a password, and the lock-out.

After five wrong passwords in a row the user is locked out for one second, and for twice as long after each further one,
up to 15 minutes. The count starts again at 0 after a right password, and 15 minutes after the last wrong one.
"""

from __future__ import annotations

import hmac
import secrets
import string
from collections.abc import Callable

from srpcore.crypto import cognito

from ..api.errors import Refusal, not_authorized
from ..model.records import PoolRecord, User, Verifier, number_bytes, random_string
from ..steps import Step, outside
from ..storage.state import State

__all__ = [
    "check",
    "check_policy",
    "judge",
    "make",
    "refuse_unusable",
    "store",
    "temporary",
    "throttle",
]

SALT_BITS = 128
_LONGEST = 256
_FREE_TRIES, _LONGEST_LOCK, _FORGIVEN_AFTER = 5, 900, 900
_SYMBOLS = set("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")


def check_policy(pool: PoolRecord, password: str) -> None:
    """Check *password* against the pool's policy.

    The default is the service's: at least 8 characters, with an upper-case and a lower-case letter, a digit and a
    symbol.

    Raises:
        Refusal: the password does not conform to the policy.
    """
    policy = pool.password_policy
    kinds: tuple[tuple[str, Callable[[str], bool], str], ...] = (
        ("RequireUppercase", str.isupper, "uppercase"),
        ("RequireLowercase", str.islower, "lowercase"),
        ("RequireNumbers", str.isdigit, "numeric"),
        ("RequireSymbols", _SYMBOLS.__contains__, "symbol"),
    )
    if len(password) < policy.get("MinimumLength", 8):
        raise _policy_violation("Password not long enough")
    if len(password) > _LONGEST:
        raise _policy_violation("Password too long")
    for rule, is_kind, kind in kinds:
        if policy.get(rule, True) and not any(map(is_kind, password)):
            raise _policy_violation(f"Password must have {kind} characters")


def _policy_violation(reason: str) -> Refusal:
    return Refusal("InvalidPasswordException", f"Password did not conform with policy: {reason}")


def temporary(pool: PoolRecord) -> str:
    """Return a random temporary password that conforms to the pool's policy."""
    least = int(pool.password_policy.get("MinimumLength", 8))
    filling = random_string(max(least, 8), string.ascii_letters + string.digits)
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits, "!@#%&")
    return filling[4:] + "".join(secrets.choice(kind) for kind in kinds)


def make(pool: PoolRecord, username: str, password: str) -> Step[Verifier]:
    """Return a new verifier of *password*."""
    salt, identity = secrets.randbits(SALT_BITS), pool.suffix + username
    value = yield from outside(lambda: cognito.verifier(cognito.private_key(identity, password, salt)))
    return Verifier.of(salt, value)


def store(state: State, user: User, verifier: Verifier, status: str) -> None:
    """Set the password of *user* to the one that *verifier* was made for, and reset the count of wrong passwords."""
    user.password = verifier
    user.status, user.failures = status, 0
    user.password_set = user.modified = state.clock()


def check(state: State, pool: PoolRecord, user: User | None, password: str) -> Step[None]:
    """Check a password that the client sent itself, not by SRP.

    Args:
        user: None for a name that does not exist. The same computation is done then, so that the duration does not
            reveal that the user does not exist.

    Raises:
        Refusal: the password is wrong or must be reset, the user is not confirmed, or is locked out.
    """
    known = user or User("", "", 0.0, status="CONFIRMED")
    refuse_unusable(known)
    throttle(state, known)
    # The verifier 0 of a user without a password is not the verifier of any password.
    expected = known.password or Verifier.of(0, 0)
    salt, identity = expected.salt, pool.suffix + known.username
    actual = yield from outside(lambda: cognito.verifier(cognito.private_key(identity, password, salt)))
    judge(state, known, expected, proved=hmac.compare_digest(number_bytes(actual), expected.value_bytes))


def judge(state: State, user: User, verifier: Verifier, *, proved: bool) -> None:
    """Decide about a password after it was compared with *verifier*, while other requests were processed.

    Raises:
        Refusal: the password is wrong or was changed meanwhile, or the user has been locked out meanwhile. In the last
            case the answer does not reveal whether the password was right: otherwise, many requests at the same time
            could try more passwords than one after the other.
    """
    throttle(state, user)
    if not proved or user.password != verifier:
        user.failures += 1
        user.last_failure = state.clock()
        raise not_authorized()
    user.failures = 0


def refuse_unusable(user: User) -> None:
    """Check that *user* is confirmed, and that an administrator has not reset the password.

    If not, the password is not compared: the right one and a wrong one are refused in the same way. By public reports
    the service does that for an unconfirmed user too.

    Raises:
        Refusal: the user must confirm the account, or set a new password with the code that was sent.
    """
    if user.status == "UNCONFIRMED":
        raise Refusal("UserNotConfirmedException", "User is not confirmed.")
    if user.status == "RESET_REQUIRED":
        raise Refusal("PasswordResetRequiredException", "Password reset required for the user")


def throttle(state: State, user: User) -> None:
    """Check that *user* is not locked out because of wrong passwords (see the module's docstring).

    Raises:
        Refusal: the user is locked out.
    """
    now = state.clock()
    if now - user.last_failure >= _FORGIVEN_AFTER:
        user.failures = 0
    # After the fifth wrong password the user is locked out for 2^0 = 1 second.
    if user.failures >= _FREE_TRIES:
        lock = min(2 ** (user.failures - _FREE_TRIES), _LONGEST_LOCK)
        if now < user.last_failure + lock:
            raise not_authorized("Password attempts exceeded")
