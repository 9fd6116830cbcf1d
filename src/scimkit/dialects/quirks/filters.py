"""Quirks of filters: text without quotes, values of another type, a value path that goes on."""

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
    """Read a word as text. A null in another case, or a word with quotation marks around it, is none."""
    if word.lower() == "null" or word[0] in _QUOTATION_MARKS or word[-1] in _QUOTATION_MARKS:
        return NOT_APPLICABLE
    return word


def _dotted_urn(text: str) -> Any:
    """`urn:...:User.manager.value`: the quirks of paths know what it names."""
    return text if text.lower().startswith("urn:") else NOT_APPLICABLE


def _compared_boolean(attribute: Attribute, value: Value) -> Any:
    return boolean_text(attribute, value)


def _start_of_day(attribute: Attribute, value: Value) -> Any:
    if attribute.type == "dateTime" and type(value) is str and _DATE.fullmatch(value):
        return f"{value}T00:00:00Z"
    return NOT_APPLICABLE


def _marked_deleted(old: str, new: str) -> Any:
    return True if len(new) == len(old) + 32 and _OBJECT_ID.match(new) and new[32:] == old else NOT_APPLICABLE


def _looked_up_by_mark(node: Comparison, resource_type: ResourceType) -> Any:
    """Find the inactive user whose name is marked in the filter, besides a user who has such a name."""
    path = resource_type.resolve(node.path)
    found = path is not None and path.text in ("userName", "emails.value") and _OBJECT_ID.match(str(node.value))
    if not found or resource_type.resolve("active") is None:
        return NOT_APPLICABLE
    unmarked = Comparison(node.path, "eq", str(node.value)[32:])
    return Or((node, And((unmarked, Comparison("active", "eq", False)))))


def _compared_scalar(attribute: Attribute, value: Value) -> Any:
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
        "a date without a time, compared with a date and time",
        "it is the start of that day in UTC",
        ("hosts' templates",),
        "RFC 7643 section 2.3.5",
        _start_of_day,
    ),
    Quirk(
        "single-quotes",
        "single_quoted",
        "a text in a filter in single quotes",
        "no value begins with a quotation mark otherwise",
        ("hosts' templates",),
        "RFC 7644 section 3.4.2.2",
        accepted,
    ),
    Quirk(
        "soft-delete-name",
        "marked_deleted",
        "a soft delete that puts the object id before the user name: the name stays",
        "it is 32 hexadecimal digits and the present value, of a user who is inactive",
        ("Entra",),
        _SOFT_DELETE,
        _marked_deleted,
    ),
    Quirk(
        "soft-delete-looked-up",
        "looked_up",
        "a look-up by a user name with the object id before it",
        "it finds nobody otherwise, and only an inactive user",
        ("Entra",),
        _SOFT_DELETE,
        _looked_up_by_mark,
    ),
    Quirk(
        "boolean-text-compared",
        "compared",
        'a boolean compared with text, as in roles[primary eq "True"]',
        "only true and false in any case are taken",
        ("Entra",),
        ENTRA_ATTRIBUTES,
        _compared_boolean,
    ),
    Quirk(
        "unquoted-text",
        "bare_value",
        "a text in a filter without quotes",
        "it is no number, boolean or null",
        ("Entra", "PingFederate", "authentik", "WSO2"),
        ENTRA_TUTORIAL,
        _word,
    ),
    Quirk(
        "dot-after-urn-filtered",
        "attribute_path",
        "a dot between a URN and the attribute, in a filter",
        "no attribute has that name",
        ("Entra before 2018",),
        ENTRA_COMPATIBILITY,
        _dotted_urn,
    ),
    Quirk(
        "narrowed-value-path",
        "narrowed_value_path",
        'emails[type eq "work"].value eq "x" as a filter',
        "one element must meet both",
        ("Entra",),
        ENTRA_TUTORIAL,
        accepted,
    ),
    Quirk(
        "scalar-compared",
        "compared",
        "a text compared with a number without quotes, or the reverse",
        "the attribute's type decides",
        ("Entra",),
        ENTRA_TUTORIAL,
        _compared_scalar,
    ),
)
