"""Quirks of the names of members: paths as names, names without their URN, names nobody knows."""

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
    """`name.givenName`, `urn:...:User:department` or `urn:...:User.manager` as the name of a member."""
    return _place_of(table, name) or NOT_APPLICABLE


def _place_of(table: AttributeTable, name: str) -> tuple[Attribute, ...]:
    for extension in table.values():
        if (
            extension.is_extension
            and name.lower().startswith(extension.name.lower())
            and len(name) > len(extension.name)
        ):
            separator, rest = name[len(extension.name)], name[len(extension.name) + 1 :]
            if separator in ":.":
                below = _chain(extension.children, rest)
                return (extension, *below) if below else ()
    if name.lower().startswith(table.owner.lower()) and name[len(table.owner) : len(table.owner) + 1] in (":", "."):
        name = name[len(table.owner) + 1 :]
    return _chain(table, name)


def _element_as_name(table: AttributeTable, name: str, value: object) -> Any:
    """`emails[type eq "work"].value` or `emails.value` as the name of a member."""
    head, bracket, rest = name.partition("[")
    selected, closing, tail = rest.rpartition("].")
    if not bracket:
        head, closing, tail = name.rpartition(".")
    place = _place_of(table, head) if closing else ()
    if not place or not place[-1].multi_valued or place[-1].keyed or tail not in place[-1].children:
        return NOT_APPLICABLE
    described = _described(place[-1], selected) if bracket else {}
    return NOT_APPLICABLE if described is None else (*place, described, place[-1].children[tail])


def _described(attribute: Attribute, text: str) -> dict[str, Any] | None:
    try:
        return element_described(PatchPath(attribute, filter=parse(text)))
    except InvalidFilter:
        return None


def _own_name(table: AttributeTable, name: str, value: object) -> Any:
    """The URN of the core schema with its attributes in an object, or `{"manager": {...}}` within a manager."""
    if not table.owner or name.lower() != table.owner.lower():
        return NOT_APPLICABLE
    if type(value) is dict:
        return ()
    alone = table.find("value")
    return NOT_APPLICABLE if alone is None else (alone,)


_JOINED: Final = re.compile(r"([0-9]\.[0-9])(?=[A-Za-z])")


def with_colon(name: str) -> str:
    """A name with the colon that Entra's documentation leaves out, as in `...:enterprise:2.0User`."""
    return _JOINED.sub(r"\1:", name)


def _joined_urn(table: AttributeTable, name: str, value: object) -> Any:
    whole = with_colon(name)
    if whole == name:
        return NOT_APPLICABLE
    extension = table.find(whole)
    return _path_as_name(table, whole, value) if extension is None else (extension,)


def _chain(table: AttributeTable, dotted: str) -> tuple[Attribute, ...]:
    chain: list[Attribute] = []
    for part in dotted.split("."):
        attribute = table.find(part)
        if attribute is None or (chain and chain[-1].multi_valued):
            return ()
        chain.append(attribute)
        table = attribute.children
    return tuple(chain)


def _extension_attribute(table: AttributeTable, name: str, value: object) -> Any:
    """`department` or `manager` at the top of a user: an attribute of exactly one extension."""
    found = [(each, each.children.find(name)) for each in table.values() if each.is_extension]
    owners = [(extension, attribute) for extension, attribute in found if attribute is not None]
    return owners[0] if len(owners) == 1 else NOT_APPLICABLE


def _display_name(table: AttributeTable, name: str, value: object) -> Any:
    display = table.find("display")
    return (display,) if display is not None and name.lower() == "displayname" else NOT_APPLICABLE


def dropped(*_: object) -> None:
    return None


NAMES: Final[tuple[Quirk, ...]] = (
    Quirk(
        "joined-urn",
        "unknown",
        "a URN without its last colon, as urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        "no attribute has that name, and with the colon one has",
        ("Entra",),
        ENTRA_TUTORIAL,
        _joined_urn,
    ),
    Quirk(
        "wrapped-object",
        "unknown",
        'an object within itself under its own name, as {"manager": {...}} or the URN of the core schema',
        "it has no attribute of its own name",
        ("hosts' templates",),
        ENTRA_COMPATIBILITY,
        _own_name,
    ),
    Quirk(
        "path-as-name",
        "unknown",
        "name.givenName or URN:attribute as the name of a member",
        "no attribute name has a dot or a colon",
        ("Entra",),
        ENTRA_COMPATIBILITY,
        _path_as_name,
    ),
    Quirk(
        "element-as-name",
        "unknown",
        'emails[type eq "work"].value as the name of a member',
        "no attribute name has a bracket or a dot",
        ("Entra aadOptscim062020",),
        ENTRA_COMPATIBILITY,
        _element_as_name,
    ),
    Quirk(
        "extension-attribute",
        "unknown",
        "an extension's attribute without its URN, as department",
        "the name is unknown otherwise and one extension alone has it",
        ("Entra",),
        ENTRA_TUTORIAL,
        _extension_attribute,
    ),
    Quirk(
        "displayName-for-display",
        "unknown",
        "displayName for display in roles and members",
        "the attribute has no displayName",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _display_name,
    ),
    Quirk(
        "unknown-attribute",
        "unknown",
        "an attribute that no schema defines is passed over",
        "nothing else could take it",
        ("Entra", "BoxyHQ"),
        ENTRA_POSTMAN,
        dropped,
    ),
)
