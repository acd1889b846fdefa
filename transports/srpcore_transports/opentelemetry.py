"""OpenTelemetry spans by the hooks of a transport; needs the extra ``opentelemetry``.

::

    spans = OpenTelemetry()
    transport = HttpsTransport("eu-west-1", **spans.hooks())

A span of kind CLIENT for each attempt, a child of the span that is current where the call is made; a retry is a span of
its own. Names are those of OpenTelemetry's semantic conventions for AWS SDK client spans: ``rpc.system``,
``rpc.service``, ``rpc.method``, ``aws.request_id``, ``server.address``, ``http.response.status_code``, ``error.type``
and, from the second attempt on, ``http.request.resend_count``. Getting a key set is a plain HTTP client span.

Nothing of a request or an answer is in a span but these, no text of an error either, since that may quote the user; and
nothing is added to a request: the service could do nothing with the context of a trace.
"""

from __future__ import annotations

from typing import TypedDict

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from srpcore import __version__

from .events import OnRequest, OnResponse, RequestEvent, ResponseEvent

__all__ = ["Hooks", "OpenTelemetry"]

# The last version of the conventions in which RPC has the names that those for AWS SDKs still use.
_SCHEMA = "https://opentelemetry.io/schemas/1.37.0"


class Hooks(TypedDict):
    """The arguments of a transport that have it tell of its calls."""

    on_request: OnRequest
    on_response: OnResponse


class OpenTelemetry:
    """Make a span of each attempt, of all the transports that are given its :meth:`hooks`.

    Args:
        tracer_provider: where spans go; the global provider's if None.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("srpcore", __version__, tracer_provider, schema_url=_SCHEMA)

    def hooks(self) -> Hooks:
        """Return the hooks as arguments for a transport: ``HttpsTransport(..., **spans.hooks())``."""
        return {"on_request": self.on_request, "on_response": self.on_response}

    def on_request(self, event: RequestEvent) -> None:
        """Start the span of an attempt."""
        attributes: dict[str, str | int] = {"server.address": event.host}
        if event.operation == "GET":
            name = "GET"
            attributes["http.request.method"] = "GET"
        else:
            name = f"CognitoIdentityProvider.{event.operation}"
            attributes |= {
                "rpc.system": "aws-api",
                "rpc.service": "CognitoIdentityProvider",
                "rpc.method": event.operation,
            }
        if event.attempt > 1:
            attributes["http.request.resend_count"] = event.attempt - 1
        event.notes["span"] = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)

    def on_response(self, event: ResponseEvent) -> None:
        """End the span of an attempt."""
        span: Span | None = event.request.notes.pop("span", None)
        if span is None:
            return  # it could not be started
        if event.status is not None:
            span.set_attribute("http.response.status_code", event.status)
        if event.request_id is not None:
            span.set_attribute("aws.request_id", event.request_id)
        if event.error is not None:
            span.set_attribute("error.type", event.error)
            span.set_status(Status(StatusCode.ERROR, event.error))
        span.end()
