"""Guess the identity provider from the `User-Agent` header. A guess is only shown to people; it decides nothing.

Source of the names: `shared/idp/dossier.md` and the documentation of the identity providers.
"""

from __future__ import annotations

from typing import Final

_NAMES: Final = (
    ("okta", "Okta"),
    ("azure", "Microsoft Entra ID"),
    ("microsoft", "Microsoft Entra ID"),
    ("entra", "Microsoft Entra ID"),
    ("onelogin", "OneLogin"),
    ("jumpcloud", "JumpCloud"),
    ("pingfederate", "PingFederate"),
    ("pingone", "PingOne"),
    ("sailpoint", "SailPoint"),
    ("authentik", "authentik"),
    ("keycloak", "Keycloak"),
    ("rippling", "Rippling"),
    ("cyberark", "CyberArk"),
    ("google", "Google Workspace"),
)

MAX_USER_AGENT: Final = 200
"""The largest number of characters of a `User-Agent` header in the log."""


def guessed_provider(user_agent: str) -> str:
    """Return the name of the identity provider that a `User-Agent` header names, or an empty text."""
    lowered = user_agent.lower()
    return next((name for part, name in _NAMES if part in lowered), "")
