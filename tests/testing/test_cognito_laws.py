"""The laws of Cognito's dialect hold for this library, find the faults of pycognito, and each of them can fail."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest

from srpcore.crypto import cognito, srp
from srpcore.crypto.encoding import to_bytes
from srpcore.crypto.hkdf import hkdf
from srpcore.crypto.modexp import modexp
from srpcore.testing import (
    ClaimAnswer,
    CognitoClient,
    DeviceIdentity,
    DeviceSecret,
    LawViolation,
    PasswordChallenge,
    UserIdentity,
    check_cognito_dialect,
)
from srpcore.testing.cognito_laws import _ANSWER, _DEVICE, _DEVICE_VERIFIER, _PUBLIC_VALUE, _SECRET_HASH
from srpcore.testing.known_answers import cognito_vectors
from support import vectors
from support.cognito_peers import OURS, PYCOGNITO

pytestmark = pytest.mark.slow

LAWS = tuple(law.name for law in (*_PUBLIC_VALUE, *_ANSWER, *_DEVICE, *_DEVICE_VERIFIER, *_SECRET_HASH))

FAULTS_OF_PYCOGNITO = [
    "salts_with_leading_zeros",  # it pads the string, not the number
    "known_salts_with_leading_zeros",
    "negative_salts",
    "known_negative_salts",
    "refuses_B_zero",
    "refuses_B_out_of_range",
    "refuses_B_that_is_not_hexadecimal",
    "secret_blocks",
    "device_refuses_B_zero",
    "device_salts",
]


def failed(client: CognitoClient, *laws: str) -> frozenset[str]:
    with pytest.raises(LawViolation) as caught:
        check_cognito_dialect(client, laws=laws or None, examples=5)
    return caught.value.report.failed


def test_every_law_holds_for_this_library() -> None:
    assert check_cognito_dialect(OURS).laws == LAWS


@pytest.mark.counterpart
def test_faults_of_pycognito_are_found() -> None:
    report = check_cognito_dialect(PYCOGNITO, known_faults=FAULTS_OF_PYCOGNITO, examples=3)
    examples = {failure.law: failure.example for failure in report.failures}
    zero = examples["refuses_B_zero"]
    assert isinstance(zero, PasswordChallenge)
    assert zero.B == "0"
    assert "salt='001'" in str(report)


def test_laws_of_functions_that_were_not_passed_are_not_run() -> None:
    report = check_cognito_dialect(CognitoClient(OURS.public_value, OURS.answer), examples=3)
    assert not [law for law in report.laws if "device" in law or "secret_hash" in law]


def test_the_vectors_of_the_kit_are_those_of_the_project() -> None:
    rows = [
        row
        for name in ("log_in", "edges", "device_log_in", "device_verifiers")
        for row in vectors.load_lines(f"cognito/{name}.jsonl")
    ]
    kit = [row for kind in ("log-in", "device log-in", "device verifier") for row in cognito_vectors(kind)]
    assert len(kit) > 30
    for vector in kit:
        members = {name: value for name, value in vector.items() if name != "kind"}
        assert any(members.items() <= row.items() for row in rows)


# A client that is right, in steps that the tests replace.


class Steps:
    def parse(self, number: str) -> int:
        if not number.removeprefix("-").isalnum() or not number.isascii() or "x" in number:
            raise ValueError(number)
        return int(number, 16)

    def parse_salt(self, number: str) -> int:
        return self.parse(number)

    def check(self, B: int) -> None:
        if not 0 < B < cognito.GROUP.N:
            raise ValueError(B)

    def hashed_salt(self, salt: str) -> bytes:
        return to_bytes(self.parse_salt(salt))

    def utf8(self, password: str) -> bytes:
        return password.encode()

    def decode(self, block: str) -> bytes:
        return base64.b64decode(
            block.replace("-", "+").replace("_", "/").rstrip("=") + "=" * (-len(block.rstrip("=")) % 4)
        )

    def tc(self, number: int) -> bytes:
        return to_bytes(number)

    def identity(self, identity: UserIdentity | DeviceIdentity) -> str:
        return identity.hashed

    def timestamp(self, challenge: PasswordChallenge) -> str:
        return challenge.timestamp

    def sent_back(self, block: str) -> str:
        return block

    def answer(self, challenge: PasswordChallenge) -> ClaimAnswer:
        B, group = self.parse(challenge.B), cognito.GROUP
        self.check(B)
        identity = self.identity(challenge.identity)
        inner = hashlib.sha256(identity.encode() + b":" + self.utf8(challenge.password)).digest()
        x = cognito._hash_int(self.hashed_salt(challenge.salt), inner)
        A = modexp(group.g, challenge.a, group.N)
        u = cognito._hash_int(self.tc(A), self.tc(B))
        S = modexp(B - cognito.k * modexp(group.g, x, group.N), challenge.a + u * x, group.N)
        key = hkdf(self.tc(S), salt=self.tc(u), info=cognito.INFO, length=16)
        timestamp = self.timestamp(challenge)
        claim = cognito.claim(key, identity, self.decode(challenge.secret_block), timestamp)
        return ClaimAnswer(timestamp, claim, self.sent_back(challenge.secret_block))


def client_of(steps: Steps) -> CognitoClient:
    return replace(OURS, answer=steps.answer, answer_device=steps.answer)


class PaddedToN(Steps):
    def tc(self, number: int) -> bytes:
        return number.to_bytes(385 if number.bit_length() > 256 else 33, "big")


class MinimalUnsigned(Steps):
    def tc(self, number: int) -> bytes:
        return number.to_bytes((number.bit_length() + 7) // 8, "big")


class OtherIdentity(Steps):
    def identity(self, identity: UserIdentity | DeviceIdentity) -> str:
        return identity.hashed.lower()


class Normalising(Steps):
    def utf8(self, password: str) -> bytes:
        return unicodedata.normalize("NFC", password).encode()


class Stripping(Steps):
    def utf8(self, password: str) -> bytes:
        return password.strip().encode()


class UnsignedSalt(Steps):
    def hashed_salt(self, salt: str) -> bytes:
        return abs(int(salt, 16)).to_bytes((len(salt) + 1) // 2, "big")


class PaddedText(Steps):
    def hashed_salt(self, salt: str) -> bytes:
        if salt.startswith("-"):
            return super().hashed_salt(salt)
        return bytes.fromhex(("0" if len(salt) % 2 else "00" if salt[0] in "89abcdefABCDEF" else "") + salt)


class LongSalt(Steps):
    def parse_salt(self, number: str) -> int:
        return self.parse(number) if len(number) > 20 else 0


class LowerCaseB(Steps):
    def parse(self, number: str) -> int:
        if (number.startswith("0") and len(number) > 1) or (number != number.lower() and len(number) > 99):
            raise ValueError("not canonical")
        return super().parse(number)


class NoCheck(Steps):
    def check(self, B: int) -> None: ...


class OnlyZero(Steps):
    def check(self, B: int) -> None:
        if B % cognito.GROUP.N == 0:
            raise ValueError(B)


class PythonsInt(Steps):
    def parse(self, number: str) -> int:
        return int(number, 16)


class StandardBase64(Steps):
    def decode(self, block: str) -> bytes:
        return base64.b64decode(block)


class DecodedBlock(Steps):
    def sent_back(self, block: str) -> str:
        return base64.b64encode(self.decode(block)).decode()


class TwoDigits(Steps):
    def timestamp(self, challenge: PasswordChallenge) -> str:
        return f"{challenge.time:%a %b %d %H:%M:%S UTC %Y}"


def of_devices(kind: type[Steps]) -> Callable[[], CognitoClient]:
    return lambda: replace(OURS, answer_device=kind().answer)


def of_users(kind: type[Steps]) -> Callable[[], CognitoClient]:
    return lambda: replace(OURS, answer=kind().answer)


def padded_verifier(secret: DeviceSecret) -> tuple[str, str]:
    x = cognito.private_key(secret.identity.hashed, secret.password, secret.salt)
    return base64.b64encode(secret.salt.to_bytes(16, "big")).decode(), base64.b64encode(
        to_bytes(cognito.verifier(x))
    ).decode()


Broken: TypeAlias = tuple[str, Callable[[], CognitoClient]]

BROKEN: list[Broken] = [
    ("public_value", lambda: replace(OURS, public_value=lambda a: f"0{srp.client_pair(cognito.GROUP, a).public:x}")),
    ("known_answers", of_users(OtherIdentity)),
    ("short_numbers", of_users(PaddedToN)),
    ("short_numbers", of_users(MinimalUnsigned)),
    ("agreement", of_users(OtherIdentity)),
    ("passwords_as_typed", of_users(Normalising)),
    ("passwords_as_typed", of_users(Stripping)),
    ("salts", of_users(LongSalt)),
    ("known_salts", of_users(UnsignedSalt)),
    ("salts_with_leading_zeros", of_users(PaddedText)),
    ("known_salts_with_leading_zeros", of_users(PaddedText)),
    ("negative_salts", of_users(UnsignedSalt)),
    ("known_negative_salts", of_users(UnsignedSalt)),
    ("forms_of_B", of_users(LowerCaseB)),
    ("refuses_B_zero", of_users(NoCheck)),
    ("refuses_B_out_of_range", of_users(OnlyZero)),
    ("refuses_B_that_is_not_hexadecimal", of_users(PythonsInt)),
    ("refuses_salts_that_are_not_hexadecimal", of_users(PythonsInt)),
    ("secret_blocks", of_users(StandardBase64)),
    ("secret_blocks", of_users(DecodedBlock)),
    ("timestamps", of_users(TwoDigits)),
    ("known_devices", of_devices(MinimalUnsigned)),
    ("device_agreement", of_devices(OtherIdentity)),
    ("device_refuses_B_zero", of_devices(NoCheck)),
    ("device_salts", of_devices(PaddedText)),
    ("device_verifiers", lambda: replace(OURS, device_verifier=padded_verifier)),
    ("secret_hashes", lambda: replace(OURS, secret_hash=lambda name, app, secret: OURS.secret_hash(app, name, secret))),  # type: ignore[misc]
]


def test_the_steps_are_right_before_they_are_broken() -> None:
    assert check_cognito_dialect(client_of(Steps()), examples=5).ok


@pytest.mark.parametrize(("law", "broken"), BROKEN, ids=[f"{law}-{n}" for n, (law, _) in enumerate(BROKEN)])
def test_each_law_can_fail(law: str, broken: Callable[[], CognitoClient]) -> None:
    assert failed(broken(), law) == {law}


def test_a_broken_client_is_known_for_each_law() -> None:
    assert {law for law, _ in BROKEN} == set(LAWS)


def test_a_client_that_uses_its_own_clock_breaks_only_the_law_of_timestamps() -> None:
    class OwnClock(Steps):
        def timestamp(self, challenge: PasswordChallenge) -> str:
            return "Mon Jan 1 00:00:00 UTC 2001"

    assert failed(client_of(OwnClock())) == {"timestamps"}


@pytest.mark.parametrize(("law", "kind"), [("known_answers", "log-in"), ("known_devices", "device log-in")])
def test_a_report_of_a_wrong_signature_has_the_honest_values(law: str, kind: str) -> None:
    class WrongKey(Steps):
        def tc(self, number: int) -> bytes:
            return b"\1" + to_bytes(number)

    with pytest.raises(LawViolation) as caught:
        check_cognito_dialect(client_of(WrongKey()), laws=[law])
    (failure,) = caught.value.report.failures
    found = re.search(r"\(expected k = 0x\w+, x = 0x\w+, u = (0x\w+), S = 0x[^,]+, K = (\w+)\)", failure.found)
    assert found is not None
    (vector,) = (row for row in cognito_vectors(kind) if row == failure.example)
    A = cognito.client_pair(int(vector["a_hex"], 16)).public
    assert int(found[1], 16) == cognito.scrambling(A, int(vector["B_hex"], 16))
    assert found[2] == vector["key_hex"].lower()
