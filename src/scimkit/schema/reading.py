"""Client document to canonical document: names, types, required, read-only, unassigned values.

One walk over the compiled table. What is not in RFC form is not guessed here: the walk asks a
`Repair`, which rewrites the value or refuses it. This module never sees HTTP and never does I/O.
"""

from __future__ import annotations

import base64
import binascii
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias

from scimkit.errors import InvalidSyntax, InvalidValue, MutabilityViolation
from scimkit.schema.attributes import Attribute, AttributeTable
from scimkit.schema.instants import parse_instant
from scimkit.schema.resource_types import ResourceType


class _Unassigned:
    """The one value that means: the attribute has none (RFC 7643 section 2.5)."""

    def __repr__(self) -> str:
        return "UNASSIGNED"


UNASSIGNED: Final = _Unassigned()


Place: TypeAlias = tuple[Attribute | Mapping[str, Any], ...]
"""Attributes from a table down to the one that takes a value; the sub-attributes that one of the values of a
multi-valued attribute has stand after it."""


class Repair(Protocol):
    """What reading asks when a request is not in RFC form."""

    def value(self, attribute: Attribute, value: object) -> object:
        """A value of the attribute's type for one that is not, or `UNASSIGNED`; raises InvalidValue."""
        ...

    def values(self, attribute: Attribute, value: object) -> object:
        """An array for a multi-valued attribute that got none, or `UNASSIGNED`; raises InvalidValue."""
        ...

    def unknown(self, table: AttributeTable, name: str, value: object) -> Place | None:
        """Where a name that is not in the table belongs; None drops it.

        In an empty place its value belongs to the table as a whole. Raises InvalidSyntax to refuse it.
        """
        ...

    def schemas(self, resource_type: ResourceType, value: object) -> None:
        """Told that `schemas` is missing, malformed, or names other schemas; raises to refuse."""
        ...

    def primaries(self, attribute: Attribute, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Values of which more than one is primary, made right; raises InvalidValue to refuse."""
        ...


class Refusal:
    """The `Repair` that repairs nothing: the RFC and no more."""

    def value(self, attribute: Attribute, value: object) -> object:
        if attribute.is_reference and type(value) is dict:
            raise InvalidValue(f"{attribute.path}.value is required.")
        raise InvalidValue(f"{attribute.path} must be {_DESCRIBED[attribute.type]}.")

    def values(self, attribute: Attribute, value: object) -> object:
        raise InvalidValue(f"{attribute.path} must be an array.")

    def unknown(self, table: AttributeTable, name: str, value: object) -> Place | None:
        raise InvalidSyntax("The request has an attribute that the schema does not define.")

    def schemas(self, resource_type: ResourceType, value: object) -> None:
        raise InvalidSyntax(
            f"schemas must be an array with {resource_type.schema} and the URNs of the extensions used."
        )

    def primaries(self, attribute: Attribute, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
        raise InvalidValue(f"{attribute.path} has more than one primary value.")


REFUSE: Final = Refusal()


def read_resource(resource_type: ResourceType, body: Mapping[str, Any], repair: Repair = REFUSE) -> dict[str, Any]:
    """The canonical document of a POST or PUT body (RFC 7644 sections 3.3 and 3.5.1).

    `id`, `meta` and other readOnly attributes are ignored, null and empty values are unassigned,
    `schemas` lists what the document has. Raises: InvalidValue, InvalidSyntax.
    """
    read = _read_table(resource_type.attributes, body, repair)
    given, schemas = read.pop("schemas", None), resource_type.schemas_of(read)
    if given != schemas:
        _check_schemas(resource_type, given, repair)
    require(resource_type, read)
    for attribute in resource_type.requiring:
        if attribute.name in read:
            require_within(attribute, read[attribute.name])
    return {"schemas": schemas, **read}


def require(resource_type: ResourceType, document: Mapping[str, Any]) -> None:
    """Check that every required attribute has a value (RFC 7643 section 2.2). Raises: InvalidValue."""
    for attribute in resource_type.required:
        value = document.get(attribute.name)
        if value is None or (value == "" and attribute.type == "string"):
            raise InvalidValue(f"{attribute.path} is required.")


def require_within(attribute: Attribute, value: Any) -> None:
    """Check that each complex value of an attribute has its required sub-attributes. Raises: InvalidValue."""
    for each in value if attribute.multi_valued else (value,):
        for child in attribute.required_children:
            if child.name not in each:
                raise InvalidValue(f"{child.path} is required.")
        for child in attribute.requiring_children:
            if child.name in each:
                require_within(child, each[child.name])


def check_immutable(resource_type: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Check that no immutable attribute with a value gets another one (RFC 7644 section 3.5.1).

    Raises: MutabilityViolation.
    """
    for attribute in resource_type.attributes.values():
        check_unchanged(attribute, old.get(attribute.name), new.get(attribute.name))


def check_unchanged(attribute: Attribute, old: Any, new: Any) -> None:
    """Check that an immutable attribute keeps the value it has, and so do those within a singular complex one.

    Which values of a multi-valued attribute belong together is not known here. Raises: MutabilityViolation.
    """
    if not attribute.has_immutable or old is None or old is new:
        return
    if attribute.mutability == "immutable":
        if old != new:
            raise MutabilityViolation(f"{attribute.path} is immutable and already has a value.")
    else:
        for child in attribute.children.values():
            check_unchanged(child, old.get(child.name), new.get(child.name) if type(new) is dict else None)


def read_value(attribute: Attribute, value: object, repair: Repair = REFUSE) -> Any:
    """The canonical value of an attribute, or `UNASSIGNED`. Raises: InvalidValue, InvalidSyntax.

    That complex values have what they must have is for `require_within` to check, once they are whole.
    """
    if value is None:
        return UNASSIGNED
    if attribute.multi_valued:
        return _read_values(attribute, value, repair)
    return _ONE[attribute.type](attribute, value, repair)


def read_element(attribute: Attribute, value: object, repair: Repair = REFUSE) -> Any:
    """The canonical form of one value of a multi-valued attribute, or `UNASSIGNED`."""
    return UNASSIGNED if value is None else _ONE[attribute.type](attribute, value, repair)


def element_key(attribute: Attribute, value: Any) -> object:
    """What tells two values of a multi-valued attribute apart (RFC 7643 section 2.4), hashable."""
    if type(value) is not dict:
        return attribute.key(value)
    if attribute.keyed:
        return value.get("value")
    if attribute.paired and "value" in value:
        return value.get("type"), value["value"]
    try:
        return frozenset(value.items())
    except TypeError:  # a sub-attribute has several values
        return frozenset((name, tuple(item) if type(item) is list else item) for name, item in value.items())


def distinct(attribute: Attribute, values: list[Any]) -> list[Any]:
    """The values of a multi-valued attribute, each once (RFC 7643 section 2.4), where the first of equal ones stood.

    Of those with one type and value, each adds to what the ones before it say.
    """
    unique: dict[object, Any] = {}
    for each in values:
        key = element_key(attribute, each)
        known = unique.setdefault(key, each)
        if known is not each and attribute.paired:
            unique[key] = {**known, **each}
    return list(unique.values())


def _read_table(table: AttributeTable, body: Mapping[str, Any], repair: Repair) -> dict[str, Any]:
    document: dict[str, Any] = {}
    elsewhere: list[tuple[Place, object]] = []
    known = table.by_any_name
    for name, value in body.items():
        attribute = known.get(name) or known.get(name.lower())
        if attribute is None:
            target = repair.unknown(table, name, value)
            if target is not None:
                elsewhere.append((target, value))
            continue
        if not attribute.is_text or type(value) is not str:
            if value is None or attribute.is_ignored:
                continue
            if attribute.multi_valued:
                value = _read_values(attribute, value, repair)
            else:
                value = _ONE[attribute.type](attribute, value, repair)
            if value is UNASSIGNED:
                continue
        canonical = attribute.name
        if canonical in document:
            raise InvalidSyntax(f"{attribute.path} is given twice.")
        document[canonical] = value
    for target, value in elsewhere:
        if target:
            _place(document, target, value, repair)
        elif type(value) is dict:
            document = _read_table(table, value, repair) | document
    return document


def _place(document: dict[str, Any], place: Place, value: object, repair: Repair) -> None:
    """Read a value that stood elsewhere into its place, unless its place is taken."""
    leaf = place[-1]
    if not isinstance(leaf, Attribute) or leaf.is_ignored:
        return
    read = read_value(leaf, value, repair)
    if read is UNASSIGNED:
        return
    values: list[dict[str, Any]] = []
    for step in place[:-1]:
        if not isinstance(step, Attribute):
            document = next((each for each in values if step.items() <= each.items()), dict(step))
            if document not in values:
                values.append(document)
        elif step.multi_valued:
            values = document.setdefault(step.name, [])
        else:
            document = document.setdefault(step.name, {})
    document.setdefault(leaf.name, read)


def _read_values(attribute: Attribute, value: object, repair: Repair) -> Any:
    if type(value) is not list:
        value = repair.values(attribute, value)
        if value is UNASSIGNED:
            return UNASSIGNED
        if type(value) is not list:
            return REFUSE.values(attribute, value)
    read_one = _ONE[attribute.type]
    values: list[Any] = []
    for item in value:
        if item is not None:
            read = read_one(attribute, item, repair)
            if read is not UNASSIGNED:
                values.append(read)
    if len(values) > 1:
        values = distinct(attribute, values)
        if attribute.type == "complex":
            values = one_primary(attribute, values, repair)
    return values[:] or UNASSIGNED  # a copy has no room to grow, which a stored document needs not


def one_primary(attribute: Attribute, values: list[dict[str, Any]], repair: Repair) -> list[dict[str, Any]]:
    """The values, of which at most one is primary (RFC 7643 section 2.4)."""
    seen = False
    for item in values:
        if item.get("primary") is True:
            if seen:
                return repair.primaries(attribute, values)
            seen = True
    return values


def _read_string(attribute: Attribute, value: object, repair: Repair) -> Any:
    if attribute.canonical_values and type(value) is str:
        return sys.intern(value)  # the same few words in every document
    return value if type(value) is str else _repaired(attribute, value, str, repair)


def _read_boolean(attribute: Attribute, value: object, repair: Repair) -> Any:
    return value if type(value) is bool else _repaired(attribute, value, bool, repair)


def _read_integer(attribute: Attribute, value: object, repair: Repair) -> Any:
    return value if type(value) is int else _repaired(attribute, value, int, repair)


def _read_decimal(attribute: Attribute, value: object, repair: Repair) -> Any:
    if (type(value) is float and math.isfinite(value)) or type(value) is int:
        return value
    return _repaired(attribute, value, float, repair)


def _read_date_time(attribute: Attribute, value: object, repair: Repair) -> Any:
    if type(value) is str and parse_instant(value) is not None:
        return value
    return _repaired(attribute, value, str, repair)


def _read_binary(attribute: Attribute, value: object, repair: Repair) -> Any:
    """Base64 with either alphabet, with or without its padding (RFC 7643 section 2.3.6, RFC 4648 sections 4 and 5)."""
    if type(value) is str and value:
        padding = "" if value.endswith("=") else "=" * (-len(value) % 4)
        try:
            base64.b64decode(value.replace("-", "+").replace("_", "/") + padding, validate=True)
        except (binascii.Error, ValueError):
            pass
        else:
            return value
    return _repaired(attribute, value, str, repair)


def _read_complex(attribute: Attribute, value: object, repair: Repair) -> Any:
    if type(value) is not dict:
        value = repair.value(attribute, value)
        if value is UNASSIGNED:
            return UNASSIGNED
        if type(value) is not dict:
            return REFUSE.value(attribute, value)
    document = _read_table(attribute.children, value, repair)
    if attribute.is_reference and not document.get("value"):
        return _read_reference(attribute, value, document, repair)
    return document or UNASSIGNED


def _read_reference(attribute: Attribute, value: dict[str, Any], document: dict[str, Any], repair: Repair) -> Any:
    """A reference that points nowhere: its `value` is empty, or it is one of several and has only a `$ref`.

    A singular one that is read, changed and put back may have its `$ref` still: it has no value.
    """
    if "value" in document or (attribute.keyed and points_by_uri(value)):
        found = repair.value(attribute, value)
        if found is UNASSIGNED:
            return UNASSIGNED
        document = _read_table(attribute.children, found, repair) if type(found) is dict else {}
        if not document.get("value"):
            raise InvalidValue(f"{attribute.path}.value is required.")
    elif attribute.keyed and document:
        raise InvalidValue(f"{attribute.path}.value is required.")
    return document or UNASSIGNED


def points_by_uri(value: Mapping[str, Any]) -> bool:
    """Whether a reference has its `$ref` and no `value`."""
    given = {name.lower(): each for name, each in value.items()}
    return bool(given.get("$ref")) and "value" not in given


_ONE: Final[Mapping[str, Callable[[Attribute, Any, Repair], Any]]] = {
    "string": _read_string,
    "boolean": _read_boolean,
    "integer": _read_integer,
    "decimal": _read_decimal,
    "dateTime": _read_date_time,
    "binary": _read_binary,
    "reference": _read_string,
    "complex": _read_complex,
}


def _repaired(attribute: Attribute, value: object, wanted: type, repair: Repair) -> Any:
    value = repair.value(attribute, value)
    if value is not UNASSIGNED and type(value) is not wanted:
        return REFUSE.value(attribute, value)
    return value


def _check_schemas(resource_type: ResourceType, schemas: Any, repair: Repair) -> None:
    """Check `schemas` against the type (RFC 7643 section 3): the base URN, and none but its extensions."""
    if type(schemas) is list:
        allowed = {resource_type.schema.lower(), *(each.name.lower() for each in resource_type.extensions)}
        named = {urn.lower() for urn in schemas}
        if resource_type.schema.lower() in named and named <= allowed:
            return
    repair.schemas(resource_type, schemas)


_DESCRIBED: Final[Mapping[str, str]] = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "decimal": "a number",
    "dateTime": "a date and time such as 2011-05-13T04:42:34Z",
    "binary": "a base64 string",
    "reference": "a string with a URI or identifier",
    "complex": "an object",
}
