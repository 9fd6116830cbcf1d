"""The log of `scimkit serve`: all records go to standard error, in the chosen format."""

from __future__ import annotations

import logging
import sys
from typing import Final

from scimkit.service.log_formats import JsonFormatter, TextFormatter

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")


def configure_logging(log_format: str, level: str, *, access_log: bool) -> None:
    """Write the records of all loggers to standard error in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("scimkit").setLevel(level.upper())
    logging.getLogger("scimkit.access").setLevel(logging.INFO if access_log else logging.WARNING)
