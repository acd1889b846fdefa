"""The laws of SRP-6a hold for this library, find the faults of others, and each of them can fail."""

from __future__ import annotations

import hashlib
import hmac
import inspect
import secrets
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from srpcore.crypto.groups import RFC5054_GROUPS, Group
from srpcore.crypto.srp import Parameters
from srpcore.testing import (
    LawViolation,
    SrpClient,
    SrpClientSetup,
    SrpServer,
    SrpServerSetup,
    check_srp_client,
    check_srp_server,
    safe_prime_groups,
)
from srpcore.testing.exchanges import SrpExchange
from srpcore.testing.known_answers import RFC5054_APPENDIX_B
from srpcore.testing.laws import LawBroken
from srpcore.testing.srp_checks import client_with_password
from support.srp_peers import (
    PaddedGenerator,
    our_client,
    our_server,
    pysrp_client,
    pysrp_server,
    rfc5054_mode,
    srptools_client,
    srptools_server,
)

pytestmark = pytest.mark.slow

LAWS = {
    "known_answers",
    "agreement",
    "leading_zeros_of_hashes",
    "small_groups",
    "fresh_secrets",
}
CLIENT_LAWS = LAWS | {
    "passwords_as_typed",
    "refuses_B_zero",
    "refuses_B_out_of_range",
    "refuses_wrong_server_proof",
    "refuses_early_server_proof",
    "refuses_second_B",
}
SERVER_LAWS = LAWS | {
    "refuses_other_password",
    "refuses_A_zero",
    "refuses_A_out_of_range",
    "refuses_wrong_client_proof",
}


def test_every_law_holds_for_our_client() -> None:
    assert set(check_srp_client(our_client).laws) == CLIENT_LAWS


def test_every_law_holds_for_our_server() -> None:
    assert set(check_srp_server(our_server).laws) == SERVER_LAWS


@pytest.mark.long
@pytest.mark.parametrize(("bits", "digest"), [(2048, "sha512"), (3072, "sha256")])
def test_every_law_holds_in_other_groups_and_with_other_hashes(bits: int, digest: str) -> None:
    group = RFC5054_GROUPS[bits]
    assert check_srp_client(our_client, groups=[group], digests=[digest], examples=5).ok
    assert check_srp_server(our_server, groups=[group], digests=[digest], examples=5).ok


@pytest.mark.counterpart
def test_faults_of_srptools_are_found() -> None:
    # It hashes H(I), and H(N) xor H(g), as integers, without leading zeros.
    faults = ["leading_zeros_of_hashes", "refuses_B_out_of_range", "refuses_second_B"]
    check_srp_client(srptools_client, known_faults=faults)
    check_srp_server(srptools_server, known_faults=["leading_zeros_of_hashes", "refuses_A_out_of_range"])


@pytest.mark.counterpart
def test_faults_of_srp_are_found() -> None:
    with rfc5054_mode():
        check_srp_client(
            pysrp_client, parameters=PaddedGenerator, known_faults=["refuses_B_out_of_range", "refuses_second_B"]
        )
        check_srp_server(pysrp_server, parameters=PaddedGenerator, known_faults=["refuses_A_out_of_range"])


@pytest.mark.counterpart
def test_the_proof_of_srp_is_not_that_of_the_rfc() -> None:
    with rfc5054_mode(), pytest.raises(LawViolation) as caught:
        check_srp_client(pysrp_client)
    assert {"known_answers", "agreement"} <= caught.value.report.failed
    assert "M1 is" in str(caught.value)


# Clients and servers that are wrong in one way each.


class Naive(Parameters):
    """The protocol without a check. The classes below change one step each."""

    def is_refused(self, value: int) -> bool:
        return not 0 < value < self.group.N

    def is_proof(self, given: bytes, right: bytes) -> bool:
        return hmac.compare_digest(given, right)

    def is_second(self, answered: int | None, B: int) -> bool:
        return answered not in (None, B)

    def is_early(self, proof: bytes) -> bool:
        return not proof

    def default_secret(self) -> int | None:
        return None


class UnpaddedMultiplier(Naive):
    k = property(lambda self: self.hash_int(self.pad(self.group.N), bytes([self.group.g])))


class UnpaddedScrambling(Naive):
    def scrambling(self, A: int, B: int) -> int:
        return self.hash_int(*(number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (A, B)))


class SaltAsNumber(Naive):
    def client_proof(self, identity: str, salt: bytes, A: int, B: int, key: bytes) -> bytes:
        return super().client_proof(identity, salt.lstrip(b"\0"), A, B, key)


class HashAsNumber(Naive):
    def hash(self, *parts: bytes) -> bytes:
        return super().hash(*(part.lstrip(b"\0") if len(part) == 20 else part for part in parts))


class NoCheck(Naive):
    def is_refused(self, value: int) -> bool:
        return False


class OnlyZero(Naive):
    def is_refused(self, value: int) -> bool:
        return value % self.group.N == 0


class PrefixOfProof(Naive):
    def is_proof(self, given: bytes, right: bytes) -> bool:
        return right.startswith(given)


class FirstBytesOfProof(Naive):
    def is_proof(self, given: bytes, right: bytes) -> bool:
        return given[:16] == right[:16]


class NoProof(Naive):
    def is_proof(self, given: bytes, right: bytes) -> bool:
        return True


class EarlyProof(Naive):
    def is_early(self, proof: bytes) -> bool:
        return False


class ManyProofs(Naive):
    def is_second(self, answered: int | None, B: int) -> bool:
        return False


class AnyCase(Naive):
    def private_key(self, identity: str, password: str, salt: bytes) -> int:
        return super().private_key(identity, password.lower(), salt)


class CutAfter72Bytes(Naive):
    def private_key(self, identity: str, password: str, salt: bytes) -> int:
        return super().private_key(identity, password.encode()[:72].decode(errors="ignore"), salt)


class Truncating(Naive):
    def private_key(self, identity: str, password: str, salt: bytes) -> int:
        return super().private_key(identity, password[:72], salt)


class FixedSecret(Naive):
    def default_secret(self) -> int | None:
        return 7


class ShortSecret(Naive):
    def default_secret(self) -> int | None:
        return secrets.randbits(16)


class CountedSecret(Naive):
    numbers = count(1 << 20)

    def default_secret(self) -> int | None:
        return next(self.numbers) % 60 + (1 << 20)


class NaiveClient:
    def __init__(self, p: Naive, setup: SrpClientSetup) -> None:
        self.p, self.setup = p, setup
        self.a = setup.a or p.default_secret() or our_client(setup).pair.secret
        self.A = pow(setup.group.g, self.a, setup.group.N)
        self.answered: int | None = None
        self.key, self.proof = b"", b""

    def prove(self, salt: bytes, B: int) -> bytes:
        p, group = self.p, self.p.group
        if p.is_refused(B):
            raise ValueError("unsafe B")
        if p.is_second(self.answered, B):
            raise ValueError("a second B")
        self.answered = B
        x = p.private_key(self.setup.identity, self.setup.password, salt)
        u = p.scrambling(self.A, B % group.N)
        self.key = p.session_key(pow(B - p.k * pow(group.g, x, group.N), self.a + u * x, group.N))
        self.proof = p.client_proof(self.setup.identity, salt, self.A, B % group.N, self.key)
        return self.proof

    def verify(self, server_proof: bytes) -> bytes:
        right = self.p.server_proof(self.A, self.proof, self.key)
        if self.p.is_early(self.proof) or not self.p.is_proof(server_proof, right):
            raise ValueError("wrong proof")
        return self.key


class NaiveServer:
    def __init__(self, p: Naive, setup: SrpServerSetup) -> None:
        self.p, self.setup = p, setup
        self.b = setup.b or p.default_secret() or our_server(setup).pair.secret
        self.B = (p.k * setup.verifier + pow(p.group.g, self.b, p.group.N)) % p.group.N

    def verify(self, A: int, client_proof: bytes) -> tuple[bytes, bytes]:
        p, setup, N = self.p, self.setup, self.p.group.N
        if p.is_refused(A):
            raise ValueError("unsafe A")
        u = p.scrambling(A % N, self.B)
        key = p.session_key(pow(A * pow(setup.verifier, u, N), self.b, N))
        right = p.client_proof(setup.identity, setup.salt, A % N, self.B, key)
        if not p.is_proof(client_proof, right):
            raise ValueError("wrong proof")
        return key, p.server_proof(A % N, right, key)


def naive_client(formulas: Callable[[Group, str], Naive]) -> Callable[[SrpClientSetup], NaiveClient]:
    return lambda setup: NaiveClient(formulas(setup.group, setup.digest), setup)


def naive_server(formulas: Callable[[Group, str], Naive]) -> Callable[[SrpServerSetup], NaiveServer]:
    return lambda setup: NaiveServer(formulas(setup.group, setup.digest), setup)


BROKEN = {
    "known_answers": UnpaddedMultiplier,
    "agreement": SaltAsNumber,
    "leading_zeros_of_hashes": HashAsNumber,
    "small_groups": UnpaddedScrambling,
    "refuses_B_zero": NoCheck,
    "refuses_B_out_of_range": OnlyZero,
    "refuses_wrong_server_proof": PrefixOfProof,
    "refuses_early_server_proof": EarlyProof,
    "refuses_second_B": ManyProofs,
    "refuses_A_zero": NoCheck,
    "refuses_A_out_of_range": OnlyZero,
    "refuses_wrong_client_proof": FirstBytesOfProof,
    "fresh_secrets": FixedSecret,
    "passwords_as_typed": Truncating,
    "refuses_other_password": NoProof,
}


@pytest.mark.parametrize("side", [SrpClient, SrpServer])
def test_the_documentation_names_all_that_a_class_must_have(side: type) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "testing-cryptography.md").read_text(encoding="utf-8")
    for name, member in vars(side).items():
        if isinstance(member, property):
            assert f"`{name}: int`" in page
        elif callable(member) and not name.startswith("_"):
            _, *parameters = inspect.signature(member).parameters.values()
            assert f"`{name}({', '.join(f'{p.name}: {p.annotation}' for p in parameters)}) -> " in page


def test_a_naive_client_and_server_are_right_before_they_are_broken() -> None:
    assert check_srp_client(naive_client(Naive)).ok
    assert check_srp_server(naive_server(Naive)).ok


@pytest.mark.parametrize("law", sorted(CLIENT_LAWS))
def test_each_law_of_a_client_can_fail(law: str) -> None:
    with pytest.raises(LawViolation) as caught:
        check_srp_client(naive_client(BROKEN[law]), laws=[law], examples=50)
    assert caught.value.report.failed == {law}


@pytest.mark.parametrize("law", sorted(SERVER_LAWS))
def test_each_law_of_a_server_can_fail(law: str) -> None:
    with pytest.raises(LawViolation) as caught:
        check_srp_server(naive_server(BROKEN[law]), laws=[law], examples=50)
    assert caught.value.report.failed == {law}


@pytest.mark.parametrize("formulas", [AnyCase, Truncating])
def test_a_client_that_changes_the_password_is_found(formulas: type[Naive]) -> None:
    with pytest.raises(LawViolation) as caught:
        check_srp_client(naive_client(formulas), laws=["passwords_as_typed"])
    assert "passwords_as_typed" in caught.value.report.failed


@pytest.mark.parametrize("formulas", [FixedSecret, ShortSecret, CountedSecret])
def test_secrets_that_repeat_or_are_short_are_found(formulas: type[Naive]) -> None:
    for group in (RFC5054_GROUPS[1024], *safe_prime_groups(below=24)):
        with pytest.raises(LawViolation, match=r"two of 64 clients have the same A|one of 64 secrets is a = "):
            check_srp_client(naive_client(formulas), laws=["fresh_secrets"], groups=[group])
        with pytest.raises(LawViolation, match=r"two of 64 servers have the same B|one of 64 secrets is b = "):
            check_srp_server(naive_server(formulas), laws=["fresh_secrets"], groups=[group])


def test_random_secrets_are_fresh_even_if_only_a_small_group_is_chosen() -> None:
    groups = safe_prime_groups(below=6)
    assert check_srp_client(our_client, laws=["fresh_secrets"], groups=groups).ok
    assert check_srp_server(our_server, laws=["fresh_secrets"], groups=groups).ok


def test_the_place_where_two_long_passwords_differ_is_reported() -> None:
    with pytest.raises(LawViolation, match=r"\(they differ at character 73\)"):
        check_srp_client(naive_client(CutAfter72Bytes), laws=["passwords_as_typed"])
    with pytest.raises(LawViolation, match=r"\(they differ at character 9\) was accepted"):
        check_srp_server(naive_server(NoProof), laws=["refuses_other_password"])


def test_a_client_that_fails_for_some_passwords_is_reported_with_its_own_error() -> None:
    class NoSpaces(Naive):
        def private_key(self, identity: str, password: str, salt: bytes) -> int:
            if " " in password or len(password) < 8:
                raise ValueError("a password of this form is not supported")
            return super().private_key(identity, password[:72], salt)

    with pytest.raises(LawViolation) as caught:
        check_srp_client(naive_client(NoSpaces), laws=["passwords_as_typed"])
    assert "raised ValueError: a password of this form is not supported" in str(caught.value)
    long = SrpExchange(Parameters(RFC5054_GROUPS[1024]), "alice", "long" * 40, b"\1", 7, 9)
    with pytest.raises(LawBroken, match=r"\(they differ at character 73\)"):
        client_with_password(naive_client(NoSpaces), (long, long.password))


@pytest.mark.parametrize(("check", "side"), [(check_srp_client, naive_client), (check_srp_server, naive_server)])
def test_a_report_of_a_wrong_proof_has_the_honest_values(check: Any, side: Any) -> None:
    with pytest.raises(LawViolation) as caught:
        check(side(UnpaddedMultiplier), laws=["known_answers"])
    (failure,) = caught.value.report.failures
    known = RFC5054_APPENDIX_B
    for name in ("k", "x", "u"):
        assert f"{name} = {known[name]:#x}," in failure.found
    assert f" S = {known['S']:#x}"[:60] in failure.found
    assert f"K = {hashlib.sha1(known['S'].to_bytes(128, 'big')).hexdigest()})" in failure.found


def test_the_smallest_salt_that_breaks_agreement_is_reported() -> None:
    with pytest.raises(LawViolation) as caught:
        check_srp_client(naive_client(SaltAsNumber), laws=["agreement"], examples=100)
    (failure,) = caught.value.report.failures
    assert "identity='', password='', salt=b'\\x00'" in str(failure)


def test_other_formulas_can_be_passed() -> None:
    class KeyHashedTwice(Naive):
        def session_key(self, premaster: int) -> bytes:
            return self.hash(super().session_key(premaster))

    assert check_srp_client(naive_client(KeyHashedTwice), parameters=KeyHashedTwice).ok
    assert check_srp_server(naive_server(KeyHashedTwice), parameters=KeyHashedTwice).ok
    with pytest.raises(LawViolation):
        check_srp_client(our_client, parameters=KeyHashedTwice)
