"""The attributes that a store sets on documents: `id` and `meta` (RFC 7643 section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from os import urandom
from time import time_ns
from typing import Any, Final

from scimkit.documents import Document
from scimkit.errors import PreconditionFailed
from scimkit.patch.changes import ChangeSet, ReferenceChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import GROUPS, MEMBERS, META

MISSING_MEMBER: Final = "A value in members is not the id of a resource. Create the resource before adding it."
"""Error detail for a member that does not exist."""


def new_id() -> str:
    """Return a new opaque and url-safe identifier: a random UUID, generated faster than by `uuid4`."""
    digits = urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def now() -> str:
    """Return the current time as a dateTime in UTC with microseconds."""
    seconds, fraction = divmod(time_ns(), 1_000_000_000)
    return f"{_second(seconds)}.{fraction // 1000:06}Z"


@lru_cache(maxsize=1)
def _second(number: int) -> str:
    """Return a second since 1970 as the beginning of a dateTime. Calls within the same second share the text."""
    return f"{datetime.fromtimestamp(number, UTC):%Y-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=1024)
def version_tag(number: int) -> str:
    """Return the weak entity tag of a version number (RFC 7644 section 3.14)."""
    return f'W/"{number}"'


def stamped(
    resource_type: ResourceType, id: str, document: Document, *, created: str, modified: str, version: int
) -> dict[str, Any]:
    """Return a document with `id` and `meta`, and without members and computed groups."""
    meta = meta_of(resource_type, created, modified, version)
    return {**identified(resource_type, id, document), "meta": meta}


def identified(resource_type: ResourceType, id: str, document: Document) -> dict[str, Any]:
    """Return a document with its `id`, and without `meta`, members and computed groups."""
    kept = {"schemas": document["schemas"], "id": id, **document}
    kept["id"] = id
    kept.pop(META, None)
    if GROUPS in kept and is_computed(resource_type, GROUPS):
        del kept[GROUPS]
    if MEMBERS in kept and has_members(resource_type):
        del kept[MEMBERS]
    return kept


def meta_of(resource_type: ResourceType, created: str, modified: str, version: int) -> dict[str, Any]:
    """Return the `meta` of a resource without `location` (RFC 7643 section 3.1)."""
    return {
        "resourceType": resource_type.name,
        "created": created,
        "lastModified": modified,
        "version": version_tag(version),
    }


def has_members(resource_type: ResourceType) -> bool:
    """Report whether resources of a type have members. A store keeps members as rows."""
    attribute = resource_type.attributes.find(MEMBERS)
    return attribute is not None and attribute.keyed


def is_computed(resource_type: ResourceType, name: str) -> bool:
    """Report whether a store computes an attribute from the members of groups."""
    attribute = resource_type.attributes.find(name)
    return attribute is not None and attribute.keyed and attribute.mutability == "readOnly"


def member_entry(id: str, kind: str, display: Any) -> dict[str, Any]:
    """Return the element of a group's `members` for a resource (RFC 7643 section 4.2)."""
    entry = {"value": id, "type": kind}
    if display is not None:
        entry["display"] = display
    return entry


def replacement(resource_type: ResourceType, old: Document, new: Document) -> ChangeSet:
    """Return the replacement of a whole document as a change set. Members are replaced, and groups are kept."""
    members = has_members(resource_type)
    fixed = {"id", "meta"}
    if members:
        fixed.add(MEMBERS)
    if is_computed(resource_type, GROUPS):
        fixed.add(GROUPS)
    return ChangeSet(
        {name: value for name, value in new.items() if name not in fixed},
        frozenset(name for name in old if name not in new and name not in fixed),
        {MEMBERS: ReferenceChanges(tuple(new.get(MEMBERS, ())), cleared=True)} if members else {},
    )


def membership(group: Mapping[str, Any]) -> dict[str, Any]:
    """Return the element of a user's `groups` for a group with the user as a direct member (RFC 7643 section 4.1.2)."""
    entry = {"value": group["id"], "type": "direct"}
    if "displayName" in group:
        entry["display"] = group["displayName"]
    return entry


def check_version(expected: str | None, actual: str) -> None:
    """Compare the expected version of a write with the actual version.

    Raises:
        PreconditionFailed: The versions differ.
    """
    if expected is not None and expected != actual:
        raise PreconditionFailed()
