"""What to do about a refused request: the habit that it has, and how a service serves it. Only a table.

The habits are those that `scimkit.dialects` rewrites; here they are told to whoever has another service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_plus

from scimkit.testing.exchange import Exchange

Shows: TypeAlias = Callable[[Exchange], bool]

_UNQUOTED: Final = re.compile(r"\b(?:eq|co|sw) (?!true\b|false\b|null\b|[0-9])[^\"\s]", re.IGNORECASE)


def advice(exchange: Exchange) -> str | None:
    """How to serve the habits of a request that was refused; None where it has none that is known here."""
    if exchange.status != 400:
        return None
    return " ".join(text for shows, text in _ADVICE if shows(exchange)) or None


def _operations(exchange: Exchange) -> Iterator[dict[str, Any]]:
    sent = exchange.sent if isinstance(exchange.sent, dict) else {}
    yield from (each for each in sent.get("Operations", ()) if isinstance(each, dict))


def _any_operation(shows: Callable[[str, Any, Any], bool]) -> Shows:
    """Whether an operation, by its `op`, `path` and `value`, has the habit."""
    return lambda exchange: any(
        shows(str(each.get("op")), each.get("path") or "", each.get("value")) for each in _operations(exchange)
    )


def _schemas(exchange: Exchange) -> bool:
    sent = exchange.sent if isinstance(exchange.sent, dict) else {}
    urns = () if "Operations" in sent else sent.get("schemas", ())
    return exchange.method in ("POST", "PUT") and any(not str(each).startswith("urn:ietf:params:scim") for each in urns)


def _names(value: Any) -> Iterator[str]:
    yield from value if isinstance(value, dict) else ()


_ADVICE: Final[tuple[tuple[Shows, str], ...]] = (
    (_any_operation(lambda op, path, value: op != op.lower()), "Read op without regard to case."),
    (
        _any_operation(lambda op, path, value: str(value).lower() in ("true", "false") and isinstance(value, str)),
        'Take "True" and "False" in any case for a boolean.',
    ),
    (
        _any_operation(lambda op, path, value: "[" in path and op.lower() != "remove"),
        "Create the entry that the filter of a path describes where there is none.",
    ),
    (
        _any_operation(lambda op, path, value: path.endswith("manager") and not isinstance(value, dict)),
        "Take a manager as a text or as an array of one, and an empty text as none.",
    ),
    (
        _any_operation(lambda op, path, value: op.lower() == "remove" and bool(value)),
        "Remove only the values that a remove lists.",
    ),
    (
        _any_operation(lambda op, path, value: not path and any("." in name or ":" in name for name in _names(value))),
        "Read a name with dots or a URN in a pathless value as the path that it is.",
    ),
    (
        _any_operation(lambda op, path, value: not path and any(name in ("id", "schemas") for name in _names(value))),
        "Pass over readOnly attributes in a pathless value.",
    ),
    (_schemas, "Pass over URNs in schemas that you do not know."),
    (
        lambda exchange: bool(_UNQUOTED.search(unquote_plus(exchange.path))),
        "Read a word without quotes in a filter as text.",
    ),
)
