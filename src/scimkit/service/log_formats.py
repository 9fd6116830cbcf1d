"""The formats of log lines, and the one set of fields that records of scimkit have.

`JsonFormatter` writes each record as one JSON object. `TextFormatter` writes one line for people.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from scimkit.service.request_ids import current_request, one_line

FIELDS: Final[Mapping[str, str]] = {
    "request_id": "the id of the request",
    "method": "the HTTP method",
    "path": "the path below the endpoint; control characters are escaped",
    "status": "the status of the response",
    "milliseconds": "the time until the response",
    "tenant": "the tenant of the token",
    "token_id": "the id of the token",
    "client_id": "the id of the OAuth client",
    "administrator": "the name of the administrator of the admin page",
    "reason": "why the token, or the request for a token, was refused",
    "error": "the error of the token endpoint (RFC 6749 section 5.2)",
    "source": "the address of the client, or the /64 network of an IPv6 address",
    "quirks": "the names of the quirks that the request needed",
    "refused": "the number of requests that a rate limit refused since the last such record",
    "trace_id": "the trace of the request, with `scimkit.telemetry`",
    "span_id": "the span of the request, with `scimkit.telemetry`",
}
"""The extra fields of log records, each with its meaning."""


def record_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the extra fields of a record. If it has no request id, add the fields of the current request."""
    fields = {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}
    request = current_request.get()
    if request is not None and "request_id" not in fields:
        named = {"request_id": request.id, "method": one_line(request.method), "path": one_line(request.path)}
        fields = {**named, **fields}
    return fields


def _time(record: logging.LogRecord) -> str:
    """Return the time of a record in UTC."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonFormatter(logging.Formatter):
    """A formatter that writes each record as one JSON object on one line.

    The members are `time`, `level`, `logger`, `message`, the fields of `FIELDS` that the record has, and `exception`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = {"time": _time(record), "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        line |= record_fields(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """A formatter that writes time, level, logger, the extra fields as `name=value`, and the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        fields = " ".join(f"{name}={one_line(str(value))}" for name, value in record_fields(record).items())
        message = one_line(record.getMessage())
        line = " ".join(each for each in (_time(record), record.levelname, record.name, fields, message) if each)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
