"""The fields of identity providers into which an administrator copies the SCIM endpoint and the token.

The names are those of the pages of each identity provider, so they are not translated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Content: TypeAlias = Literal["endpoint", "token", "token_endpoint", "client_id", "client_secret"]


@dataclass(frozen=True, slots=True)
class Guide:
    """The way to connect one identity provider."""

    key: str
    """The key of its words: `guide.KEY.steps.N`."""
    name: str
    """The name of the identity provider."""
    place: str
    """The page of the identity provider that has the fields."""
    fields: tuple[tuple[str, Content | str], ...]
    """The fields, each with the name of a value or the text to enter."""


GUIDES: Final = (
    Guide(
        "entra", "Microsoft Entra ID", "Enterprise applications > your application > Provisioning > Get started",
        (("Provisioning Mode", "Automatic"), ("Tenant URL", "endpoint"), ("Secret Token", "token")),
    ),
    Guide(
        "okta", "Okta", "Applications > your application > Provisioning > Integration > Edit",
        (
            ("SCIM connector base URL", "endpoint"), ("Unique identifier field for users", "userName"),
            ("Authentication Mode", "HTTP Header"), ("Authorization: Bearer", "token"),
        ),
    ),
    Guide(
        "onelogin", "OneLogin", "Applications > your application > Configuration > API Connection",
        (("SCIM Base URL", "endpoint"), ("SCIM Bearer Token", "token")),
    ),
    Guide(
        "jumpcloud", "JumpCloud", "SSO Applications > your application > Identity Management",
        (("API Type", "SCIM API"), ("SCIM Version", "SCIM 2.0"), ("Base URL", "endpoint"), ("Token Key", "token")),
    ),
    Guide(
        "ping", "PingOne", "Integrations > Provisioning > New Connection > SCIM Outbound",
        (
            ("SCIM base URL", "endpoint"), ("SCIM Version", "2.0"),
            ("Authentication method", "OAuth 2 Bearer Token"), ("OAuth Access Token", "token"),
            ("Auth Type Header", "Bearer"),
        ),
    ),
    Guide("other", "", "", (("SCIM base URL", "endpoint"), ("Bearer token", "token"))),
)  # fmt: skip
"""The guides, in the order in which they are offered."""
CLIENT_GUIDES: Final = (
    Guide(
        "entra_client", "Microsoft Entra ID", "Enterprise applications > your application > Provisioning",
        (
            ("Authentication method", "OAuth2 client credentials grant"), ("Tenant URL", "endpoint"),
            ("Token Endpoint", "token_endpoint"), ("Client Identifier", "client_id"),
            ("Client Secret", "client_secret"),
        ),
    ),
    Guide(
        "entra_federation", "Microsoft Entra ID with workload identity federation",
        "Enterprise applications > your application > Connectivity",
        (
            ("Authentication method", "Workload Identity Federation"), ("Client ID", "client_id"),
            ("Token URL", "token_endpoint"), ("SCIM URL", "endpoint"),
        ),
    ),
    Guide(
        "other_client", "", "",
        (
            ("SCIM base URL", "endpoint"), ("Token URL", "token_endpoint"), ("Client id", "client_id"),
            ("Client secret", "client_secret"),
        ),
    ),
)  # fmt: skip
"""The guides for OAuth clients."""
