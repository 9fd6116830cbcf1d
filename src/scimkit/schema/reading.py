"""Functions that convert a document of a client to a canonical document.

The conversion checks names, types and required attributes. It drops read-only attributes and unassigned values.
If the document is not in RFC form, a `DeviationHandler` rewrites the value or refuses it.
This module knows nothing of HTTP and never does I/O.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from sys import intern
from typing import Any, Final

from scimkit.errors import InvalidSyntax, InvalidValue
from scimkit.schema.attributes import Attribute, AttributeTable
from scimkit.schema.constraints import require, require_within
from scimkit.schema.date_times import parse_instant
from scimkit.schema.deviations import REFUSE_DEVIATIONS, UNASSIGNED, DeviationHandler, Place
from scimkit.schema.resource_types import ResourceType


def read_resource(
    resource_type: ResourceType, body: Mapping[str, Any], deviations: DeviationHandler = REFUSE_DEVIATIONS
) -> dict[str, Any]:
    """Return the canonical document of a POST or PUT body (RFC 7644 sections 3.3 and 3.5.1).

    `id`, `meta` and other readOnly attributes are ignored. Null, empty arrays and empty objects are left out.
    `schemas` of the result lists the schema and the extensions that the document has.

    Args:
        resource_type: The resource type of the body.
        body: The parsed JSON object.
        deviations: Rewrites or refuses values that are not in RFC form. The default refuses them.

    Raises:
        InvalidSyntax: The body has an unknown or repeated attribute, or `schemas` is wrong.
        InvalidValue: A required value is missing, or a value does not fit its attribute.
    """
    read = _read_table(resource_type.attributes, body, deviations)
    schemas = resource_type.schemas_of(read)
    given = read.get("schemas")
    if given != schemas:
        _check_schemas(resource_type, read_value(resource_type.attributes["schemas"], given, deviations), deviations)
    read["schemas"] = schemas
    require(resource_type, read)
    for attribute in resource_type.requiring:
        if attribute.name in read:
            require_within(attribute, read[attribute.name])
    return read


def read_value(attribute: Attribute, value: object, deviations: DeviationHandler = REFUSE_DEVIATIONS) -> Any:
    """Return the canonical form of an attribute value, or `UNASSIGNED`.

    The function does not check that a complex value has its required sub-attributes. Call `require_within` on the
    complete value for that.

    Raises:
        InvalidSyntax: A complex value has an unknown or repeated sub-attribute.
        InvalidValue: The value does not fit the attribute.
    """
    if value is None:
        return UNASSIGNED
    if attribute.multi_valued:
        return _read_values(attribute, value, deviations)
    return _READERS[attribute.type](attribute, value, deviations)


def read_element(attribute: Attribute, value: object, deviations: DeviationHandler = REFUSE_DEVIATIONS) -> Any:
    """Return the canonical form of one element of a multi-valued attribute, or `UNASSIGNED`."""
    return UNASSIGNED if value is None else _READERS[attribute.type](attribute, value, deviations)


def element_key(attribute: Attribute, value: Any) -> object:
    """Return a hashable key that identifies an element of a multi-valued attribute (RFC 7643 section 2.4)."""
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
    """Return the elements of a multi-valued attribute without duplicates (RFC 7643 section 2.4).

    The first of several equal elements keeps its position. Elements with the same `type` and `value` are merged, and
    the sub-attributes of a later element replace those of an earlier element.
    """
    if attribute.paired and len({each.get("value") for each in values}) == len(values):
        return values
    unique: dict[object, Any] = {}
    for each in values:
        key = element_key(attribute, each)
        known = unique.setdefault(key, each)
        if known is not each and attribute.paired:
            unique[key] = {**known, **each}
    return list(unique.values())


def _read_table(table: AttributeTable, body: Mapping[str, Any], deviations: DeviationHandler) -> dict[str, Any]:
    document: dict[str, Any] = {}
    elsewhere: list[tuple[Place, object]] = []
    known = table.by_any_name
    for name, value in body.items():
        try:
            attribute = known[name]
        except KeyError:
            found = known.get(name.lower())
            if found is None:
                target = deviations.unknown(table, name, value)
                if target is not None:
                    elsewhere.append((target, value))
                continue
            attribute = found
        if type(value) is attribute.plain:
            if attribute.is_worded:
                value = intern(value)  # type: ignore[call-overload]  # worded values are strings
        else:
            if value is None or attribute.is_ignored:
                continue
            if attribute.multi_valued:
                value = _read_values(attribute, value, deviations)
            else:
                value = _READERS[attribute.type](attribute, value, deviations)
            if value is UNASSIGNED:
                continue
        canonical = attribute.name
        if canonical in document:
            raise InvalidSyntax(f"{attribute.path} is given twice.")
        document[canonical] = value
    if not elsewhere:
        return document
    placed = _ElementIndex()
    for target, value in elsewhere:
        if target:
            _write_at(document, target, value, deviations, placed)
        elif type(value) is dict:
            document = _read_table(table, value, deviations) | document
    return document


class _ElementIndex:
    """An index that finds elements of multi-valued attributes by the values of some of their sub-attributes."""

    __slots__ = ("_indexes",)

    def __init__(self) -> None:
        self._indexes: dict[int, dict[tuple[str, ...], dict[object, dict[str, Any]]]] = {}
        """Maps the `id()` of a list, sub-attribute names and sub-attribute values to the first matching element."""

    def find(self, values: list[dict[str, Any]], wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return the first element that has the wanted sub-attributes. Append a new element if none has them."""
        indexes = self._indexes.setdefault(id(values), {})
        names = tuple(sorted(wanted))
        index = indexes.get(names)
        if index is None:
            index = indexes[names] = {}
            for each in values:
                _add_to_index(index, names, each)
        element = index.get(tuple([wanted[name] for name in names]))
        if element is None:
            element = dict(wanted)
            values.append(element)
            self.note(values, element)
        return element

    def note(self, values: list[dict[str, Any]], element: dict[str, Any]) -> None:
        """Update the index after an element was added or got another sub-attribute."""
        for names, index in self._indexes[id(values)].items():
            _add_to_index(index, names, element)


def _add_to_index(index: dict[object, dict[str, Any]], names: tuple[str, ...], element: dict[str, Any]) -> None:
    if all(name in element and type(element[name]) is not list for name in names):
        index.setdefault(tuple([element[name] for name in names]), element)


def _write_at(
    document: dict[str, Any], place: Place, value: object, deviations: DeviationHandler, placed: _ElementIndex
) -> None:
    """Read a value into the place that the deviation handler returned, unless that place already has a value."""
    leaf = place[-1]
    if not isinstance(leaf, Attribute) or leaf.is_ignored:
        return
    read = read_value(leaf, value, deviations)
    if read is UNASSIGNED:
        return
    values: list[dict[str, Any]] = []
    in_element = False
    for step in place[:-1]:
        if not isinstance(step, Attribute):
            document, in_element = placed.find(values, step), True
        elif step.multi_valued:
            values, in_element = document.setdefault(step.name, []), False
        else:
            document, in_element = document.setdefault(step.name, {}), False
    document.setdefault(leaf.name, read)
    if in_element:
        placed.note(values, document)


def _read_values(attribute: Attribute, value: object, deviations: DeviationHandler) -> Any:
    if type(value) is not list:
        value = deviations.values(attribute, value)
        if value is UNASSIGNED:
            return UNASSIGNED
        if type(value) is not list:
            return REFUSE_DEVIATIONS.values(attribute, value)
    read_one = _READERS[attribute.type]
    values: list[Any] = []
    for item in value:
        if item is not None:
            read = read_one(attribute, item, deviations)
            if read is not UNASSIGNED:
                values.append(read)
    if len(values) > 1:
        values = distinct(attribute, values)
        if attribute.type == "complex":
            values = one_primary(attribute, values, deviations)
    return values[:] or UNASSIGNED  # the copy frees the spare capacity of the list


def one_primary(
    attribute: Attribute, values: list[dict[str, Any]], deviations: DeviationHandler
) -> list[dict[str, Any]]:
    """Return the elements if at most one is primary (RFC 7643 section 2.4). Otherwise ask the deviation handler."""
    seen = False
    for item in values:
        if item.get("primary") is True:
            if seen:
                return deviations.primaries(attribute, values)
            seen = True
    return values


def _read_string(attribute: Attribute, value: object, deviations: DeviationHandler) -> Any:
    return value if type(value) is str else _ask_for_value(attribute, value, str, deviations)


def _read_boolean(attribute: Attribute, value: object, deviations: DeviationHandler) -> Any:
    return value if type(value) is bool else _ask_for_value(attribute, value, bool, deviations)


def _read_integer(attribute: Attribute, value: object, deviations: DeviationHandler) -> Any:
    return value if type(value) is int else _ask_for_value(attribute, value, int, deviations)


def _read_decimal(attribute: Attribute, value: object, deviations: DeviationHandler) -> Any:
    if (type(value) is float and math.isfinite(value)) or type(value) is int:
        return value
    return _ask_for_value(attribute, value, float, deviations)


def _read_date_time(attribute: Attribute, value: object, deviations: DeviationHandler) -> Any:
    if type(value) is str and parse_instant(value) is not None:
        return value
    return _ask_for_value(attribute, value, str, deviations)


def _read_binary(attribute: Attribute, value: object, deviations: DeviationHandler) -> Any:
    """Read a base64 value (RFC 7643 section 2.3.6).

    Both alphabets of RFC 4648 sections 4 and 5 are accepted, with or without padding.
    """
    return value if type(value) is str and is_base64(value) else _ask_for_value(attribute, value, str, deviations)


def is_base64(text: str) -> bool:
    """Report whether a text is base64. Both alphabets are accepted, with or without padding."""
    padding = "" if text.endswith("=") else "=" * (-len(text) % 4)
    try:
        return bool(base64.b64decode(text.replace("-", "+").replace("_", "/") + padding, validate=True))
    except (binascii.Error, ValueError):
        return False


def _read_complex(attribute: Attribute, value: object, deviations: DeviationHandler) -> Any:
    if type(value) is not dict:
        value = deviations.value(attribute, value)
        if value is UNASSIGNED:
            return UNASSIGNED
        if type(value) is not dict:
            return REFUSE_DEVIATIONS.value(attribute, value)
    document = _read_table(attribute.children, value, deviations)
    if attribute.is_reference:
        return document if document.get("value") else _read_reference(attribute, value, document, deviations)
    inner = document.get("value")
    if type(inner) is str and inner[:1] == "{":
        found = deviations.embedded(attribute, inner)
        if found is not None:
            document |= _read_table(attribute.children, found, deviations)
    return document or UNASSIGNED


def _read_reference(
    attribute: Attribute, value: dict[str, Any], document: dict[str, Any], deviations: DeviationHandler
) -> Any:
    """Read a reference without a `value`.

    The deviation handler is asked if `value` is empty, or if an element of a multi-valued attribute has only a `$ref`.
    A singular reference with only a `$ref` is unassigned, because a client may send back a `$ref` that it has read.
    """
    if "value" in document or (attribute.keyed and points_by_uri(value)):
        found = deviations.value(attribute, value)
        if found is UNASSIGNED:
            return UNASSIGNED
        document = _read_table(attribute.children, found, deviations) if type(found) is dict else {}
        if not document.get("value"):
            raise InvalidValue(f"{attribute.path}.value is required.")
    elif attribute.keyed and document:
        raise InvalidValue(f"{attribute.path}.value is required.")
    return document or UNASSIGNED


def points_by_uri(value: Mapping[str, Any]) -> bool:
    """Report whether a reference has a `$ref` and no `value`."""
    given = {name.lower(): each for name, each in value.items()}
    return bool(given.get("$ref")) and "value" not in given


_READERS: Final[Mapping[str, Callable[[Attribute, Any, DeviationHandler], Any]]] = {
    "string": _read_string,
    "boolean": _read_boolean,
    "integer": _read_integer,
    "decimal": _read_decimal,
    "dateTime": _read_date_time,
    "binary": _read_binary,
    "reference": _read_string,
    "complex": _read_complex,
}


def _ask_for_value(attribute: Attribute, value: object, wanted: type, deviations: DeviationHandler) -> Any:
    value = deviations.value(attribute, value)
    if value is not UNASSIGNED and type(value) is not wanted:
        return REFUSE_DEVIATIONS.value(attribute, value)
    return value


def _check_schemas(resource_type: ResourceType, schemas: Any, deviations: DeviationHandler) -> None:
    """Check `schemas` of a document (RFC 7643 section 3).

    The array must have the URN of the resource type's schema, and may have the URNs of its extensions only. Otherwise
    the deviation handler is asked.
    """
    if type(schemas) is list:
        allowed = {resource_type.schema.lower(), *(each.name.lower() for each in resource_type.extensions)}
        named = {urn.lower() for urn in schemas}
        if resource_type.schema.lower() in named and named <= allowed:
            return
    deviations.schemas(resource_type, None if schemas is UNASSIGNED else schemas)
