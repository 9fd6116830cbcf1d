"""Quirks of values: wrong JSON types, arrays instead of single values and vice versa, strings instead of objects."""

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
    """Read a string as a boolean."""
    if attribute.type == "boolean" and type(value) is str:
        return _BOOLEANS.get(value.strip().lower(), NOT_APPLICABLE)
    return NOT_APPLICABLE


def scalar_as_text(attribute: Attribute, value: object) -> Any:
    """Write a number or boolean as a string."""
    if attribute.type in ("string", "reference") and type(value) in (int, float, bool):
        return NOT_APPLICABLE if type(value) is float and not math.isfinite(value) else json.dumps(value)
    return NOT_APPLICABLE


def number_text(attribute: Attribute, value: object) -> Any:
    """Read a string as a number, or a number such as 2.0 as an integer."""
    if type(value) is float and attribute.type == "integer":
        return int(value) if value.is_integer() else NOT_APPLICABLE
    if type(value) is not str or attribute.type not in ("integer", "decimal"):
        return NOT_APPLICABLE
    return integer_text(value) if attribute.type == "integer" else _decimal_text(value)


def integer_text(text: str) -> Any:
    """Read a string as an integer."""
    return int(text) if _INTEGER.fullmatch(text.strip()) else NOT_APPLICABLE


def _decimal_text(text: str) -> Any:
    """Read a string as a decimal number."""
    return float(text) if _DECIMAL.fullmatch(text.strip()) else NOT_APPLICABLE


def _array_of_one(attribute: Attribute, value: object) -> Any:
    """Take a value out of an array with at most one element."""
    if type(value) is list and len(value) <= 1:
        return UNASSIGNED if not value or value[0] is None else _as(attribute, value[0])
    return NOT_APPLICABLE


def _as(attribute: Attribute, value: object) -> Any:
    """Rewrite a value that was taken out of an array or an object, if it deviates too."""
    for rewrite in (boolean_text, _text_for_complex, _empty_for_unassigned, scalar_as_text, number_text, _value_alone):
        answer = rewrite(attribute, value)
        if answer is not NOT_APPLICABLE:
            return answer
    return float(value) if attribute.type == "decimal" and type(value) is int else value


def _text_for_complex(attribute: Attribute, value: object) -> Any:
    """Wrap a string as the `value` of a complex attribute."""
    if attribute.type == "complex" and type(value) in (str, int) and value != "" and "value" in attribute.children:
        return {"value": value}
    return NOT_APPLICABLE


def _value_alone(attribute: Attribute, value: object) -> Any:
    """Take a simple value out of an object such as `{"value": "x"}`."""
    if attribute.type == "complex" or type(value) is not dict or [name.lower() for name in value] != ["value"]:
        return NOT_APPLICABLE
    inner = member(value, "value")
    return UNASSIGNED if inner is None else _as(attribute, inner)


def _reference_by_uri(attribute: Attribute, value: object) -> Any:
    """Add the `value` to a reference that has only `$ref`. The id is the last path segment of `$ref`."""
    if not attribute.is_reference or type(value) is not dict or any(name.lower() == "value" for name in value):
        return NOT_APPLICABLE
    uri = member(value, "$ref")
    id = uri.partition("?")[0].rstrip("/").rpartition("/")[2] if type(uri) is str else ""
    return {**value, "value": id} if id else NOT_APPLICABLE


def _empty_for_unassigned(attribute: Attribute, value: object) -> Any:
    """Read an empty string as an unassigned value, for attributes that are not strings."""
    if value == "" and attribute.type in ("complex", "boolean", "dateTime", "binary", "integer", "decimal"):
        return UNASSIGNED
    if attribute.is_reference and type(value) is dict and member(value, "value") == "":
        return UNASSIGNED
    return NOT_APPLICABLE


def member(value: dict[str, Any], name: str) -> Any:
    """Return the member of an object with a lower-case name, compared without regard to case. None if it is absent."""
    return next((item for key, item in value.items() if key.lower() == name), None)


def _json_in_text(attribute: Attribute, value: object) -> Any:
    """Read a string as the JSON object it contains. The object must have a value, and an id or a display name."""
    if attribute.type != "complex" or type(value) is not str or not value.startswith("{"):
        return NOT_APPLICABLE
    try:
        found = parse_object(value.encode())
    except InvalidSyntax:
        return NOT_APPLICABLE
    names = {name.lower() for name in found}
    return found if "value" in names and not names.isdisjoint(("id", "displayname")) else NOT_APPLICABLE


def _base64_with_space(attribute: Attribute, value: object) -> Any:
    """Remove white space from base64, and the header and footer lines of PEM (RFC 7468)."""
    if attribute.type != "binary" or type(value) is not str:
        return NOT_APPLICABLE
    lines = [line for line in value.splitlines() if not line.startswith("-----")]
    text = "".join("".join(lines).split())
    return text if text and text != value and is_base64(text) else NOT_APPLICABLE


def _wrapped_values(attribute: Attribute, value: object) -> Any:
    """Take the elements out of an object such as `{"members": [...]}`."""
    if type(value) is not dict or len(value) != 1 or attribute.children.find(attribute.name) is not None:
        return NOT_APPLICABLE
    name, wrapped = next(iter(value.items()))
    if name.lower() != attribute.name.lower():
        return NOT_APPLICABLE
    return wrapped if type(wrapped) is list else [wrapped]


def _one_for_many(attribute: Attribute, value: object) -> Any:
    """Wrap a single value in an array."""
    return UNASSIGNED if value == "" else [value]


def _first_primary(attribute: Attribute, values: list[dict[str, Any]]) -> Any:
    """Keep only the first primary element as primary."""
    first = next(index for index, each in enumerate(values) if each.get("primary") is True)
    return [
        {**each, "primary": False} if index != first and each.get("primary") is True else each
        for index, each in enumerate(values)
    ]


VALUES: Final[tuple[Quirk, ...]] = (
    Quirk(
        "boolean-text",
        "value",
        'a boolean as a string, such as `"True"`',
        "only `true` and `false`, in any case, are accepted",
        ("Entra", "Keycloak mitodl"),
        ENTRA_COMPATIBILITY,
        boolean_text,
    ),
    Quirk(
        "json-text",
        "value",
        "a complex value as JSON in a string, such as a role of AppRoleAssignmentsComplex",
        "the JSON object has a value, and an id or a display name",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _json_in_text,
    ),
    Quirk(
        "json-text-in-value",
        "embedded",
        "a complex value as JSON in its own sub-attribute `value`",
        "the JSON object has a value, and an id or a display name",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _json_in_text,
    ),
    Quirk(
        "base64-with-space",
        "value",
        "base64 with line breaks, spaces or PEM header lines",
        "white space has no meaning in base64",
        ("custom templates",),
        "RFC 7468 section 2",
        _base64_with_space,
    ),
    Quirk(
        "array-of-one",
        "value",
        "a singular attribute, such as `manager`, as an array with one element",
        "an array with several elements is refused",
        ("Entra",),
        ENTRA_TUTORIAL,
        _array_of_one,
    ),
    Quirk(
        "empty-reference",
        "value",
        '`""` or `{"value": ""}` to clear a reference or another attribute whose value is not a string',
        "an empty string is not an identifier, a date or an object",
        ("Entra", "Entra SCIM Validator"),
        "github.com/pranems/SCIMServer docs/MANAGER_PATCH_STRING_COERCION.md",
        _empty_for_unassigned,
    ),
    Quirk(
        "reference-by-uri",
        "value",
        "a reference with `$ref` but without `value`",
        "the last segment of `$ref` is the id; not for a manager in POST and PUT, whose `$ref` may be outdated",
        ("custom templates",),
        "RFC 7643 section 2.3.7",
        _reference_by_uri,
    ),
    Quirk(
        "value-alone",
        "value",
        'a simple value in an object, such as `{"value": "x"}` for `title`',
        "a simple attribute never takes an object, and only an object with nothing but `value` is accepted",
        ("custom templates",),
        ENTRA_POSTMAN,
        _value_alone,
    ),
    Quirk(
        "text-for-complex",
        "value",
        "a complex value as a plain string, such as the id of a manager or a member",
        "a complex attribute never takes a string",
        ("Entra", "Rippling"),
        "github.com/Captain-P-Goldfish/SCIM-SDK/issues/541",
        _text_for_complex,
    ),
    Quirk(
        "scalar-for-text",
        "value",
        "a number or boolean for a string attribute, such as `4711` for `employeeNumber`",
        "a number or boolean has exactly one form as a string",
        ("custom templates",),
        ENTRA_POSTMAN,
        scalar_as_text,
    ),
    Quirk(
        "number-text",
        "value",
        "a number as a string, or an integer written as `2.0`",
        "only strings that are numbers are accepted",
        ("custom templates",),
        ENTRA_POSTMAN,
        number_text,
    ),
    Quirk(
        "wrapped-values",
        "values",
        'the elements of an attribute in an object with its name, such as `{"members": [...]}`',
        "the attribute has no sub-attribute with its own name",
        ("Salesforce",),
        "github.com/RIPAGlobal/scimitar app/models/scimitar/resources/mixin.rb",
        _wrapped_values,
    ),
    Quirk(
        "one-for-many",
        "values",
        "a single value for a multi-valued attribute",
        "the value can only be the one element",
        ("Entra", "OneLogin", "Rippling"),
        ENTRA_POSTMAN,
        _one_for_many,
    ),
    Quirk(
        "several-primaries",
        "primaries",
        "several primary elements in one attribute, of which the first stays primary",
        "the request would be refused otherwise",
        ("custom templates",),
        "RFC 7643 section 2.4",
        _first_primary,
    ),
)
