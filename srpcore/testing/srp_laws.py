"""The laws of SRP-6a for a client and for a server: plug in an implementation and run them.

.. code-block:: python

    from srpcore.crypto import srp
    from srpcore.testing import SrpClientSetup, check_srp_client

    def new_client(setup: SrpClientSetup) -> srp.Client:
        parameters = srp.Parameters(setup.group, setup.digest)
        pair = srp.client_pair(setup.group, setup.a)
        return srp.Client(parameters, setup.identity, setup.password, pair)

    def test_the_laws_of_srp() -> None:
        check_srp_client(new_client)

The protocol is that of RFC 5054 (k, x, u) with the proofs of RFC 2945 (M1, M2) and ``K = H(S)``; integers are hashed
without leading zeros, except those that the RFC pads. If yours differs, pass a subclass of
:class:`srpcore.crypto.srp.Parameters` that overrides the formula.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeAlias

from hypothesis.strategies import SearchStrategy

from ..crypto.groups import RFC5054_GROUPS, Group
from ..crypto.srp import Parameters
from .exchanges import (
    HostileClient,
    HostileServer,
    SrpExchange,
    out_of_range_clients,
    out_of_range_servers,
    srp_exchanges,
    zero_clients,
    zero_servers,
)
from .groups import safe_prime_groups
from .known_answers import RFC5054_APPENDIX_B, appendix_b_exchange
from .laws import Law, LawBroken, LawReport, equal, refuses, run_laws, show
from .strategies import near_miss_passwords

__all__ = [
    "NewSrpClient",
    "NewSrpServer",
    "SrpClient",
    "SrpClientSetup",
    "SrpServer",
    "SrpServerSetup",
    "check_srp_client",
    "check_srp_server",
]


@dataclass(frozen=True)
class SrpClientSetup:
    """What a client is made from. *digest* is the name of the hash in :mod:`hashlib`.

    *a* is the secret exponent to use, or None for a new random one.
    """

    group: Group
    digest: str
    identity: str
    password: str
    a: int | None


@dataclass(frozen=True)
class SrpServerSetup:
    """What a server is made from. *digest* is the name of the hash in :mod:`hashlib`.

    *b* is the secret exponent to use, or None for a new random one.
    """

    group: Group
    digest: str
    identity: str
    salt: bytes
    verifier: int
    b: int | None


class SrpClient(Protocol):
    """A client in one exchange."""

    @property
    def A(self) -> int:
        """The public value."""
        ...

    def prove(self, salt: bytes, B: int, /) -> bytes:
        """Return the proof M1; raise any exception to refuse *B*."""
        ...

    def verify(self, server_proof: bytes, /) -> bytes:
        """Return the session key K if *server_proof* is M2; raise any exception to refuse it."""
        ...


class SrpServer(Protocol):
    """A server in one exchange."""

    @property
    def B(self) -> int:
        """The public value."""
        ...

    def verify(self, A: int, client_proof: bytes, /) -> tuple[bytes, bytes]:
        """Return ``(K, M2)`` if *client_proof* is M1; raise any exception to refuse *A* or *client_proof*."""
        ...


NewSrpClient: TypeAlias = Callable[[SrpClientSetup], SrpClient]
"""A function that makes a client for one exchange."""

NewSrpServer: TypeAlias = Callable[[SrpServerSetup], SrpServer]
"""A function that makes a server for one exchange."""


def check_srp_client(
    new_client: NewSrpClient,
    *,
    parameters: type[Parameters] = Parameters,
    groups: Sequence[Group] | None = None,
    digests: Sequence[str] = ("sha1", "sha256"),
    laws: Collection[str] | None = None,
    known_faults: Collection[str] = (),
    examples: int = 20,
) -> LawReport:
    """Run the laws of an SRP-6a client and return the report, if the laws hold.

    Args:
        new_client: makes the client to check.
        parameters: the formulas, if they differ from RFC 5054 and RFC 2945: a subclass of
            :class:`~srpcore.crypto.srp.Parameters`.
        groups: the groups to use, in addition to small groups in which every exponent is tried. The default is RFC
            5054's group of 1024 bits; a larger group makes the check slower.
        digests: the names of the hashes to use, in :mod:`hashlib`. ``sha1`` includes the known answer of RFC 5054.
        laws: the names of the laws to run, or None for all.
        known_faults: the names of the laws that do not hold and should not be reported. One that holds is an error,
            so that the list stays right.
        examples: the number of random inputs for each law that has them.

    Raises:
        LawViolation: a law does not hold; its ``report`` has the smallest input that was found.
        ConfigurationError: a name in *laws* or *known_faults* is not the name of a law that is run.
    """
    return run_laws(_client_laws(_all(parameters, groups, digests)), new_client, known_faults, examples, laws)


def check_srp_server(
    new_server: NewSrpServer,
    *,
    parameters: type[Parameters] = Parameters,
    groups: Sequence[Group] | None = None,
    digests: Sequence[str] = ("sha1", "sha256"),
    laws: Collection[str] | None = None,
    known_faults: Collection[str] = (),
    examples: int = 20,
) -> LawReport:
    """Run the laws of an SRP-6a server and return the report, if the laws hold.

    The arguments are those of :func:`check_srp_client`, except for *new_server*, which makes the server to check.

    Raises:
        LawViolation: a law does not hold; its ``report`` has the smallest input that was found.
        ConfigurationError: a name in *laws* or *known_faults* is not the name of a law that is run.
    """
    return run_laws(_server_laws(_all(parameters, groups, digests)), new_server, known_faults, examples, laws)


def _all(parameters: type[Parameters], groups: Sequence[Group] | None, digests: Sequence[str]) -> list[Parameters]:
    chosen = [RFC5054_GROUPS[1024]] if groups is None else groups
    return [parameters(group, digest) for group in chosen for digest in digests]


# The laws of both sides. Each check gets the function that makes the side, and an input.

Guess: TypeAlias = tuple[SrpExchange, str]


def _client_laws(chosen: Sequence[Parameters]) -> list[Law[NewSrpClient, Any]]:
    honest = _simple_exchange(chosen)
    return [
        Law("known_answers", "RFC 5054, appendix B: A, M1 and K have the values of the RFC",
            _client_agrees, partial(_known_exchanges, chosen)),
        Law("agreement", "the client's A, M1 and K are those that an honest server expects",
            _client_agrees, lambda: [honest], lambda: srp_exchanges(chosen)),
        Law("leading_zeros_of_hashes", "a hash that begins with a zero byte keeps it in the proof",
            _client_agrees, partial(_zero_hashes, honest)),
        Law("small_groups", "agreement in small groups, for every pair of exponents in the smallest",
            _client_agrees, partial(_small_exchanges, chosen), partial(_small_inputs, chosen)),
        Law("refuses_B_zero", "the client refuses a B that is 0 modulo N, before it sends a proof",
            _client_refuses_B, partial(zero_servers, honest)),
        Law("refuses_B_out_of_range", "the client refuses a B that is not between 1 and N-1",
            _client_refuses_B, partial(out_of_range_servers, honest)),
        Law("refuses_wrong_server_proof", "the client refuses everything except M2",
            _client_refuses_M2, partial(_wrong_proofs, honest, honest.M2, honest.M1)),
        Law("passwords_as_typed", "every character of a password counts: a similar password gives another proof",
            _client_with_password, partial(_guesses, honest)),
        Law("fresh_secrets", "each client draws a new secret exponent",
            _client_is_fresh, lambda: [honest]),
    ]  # fmt: skip


def _server_laws(chosen: Sequence[Parameters]) -> list[Law[NewSrpServer, Any]]:
    honest = _simple_exchange(chosen)
    return [
        Law("known_answers", "RFC 5054, appendix B: B, M2 and K have the values of the RFC",
            _server_agrees, partial(_known_exchanges, chosen)),
        Law("agreement", "the server accepts the M1 of an honest client, and its B, M2 and K are the expected ones",
            _server_agrees, lambda: [honest], lambda: srp_exchanges(chosen)),
        Law("leading_zeros_of_hashes", "a hash that begins with a zero byte keeps it in the proof",
            _server_agrees, partial(_zero_hashes, honest)),
        Law("small_groups", "agreement in small groups, for every pair of exponents in the smallest",
            _server_agrees, partial(_small_exchanges, chosen), partial(_small_inputs, chosen)),
        Law("refuses_A_zero", "the server refuses an A that is 0 modulo N: otherwise no password is needed",
            _server_refuses_client, partial(zero_clients, honest)),
        Law("refuses_A_out_of_range", "the server refuses an A that is not between 1 and N-1",
            _server_refuses_client, partial(out_of_range_clients, replace(honest, a=1))),
        Law("refuses_wrong_client_proof", "the server refuses everything except M1",
            _server_refuses_M1, partial(_wrong_proofs, honest, honest.M1, honest.M2)),
        Law("refuses_other_password", "the server refuses a client with another password, even a similar one",
            _server_with_other_password, lambda: [case for case in _guesses(honest) if case[0].password != case[1]]),
        Law("fresh_secrets", "each server draws a new secret exponent",
            _server_is_fresh, lambda: [honest]),
    ]  # fmt: skip


# Checks of a client.


def _client(new_client: NewSrpClient, exchange: SrpExchange) -> SrpClient:
    p = exchange.parameters
    return new_client(SrpClientSetup(p.group, p.digest, exchange.identity, exchange.password, exchange.a))


def _client_agrees(new_client: NewSrpClient, exchange: SrpExchange) -> None:
    client = _client(new_client, exchange)
    equal("A", client.A, exchange.A)
    if exchange.B == 0:
        refuses("B = 0", partial(client.prove, exchange.salt, 0))
        return
    equal("M1", client.prove(exchange.salt, exchange.B), exchange.M1)
    equal("K", client.verify(exchange.M2), exchange.K)


def _client_refuses_B(new_client: NewSrpClient, hostile: HostileServer) -> None:
    client = _client(new_client, hostile.exchange)
    refuses(f"B = {_in_N(hostile.B, hostile.exchange)}", partial(client.prove, hostile.exchange.salt, hostile.B))


def _client_refuses_M2(new_client: NewSrpClient, wrong: tuple[SrpExchange, bytes]) -> None:
    exchange, proof = wrong
    client = _client(new_client, exchange)
    client.prove(exchange.salt, exchange.B)
    refuses("a wrong server proof", partial(client.verify, proof))


def _client_with_password(new_client: NewSrpClient, guess: Guess) -> None:
    exchange, password = guess
    if password == exchange.password:
        _client_agrees(new_client, exchange)
        return
    client = _client(new_client, exchange.with_password(password))
    if client.prove(exchange.salt, exchange.B) == exchange.M1:
        raise LawBroken(f"the proof with the password {password!r} is that of {exchange.password!r}")
    refuses("the proof of a server that stores another password", partial(client.verify, exchange.M2))


def _client_is_fresh(new_client: NewSrpClient, exchange: SrpExchange) -> None:
    p = exchange.parameters
    setup = SrpClientSetup(p.group, p.digest, exchange.identity, exchange.password, None)
    if new_client(setup).A == new_client(setup).A:
        raise LawBroken("two clients have the same A")


# Checks of a server.


def _server(new_server: NewSrpServer, exchange: SrpExchange) -> SrpServer:
    p = exchange.parameters
    return new_server(SrpServerSetup(p.group, p.digest, exchange.identity, exchange.salt, exchange.v, exchange.b))


def _server_agrees(new_server: NewSrpServer, exchange: SrpExchange) -> None:
    if exchange.B == 0:  # possible in a small group only; a server must then draw another b
        return
    server = _server(new_server, exchange)
    equal("B", server.B, exchange.B)
    key, proof = server.verify(exchange.A, exchange.M1)
    equal("K", key, exchange.K)
    equal("M2", proof, exchange.M2)


def _server_refuses_client(new_server: NewSrpServer, hostile: HostileClient) -> None:
    server = _server(new_server, hostile.exchange)
    refuses(f"A = {_in_N(hostile.A, hostile.exchange)}", partial(server.verify, hostile.A, hostile.proof))


def _server_refuses_M1(new_server: NewSrpServer, wrong: tuple[SrpExchange, bytes]) -> None:
    exchange, proof = wrong
    server = _server(new_server, exchange)
    refuses("a wrong client proof", partial(server.verify, exchange.A, proof))


def _server_with_other_password(new_server: NewSrpServer, guess: Guess) -> None:
    exchange, password = guess
    server = _server(new_server, exchange)
    other = exchange.with_password(password)
    x, u, k, group = other.x, exchange.u, exchange.parameters.k, exchange.group
    premaster = pow(exchange.B - k * pow(group.g, x, group.N), exchange.a + u * x, group.N)
    p = exchange.parameters
    proof = p.client_proof(exchange.identity, exchange.salt, exchange.A, exchange.B, p.session_key(premaster))
    refuses(
        f"the password {password!r} of a user with {exchange.password!r}", partial(server.verify, exchange.A, proof)
    )


def _server_is_fresh(new_server: NewSrpServer, exchange: SrpExchange) -> None:
    p = exchange.parameters
    setup = SrpServerSetup(p.group, p.digest, exchange.identity, exchange.salt, exchange.v, None)
    if new_server(setup).B == new_server(setup).B:
        raise LawBroken("two servers have the same B")


# Inputs.


def _simple_exchange(chosen: Sequence[Parameters]) -> SrpExchange:
    return SrpExchange(chosen[0], "alice", "password123", b"\x01\x02\x03\x04", 2**255 + 1, 2**255 + 3)


def _known_exchanges(chosen: Sequence[Parameters]) -> Iterable[SrpExchange]:
    """Return the exchange of RFC 5054, appendix B, if SHA-1 is among *chosen* and k is that of the RFC."""
    if any(p.digest == "sha1" for p in chosen):
        exchange = appendix_b_exchange(type(chosen[0]))
        if exchange.parameters.k == RFC5054_APPENDIX_B["k"]:
            yield exchange


def _zero_hashes(honest: SrpExchange) -> Iterable[SrpExchange]:
    """Return exchanges whose identity has a hash that begins with one zero byte and with two."""
    p = honest.parameters
    for zeros in (b"\0", b"\0\0"):
        number = next(n for n in range(1 << 24) if p.hash(b"user%d" % n).startswith(zeros))
        yield SrpExchange(p, f"user{number}", honest.password, honest.salt, honest.a, honest.b)


def _small_exchanges(chosen: Sequence[Parameters]) -> Iterable[SrpExchange]:
    """Return an exchange for each pair of exponents modulo 5, 7, 11 and 23, and one in which each value is padded."""
    for group in [group for group in safe_prime_groups() if group.N <= 23]:
        p = type(chosen[0])(group, chosen[0].digest)
        for a in range(1, group.N):
            for b in range(1, group.N):
                yield SrpExchange(p, "alice", "password123", b"\1", a, b)


def _small_inputs(chosen: Sequence[Parameters]) -> SearchStrategy[SrpExchange]:
    # N has two bytes, so that most values of A and B, and g, are shorter.
    parameters = [type(p)(group, p.digest) for p in chosen for group in safe_prime_groups() if group.N > 255]
    return srp_exchanges(parameters)


def _wrong_proofs(honest: SrpExchange, right: bytes, of_the_other_side: bytes) -> Iterable[tuple[SrpExchange, bytes]]:
    flipped = [bytes([*right[:n], right[n] ^ bit, *right[n + 1 :]]) for n in range(len(right)) for bit in (1, 0x80)]
    wrong = [b"", bytes(len(right)), right[:-1], right[1:], right + b"\0", b"\0" + right, right[:1], of_the_other_side]
    return [(honest, proof) for proof in [*wrong, *flipped]]


def _guesses(honest: SrpExchange) -> Iterable[Guess]:
    """Return each password with itself and with each similar one."""
    passwords = ["password", "Password123", "pässword", "long" * 40, "nul\0byte", "", "caf\u00e9", " lead", "a:b"]
    return [
        (honest.with_password(password), guess)
        for password in passwords
        for guess in (password, *near_miss_passwords(password))
    ]


def _in_N(value: int, exchange: SrpExchange) -> str:
    """Return *value* as a multiple of N and a rest, for a message."""
    multiple, rest = divmod(value, exchange.group.N)
    parts = [f"{multiple} * N"] if multiple else []
    return " + ".join(parts + ([show(rest)] if rest else [])) or "0"
