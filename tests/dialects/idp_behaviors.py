"""The behaviors of identity providers, and what serves each: quirks, or the engine by the RFC itself. Only a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Behavior:
    """One behavior: its row in the client dossier, what is sent, and what takes it.

    `quirks` are the names of quirks; `engine` says what the engine does without any, and by which clause.
    """

    number: int
    summary: str
    quirks: tuple[str, ...] = ()
    engine: str = ""


BEHAVIORS: Final[tuple[Behavior, ...]] = (
    Behavior(1, "op in title case", ("op-case",)),
    Behavior(2, "booleans as text", ("boolean-text", "boolean-text-compared")),
    Behavior(3, 'attr[type eq "x"].sub where there is no such entry', ("create-element", "value-for-element")),
    Behavior(4, 'roles[primary eq "True"]', ("boolean-text-compared", "create-element")),
    Behavior(
        5,
        "dotted and URN:attribute names",
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
    Behavior(6, "manager as text", ("text-for-complex", "wrapped-object")),
    Behavior(7, "manager as an array", ("array-of-one",)),
    Behavior(
        8,
        "manager cleared by an empty value or by manager[value eq]",
        ("empty-reference", "reference-without-value"),
        "remove by a filter on a complex value (RFC 7644 section 3.5.2.2)",
    ),
    Behavior(9, "remove members with a list of values", ("remove-listed", "wrapped-values")),
    Behavior(
        10,
        "members with null or relative $ref, display: null, no type",
        ("reference-by-uri",),
        "a client's $ref is not kept and null is unassigned (RFC 7643 section 2.5); members are told apart by value",
    ),
    Behavior(11, "members as one object or a bare id", ("one-for-many", "text-for-complex", "wrapped-values")),
    Behavior(
        12,
        "readOnly attributes in PUT and PATCH",
        ("read-only-in-value",),
        "ignored in POST and PUT (RFC 7644 sections 3.3 and 3.5.1); an id other than that of the URL is 400",
    ),
    Behavior(
        13,
        "unknown or wrong URNs, in schemas or before names",
        ("other-schemas", "schemas-without-urns", "joined-urn", "joined-urn-path"),
    ),
    Behavior(14, "schemas missing", ("other-schemas", "no-message-schema")),
    Behavior(15, "names in another case", (), "names have no case (RFC 7643 section 2.1)"),
    Behavior(16, "filter values without quotes", ("unquoted-text", "scalar-compared")),
    Behavior(17, "operators in another case", (), "operators have no case (RFC 7644 section 3.4.2.2)"),
    Behavior(18, 'emails[type eq "work"].value eq "x" as a filter', ("narrowed-value-path",)),
    Behavior(
        19,
        "a complex attribute compared directly",
        ("unqualified-path",),
        "compared by its value (RFC 7644 figure 3)",
    ),
    Behavior(
        20, "a trailing &, an empty query, a trailing slash", ("empty-filter",), "empty parts of a URL say nothing"
    ),
    Behavior(
        21,
        "startindex in another case, 0 or less, numbers as text",
        ("parameter-text",),
        "a value below 1 is 1 (RFC 7644 section 3.4.2.4); parameters have no case here",
    ),
    Behavior(22, "a role as JSON in a text", ("json-text",)),
    Behavior(23, "displayName for display", ("displayName-for-display", "displayName-path")),
    Behavior(24, "null and empty arrays", (), "unassigned (RFC 7643 section 2.5)"),
    Behavior(25, "one object for an array", ("one-for-many", "value-alone")),
    Behavior(26, "a password with every request", (), "given to the host's hook or dropped (RFC 7643 section 4.1.1)"),
    Behavior(27, "PUT only", (), "what is not given is cleared, memberships of a user stay (RFC 7644 section 3.5.1)"),
    Behavior(28, "a pathless add of a singular attribute", (), "it replaces the value (RFC 7644 section 3.5.2.1)"),
    Behavior(
        29,
        "unknown attributes and paths",
        ("unknown-attribute", "unknown-attribute-in-patch", "unknown-path"),
    ),
    Behavior(30, "deactivation by PUT", (), "the same event and the same state as by PATCH"),
    Behavior(31, "other members in a PATCH or an operation", ("extra-members",)),
    Behavior(
        32, 'type eq "untyped"', ("create-element",), "canonicalValues of type are published (RFC 7643 section 7)"
    ),
)
"""Every behavior that was seen, by its number in section 14 of the client dossier that the house keeps."""
