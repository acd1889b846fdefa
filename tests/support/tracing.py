"""Spans that OpenTelemetry's own SDK keeps in memory."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from srpcore_transports.opentelemetry import OpenTelemetry


class Tracing:
    """A tracer provider, and the spans that ended in it."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.spans = OpenTelemetry(self.provider)
        self.tracer: Tracer = self.provider.get_tracer("the program")

    @property
    def ended(self) -> list[ReadableSpan]:
        """All spans that ended, in the order in which they ended."""
        return list(self.exporter.get_finished_spans())

    @property
    def of_calls(self) -> list[ReadableSpan]:
        """The spans that ended and that the transport made."""
        return [
            span for span in self.ended if span.instrumentation_scope and span.instrumentation_scope.name == "srpcore"
        ]
