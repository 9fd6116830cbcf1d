"""Quirks of messages: their schemas, members that they do not have, and headers."""

from __future__ import annotations

from typing import Any, Final

from scimkit.dialects.quirks.quirk import ENTRA_COMPATIBILITY, ENTRA_POSTMAN, ENTRA_TUTORIAL, NOT_APPLICABLE, Quirk
from scimkit.dialects.quirks.values import integer_text
from scimkit.schema.attributes import Attribute
from scimkit.schema.deviations import UNASSIGNED


def accepted(*_: object) -> bool:
    return True


def _no_urn(attribute: Attribute, value: object) -> Any:
    return UNASSIGNED if attribute.path == "schemas" and type(value) is not str else NOT_APPLICABLE


def _is_text_json(name: str) -> Any:
    return True if name == "text/json" else NOT_APPLICABLE


def _parameter_type(name: str, value: object) -> Any:
    """`"10"` for a number, `"userName,emails"` for a list of attributes."""
    if type(value) is not str:
        return NOT_APPLICABLE
    return value if name in ("attributes", "excludedattributes") else integer_text(value)


MESSAGES: Final[tuple[Quirk, ...]] = (
    Quirk(
        "other-schemas",
        "schemas",
        "schemas missing, or with other URNs than those of the resource type",
        "the endpoint already says which type it is",
        ("Entra", "OneLogin", "authentik", "Okta"),
        ENTRA_TUTORIAL,
        accepted,
    ),
    Quirk(
        "schemas-without-urns",
        "value",
        "schemas with something other than URNs in it",
        "it names no schema",
        ("hosts' templates",),
        ENTRA_TUTORIAL,
        _no_urn,
    ),
    Quirk(
        "empty-filter",
        "empty_filter",
        "filter= with nothing after it is no filter",
        "an empty text says nothing of any attribute",
        ("hosts' templates",),
        ENTRA_COMPATIBILITY,
        accepted,
    ),
    Quirk(
        "empty-parameter",
        "empty_parameter",
        "a query parameter with nothing after it, as startIndex=, is left out",
        "an empty text is no number and no attribute",
        ("hosts' templates",),
        "RFC 7644 section 3.4.2",
        accepted,
    ),
    Quirk(
        "endpoint-case",
        "endpoint",
        "an endpoint in another case, as /users",
        "no endpoint differs from another by case",
        ("Microsoft's test collection",),
        ENTRA_POSTMAN,
        accepted,
    ),
    Quirk(
        "text-json",
        "media_type",
        "a body of the media type text/json",
        "it is an old name of application/json",
        (".NET clients",),
        "RFC 7644 section 3.8",
        _is_text_json,
    ),
    Quirk(
        "parameter-text",
        "parameter",
        "a number as text, or a list of attributes as one text, in the body of a search or a bulk",
        "it is what the query string has",
        ("hosts' templates",),
        "RFC 7644 section 3.4.3",
        _parameter_type,
    ),
    Quirk(
        "no-message-schema",
        "message",
        "a PATCH without the schema of its message",
        "the method already says what it is",
        ("BoxyHQ",),
        "github.com/boxyhq/jackson npm/test/dsync/data/user-requests.ts",
        accepted,
    ),
    Quirk(
        "extra-members",
        "extra_member",
        "other names in a PATCH or an operation are passed over",
        "they have no meaning",
        ("Entra",),
        ENTRA_POSTMAN,
        accepted,
    ),
    Quirk(
        "other-accept",
        "unacceptable",
        "an Accept header with neither SCIM nor JSON in it is answered with SCIM",
        "the client may still read it, and a provisioning log shows more than 406 would",
        ("hosts' templates",),
        "RFC 7644 section 3.8",
        accepted,
    ),
)
