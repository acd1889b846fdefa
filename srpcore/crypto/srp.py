"""SRP-6a, both sides, over any group and hash (RFC 5054, with the proofs of RFC 2945).

Names are the RFCs': *I* the identity, *P* the password, *s* the salt, *x* the private key, *v* the verifier, *a*, *A*
and *b*, *B* the ephemeral pairs, *k* the multiplier, *u* the scrambling parameter, *S* the premaster secret, *K* the
session key, *M1* and *M2* the proofs. Integers are hashed as unsigned big-endian bytes; PAD() is to the width of *N*.

The four equations at the top hold in every dialect; :mod:`srpcore.crypto.cognito` uses them with its own *k*, *x*, *u*.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cached_property

from ..exceptions.base import ConfigurationError, SrpcoreError, UnsafeServerValue
from .encoding import utf8
from .groups import RFC5054_GROUPS, Group
from .modexp import modexp
from .randomness import RandomBits, system_random_bits

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

SECRET_BITS = 256
"""The random bits of *a* and *b* (RFC 5054, sections 2.5.3 and 2.5.4: at least 256)."""


class ProofMismatch(SrpcoreError):
    """The other side's proof is wrong: the passwords differ, or somebody is in between."""


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """One side's one-time key pair: the secret exponent and the public value."""

    secret: int = field(repr=False)
    public: int


def secret_exponent(random_bits: RandomBits = system_random_bits) -> int:
    """Return a fresh secret exponent: a one, then 256 bits of *random_bits*.

    The one in front makes every exponent 257 bits long: its length, which no engine hides, says nothing.
    """
    return 1 << SECRET_BITS | random_bits(SECRET_BITS)


def client_pair(group: Group, a: int | None = None) -> Ephemeral:
    """Return ``A = g^a mod N``, for 256 fresh random bits *a* unless *a* is given.

    Give *a* in tests only: an *a* used twice gives away what it protects.
    """
    secret = secret_exponent() if a is None else a
    return Ephemeral(secret, modexp(group.g, secret, group.N))


def server_pair(group: Group, k: int, verifier: int, b: int | None = None) -> Ephemeral:
    """Return ``B = k * v + g^b mod N``, for 256 fresh random bits *b* unless it is given (RFC 5054, 2.5.3)."""
    secret = secret_exponent() if b is None else b
    return Ephemeral(secret, (k * verifier + modexp(group.g, secret, group.N)) % group.N)


def client_premaster(group: Group, k: int, pair: Ephemeral, B: int, x: int, u: int) -> int:
    """Return ``S = (B - k * g^x) ^ (a + u * x) mod N`` (RFC 5054, section 2.6).

    Raises:
        UnsafeServerValue: *B* is 0 modulo N, or *u* is 0; the server must not be answered.
    """
    if B % group.N == 0 or u == 0:
        raise UnsafeServerValue("B is 0 modulo N, or u is 0: refused to answer it")
    return modexp(B - k * modexp(group.g, x, group.N), pair.secret + u * x, group.N)


def server_premaster(group: Group, pair: Ephemeral, A: int, verifier: int, u: int) -> int:
    """Return ``S = (A * v^u) ^ b mod N`` (RFC 5054, section 2.6).

    Raises:
        UnsafeServerValue: *A* is 0 modulo N, or *u* is 0; anybody could then log in.
    """
    if A % group.N == 0 or u == 0:
        raise UnsafeServerValue("A is 0 modulo N, or u is 0: refused to answer it")
    return modexp(A * modexp(verifier, u, group.N), pair.secret, group.N)


@dataclass(frozen=True)
class Parameters:
    """What both sides agree on beforehand: the group and the hash, by its name in :mod:`hashlib`.

    Raises:
        ConfigurationError: hashlib has no such hash, or one without a length of its own.
    """

    group: Group = RFC5054_GROUPS[2048]
    digest: str = "sha256"

    def __post_init__(self) -> None:
        try:
            length = hashlib.new(self.digest).digest_size
        except ValueError:
            length = 0
        if length == 0:
            raise ConfigurationError(f"there is no hash {self.digest!r} of fixed length: choose one of hashlib's")

    @cached_property
    def k(self) -> int:
        """``k = H(N | PAD(g))`` (RFC 5054, section 2.5.3)."""
        return self.hash_int(self.pad(self.group.N), self.pad(self.group.g))

    def pad(self, number: int) -> bytes:
        """Return *number* as bytes of the width of *N*."""
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
            ConfigurationError: a text has no UTF-8 form.
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
        return self.hash(_minimal(premaster))

    def client_proof(self, identity: str, salt: bytes, A: int, B: int, key: bytes) -> bytes:
        """Return ``M1 = H(H(N) xor H(g) | H(I) | s | A | B | K)`` (RFC 2945, section 3)."""
        mixed = self.hash_int(_minimal(self.group.N)) ^ self.hash_int(_minimal(self.group.g))
        hashed = mixed.to_bytes(hashlib.new(self.digest).digest_size, "big")
        identity_hash = self.hash(utf8(identity, name="identity"))
        return self.hash(hashed, identity_hash, salt, _minimal(A), _minimal(B), key)

    def server_proof(self, A: int, proof: bytes, key: bytes) -> bytes:
        """Return ``M2 = H(A | M1 | K)`` (RFC 2945, section 3)."""
        return self.hash(_minimal(A), proof, key)


@dataclass
class Client:
    """The client's side of one exchange: send ``A``, call :meth:`prove` with the answer, then :meth:`verify`."""

    parameters: Parameters
    identity: str
    password: str = field(repr=False)
    pair: Ephemeral = field(default=Ephemeral(0, 0), repr=False)
    key: bytes | None = field(default=None, init=False, repr=False)

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
            UnsafeServerValue: *B* is 0 modulo N or out of range, or *u* is 0.
            ConfigurationError: a text has no UTF-8 form.
        """
        p = self.parameters
        if not 0 < B < p.group.N:
            raise UnsafeServerValue("B is not between 0 and N: refused to answer it")
        x = p.private_key(self.identity, self.password, salt)
        self.key = p.session_key(client_premaster(p.group, p.k, self.pair, B, x, p.scrambling(self.A, B)))
        self._proof = p.client_proof(self.identity, salt, self.A, B, self.key)
        return self._proof

    def verify(self, server_proof: bytes) -> bytes:
        """Return the session key if *server_proof* is *M2*.

        Raises:
            ProofMismatch: it is not, or :meth:`prove` was not called.
        """
        if self.key is None or not hmac.compare_digest(
            server_proof, self.parameters.server_proof(self.A, self._proof, self.key)
        ):
            raise ProofMismatch("the server's proof is wrong: it does not hold the verifier")
        return self.key


@dataclass
class Server:
    """The server's side of one exchange: send the salt and ``B``, then :meth:`verify` the client's proof."""

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
        """Return ``(K, M2)``, the session key and the answer, if *client_proof* is *M1*.

        Raises:
            UnsafeServerValue: *A* is 0 modulo N or out of range, or *u* is 0.
            ProofMismatch: the proof is wrong.
        """
        p = self.parameters
        if not 0 < A < p.group.N:
            raise UnsafeServerValue("A is not between 0 and N: refused to answer it")
        premaster = server_premaster(p.group, self.pair, A, self.verifier, p.scrambling(A, self.B))
        key = p.session_key(premaster)
        if not hmac.compare_digest(client_proof, p.client_proof(self.identity, self.salt, A, self.B, key)):
            raise ProofMismatch("the client's proof is wrong: the password is not the one of the verifier")
        return key, p.server_proof(A, client_proof, key)


def _minimal(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
