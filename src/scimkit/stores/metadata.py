"""What a store sets on the documents it keeps: `id` and `meta` (RFC 7643 section 3.1).

This module never keeps anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from os import urandom
from time import time_ns
from typing import Any

from scimkit.documents import Document
from scimkit.errors import PreconditionFailed
from scimkit.patch.changes import ChangeSet, ReferenceChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import GROUPS, MEMBERS, META


def new_id() -> str:
    """An identifier that is opaque, url-safe and never used before: a random UUID, quicker than `uuid4`."""
    digits = urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def now() -> str:
    """The present instant as a dateTime in UTC, to the microsecond."""
    seconds, fraction = divmod(time_ns(), 1_000_000_000)
    return f"{_second(seconds)}.{fraction // 1000:06}Z"


@lru_cache(maxsize=1)
def _second(number: int) -> str:
    """A second since 1970 as the start of a dateTime; what happens within it shares the text."""
    return f"{datetime.fromtimestamp(number, UTC):%Y-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=1024)
def version_tag(number: int) -> str:
    """The weak entity tag of the n-th state of a resource (RFC 7644 section 3.14)."""
    return f'W/"{number}"'


def stamped(
    resource_type: ResourceType, id: str, document: Document, *, created: str, modified: str, version: int
) -> dict[str, Any]:
    """The document as a store keeps it: without members and computed groups, with `id` and `meta`."""
    meta = meta_of(resource_type, created, modified, version)
    return {**identified(resource_type, id, document), "meta": meta}


def identified(resource_type: ResourceType, id: str, document: Document) -> dict[str, Any]:
    """The document with its `id`, without `meta`, members and computed groups."""
    kept = {"schemas": document["schemas"], "id": id, **document}
    kept["id"] = id
    kept.pop(META, None)
    if GROUPS in kept and is_computed(resource_type, GROUPS):
        del kept[GROUPS]
    if MEMBERS in kept and has_members(resource_type):
        del kept[MEMBERS]
    return kept


def meta_of(resource_type: ResourceType, created: str, modified: str, version: int) -> dict[str, Any]:
    """`meta` of a resource (RFC 7643 section 3.1), without its location."""
    return {
        "resourceType": resource_type.name,
        "created": created,
        "lastModified": modified,
        "version": version_tag(version),
    }


def has_members(resource_type: ResourceType) -> bool:
    """Whether resources of the type have members: references that a store keeps as rows."""
    attribute = resource_type.attributes.find(MEMBERS)
    return attribute is not None and attribute.keyed


def is_computed(resource_type: ResourceType, name: str) -> bool:
    """Whether the attribute is one that a store computes from the members of groups."""
    attribute = resource_type.attributes.find(name)
    return attribute is not None and attribute.keyed and attribute.mutability == "readOnly"


def member_entry(id: str, kind: str, display: Any) -> dict[str, Any]:
    """The entry of a group's `members` for a resource (RFC 7643 section 4.2)."""
    entry = {"value": id, "type": kind}
    if display is not None:
        entry["display"] = display
    return entry


def replacement(resource_type: ResourceType, old: Document, new: Document) -> ChangeSet:
    """A whole document put in the place of another, as changes: members are cleared and added, groups stay."""
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
    """The entry of a user's `groups` for a group it is a direct member of (RFC 7643 section 4.1.2)."""
    entry = {"value": group["id"], "type": "direct"}
    if "displayName" in group:
        entry["display"] = group["displayName"]
    return entry


def check_version(expected: str | None, actual: str) -> None:
    """Compare before a swap. Raises: PreconditionFailed."""
    if expected is not None and expected != actual:
        raise PreconditionFailed()
