"""Quirks of whole messages: schemas, unknown members, parameters, endpoints and headers."""

from __future__ import annotations

from typing import Any, Final

from scimkit.dialects.quirks.quirk import ENTRA_COMPATIBILITY, ENTRA_POSTMAN, ENTRA_TUTORIAL, NOT_APPLICABLE, Quirk
from scimkit.dialects.quirks.values import integer_text
from scimkit.schema.attributes import Attribute
from scimkit.schema.deviations import UNASSIGNED


def accepted(*_: object) -> bool:
    """Accept the deviation without a rewrite."""
    return True


def _no_urn(attribute: Attribute, value: object) -> Any:
    """Remove an element of `schemas` that is not a string."""
    return UNASSIGNED if attribute.path == "schemas" and type(value) is not str else NOT_APPLICABLE


def _is_text_json(name: str) -> Any:
    """Accept the media type `text/json`."""
    return True if name == "text/json" else NOT_APPLICABLE


def _parameter_type(name: str, value: object) -> Any:
    """Read `"10"` as a number, or `"userName,emails"` as a list of attributes."""
    if type(value) is not str:
        return NOT_APPLICABLE
    return value if name in ("attributes", "excludedattributes") else integer_text(value)


MESSAGES: Final[tuple[Quirk, ...]] = (
    Quirk(
        "other-schemas",
        "schemas",
        "`schemas` that is missing, or has other URNs than those of the resource type",
        "the endpoint determines the resource type",
        ("Entra", "OneLogin", "authentik", "Okta"),
        ENTRA_TUTORIAL,
        accepted,
    ),
    Quirk(
        "schemas-without-urns",
        "value",
        "`schemas` with elements that are not strings, which are ignored",
        "such an element names no schema",
        ("custom templates",),
        ENTRA_TUTORIAL,
        _no_urn,
    ),
    Quirk(
        "empty-filter",
        "empty_filter",
        "an empty `filter` parameter, which means no filter",
        "an empty filter names no attribute",
        ("custom templates",),
        ENTRA_COMPATIBILITY,
        accepted,
    ),
    Quirk(
        "empty-parameter",
        "empty_parameter",
        "an empty query parameter, such as `startIndex=`, which is ignored",
        "an empty string is not a number and names no attribute",
        ("custom templates",),
        "RFC 7644 section 3.4.2",
        accepted,
    ),
    Quirk(
        "endpoint-case",
        "endpoint",
        "an endpoint in another case, such as `/users`",
        "no two endpoints differ only by case",
        ("Microsoft's test collection",),
        ENTRA_POSTMAN,
        accepted,
    ),
    Quirk(
        "text-json",
        "media_type",
        "a body with the media type `text/json`",
        "`text/json` is an old name of `application/json`",
        (".NET clients",),
        "RFC 7644 section 3.8",
        _is_text_json,
    ),
    Quirk(
        "parameter-text",
        "parameter",
        "in the body of a search or bulk request, a number as a string, or a list of attributes as one string",
        "the query string has the same form",
        ("custom templates",),
        "RFC 7644 section 3.4.3",
        _parameter_type,
    ),
    Quirk(
        "no-message-schema",
        "message",
        "a PATCH without the schema URN of the message",
        "the method determines the message",
        ("BoxyHQ",),
        "github.com/boxyhq/jackson npm/test/dsync/data/user-requests.ts",
        accepted,
    ),
    Quirk(
        "extra-members",
        "extra_member",
        "unknown names in a PATCH body or in an operation, which are ignored",
        "the names have no meaning in a PATCH",
        ("Entra",),
        ENTRA_POSTMAN,
        accepted,
    ),
    Quirk(
        "other-accept",
        "unacceptable",
        "an `Accept` header with neither SCIM nor JSON, which gets a SCIM response",
        "the client may still read the response, and the provisioning log shows more than a 406",
        ("custom templates",),
        "RFC 7644 section 3.8",
        accepted,
    ),
)
