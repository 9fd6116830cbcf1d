"""Quirks of filters: text without quotes, values of another type, a value path that goes on."""

from __future__ import annotations

from typing import Any, Final

from scimkit.dialects.quirks.messages import accepted
from scimkit.dialects.quirks.quirk import ENTRA_ATTRIBUTES, ENTRA_COMPATIBILITY, ENTRA_TUTORIAL, NOT_MINE, Quirk
from scimkit.dialects.quirks.values import boolean_text, number_text, scalar_as_text
from scimkit.filters.ast import Value
from scimkit.schema.attributes import Attribute


def _word(word: str) -> str:
    return word


def _dotted_urn(text: str) -> Any:
    """`urn:...:User.manager.value`: the quirks of paths know what it names."""
    return text if text.lower().startswith("urn:") else NOT_MINE


def _compared_boolean(attribute: Attribute, value: Value) -> Any:
    return boolean_text(attribute, value)


def _compared_scalar(attribute: Attribute, value: Value) -> Any:
    if type(value) is str:
        return number_text(attribute, value)
    return scalar_as_text(attribute, value)


FILTERS: Final[tuple[Quirk, ...]] = (
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
