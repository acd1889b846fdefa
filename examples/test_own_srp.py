"""Property tests of an SRP client that you wrote yourself. Run them with ``pytest test_own_srp.py``.

``check_srp_client`` runs a suite of laws on the client: agreement with an honest server, known answers of RFC 5054,
unsafe values of a hostile server, similar passwords. If a law does not hold, it shows the smallest example.
"""

import hashlib
import hmac
import secrets

from hypothesis import given
from hypothesis import strategies as st

from srpcore.crypto.groups import Group
from srpcore.testing import SrpClientSetup, check_srp_client, passwords, rfc5054_groups, salts


class OwnClient:
    """A small SRP-6a client (RFC 5054, RFC 2945): put the code here that you want to test."""

    def __init__(self, setup: SrpClientSetup) -> None:
        self._N, self._g, self._digest = setup.group.N, setup.group.g, setup.digest
        self._identity, self._password = setup.identity.encode(), setup.password.encode()
        self._a = secrets.randbits(256) if setup.a is None else setup.a
        self.A = pow(self._g, self._a, self._N)
        self._key, self._proof = b"", b""

    def _pad(self, number: int) -> bytes:
        return number.to_bytes((self._N.bit_length() + 7) // 8, "big")

    def _hash(self, *parts: bytes) -> bytes:
        return hashlib.new(self._digest, b"".join(parts)).digest()

    def _number(self, *parts: bytes) -> int:
        return int.from_bytes(self._hash(*parts), "big")

    def private_key(self, salt: bytes) -> int:
        return self._number(salt, self._hash(self._identity, b":", self._password))

    def prove(self, salt: bytes, B: int) -> bytes:
        if not 0 < B < self._N:
            raise ValueError("B must be between 1 and N-1")
        if self._proof:
            raise ValueError("a second B for the same A")
        u = self._number(self._pad(self.A), self._pad(B))
        if u == 0:
            raise ValueError("u is 0")
        k, x = self._number(self._pad(self._N), self._pad(self._g)), self.private_key(salt)
        S = pow(B - k * pow(self._g, x, self._N), self._a + u * x, self._N)
        self._key = self._hash(unpadded(S))
        group = bytes(a ^ b for a, b in zip(self._hash(unpadded(self._N)), self._hash(unpadded(self._g)), strict=True))
        self._proof = self._hash(group, self._hash(self._identity), salt, unpadded(self.A), unpadded(B), self._key)
        return self._proof

    def verify(self, server_proof: bytes) -> bytes:
        expected = self._hash(unpadded(self.A), self._proof, self._key)
        if not self._proof or not hmac.compare_digest(server_proof, expected):
            raise ValueError("the server does not know the verifier of this password")
        return self._key


def unpadded(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def test_all_laws_hold() -> None:
    check_srp_client(OwnClient)


@given(group=rfc5054_groups(), password=passwords(), salt=salts(signed=False), bit=st.integers(0, 127))
def test_the_private_key_depends_on_every_bit_of_the_salt(group: Group, password: str, salt: int, bit: int) -> None:
    client = OwnClient(SrpClientSetup(group, "sha256", "alice", password, a=1))
    changed = salt ^ 1 << bit
    assert client.private_key(salt.to_bytes(16, "big")) != client.private_key(changed.to_bytes(16, "big"))
