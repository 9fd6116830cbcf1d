"""How one identity provider differs from the next, as data. This module does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """How a provider differs from the next, as data."""

    name: str
    mapping: Mapping[str, str]
    updates: Literal["PUT", "PATCH"] = "PUT"
    activates: Literal["as any update", "replace", "add"] = "as any update"
    """An `active` that changes alone is an update, or a pathless PATCH with this operation."""
    on_leave: Literal["deactivate", "delete"] = "deactivate"
    groups: Literal["PUT", "PATCH"] = "PATCH"
    renames: Literal["path", "pathless"] = "path"
    removes_members: Literal["by path", "by value"] = "by path"
    an_operation_each: bool = False
    deletes_groups: bool = True
    empty_groups: bool = True
    quotes: bool = True
    query_end: str = ""
    path_end: str = ""
    schemas: tuple[str, ...] = ()
    user_agent: str = "-"
    timeout: float = 30.0
