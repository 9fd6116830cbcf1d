"""Advice on how to serve a request that a service refused.

If the request deviates from the RFC, the advice says how to accept the deviation. Otherwise it names the attributes of
the request. The deviations are those that `scimkit.dialects` rewrites.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_plus

from scimkit.testing.exchange import Exchange

Shows: TypeAlias = Callable[[Exchange], bool]

_BRACKETS: Final = re.compile(r"\[[^\]]*\]")
_FILTERED: Final = re.compile(r"([\w.:$-]+) (?:eq|ne|co|sw|ew|gt|ge|lt|le|pr)\b", re.IGNORECASE)
_UNQUOTED: Final = re.compile(r"\b(?:eq|co|sw) (?!true\b|false\b|null\b|[0-9])[^\"\s]", re.IGNORECASE)


def advice(exchange: Exchange) -> str | None:
    """Return how to serve the deviations of a refused request, or None if the request has no known deviation."""
    if exchange.status != 400:
        return None
    return " ".join(text for shows, text in _ADVICE if shows(exchange)) or None


def remedy(exchange: Exchange, wanted: str) -> str:
    """Return what to change so that a response gets the wanted status. The text names the attributes of the request."""
    known = advice(exchange)
    if known is not None:
        return known
    endpoint = "/" + exchange.path.strip("/").partition("?")[0].split("/")[0]
    request, names = f"{exchange.method} {endpoint}", attributes_of(exchange)
    if exchange.status in (404, 405, 501):
        permanent = " Keep each `id` valid until its resource is deleted." if exchange.status == 404 else ""
        return f"Serve {request} and respond with {wanted}.{permanent}"
    if exchange.status >= 500:
        about = f" The request has the attributes {_listed(names)}." if names else ""
        return f"Look for the error of {request} in the log of the service, and respond with {wanted}.{about}"
    if exchange.status == 409:
        name = "displayName" if endpoint == "/Groups" else "userName"
        return f"Respond with 409 only if another resource has the same {name}. Return that resource in searches."
    if exchange.status < 400 or not names:
        return f"Respond with {wanted} to {request}."
    if exchange.method == "GET":
        return f"Support a filter on {_listed(names)} in {request}: respond with {wanted} and a ListResponse."
    refused = _named_in_detail(exchange, names)
    accept = f"Accept {_listed(refused)}, which the error names" if refused else f"Accept {_listed(names)}"
    return (
        f"{accept}, in {request}, or ignore the attributes that the application does not keep. Respond with {wanted}."
    )


def attributes_of(exchange: Exchange) -> list[str]:
    """Return the names of the attributes that a request writes or filters by."""
    names: list[str] = []
    if exchange.method == "GET":
        names += _FILTERED.findall(unquote_plus(exchange.path.partition("filter=")[2]))
    elif isinstance(exchange.sent, dict) and "Operations" not in exchange.sent:
        names += _written(exchange.sent)
    for each in _operations(exchange):
        path = each.get("path")
        names += [_BRACKETS.sub("", path)] if path else _written(each.get("value"))
    return list(dict.fromkeys(names))


def _written(values: Any) -> Iterator[str]:
    """Yield the names of the attributes of a resource, except those that the service sets."""
    for name in _names(values):
        if name.startswith("urn:") and isinstance(values[name], dict):
            yield from values[name]
        elif name not in ("schemas", "id", "meta", "groups"):
            yield name


def _named_in_detail(exchange: Exchange, names: list[str]) -> list[str]:
    """Return those of the names that the error detail of the response contains."""
    detail = exchange.received.get("detail") if isinstance(exchange.received, dict) else None
    words = {each.strip(".,;:'\"`()").lower().partition("[")[0] for each in str(detail or "").split()}
    return [each for each in names if each.lower() in words]


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def _operations(exchange: Exchange) -> Iterator[dict[str, Any]]:
    sent = exchange.sent if isinstance(exchange.sent, dict) else {}
    yield from (each for each in sent.get("Operations", ()) if isinstance(each, dict))


def _any_operation(shows: Callable[[str, Any, Any], bool]) -> Shows:
    """Return a function that reports whether any PATCH operation deviates, judged by `op`, `path` and `value`."""
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
    (_any_operation(lambda op, path, value: op != op.lower()), "Compare `op` without regard to case."),
    (
        _any_operation(lambda op, path, value: str(value).lower() in ("true", "false") and isinstance(value, str)),
        'Accept the strings "True" and "False", in any case, as values of boolean attributes.',
    ),
    (
        _any_operation(lambda op, path, value: "[" in path and op.lower() != "remove"),
        "If no element matches the filter in a path, create an element with the values of the filter.",
    ),
    (
        _any_operation(lambda op, path, value: path.endswith("manager") and not isinstance(value, dict)),
        "Accept `manager` as a string or as an array with one element, and remove it if the string is empty.",
    ),
    (
        _any_operation(lambda op, path, value: op.lower() == "remove" and bool(value)),
        "If a `remove` operation has a `value`, remove only the elements that the value lists.",
    ),
    (
        _any_operation(lambda op, path, value: not path and any("." in name or ":" in name for name in _names(value))),
        "In an operation without `path`, read a name with a dot or a URN in `value` as an attribute path.",
    ),
    (
        _any_operation(lambda op, path, value: not path and any(name in ("id", "schemas") for name in _names(value))),
        "In an operation without `path`, ignore readOnly attributes in `value`.",
    ),
    (_schemas, "Ignore unknown URNs in `schemas`."),
    (
        lambda exchange: bool(_UNQUOTED.search(unquote_plus(exchange.path))),
        "In a filter, read a word without quotes as a string.",
    ),
)
