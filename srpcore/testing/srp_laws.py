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

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis.strategies import SearchStrategy

from ..crypto.groups import RFC5054_GROUPS, Group
from ..crypto.srp import Parameters
from . import srp_checks as checks
from .exchanges import (
    SrpExchange,
    out_of_range_clients,
    out_of_range_servers,
    srp_exchanges,
    zero_clients,
    zero_servers,
)
from .groups import safe_prime_groups
from .known_answers import RFC5054_APPENDIX_B, appendix_b_exchange
from .laws import Law, LawReport, run_laws
from .srp_sides import NewSrpClient, NewSrpServer, SrpClient, SrpClientSetup, SrpServer, SrpServerSetup
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


def _client_laws(chosen: Sequence[Parameters]) -> list[Law[NewSrpClient, Any]]:
    honest = _simple_exchange(chosen)
    return [
        Law("known_answers", "RFC 5054, appendix B: A, M1 and K have the values of the RFC",
            checks.client_agrees, partial(_known_exchanges, chosen)),
        Law("agreement", "the client's A, M1 and K are those that an honest server expects",
            checks.client_agrees, lambda: [honest], lambda: srp_exchanges(chosen)),
        Law("leading_zeros_of_hashes", "a hash that begins with a zero byte keeps it in the proof",
            checks.client_agrees, partial(_zero_hashes, honest)),
        Law("small_groups", "agreement in small groups, for every pair of exponents in the smallest",
            checks.client_agrees, partial(_small_exchanges, chosen), partial(_small_inputs, chosen)),
        Law("refuses_B_zero", "the client refuses a B that is 0 modulo N, before it sends a proof",
            checks.client_refuses_B, partial(zero_servers, honest)),
        Law("refuses_B_out_of_range", "the client refuses a B that is not between 1 and N-1",
            checks.client_refuses_B, partial(out_of_range_servers, honest)),
        Law("refuses_wrong_server_proof", "the client refuses everything except M2",
            checks.client_refuses_M2, partial(_wrong_proofs, honest, honest.M2, honest.M1)),
        Law("refuses_early_server_proof", "the client refuses every server proof before it has made its own proof",
            checks.client_refuses_M2_before_M1, partial(_early_proofs, honest)),
        Law("refuses_second_B", "the client refuses a second B for the same A: a new exchange needs a new A",
            checks.client_proves_once, lambda: [(honest, replace(honest, b=honest.b + 2))]),
        Law("passwords_as_typed", "every character of a password counts: a similar password gives another proof",
            checks.client_with_password, partial(_guesses, honest)),
        Law("fresh_secrets", "each client draws a new secret exponent, and it has more than 16 bits",
            checks.client_is_fresh, partial(_fresh_exchanges, chosen)),
    ]  # fmt: skip


def _server_laws(chosen: Sequence[Parameters]) -> list[Law[NewSrpServer, Any]]:
    honest = _simple_exchange(chosen)
    return [
        Law("known_answers", "RFC 5054, appendix B: B, M2 and K have the values of the RFC",
            checks.server_agrees, partial(_known_exchanges, chosen)),
        Law("agreement", "the server accepts the M1 of an honest client, and its B, M2 and K are the expected ones",
            checks.server_agrees, lambda: [honest], lambda: srp_exchanges(chosen)),
        Law("leading_zeros_of_hashes", "a hash that begins with a zero byte keeps it in the proof",
            checks.server_agrees, partial(_zero_hashes, honest)),
        Law("small_groups", "agreement in small groups, for every pair of exponents in the smallest",
            checks.server_agrees, partial(_small_exchanges, chosen), partial(_small_inputs, chosen)),
        Law("refuses_A_zero", "the server refuses an A that is 0 modulo N: otherwise no password is needed",
            checks.server_refuses_client, partial(zero_clients, honest)),
        Law("refuses_A_out_of_range", "the server refuses an A that is not between 1 and N-1",
            checks.server_refuses_client, partial(out_of_range_clients, replace(honest, a=1))),
        Law("refuses_wrong_client_proof", "the server refuses everything except M1",
            checks.server_refuses_M1, partial(_wrong_proofs, honest, honest.M1, honest.M2)),
        Law("refuses_other_password", "the server refuses a client with another password, even a similar one",
            checks.server_with_other_password,
            lambda: [guess for guess in _guesses(honest) if guess[0].password != guess[1]]),
        Law("fresh_secrets", "each server draws a new secret exponent, and it has more than 16 bits",
            checks.server_is_fresh, partial(_fresh_exchanges, chosen)),
    ]  # fmt: skip


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


def _early_proofs(honest: SrpExchange) -> Iterable[tuple[SrpExchange, bytes]]:
    """Return M2, and what a client expects whose M1 and K are still empty or zero: anybody can compute that from A."""
    p, size = honest.parameters, len(honest.K)
    empty = [p.server_proof(honest.A, M1, K) for K in (b"", bytes(size), p.session_key(0)) for M1 in (b"", bytes(size))]
    return [(honest, proof) for proof in (*empty, b"", bytes(size), honest.M2)]


def _fresh_exchanges(chosen: Sequence[Parameters]) -> Iterable[SrpExchange]:
    """Return an exchange in the first group, or in one of 1024 bits if every exponent of the first is small."""
    first = chosen[0]
    large = first.group.N.bit_length() >= 512
    yield _simple_exchange([first if large else type(first)(RFC5054_GROUPS[1024], first.digest)])


def _guesses(honest: SrpExchange) -> Iterable[checks.Guess]:
    """Return each password with itself and with each similar one."""
    passwords = ["password", "Password123", "pässword", "long" * 40, "nul\0byte", "", "caf\u00e9", " lead", "a:b"]
    return [
        (honest.with_password(password), guess)
        for password in passwords
        for guess in (password, *near_miss_passwords(password))
    ]
