"""Route one HTTP request to what answers it, after checking its Host header and its signature. No I/O.

- ``POST /`` calls the operation that the header X-Amz-Target names. An administrator's operations must be signed.
- ``GET /<pool id>/.well-known/jwks.json`` and ``/<pool id>/.well-known/openid-configuration`` return the public
  documents of a pool.
- ``/_srpcore/...`` is the control endpoint (:mod:`.control`), if it is served. Two paths below it are used without it:
  those of the data of the page and of uploads.
- ``PUT`` to the PreSignedUrl of a user import job uploads its CSV file.
- ``GET /`` returns the page for people, if the server has one.
- ``OPTIONS`` is sent by a browser before a page's request, to find out whether the page may send it (a CORS preflight).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeAlias

from srpcore.protocol import Operation
from srpcore.service_model import TARGET_PREFIX

from ...credentials import Credentials
from ..api.errors import Refusal
from ..operations import dispatch
from ..operations.dispatch import Response
from ..operations.table import OPERATIONS
from ..storage.service import Service
from . import sigv4_check, uploads
from .control import PREFIX, Control
from .hosts import METHODS, AllowedHosts
from .page import Page
from .request_reader import InvalidRequest, Request

__all__ = ["PublicDocument", "Router", "encode_response"]

PublicDocument: TypeAlias = Callable[[str, str | None], bytes | None]
"""Returns the public document at a path, or None. The second argument is the part of the issuer before the pool id."""

_INVALID = {411: "LengthRequiredException", 413: "RequestEntityTooLargeException"}
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_DAYS = "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"
_MONTHS = "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"


class Router:
    """Makes the responses of one server. Any number of threads may call it."""

    def __init__(
        self,
        service: Service,
        document: PublicDocument,
        credentials: Credentials | None,
        hosts: AllowedHosts,
        control: Control | None = None,
        page: Page | None = None,
    ) -> None:
        self._control = control
        self._service, self._document, self._credentials, self._hosts = service, document, credentials, hosts
        self._page = page

    def respond(self, request: Request) -> bytes:
        """Return the response to *request*."""
        try:
            response = self._route(request)
        except Refusal as error:
            response = dispatch.error_response(error)
        except BaseException:  # noqa: BLE001 - answer a bug as the service does; its message could contain a secret
            closed = self._service.database.unusable is not None
            message = "The local pool was closed before its server" if closed else "Something went wrong"
            response = dispatch.error_response(Refusal("InternalErrorException", message))
        return self._encode(response, request)

    def refuse(self, error: InvalidRequest) -> bytes:
        """Return the response to a request that is not valid. The connection must be closed after it."""
        code = _INVALID.get(error.status, "BadRequestException")
        return self._encode(dispatch.error_response(Refusal(code, error.message, error.status)), error.head, keep=False)

    def refuse_overload(self, request: Request) -> bytes:
        """Return the response to a request for which there is no thread."""
        message = "Too many requests wait for triggers at the same time. Try again when some of them have ended."
        status = None if request.method == "POST" else 503  # an operation has the status of the service
        return self._encode(dispatch.error_response(Refusal("TooManyRequestsException", message, status)), request)

    def _encode(self, response: Response, request: Request | None, *, keep: bool = True) -> bytes:
        headers = {"server": "srpcore", "date": http_date(self._service.clock())}
        if request is not None and not request.path.startswith(PREFIX) and not self._is_for_page(request):
            headers |= self._hosts.cors_headers(request.headers)
        if not keep or request is None or not request.keep:
            headers["connection"] = "close"
        body = b"" if request is not None and request.method == "HEAD" else response.body
        return encode_response(response.status, response.headers | headers, body)

    def _is_for_page(self, request: Request) -> bool:
        return self._page is not None and self._page.accepts(request)

    def _route(self, request: Request) -> Response:
        host = request.headers["host"]
        if not self._hosts.accept_host(host):
            raise _foreign_host(request.method)
        if self._page is not None and self._page.accepts(request):
            return self._page.respond(request)
        if uploads.accepts(request):
            return uploads.receive(self._service, request)
        if self._control is not None and request.path.startswith(PREFIX):
            return self._control.respond(request)
        if request.method == "POST":
            # The server speaks plain HTTP only.
            return self._call(request, f"http://{host}")
        if request.method == "GET":
            return self._get(request.path, f"http://{host}")
        if request.method == "OPTIONS":
            return Response(204, self._hosts.preflight_headers(request.headers), b"")
        response = dispatch.error_response(Refusal("MethodNotAllowedException", f"Use one of {METHODS}.", 405))
        response.headers["allow"] = METHODS
        return response

    def _get(self, path: str, issuer_base: str) -> Response:
        document = self._document(path, issuer_base)
        if document is None:
            raise _not_found()
        return Response(200, {"content-type": "application/json", "content-length": str(len(document))}, document)

    def _call(self, request: Request, issuer_base: str) -> Response:
        target = request.headers.get("x-amz-target", "")
        if request.path != "/" or not target.startswith(TARGET_PREFIX):
            raise Refusal("UnknownOperationException", "")
        name = target.removeprefix(TARGET_PREFIX)
        region = None
        by_secret = name in sigv4_check.SIGNATURE_OPTIONAL and "authorization" not in request.headers
        if name in OPERATIONS and Operation(name, {}).signed and not by_secret:
            # Use the real time, not the pool's clock: clients sign with their own clock, which stays real when a test
            # sets the pool's clock.
            try:
                region = sigv4_check.verify(request, self._credentials, time.time())
            except Refusal as error:
                self._service.calls.add(self._service.clock(), name, error.status, error.code, None, 0.0)
                raise
        return dispatch.answer(self._service, name, request.body, issuer_base, region)


def _not_found() -> Refusal:
    return Refusal("ResourceNotFoundException", "Not found.", 404)


def _foreign_host(method: str) -> Refusal:
    if method == "GET":
        return _not_found()
    return Refusal(
        "ForbiddenException",
        "This server does not accept the name in the Host header: use 127.0.0.1 or localhost, or start it with "
        "--allowed-host.",
        403,
    )


def encode_response(status: int, headers: dict[str, str], body: bytes) -> bytes:
    """Return a whole response: status line, *headers* and *body*.

    It is sent in one piece. If head and body were sent separately, Nagle's algorithm would hold back the body until the
    client acknowledges the head, which many systems delay by 40 ms.
    """
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def http_date(seconds: float) -> str:
    """Return a time in seconds since the epoch as the value of a Date header (RFC 9110, section 5.6.7)."""
    t = time.gmtime(seconds)
    day, month = _DAYS[t.tm_wday], _MONTHS[t.tm_mon - 1]
    return f"{day}, {t.tm_mday:02} {month} {t.tm_year} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"
