"""The behaviors of identity providers, each with the quirks or the rule of the engine that handle it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Behavior:
    """A behavior of identity providers.

    Attributes:
        number: Its row in the project's notes on identity providers.
        summary: The request that the identity provider sends.
        quirks: The names of the quirks that handle the request.
        engine: The way in which the engine handles the request without a quirk, with the section of the RFC.
    """

    number: int
    summary: str
    quirks: tuple[str, ...] = ()
    engine: str = ""


BEHAVIORS: Final[tuple[Behavior, ...]] = (
    Behavior(1, "`op` in title case", ("op-case",)),
    Behavior(2, "booleans as strings", ("boolean-text", "boolean-text-compared")),
    Behavior(3, '`attr[type eq "x"].sub` where no element matches', ("create-element", "value-for-element")),
    Behavior(4, '`roles[primary eq "True"]` as a path', ("boolean-text-compared", "create-element")),
    Behavior(
        5,
        "names with a dot, and names such as `URN:attribute`",
        (
            "path-as-name",
            "path-as-name-in-patch",
            "element-as-name",
            "dot-after-urn",
            "dot-after-urn-filtered",
            "slashes",
            "resource-as-path",
            "extension-attribute",
            "extension-attribute-in-patch",
            "unqualified-path",
        ),
    ),
    Behavior(6, "`manager` as a string", ("text-for-complex", "wrapped-object")),
    Behavior(7, "`manager` as an array", ("array-of-one",)),
    Behavior(
        8,
        "`manager` cleared by an empty value or by a path such as `manager[value eq ...]`",
        ("empty-reference", "reference-without-value"),
        "a filter can select a complex value to remove (RFC 7644 section 3.5.2.2)",
    ),
    Behavior(9, "`remove` of members with a list of values", ("remove-listed", "wrapped-values")),
    Behavior(
        10,
        "members with a null or relative `$ref`, with `display: null`, or without `type`",
        ("reference-by-uri",),
        "`$ref` of a client is not stored; null means unassigned (RFC 7643 section 2.5); `value` identifies a member",
    ),
    Behavior(11, "`members` as one object or as an id", ("one-for-many", "text-for-complex", "wrapped-values")),
    Behavior(
        12,
        "readOnly attributes in PUT and PATCH",
        ("read-only-in-value",),
        "ignored in POST and PUT (RFC 7644 sections 3.3 and 3.5.1); an id that is not the id in the URL gets 400",
    ),
    Behavior(
        13,
        "unknown or wrong URNs, in `schemas` or before names",
        ("other-schemas", "schemas-without-urns", "joined-urn", "joined-urn-path"),
    ),
    Behavior(14, "a missing `schemas`", ("other-schemas", "no-message-schema")),
    Behavior(15, "names in another case", (), "attribute names are case-insensitive (RFC 7643 section 2.1)"),
    Behavior(16, "filter values without quotes", ("unquoted-text", "scalar-compared")),
    Behavior(17, "operators in another case", (), "operators are case-insensitive (RFC 7644 section 3.4.2.2)"),
    Behavior(18, '`emails[type eq "work"].value eq "x"` as a filter', ("narrowed-value-path",)),
    Behavior(
        19,
        "a filter that compares a complex attribute",
        ("unqualified-path",),
        "the filter compares the sub-attribute `value` (RFC 7644 figure 3)",
    ),
    Behavior(
        20, "a trailing `&`, an empty query, a trailing slash", ("empty-filter",), "empty parts of a URL are ignored"
    ),
    Behavior(
        21,
        "`startIndex` in another case, `startIndex` below 1, numbers as strings",
        ("parameter-text",),
        "a value below 1 counts as 1 (RFC 7644 section 3.4.2.4), and parameter names are case-insensitive",
    ),
    Behavior(22, "a role as JSON in a string", ("json-text",)),
    Behavior(23, "`displayName` instead of `display`", ("displayName-for-display", "displayName-path")),
    Behavior(24, "null and empty arrays", (), "null and an empty array mean unassigned (RFC 7643 section 2.5)"),
    Behavior(25, "one object instead of an array", ("one-for-many", "value-alone")),
    Behavior(
        26,
        "a password in every request",
        (),
        "the password is passed to the `set_password` hook, or dropped (RFC 7643 section 4.1.1)",
    ),
    Behavior(
        27,
        "updates by PUT only",
        (),
        "attributes that are absent are cleared, and group memberships of a user stay (RFC 7644 section 3.5.1)",
    ),
    Behavior(
        28,
        "`add` of a singular attribute without a path",
        (),
        "`add` replaces the value of a singular attribute (RFC 7644 section 3.5.2.1)",
    ),
    Behavior(
        29,
        "unknown attributes and paths",
        ("unknown-attribute", "unknown-attribute-in-patch", "unknown-path"),
    ),
    Behavior(30, "deactivation by PUT", (), "event and state are the same as for a PATCH"),
    Behavior(31, "unknown names in a PATCH or an operation", ("extra-members",)),
    Behavior(
        32,
        '`type eq "untyped"` in a path',
        ("create-element",),
        "the schema announces the canonicalValues of `type` (RFC 7643 section 7)",
    ),
)
"""Every behavior that was observed, by its number in section 14 of the project's notes on identity providers."""
