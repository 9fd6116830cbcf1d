"""Quirks of filters: strings without quotes, values of another type, and paths after a value path."""

from __future__ import annotations

import re
from typing import Any, Final

from scimkit.dialects.quirks.messages import accepted
from scimkit.dialects.quirks.quirk import ENTRA_ATTRIBUTES, ENTRA_COMPATIBILITY, ENTRA_TUTORIAL, NOT_APPLICABLE, Quirk
from scimkit.dialects.quirks.values import boolean_text, number_text, scalar_as_text
from scimkit.filters.ast import And, Comparison, Or, Value
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType


def _word(word: str) -> Any:
    """Read an unquoted word as a string, unless it is null in another case or has quotation marks around it."""
    if word.lower() == "null" or word[0] in _QUOTATION_MARKS or word[-1] in _QUOTATION_MARKS:
        return NOT_APPLICABLE
    return word


def _dotted_urn(text: str) -> Any:
    """Accept an attribute path such as `urn:...:User.manager.value`. The quirks of paths resolve it later."""
    return text if text.lower().startswith("urn:") else NOT_APPLICABLE


def _compared_boolean(attribute: Attribute, value: Value) -> Any:
    """Read a compared string as a boolean."""
    return boolean_text(attribute, value)


def _start_of_day(attribute: Attribute, value: Value) -> Any:
    """Read a compared date as the start of that day in UTC."""
    if attribute.type == "dateTime" and type(value) is str and _DATE.fullmatch(value):
        return f"{value}T00:00:00Z"
    return NOT_APPLICABLE


def _marked_deleted(old: str, new: str) -> Any:
    """Report whether the new name is an object id followed by the stored name."""
    return True if len(new) == len(old) + 32 and _OBJECT_ID.match(new) and new[32:] == old else NOT_APPLICABLE


def _looked_up_by_mark(node: Comparison, resource_type: ResourceType) -> Any:
    """Extend a filter on a marked name, so that it also finds the inactive user with the unmarked name."""
    path = resource_type.resolve(node.path)
    found = path is not None and path.text in ("userName", "emails.value") and _OBJECT_ID.match(str(node.value))
    if not found or resource_type.resolve("active") is None:
        return NOT_APPLICABLE
    unmarked = Comparison(node.path, "eq", str(node.value)[32:])
    return Or((node, And((unmarked, Comparison("active", "eq", False)))))


def _compared_scalar(attribute: Attribute, value: Value) -> Any:
    """Convert a compared value to the type of the attribute."""
    if type(value) is str:
        return number_text(attribute, value)
    return scalar_as_text(attribute, value)


_QUOTATION_MARKS: Final = "'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OBJECT_ID: Final = re.compile(r"[0-9a-fA-F]{32}(?=.)")
_SOFT_DELETE: Final = "github.com/onyx-dot-app/onyx/issues/14074"

FILTERS: Final[tuple[Quirk, ...]] = (
    Quirk(
        "date-compared",
        "compared",
        "a date without a time in a filter on a dateTime attribute",
        "the date stands for the start of that day in UTC",
        ("custom templates",),
        "RFC 7643 section 2.3.5",
        _start_of_day,
    ),
    Quirk(
        "single-quotes",
        "single_quoted",
        "a string in single quotes in a filter",
        "no other value begins with a quotation mark",
        ("custom templates",),
        "RFC 7644 section 3.4.2.2",
        accepted,
    ),
    Quirk(
        "soft-delete-name",
        "marked_deleted",
        "a soft delete that puts the object id before the user name; the stored user name stays",
        "the new name is 32 hexadecimal digits followed by the stored name, and the user becomes inactive",
        ("Entra",),
        _SOFT_DELETE,
        _marked_deleted,
    ),
    Quirk(
        "soft-delete-looked-up",
        "looked_up",
        "a filter on a user name with the object id before it, which also finds the inactive user without it",
        "only an inactive user is found in addition",
        ("Entra",),
        _SOFT_DELETE,
        _looked_up_by_mark,
    ),
    Quirk(
        "boolean-text-compared",
        "compared",
        'a boolean compared with a string, such as `roles[primary eq "True"]`',
        "only `true` and `false`, in any case, are accepted",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _compared_boolean,
    ),
    Quirk(
        "unquoted-text",
        "bare_value",
        "a string without quotes in a filter",
        "the text is not a number, a boolean or null",
        ("Entra", "PingFederate", "authentik", "WSO2"),
        ENTRA_TUTORIAL,
        _word,
    ),
    Quirk(
        "dot-after-urn-filtered",
        "attribute_path",
        "a dot between a URN and the attribute in a filter",
        "no attribute has that name",
        ("Entra before 2018",),
        ENTRA_COMPATIBILITY,
        _dotted_urn,
    ),
    Quirk(
        "narrowed-value-path",
        "narrowed_value_path",
        '`emails[type eq "work"].value eq "x"` as a filter',
        "the only meaning is that one element satisfies both conditions",
        ("Entra",),
        ENTRA_TUTORIAL,
        accepted,
    ),
    Quirk(
        "scalar-compared",
        "compared",
        "a string attribute compared with an unquoted number, or a number attribute with a string",
        "the type of the attribute determines the type of the value",
        ("Entra",),
        ENTRA_TUTORIAL,
        _compared_scalar,
    ),
)
