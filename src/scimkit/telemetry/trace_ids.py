"""Add the ids of the current trace and span to log records."""

from __future__ import annotations

import logging
from typing import Final

from opentelemetry import trace

from scimkit.service.logs import LOGGERS


class _TraceIds(logging.Filter):
    """A filter that drops no record, and adds `trace_id` and `span_id` in hexadecimal."""

    def filter(self, record: logging.LogRecord) -> bool:
        found = trace.get_current_span().get_span_context()
        if found.is_valid:
            record.trace_id = trace.format_trace_id(found.trace_id)
            record.span_id = trace.format_span_id(found.span_id)
        return True


_FILTER: Final = _TraceIds()


def add_trace_ids() -> None:
    """Let the records of scimkit's loggers have the ids. A second call changes nothing."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
