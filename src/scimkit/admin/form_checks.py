"""Checks of the fields of forms. Each returns the key of the words that say what is wrong, or an empty text.

This module does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from scimkit.schema.resource_types import ResourceType

_MAX_DESCRIPTION: Final = 200


def description_problem(description: str) -> str:
    """Return the problem of a description of a token or a client."""
    if not description or not description.isprintable():
        return "new.problem.description"
    return "" if len(description) <= _MAX_DESCRIPTION else "new.problem.long"


def scope_problem(scopes: Sequence[str], resource_types: Iterable[ResourceType]) -> str:
    """Return the problem of the chosen scopes. Only scopes that the form offers are accepted."""
    names = {f":{each.name}" for each in resource_types} | {""}
    offered = {f"{verb}{name}" for verb in ("read", "write") for name in names}
    return "" if scopes and offered.issuperset(scopes) else "new.problem.scopes"
