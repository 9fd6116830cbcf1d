"""Requests of identity providers that have no simulator, as their documentation or source code shows them.

`USER_ID` and `GROUP_ID` stand for the ids of the user and the group that the requests create. The sources are named on
the pages in docs/connect/.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from scimkit.testing.directory import key_of
from scimkit.testing.mapping import GROUP, PATCH_OP, USER

USER_CREATED: Final[dict[str, Any]] = {"schemas": [USER], "userName": "ada.king@example.org", "active": True}
"""A user that exists before the first request, for identity providers whose POST of a user is unknown."""


@dataclass(frozen=True, slots=True)
class DocumentedStep:
    """A step of an administrator, with the requests that follow: method, path and body."""

    title: str
    requests: tuple[tuple[str, str, dict[str, Any] | None], ...]


def _patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


_KEYCLOAK_USER: Final[dict[str, Any]] = {
    "schemas": [USER],
    "externalId": key_of("ada"),
    "userName": "ada.king",
    "displayName": "Ada King",
    "name": {"givenName": "Ada", "familyName": "King"},
    "emails": [{"value": "ada@example.org"}],
    "active": True,
    "roles": [{"value": "agent"}],
}
_KEYCLOAK_GROUP: Final[dict[str, Any]] = {
    "schemas": [GROUP],
    "externalId": key_of("team/tier1"),
    "displayName": "Support Tier 1",
    "members": [{"value": "USER_ID", "$ref": "Users/USER_ID"}],
}
_SCHEMA: Final = f"/Schemas/{USER}"

DOCUMENTED: Final[dict[str, tuple[DocumentedStep, ...]]] = {
    "keycloak": (
        DocumentedStep("Create Ada King", (("POST", "/Users", _KEYCLOAK_USER),)),
        DocumentedStep("Create the group with Ada as a member", (("POST", "/Groups", _KEYCLOAK_GROUP),)),
        DocumentedStep(
            "Disable Ada King (PUT, the default)",
            (("PUT", "/Users/USER_ID", {**_KEYCLOAK_USER, "id": "USER_ID", "active": False}),),
        ),
        DocumentedStep(
            "Enable Ada King again (PATCH, if it is switched on)",
            (("PATCH", "/Users/USER_ID", _patch({"op": "replace", "path": "active", "value": "true"})),),
        ),
        DocumentedStep(
            "Remove the last member of the group",
            (("PATCH", "/Groups/GROUP_ID", _patch({"op": "remove", "path": "members", "value": None})),),
        ),
    ),
    "rippling": (
        DocumentedStep(
            "Create the group, then add a member",
            (
                ("POST", "/Groups", {"schemas": [GROUP], "displayName": "Support Tier 1", "members": []}),
                (
                    "PATCH",
                    "/Groups/GROUP_ID",
                    _patch({"op": "add", "path": "members", "value": [{"value": "USER_ID"}]}),
                ),
            ),
        ),
        DocumentedStep(
            "Remove the member",
            (("PATCH", "/Groups/GROUP_ID", _patch({"op": "remove", "path": 'members[value eq "USER_ID"]'})),),
        ),
    ),
    "cyberark": (
        DocumentedStep(
            "Requests that the service must answer before a user is provisioned",
            (
                ("GET", "/ServiceProviderConfig", None),
                ("GET", "/ResourceTypes/User", None),
                ("GET", "/ResourceTypes/Group", None),
                ("GET", _SCHEMA, None),
                ("GET", "/Users?count=1", None),
                ("GET", "/Users?filter=userName%20eq%20%22ada.king%40example.org%22", None),
                ("GET", "/Users/USER_ID", None),
                ("GET", "/Groups", None),
            ),
        ),
    ),
}
"""The steps of each identity provider without a simulator, by the name of its transcript."""
EXISTING_USER: Final = frozenset({"rippling", "cyberark"})
"""The transcripts for which `USER_CREATED` exists before the first step."""
