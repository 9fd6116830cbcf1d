"""Telemetry that stays in memory: the SDK of OpenTelemetry with exporters that keep what they get."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@dataclass
class Recorded:
    """The spans and metrics of a test. `options` are the arguments of `instrument`."""

    spans_kept: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    options: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        traces = TracerProvider(shutdown_on_exit=False)
        traces.add_span_processor(SimpleSpanProcessor(self.spans_kept))
        meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.options = {"tracer_provider": traces, "meter_provider": meters}

    def spans(self) -> list[ReadableSpan]:
        """Return the spans that ended since the last call, in the order of their ends."""
        found = list(self.spans_kept.get_finished_spans())
        self.spans_kept.clear()
        return found

    def span(self) -> ReadableSpan:
        """Return the one span that ended since the last call."""
        (found,) = self.spans()
        return found

    def points(self) -> list[tuple[str, dict[str, Any], Any]]:
        """Return each point of each metric: the name, the attributes, and the value or the number of values."""
        data = self.reader.get_metrics_data()
        return [
            (metric.name, dict(point.attributes or {}), getattr(point, "value", getattr(point, "count", None)))
            for resource in ([] if data is None else data.resource_metrics)
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]

    def values(self, name: str, *labels: str) -> dict[Any, Any]:
        """Return the values of a metric by the values of attributes, or the one value by an empty tuple."""
        return {
            tuple(attributes.get(each) for each in labels): value
            for metric, attributes, value in self.points()
            if metric == name
        }
