"""SRP-6a, both sides, with any group and hash (RFC 5054; the proofs are those of RFC 2945).

::

    client: I, P                                  server: s, v = g^x mod N
    a = random, A = g^a mod N        -- I, A -->
                                     <-- s, B --  b = random, B = k*v + g^b mod N
    S = (B - k*g^x)^(a + u*x) mod N               S = (A * v^u)^b mod N
    K = H(S)                         -- M1 ---->  K = H(S), check M1
    check M2                         <--- M2 ---

The names are those of the RFCs: *I* identity, *P* password, *s* salt, *x* private key, *v* verifier, *a*, *A* and *b*,
*B* ephemeral pairs, *k* multiplier, *u* scrambling parameter, *S* premaster secret, *K* session key, *M1* and *M2*
proofs. Integers are hashed as unsigned big-endian bytes; PAD() pads them to the length of *N*.

The functions for the pairs and for *S* are the same in every dialect. They are in :mod:`srpcore.crypto.key_exchange`.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cached_property

from ..exceptions.base import ConfigurationError, SrpcoreError, UnsafeServerValue
from .encoding import utf8
from .groups import RFC5054_GROUPS, Group
from .key_exchange import (
    Ephemeral,
    client_pair,
    client_premaster,
    secret_exponent,
    server_pair,
    server_premaster,
)
from .modexp import modexp

__all__ = [
    "Client",
    "Ephemeral",
    "Parameters",
    "ProofMismatch",
    "Server",
    "client_pair",
    "client_premaster",
    "secret_exponent",
    "server_pair",
    "server_premaster",
]


class ProofMismatch(SrpcoreError):
    """The proof of the other side is wrong: the password is wrong, or an attacker changed the messages."""


@dataclass(frozen=True)
class Parameters:
    """The parameters that both sides have agreed on: the group, and the hash by its name in :mod:`hashlib`.

    Raises:
        ConfigurationError: :mod:`hashlib` does not have this hash, or its output has no fixed length (SHAKE).
    """

    group: Group = RFC5054_GROUPS[2048]
    digest: str = "sha256"

    def __post_init__(self) -> None:
        try:
            length = hashlib.new(self.digest).digest_size
        except ValueError:
            length = 0
        if length == 0:
            raise ConfigurationError(
                f"unknown hash {self.digest!r}: use one of hashlib.algorithms_available with a fixed length"
            )

    @cached_property
    def k(self) -> int:
        """``k = H(N | PAD(g))`` (RFC 5054, section 2.5.3)."""
        return self.hash_int(self.pad(self.group.N), self.pad(self.group.g))

    def pad(self, number: int) -> bytes:
        """Return *number* as big-endian bytes, padded with zeros to the length of *N*."""
        return number.to_bytes(self.group.length, "big")

    def hash(self, *parts: bytes) -> bytes:
        """Return ``H(parts[0] | parts[1] | ...)``."""
        return hashlib.new(self.digest, b"".join(parts)).digest()

    def hash_int(self, *parts: bytes) -> int:
        """Return :meth:`hash` as an integer."""
        return int.from_bytes(self.hash(*parts), "big")

    def private_key(self, identity: str, password: str, salt: bytes) -> int:
        """Return ``x = H(s | H(I | ":" | P))`` (RFC 5054, section 2.4).

        Raises:
            ConfigurationError: *identity* or *password* is not a string that can be encoded as UTF-8.
        """
        inner = self.hash(utf8(identity, name="identity"), b":", utf8(password, name="password"))
        return self.hash_int(salt, inner)

    def verifier(self, x: int) -> int:
        """Return ``v = g^x mod N`` (RFC 5054, section 2.4)."""
        return modexp(self.group.g, x, self.group.N)

    def scrambling(self, A: int, B: int) -> int:
        """Return ``u = H(PAD(A) | PAD(B))`` (RFC 5054, section 2.6)."""
        return self.hash_int(self.pad(A), self.pad(B))

    def session_key(self, premaster: int) -> bytes:
        """Return ``K = H(S)``."""
        return self.hash(_unpadded(premaster))

    def client_proof(self, identity: str, salt: bytes, A: int, B: int, key: bytes) -> bytes:
        """Return ``M1 = H(H(N) xor H(g) | H(I) | s | A | B | K)`` (RFC 2945, section 3)."""
        mixed = self.hash_int(_unpadded(self.group.N)) ^ self.hash_int(_unpadded(self.group.g))
        hashed = mixed.to_bytes(hashlib.new(self.digest).digest_size, "big")
        identity_hash = self.hash(utf8(identity, name="identity"))
        return self.hash(hashed, identity_hash, salt, _unpadded(A), _unpadded(B), key)

    def server_proof(self, A: int, proof: bytes, key: bytes) -> bytes:
        """Return ``M2 = H(A | M1 | K)`` (RFC 2945, section 3)."""
        return self.hash(_unpadded(A), proof, key)


@dataclass
class Client:
    """The client in one exchange: send ``A``, call :meth:`prove` with the answer, then :meth:`verify` with *M2*."""

    parameters: Parameters
    identity: str
    password: str = field(repr=False)
    pair: Ephemeral = field(default=Ephemeral(0, 0), repr=False)
    key: bytes | None = field(default=None, init=False, repr=False)
    _answered: int | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.pair.public == 0:
            self.pair = client_pair(self.parameters.group)

    @property
    def A(self) -> int:
        """The public value to send."""
        return self.pair.public

    def prove(self, salt: bytes, B: int) -> bytes:
        """Return the proof *M1* and keep the session key in ``key``.

        Raises:
            UnsafeServerValue: *B* is not between 1 and N-1, *u* is 0, or this is a second *B* for the same *A*. This is
                checked before the password is used.
            ConfigurationError: the identity or the password is not a string that can be encoded as UTF-8.
        """
        p = self.parameters
        if not 0 < B < p.group.N:
            raise UnsafeServerValue("unsafe value from the server: B must be between 1 and N-1")
        if self._answered not in (None, B):
            raise UnsafeServerValue("unsafe value from the server: a second B for the same A; make a new Client")
        self._answered = B
        x = p.private_key(self.identity, self.password, salt)
        self.key = p.session_key(client_premaster(p.group, p.k, self.pair, B, x, p.scrambling(self.A, B)))
        self._proof = p.client_proof(self.identity, salt, self.A, B, self.key)
        return self._proof

    def verify(self, server_proof: bytes) -> bytes:
        """Return the session key *K* if *server_proof* is *M2*.

        Raises:
            ProofMismatch: *server_proof* is not *M2*, or :meth:`prove` was not called before.
        """
        if self.key is None or not hmac.compare_digest(
            server_proof, self.parameters.server_proof(self.A, self._proof, self.key)
        ):
            raise ProofMismatch("server proof is wrong: the server does not know the verifier of this password")
        return self.key


@dataclass
class Server:
    """The server in one exchange: send the salt and ``B``, then :meth:`verify` the proof of the client."""

    parameters: Parameters
    identity: str
    salt: bytes
    verifier: int = field(repr=False)
    pair: Ephemeral = field(default=Ephemeral(0, 0), repr=False)

    def __post_init__(self) -> None:
        if self.pair.public == 0:
            self.pair = server_pair(self.parameters.group, self.parameters.k, self.verifier)

    @property
    def B(self) -> int:
        """The public value to send."""
        return self.pair.public

    def verify(self, A: int, client_proof: bytes) -> tuple[bytes, bytes]:
        """Return ``(K, M2)``, the session key and the proof to send back, if *client_proof* is *M1*.

        Raises:
            UnsafeServerValue: *A* is not between 1 and N-1, or *u* is 0.
            ProofMismatch: *client_proof* is not *M1*.
        """
        p = self.parameters
        if not 0 < A < p.group.N:
            raise UnsafeServerValue("unsafe value from the client: A must be between 1 and N-1")
        premaster = server_premaster(p.group, self.pair, A, self.verifier, p.scrambling(A, self.B))
        key = p.session_key(premaster)
        if not hmac.compare_digest(client_proof, p.client_proof(self.identity, self.salt, A, self.B, key)):
            raise ProofMismatch("client proof is wrong: its password does not match the verifier")
        return key, p.server_proof(A, client_proof, key)


def _unpadded(number: int) -> bytes:
    """Return *number* as big-endian bytes without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
