"""Quirks of PATCH operations: their names, removals that list values, elements that are not there yet."""

from __future__ import annotations

from typing import Any, Final

from scimkit.dialects.quirks.quirk import ENTRA_COMPATIBILITY, ENTRA_TUTORIAL, NOT_APPLICABLE, Quirk
from scimkit.dialects.quirks.values import member
from scimkit.schema.attributes import Attribute


def _lower_case(name: str) -> Any:
    return name.strip().lower()


def _listed_values(attribute: Attribute, value: object) -> Any:
    if type(value) is dict:
        wrapped = member(value, attribute.name.lower())
        if wrapped is not None:
            value = wrapped
    return value if type(value) is list else [value]


def _in_value_only(attribute: Attribute, in_value: bool) -> Any:
    return None if in_value else NOT_APPLICABLE


def _value_of(attribute: Attribute, value: object) -> Any:
    """The sub-attribute `value` for a text, alone or in an array of one."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    plain = attribute.type == "complex" and type(value) in (str, int) and value != ""
    return (attribute.children.find("value") if plain else None) or NOT_APPLICABLE


def _value_of_reference(attribute: Attribute, sub_attribute: Attribute) -> Any:
    return True if attribute.is_reference and sub_attribute.name == "value" else NOT_APPLICABLE


def _not_references(attribute: Attribute) -> bool:
    return not attribute.keyed


OPERATIONS: Final[tuple[Quirk, ...]] = (
    Quirk(
        "op-case",
        "operation_name",
        "op in title case, as in Add, Replace, Remove",
        "no operation differs from another by case",
        ("Entra",),
        ENTRA_COMPATIBILITY,
        _lower_case,
    ),
    Quirk(
        "remove-listed",
        "removal",
        "remove with a value: only the listed values go",
        "to remove all of them the value is left out",
        ("Entra", "JumpCloud", "authentik", "Salesforce"),
        ENTRA_COMPATIBILITY,
        _listed_values,
    ),
    Quirk(
        "value-for-element",
        "part",
        'a text for the value of the entry at emails[type eq "work"]',
        "an entry is no text; its other sub-attributes stay",
        ("hosts' templates",),
        ENTRA_TUTORIAL,
        _value_of,
    ),
    Quirk(
        "reference-without-value",
        "clears_whole",
        "manager.value or members[...].value removed or emptied: the reference goes",
        "without its value it points nowhere",
        ("Entra", "Entra SCIM Validator"),
        "github.com/pranems/SCIMServer docs/MANAGER_PATCH_STRING_COERCION.md",
        _value_of_reference,
    ),
    Quirk(
        "create-element",
        "creates_elements",
        'add or replace at emails[type eq "work"].value creates the entry',
        "not for members, whose existence is not described by a filter",
        ("Entra", "Entra SCIM Validator"),
        ENTRA_TUTORIAL,
        _not_references,
    ),
    Quirk(
        "read-only-in-value",
        "read_only",
        "readOnly attributes in the value of a pathless operation are passed over",
        "they cannot be changed",
        ("Okta", "authentik"),
        "developer.okta.com/docs/reference/scim/scim-20",
        _in_value_only,
    ),
)
