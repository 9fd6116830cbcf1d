"""Quirks on request: what the RFC says clearly, and a host may want otherwise. No dialect here has them."""

from __future__ import annotations

from typing import Any, Final

from scimkit.dialects.quirks.quirk import NOT_APPLICABLE, Quirk
from scimkit.documents import Document
from scimkit.schema.attributes import Attribute, folded


def _inactive(holder: Document, document: Document) -> Any:
    return True if holder.get("active") is False else NOT_APPLICABLE


def _same_and_inactive(holder: Document, document: Document) -> Any:
    """Report whether the holder is inactive and has both names of the user in the document."""
    if holder.get("active") is not False or not document.get("externalId"):
        return NOT_APPLICABLE
    same_name = folded(holder.get("userName")) == folded(document.get("userName"))
    return True if same_name and holder.get("externalId") == document["externalId"] else NOT_APPLICABLE


SAME_USER_AGAIN: Final = Quirk(
    "same-user-again",
    "conflict",
    "a POST of an inactive user with the same userName and externalId: restored with the same id, 201",
    "both names are those of one user, who is inactive",
    ("Okta",),
    "github.com/better-auth/better-auth/pull/11111",
    _same_and_inactive,
)


def _references(attribute: Attribute) -> Any:
    return True if attribute.keyed else NOT_APPLICABLE


RESTORE_INACTIVE: Final = Quirk(
    "restore-inactive",
    "conflict",
    "a POST of a user who is there and inactive writes that user anew, with the same id: 201",
    "the default is 409, and the inactive user is found by a filter",
    ("Okta",),
    "github.com/better-auth/better-auth/pull/11111",
    _inactive,
)

KEEP_OMITTED_MEMBERS: Final = Quirk(
    "keep-omitted-members",
    "omitted",
    "a PUT of a group without members leaves them; members: [] empties it",
    "the default is that a group without members is empty (RFC 7644 section 3.5.1)",
    ("Entra SCIM reference code",),
    "github.com/AzureAD/SCIMReferenceCode PostmanCollection.json",
    _references,
)

OPTIONS: Final[tuple[Quirk, ...]] = (RESTORE_INACTIVE, KEEP_OMITTED_MEMBERS)
"""Quirks that a host adds to a dialect by itself: `TOLERANT.extended("ours", RESTORE_INACTIVE)`."""
