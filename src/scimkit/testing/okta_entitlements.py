"""Rules for the requests of Okta Identity Governance, which discovers roles and entitlements and assigns them.

Source: okta/okta-developer-docs, guides/scim-with-entitlements.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from scimkit.testing import provider_rules as rules
from scimkit.testing.exchange import Exchange
from scimkit.testing.report import Finding, Rule

ROLE: Final = "urn:okta:scim:schemas:core:1.0:Role"
ENTITLEMENT: Final = "urn:okta:scim:schemas:core:1.0:Entitlement"
KNOWN: Final = frozenset(
    {
        ROLE,
        ENTITLEMENT,
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:core:2.0:Group",
    }
)
"""The schemas that Okta knows. It reads all others from `/Schemas`."""


def offered_types(exchange: Exchange) -> Finding | None:
    """Check that `/ResourceTypes` has a resource type whose schema is a role or an entitlement of Okta."""
    found = rules.listed(exchange)
    if found is None and not types_of(exchange.received):
        return Finding(
            "No resource type has a schema of Okta, so Okta finds no roles and no entitlements.",
            f"Give the resource type of your roles the schema {ROLE}, and that of your entitlements {ENTITLEMENT}.",
        )
    return found


def types_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the resource types of roles and entitlements."""
    return [each for each in body.get("Resources", ()) if each.get("schema") in (ROLE, ENTITLEMENT)]


def unknown_extensions(types: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the URNs of the extensions that Okta must read from `/Schemas`."""
    return {each["schema"] for one in types for each in one.get("schemaExtensions") or ()} - KNOWN


def schemas(urns: Collection[str]) -> Rule:
    """Return a rule which checks that `/Schemas` has the extensions of the resource types."""

    def rule(exchange: Exchange) -> Finding | None:
        found = rules.listed(exchange)
        missing = set(urns) - {each["id"] for each in exchange.received["Resources"]} if found is None else None
        if missing:
            return Finding(
                f"/Schemas has no schema {sorted(missing)[0]}, so Okta does not know its attributes.",
                "Return a Schema document for each extension of a resource type.",
                {"schemas": sorted(urns)},
            )
        return found

    return rule


def offers(paging: rules.Paging, schema: str) -> Callable[[Exchange], Finding | None]:
    """Return a rule which checks that each resource on a page has its schema, a name, and a type if Okta needs it."""
    needed = ("displayName",) if schema == ROLE else ("displayName", "type")

    def rule(exchange: Exchange) -> Finding | None:
        found = paging(exchange)
        if found is not None:
            return found
        for each in exchange.received.get("Resources", ()):
            missing = [name for name in needed if not isinstance(each.get(name), str)]
            if schema not in (each.get("schemas") or ()):
                return Finding(
                    "A resource has another schema than its resource type.", f"Return {schema} in its `schemas`."
                )
            if missing:
                return Finding(
                    f"A resource has no `{missing[0]}`, so Okta cannot show it.",
                    f"Return {' and '.join(f'`{name}`' for name in needed)} in each resource.",
                )
        return None

    return rule


def assigned(values: Mapping[str, Collection[str]]) -> Rule:
    """Return a rule which checks that a user has exactly these values, by attribute."""

    def rule(exchange: Exchange) -> Finding | None:
        for name, wanted in values.items():
            there = [each.get("value") for each in (exchange.received or {}).get(name) or ()]
            if sorted(there, key=str) != sorted(wanted):
                return Finding(
                    f"The user has other `{name}` than Okta assigned.",
                    f"Store each element of `{name}` with its `value`, and return it.",
                    {name: sorted(wanted)},
                )
        return None

    return rule
