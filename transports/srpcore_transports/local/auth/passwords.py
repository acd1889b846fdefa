"""Passwords: the pool's policy, the SRP verifier that is stored instead of a password, and checks of passwords.

The module :mod:`.tries` limits wrong ones.
"""

from __future__ import annotations

import hmac
import secrets
import string
from collections.abc import Callable

from srpcore.crypto import cognito

from ..api.errors import Refusal, not_authorized
from ..model.pools import PoolRecord
from ..model.records import number_bytes, random_string
from ..model.users import User, Verifier, random_salt
from ..steps import Step, outside
from ..storage.state import State
from . import tries

__all__ = [
    "accept_or_refuse",
    "check_history",
    "check_password",
    "check_policy",
    "make_verifier",
    "refuse_unconfirmed",
    "refuse_unusable",
    "require_not_locked",
    "store",
    "temporary",
]

_LONGEST = 256
_SYMBOLS = set("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")


def check_policy(pool: PoolRecord, password: str) -> None:
    """Check *password* against the pool's policy.

    The default policy is the service's: at least 8 characters, with an upper-case and a lower-case letter, a digit and
    a symbol.

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
    if password != password.strip():
        raise _policy_violation("Password must not begin or end with a space")
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


def make_verifier(pool: PoolRecord, username: str, password: str) -> Step[Verifier]:
    """Return a new verifier of *password*."""
    salt, identity = random_salt(), pool.suffix + username
    value = yield from outside(lambda: cognito.verifier(cognito.private_key(identity, password, salt)))
    return Verifier.of(salt, value)


def check_history(pool: PoolRecord, user: User, password: str) -> Step[None]:
    """Check that *password* is not one of the latest ones of *user* (PasswordHistorySize).

    Raises:
        Refusal: the user has or had this password.
    """
    used, identity = _used(user)[: pool.password_history_size], pool.suffix + user.username
    if not used:
        return

    def is_used() -> bool:
        made = [cognito.verifier(cognito.private_key(identity, password, each.salt)) for each in used]
        return any(number_bytes(value) == each.value_bytes for value, each in zip(made, used, strict=True))

    if (yield from outside(is_used)):
        raise Refusal("PasswordHistoryPolicyViolationException", "Password has previously been used.")


def _used(user: User) -> tuple[Verifier, ...]:
    """Return the verifiers of the current and the previous passwords of *user*, the latest first, no temporary ones."""
    temporary = user.password is None or user.status == "FORCE_CHANGE_PASSWORD"
    return user.previous_passwords if temporary or user.password is None else (user.password, *user.previous_passwords)


def store(state: State, pool: PoolRecord, user: User, verifier: Verifier, status: str) -> None:
    """Set the password of *user* to the one that *verifier* was made for, and reset the count of wrong passwords."""
    user.previous_passwords = _used(user)[: pool.password_history_size]
    user.password = verifier
    user.status = status
    tries.forgive(user, tries.PASSWORD)
    user.password_set = user.modified = state.clock()


def check_password(
    state: State, pool: PoolRecord, user: User | None, typed: str, password: str, locked: Refusal | None = None
) -> Step[None]:
    """Check a password that the client sent itself, not by SRP.

    Args:
        user: None for a name that does not exist. The same computation is done then, so that the duration does not
            reveal that the user does not exist.
        typed: the user name as the client sent it.
        locked: what to raise if the user is locked out; NotAuthorizedException by default.

    Raises:
        Refusal: the password is wrong or must be reset, the user is not confirmed, or is locked out.
    """
    require_not_locked(state, pool, user, typed, locked)
    # The verifier 0 of a user without a password is not the verifier of any password.
    expected = (None if user is None else user.password) or Verifier.of(0, 0)
    salt, identity = expected.salt, pool.suffix + ("" if user is None else user.username)
    actual = yield from outside(lambda: cognito.verifier(cognito.private_key(identity, password, salt)))
    proved = hmac.compare_digest(number_bytes(actual), expected.value_bytes)
    accept_or_refuse(state, pool, user, typed, expected, proved=proved, locked=locked)


def require_not_locked(
    state: State, pool: PoolRecord, user: User | None, typed: str, locked: Refusal | None = None
) -> None:
    """Check that a password may be tried; the arguments are those of :func:`check_password`.

    Raises:
        Refusal: the user is not confirmed, has to set the first password, or is locked out.
    """
    if user is not None:
        refuse_unconfirmed(user)
        if user.password is None:
            # A user who was imported has no password that somebody could prove to know.
            refuse_unusable(user)
    tries.require_password(state, user or state.strangers.of(pool, typed), locked)


def accept_or_refuse(
    state: State,
    pool: PoolRecord,
    user: User | None,
    typed: str,
    verifier: Verifier,
    *,
    proved: bool,
    locked: Refusal | None = None,
) -> None:
    """Accept or refuse a password after it was compared with *verifier*. Meanwhile other requests were processed.

    The other arguments are those of :func:`check_password`.

    Args:
        verifier: the verifier when the comparison began.
        proved: whether the password matches it.

    Raises:
        Refusal: the password is wrong, was changed meanwhile or must be reset, or the user has been locked out
            meanwhile. In the last case the answer does not reveal whether the password was right: otherwise, many
            requests at the same time could try more passwords than one after the other.
    """
    guesser = user or state.strangers.of(pool, typed)
    tries.require_password(state, guesser, locked)
    if not proved or user is None or user.password != verifier:
        tries.count_wrong(state, guesser, tries.PASSWORD)
        raise not_authorized()
    tries.forgive(user, tries.PASSWORD)
    refuse_unusable(user)


def refuse_unconfirmed(user: User) -> None:
    """Check that *user* is confirmed, before a password is compared: the right one and a wrong one are refused alike.

    Raises:
        Refusal: the user must confirm the account, or is disabled before that.
    """
    if user.status == "UNCONFIRMED":
        if not user.enabled:
            raise not_authorized("User is disabled.")
        raise Refusal("UserNotConfirmedException", "User is not confirmed.")


def refuse_unusable(user: User) -> None:
    """Check that *user* is confirmed, and that an administrator has not reset the password.

    The service reveals that the password was reset only after the right password, as measured for
    https://github.com/ministackorg/ministack/pull/1758.

    Raises:
        Refusal: the user must confirm the account, or set a new password with the code that was sent.
    """
    refuse_unconfirmed(user)
    if user.status == "RESET_REQUIRED":
        raise Refusal("PasswordResetRequiredException", "Password reset required for the user")
