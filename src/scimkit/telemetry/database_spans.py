"""Spans and durations of the SQL statements of an engine, by OpenTelemetry's conventions for databases.

The text of a statement and its parameters are never recorded.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as current_context
from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from scimkit.telemetry import instruments
from scimkit.telemetry.instruments import DB_NAMESPACE, DB_OPERATION, DB_STATUS, DB_SYSTEM, ERROR_TYPE, SUPPRESSED
from scimkit.telemetry.request_facts import Attributes

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import AsyncEngine

_OBSERVED: Final = "_scimkit_observed"
"""The attribute of an execution context with the span of its statement and the time at which it began."""
_OPERATIONS: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN", "PRAGMA", "SET", "WITH"})
_SQLSTATE: Final = 5
"""The number of characters of a SQLSTATE."""
_SYSTEMS: Final = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mariadb", "sqlite": "sqlite"}


def instrument_database(
    engine: sa.Engine | AsyncEngine,
    *,
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
) -> None:
    """Record a span and the duration of each statement that an engine executes from now on.

    The statements of a request become children of its span. SQLAlchemy then executes the hot statements of scimkit
    itself, which costs some CPU.

    Args:
        engine: The engine, such as `SqlStore.engine`, or the engine of your own tables.
        tracer_provider: The provider of the tracer. None means the global one.
        meter_provider: The provider of the meter. None means the global one.
    """
    from sqlalchemy import event

    given: Any = engine
    sync_engine: sa.Engine = getattr(given, "sync_engine", given)
    watched = _WatchedEngine(
        sync_engine,
        instruments.tracer(tracer_provider),
        instruments.histogram(instruments.meter(meter_provider), instruments.DB_DURATION, instruments.DB_SECONDS),
    )
    event.listen(watched.engine, "before_cursor_execute", watched.begin)
    event.listen(watched.engine, "after_cursor_execute", watched.end)
    event.listen(watched.engine, "handle_error", watched.fail)


class _WatchedEngine:
    """Records the statements of an engine."""

    def __init__(self, engine: sa.Engine, tracer: trace.Tracer, duration: metrics.Histogram) -> None:
        self.engine = engine
        self._tracer = tracer
        self._duration = duration

    def begin(
        self, connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        """Begin the span of a statement."""
        if current_context.get_value(SUPPRESSED):
            return
        attributes = self._attributes(statement)
        name = " ".join(str(attributes[each]) for each in (DB_OPERATION, DB_NAMESPACE) if each in attributes)
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
        setattr(context, _OBSERVED, (span, monotonic(), attributes))

    def end(
        self, connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        """End the span of a statement."""
        self._finish(context, {})

    def fail(self, failure: Any) -> None:
        """End the span of a statement that failed. The message of the error is not recorded."""
        error = failure.original_exception
        attributes: Attributes = {ERROR_TYPE: type(error).__qualname__}
        code = getattr(error, "sqlstate", None) or next(iter(getattr(error, "args", ())), None)
        if isinstance(code, int) or (isinstance(code, str) and code.isalnum() and len(code) == _SQLSTATE):
            attributes[DB_STATUS] = str(code)
        self._finish(failure.execution_context, attributes)

    def _finish(self, context: Any, failed: Attributes) -> None:
        observed = getattr(context, _OBSERVED, None)
        if observed is None:
            return
        delattr(context, _OBSERVED)
        span, began, attributes = observed
        self._duration.record(monotonic() - began, attributes | failed)
        if failed:
            span.set_attributes(failed)
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def _attributes(self, statement: str) -> Attributes:
        """Return the attributes of a statement. The name of a SQLite file may name a person, so it is left out."""
        dialect, url = self.engine.dialect, self.engine.url
        system = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
        word = statement.lstrip(" \t\r\n(").partition(" ")[0].upper()
        found: Attributes = {
            DB_SYSTEM: _SYSTEMS.get(system, "other_sql"),
            DB_OPERATION: word if word in _OPERATIONS else "OTHER",
        }
        if url.database and system != "sqlite":
            found[DB_NAMESPACE] = url.database
        return found
