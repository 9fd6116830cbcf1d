"""Quirks of PATCH paths, and of names in an operation without a path, which are paths too."""

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
    """Read a name in the value of an operation without a path as a path."""
    return name if set(name) & set(".:[") else NOT_APPLICABLE


def _dot_after_urn(resource_type: ResourceType, text: str) -> Any:
    """Replace the dot after a URN with a colon."""
    for urn in (resource_type.schema, *(each.name for each in resource_type.extensions)):
        if text.lower().startswith(f"{urn.lower()}."):
            return _known(resource_type, f"{urn}:{text[len(urn) + 1 :]}")
    return NOT_APPLICABLE


def _resource_itself(resource_type: ResourceType, text: str) -> Any:
    """Read the URN of the core schema, a slash or spaces as an operation on the whole resource."""
    return "" if text.strip(" /").lower() in ("", resource_type.schema.lower()) else NOT_APPLICABLE


def _slashes(resource_type: ResourceType, text: str) -> Any:
    """Replace slashes outside brackets with dots, as in `/title`, `title/` or `/name/givenName`."""
    head, bracket, rest = text.partition("[")
    if "/" not in head and not text.endswith("/"):
        return NOT_APPLICABLE
    dotted = head.strip("/ ").replace("/", ".") + bracket + rest.rstrip("/ ")
    found = _known(resource_type, dotted)
    for rewrite in (_dot_after_urn, _unqualified_path):
        found = rewrite(resource_type, dotted) if found is NOT_APPLICABLE else found
    return found


def _joined_urn_path(resource_type: ResourceType, text: str) -> Any:
    """Add the last colon of a URN at the start of a path."""
    corrected = with_colon(text)
    return NOT_APPLICABLE if corrected == text else _known(resource_type, corrected)


def _unqualified_path(resource_type: ResourceType, text: str) -> Any:
    """Add the URN of the only extension that has the attribute."""
    owners = [each for each in resource_type.extensions if each.children.find(_first_name(text)) is not None]
    if len(owners) != 1 or ":" in text.partition("[")[0]:
        return NOT_APPLICABLE
    return _known(resource_type, f"{owners[0].name}:{text}")


def _unqualified_name(resource_type: ResourceType, name: str) -> Any:
    """Add the URN of the only extension that has the attribute, to a name in the value of an operation."""
    return _unqualified_path(resource_type, name)


def _display_name_path(resource_type: ResourceType, text: str) -> Any:
    """Replace `displayName` with `display` at the end of a path."""
    head, dot, tail = text.rpartition(".")
    return _known(resource_type, f"{head}.display") if dot and tail.lower() == "displayname" else NOT_APPLICABLE


def _known(resource_type: ResourceType, text: str) -> Any:
    """Return the path if it names an attribute without its filter.

    `displayName` instead of `display` is replaced too.
    """
    head, bracket, rest = text.partition("[")
    tail = rest.rpartition("]")[2] if bracket else ""
    if resource_type.resolve(head + tail) is not None:
        return text
    shorter, dot, name = text.rpartition(".")
    return _known(resource_type, f"{shorter}.display") if dot and name.lower() == "displayname" else NOT_APPLICABLE


def _first_name(text: str) -> str:
    """Return the first attribute name of a path."""
    return text.partition("[")[0].partition(".")[0]


PATHS: Final[tuple[Quirk, ...]] = (
    Quirk(
        "path-as-name-in-patch",
        "name",
        "`name.givenName` or `URN:attribute` as a name in the value of an operation without a path",
        "no attribute name contains a dot or a colon",
        ("Entra aadOptscim062020",),
        ENTRA_COMPATIBILITY,
        _path_of_name,
    ),
    Quirk(
        "extension-attribute-in-patch",
        "name",
        "an attribute of an extension without its URN, in an operation without a path",
        "the resource type has no attribute with that name, and exactly one extension has",
        ("Entra",),
        ENTRA_TUTORIAL,
        _unqualified_name,
    ),
    Quirk(
        "unknown-attribute-in-patch",
        "name",
        "an attribute that no schema defines, in an operation without a path, which is ignored",
        "no attribute could store the value",
        ("Entra", "BoxyHQ"),
        ENTRA_POSTMAN,
        dropped,
    ),
    Quirk(
        "resource-as-path",
        "path",
        "the URN of the core schema, or only a slash, as the path",
        "no attribute has that name",
        ("custom templates",),
        ENTRA_COMPATIBILITY,
        _resource_itself,
    ),
    Quirk(
        "slashes",
        "path",
        "slashes in a path, such as `/title` or `name/givenName`",
        "no attribute name contains a slash",
        ("custom templates",),
        "RFC 6902 section 3",
        _slashes,
    ),
    Quirk(
        "dot-after-urn",
        "path",
        "a dot between a URN and the attribute in a path",
        "no attribute has that name",
        ("Entra before 2018",),
        ENTRA_COMPATIBILITY,
        _dot_after_urn,
    ),
    Quirk(
        "joined-urn-path",
        "path",
        "a URN without its last colon at the start of a path",
        "no attribute has that path, and with the colon an attribute matches",
        ("Entra",),
        ENTRA_TUTORIAL,
        _joined_urn_path,
    ),
    Quirk(
        "unqualified-path",
        "path",
        "an attribute of an extension without its URN as the path, such as `manager`",
        "the resource type has no such path, and exactly one extension has",
        ("Entra",),
        ENTRA_TUTORIAL,
        _unqualified_path,
    ),
    Quirk(
        "displayName-path",
        "path",
        "`displayName` instead of `display` at the end of a path",
        "the attribute has no sub-attribute `displayName`",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _display_name_path,
    ),
    Quirk(
        "unknown-path",
        "path",
        "an operation on an attribute that no schema defines, which is ignored",
        "no attribute could store the value",
        ("BoxyHQ",),
        "github.com/boxyhq/jackson npm/test/dsync/data/user-requests.ts",
        dropped,
    ),
)
