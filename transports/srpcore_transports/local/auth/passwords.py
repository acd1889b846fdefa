"""Passwords: the pool's policy, the SRP verifier that is stored instead of a password, and the lock-out.

After five wrong passwords in a row the user is locked out for one second, and for twice as long after each further one,
up to 15 minutes. The count starts again at 0 after a right password, and 15 minutes after the last wrong one.
"""

from __future__ import annotations

import hmac
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from srpcore.crypto import cognito
from srpcore.crypto.encoding import to_bytes

from ..api.errors import Refusal, not_authorized
from ..model.records import PoolRecord, User, random_string

if TYPE_CHECKING:
    from ..storage.state import State

__all__ = [
    "Verifier",
    "check",
    "check_policy",
    "fail",
    "make",
    "refuse_unusable",
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
    """What is stored instead of a password: the salt, and ``g^x mod N`` as ``value``."""

    salt: int = field(repr=False)
    value: int = field(repr=False)


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


def make(state: State, pool: PoolRecord, username: str, password: str) -> Verifier:
    """Return a new verifier of *password*.

    The lock of the state is released during the computation, so other requests may change the state.
    """
    salt = secrets.randbits(SALT_BITS)
    with state.unlocked():
        return Verifier(salt, cognito.verifier(cognito.private_key(pool.suffix + username, password, salt)))


def store(state: State, user: User, verifier: Verifier, status: str) -> None:
    """Set the password of *user* to the one that *verifier* was made for, and reset the count of wrong passwords."""
    user.salt, user.verifier = verifier.salt, verifier.value
    user.status, user.failures = status, 0
    user.password_set = user.modified = state.clock()


def check(state: State, pool: PoolRecord, user: User | None, password: str) -> None:
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
    salt, expected = known.salt, known.verifier
    with state.unlocked():
        actual = cognito.verifier(cognito.private_key(pool.suffix + known.username, password, salt))
    # A user without a password has the verifier 0, which is not the verifier of any password.
    if not hmac.compare_digest(to_bytes(actual), to_bytes(expected)):
        raise fail(state, known)
    succeed(known)


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


def fail(state: State, user: User) -> Refusal:
    """Count a wrong password, and return the refusal to raise."""
    user.failures += 1
    user.last_failure = state.clock()
    return not_authorized()


def succeed(user: User) -> None:
    """Reset the count of wrong passwords."""
    user.failures = 0
