"""The control endpoint of a served local pool, for tests in other processes: the clock, the outbox and a reset.

- ``GET /_srpcore/clock`` returns ``{"now": ..., "moved": ...}``. ``POST`` with ``{"advance": SECONDS}`` or
  ``{"set": TIME}`` moves the clock first.
- ``GET /_srpcore/outbox`` returns the messages; ``?username=NAME`` those to one user or address.
- ``POST /_srpcore/reset`` puts pools, users and clock back as they were when the server started, and empties the
  outbox. Signing keys that were generated since then are kept.

It gives everybody who may use it the codes of all users, so it is off unless the program asks for it. Without a token
it is served on a loopback address only, for all programs of this computer. With a token it is served on any address,
for example in a container, to those who know the token.

Four rules keep web pages out: each request needs the header ``x-srpcore-control``, which a page can only send to
another origin after a preflight; no preflight is accepted; a request with an Origin header is refused; and without a
token the Host header must be a loopback name even if the server accepts other names. The value of the header is the
token, or ``1`` if there is no token.
"""

from __future__ import annotations

import hmac
import re
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeGuard, cast
from urllib.parse import parse_qs

from srpcore.exceptions.base import ConfigurationError

from ..api import json_input
from ..api.errors import Refusal, invalid_parameter
from ..model.outbox import Message
from ..operations import dispatch
from ..operations.dispatch import Response
from ..storage.service import Service
from ..storage.state import State
from .hosts import is_loopback, is_loopback_host
from .request_reader import Request

__all__ = ["PREFIX", "Control", "checked_token"]

PREFIX = "/_srpcore/"
_HEADER = "x-srpcore-control"
_TOKEN = re.compile(r"[!-~]{16,4096}")


def checked_token(control: bool | str, host: str) -> str | None:
    """Return the token for a server that listens on *host*, or None if *control* is not a token.

    Raises:
        ConfigurationError: the token is not valid, or *control* is True and *host* needs a token.
    """
    if isinstance(control, str):
        if not _TOKEN.fullmatch(control):
            raise ConfigurationError(
                "the token of the control endpoint is not valid: use at least 16 ASCII characters without spaces, for "
                "example the output of `openssl rand -hex 16`"
            )
        return control
    if control and not is_loopback(host.lower()):
        raise ConfigurationError(
            f"cannot serve the control endpoint on {host!r:.80} without a token: it gives away the codes of all users. "
            "Set SRPCORE_CONTROL_TOKEN, or serve(control=TOKEN), to a random string that requests must send in the "
            "header x-srpcore-control; or use a loopback address such as 127.0.0.1"
        )
    return None


class Control:
    """The control endpoint of one server. The constructor copies the database, to which a reset goes back.

    Args:
        token: what requests must send in the header ``x-srpcore-control``; None for ``1``, from this computer only.
    """

    def __init__(self, service: Service, token: str | None = None) -> None:
        self._service, self._token = service, token
        self._start = service.database.copy()
        weakref.finalize(self, self._start.close)
        self._handlers: dict[tuple[str, str], Callable[[Request], dict[str, object]]] = {
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._move_clock,
            ("GET", "outbox"): self._outbox,
            ("POST", "reset"): self._reset,
        }

    def respond(self, request: Request) -> Response:
        """Return the response to a request whose path begins with :data:`PREFIX`.

        Raises:
            Refusal: the request is not accepted.
        """
        self._check_sender(request.headers)
        name = request.path.removeprefix(PREFIX)
        handler = self._handlers.get((request.method, name))
        if handler is not None:
            return dispatch.json_response(200, handler(request))
        methods = [method for method, known in self._handlers if known == name]
        if not methods:
            known = ", ".join(sorted({f"{PREFIX}{known}" for _, known in self._handlers}))
            raise Refusal("ResourceNotFoundException", f"Not found: use one of {known}.", 404)
        raise Refusal("MethodNotAllowedException", f"Use {' or '.join(methods)}.", 405)

    def _check_sender(self, headers: Mapping[str, str]) -> None:
        # Headers are decoded from latin-1.
        given = headers.get(_HEADER, "").encode("latin-1", "replace")
        if self._token is not None:
            if not hmac.compare_digest(given, self._token.encode("ascii")):
                raise _forbidden(
                    f"A request to the control endpoint needs the header {_HEADER} with the server's token."
                )
        elif given != b"1":
            raise _forbidden(f"A request to the control endpoint needs the header {_HEADER}: 1.")
        elif not is_loopback_host(headers.get("host", "")):
            raise _forbidden("The control endpoint is only for 127.0.0.1 and localhost.")
        if "origin" in headers:
            raise _forbidden("The control endpoint is not for web pages.")

    def _clock(self, _: Request) -> dict[str, object]:
        clock = self._service.clock
        return {"now": clock(), "moved": clock.moved}

    def _move_clock(self, request: Request) -> dict[str, object]:
        clock, body = self._service.clock, _body(request)
        change, value = next(iter(body.items()), ("", None))
        try:
            if change == "set" and len(body) == 1:
                clock.set(_seconds(value))
            elif change == "advance" and len(body) == 1 and _is_number(value):
                clock.advance(value)
            else:
                raise invalid_parameter('Send {"advance": SECONDS} or {"set": TIME}.')
        except (ValueError, OverflowError):
            raise invalid_parameter("The clock can be set to times from 1970-01-02 to 2999-12-31.") from None
        return self._clock(request)

    def _outbox(self, request: Request) -> dict[str, object]:
        query = parse_qs(request.query, keep_blank_values=True)
        if not query.keys() <= {"username"}:
            raise invalid_parameter("The only parameter of the query is username.")
        names = query.get("username")
        messages = [
            _fields(message)
            for message in list(self._service.outbox.messages)
            if names is None or message.username in names or message.destination in names
        ]
        return {"messages": messages}

    def _reset(self, _: Request) -> dict[str, object]:
        service = self._service
        keys = State(service).run(lambda state: {pool.id: pool.key for pool in state.pools.all(None)})
        service.database.restore(self._start, service.outbox.messages.clear)
        service.clock.reset()
        # A pool gets its key when it first needs it. Keep those made since the start: clients have cached the key sets.
        State(service).run(lambda state: _keep_keys(state, keys))
        return {}


def _keep_keys(state: State, keys: Mapping[str, str | None]) -> None:
    for pool in state.pools.all(None):
        pool.key = pool.key or keys.get(pool.id)


def _body(request: Request) -> dict[str, object]:
    try:
        body = json_input.parse(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise invalid_parameter("The request body is not a JSON object in UTF-8.")
    return cast("dict[str, object]", body)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(time: object) -> float:
    """Return a time that is given in seconds since the epoch or in ISO 8601, as seconds since the epoch."""
    if _is_number(time):
        return time
    try:
        parsed = datetime.fromisoformat(str(time))
    except ValueError:
        raise invalid_parameter(
            "A time is a number of seconds since the epoch, or like 2030-01-31T12:00:00Z."
        ) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()


def _fields(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Message.__slots__}


def _forbidden(text: str) -> Refusal:
    return Refusal("ForbiddenException", text, 403)
