"""Optional quirks: behavior that differs from the clear text of the RFC. No dialect of scimkit includes them."""

from __future__ import annotations

from typing import Any, Final

from scimkit.dialects.quirks.quirk import NOT_APPLICABLE, Quirk
from scimkit.documents import Document
from scimkit.schema.attributes import Attribute, folded


def _inactive(holder: Document, document: Document) -> Any:
    """Report whether the existing resource is inactive."""
    return True if holder.get("active") is False else NOT_APPLICABLE


def _same_and_inactive(holder: Document, document: Document) -> Any:
    """Report whether the existing user is inactive and has the `userName` and `externalId` of the new user."""
    if holder.get("active") is not False or not document.get("externalId"):
        return NOT_APPLICABLE
    same_name = folded(holder.get("userName")) == folded(document.get("userName"))
    return True if same_name and holder.get("externalId") == document["externalId"] else NOT_APPLICABLE


SAME_USER_AGAIN: Final = Quirk(
    "same-user-again",
    "conflict",
    "a POST of an inactive user with the same `userName` and `externalId`, which restores the user: 201, same id",
    "both names identify the same user, and that user is inactive",
    ("Okta",),
    "github.com/better-auth/better-auth/pull/11111",
    _same_and_inactive,
)


def _references(attribute: Attribute) -> Any:
    """Report whether the attribute holds references, as `members` does."""
    return True if attribute.keyed else NOT_APPLICABLE


RESTORE_INACTIVE: Final = Quirk(
    "restore-inactive",
    "conflict",
    "a POST of a user that exists and is inactive replaces that user, keeps the id and returns 201",
    "the default is 409, and the identity provider finds the inactive user by a filter",
    ("Okta",),
    "github.com/better-auth/better-auth/pull/11111",
    _inactive,
)

KEEP_OMITTED_MEMBERS: Final = Quirk(
    "keep-omitted-members",
    "omitted",
    "a PUT of a group without `members` keeps the members; `members: []` removes them",
    "the default is that such a PUT removes all members (RFC 7644 section 3.5.1)",
    ("Entra SCIM reference code",),
    "github.com/AzureAD/SCIMReferenceCode PostmanCollection.json",
    _references,
)

OPTIONS: Final[tuple[Quirk, ...]] = (RESTORE_INACTIVE, KEEP_OMITTED_MEMBERS)
"""Quirks that an application adds to a dialect itself: `TOLERANT.extended("ours", RESTORE_INACTIVE)`."""
