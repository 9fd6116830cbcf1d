"""The fields of identity providers into which an administrator copies the SCIM endpoint and the token.

The names are those of the pages of each identity provider, so they are not translated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Content: TypeAlias = Literal["endpoint", "token"]


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
    """The fields, each with `endpoint`, `token` or the text to enter."""


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
