"""Check that the document of a botocore client is what the service sent.

botocore returns the document that it made of a body, but not the body::

    client.get_user(...)             the call is made within keep_documents()
        body -> parser -> document
        event "after-call"           the handler of observe() keeps the document and its HTTP response
    returns or raises the document   check_document() finds the response of this document, and reads its body
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from traceback import walk_tb
from typing import Any, TypeAlias, cast

from botocore.exceptions import ClientError
from botocore.hooks import BaseEventHooks
from urllib3.response import HTTPResponse

from srpcore.aws_json import decode
from srpcore.exceptions.base import TransportError
from srpcore.protocol import Reply

__all__ = ["Received", "check_document", "is_of_parser", "keep_documents", "observe", "response_of"]

Received: TypeAlias = list[tuple[object, Any]]
"""Documents that botocore made, each with its HTTP response."""

_received: ContextVar[Received | None] = ContextVar("srpcore_botocore_received", default=None)


def observe(client: Any) -> None:
    """Have the HTTP responses of *client* kept within :func:`keep_documents`, if it is a client of botocore."""
    events = getattr(getattr(client, "meta", None), "events", None)
    if isinstance(events, BaseEventHooks):
        # With the same id, a second transport over the client does not add the handler again.
        events.register("after-call.cognito-identity-provider", _keep_response, unique_id="srpcore-keep-response")


@contextmanager
def keep_documents(received: Received) -> Generator[None]:
    """Add the documents that this thread receives within the ``with`` block to *received*."""
    token = _received.set(received)
    try:
        yield
    finally:
        _received.reset(token)


def response_of(error: ClientError) -> dict[str, Any]:
    """Return the response of *error*, or an empty document if it has none."""
    # A program's test may raise an error with any response, and a subclass of ClientError may have none.
    response: object = getattr(error, "response", None)
    if isinstance(response, dict):
        return cast(dict[str, Any], response)
    return dict(cast(Mapping[str, Any], response)) if isinstance(response, Mapping) else {}


def _keep_response(parsed: object, http_response: object, **_: object) -> None:
    """Keep the HTTP response for the call of a transport that is being made in this thread: a handler of `after-call`.

    botocore emits this event after its retries, also for an error, with the document that it then returns or raises.
    """
    received = _received.get()
    if received is not None:
        received.append((parsed, http_response))


def check_document(received: Received, document: object, *, failed: bool) -> None:
    """Check that *document* is what the service sent, and not for example a login page of a network.

    botocore makes an empty document of a body that is not JSON. If the HTTP status is an error, it uses the status as
    the code of an error without a code. A document that did not arrive over HTTP (from a stub, a mock or a fake
    client) is not checked, because a program's test may use any.

    Args:
        received: what :func:`keep_documents` kept of the call.
        document: what the client returned, or the response of the error that it raised.
        failed: whether the client raised an error.

    Raises:
        TransportError: the body is not JSON, or not an error document.
    """
    response = next((response for parsed, response in received if parsed is document), None)
    body = getattr(response, "content", None)  # the response of a Stubber raises AttributeError
    if not isinstance(body, bytes) or not isinstance(document, dict):
        return
    reply = Reply(cast(dict[str, Any], document))
    code = str((reply.error or {}).get("Code") or "")
    if failed and (not code or code.isdigit()):  # the codes of the service are names
        message = f"HTTP {reply.status} without an error document of the service: check the proxy"
        raise TransportError(message, status=reply.status)
    if not failed and document.keys() == {"ResponseMetadata"} and not _is_answer(response, body):
        raise TransportError(
            f"HTTP {reply.status}: the body is not an answer of the service, or is truncated: check the proxy and "
            "the endpoint"
        )


def _is_answer(response: Any, body: bytes) -> bool:
    """Return whether *body* can be the answer to an operation that succeeded: JSON that is not an error, or empty."""
    if not body:
        # botocore accepts truncated headers as complete ones, and then reads no body. Only a response from the network
        # can be truncated; that of moto comes from a handler.
        headers = response.headers
        is_complete = "Content-Length" in headers or "Transfer-Encoding" in headers
        return is_complete or not isinstance(response.raw, HTTPResponse)
    try:
        answer: object = json.loads(body.decode())
        if not isinstance(answer, dict):
            return True  # botocore's parser has refused it, unless the operation has no output
        # As on the default transport, a date that is out of range is refused too.
        return "__type" not in answer and decode(200, {}, body).error is None
    except (ValueError, RecursionError, TransportError):
        return False


def is_of_parser(error: Exception) -> bool:
    """Return whether botocore's parser of answers raised *error*.

    If a body is not UTF-8, not an object, too deep or has an impossible date, the parser raises one of a dozen builtin
    exceptions. The same exceptions may come from elsewhere, for example from a fake client of a program, and must then
    reach the program. So the traceback decides.
    """
    modules = [frame.f_globals.get("__name__") for frame, _ in walk_tb(error.__traceback__)]
    # The other two modules use what the parser returned: None for the body `null`, or a code that is not a string.
    return "botocore.parsers" in modules or modules[-1] in ("botocore.endpoint", "botocore.model")
