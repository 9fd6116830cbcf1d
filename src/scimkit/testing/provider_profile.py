"""The differences between identity providers, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """The request forms of one identity provider: the methods, paths, filters and operations that it uses."""

    name: str
    mapping: Mapping[str, str]
    updates: Literal["PUT", "PATCH"] = "PUT"
    activates: Literal["as any update", "replace", "add"] = "as any update"
    """The form of a change of `active` alone: as any other update, or an operation with this `op` and no path."""
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
