"""Sample values of attributes, and documents with one attribute."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

from scimkit.schema.attributes import Attribute, AttributePath
from scimkit.testing.corpus import resource_type
from tests.corpus.candidates import BASE

_LEFT_OUT: Final = frozenset({"schemas", "id", "meta", "password", "groups", "asset", "x509Certificates"})
"""Attributes that a client does not write, that a response does not have, or whose values are long."""
OPEN: Final = frozenset(
    {"members.display", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName"}
)
"""Sub-attributes whose characteristics are open: sections 2.4 and 8.7.1 of RFC 7643 differ."""
NOTHING: Final = {"reference": "https://example.org/none"}
"""A text that no sample has, for types that have a form. Other types have "none of them"."""

_BY_TYPE: Final[dict[str, tuple[Any, ...]]] = {
    "string": ("Amber", "Blue", "Coral"),
    "integer": (4, 7, -2),
    "decimal": (2.5, -1.25, 10.5),
    "boolean": (True, False),
    "dateTime": ("2011-05-13T04:42:34Z", "2012-01-01T00:00:00Z", "2010-06-30T23:59:59Z"),
    "binary": ("QUJD", "QUJE", "Wg=="),
    "reference": ("https://example.org/Ada", "https://example.org/Bo", "https://example.org/Cy"),
}
_BY_PATH: Final[dict[str, tuple[Any, ...]]] = {
    "emails.value": ("ada@example.org", "bo@example.org", "cy@example.com"),
    "emails.type": ("work", "home", "other"),
    "phoneNumbers.value": ("+1-201-555-0123", "+1-201-555-0199", "+47-555-01000"),
    "phoneNumbers.type": ("work", "mobile", "fax"),
    "addresses.type": ("work", "home", "other"),
    "addresses.country": ("US", "NO", "FR"),
    "ims.type": ("xmpp", "skype", "qq"),
    "photos.type": ("photo", "thumbnail"),
    "photos.value": ("https://example.org/a.png", "https://example.org/b.png", "https://example.org/C.png"),
    "locale": ("en-US", "nb-NO", "fr-FR"),
    "preferredLanguage": ("en-US", "nb-NO", "fr-FR"),
    "timezone": ("Europe/Oslo", "America/Lima", "Asia/Tokyo"),
    "members.value": ("2819c223", "902c246b", "71ddf7c1"),
    "members.type": ("User", "Group"),
    "manager.value": ("26118915", "48c8a3f1", "9bf0a2d3"),
}


def samples(path: AttributePath) -> tuple[Any, ...]:
    """Return two or three different single values of the leaf of a path."""
    name = path.attribute.name if path.sub_attribute is None else f"{path.attribute.name}.{path.sub_attribute.name}"
    return _BY_PATH.get(name) or _BY_TYPE[path.leaf.type]


def simple_paths(schemas: tuple[str, ...]) -> Iterator[AttributePath]:
    """Yield the paths to all attributes and sub-attributes that are not complex, and that a client writes."""
    for top in resource_type(schemas).attributes.values():
        if top.name not in _LEFT_OUT:
            extension = top if top.is_extension else None
            for attribute in top.children.values() if extension is not None else [top]:
                yield from _simple(attribute, extension)


def _simple(attribute: Attribute, extension: Attribute | None) -> Iterator[AttributePath]:
    if attribute.type != "complex":
        yield AttributePath(attribute, None, extension)
    for sub in attribute.children.values():
        if sub.name != "$ref" and sub.mutability != "readOnly" and sub.path not in OPEN:
            yield AttributePath(attribute, sub, extension)


def complex_paths(schemas: tuple[str, ...]) -> Iterator[AttributePath]:
    """Yield the paths to all complex attributes that a client writes."""
    seen = set()
    for path in simple_paths(schemas):
        if path.sub_attribute is not None and path.attribute.path not in seen:
            seen.add(path.attribute.path)
            yield AttributePath(path.attribute, None, path.extension)


def base(schemas: tuple[str, ...]) -> dict[str, Any]:
    """Return a new document that has only the required attributes."""
    return copy.deepcopy(BASE[schemas[0]])


def element(attribute: Attribute, number: int, *names: str) -> dict[str, Any]:
    """Return a complex value with some sub-attributes. Their values differ by the number. Required ones are added."""
    made = {}
    for name, sub in attribute.children.items():
        if name in names or sub.required or (attribute.is_reference and name == "value"):
            values = samples(AttributePath(attribute, sub))
            made[name] = values[number % len(values)]
    return made


def holding(schemas: tuple[str, ...], path: AttributePath, *values: Any) -> dict[str, Any]:
    """Return a document whose attribute has the values: one for a singular attribute, or one in each element."""
    document = base(schemas)
    holder = document if path.extension is None else document.setdefault(path.extension.name, {})
    attribute, sub = path.attribute, path.sub_attribute
    made: list[Any] = list(values)
    if sub is not None:
        made = [{**element(attribute, number), sub.name: value} for number, value in enumerate(values)]
    holder[attribute.name] = made if attribute.multi_valued else made[0]
    return document


def with_value(schemas: tuple[str, ...], path: AttributePath, value: Any) -> dict[str, Any]:
    """Return a document whose top attribute has a value."""
    document = base(schemas)
    holder = document if path.extension is None else document.setdefault(path.extension.name, {})
    holder[path.attribute.name] = copy.deepcopy(value)
    return document


def text_of(path: AttributePath) -> str:
    """Return the text of a path, with the URN of its extension."""
    return path.text
