"""`instrument`: spans, metrics and trace ids for a service."""

from __future__ import annotations

from opentelemetry import metrics, trace

from scimkit.service import ScimService
from scimkit.telemetry import instruments
from scimkit.telemetry.gauges import AnyRegistry, EventLoops, Tenants, add_gauges
from scimkit.telemetry.request_observer import TelemetryObserver
from scimkit.telemetry.trace_ids import add_trace_ids


def instrument(
    service: ScimService,
    *,
    tenant: bool = False,
    prefix: str = "",
    tokens: AnyRegistry | None = None,
    tenants: Tenants = ("default",),
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
) -> None:
    """Record spans and metrics of a service from now on, and add trace ids to the records of scimkit's loggers.

    No attribute has personal data, an id, a path, a query string or a token.

    Args:
        service: The service. It works with every adapter.
        tenant: True to record the tenant of the token in spans and metrics.
        prefix: The path of the endpoint, such as `/scim/v2`, for the attribute `http.route`.
        tokens: The registry whose active tokens make the connections of `scim.connections`. None means no such gauge.
        tenants: The tenants whose connections are counted, or a function that returns them.
        tracer_provider: The provider of the tracer. None means the global one.
        meter_provider: The provider of the meter. None means the global one.

    Raises:
        ValueError: The service is instrumented already.
    """
    meter, loops = instruments.meter(meter_provider), EventLoops(service)
    observer = TelemetryObserver(
        service, instruments.tracer(tracer_provider), meter, loops, tenant=tenant, prefix=prefix.rstrip("/")
    )
    service.observe(observer)
    add_gauges(service, meter, loops, tokens=tokens, tenants=tenants, records_tenant=tenant)
    add_trace_ids()
