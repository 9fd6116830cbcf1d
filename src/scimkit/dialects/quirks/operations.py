"""Quirks of PATCH operations: names of operations, removals with a value, and elements that do not exist yet."""

from __future__ import annotations

from typing import Any, Final

from scimkit.dialects.quirks.quirk import ENTRA_COMPATIBILITY, ENTRA_TUTORIAL, NOT_APPLICABLE, Quirk
from scimkit.dialects.quirks.values import member
from scimkit.schema.attributes import Attribute


def _lower_case(name: str) -> Any:
    """Return the operation name in lower case."""
    return name.strip().lower()


def _listed_values(attribute: Attribute, value: object) -> Any:
    """Return the elements that a `remove` operation lists in its value."""
    if type(value) is dict:
        wrapped = member(value, attribute.name.lower())
        if wrapped is not None:
            value = wrapped
    return value if type(value) is list else [value]


def _in_value_only(attribute: Attribute, in_value: bool) -> Any:
    """Ignore a readOnly attribute in the value of an operation without a path."""
    return None if in_value else NOT_APPLICABLE


def _value_of(attribute: Attribute, value: object) -> Any:
    """Return the sub-attribute `value` for a string, alone or in an array with one element."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    plain = attribute.type == "complex" and type(value) in (str, int) and value != ""
    return (attribute.children.find("value") if plain else None) or NOT_APPLICABLE


def _value_of_reference(attribute: Attribute, sub_attribute: Attribute) -> Any:
    """Report whether the sub-attribute is the `value` of a reference."""
    return True if attribute.is_reference and sub_attribute.name == "value" else NOT_APPLICABLE


def _not_references(attribute: Attribute) -> bool:
    """Allow new elements except in attributes that hold references, such as `members`."""
    return not attribute.keyed


OPERATIONS: Final[tuple[Quirk, ...]] = (
    Quirk(
        "op-case",
        "operation_name",
        "`op` in title case, such as `Add`, `Replace` or `Remove`",
        "no two operations differ only by case",
        ("Entra",),
        ENTRA_COMPATIBILITY,
        _lower_case,
    ),
    Quirk(
        "remove-listed",
        "removal",
        "a `remove` operation with a value, which removes only the listed elements",
        "a client that wants to remove all elements sends no value",
        ("Entra", "JumpCloud", "authentik", "Salesforce"),
        ENTRA_COMPATIBILITY,
        _listed_values,
    ),
    Quirk(
        "value-for-element",
        "part",
        'a string at the path `emails[type eq "work"]`, which is stored as the `value` of the element',
        "an element is an object, so the string can only be its `value`; its other sub-attributes stay",
        ("custom templates",),
        ENTRA_TUTORIAL,
        _value_of,
    ),
    Quirk(
        "reference-without-value",
        "clears_whole",
        "an operation that removes or empties `manager.value` or `members[...].value`, which removes the reference",
        "a reference without its `value` refers to nothing",
        ("Entra", "Entra SCIM Validator"),
        "github.com/pranems/SCIMServer docs/MANAGER_PATCH_STRING_COERCION.md",
        _value_of_reference,
    ),
    Quirk(
        "create-element",
        "creates_elements",
        '`add` or `replace` at `emails[type eq "work"].value`, which creates the element if no element matches',
        "the filter describes the new element; members are excluded, because a filter does not describe a new member",
        ("Entra", "Entra SCIM Validator"),
        ENTRA_TUTORIAL,
        _not_references,
    ),
    Quirk(
        "read-only-in-value",
        "read_only",
        "readOnly attributes in the value of an operation without a path, which are ignored",
        "readOnly attributes cannot be changed",
        ("Okta", "authentik"),
        "developer.okta.com/docs/reference/scim/scim-20",
        _in_value_only,
    ),
)
