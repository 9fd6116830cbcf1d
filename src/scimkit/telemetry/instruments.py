"""The instruments of `scimkit.telemetry`: the one place with the names, units and descriptions of spans and metrics.

The names of HTTP and databases are those of OpenTelemetry's semantic conventions. The names that begin with `scim.` are
those of scimkit. `docs/dashboards/scimkit.json` uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any, Final, NamedTuple, TypeAlias

from opentelemetry import metrics, trace

SCOPE: Final = "scimkit"
"""The name of the instrumentation scope of all spans and metrics."""
SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.37.0"

SUPPRESSED: Final = "suppress_instrumentation"
"""The key of a context whose database statements are not recorded. Instrumentations of OpenTelemetry know it."""

METHOD: Final = "http.request.method"
ROUTE: Final = "http.route"
STATUS: Final = "http.response.status_code"
SCHEME: Final = "url.scheme"
ERROR_TYPE: Final = "error.type"
RESOURCE_TYPE: Final = "scim.resource_type"
OPERATION: Final = "scim.operation"
DIALECT: Final = "scim.dialect"
QUIRKS: Final = "scim.quirks"
QUIRK: Final = "scim.quirk"
SCIM_TYPE: Final = "scim.scim_type"
TENANT: Final = "scim.tenant"
CONNECTION_STATUS: Final = "scim.connection.status"
DB_SYSTEM: Final = "db.system.name"
DB_OPERATION: Final = "db.operation.name"
DB_NAMESPACE: Final = "db.namespace"
DB_STATUS: Final = "db.response.status_code"

HTTP_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""The bucket boundaries that the conventions advise for requests."""
DB_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
"""The bucket boundaries that the conventions advise for database operations."""


class Instrument(NamedTuple):
    """The name, the unit and the description of a metric."""

    name: str
    unit: str
    description: str


REQUEST_DURATION: Final = Instrument("http.server.request.duration", "s", "Duration of HTTP server requests.")
OPERATIONS: Final = Instrument("scim.operations", "{operation}", "SCIM operations; each operation of a bulk request.")
QUIRK_USES: Final = Instrument("scim.quirks", "{request}", "Requests that needed a quirk, by quirk.")
OUTBOX_PENDING: Final = Instrument("scim.outbox.pending", "{event}", "Events that wait for delivery.")
OUTBOX_DEAD: Final = Instrument("scim.outbox.dead", "{event}", "Dead letters in the outbox.")
OUTBOX_LAG: Final = Instrument("scim.outbox.lag", "s", "Age of the oldest event that waits for delivery.")
CONNECTIONS: Final = Instrument("scim.connections", "{connection}", "Connections of active tokens, by their health.")
READY: Final = Instrument("scim.ready", "", "1 if the service can serve requests, else 0.")
DB_DURATION: Final = Instrument("db.client.operation.duration", "s", "Duration of database client operations.")

Reading: TypeAlias = Callable[[], Iterable[metrics.Observation]]
"""A function that returns the present values of a gauge."""


def tracer(provider: trace.TracerProvider | None) -> trace.Tracer:
    """Return the tracer of scimkit. None means the global provider."""
    return trace.get_tracer(SCOPE, version("scimkit"), provider, SCHEMA_URL)


def meter(provider: metrics.MeterProvider | None) -> metrics.Meter:
    """Return the meter of scimkit. None means the global provider."""
    return metrics.get_meter(SCOPE, version("scimkit"), provider, SCHEMA_URL)


def histogram(meter: metrics.Meter, instrument: Instrument, boundaries: tuple[float, ...]) -> metrics.Histogram:
    """Create a histogram of seconds."""
    return meter.create_histogram(*instrument, explicit_bucket_boundaries_advisory=boundaries)


def counter(meter: metrics.Meter, instrument: Instrument) -> metrics.Counter:
    """Create a counter."""
    return meter.create_counter(*instrument)


def gauge(meter: metrics.Meter, instrument: Instrument, reading: Reading) -> None:
    """Create a gauge whose values are read when the SDK collects metrics."""

    def read(_: Any) -> Iterable[metrics.Observation]:
        return reading()

    meter.create_observable_gauge(instrument.name, [read], instrument.unit, instrument.description)
