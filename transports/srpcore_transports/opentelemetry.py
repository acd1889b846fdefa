"""OpenTelemetry spans for the calls of a transport. Needs the extra ``opentelemetry``.

::

    spans = OpenTelemetry()
    transport = HttpsTransport("eu-west-1", **spans.hooks())

Each attempt is a span of kind CLIENT, and a child of the span that is current in the code that makes the call. The
names are those of OpenTelemetry's semantic conventions for AWS SDK client spans: ``rpc.system``, ``rpc.service``,
``rpc.method``, ``aws.request_id``, ``server.address``, ``http.response.status_code``, ``error.type`` and, from the
second attempt on, ``http.request.resend_count``. The fetch of a key set is a plain HTTP client span.

A span contains nothing else of a request or an answer. In particular it does not contain error messages, which may
quote the user's name. No header is added to requests, because the service does not read the context of a trace.
"""

from __future__ import annotations

from typing import TypedDict

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from srpcore import __version__

from .events import OnRequest, OnResponse, RequestEvent, ResponseEvent

__all__ = ["Hooks", "OpenTelemetry"]

# The newest version of the conventions that still has the RPC names that the conventions for AWS SDKs use.
_SCHEMA = "https://opentelemetry.io/schemas/1.37.0"


class Hooks(TypedDict):
    """The keyword arguments for a transport that make it report its calls."""

    on_request: OnRequest
    on_response: OnResponse


class OpenTelemetry:
    """Make a span for each attempt of the transports that are given its :meth:`hooks`.

    Args:
        tracer_provider: what makes the spans; None means the global provider.
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
            return  # on_request failed, so there is no span
        if event.status is not None:
            span.set_attribute("http.response.status_code", event.status)
        if event.request_id is not None:
            span.set_attribute("aws.request_id", event.request_id)
        if event.error is not None:
            span.set_attribute("error.type", event.error)
            span.set_status(Status(StatusCode.ERROR, event.error))
        span.end()
