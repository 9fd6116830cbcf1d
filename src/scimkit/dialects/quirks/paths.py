"""Quirks of PATCH paths, and of the names in a pathless operation, which are paths too."""

from __future__ import annotations

from typing import Any, Final

from scimkit.dialects.quirks.names import dropped, with_colon
from scimkit.dialects.quirks.quirk import (
    ENTRA_ATTRIBUTES,
    ENTRA_COMPATIBILITY,
    ENTRA_POSTMAN,
    ENTRA_TUTORIAL,
    NOT_APPLICABLE,
    Quirk,
)
from scimkit.schema.resource_types import ResourceType


def _path_of_name(resource_type: ResourceType, name: str) -> Any:
    """A name in the value of a pathless operation that is a path: it goes on as the path it is."""
    return name if set(name) & set(".:[") else NOT_APPLICABLE


def _dot_after_urn(resource_type: ResourceType, text: str) -> Any:
    for urn in (resource_type.schema, *(each.name for each in resource_type.extensions)):
        if text.lower().startswith(f"{urn.lower()}."):
            return _known(resource_type, f"{urn}:{text[len(urn) + 1 :]}")
    return NOT_APPLICABLE


def _resource_itself(resource_type: ResourceType, text: str) -> Any:
    """The URN of the core schema, or nothing but a slash or spaces: an operation without a path."""
    return "" if text.strip(" /").lower() in ("", resource_type.schema.lower()) else NOT_APPLICABLE


def _slashes(resource_type: ResourceType, text: str) -> Any:
    """`/title`, `title/` or `/name/givenName`: slashes where dots stand, outside brackets."""
    head, bracket, rest = text.partition("[")
    if "/" not in head and not text.endswith("/"):
        return NOT_APPLICABLE
    whole = head.strip("/ ").replace("/", ".") + bracket + rest.rstrip("/ ")
    found = _known(resource_type, whole)
    for rewrite in (_dot_after_urn, _unqualified_path):
        found = rewrite(resource_type, whole) if found is NOT_APPLICABLE else found
    return found


def _joined_urn_path(resource_type: ResourceType, text: str) -> Any:
    whole = with_colon(text)
    return NOT_APPLICABLE if whole == text else _known(resource_type, whole)


def _unqualified_path(resource_type: ResourceType, text: str) -> Any:
    owners = [each for each in resource_type.extensions if each.children.find(_first_name(text)) is not None]
    if len(owners) != 1 or ":" in text.partition("[")[0]:
        return NOT_APPLICABLE
    return _known(resource_type, f"{owners[0].name}:{text}")


def _unqualified_name(resource_type: ResourceType, name: str) -> Any:
    return _unqualified_path(resource_type, name)


def _display_name_path(resource_type: ResourceType, text: str) -> Any:
    head, dot, tail = text.rpartition(".")
    return _known(resource_type, f"{head}.display") if dot and tail.lower() == "displayname" else NOT_APPLICABLE


def _known(resource_type: ResourceType, text: str) -> Any:
    """The text if it names an attribute once its filter is left out; it may have displayName for display too."""
    head, bracket, rest = text.partition("[")
    tail = rest.rpartition("]")[2] if bracket else ""
    if resource_type.resolve(head + tail) is not None:
        return text
    shorter, dot, name = text.rpartition(".")
    return _known(resource_type, f"{shorter}.display") if dot and name.lower() == "displayname" else NOT_APPLICABLE


def _first_name(text: str) -> str:
    return text.partition("[")[0].partition(".")[0]


PATHS: Final[tuple[Quirk, ...]] = (
    Quirk(
        "path-as-name-in-patch",
        "name",
        "name.givenName or URN:attribute in the value of a pathless operation",
        "no attribute name has a dot or a colon",
        ("Entra aadOptscim062020",),
        ENTRA_COMPATIBILITY,
        _path_of_name,
    ),
    Quirk(
        "extension-attribute-in-patch",
        "name",
        "an extension's attribute without its URN in a pathless operation",
        "the name is unknown otherwise and one extension alone has it",
        ("Entra",),
        ENTRA_TUTORIAL,
        _unqualified_name,
    ),
    Quirk(
        "unknown-attribute-in-patch",
        "name",
        "an attribute that no schema defines, in a pathless operation, is passed over",
        "nothing else could take it",
        ("Entra", "BoxyHQ"),
        ENTRA_POSTMAN,
        dropped,
    ),
    Quirk(
        "resource-as-path",
        "path",
        "the URN of the core schema, or nothing but a slash, as the path",
        "no attribute has that name",
        ("hosts' templates",),
        ENTRA_COMPATIBILITY,
        _resource_itself,
    ),
    Quirk(
        "slashes",
        "path",
        "slashes in a path, as /title or name/givenName",
        "no attribute name has a slash",
        ("hosts' templates",),
        "RFC 6902 section 3",
        _slashes,
    ),
    Quirk(
        "dot-after-urn",
        "path",
        "a dot between a URN and the attribute",
        "no attribute has that name",
        ("Entra before 2018",),
        ENTRA_COMPATIBILITY,
        _dot_after_urn,
    ),
    Quirk(
        "joined-urn-path",
        "path",
        "a URN without its last colon at the start of a path",
        "no attribute has that path, and with the colon one has",
        ("Entra",),
        ENTRA_TUTORIAL,
        _joined_urn_path,
    ),
    Quirk(
        "unqualified-path",
        "path",
        "an extension's attribute without its URN, as manager",
        "the path is unknown otherwise and one extension alone has it",
        ("Entra",),
        ENTRA_TUTORIAL,
        _unqualified_path,
    ),
    Quirk(
        "displayName-path",
        "path",
        "displayName for display at the end of a path",
        "the attribute has no displayName",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _display_name_path,
    ),
    Quirk(
        "unknown-path",
        "path",
        "an operation on an attribute that no schema defines is passed over",
        "nothing else could take it",
        ("BoxyHQ",),
        "github.com/boxyhq/jackson npm/test/dsync/data/user-requests.ts",
        dropped,
    ),
)
