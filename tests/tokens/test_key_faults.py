"""A server of key sets that misbehaves, on the first fetch and on a refresh, from threads and on an event loop."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads
from typing import Any

import pytest

from srpcore.exceptions import TransportError, UnknownKey
from srpcore.tokens import Claims
from support.key_server import POOL, Keys, mint
from support.loopback import Drop, Request, answer, chunked
from support.minting import KID, access_claims, jwk

HOUR, COOL_DOWN = 3600, 60
LASTING = access_claims(exp=2**40)
TOKEN = mint(LASTING)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Fault = Callable[["FaultyKeys", socket.socket], bytes]


class FaultyKeys(Keys):
    """A server of key sets whose *fault*, where there is one, has the connection to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: Fault | None = None
        self.over = Event()
        self.ends: list[Callable[[], None]] = []

    def handle(self, request: Request, connection: socket.socket) -> bytes:
        return self.fault(self, connection) if self.fault else super().handle(request, connection)

    def well(self) -> bytes:
        return answer(self.document(POOL))


class OnThreads:
    def __init__(self, keys: FaultyKeys, **named: Any) -> None:
        keys.ends.append(self.end)
        self._verifier = keys.verifier(**named)

    def verify(self, token: str) -> Claims:
        return self._verifier.verify(token)

    def settle(self) -> None:
        """Wait for the refresh in the background."""
        self._verifier.close()

    def end(self) -> None:
        self._verifier.close()


class OnALoop:
    def __init__(self, keys: FaultyKeys, **named: Any) -> None:
        keys.ends.append(self.end)
        self._verifier = keys.async_verifier(**named)
        self._runner = asyncio.Runner()

    def verify(self, token: str) -> Claims:
        return self._runner.run(self._verifier.verify(token))

    def settle(self) -> None:
        self._runner.run(self._verifier.close())

    def end(self) -> None:
        self.settle()
        tasks = asyncio.all_tasks(self._runner.get_loop())
        self._runner.close()
        assert tasks == set()


both = pytest.mark.parametrize("kind", [OnThreads, OnALoop])


@pytest.fixture
def keys() -> Iterator[FaultyKeys]:
    """Serve for a test, which must leave neither a thread nor an open file behind."""
    threads, files = {*enumerate_threads()}, _open_files()
    served = FaultyKeys()
    with served.server:
        yield served
        served.over.set()
        for end in served.ends:
            end()
    assert {*enumerate_threads()} <= threads
    assert _open_files() <= files


def _open_files() -> int:
    return len([*Path("/dev/fd").iterdir()]) if Path("/dev/fd").is_dir() else 0


# --- faults ----------------------------------------------------------------------------------------------------------


def silent(keys: FaultyKeys, _: socket.socket) -> bytes:
    keys.over.wait(20)
    raise Drop


def silent_in_the_middle(keys: FaultyKeys, connection: socket.socket) -> bytes:
    connection.sendall(keys.well()[:-100])
    return silent(keys, connection)


def ended(_: FaultyKeys, __: socket.socket) -> bytes:
    raise Drop


def reset(_: FaultyKeys, connection: socket.socket) -> bytes:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Drop


def reset_in_the_middle(keys: FaultyKeys, connection: socket.socket) -> bytes:
    connection.sendall(keys.well()[:-100])
    return reset(keys, connection)


def half_closed(length: int) -> Fault:
    """Send so much of a good answer, and then its end, and leave the connection open for what the client sends."""

    def fault(keys: FaultyKeys, connection: socket.socket) -> bytes:
        connection.sendall(keys.well()[:length])
        connection.shutdown(socket.SHUT_WR)
        return silent(keys, connection)

    return fault


def endless(head: bytes, piece: bytes) -> Fault:
    """Send *head* and then *piece* for as long as the client takes it."""

    def fault(_: FaultyKeys, connection: socket.socket) -> bytes:
        connection.sendall(head)
        with suppress(OSError):
            while True:
                connection.sendall(piece)
        raise Drop

    return fault


def always(response: bytes) -> Fault:
    return lambda keys, connection: response


def document(*entries: dict[str, Any], **more: str) -> bytes:
    return json.dumps({"keys": entries, **more}).encode()


GOOD = document(jwk())
HUGE = document(jwk(), more="x" * 256 * 1024)

SLOW: dict[str, Fault] = {"silent": silent, "silent in the middle": silent_in_the_middle}

FAULTS: dict[str, Fault] = {
    "ended": ended,
    "reset": reset,
    "half-closed at once": half_closed(0),
    "reset in the middle": reset_in_the_middle,
    "half-closed in the status": half_closed(5),
    "half-closed in the headers": half_closed(30),
    "half-closed in the body": half_closed(300),
    "cut short": always(HEAD + b"Content-Length: 5000\r\nConnection: close\r\n\r\n" + GOOD),
    "huge": always(answer(HUGE)),
    "huge, by its word alone": always(HEAD + b"Content-Length: 99999999999\r\n\r\n"),
    "huge without a length": always(HEAD + b"Connection: close\r\n\r\n" + HUGE),
    "huge in chunks": always(chunked(*[HUGE[i : i + 9999] for i in range(0, len(HUGE), 9999)])),
    "endless chunks": endless(chunked(GOOD, last=False), b"5\r\n     \r\n"),
    "one endless chunk": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", b" " * 9999),
    "endless headers": endless(HEAD, b"X-More: x\r\n"),
    "an endless line": endless(b"HTTP/1.1 200 ", b"x" * 9999),
    "chunks cut short": always(chunked(GOOD, last=False) + b"\r\n"),
    "no HTTP": always(b"SSH-2.0-nothing for you\r\nConnection: close\r\n\r\n"),
    "HTML": always(answer(b"<!DOCTYPE html><title>Sign in</title>", Content_Type="text/html")),
    "nothing": always(answer(b"")),
    "JSON cut short": always(answer(GOOD[:-1])),
    "a list": always(answer(b"[]")),
    "no key": always(answer(document())),
    "no RS256 key": always(answer(document({"kty": "EC", "kid": KID}, jwk(alg="RS384"), jwk(use="enc")))),
    "two keys of one kid": always(answer(document(jwk(), jwk("other", kid=KID)))),
    "101 keys": always(answer(document(*[jwk(kid=str(number)) for number in range(101)]))),
    "a key of 1 bit": always(answer(document(jwk(n="AQ")))),
    "gzip": always(answer(gzip.compress(GOOD), Content_Encoding="gzip")),
    **{
        f"HTTP {status}": always(answer(GOOD, status, Location=f"/{POOL}/elsewhere"))
        for status in (201, 301, 302, 303, 307, 308, 400, 401, 403, 404, 429, 500, 502, 503, 504)
    },
    **{f"HTTP {status}": always(answer(b"", status)) for status in (204, 304)},
}


def refused_at_first(keys: FaultyKeys, kind: Any, fault: Fault, **named: Any) -> None:
    verifier = kind(keys, **named)
    keys.fault = fault
    for _ in range(3):
        with pytest.raises(
            TransportError, match=r"key set http.* could not be fetched, so no token can be verified: "
        ) as caught:
            verifier.verify(TOKEN)
        # There was one request, and there is none in the pause after it.
        assert keys.count == 1
        keys.clock.now += 0.3
    assert len(str(caught.value)) < 500
    keys.fault = None
    keys.clock.now += 1
    assert verifier.verify(TOKEN) == verifier.verify(TOKEN) == LASTING
    assert keys.count == 2


def served_on_a_refresh(keys: FaultyKeys, kind: Any, fault: Fault, **named: Any) -> None:
    verifier = kind(keys, **named)
    verifier.verify(TOKEN)
    keys.fault = fault
    keys.clock.now += HOUR
    for _ in range(3):
        assert verifier.verify(TOKEN) == LASTING
        verifier.settle()
        assert keys.count == 2
        keys.clock.now += 0.3
    # What came was not taken in part.
    with pytest.raises(UnknownKey):
        verifier.verify(mint(LASTING, "new"))
    assert keys.count == 2
    keys.fault = None
    keys.names[POOL] = ["new"]
    keys.clock.now += COOL_DOWN
    assert verifier.verify(TOKEN) == LASTING
    verifier.settle()
    assert verifier.verify(mint(LASTING, "new")) == LASTING
    with pytest.raises(UnknownKey):
        verifier.verify(TOKEN)
    assert keys.count == 3


@both
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_at_the_first_fetch_is_an_error(keys: FaultyKeys, kind: Any, fault: Fault) -> None:
    refused_at_first(keys, kind, fault)
    # No redirect was followed.
    assert {request.target for request in keys.server.requests} == {f"/{POOL}/.well-known/jwks.json"}


@both
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_old_keys_are_used_after_a_fault_at_a_refresh(keys: FaultyKeys, kind: Any, fault: Fault) -> None:
    served_on_a_refresh(keys, kind, fault)
    assert {request.target for request in keys.server.requests} == {f"/{POOL}/.well-known/jwks.json"}


@pytest.mark.slow
@both
@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW)
def test_a_silent_server_is_a_timeout(keys: FaultyKeys, kind: Any, fault: Fault) -> None:
    refused_at_first(keys, kind, fault, timeout=2)


@pytest.mark.slow
@both
@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW)
def test_a_silent_server_at_a_refresh_is_a_timeout(keys: FaultyKeys, kind: Any, fault: Fault) -> None:
    served_on_a_refresh(keys, kind, fault, timeout=2)


@both
def test_a_slow_refresh_does_not_block_callers(keys: FaultyKeys, kind: Any) -> None:
    dripped = Event()

    def drip(_: FaultyKeys, connection: socket.socket) -> bytes:
        for byte in answer(GOOD.ljust(100_000)):
            connection.sendall(bytes([byte]))
            dripped.set()
            if keys.over.wait(0.02):
                break
        raise Drop

    verifier = kind(keys, timeout=5)
    verifier.verify(TOKEN)
    keys.fault = drip
    keys.clock.now += HOUR
    for _ in range(3):
        assert verifier.verify(TOKEN) == LASTING
    if kind is OnThreads:
        assert dripped.wait(20)
    for _ in range(20):
        assert verifier.verify(TOKEN) == LASTING
    assert keys.count <= 2
    keys.over.set()
    keys.fault = None
    verifier.settle()
    keys.clock.now += COOL_DOWN
    assert verifier.verify(TOKEN) == LASTING


@both
def test_two_equal_entries_of_a_key_count_as_one(keys: FaultyKeys, kind: Any) -> None:
    keys.fault = always(answer(document(jwk(), jwk(), {"kty": "EC", "kid": KID}, jwk("other"))))
    verifier = kind(keys)
    assert verifier.verify(TOKEN) == LASTING


@both
def test_a_hundred_keys_and_256_kib_are_accepted(keys: FaultyKeys, kind: Any) -> None:
    entries = [jwk(), *[jwk(kid=str(number)) for number in range(99)]]
    body = document(*entries)
    keys.fault = always(answer(body.ljust(256 * 1024)))
    verifier = kind(keys)
    assert verifier.verify(TOKEN) == LASTING


@both
def test_rotated_keys_are_fetched(keys: FaultyKeys, kind: Any) -> None:
    old, new = TOKEN, mint(LASTING, "new")
    verifier = kind(keys)
    assert verifier.verify(old) == LASTING
    # The new key is announced before it signs, and an unknown kid makes it known at once.
    keys.names[POOL] = [KID, "new"]
    keys.clock.now += COOL_DOWN
    assert verifier.verify(new) == verifier.verify(old) == LASTING
    assert keys.count == 2
    keys.names[POOL] = ["new"]
    keys.clock.now += HOUR
    assert verifier.verify(new) == LASTING
    verifier.settle()
    assert verifier.verify(new) == LASTING
    with pytest.raises(UnknownKey):
        verifier.verify(old)
    assert keys.count == 3


def dripping(pieces: Iterator[bytes]) -> Fault:
    """Send a byte every 20 ms: no silence is long, and there is no end."""

    def fault(keys: FaultyKeys, connection: socket.socket) -> bytes:
        for piece in pieces:
            for byte in piece:
                connection.sendall(bytes([byte]))
                if keys.over.wait(0.02):
                    raise Drop
        raise Drop

    return fault


DRIPS: dict[str, Callable[[], Iterator[bytes]]] = {
    "status": lambda: repeat(b"x"),
    "headers": lambda: chain([HEAD], repeat(b"X-More: x\r\n", 99), repeat(b"x")),
    "continue": lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": lambda: iter([answer(GOOD.ljust(200_000))]),
    "chunks": lambda: chain([HEAD + b"Transfer-Encoding: chunked\r\n\r\n"], repeat(b"1\r\n \r\n")),
}


@pytest.mark.slow
@both
@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_a_slow_fetch_ends_at_its_deadline(keys: FaultyKeys, kind: Any, drip: Callable[[], Iterator[bytes]]) -> None:
    refused_at_first(keys, kind, dripping(drip()), timeout=2)
