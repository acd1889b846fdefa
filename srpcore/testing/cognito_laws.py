"""The laws of Cognito's dialect of SRP for a client: plug in an implementation and run them.

The right answers come from three sources: logins that AWS's own JavaScript clients computed, the service's side of
:mod:`srpcore.crypto.cognito`, and what the service is known to send, for example a SALT with leading zeros or a minus
sign.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any

from hypothesis.strategies import SearchStrategy

from ..crypto import cognito
from ..crypto.groups import MODP_3072
from .known_answers import Vector, cognito_vectors
from .laws import Law, LawBroken, LawReport, equal, refuses, run_laws, show
from .logins import (
    ClaimAnswer,
    CognitoExchange,
    DeviceIdentity,
    PasswordChallenge,
    UserIdentity,
    cognito_exchanges,
)
from .strategies import near_miss_passwords

__all__ = ["CognitoClient", "DeviceSecret", "check_cognito_dialect"]


@dataclass(frozen=True)
class DeviceSecret:
    """What the verifier of a device is made from."""

    identity: DeviceIdentity
    password: str
    salt: int


@dataclass(frozen=True)
class CognitoClient:
    """The functions of a client to check.

    Attributes:
        public_value: returns SRP_A for a secret exponent.
        answer: returns the answer to a challenge for a user's password; raises any exception to refuse the challenge.
            If your client always uses the current time, return the TIMESTAMP that it signed, and name the law
            ``timestamps`` in *known_faults*.
        answer_device: does the same for a remembered device, or None if the client has no devices.
        device_verifier: returns ``(Salt, PasswordVerifier)`` for ConfirmDevice, or None.
        secret_hash: returns SECRET_HASH for ``(username, client id, client secret)``, or None.
    """

    public_value: Callable[[int], str]
    answer: Callable[[PasswordChallenge], ClaimAnswer]
    answer_device: Callable[[PasswordChallenge], ClaimAnswer] | None = None
    device_verifier: Callable[[DeviceSecret], tuple[str, str]] | None = None
    secret_hash: Callable[[str, str, str], str] | None = None


def check_cognito_dialect(
    client: CognitoClient,
    *,
    laws: Collection[str] | None = None,
    known_faults: Collection[str] = (),
    examples: int = 20,
) -> LawReport:
    """Run the laws of a client that logs in to Cognito by SRP, and return the report, if the laws hold.

    Args:
        client: the functions to check.
        laws: the names of the laws to run, or None for all.
        known_faults: the names of the laws that do not hold and should not be reported. One that holds is an error,
            so that the list stays right.
        examples: the number of random inputs for each law that has them.

    Raises:
        LawViolation: a law does not hold; its ``report`` has the smallest input that was found.
        ConfigurationError: a name in *laws* or *known_faults* is not the name of a law that is run.
    """
    suite = [*_PUBLIC_VALUE, *_ANSWER]
    suite += _DEVICE if client.answer_device else []
    suite += _DEVICE_VERIFIER if client.device_verifier else []
    suite += _SECRET_HASH if client.secret_hash else []
    return run_laws(suite, client, known_faults, examples, laws)


@dataclass(frozen=True)
class SentChallenge:
    """A challenge, and the login that it belongs to: the challenge may be in another form than the usual one."""

    challenge: PasswordChallenge
    exchange: CognitoExchange = field(repr=False)


_USER = UserIdentity("eu-west-1_AbCd12345", "alice")
_DEVICE_ID = DeviceIdentity("-0w7nndXa", "us-east-1_eeff478e-00dc-e8e2-b24a-094326000000")
_HONEST = CognitoExchange(_USER, "password", 0x7F00112233445566778899AABBCCDDEE, (1 << 255) + 1, (1 << 255) + 3)


# Checks.


def _answer(client: CognitoClient, challenge: PasswordChallenge) -> ClaimAnswer:
    answer = client.answer
    if isinstance(challenge.identity, DeviceIdentity):
        if client.answer_device is None:
            raise LawBroken("the client has no answer_device")
        answer = client.answer_device
    return answer(challenge)


def _matches_vector(client: CognitoClient, vector: Vector) -> None:
    challenge = _challenge_of(vector)
    answer = _answer(client, challenge)
    expected = vector["signature_b64"]
    if answer.timestamp != vector["timestamp"]:  # the law "timestamps" reports this
        expected = _claim(bytes.fromhex(vector["key_hex"]), challenge, answer.timestamp)
    _equal_signature(answer, expected, challenge)


def _matches(client: CognitoClient, sent: SentChallenge) -> None:
    exchange, challenge = sent.exchange, sent.challenge
    if isinstance(exchange.identity, DeviceIdentity) and client.answer_device is None:
        return
    answer = _answer(client, challenge)
    equal("PASSWORD_CLAIM_SECRET_BLOCK", answer.secret_block, challenge.secret_block)
    message = exchange.identity.hashed.encode() + exchange.secret_block + answer.timestamp.encode()
    _equal_signature(answer, _hmac(exchange.key, message), challenge)


def _equal_signature(answer: ClaimAnswer, expected: str, challenge: PasswordChallenge) -> None:
    try:
        equal("PASSWORD_CLAIM_SIGNATURE", answer.signature, expected)
    except LawBroken as broken:
        raise LawBroken(f"{broken} (expected {_honest_values(challenge)})") from None


def _honest_values(challenge: PasswordChallenge) -> str:
    """Return the values of an honest client, for a message: the first that differs from the subject's has the fault."""
    pair, B = cognito.client_pair(challenge.a), int(challenge.B, 16)
    x = cognito.private_key(challenge.identity.hashed, challenge.password, int(challenge.salt, 16))
    u = cognito.scrambling(pair.public, B)
    S = pow(B - cognito.k * pow(MODP_3072.g, x, MODP_3072.N), challenge.a + u * x, MODP_3072.N)
    numbers = {"k": cognito.k, "x": x, "u": u, "S": S}
    values = [f"{name} = {show(number)}" for name, number in numbers.items()]
    return ", ".join([*values, f"K = {cognito.client_key(pair, B, x).hex()}"])


def _claim(key: bytes, challenge: PasswordChallenge, timestamp: str) -> str:
    block = base64.b64decode(challenge.secret_block)
    return _hmac(key, challenge.identity.hashed.encode() + block + timestamp.encode())


def _hmac(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode("ascii")


def _formats_time(client: CognitoClient, challenge: PasswordChallenge) -> None:
    equal("TIMESTAMP", _answer(client, challenge).timestamp, challenge.timestamp)


def _refuses(client: CognitoClient, challenge: PasswordChallenge) -> None:
    refuses("the challenge", partial(_answer, client, challenge))


def _sends_public_value(client: CognitoClient, a: int) -> None:
    sent = client.public_value(a)
    equal("SRP_A", sent.lower(), f"{pow(MODP_3072.g, a, MODP_3072.N):x}")


def _makes_device_verifier(client: CognitoClient, vector: Vector) -> None:
    identity = DeviceIdentity(vector["device_group_key"], vector["device_key"])
    secret = DeviceSecret(identity, vector["device_password"], int(vector["salt_hex"], 16))
    made = client.device_verifier(secret) if client.device_verifier else None
    equal("(Salt, PasswordVerifier)", made, (vector["salt_b64"], vector["verifier_b64"]))


def _makes_secret_hash(client: CognitoClient, names: tuple[str, str, str]) -> None:
    username, client_id, secret = names
    made = client.secret_hash(*names) if client.secret_hash else None
    equal("SECRET_HASH", made, _hmac(secret.encode(), (username + client_id).encode()))


# Inputs.


def _challenge_of(vector: Vector) -> PasswordChallenge:
    if vector["kind"] == "log-in":
        identity: UserIdentity | DeviceIdentity = UserIdentity(vector["pool"], vector["username"])
    else:
        identity = DeviceIdentity(vector["device_group_key"], vector["device_key"])
    password = vector.get("password", vector.get("device_password", ""))
    numbers = (int(vector["a_hex"], 16), vector["B_hex"], vector["salt_hex"], vector["secret_block_b64"])
    return PasswordChallenge(identity, password, *numbers, _parse_timestamp(vector["timestamp"]))


def _parse_timestamp(timestamp: str) -> datetime:
    # strptime() would need the names of the months in the language of the process.
    _, month, day, time, _, year = timestamp.split()
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    hour, minute, second = map(int, time.split(":"))
    return datetime(int(year), months.index(month) + 1, int(day), hour, minute, second, tzinfo=timezone.utc)


def _vectors(*categories: str, kind: str = "log-in") -> Callable[[], Iterable[Vector]]:
    return partial(cognito_vectors, kind, *categories)


def _sent(exchange: CognitoExchange = _HONEST, salt: str = "", B: str = "", secret_block: str = "") -> SentChallenge:
    """Return the challenge of *exchange*, with the strings that are not empty instead of the usual ones."""
    usual = exchange.challenge()
    block = secret_block or usual.secret_block
    return SentChallenge(replace(usual, salt=salt or usual.salt, B=B or usual.B, secret_block=block), exchange)


def _salts(*pairs: tuple[str, int]) -> Iterable[SentChallenge]:
    for text, number in pairs:
        yield _sent(_HONEST.with_salt(number), salt=text)


def _plain_salts() -> Iterable[SentChallenge]:
    return _salts(
        ("1", 1), ("7f", 0x7F), ("80", 0x80), ("ABCDEF", 0xABCDEF), ("abc", 0xABC), ("8" * 32, int("8" * 32, 16))
    )


def _salts_with_zeros() -> Iterable[SentChallenge]:
    return _salts(("0", 0), ("01", 1), ("001", 1), ("0001", 1), ("007f", 0x7F), ("0080", 0x80), ("000080", 0x80))


def _negative_salts() -> Iterable[SentChallenge]:
    return _salts(("-1", -1), ("-7f", -0x7F), ("-80", -0x80), ("-81", -0x81), ("-93AB", -0x93AB))


def _hostile_Bs(*values: str) -> Iterable[PasswordChallenge]:
    return [replace(_HONEST.challenge(), B=value) for value in values]


_N = MODP_3072.N
_NOT_HEX = ("", "-", "g", "0x1f", "1_0", " 1f", "1f\n", "+1f", "\uff11", "1f 1f")


def _passwords() -> Iterable[SentChallenge]:
    for password in ("Passw0rd!", "caf\u00e9", "\ufb01ne", " lead", "nul\0byte", "a:b", "l" * 300, ""):
        for typed in (password, *near_miss_passwords(password)):
            yield _sent(replace(_HONEST, password=typed))


def _times() -> Iterable[PasswordChallenge]:
    days = [datetime(2024, month, month, month + 10, month) for month in range(1, 13)]
    for time in (*days, datetime(2024, 12, 31, 23, 59, 59), datetime(2030, 11, 9), datetime(2024, 2, 29, 12)):
        yield replace(_HONEST.challenge(), time=time.replace(tzinfo=timezone.utc))


def _secret_blocks() -> Iterable[SentChallenge]:
    for block in (b"a", b"ab", b"abc", b"\xfb\xef\xbe\xff\xfe"):
        exchange = replace(_HONEST, secret_block=block)
        url_safe = base64.urlsafe_b64encode(block).decode("ascii")
        for text in (url_safe, exchange.challenge().secret_block.rstrip("="), url_safe.rstrip("=")):
            yield _sent(exchange, secret_block=text)


def _agreements() -> Iterable[SentChallenge]:
    return [_sent(), _sent(replace(_HONEST, identity=UserIdentity("us-east-1_000000000", "a:b")))]


def _random_exchanges() -> SearchStrategy[SentChallenge]:
    def is_plain(exchange: CognitoExchange) -> bool:
        return exchange.salt > 0

    return cognito_exchanges(signed_salts=False).filter(is_plain).map(_sent)


_PUBLIC_VALUE: list[Law[CognitoClient, Any]] = [
    Law("public_value", "SRP_A is g^a mod N in hexadecimal", _sends_public_value,
        lambda: (1, 2, 3, 3071, 3072, (1 << 255) + 1, (1 << 1023) + 1)),
]  # fmt: skip

_ANSWER: list[Law[CognitoClient, Any]] = [
    Law("known_answers", "the claim is that of AWS's own clients for random values and for names in many scripts",
        _matches_vector, _vectors("random", "unicode")),
    Law("short_numbers", "the claim is that of AWS's own clients if A, B, u, S or x is short, or its top bit is set",
        _matches_vector, _vectors("A_", "B_", "u_", "S_", "x_", "small_a")),
    Law("agreement", "the claim is the one that the service expects", _matches, _agreements, _random_exchanges),
    Law("passwords_as_typed", "the password is hashed as UTF-8, without a change", _matches, _passwords),
    Law("salts", "SALT may be of any length, in upper or lower case, and with the top bit set",
        _matches, _plain_salts),
    Law("known_salts", "the claim is that of AWS's own clients for salts with the top bit set or an odd length",
        _matches_vector, _vectors("salt_high_bit", "salt_odd", "salt_uppercase", "salt_00_then_high_bit")),
    Law("salts_with_leading_zeros", "SALT is a number: leading zeros do not change it", _matches, _salts_with_zeros),
    Law("known_salts_with_leading_zeros", "the claim is that of AWS's own clients for a SALT with a zero byte in front",
        _matches_vector, _vectors("NONCANONICAL")),
    Law("negative_salts", "SALT may be negative, and is hashed in two's complement", _matches, _negative_salts),
    Law("known_negative_salts", "the claim is that of AWS's own clients for a negative SALT",
        _matches_vector, _vectors("negative_salt")),
    Law("forms_of_B", "SRP_B is a number: leading zeros and upper case do not change it",
        _matches, lambda: [_sent(B=text) for text in (_HONEST.challenge().B.upper(), "0" + _HONEST.challenge().B,
                                                         "00" + _HONEST.challenge().B)]),
    Law("refuses_B_zero", "the client refuses a B that is 0 modulo N",
        _refuses, lambda: _hostile_Bs("0", "00", f"{_N:x}", f"{2 * _N:x}", f"-{_N:x}")),
    Law("refuses_B_out_of_range", "the client refuses a B that is not between 1 and N-1",
        _refuses, lambda: _hostile_Bs("-1", f"{_N + 1:x}", f"{_N + _HONEST.pair.public:x}", "f" * 2000)),
    Law("refuses_B_that_is_not_hexadecimal", "the client refuses an SRP_B that is not a hexadecimal number",
        _refuses, lambda: _hostile_Bs(*_NOT_HEX)),
    Law("refuses_salts_that_are_not_hexadecimal", "the client refuses a SALT that is not a hexadecimal number",
        _refuses, lambda: [replace(_HONEST.challenge(), salt=text) for text in _NOT_HEX]),
    Law("secret_blocks", "SECRET_BLOCK may be URL-safe base64 or have no padding, and goes back unchanged",
        _matches, _secret_blocks),
    Law("timestamps", "TIMESTAMP is EEE MMM d HH:mm:ss UTC yyyy in English, the day without a leading zero",
        _formats_time, _times),
]  # fmt: skip

_DEVICE: list[Law[CognitoClient, Any]] = [
    Law("known_devices", "the claim of a device is that of AWS's own clients",
        _matches_vector, _vectors(kind="device log-in")),
    Law("device_agreement", "the claim of a device is the one that the service expects",
        _matches, lambda: [_sent(replace(_HONEST, identity=_DEVICE_ID))]),
    Law("device_refuses_B_zero", "the device refuses a B that is 0 modulo N",
        _refuses, lambda: [replace(challenge, identity=_DEVICE_ID) for challenge in _hostile_Bs("0", f"{_N:x}")]),
    Law("device_salts", "SALT of a device may have leading zeros or be negative", _matches,
        lambda: [_sent(replace(_HONEST, identity=_DEVICE_ID, salt=number), salt=text)
                 for text, number in (("0001", 1), ("-1", -1), ("-93AB", -0x93AB))]),
]  # fmt: skip

_DEVICE_VERIFIER: list[Law[CognitoClient, Any]] = [
    Law("device_verifiers", "Salt and PasswordVerifier are those of AWS's own clients",
        _makes_device_verifier, _vectors(kind="device verifier")),
]  # fmt: skip

_SECRET_HASH: list[Law[CognitoClient, Any]] = [
    Law("secret_hashes", "SECRET_HASH is base64(HMAC-SHA-256(client secret, username | client id))",
        _makes_secret_hash, lambda: [("alice", "client", "secret"), ("\u00e9mile", "client", "s\u00e9cret"),
                                     ("", "client", "secret"), ("alice", "client", "s" * 65)]),
]  # fmt: skip
