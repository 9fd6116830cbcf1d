"""Quirks of values: the wrong JSON type, an array for one, one for an array, text for an object."""

from __future__ import annotations

import json
import math
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
from scimkit.documents import parse_object
from scimkit.errors import InvalidSyntax
from scimkit.schema.attributes import Attribute
from scimkit.schema.deviations import UNASSIGNED
from scimkit.schema.reading import is_base64

_BOOLEANS: Final = {"true": True, "false": False}
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,2})?")


def boolean_text(attribute: Attribute, value: object) -> Any:
    if attribute.type == "boolean" and type(value) is str:
        return _BOOLEANS.get(value.strip().lower(), NOT_APPLICABLE)
    return NOT_APPLICABLE


def scalar_as_text(attribute: Attribute, value: object) -> Any:
    if attribute.type in ("string", "reference") and type(value) in (int, float, bool):
        return NOT_APPLICABLE if type(value) is float and not math.isfinite(value) else json.dumps(value)
    return NOT_APPLICABLE


def number_text(attribute: Attribute, value: object) -> Any:
    if type(value) is float and attribute.type == "integer":
        return int(value) if value.is_integer() else NOT_APPLICABLE
    if type(value) is not str or attribute.type not in ("integer", "decimal"):
        return NOT_APPLICABLE
    return integer_text(value) if attribute.type == "integer" else _decimal_text(value)


def integer_text(text: str) -> Any:
    return int(text) if _INTEGER.fullmatch(text.strip()) else NOT_APPLICABLE


def _decimal_text(text: str) -> Any:
    return float(text) if _DECIMAL.fullmatch(text.strip()) else NOT_APPLICABLE


def _array_of_one(attribute: Attribute, value: object) -> Any:
    if type(value) is list and len(value) <= 1:
        return UNASSIGNED if not value or value[0] is None else _as(attribute, value[0])
    return NOT_APPLICABLE


def _as(attribute: Attribute, value: object) -> Any:
    """A value taken out of its array, with the other habits of values on top."""
    for rewrite in (boolean_text, _text_for_complex, _empty_for_unassigned, scalar_as_text, number_text, _value_alone):
        answer = rewrite(attribute, value)
        if answer is not NOT_APPLICABLE:
            return answer
    return float(value) if attribute.type == "decimal" and type(value) is int else value


def _text_for_complex(attribute: Attribute, value: object) -> Any:
    if attribute.type == "complex" and type(value) in (str, int) and value != "" and "value" in attribute.children:
        return {"value": value}
    return NOT_APPLICABLE


def _value_alone(attribute: Attribute, value: object) -> Any:
    """`{"value": "x"}` for an attribute that is not complex."""
    if attribute.type == "complex" or type(value) is not dict or [name.lower() for name in value] != ["value"]:
        return NOT_APPLICABLE
    inner = member(value, "value")
    return UNASSIGNED if inner is None else _as(attribute, inner)


def _reference_by_uri(attribute: Attribute, value: object) -> Any:
    """A reference that has its `$ref` alone: the id is the last part of that."""
    if not attribute.is_reference or type(value) is not dict or any(name.lower() == "value" for name in value):
        return NOT_APPLICABLE
    uri = member(value, "$ref")
    id = uri.partition("?")[0].rstrip("/").rpartition("/")[2] if type(uri) is str else ""
    return {**value, "value": id} if id else NOT_APPLICABLE


def _empty_for_unassigned(attribute: Attribute, value: object) -> Any:
    if value == "" and attribute.type in ("complex", "boolean", "dateTime", "binary", "integer", "decimal"):
        return UNASSIGNED
    if attribute.is_reference and type(value) is dict and member(value, "value") == "":
        return UNASSIGNED
    return NOT_APPLICABLE


def member(value: dict[str, Any], name: str) -> Any:
    return next((item for key, item in value.items() if key.lower() == name), None)


def _json_in_text(attribute: Attribute, value: object) -> Any:
    """Read a text as the object it is the JSON of. The object has a value and something that says whose it is."""
    if attribute.type != "complex" or type(value) is not str or not value.startswith("{"):
        return NOT_APPLICABLE
    try:
        found = parse_object(value.encode())
    except InvalidSyntax:
        return NOT_APPLICABLE
    names = {name.lower() for name in found}
    return found if "value" in names and not names.isdisjoint(("id", "displayname")) else NOT_APPLICABLE


def _base64_with_space(attribute: Attribute, value: object) -> Any:
    """Drop white space from base64, and the lines around a PEM body (RFC 7468)."""
    if attribute.type != "binary" or type(value) is not str:
        return NOT_APPLICABLE
    lines = [line for line in value.splitlines() if not line.startswith("-----")]
    text = "".join("".join(lines).split())
    return text if text and text != value and is_base64(text) else NOT_APPLICABLE


def _wrapped_values(attribute: Attribute, value: object) -> Any:
    """`{"members": [...]}` as the value of members."""
    if type(value) is not dict or len(value) != 1 or attribute.children.find(attribute.name) is not None:
        return NOT_APPLICABLE
    name, wrapped = next(iter(value.items()))
    if name.lower() != attribute.name.lower():
        return NOT_APPLICABLE
    return wrapped if type(wrapped) is list else [wrapped]


def _one_for_many(attribute: Attribute, value: object) -> Any:
    return UNASSIGNED if value == "" else [value]


def _first_primary(attribute: Attribute, values: list[dict[str, Any]]) -> Any:
    first = next(index for index, each in enumerate(values) if each.get("primary") is True)
    return [
        {**each, "primary": False} if index != first and each.get("primary") is True else each
        for index, each in enumerate(values)
    ]


VALUES: Final[tuple[Quirk, ...]] = (
    Quirk(
        "boolean-text",
        "value",
        'a boolean as text, as in "True"',
        "only true and false in any case are taken",
        ("Entra", "Keycloak mitodl"),
        ENTRA_COMPATIBILITY,
        boolean_text,
    ),
    Quirk(
        "json-text",
        "value",
        "a complex value as JSON in a string, as a role of AppRoleAssignmentsComplex",
        "it has a value, and an id or a display name",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _json_in_text,
    ),
    Quirk(
        "json-text-in-value",
        "embedded",
        "a complex value as JSON in its own value sub-attribute",
        "it has a value, and an id or a display name",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _json_in_text,
    ),
    Quirk(
        "base64-with-space",
        "value",
        "base64 with line breaks, spaces or PEM lines around it",
        "white space means nothing in base64",
        ("hosts' templates",),
        "RFC 7468 section 2",
        _base64_with_space,
    ),
    Quirk(
        "array-of-one",
        "value",
        "a singular attribute as an array of one value, as for manager",
        "an array of more is refused",
        ("Entra",),
        ENTRA_TUTORIAL,
        _array_of_one,
    ),
    Quirk(
        "empty-reference",
        "value",
        'a reference or other structured value cleared by "" or {"value": ""}',
        "an empty text is no identifier, date or object",
        ("Entra", "Entra SCIM Validator"),
        "github.com/pranems/SCIMServer docs/MANAGER_PATCH_STRING_COERCION.md",
        _empty_for_unassigned,
    ),
    Quirk(
        "reference-by-uri",
        "value",
        "a reference with its $ref and no value",
        "the last part of the $ref is the id; not for a manager in POST and PUT, where a stale $ref may be left",
        ("hosts' templates",),
        "RFC 7643 section 2.3.7",
        _reference_by_uri,
    ),
    Quirk(
        "value-alone",
        "value",
        'a plain value in an object, as {"value": "x"} for a title',
        "a plain attribute takes no object otherwise, and only one with value alone is taken",
        ("hosts' templates",),
        ENTRA_POSTMAN,
        _value_alone,
    ),
    Quirk(
        "text-for-complex",
        "value",
        "a complex value as its bare value, as manager or a member by its id",
        "a complex attribute takes no text otherwise",
        ("Entra", "Rippling"),
        "github.com/Captain-P-Goldfish/SCIM-SDK/issues/541",
        _text_for_complex,
    ),
    Quirk(
        "scalar-for-text",
        "value",
        "a number or boolean for a text, as employeeNumber 4711",
        "it has one text form",
        ("hosts' templates",),
        ENTRA_POSTMAN,
        scalar_as_text,
    ),
    Quirk(
        "number-text",
        "value",
        "a number as text, or a whole number written as 2.0",
        "only what reads as a number is taken",
        ("hosts' templates",),
        ENTRA_POSTMAN,
        number_text,
    ),
    Quirk(
        "wrapped-values",
        "values",
        'the values of an attribute in an object with its name, as {"members": [...]}',
        "the attribute has no sub-attribute of its own name",
        ("Salesforce",),
        "github.com/RIPAGlobal/scimitar app/models/scimitar/resources/mixin.rb",
        _wrapped_values,
    ),
    Quirk(
        "one-for-many",
        "values",
        "a single value for a multi-valued attribute",
        "it is the one element",
        ("Entra", "OneLogin", "Rippling"),
        ENTRA_POSTMAN,
        _one_for_many,
    ),
    Quirk(
        "several-primaries",
        "primaries",
        "more than one primary value in one attribute: the first stays primary",
        "without it the request is refused",
        ("hosts' templates",),
        "RFC 7643 section 2.4",
        _first_primary,
    ),
)
