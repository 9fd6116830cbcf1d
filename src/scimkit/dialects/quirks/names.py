"""Quirks of attribute names in an object: paths as names, names without their URN, and unknown names."""

from __future__ import annotations

import re
from typing import Any, Final

from scimkit.dialects.quirks.quirk import (
    ENTRA_ATTRIBUTES,
    ENTRA_COMPATIBILITY,
    ENTRA_POSTMAN,
    ENTRA_TUTORIAL,
    NOT_APPLICABLE,
    Quirk,
)
from scimkit.errors import InvalidFilter
from scimkit.filters.parser import parse
from scimkit.patch.paths import PatchPath, element_described
from scimkit.schema.attributes import Attribute, AttributeTable


def _path_as_name(table: AttributeTable, name: str, value: object) -> Any:
    """Resolve a name that is a path, such as `name.givenName`, `urn:...:User:department` or `urn:...:User.manager`."""
    return _attributes_along(table, name) or NOT_APPLICABLE


def _attributes_along(table: AttributeTable, name: str) -> tuple[Attribute, ...]:
    """Return the attributes along a path from an attribute table, or nothing if the path names no attribute."""
    for extension in table.values():
        if (
            extension.is_extension
            and name.lower().startswith(extension.name.lower())
            and len(name) > len(extension.name)
        ):
            separator, rest = name[len(extension.name)], name[len(extension.name) + 1 :]
            if separator in ":.":
                below = _attributes_of_dotted_path(extension.children, rest)
                return (extension, *below) if below else ()
    if name.lower().startswith(table.owner.lower()) and name[len(table.owner) : len(table.owner) + 1] in (":", "."):
        name = name[len(table.owner) + 1 :]
    return _attributes_of_dotted_path(table, name)


def _element_as_name(table: AttributeTable, name: str, value: object) -> Any:
    """Resolve a name that selects an element, such as `emails[type eq "work"].value` or `emails.value`."""
    head, bracket, rest = name.partition("[")
    selected, closing, tail = rest.rpartition("].")
    if not bracket:
        head, closing, tail = name.rpartition(".")
    place = _attributes_along(table, head) if closing else ()
    if not place or not place[-1].multi_valued or place[-1].keyed or tail not in place[-1].children:
        return NOT_APPLICABLE
    described = _described(place[-1], selected) if bracket else {}
    return NOT_APPLICABLE if described is None else (*place, described, place[-1].children[tail])


def _described(attribute: Attribute, text: str) -> dict[str, Any] | None:
    """Return the element that a filter describes, or None if the filter describes no element."""
    try:
        return element_described(PatchPath(attribute, filter=parse(text)))
    except InvalidFilter:
        return None


def _object_in_itself(table: AttributeTable, name: str, value: object) -> Any:
    """Resolve the URN of the core schema as a name, or `{"manager": {...}}` inside a manager."""
    if not table.owner or name.lower() != table.owner.lower():
        return NOT_APPLICABLE
    if type(value) is dict:
        return ()
    alone = table.find("value")
    return NOT_APPLICABLE if alone is None else (alone,)


_JOINED: Final = re.compile(r"([0-9]\.[0-9])(?=[A-Za-z])")


def with_colon(name: str) -> str:
    """Return a name with the colon that Entra's documentation omits, as in `...:enterprise:2.0User`."""
    return _JOINED.sub(r"\1:", name)


def _joined_urn(table: AttributeTable, name: str, value: object) -> Any:
    """Resolve a name with a URN that lacks its last colon."""
    corrected = with_colon(name)
    if corrected == name:
        return NOT_APPLICABLE
    extension = table.find(corrected)
    return _path_as_name(table, corrected, value) if extension is None else (extension,)


def _attributes_of_dotted_path(table: AttributeTable, dotted: str) -> tuple[Attribute, ...]:
    """Return the attributes along a dotted path, or nothing if a part names no attribute."""
    chain: list[Attribute] = []
    for part in dotted.split("."):
        attribute = table.find(part)
        if attribute is None or (chain and chain[-1].multi_valued):
            return ()
        chain.append(attribute)
        table = attribute.children
    return tuple(chain)


def _extension_attribute(table: AttributeTable, name: str, value: object) -> Any:
    """Resolve a name such as `department` at the top of a user, if exactly one extension has such an attribute."""
    found = [(each, each.children.find(name)) for each in table.values() if each.is_extension]
    owners = [(extension, attribute) for extension, attribute in found if attribute is not None]
    return owners[0] if len(owners) == 1 else NOT_APPLICABLE


def _display_name(table: AttributeTable, name: str, value: object) -> Any:
    """Resolve `displayName` as `display`."""
    display = table.find("display")
    return (display,) if display is not None and name.lower() == "displayname" else NOT_APPLICABLE


def dropped(*_: object) -> None:
    """Ignore the attribute or operation, by returning None."""


NAMES: Final[tuple[Quirk, ...]] = (
    Quirk(
        "joined-urn",
        "unknown",
        "a URN without its last colon, such as `urn:ietf:params:scim:schemas:extension:enterprise:2.0User`",
        "no attribute has that name, and with the colon an attribute matches",
        ("Entra",),
        ENTRA_TUTORIAL,
        _joined_urn,
    ),
    Quirk(
        "wrapped-object",
        "unknown",
        'an object inside itself under its own name, such as `{"manager": {...}}`, or under the URN of the core schema',
        "the object has no attribute with its own name",
        ("custom templates",),
        ENTRA_COMPATIBILITY,
        _object_in_itself,
    ),
    Quirk(
        "path-as-name",
        "unknown",
        "`name.givenName` or `URN:attribute` as the name of an attribute",
        "no attribute name contains a dot or a colon",
        ("Entra",),
        ENTRA_COMPATIBILITY,
        _path_as_name,
    ),
    Quirk(
        "element-as-name",
        "unknown",
        '`emails[type eq "work"].value` as the name of an attribute',
        "no attribute name contains a bracket or a dot",
        ("Entra aadOptscim062020",),
        ENTRA_COMPATIBILITY,
        _element_as_name,
    ),
    Quirk(
        "extension-attribute",
        "unknown",
        "an attribute of an extension without its URN, such as `department`",
        "the resource type has no attribute with that name, and exactly one extension has",
        ("Entra",),
        ENTRA_TUTORIAL,
        _extension_attribute,
    ),
    Quirk(
        "displayName-for-display",
        "unknown",
        "`displayName` instead of `display` in roles and members",
        "the attribute has no sub-attribute `displayName`",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _display_name,
    ),
    Quirk(
        "unknown-attribute",
        "unknown",
        "an attribute that no schema defines, which is ignored",
        "no attribute could store the value",
        ("Entra", "BoxyHQ"),
        ENTRA_POSTMAN,
        dropped,
    ),
)
