"""What each law of SRP-6a requires of a client or a server, for one input.

A check makes a client or a server, runs it, and raises an exception if it breaks the law.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import zip_longest
from typing import TypeAlias

from ..crypto.groups import Group
from .exchanges import HostileClient, HostileServer, SrpExchange
from .laws import LawBroken, equal, refuses, show
from .srp_sides import NewSrpClient, NewSrpServer, SrpClient, SrpClientSetup, SrpServer, SrpServerSetup
from .strategies import near_miss_passwords

__all__ = [
    "Guess",
    "client_agrees",
    "client_is_fresh",
    "client_proves_once",
    "client_refuses_B",
    "client_refuses_M2",
    "client_refuses_M2_before_M1",
    "client_with_password",
    "server_agrees",
    "server_is_fresh",
    "server_refuses_M1",
    "server_refuses_client",
    "server_with_other_password",
]

Guess: TypeAlias = tuple[SrpExchange, str]
Proof: TypeAlias = tuple[SrpExchange, bytes]

_FRESH = 64  # clients or servers whose secrets are compared
_SHORT = 1 << 16  # secrets below this are found


# Checks of a client.


def _client(new_client: NewSrpClient, exchange: SrpExchange) -> SrpClient:
    p = exchange.parameters
    return new_client(SrpClientSetup(p.group, p.digest, exchange.identity, exchange.password, exchange.a))


def client_agrees(new_client: NewSrpClient, exchange: SrpExchange) -> None:
    """Require the values of an honest exchange."""
    client = _client(new_client, exchange)
    equal("A", client.A, exchange.A)
    if exchange.B == 0:
        refuses("B = 0", partial(client.prove, exchange.salt, 0))
        return
    with _expecting(exchange):
        equal("M1", client.prove(exchange.salt, exchange.B), exchange.M1)
        equal("K", client.verify(exchange.M2), exchange.K)


def client_refuses_B(new_client: NewSrpClient, hostile: HostileServer) -> None:
    """Require that the client refuses the B of a hostile server."""
    client = _client(new_client, hostile.exchange)
    refuses(f"B = {_in_N(hostile.B, hostile.exchange)}", partial(client.prove, hostile.exchange.salt, hostile.B))


def client_proves_once(new_client: NewSrpClient, exchanges: tuple[SrpExchange, SrpExchange]) -> None:
    """Require that a client that has answered the first B refuses the second."""
    first, second = exchanges
    client = _client(new_client, first)
    client.prove(first.salt, first.B)
    refuses("a second B for the same A", partial(client.prove, second.salt, second.B))


def client_refuses_M2(new_client: NewSrpClient, wrong: Proof) -> None:
    """Require that the client refuses a wrong server proof."""
    exchange, proof = wrong
    client = _client(new_client, exchange)
    client.prove(exchange.salt, exchange.B)
    refuses("a wrong server proof", partial(client.verify, proof))


def client_refuses_M2_before_M1(new_client: NewSrpClient, early: Proof) -> None:
    """Require that a client that has not sent a proof refuses that of a server."""
    exchange, proof = early
    refuses("a server proof before prove()", partial(_client(new_client, exchange).verify, proof))


def client_with_password(new_client: NewSrpClient, guess: Guess) -> None:
    """Require that a client with another password has another proof, and that it refuses the server's."""
    exchange, password = guess
    if password == exchange.password:
        _client_agrees_with_password(new_client, exchange)
        return
    client = _client(new_client, exchange.with_password(password))
    if client.prove(exchange.salt, exchange.B) == exchange.M1:
        raise LawBroken(f"the proof with the password {_compared(password, exchange.password)}")
    refuses("the proof of a server that stores another password", partial(client.verify, exchange.M2))


def _client_agrees_with_password(new_client: NewSrpClient, exchange: SrpExchange) -> None:
    """Require the values of an honest exchange. If they are wrong, look for a password that the client takes for this.

    The one that differs first is reported, because it shows how the client changes the password: if the client cuts it
    after 72 bytes, that is character 73.
    """
    try:
        client_agrees(new_client, exchange)
    except LawBroken:
        proof = _proof_of(new_client, exchange)
        near = near_miss_passwords(exchange.password)
        for password in sorted(near, key=partial(_first_difference, exchange.password)):
            if proof is not None and _proof_of(new_client, exchange.with_password(password), exchange.B) == proof:
                raise LawBroken(f"the proof with the password {_compared(password, exchange.password)}") from None
        raise


def _proof_of(new_client: NewSrpClient, exchange: SrpExchange, B: int | None = None) -> bytes | None:
    """Return the client's proof for *B*, which is that of *exchange* by default, or None if the client refuses it."""
    try:
        return _client(new_client, exchange).prove(exchange.salt, exchange.B if B is None else B)
    except Exception:  # noqa: BLE001 - somebody else's code may raise any exception
        return None


def client_is_fresh(new_client: NewSrpClient, exchange: SrpExchange) -> None:
    """Require that many clients have different A, and that none has a small exponent."""
    p = exchange.parameters
    setup = SrpClientSetup(p.group, p.digest, exchange.identity, exchange.password, None)
    publics = [new_client(setup).A for _ in range(_FRESH)]
    if len({*publics}) < _FRESH:
        raise LawBroken(f"two of {_FRESH} clients have the same A")
    _require_large_secrets("a", p.group, publics)


# Checks of a server.


def _server(new_server: NewSrpServer, exchange: SrpExchange) -> SrpServer:
    p = exchange.parameters
    return new_server(SrpServerSetup(p.group, p.digest, exchange.identity, exchange.salt, exchange.v, exchange.b))


def server_agrees(new_server: NewSrpServer, exchange: SrpExchange) -> None:
    """Require the values of an honest exchange."""
    if exchange.B == 0:  # possible in a small group only; a server must then draw another b
        return
    server = _server(new_server, exchange)
    with _expecting(exchange):
        equal("B", server.B, exchange.B)
        key, proof = server.verify(exchange.A, exchange.M1)
        equal("K", key, exchange.K)
        equal("M2", proof, exchange.M2)


def server_refuses_client(new_server: NewSrpServer, hostile: HostileClient) -> None:
    """Require that the server refuses the A of a hostile client."""
    server = _server(new_server, hostile.exchange)
    refuses(f"A = {_in_N(hostile.A, hostile.exchange)}", partial(server.verify, hostile.A, hostile.proof))


def server_refuses_M1(new_server: NewSrpServer, wrong: Proof) -> None:
    """Require that the server refuses a wrong client proof."""
    exchange, proof = wrong
    server = _server(new_server, exchange)
    refuses("a wrong client proof", partial(server.verify, exchange.A, proof))


def server_with_other_password(new_server: NewSrpServer, guess: Guess) -> None:
    """Require that the server refuses a client with another password."""
    exchange, password = guess
    server = _server(new_server, exchange)
    other = exchange.with_password(password)
    x, u, k, group = other.x, exchange.u, exchange.parameters.k, exchange.group
    premaster = pow(exchange.B - k * pow(group.g, x, group.N), exchange.a + u * x, group.N)
    p = exchange.parameters
    proof = p.client_proof(exchange.identity, exchange.salt, exchange.A, exchange.B, p.session_key(premaster))
    place = _first_difference(password, exchange.password)
    passwords = f"{show(password)} of a user with {show(exchange.password)} (they differ at character {place})"
    refuses(f"the password {passwords}", partial(server.verify, exchange.A, proof))


def server_is_fresh(new_server: NewSrpServer, exchange: SrpExchange) -> None:
    """Require that many servers have different B, and that none has a small exponent."""
    p = exchange.parameters
    setup = SrpServerSetup(p.group, p.digest, exchange.identity, exchange.salt, exchange.v, None)
    publics = [new_server(setup).B for _ in range(_FRESH)]
    if len({*publics}) < _FRESH:
        raise LawBroken(f"two of {_FRESH} servers have the same B")
    _require_large_secrets("b", p.group, [(B - p.k * exchange.v) % p.group.N for B in publics])


def _require_large_secrets(name: str, group: Group, powers: Sequence[int]) -> None:
    """Require that none of *powers* is a power of g with an exponent of 16 bits or less, by trying all of them."""
    wanted, power = {*powers}, 1
    for exponent in range(_SHORT):
        if power in wanted:
            raise LawBroken(f"one of {_FRESH} secrets is {name} = {exponent}: draw at least 256 random bits")
        power = power * group.g % group.N


# Messages.


@contextmanager
def _expecting(exchange: SrpExchange) -> Generator[None, None, None]:
    """Add the values of the honest *exchange* to a failure: the first that differs from the subject's has the fault."""
    try:
        yield
    except Exception as error:
        found = str(error) if isinstance(error, LawBroken) else f"raised {type(error).__name__}: {error}"
        numbers = {"k": exchange.parameters.k, "x": exchange.x, "u": exchange.u, "S": exchange.S}
        expected = ", ".join(f"{name} = {show(value)}" for name, value in numbers.items())
        raise LawBroken(f"{found} (expected {expected}, K = {exchange.K.hex()})") from error


def _compared(password: str, other: str) -> str:
    place = _first_difference(password, other)
    return f"{show(password)} is that of {show(other)} (they differ at character {place})"


def _first_difference(one: str, other: str) -> int:
    """Return the place of the first character that differs, counted from 1."""
    pairs = enumerate(zip_longest(one, other), 1)
    return next(place for place, (left, right) in pairs if left != right)


def _in_N(value: int, exchange: SrpExchange) -> str:
    """Return *value* as a multiple of N and a rest, for a message."""
    multiple, rest = divmod(value, exchange.group.N)
    parts = [f"{multiple} * N"] if multiple else []
    return " + ".join(parts + ([show(rest)] if rest else [])) or "0"
