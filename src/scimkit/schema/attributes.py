"""Attributes and their characteristics (RFC 7643 section 2), compiled into case-insensitive tables.

An extension is held as a singular complex attribute named by its URN, so that every walk over a
document is the same walk. This module never reads a request.
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
"""What a value of a type is in Python, where any such is one."""
_CASE_EXACT_BY_NATURE: Final = frozenset({"reference", "binary"})

_LONGEST_RUN_OF_MARKS: Final = 30
_RUN_OF_MARKS: Final = re.compile(rb"[^\0]{30}")
_TOO_MANY_MARKS: Final = re.compile(rb"[^\0]{31}")
_GRAPHEME_JOINER: Final = "\u034f"

Key: TypeAlias = Callable[[Any], Any]
"""Maps a value of an attribute to what it compares as."""


def _itself(value: Any) -> Any:
    return value


def folded(value: Any) -> Any:
    """Text as it compares where case does not count; the same object where that changes nothing, for indexes to share.

    Beyond ASCII this is Unicode's caseless matching of compatible forms, which for names that PRECIS allows
    (RFC 7613 section 3, asked for by RFC 7644 section 5) is PRECIS' own: width, case and composition do not count.
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
    """Attributes by name, without regard to case (RFC 7643 section 2.1). Iterates canonical names.

    `owner` names what they are the attributes of: the URN of a schema, or the complex attribute around them.
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
        """The attribute of that name in any case, or None."""
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
        """The attributes, in the order of the schema."""
        return self._attributes.values()


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute with its characteristics (RFC 7643 section 2.2 and section 7).

    `path` is its canonical full path for messages and indexes, such as `name.familyName` or
    `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`. `key` maps a value to
    its comparison key: case folded unless `case_exact`, instants for dateTime.
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
    """The complex sub-attributes whose values must have something."""
    is_extension: bool = False
    key: Key = _itself
    is_reference: bool = False
    """Whether it is complex and points at a resource by `value` and `$ref`, like a manager."""
    keyed: bool = False
    """Whether its values are references told apart by `value` alone, like the members of a group."""
    paired: bool = False
    """Whether its values are told apart by `type` and `value`, like e-mail addresses (RFC 7643 section 2.4)."""
    has_immutable: bool = False
    """Whether it is immutable, or one value with something immutable in it."""
    is_ignored: bool = False
    """Whether what a client says of it in a document is passed over: readOnly, or `$ref`."""
    plain: PythonType | None = None
    """The Python type of the values that stand as a client gives them, without another look; None if there is none."""
    is_worded: bool = False
    """Whether its values are mostly the same few words, of which one copy is kept."""

    def __repr__(self) -> str:
        return f"<Attribute {self.path or self.name}: {self.type}{'[]' if self.multi_valued else ''}>"

    @property
    def value_attribute(self) -> Attribute | None:
        """The default sub-attribute `value` (RFC 7643 section 2.4) of a complex attribute, if it has one."""
        return self.children.find("value")


def compile_attribute(source: Mapping[str, Any], prefix: str = "") -> Attribute:
    """Compile one entry of a Schema document's `attributes` (RFC 7643 section 7).

    `prefix` goes before the attribute's name in its path, separator included.
    Raises: ValueError when the entry is not a valid attribute definition.
    """
    name = source.get("name")
    kind = source.get("type", "string")
    if not isinstance(name, str) or not name:
        raise ValueError(f"an attribute under {prefix!r} has no name")
    if not _NAME.fullmatch(name):
        raise ValueError(f"attribute {prefix}{name} does not have a name as RFC 7643 section 2.1 has them")
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
    """Compile an extension schema: a singular complex attribute named by its URN (RFC 7643 section 3.3)."""
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
    """Which values of a multi-valued attribute belong together nobody knows, so that their parts do not count."""
    if mutability != "readWrite" or multi_valued:
        return mutability == "immutable"
    return any(each.has_immutable for each in children.values())


def _required(children: AttributeTable) -> tuple[Attribute, ...]:
    """What a client must give: `$ref` and readOnly sub-attributes are the service's own to set."""
    return tuple(
        each for each in children.values() if each.required and each.name != "$ref" and each.mutability != "readOnly"
    )


def requiring(table: AttributeTable) -> tuple[Attribute, ...]:
    """The complex attributes of a table whose values must have something, at any depth."""
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

    A path that names an extension as a whole has it as its `attribute`. Nobody changes it.
    """

    attribute: Attribute
    sub_attribute: Attribute | None = None
    extension: Attribute | None = None
    leaf: Attribute = field(init=False, repr=False, compare=False)
    """The last attribute of the path."""
    text: str = field(init=False, repr=False, compare=False)
    """The canonical text of the path."""
    is_searchable: bool = field(init=False, repr=False, compare=False)
    """Whether filters and orders may name it.

    Documents do not hold `$ref` and `meta.location`; of what is never returned, or part of it, nothing is told.
    """

    def __post_init__(self) -> None:
        leaf = self.leaf = self.sub_attribute or self.attribute
        text = self.text = leaf.path
        secret = self.attribute.returned == "never" or leaf.returned == "never"
        self.is_searchable = not secret and leaf.name != "$ref" and text != "meta.location"

    @property
    def names(self) -> tuple[str, ...]:
        """The document keys from the top to the leaf."""
        parts = (self.extension, self.attribute, self.sub_attribute)
        return tuple(part.name for part in parts if part is not None)
