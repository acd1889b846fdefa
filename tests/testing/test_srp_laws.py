"""The laws of SRP-6a hold for this library, find the faults of others, and each of them can fail."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import pytest

from srpcore.crypto.groups import RFC5054_GROUPS, Group
from srpcore.crypto.srp import Parameters
from srpcore.testing import LawViolation, SrpClientSetup, SrpServerSetup, check_srp_client, check_srp_server
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
CLIENT_LAWS = LAWS | {"passwords_as_typed", "refuses_B_zero", "refuses_B_out_of_range", "refuses_wrong_server_proof"}
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


@pytest.mark.parametrize(("bits", "digest"), [(2048, "sha512"), (3072, "sha256")])
def test_every_law_holds_in_other_groups_and_with_other_hashes(bits: int, digest: str) -> None:
    group = RFC5054_GROUPS[bits]
    assert check_srp_client(our_client, groups=[group], digests=[digest], examples=5).ok
    assert check_srp_server(our_server, groups=[group], digests=[digest], examples=5).ok


@pytest.mark.counterpart
def test_faults_of_srptools_are_found() -> None:
    # It hashes H(I), and H(N) xor H(g), as integers, without leading zeros.
    check_srp_client(srptools_client, known_faults=["leading_zeros_of_hashes", "refuses_B_out_of_range"])
    check_srp_server(srptools_server, known_faults=["leading_zeros_of_hashes", "refuses_A_out_of_range"])


@pytest.mark.counterpart
def test_faults_of_srp_are_found() -> None:
    with rfc5054_mode():
        check_srp_client(pysrp_client, parameters=PaddedGenerator, known_faults=["refuses_B_out_of_range"])
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


class AnyCase(Naive):
    def private_key(self, identity: str, password: str, salt: bytes) -> int:
        return super().private_key(identity, password.lower(), salt)


class Truncating(Naive):
    def private_key(self, identity: str, password: str, salt: bytes) -> int:
        return super().private_key(identity, password[:72], salt)


class FixedSecret(Naive):
    def default_secret(self) -> int | None:
        return 7


class NaiveClient:
    def __init__(self, p: Naive, setup: SrpClientSetup) -> None:
        self.p, self.setup = p, setup
        self.a = setup.a or p.default_secret() or our_client(setup).pair.secret
        self.A = pow(setup.group.g, self.a, setup.group.N)

    def prove(self, salt: bytes, B: int) -> bytes:
        p, group = self.p, self.p.group
        if p.is_refused(B):
            raise ValueError("unsafe B")
        x = p.private_key(self.setup.identity, self.setup.password, salt)
        u = p.scrambling(self.A, B % group.N)
        self.key = p.session_key(pow(B - p.k * pow(group.g, x, group.N), self.a + u * x, group.N))
        self.proof = p.client_proof(self.setup.identity, salt, self.A, B % group.N, self.key)
        return self.proof

    def verify(self, server_proof: bytes) -> bytes:
        if not self.p.is_proof(server_proof, self.p.server_proof(self.A, self.proof, self.key)):
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
    "refuses_A_zero": NoCheck,
    "refuses_A_out_of_range": OnlyZero,
    "refuses_wrong_client_proof": FirstBytesOfProof,
    "fresh_secrets": FixedSecret,
    "passwords_as_typed": Truncating,
    "refuses_other_password": NoProof,
}


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
