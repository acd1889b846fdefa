"""Dispatch: answer one call. Both ways into the pool use it: calls in the same process, and requests over HTTP.

::

    name, JSON body --> validation by the service model --> handler in table.OPERATIONS --> JSON response
                                       |                            |
                                       +--------- Refusal ----------+---------------------> error response
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any, cast

from srpcore.clock import monotonic_clock
from srpcore.service_model import CONTENT_TYPE

from ..api import json_input, validation
from ..api.errors import Refusal
from ..api.parameters import Parameters
from ..model.calls import given_username
from ..storage.service import Service
from ..storage.state import State
from . import stored
from .table import OPERATIONS

__all__ = ["Response", "answer", "error_response", "json_response"]


# json.dumps() would make an encoder for each call.
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response, also of a call in the same process. The names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


def answer(
    service: Service, name: str, body: bytes, issuer_base: str | None = None, region: str | None = None
) -> Response:
    """Call the operation *name* with the JSON *body* and return the response.

    An error of the service (:class:`Refusal`) is returned as a response, not raised. The call is added to
    ``service.calls``.

    Args:
        issuer_base: the part of the issuer of new tokens before ``/<pool id>``, if the service has none for all
            requests; None for AWS's own issuer.
        region: the region to which the request was sent; None if the request does not have one.
    """
    started, username = monotonic_clock(), None
    status, code = 500, cast("str | None", "InternalErrorException")  # unless the call ends in one of the ways below
    try:
        handler = OPERATIONS.get(name)
        if handler is None:
            raise Refusal("UnknownOperationException", f"srpcore's local pool does not implement {name!r:.99}")
        parameters = _parse_body(body)
        username = given_username(parameters)
        validation.check(name, parameters)
        if service.strict:
            stored.check_strict(name, parameters)
        try:
            document = State(service, issuer_base, region).run(lambda state: handler(state, parameters))
        finally:
            # A request that was refused may have sent a message before.
            service.outbox.announce()
        status, code = 200, None
        return json_response(200, document)
    except Refusal as error:
        status, code = error.status, error.code
        return error_response(error)
    finally:
        service.calls.add(service.clock(), name, status, code, username, monotonic_clock() - started)


def _parse_body(body: bytes) -> Parameters:
    try:
        document = json_input.parse(body or b"{}")
    except ValueError:
        raise Refusal("SerializationException", "The request body is not JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise Refusal("SerializationException", "Start of structure or map found where not expected.")
    return cast(Parameters, document)


def json_response(status: int, document: dict[str, Any]) -> Response:
    """Return a response with *document* as JSON."""
    body = _ENCODER.encode(document).encode("utf-8")
    headers = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(body)),
        "x-amzn-requestid": str(uuid.uuid4()),
    }
    return Response(status, headers, body)


def error_response(error: Refusal) -> Response:
    """Return the response for *error*: ``{"__type": ..., "message": ...}``, and the header ``x-amzn-errortype``."""
    refused = json_response(error.status, {"__type": error.code, "message": error.message})
    refused.headers["x-amzn-errortype"] = f"{error.code}:"
    return refused
