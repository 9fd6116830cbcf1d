"""OpenTelemetry for a `ScimService`: spans, metrics, and trace ids in log records. Needs `scimkit[telemetry]`.

This package needs the API of OpenTelemetry only. The application chooses and configures the SDK.
"""

try:
    from opentelemetry import trace as _trace  # noqa: F401  # the modules of this package need it
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("scimkit.telemetry needs its extra: pip install 'scimkit[telemetry]'") from _missing

from scimkit.telemetry.database_spans import instrument_database
from scimkit.telemetry.instrumentation import instrument

__all__ = ["instrument", "instrument_database"]
