"""Passwords: the pool's policy, the verifier that is kept in a password's place, and the limit on wrong tries."""

from __future__ import annotations

import hmac
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from srpcore.crypto import cognito
from srpcore.crypto.encoding import to_bytes

from .errors import Refusal, not_authorized
from .records import User, UserPool, random_string

if TYPE_CHECKING:
    from .state import State

__all__ = [
    "Verifier",
    "check",
    "check_policy",
    "fail",
    "make",
    "refuse_reset",
    "store",
    "succeed",
    "temporary",
    "throttle",
]

SALT_BITS = 128
_LONGEST = 256
_FREE_TRIES, _LONGEST_LOCK, _FORGIVEN_AFTER = 5, 900, 900
_SYMBOLS = set("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")


@dataclass(frozen=True)
class Verifier:
    """What is kept in a password's place: the salt and ``g^x``."""

    salt: int = field(repr=False)
    value: int = field(repr=False)


def check_policy(pool: UserPool, password: str) -> None:
    """Check *password* against the pool's policy; the default is the service's: 8 characters, all four kinds.

    Raises:
        Refusal: it breaks the policy.
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
    for rule, is_kind, spoken in kinds:
        if policy.get(rule, True) and not any(map(is_kind, password)):
            raise _policy_violation(f"Password must have {spoken} characters")


def _policy_violation(reason: str) -> Refusal:
    return Refusal("InvalidPasswordException", f"Password did not conform with policy: {reason}")


def temporary(pool: UserPool) -> str:
    """Return a random temporary password that the pool's policy allows."""
    least = int(pool.password_policy.get("MinimumLength", 8))
    filling = random_string(max(least, 8), string.ascii_letters + string.digits)
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits, "!@#%&")
    return filling[4:] + "".join(secrets.choice(kind) for kind in kinds)


def make(state: State, pool: UserPool, username: str, password: str) -> Verifier:
    """Return a fresh verifier of *password*; other requests are let in meanwhile."""
    salt = secrets.randbits(SALT_BITS)
    with state.unlocked():
        return Verifier(salt, cognito.verifier(cognito.private_key(pool.suffix + username, password, salt)))


def store(state: State, user: User, verifier: Verifier, status: str) -> None:
    """Give *user* the password that *verifier* stands for, and forget the wrong tries."""
    user.salt, user.verifier = verifier.salt, verifier.value
    user.status, user.failures = status, 0
    user.password_set = user.modified = state.clock()


def check(state: State, pool: UserPool, user: User | None, password: str) -> None:
    """Check a password that came as text; an unknown user (None) costs the same time.

    Raises:
        Refusal: it is wrong, or there were too many wrong tries.
    """
    known = user or User("", "", 0.0)
    refuse_reset(known)
    throttle(state, known)
    salt, expected = known.salt, known.verifier
    with state.unlocked():
        actual = cognito.verifier(cognito.private_key(pool.suffix + known.username, password, salt))
    # A user without a password has the verifier 0, which no password has.
    if not hmac.compare_digest(to_bytes(actual), to_bytes(expected)):
        raise fail(state, known)
    succeed(known)


def refuse_reset(user: User) -> None:
    """Refuse every password of a user whose password an administrator has reset: it was given up.

    Raises:
        Refusal: the user must choose a new one, by the code that was sent.
    """
    if user.status == "RESET_REQUIRED":
        raise Refusal("PasswordResetRequiredException", "Password reset required for the user")


def throttle(state: State, user: User) -> None:
    """Refuse while the user is locked out: after five wrong tries for 1 s, then 2 s, 4 s, ... up to 15 minutes.

    Raises:
        Refusal: the lock holds.
    """
    now = state.clock()
    if now - user.last_failure >= _FORGIVEN_AFTER:
        user.failures = 0
    # At the fifth wrong try the lock is 2^0 = 1 second.
    if user.failures >= _FREE_TRIES:
        lock = min(2 ** (user.failures - _FREE_TRIES), _LONGEST_LOCK)
        if now < user.last_failure + lock:
            raise not_authorized("Password attempts exceeded")


def fail(state: State, user: User) -> Refusal:
    """Count a wrong try, and return the refusal to raise."""
    user.failures += 1
    user.last_failure = state.clock()
    return not_authorized()


def succeed(user: User) -> None:
    """Forget the wrong tries."""
    user.failures = 0
