"""Quirks of messages: their schemas, members that they do not have, and headers."""

from __future__ import annotations

from typing import Final

from scimkit.dialects.quirks.quirk import ENTRA_POSTMAN, ENTRA_TUTORIAL, Quirk


def accepted(*_: object) -> bool:
    return True


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
