"""What can go wrong between a client and the service, and what is to come of it: the tests and the docs read this.

The figures are written out, and not computed from the retry table of the transports, which they test.
"""

from __future__ import annotations

import _socket
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import NoReturn

import trustme

from srpcore.service_model import EXCEPTIONS
from support.loopback import Drop, Request, answer, chunked, tls

from .serving import FaultyService, refusal

__all__ = [
    "EXCEPTION_NAMES",
    "FAULTS",
    "GOES_ANOTHER_WAY",
    "LIMIT",
    "OPERATIONS",
    "Asked",
    "Fault",
    "Misbehaviour",
    "Outcome",
    "ends_login",
    "sent_thrice",
]

LIMIT = 2**20
"""The bound of an answer in bytes, as the transports of these tests are made."""


class Misbehaviour:
    """What a server does wrong: what is not overridden goes well."""

    of_connections = True
    """Whether it happens before the server is told what the connection is for."""
    padding = 0
    """How long the service's Session is, which the next request has to bear."""

    def begin(self, service: FaultyService) -> None:
        """Begin, before the request that is to fail."""

    def end(self, service: FaultyService) -> None:
        """Let it be well again."""

    def greet(self, service: FaultyService, connection: socket.socket) -> ssl.SSLContext | None:
        """Have a new connection, before TLS; return a context for it, None for the right one."""
        return None

    def before_body(self, service: FaultyService, connection: socket.socket) -> None:
        """Have a connection on which the head of a request came."""

    def answer(self, service: FaultyService, request: Request, connection: socket.socket) -> bytes:
        """Answer the request that is to fail."""
        return service.well(request)


class Deaf(Misbehaviour):
    def begin(self, service: FaultyService) -> None:
        service.stop_listening()

    def end(self, service: FaultyService) -> None:
        service.listen_again()


class Mute(Deaf):
    def begin(self, service: FaultyService) -> None:
        service.stop_answering()


class Nameless(Misbehaviour):
    def begin(self, service: FaultyService) -> None:
        # Below every name that it is imported by.
        real = _socket.getaddrinfo

        def fail(*_: object, **__: object) -> NoReturn:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        _socket.getaddrinfo = fail
        service.undo.append(lambda: setattr(_socket, "getaddrinfo", real))

    def end(self, service: FaultyService) -> None:
        while service.undo:
            service.undo.pop()()


@dataclass(frozen=True)
class Proxied(Misbehaviour):
    """The proxy on the way answers *instead* of opening a tunnel; None: it does not answer."""

    instead: bytes | None

    def begin(self, service: FaultyService) -> None:
        assert service.proxy is not None
        service.proxy.instead = self.instead

    def end(self, service: FaultyService) -> None:
        assert service.proxy is not None
        service.proxy.instead = b""


class ProxyDeaf(Misbehaviour):
    def begin(self, service: FaultyService) -> None:
        assert service.proxy is not None
        service.proxy.stop_listening()

    def end(self, service: FaultyService) -> None:
        assert service.proxy is not None
        service.proxy.listen_again()


@dataclass(frozen=True)
class Greeting(Misbehaviour):
    greeting: Callable[[FaultyService, socket.socket], ssl.SSLContext | None]

    def greet(self, service: FaultyService, connection: socket.socket) -> ssl.SSLContext | None:
        return self.greeting(service, connection)


class Unread(Misbehaviour):
    """The request is larger than what fits on the way, and is not read."""

    of_connections = False
    padding = 12 * 2**20

    def before_body(self, service: FaultyService, connection: socket.socket) -> None:
        silent(service, connection)


@dataclass(frozen=True)
class Answering(Misbehaviour):
    reply: Callable[[FaultyService, Request, socket.socket], bytes]
    of_connections = False

    def answer(self, service: FaultyService, request: Request, connection: socket.socket) -> bytes:
        return self.reply(service, request, connection)


def always(response: bytes) -> Answering:
    return Answering(lambda service, request, connection: response)


def silent(service: FaultyService, connection: socket.socket) -> NoReturn:
    service.over.wait(60)
    raise Drop


def closed(service: FaultyService, connection: socket.socket) -> NoReturn:
    connection.recv(1)
    raise Drop


def reset_greeting(service: FaultyService, connection: socket.socket) -> NoReturn:
    # Not sooner: Python leaves a socket open whose connection was reset before ClientHello.
    connection.recv(1)
    reset(service, connection)


def reset(service: FaultyService, connection: socket.socket) -> NoReturn:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Drop


def plain_text(service: FaultyService, connection: socket.socket) -> NoReturn:
    connection.recv(10_000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    raise Drop


@cache
def strangers_context() -> ssl.SSLContext:
    return tls("localhost", issuer=trustme.CA())


JSON = "application/x-amz-json-1.1"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"


def after(part: bytes | None, end: Callable[[FaultyService, socket.socket], NoReturn]) -> Answering:
    """Send *part* of an answer, or all but the last byte of a good one, and then *end*."""

    def reply(service: FaultyService, request: Request, connection: socket.socket) -> bytes:
        connection.sendall(service.well(request)[:-1] if part is None else part)
        if end is reset and part != b"":
            # A reset that comes too soon takes what was sent with it.
            time.sleep(0.02)
        end(service, connection)

    return Answering(reply)


def nothing_more(service: FaultyService, connection: socket.socket) -> NoReturn:
    raise Drop


def answered_and_reset(service: FaultyService, request: Request, connection: socket.socket) -> bytes:
    connection.sendall(service.well(request))
    # A reset that comes too soon takes the answer with it.
    service.resetting.append(connection)
    service.noticed.wait(60)
    reset(service, connection)


def oversized(*, in_chunks: bool) -> Answering:
    def reply(service: FaultyService, request: Request, _: socket.socket) -> bytes:
        body = service.well(request).partition(b"\r\n\r\n")[2].ljust(LIMIT + 1)
        return chunked(body[: LIMIT // 2], body[LIMIT // 2 :]) if in_chunks else answer(body, Content_Type=JSON)

    return Answering(reply)


PAGE = b"<!DOCTYPE html><title>Sign in to the network</title>"


def page(status: int, **headers: str) -> bytes:
    return answer(PAGE, status, Content_Type="text/html", **headers)


@dataclass(frozen=True)
class Outcome:
    """What comes of a call: *error* is the name of a class of ``srpcore.exceptions``, None for an answer."""

    error: str | None
    may_have_arrived: bool | None = None
    transient: bool | None = None
    attempts: tuple[int, int] = (1, 1)
    """How often a request is sent, or its connection tried: one that may be repeated, and one that may not."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong; *botocore* is what comes of it there, and *document* what of a GET."""

    name: str
    group: str
    server: str
    does: Misbehaviour
    outcome: Outcome
    botocore: Outcome
    document: Outcome
    document_botocore: Outcome
    arrives: bool = field(kw_only=True)
    """Whether each attempt is a whole request on the server's side."""
    slow: bool = False
    proxied: bool = False
    last: bool = False
    """Whether it cannot happen where another request follows on the connection."""
    lost: bool = False
    """Whether it looks like a connection that the server has closed while it was idle."""


@dataclass(frozen=True)
class Asked:
    """What a client is asked to do; *at* is the request of it that the fault happens to."""

    name: str
    at: str
    repeatable: bool


OPERATIONS = (
    Asked("log in, at its beginning", "InitiateAuth", repeatable=True),
    Asked("log in, at its proof", "RespondToAuthChallenge", repeatable=False),
    Asked("refresh", "InitiateAuth", repeatable=True),
    Asked("list users", "ListUsers", repeatable=True),
    Asked("key set", "GET", repeatable=True),
)

# What comes of it over the transports that retry themselves.
NOT_SENT = Outcome("TransportError", may_have_arrived=False, transient=True, attempts=(3, 3))
NOT_TRUSTED = Outcome("TransportError", may_have_arrived=False, transient=False, attempts=(1, 1))
LATE_BEFORE = Outcome("TransportTimeout", may_have_arrived=False, transient=True, attempts=(3, 3))
LATE_AFTER = Outcome("TransportTimeout", may_have_arrived=True, transient=True, attempts=(3, 1))
LOST = Outcome("TransportError", may_have_arrived=True, transient=True, attempts=(3, 1))
REFUSED = Outcome("TransportError", may_have_arrived=True, transient=False, attempts=(1, 1))
WAITED = Outcome("TransportError", may_have_arrived=False, transient=True, attempts=(3, 3))
ANSWERED = Outcome(None)
NO_KEYS = Outcome("TransportError", may_have_arrived=True, transient=False, attempts=(1, 1))

# botocore retries by its own rules, and not at all as these tests set it up.
FAILED = Outcome("TransportError", may_have_arrived=True)
TOO_LATE = Outcome("TransportTimeout", may_have_arrived=True)


def fault(
    group: str,
    name: str,
    server: str,
    does: Misbehaviour,
    outcome: Outcome,
    botocore: Outcome | None = None,
    *,
    document: Outcome | None = None,
    document_botocore: Outcome | None = None,
    arrives: bool = True,
    slow: bool = False,
    proxied: bool = False,
    last: bool = False,
    lost: bool = False,
) -> Fault:
    """Return a fault; what is not given for botocore or a document is as it is over the transports that retry."""
    if botocore is None:
        error = outcome.error
        late = error == "TransportTimeout"
        ours = error in ("TransportError", "TransportTimeout")
        botocore = (TOO_LATE if late else FAILED) if ours else Outcome(error)
    document = document or outcome
    document_botocore = document_botocore or (botocore if document is outcome else document)
    return Fault(
        name,
        group,
        server,
        does,
        outcome,
        botocore,
        document,
        document_botocore,
        arrives=arrives,
        slow=slow,
        proxied=proxied,
        last=last,
        lost=lost,
    )


def no_answer(group: str, name: str, server: str, does: Misbehaviour, outcome: Outcome) -> Fault:
    return fault(group, name, server, does, outcome, arrives=False)


def by_status(status: int, code: str, *, throttled: bool = False) -> tuple[Fault, Fault]:
    """Return the faults of *status* with an error document of the service, and without."""
    attempts = (3, 3) if throttled else (3, 1)
    without = WAITED if throttled else LOST
    # A document is fetched or not; what refused it is all the same.
    document = LOST
    cls = code if code in ("InternalErrorException", "TooManyRequestsException") else "ServiceError"
    return (
        fault(
            "status",
            f"HTTP {status} with an error document",
            f"`{code}`",
            always(refusal(code, status)),
            Outcome(cls, attempts=attempts),
            document=document,
            document_botocore=FAILED,
        ),
        fault(
            "status",
            f"HTTP {status} without one",
            "an HTML page",
            always(page(status)),
            without,
            document=document,
            document_botocore=FAILED,
        ),
    )


FAULTS: tuple[Fault, ...] = (
    no_answer("connection", "refused", "nobody listens", Deaf(), NOT_SENT),
    no_answer("connection", "DNS failure", "the name service knows no such host", Nameless(), NOT_SENT),
    no_answer("TLS", "closed in the handshake", "closes after ClientHello", Greeting(closed), NOT_SENT),
    no_answer("TLS", "reset in the handshake", "resets after ClientHello", Greeting(reset_greeting), NOT_SENT),
    no_answer("TLS", "no TLS", "answers in plain HTTP", Greeting(plain_text), NOT_SENT),
    no_answer(
        "TLS",
        "wrong host",
        "has a certificate for another name",
        Greeting(lambda *_: tls("elsewhere.example")),
        NOT_TRUSTED,
    ),
    no_answer(
        "TLS",
        "unknown authority",
        "has a certificate of an authority that is not trusted",
        Greeting(lambda *_: strangers_context()),
        NOT_TRUSTED,
    ),
    *(
        fault("proxy", name, server, does, outcome, arrives=False, proxied=True)
        for name, server, does, outcome in (
            ("proxy refused", "nobody listens at the proxy", ProxyDeaf(), NOT_SENT),
            ("proxy without an answer", "the proxy closes the connection", Proxied(None), NOT_SENT),
            ("proxy: 407", "the proxy wants a password", Proxied(answer(b"", 407, Connection="close")), NOT_TRUSTED),
            ("proxy: 502", "the proxy has no connection", Proxied(answer(b"", 502, Connection="close")), NOT_SENT),
            (
                "proxy: garbage",
                "the proxy speaks no HTTP",
                Proxied(b"SSH-2.0-OpenSSH\r\nConnection: close\r\n\r\n"),
                NOT_TRUSTED,
            ),
        )
    ),
    *(
        fault(
            "timeout",
            f"timeout: {name}",
            server,
            does,
            outcome,
            # urllib3 has no name of its own for it.
            FAILED if name == "sending" else None,
            arrives=arrives,
            slow=True,
        )
        for name, server, does, outcome, arrives in (
            ("connect", "the connection is never accepted", Mute(), LATE_BEFORE, False),
            ("TLS handshake", "ClientHello is never answered", Greeting(silent), LATE_BEFORE, False),
            ("sending", "the request is not read to its end", Unread(), LATE_BEFORE, False),
            ("first byte", "the answer never begins", after(b"", silent), LATE_AFTER, True),
            ("headers", "silence within the headers", after(HEAD + b"Content-Le", silent), LATE_AFTER, True),
            ("body", "silence before the last byte", after(None, silent), LATE_AFTER, True),
        )
    ),
    *(
        fault(
            "loss",
            name,
            server,
            does,
            outcome,
            lost=lost,
        )
        for name, server, does, outcome, lost in (
            ("closed before the answer", "closes when it has the request", after(b"", nothing_more), LOST, True),
            ("reset before the answer", "resets when it has the request", after(b"", reset), LOST, True),
            (
                "closed in the headers",
                "closes within the headers",
                after(HEAD + b"Content-Le", nothing_more),
                LOST,
                False,
            ),
            ("reset in the headers", "resets within the headers", after(HEAD + b"Content-Le", reset), LOST, False),
            ("reset in the body", "resets before the last byte", after(None, reset), LOST, False),
        )
    ),
    fault(
        "loss",
        "reset after the answer",
        "answers, and resets the connection",
        Answering(answered_and_reset),
        ANSWERED,
        last=True,
    ),
    fault("body", "truncated", "closes before the last byte", after(None, nothing_more), LOST),
    fault(
        "body",
        "truncated chunks",
        "closes before the last chunk",
        after(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", nothing_more),
        LOST,
    ),
    *(
        fault("body", name, server, does, REFUSED, ANSWERED, document_botocore=FAILED)
        for name, server, does in (
            ("oversized", "an answer beyond the limit", oversized(in_chunks=False)),
            ("oversized chunks", "an answer beyond the limit, without Content-Length", oversized(in_chunks=True)),
        )
    ),
    fault(
        "body",
        "wrong JSON",
        "HTTP 200 with half a JSON object",
        always(answer(b'{"Users": [', Content_Type=JSON)),
        REFUSED,
        document=NO_KEYS,
    ),
    *(
        fault("body", name, server, always(answer(body, status, Content_Type=JSON)), REFUSED, document=document)
        for name, server, status, body, document in (
            ("not UTF-8", "HTTP 200 with bytes that are not UTF-8", 200, b'{"Users": "\xff"}', NO_KEYS),
            ("not an object", "HTTP 200 with a JSON array", 200, b"[1, 2]", NO_KEYS),
            ("null", "HTTP 200 with `null`", 200, b"null", NO_KEYS),
            ("too deep", "HTTP 200 with 100,000 nested arrays", 200, b"[" * 100_000 + b"]" * 100_000, NO_KEYS),
            (
                "impossible date",
                "HTTP 200 with a date far beyond the year 9999",
                200,
                b'{"Users": [{"Username": "alice", "UserCreateDate": 1e300}]}',
                NO_KEYS,
            ),
            ("error: not UTF-8", "HTTP 400 with bytes that are not UTF-8", 400, b'{"__type": "\xff"}', REFUSED),
            ("error: not an object", "HTTP 400 with a JSON array", 400, b"[1, 2]", REFUSED),
            ("error: code is not a string", "HTTP 400 with a number as `__type`", 400, b'{"__type": 5}', REFUSED),
            ("error: too deep", "HTTP 400 with 100,000 nested arrays", 400, b"[" * 100_000 + b"]" * 100_000, REFUSED),
        )
    ),
    fault("body", "HTML page", "HTTP 200 with a page of another server", always(page(200)), REFUSED, document=NO_KEYS),
    fault("body", "no HTTP", "answers in another protocol", after(b"SSH-2.0-OpenSSH\r\n\r\n", nothing_more), REFUSED),
    fault("status", "redirect", "HTTP 302", always(page(302, Location="https://elsewhere.example/")), REFUSED),
    *by_status(429, "TooManyRequestsException", throttled=True),
    *by_status(500, "InternalErrorException"),
    *by_status(502, "BadGateway"),
    *by_status(503, "ServiceUnavailable"),
    *by_status(504, "GatewayTimeout"),
    fault(
        "status",
        "throttled",
        "HTTP 400 with `TooManyRequestsException`",
        always(refusal("TooManyRequestsException")),
        Outcome("TooManyRequestsException", attempts=(3, 3)),
        document=REFUSED,
        document_botocore=FAILED,
    ),
)

EXCEPTION_NAMES: tuple[str, ...] = tuple(EXCEPTIONS)

GOES_ANOTHER_WAY = frozenset(["OperationNotEnabledException", "UnsupportedOperationException"])
"""The answers to a refresh that say that this way to refresh is off: the other one is tried."""


def sent_thrice(name: str) -> bool:
    """Return whether what is refused by *name* is sent again, whatever it is."""
    return name == "TooManyRequestsException"


def ends_login(name: str) -> bool:
    """Return whether *name* says that the refresh token is of no more use."""
    return name in ("RefreshTokenReuseException", "UserNotFoundException")
