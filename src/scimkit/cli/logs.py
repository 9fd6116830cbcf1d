"""The log format of `scimkit serve`: one line for each record.

A line has time, level, logger, method, path and request id.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from scimkit.service.request_ids import current_request, one_line

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")
_FIELDS: Final = (
    "request_id", "method", "path", "status", "milliseconds", "tenant", "token_id", "reason", "quirks", "refused"
)  # fmt: skip
"""The extra fields of log records that a line shows."""


def configure_logging(log_format: str, level: str, *, access_log: bool) -> None:
    """Write the records of all loggers to standard error in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("scimkit").setLevel(level.upper())
    logging.getLogger("scimkit.access").setLevel(logging.INFO if access_log else logging.WARNING)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the extra fields of a record. If it has no request id, add the fields of the current request."""
    fields = {name: getattr(record, name) for name in _FIELDS if getattr(record, name, None) is not None}
    request = current_request.get()
    if request is not None and "request_id" not in fields:
        named = {"request_id": request.id, "method": one_line(request.method), "path": one_line(request.path)}
        fields = {**named, **fields}
    return fields


def _time(record: logging.LogRecord) -> str:
    """Return the time of a record in UTC."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Json(logging.Formatter):
    """A formatter that writes each record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        line |= _fields(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _Text(logging.Formatter):
    """A formatter that writes time, level, logger, the extra fields as `name=value`, and the message."""

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={one_line(str(value))}" for name, value in _fields(record).items())
        message = one_line(record.getMessage())
        line = " ".join(each for each in (_time(record), record.levelname, record.name, fields, message) if each)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
