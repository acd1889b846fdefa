"""Spans that are kept in memory by OpenTelemetry's own SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from client.conftest import make_world as make_world  # a fixture
from srpcore_transports.opentelemetry import OpenTelemetry


class Tracing:
    """A tracer provider of a program's, and the spans that ended in it."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.spans = OpenTelemetry(self.provider)
        self.tracer: Tracer = self.provider.get_tracer("the program")

    @property
    def ended(self) -> list[ReadableSpan]:
        """All spans that ended, in that order."""
        return list(self.exporter.get_finished_spans())

    @property
    def of_calls(self) -> list[ReadableSpan]:
        """Those of the transport alone."""
        return [
            span for span in self.ended if span.instrumentation_scope and span.instrumentation_scope.name == "srpcore"
        ]


@pytest.fixture
def tracing() -> Iterator[Tracing]:
    tracing = Tracing()
    yield tracing
    tracing.provider.shutdown()
