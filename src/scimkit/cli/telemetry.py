"""`scimkit serve --telemetry`: spans and metrics of the server, for the SDK that `opentelemetry-instrument` sets up."""

from __future__ import annotations

import logging
from typing import Any, Final

from scimkit.service import ScimService
from scimkit.tokens import AsyncTokenRegistry, TokenRegistry

_log: Final = logging.getLogger("scimkit.serve")


def check_extra() -> None:
    """Import `scimkit.telemetry`. Raises ModuleNotFoundError if its extra is not installed."""
    import scimkit.telemetry  # noqa: F401


def instrument_server(
    service: ScimService, tokens: TokenRegistry | AsyncTokenRegistry, store: Any, prefix: str
) -> None:
    """Record spans and metrics of a server and its database with the global providers of OpenTelemetry.

    Logs a warning if no SDK is configured, because nothing is recorded then.
    """
    from opentelemetry import trace

    from scimkit.telemetry import instrument, instrument_database

    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        _log.warning("--telemetry records nothing without an SDK; start the command with opentelemetry-instrument")
    instrument(service, prefix=prefix, tokens=tokens)
    engine = getattr(store, "engine", None)
    if engine is not None:
        instrument_database(engine)
