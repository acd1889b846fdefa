"""Whole exchanges of SRP-6a (RFC 5054, RFC 2945): honest ones, and ones in which a side attacks the other.

The values of an exchange are computed here from the formulas, without the classes
:class:`srpcore.crypto.srp.Client` and :class:`~srpcore.crypto.srp.Server`, which are themselves tested with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..crypto.groups import RFC5054_GROUPS, Group
from ..crypto.srp import Parameters
from .strategies import passwords, usernames

__all__ = [
    "HostileClient",
    "HostileServer",
    "SrpExchange",
    "hostile_clients",
    "hostile_servers",
    "srp_exchanges",
]

# Python's own pow(), because srpcore.crypto.modexp is tested with the results. The laws compute most powers several
# times, for the same exchanges, so they are kept.
_pow = lru_cache(maxsize=4096)(pow)


@dataclass(frozen=True)
class SrpExchange:
    """One exchange between a client and a server that follow the protocol and know the same password.

    The attributes are the inputs; the properties are the values that follow from them, by their names in RFC 5054.
    """

    parameters: Parameters
    identity: str
    password: str
    salt: bytes
    a: int
    b: int

    @property
    def group(self) -> Group:
        """The group."""
        return self.parameters.group

    @cached_property
    def x(self) -> int:
        """``x``, the private key."""
        return self.parameters.private_key(self.identity, self.password, self.salt)

    @cached_property
    def v(self) -> int:
        """``v = g^x mod N``, the verifier."""
        return _pow(self.group.g, self.x, self.group.N)

    @cached_property
    def A(self) -> int:
        """``A = g^a mod N``."""
        return _pow(self.group.g, self.a, self.group.N)

    @cached_property
    def B(self) -> int:
        """``B = k*v + g^b mod N``. It can be 0 in a small group; then the client must refuse it."""
        return (self.parameters.k * self.v + _pow(self.group.g, self.b, self.group.N)) % self.group.N

    @property
    def u(self) -> int:
        """``u``, the scrambling parameter."""
        return self.parameters.scrambling(self.A, self.B)

    @cached_property
    def S(self) -> int:
        """``S = (A * v^u)^b mod N``, the premaster secret."""
        return _pow(self.A * _pow(self.v, self.u, self.group.N), self.b, self.group.N)

    @property
    def K(self) -> bytes:
        """``K = H(S)``, the session key."""
        return self.parameters.session_key(self.S)

    @property
    def M1(self) -> bytes:
        """The client's proof."""
        return self.parameters.client_proof(self.identity, self.salt, self.A, self.B, self.K)

    @property
    def M2(self) -> bytes:
        """The server's proof."""
        return self.parameters.server_proof(self.A, self.M1, self.K)

    def with_password(self, password: str) -> SrpExchange:
        """Return the same exchange between sides that know another password."""
        return replace(self, password=password)


@dataclass(frozen=True)
class HostileServer:
    """A server that sends *B* instead of the B of *exchange*; the client must refuse it."""

    exchange: SrpExchange
    B: int


@dataclass(frozen=True)
class HostileClient:
    """A client that does not know the password: it sends *A*, and the *proof* for the session key that it expects.

    If A is 0 modulo N, S is 0 whatever the password is, so a server that accepts such an A lets everybody in.
    """

    exchange: SrpExchange
    A: int
    proof: bytes


def srp_exchanges(
    parameters: Sequence[Parameters] = (Parameters(RFC5054_GROUPS[1024]),),
) -> SearchStrategy[SrpExchange]:
    """Return honest exchanges with one of *parameters*.

    Some have an empty name or password, salts that begin with zero bytes, or secret exponents of a few bits.
    """
    secrets = st.sampled_from((1, 2)) | st.integers(1, 1 << 16) | st.integers(1 << 255, (1 << 256) - 1)
    salts = st.sampled_from((b"\0", b"\0\0\x01", b"\x80", b"\0\xff")) | st.binary(min_size=1, max_size=32)
    return st.builds(SrpExchange, st.sampled_from(parameters), usernames(), passwords(), salts, secrets, secrets)


def hostile_servers(exchanges: SearchStrategy[SrpExchange] | None = None) -> SearchStrategy[HostileServer]:
    """Return servers that send a B that is 0 modulo N, negative, or more than N."""

    def choose(exchange: SrpExchange) -> SearchStrategy[HostileServer]:
        return st.sampled_from([*zero_servers(exchange), *out_of_range_servers(exchange)])

    return (srp_exchanges() if exchanges is None else exchanges).flatmap(choose)


def hostile_clients(exchanges: SearchStrategy[SrpExchange] | None = None) -> SearchStrategy[HostileClient]:
    """Return clients that send an A that is 0 modulo N, negative, or more than N, each with a proof that fits it."""

    def choose(exchange: SrpExchange) -> SearchStrategy[HostileClient]:
        return st.sampled_from([*zero_clients(exchange), *out_of_range_clients(exchange)])

    return (srp_exchanges() if exchanges is None else exchanges).flatmap(choose)


def zero_servers(exchange: SrpExchange) -> list[HostileServer]:
    """Return servers that send a multiple of N."""
    return [HostileServer(exchange, n * exchange.group.N) for n in (0, 1, 2, -1)]


def out_of_range_servers(exchange: SrpExchange) -> list[HostileServer]:
    """Return servers that send a value that is not between 0 and N, and not a multiple of N."""
    N = exchange.group.N
    return [HostileServer(exchange, B) for B in (N + 1, -1, 2 * N + 1, N + (exchange.B or 1))]


def zero_clients(exchange: SrpExchange) -> list[HostileClient]:
    """Return clients that send a multiple of N with the proof for S = 0, which needs no password."""
    key = exchange.parameters.session_key(0)
    return [
        HostileClient(exchange, n * exchange.group.N, _proof(exchange, abs(n) * exchange.group.N, key))
        for n in (0, 1, 2, -1)
    ]


def out_of_range_clients(exchange: SrpExchange) -> list[HostileClient]:
    """Return clients that know the password and send A plus a multiple of N.

    A server may reduce this value modulo N before it hashes it, or not; so there is a client with each proof.
    """
    values = [exchange.A + n * exchange.group.N for n in (1, -1, 2)]
    reduced = [HostileClient(exchange, A, exchange.M1) for A in values]
    fitting = [A for A in values if 0 < A < 1 << (8 * exchange.group.length)]  # u pads A to the length of N
    return reduced + [HostileClient(exchange, A, _proof(exchange, A, _key(exchange, A))) for A in fitting]


def _key(exchange: SrpExchange, A: int) -> bytes:
    """Return the session key of a server that hashes *A* as it was sent."""
    N = exchange.group.N
    u = exchange.parameters.scrambling(A, exchange.B)
    return exchange.parameters.session_key(_pow(A * _pow(exchange.v, u, N), exchange.b, N))


def _proof(exchange: SrpExchange, A: int, key: bytes) -> bytes:
    return exchange.parameters.client_proof(exchange.identity, exchange.salt, A, exchange.B, key)
