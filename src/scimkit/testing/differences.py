"""Comparison of a response with the attributes that were written. Messages contain no values of users.

This module sends no requests.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

from scimkit.testing.exchange import Exchange
from scimkit.testing.mapping import ENTERPRISE, value_at
from scimkit.testing.report import Finding

_NEEDED: Final = frozenset({("Users", "userName"), ("Groups", "displayName")})


def compared(exchange: Exchange, attributes: Mapping[str, Any], *, effect: str = "") -> Finding | None:
    """Compare a response with the attributes that were written.

    Args:
        exchange: The request and the response.
        attributes: The expected values by path; None for an attribute that must be unassigned.
        effect: The consequence of a difference for the identity provider, as a sentence.

    Returns:
        A finding that names each attribute that differs, or None if no attribute differs.
    """
    resource = exchange.received if isinstance(exchange.received, dict) else {}
    found = {path: value_at(resource, path) for path in attributes}
    wrong = {path: value for path, value in attributes.items() if found[path] != value}
    if not wrong:
        return None
    missing = [path for path in wrong if found[path] is None]
    kept = [path for path in wrong if wrong[path] is None]
    changed = [path for path in wrong if found[path] is not None and wrong[path] is not None]
    said = [f"has no {_quoted(missing)}"] if missing else []
    said += [f"still has {_quoted(kept)}"] if kept else []
    said += [f"has another `{path}` ({_difference(wrong[path], found[path])})" for path in changed]
    reason = f"The response to {exchange.method} {exchange.path.partition('?')[0]} {', '.join(said)}."
    about = frozenset(f"no {path}" if path in missing else f"another {path}" for path in wrong)
    fixes = [_map(missing, exchange)] if missing else []
    fixes += [f"Remove {_listed(kept)} if a PUT omits the attribute or a PATCH removes it."] if kept else []
    fixes += [
        f"Store {_listed(changed)} as written, and return the stored value. Change it only if a request names it."
    ] if changed else []  # fmt: skip
    return Finding(f"{reason} {effect}".strip(), " ".join(fixes), wrong, about)


def kind(value: Any) -> str:
    """Return a description of a value that does not reveal the value, except for a boolean."""
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"a string of {len(value)} characters"
    if isinstance(value, int | float):
        return "a number"
    return "an array" if isinstance(value, list) else "an object"


def _difference(expected: Any, found: Any) -> str:
    if isinstance(expected, str) and isinstance(found, str):
        if expected.casefold() == found.casefold():
            return "the expected string in another case"
        if len(expected) == len(found):
            return f"expected {kind(expected)}, got another string of that length"
    return f"expected {kind(expected)}, got {kind(found)}"


def _map(missing: list[str], exchange: Exchange) -> str:
    """Return the fix for a response without some attributes."""
    endpoint = exchange.path.strip("/").split("/")[0]
    droppable = [path for path in missing if (endpoint, path) not in _NEEDED]
    fix = f"Map {_listed(missing)}."
    if droppable:
        it = "it" if len(droppable) == 1 else "them"
        options = " ".join(f"--without {shlex.quote(_short(path))}" for path in droppable)
        fix += f" If the application does not keep {it}, run with {options} (in pytest, the fixture scim_without)."
    return fix


def _short(path: str) -> str:
    """Return the shortest name of an attribute that `without` accepts."""
    return path.removeprefix(f"{ENTERPRISE}:").removesuffix(".value")


def _listed(paths: list[str]) -> str:
    return ", ".join(map(_short, paths))


def _quoted(paths: list[str]) -> str:
    names = [f"`{_short(each)}`" for each in paths]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
