"""Index entries: the comparison keys of a document's values, encoded as bytes.

Bytes compare the same way in every database, while collations of text fold case, ignore trailing spaces or order
differently. The predicate of a filter compares the same keys in Python. This module never talks to a database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Set
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from scimkit.documents import Document
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.metadata import has_members, is_computed
from scimkit.stores.protocol import GROUPS, MEMBERS, META

HEAD: Final = 255
"""Length in bytes of the part of a key that a database index contains."""

PRESENT: Final = b"\1"
"""Key of a complex value, which tells only that the value exists."""

_REFERENCES: Final = "references"
_EXPONENT_BIAS: Final = 1 << 20


class IndexEntry(NamedTuple):
    """A single value of a document, as a row of the index table.

    Attributes:
        slot: The number of the attribute.
        element: The index of the element of a multi-valued attribute.
        place: The index of the value within the element.
        head: The beginning of the comparison key.
        whole: The full key if the key is longer than `head`. For a dateTime, the text of the value.
        chosen: True if the document is sorted by this value.
    """

    slot: int
    element: int
    place: int
    head: bytes
    whole: bytes | None
    chosen: bool


@lru_cache(maxsize=65_536)
def slot(tenant: str, resource_type: str, path: str) -> int:
    """Return the number of an attribute of a resource type within a tenant: 64 bits of a hash."""
    text = f"{tenant}\0{resource_type}\0{path}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)


def encoded(key: Any) -> bytes:
    """Encode a comparison key as bytes. The bytes have the same order as the keys."""
    if type(key) is str:
        return key.encode()
    if type(key) is bool:
        return b"\1" if key else b"\0"
    if type(key) is tuple:
        seconds, fraction = key
        return (int(seconds) + (1 << 63)).to_bytes(8, "big") + str(fraction).encode()
    return _number(key)


def digest(key: Any) -> bytes:
    """Return the SHA-256 hash of a key, for a unique constraint."""
    return hashlib.sha256(encoded(key)).digest()


def _number(value: int | float) -> bytes:
    """Encode a number as sign, exponent and digits. Negative numbers use the complement of each byte."""
    number = Decimal(value)
    if not number:
        return b"\1"
    _, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).rstrip("0").encode()
    size = len(digits) + int(exponent) + _EXPONENT_BIAS
    magnitude = size.to_bytes(4, "big") + text
    if number > 0:
        return b"\2" + magnitude
    return b"\0" + bytes(255 - byte for byte in magnitude) + b"\xff"


def index_entries(
    tenant: str, resource_type: ResourceType, document: Document, names: Set[str] | None = None
) -> Iterator[IndexEntry]:
    """Yield the index entries of a document.

    Values that have columns of their own, such as `id`, `meta` and members, are left out.

    Args:
        tenant: The tenant of the resource.
        resource_type: The type of the resource.
        document: The document.
        names: The top-level attributes whose entries are wanted; None means all of them.
    """
    for name, value in document.items():
        if names is not None and name not in names:
            continue
        attribute = resource_type.attributes[name]
        if name == "id" or name == META or attribute.returned == "never":
            continue
        if (name == MEMBERS and has_members(resource_type)) or (name == GROUPS and is_computed(resource_type, GROUPS)):
            continue
        for each in _of_attribute(attribute, value):
            path, element, place, head, whole, chosen = each
            yield IndexEntry(slot(tenant, resource_type.name, path), element, place, head, whole, chosen)
    if resource_type.references and (names is None or not names.isdisjoint(resource_type.references)):
        yield from _references(tenant, resource_type, document)


def reference_slot(tenant: str) -> int:
    """Return the slot of all references of a tenant. It belongs to no resource type."""
    return slot(tenant, "", _REFERENCES)


def _references(tenant: str, resource_type: ResourceType, document: Document) -> Iterator[IndexEntry]:
    """Yield an entry for each reference: `head` is the id that it names, and `whole` the name of its attribute."""
    named = ((name, each) for name in resource_type.references for each in document.get(name, ()))
    for element, (name, each) in enumerate(named):
        yield IndexEntry(reference_slot(tenant), element, 0, each["value"].encode(), name.encode(), False)


_EntryParts = tuple[str, int, int, bytes, bytes | None, bool]


def _of_attribute(attribute: Attribute, value: Any) -> Iterator[_EntryParts]:
    """Yield the index entries of one attribute."""
    if attribute.type != "complex":
        for element, each in enumerate(value if attribute.multi_valued else (value,)):
            yield _plain(attribute, each, element, 0, chosen=element == 0)
    elif attribute.is_extension:
        yield attribute.path, 0, 0, PRESENT, None, False
        for name, item in value.items():
            yield from _of_attribute(attribute.children[name], item)
    elif attribute.multi_valued:
        primary = next((index for index, each in enumerate(value) if each.get("primary") is True), 0)
        for element, each in enumerate(value):
            yield from _of_complex(attribute, each, element, chosen=element == primary)
    else:
        yield from _of_complex(attribute, value, 0, chosen=True)


def _of_complex(attribute: Attribute, value: Document, element: int, *, chosen: bool) -> Iterator[_EntryParts]:
    """Yield the index entries of one complex value."""
    yield attribute.path, element, 0, PRESENT, None, False
    for name, item in value.items():
        sub = attribute.children[name]
        if sub.returned != "never":
            for place, each in enumerate(item if sub.multi_valued else (item,)):
                yield _plain(sub, each, element, place, chosen=chosen and place == 0)


def _plain(attribute: Attribute, value: Any, element: int, place: int, *, chosen: bool) -> _EntryParts:
    """Return the index entry of a simple value."""
    key = encoded(attribute.key(value))
    whole = key if len(key) > HEAD else None
    if attribute.type == "dateTime":
        whole = value.encode()
    return attribute.path, element, place, key[:HEAD], whole, chosen
