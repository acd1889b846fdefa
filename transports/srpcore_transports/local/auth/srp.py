"""The server side of SRP, for passwords and for devices: create the challenge, and check the client's proof.

The server keeps a salt and a verifier v = g^x mod N, where x is a hash of the salt, the identity and the password. It
draws a secret b and sends B = k*v + g^b mod N (RFC 5054, section 2.5.3). Both sides compute the same key. The client
proves that it has this key with an HMAC over the identity, the secret block and a timestamp.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from srpcore.crypto import cognito
from srpcore.crypto.device import device_identity
from srpcore.crypto.encoding import parse_public_value, to_hex
from srpcore.exceptions.base import UnsafeServerValue

from ..api.errors import invalid_parameter, not_authorized
from ..api.parameters import named
from ..model.attributes import looks_like
from ..model.auth_sessions import Exchange
from ..model.pools import PoolRecord
from ..model.secret_values import equal
from ..model.users import DeviceRecord, User, Verifier, random_salt
from ..steps import Step, outside
from ..storage.state import State

__all__ = [
    "check_proof_form",
    "device_challenge",
    "fake_user",
    "fake_username",
    "password_challenge",
    "proof_checker",
    "public_value",
]

SECRET_BLOCK_BYTES = 1024
# The service reads the names in any case and GMT as UTC, and does not compare the day of the week with the date. But
# the proof must be made over the canonical form: https://github.com/ministackorg/ministack/pull/1758.
_TIMESTAMP = re.compile(
    r"(?i:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?i:(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)) "
    r"(\d{1,2}) (\d\d):(\d\d):(\d\d) (?:UTC|GMT) (\d{4})",
    re.ASCII,
)
_MONTHS: Sequence[str] = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_HEXADECIMAL = re.compile("[0-9a-fA-F]+")
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMESTAMP_SLACK = 300


def public_value(values: Mapping[str, Any]) -> int:
    """Return the client's public value SRP_A as an integer, 0 < A < N.

    For A = 0 (mod N) the key would not depend on the password, so anybody could log in (RFC 5054, section 2.5.4).

    Raises:
        Refusal: SRP_A is missing, is not hexadecimal, or is out of range.
    """
    given = named(values, "SRP_A")
    if not _HEXADECIMAL.fullmatch(given):
        # Source: https://github.com/ministackorg/ministack/pull/1758.
        raise invalid_parameter(
            f"1 validation error detected: Value '{given}' at 'sRPA' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: ^[0-9a-fA-F]+$"
        )
    try:
        return parse_public_value(given, cognito.GROUP.N, name="SRP_A")
    except UnsafeServerValue:
        raise invalid_parameter("SRP_A is not a hexadecimal number between 0 and N") from None


def fake_user(pool: PoolRecord, name: str) -> User:
    """Return a user to challenge if *name* does not exist, so that the challenge does not reveal that.

    The name, the salt and the verifier are derived from *name* and a secret of the pool: they are the same at each try,
    like those of a real user. Nobody knows a password for the verifier, so the login fails at the answer.
    """
    salt, verifier = (
        int.from_bytes(_derive(pool, name, label, size), "big") for label, size in (("salt", 16), ("verifier", 384))
    )
    return User(fake_username(pool, name), "", 0.0, password=Verifier.of(salt, verifier % cognito.GROUP.N))


def _derive(pool: PoolRecord, name: str, label: str, length: int) -> bytes:
    seed = hmac.digest(pool.secret, f"{label}:{pool.fold(name)}".encode(), "sha256")
    return hashlib.shake_256(seed).digest(length)


def fake_username(pool: PoolRecord, name: str) -> str:
    """Return the canonical name to show for *name*, which does not exist.

    It looks like the name of a user who logs in by *name*: *name* itself, folded if the pool ignores case, or a
    UUID if *name* is an address that can only be the alias of a user.
    """
    if _is_alias(pool, name):
        return str(uuid.UUID(bytes=_derive(pool, name, "id", 16), version=4))
    return pool.fold(name)


def _is_alias(pool: PoolRecord, name: str) -> bool:
    if pool.names("UsernameAttributes"):
        return not _UUID.fullmatch(name)
    return any(looks_like(kind, name) for kind in pool.names("AliasAttributes") if kind != "preferred_username")


def password_challenge(
    pool: PoolRecord, user: User | None, typed: str, A: int
) -> Step[tuple[Exchange, dict[str, str]]]:
    """Start an SRP exchange for the user's password; return it and the parameters of PASSWORD_VERIFIER.

    Args:
        user: None for a name that does not exist: it is challenged, too (see :func:`fake_user`).
        typed: the user name as the client sent it.
    """
    challenged = user or fake_user(pool, typed)
    name = challenged.username
    exchange, shared = yield from _start_exchange(pool.suffix + name, A, challenged.password)
    return exchange, {"USER_ID_FOR_SRP": name, "USERNAME": name, **shared}


def device_challenge(user: User, device: DeviceRecord, A: int) -> Step[tuple[Exchange, dict[str, str]]]:
    """Start an SRP exchange for the device's password; return it and the parameters of DEVICE_PASSWORD_VERIFIER."""
    identity = device_identity(device.group_key, device.key)
    exchange, shared = yield from _start_exchange(identity, A, device.password)
    return exchange, {"USERNAME": user.username, "DEVICE_KEY": device.key, **shared}


def _start_exchange(identity: str, A: int, password: Verifier | None) -> Step[tuple[Exchange, dict[str, str]]]:
    # A user without a password is challenged too, with the verifier 0, which is not the verifier of any password.
    verifier = password or Verifier.of(random_salt(), 0)
    value = verifier.value
    pair = yield from outside(lambda: cognito.server_pair(value))
    block = base64.b64encode(secrets.token_bytes(SECRET_BLOCK_BYTES)).decode("ascii")
    shared = {"SALT": to_hex(verifier.salt), "SRP_B": to_hex(pair.public), "SECRET_BLOCK": block}
    return Exchange.of(identity, A, pair, verifier, block), shared


def check_proof_form(answers: Mapping[str, Any]) -> None:
    """Check the form of the answer to PASSWORD_VERIFIER or DEVICE_PASSWORD_VERIFIER, but not the proof itself.

    The checks have the order of the service.

    Raises:
        Refusal: a value is missing, the timestamp is malformed, or the signature is not base64.
    """
    timestamp, claim = named(answers, "TIMESTAMP"), named(answers, "PASSWORD_CLAIM_SIGNATURE")
    named(answers, "PASSWORD_CLAIM_SECRET_BLOCK")
    _parse_timestamp(timestamp)
    try:
        base64.b64decode(claim, validate=True)
    except ValueError:
        raise invalid_parameter("Invalid PASSWORD_CLAIM_SIGNATURE format. Must be a Base64 string.") from None


def proof_checker(state: State, exchange: Exchange | None, answers: Mapping[str, Any]) -> Callable[[], bool]:
    """Return a function that returns whether the answer proves that the client knows the password of *exchange*.

    The function computes for a long time, so it must be called outside of a transaction.

    Raises:
        Refusal: :func:`check_proof_form` refuses the answer, the timestamp is more than five minutes off, or the secret
            block is not the one of this exchange.
    """
    check_proof_form(answers)
    claim, block = named(answers, "PASSWORD_CLAIM_SIGNATURE"), named(answers, "PASSWORD_CLAIM_SECRET_BLOCK")
    time = _parse_timestamp(named(answers, "TIMESTAMP"))
    _check_near(state, time)
    timestamp = cognito.format_timestamp(time)
    if exchange is None or not equal(block, exchange.secret_block):
        raise not_authorized()
    started = exchange

    def proves() -> bool:
        key = cognito.server_key(started.pair, started.A, started.verifier.value)
        expected = cognito.claim(key, started.identity, base64.b64decode(block), timestamp)
        return equal(claim, expected)

    return proves


def _check_near(state: State, time: datetime) -> None:
    # If a test has moved the pool's clock, the client's own clock still has the time without that move.
    clock = state.service.clock
    if min(abs(time.timestamp() - now) for now in (clock(), clock.unmoved())) > _TIMESTAMP_SLACK:
        raise not_authorized()


def _parse_timestamp(timestamp: str) -> datetime:
    match = _TIMESTAMP.fullmatch(timestamp)
    try:
        if match is None:
            raise ValueError
        month, day, hour, minute, second, year = match.groups()
        numbers = int(day), int(hour), int(minute), int(second)
        return datetime(int(year), _MONTHS.index(month.lower()) + 1, *numbers, tzinfo=timezone.utc)
    except ValueError:
        raise invalid_parameter("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.") from None
