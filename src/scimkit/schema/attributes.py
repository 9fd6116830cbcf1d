"""Attributes and their characteristics (RFC 7643 section 2), compiled into case-insensitive tables.

An extension is represented as a singular complex attribute whose name is the URN of the extension. Code that walks
over a document therefore needs no special case for extensions. This module never reads a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args
from unicodedata import combining, normalize

from scimkit.schema.date_times import parse_instant

AttributeType: TypeAlias = Literal[
    "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"
]
Mutability: TypeAlias = Literal["readOnly", "readWrite", "immutable", "writeOnly"]
Returned: TypeAlias = Literal["always", "never", "default", "request"]
Uniqueness: TypeAlias = Literal["none", "server", "global"]

ATTRIBUTE_TYPES: Final[frozenset[str]] = frozenset(get_args(AttributeType))
_NAME: Final = re.compile(r"(?:[A-Za-z]|\$(?=ref\Z))[A-Za-z0-9$_-]*")
PythonType: TypeAlias = type

_PLAIN: Final[Mapping[str, PythonType]] = {"string": str, "reference": str, "boolean": bool, "integer": int}
"""Python types of the SCIM types whose values are valid if their Python type is right."""
_CASE_EXACT_BY_NATURE: Final = frozenset({"reference", "binary"})

_LONGEST_RUN_OF_MARKS: Final = 30
_RUN_OF_MARKS: Final = re.compile(rb"[^\0]{30}")
_TOO_MANY_MARKS: Final = re.compile(rb"[^\0]{31}")
_GRAPHEME_JOINER: Final = "\u034f"

Key: TypeAlias = Callable[[Any], Any]
"""Function that returns the comparison key of an attribute value."""


def _itself(value: Any) -> Any:
    return value


def folded(value: Any) -> Any:
    """Return the case-folded form of a text. Values that are not text are returned unchanged.

    If folding changes nothing, the function returns the same object, so that indexes can share it. Text beyond ASCII
    is compared by Unicode's compatibility caseless matching, which ignores width, case and composition. For names that
    PRECIS allows, the result equals the comparison of RFC 7613 section 3, which RFC 7644 section 5 requires.
    """
    if type(value) is not str:
        return value
    plain = value.lower() if value.isascii() else normalize("NFKC", normalize("NFKC", _stream_safe(value)).casefold())
    return value if plain == value else plain


def _stream_safe(text: str) -> str:
    """Return the text with a grapheme joiner after every 30 combining marks in a row.

    Normalization sorts each run of combining marks, in quadratic time and without releasing the GIL. No real text has
    runs of more than 30 marks. The result is Unicode's Stream-Safe Text Format (UAX #15 section 13).
    """
    if len(text) <= _LONGEST_RUN_OF_MARKS:
        return text
    classes = bytes(map(combining, text))
    if _TOO_MANY_MARKS.search(classes) is None:
        return text
    parts, start = [], 0
    for run in _RUN_OF_MARKS.finditer(classes):
        parts += [text[start : run.end()], _GRAPHEME_JOINER]
        start = run.end()
    return "".join([*parts, text[start:]])


def _instant(value: Any) -> Any:
    return parse_instant(value) if type(value) is str else value


class AttributeTable(Mapping[str, "Attribute"]):
    """A mapping of attribute names to attributes that ignores case (RFC 7643 section 2.1).

    Iteration yields the canonical names. `owner` is the URN of the schema or the name of the complex attribute that
    defines the attributes.
    """

    __slots__ = ("_attributes", "by_any_name", "owner")

    def __init__(self, attributes: Sequence[Attribute] = (), owner: str = "") -> None:
        self.owner: str = owner
        self._attributes = {attribute.name: attribute for attribute in attributes}
        self.by_any_name: dict[str, Attribute] = {
            name.lower(): attribute for name, attribute in self._attributes.items()
        }
        self.by_any_name.update(self._attributes)

    def find(self, name: str) -> Attribute | None:
        """Return the attribute with a name, in any case. Return None if the table has no such attribute."""
        return self.by_any_name.get(name) or self.by_any_name.get(name.lower())

    def __getitem__(self, name: str) -> Attribute:
        attribute = self.find(name)
        if attribute is None:
            raise KeyError(name)
        return attribute

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def values(self) -> ValuesView[Attribute]:
        """Return the attributes in the order of the schema."""
        return self._attributes.values()


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """An attribute definition with its characteristics (RFC 7643 section 2.2 and section 7).

    `path` is the canonical full path of the attribute, used in messages and indexes. Examples are `name.familyName`
    and `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`.

    `key` returns the comparison key of a value. Strings are case-folded unless `case_exact` is set. A dateTime value
    becomes an instant.
    """

    name: str
    type: AttributeType = "string"
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: Mutability = "readWrite"
    returned: Returned = "default"
    uniqueness: Uniqueness = "none"
    description: str = ""
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    children: AttributeTable = field(default_factory=AttributeTable)
    path: str = ""
    required_children: tuple[Attribute, ...] = ()
    """The sub-attributes that every complex value must have."""
    requiring_children: tuple[Attribute, ...] = ()
    """The complex sub-attributes that have required sub-attributes at any depth."""
    is_extension: bool = False
    key: Key = _itself
    is_reference: bool = False
    """True if the attribute is complex and refers to a resource by `value` and `$ref`, like `manager`."""
    keyed: bool = False
    """True if the attribute is multi-valued and its elements are references identified by `value`, like `members`."""
    paired: bool = False
    """True if elements are identified by `type` and `value`, like e-mail addresses (RFC 7643 section 2.4)."""
    has_immutable: bool = False
    """True if the attribute is immutable, or is singular and has an immutable sub-attribute."""
    is_ignored: bool = False
    """True if a value sent by a client is ignored, because the attribute is readOnly or is named `$ref`."""
    plain: PythonType | None = None
    """The Python type of values that are accepted without further checks. None if every value must be checked."""
    is_worded: bool = False
    """True if the schema lists canonical values, so that values repeat and are interned."""

    def __repr__(self) -> str:
        return f"<Attribute {self.path or self.name}: {self.type}{'[]' if self.multi_valued else ''}>"

    @property
    def value_attribute(self) -> Attribute | None:
        """The sub-attribute `value` of a complex attribute (RFC 7643 section 2.4), or None."""
        return self.children.find("value")


def compile_attribute(source: Mapping[str, Any], prefix: str = "") -> Attribute:
    """Compile an entry of the `attributes` of a Schema document (RFC 7643 section 7).

    Args:
        source: The attribute definition as JSON.
        prefix: The text before the attribute name in the path, with the separator at its end.

    Raises:
        ValueError: The entry is not a valid attribute definition.
    """
    name = source.get("name")
    kind = source.get("type", "string")
    if not isinstance(name, str) or not name:
        raise ValueError(f"an attribute under {prefix!r} has no name")
    if not _NAME.fullmatch(name):
        raise ValueError(f"attribute {prefix}{name} has a name that RFC 7643 section 2.1 does not allow")
    if kind not in ATTRIBUTE_TYPES:
        raise ValueError(f"attribute {prefix}{name} has the unknown type {kind!r}")
    path = prefix + name
    children = AttributeTable([compile_attribute(sub, path + ".") for sub in source.get("subAttributes") or ()], name)
    if any(each.type == "complex" for each in children.values()):
        raise ValueError(f"attribute {path} has a complex sub-attribute, which RFC 7643 section 2.3.8 forbids")
    case_exact = bool(source.get("caseExact", False)) or kind in _CASE_EXACT_BY_NATURE
    multi_valued = bool(source.get("multiValued", False))
    mutability: Mutability = source.get("mutability") or "readWrite"
    is_reference = "value" in children and "$ref" in children
    is_ignored = name == "$ref" or mutability == "readOnly"
    pair = [children.find(each) for each in ("type", "value")]
    plain = _PLAIN.get(kind) if not multi_valued and not is_ignored else None
    canonical_values = tuple(source.get("canonicalValues") or ())
    return Attribute(
        name=name,
        type=kind,
        multi_valued=multi_valued,
        required=bool(source.get("required", False)),
        case_exact=case_exact,
        mutability=mutability,
        returned=source.get("returned") or "default",
        uniqueness=source.get("uniqueness") or "none",
        description=source.get("description") or "",
        canonical_values=canonical_values,
        reference_types=tuple(source.get("referenceTypes") or ()),
        children=children,
        required_children=_required(children),
        requiring_children=requiring(children),
        path=path,
        key=_key_for(kind, case_exact),
        is_reference=is_reference,
        keyed=multi_valued and is_reference,
        paired=multi_valued and not is_reference and all(each and not each.multi_valued for each in pair),
        has_immutable=_has_immutable(mutability, children, multi_valued=multi_valued),
        is_ignored=is_ignored,
        plain=plain,
        is_worded=plain is str and bool(canonical_values),
    )


def compile_extension(urn: str, attributes: Sequence[Mapping[str, Any]], *, required: bool) -> Attribute:
    """Compile an extension schema to a singular complex attribute named by its URN (RFC 7643 section 3.3)."""
    children = AttributeTable([compile_attribute(entry, urn + ":") for entry in attributes], urn)
    return Attribute(
        name=urn,
        type="complex",
        required=required,
        children=children,
        required_children=_required(children),
        requiring_children=requiring(children),
        path=urn,
        is_extension=True,
        has_immutable=_has_immutable("readWrite", children, multi_valued=False),
    )


def _has_immutable(mutability: str, children: AttributeTable, *, multi_valued: bool) -> bool:
    """Report whether an attribute is immutable, or is singular and has an immutable sub-attribute.

    Sub-attributes of a multi-valued attribute do not count. An old element cannot be matched to a new one.
    """
    if mutability != "readWrite" or multi_valued:
        return mutability == "immutable"
    return any(each.has_immutable for each in children.values())


def _required(children: AttributeTable) -> tuple[Attribute, ...]:
    """Return the required attributes that a client must send: all but `$ref` and readOnly attributes."""
    return tuple(
        each for each in children.values() if each.required and each.name != "$ref" and each.mutability != "readOnly"
    )


def requiring(table: AttributeTable) -> tuple[Attribute, ...]:
    """Return the complex attributes of a table that have required sub-attributes at any depth."""
    return tuple(
        each for each in table.values()
        if each.mutability != "readOnly" and (each.required_children or each.requiring_children)
    )  # fmt: skip


def _key_for(kind: str, case_exact: bool) -> Key:
    if kind == "dateTime":
        return _instant
    return folded if kind == "string" and not case_exact else _itself


@dataclass(slots=True, unsafe_hash=True)
class AttributePath:
    """A path resolved against a resource type: an optional extension, an attribute, an optional sub-attribute.

    If the path is the URN of an extension, `attribute` is that extension. Treat objects of this class as immutable.
    """

    attribute: Attribute
    sub_attribute: Attribute | None = None
    extension: Attribute | None = None
    leaf: Attribute = field(init=False, repr=False, compare=False)
    """The last attribute of the path."""
    text: str = field(init=False, repr=False, compare=False)
    """The canonical text of the path."""
    is_searchable: bool = field(init=False, repr=False, compare=False)
    """True if a filter or `sortBy` may name the path.

    `$ref` and `meta.location` are not searchable, because documents do not contain them. Attributes that are never
    returned are not searchable either, because a filter would disclose their values.
    """

    def __post_init__(self) -> None:
        leaf = self.leaf = self.sub_attribute or self.attribute
        text = self.text = leaf.path
        secret = self.attribute.returned == "never" or leaf.returned == "never"
        self.is_searchable = not secret and leaf.name != "$ref" and text != "meta.location"

    @property
    def names(self) -> tuple[str, ...]:
        """The keys in a document from the top-level attribute to the last attribute of the path."""
        parts = (self.extension, self.attribute, self.sub_attribute)
        return tuple(part.name for part in parts if part is not None)
