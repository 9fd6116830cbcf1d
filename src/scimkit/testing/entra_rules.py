"""What Microsoft Entra ID expects of an answer, and what it does when it is disappointed.

Every rule takes an exchange and returns None, or one sentence for the admin. This module never sends.
Sources: learn.microsoft.com/entra/identity/app-provisioning/ (use-scim-to-provision-users-and-groups,
how-provisioning-works, application-provisioning-quarantine-status).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scimkit.testing.differences import compared
from scimkit.testing.exchange import Exchange
from scimkit.testing.mapping import ENTERPRISE
from scimkit.testing.remedies import remedy
from scimkit.testing.report import Finding, Rule

LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"

QUARANTINE: Final[Mapping[str, object]] = {
    "at once": "401 or 403 on any request, or 404 on the connection test",
    "failures": 5_000,
    "failing share": 0.40,
    "failures whatever the share": 40_000,
    "failures with references": 60_000,
    "retries after hours": (6, 12, 24),
    "disabled after days": 28,
}
"""When Entra puts a provisioning job in quarantine."""


def probe(exchange: Exchange) -> Finding | str | None:
    """The query for a random value: 200 and an empty list."""
    if exchange.status in (401, 403):
        return f"{exchange.status}: Entra refuses to save the credentials, and quarantines a running job at once."
    if exchange.status == 404:
        return "404 for no match: Entra quarantines the job at once; answer 200 with an empty list."
    reason = matches(exchange)
    if reason is None and exchange.received["totalResults"] != 0:
        return "A random value matched: the filter is not applied, and Entra would link people to others' accounts."
    return reason


def matches(exchange: Exchange) -> Finding | str | None:
    """A match query: 200, and a ListResponse with at most one resource that has an id."""
    if exchange.status != 200:
        return _failed(exchange, "a match query", "200")
    body = exchange.received
    if not exchange.is_scim or not isinstance(body, dict) or LIST not in (body.get("schemas") or ()):
        return "The answer is no ListResponse: Entra reports ServiceIncompatible."
    if type(body.get("totalResults")) is not int or not isinstance(body.get("Resources"), list):
        return "totalResults must be a number and Resources an array: Entra reports ServiceIncompatible."
    if len(body["Resources"]) > 1:
        return "More than one resource matched: Entra reports DuplicateTargetEntries and skips the object."
    if any(not isinstance(each.get("id"), str) for each in body["Resources"]):
        return Finding(
            "A listed resource has no `id`: Entra cannot link the object.",
            "Return `id` in every resource, as a string.",
        )
    return None


def without_members(exchange: Exchange) -> Finding | str | None:
    """`excludedAttributes=members` leaves members out."""
    body = exchange.received if isinstance(exchange.received, dict) else {}
    resources = body.get("Resources", [body])
    if any("members" in each for each in resources):
        return Finding(
            "`members` was returned although excluded: Entra reports MultipleEntriesInResponse on large groups.",
            "Leave `members` out of the response if the request has excludedAttributes=members.",
        )
    return None


def found(id: str) -> Rule:
    """A query finds the resource that Entra knows."""

    def rule(exchange: Exchange) -> Finding | str | None:
        ids = [each.get("id") for each in (exchange.received or {}).get("Resources", ())]
        if ids == [id]:
            return None
        if not ids:
            return "A known object is not found: Entra creates it again and gets 409 for ever. Show inactive users."
        return _other_id()

    return rule


def created(exchange: Exchange) -> Finding | str | None:
    """POST: 201, a body with an id, and a Location."""
    if exchange.status != 201:
        return _failed(exchange, "a create", "201")
    if not isinstance(exchange.received, dict) or not isinstance(exchange.received.get("id"), str):
        return Finding(
            f"The response to POST {exchange.path} has no `id`: Entra cannot link the object.",
            "Return the whole resource, with `id` as a string.",
        )
    if "location" not in exchange.headers:
        return "201 without a Location header, which RFC 7644 section 3.3 asks for."
    return None


def conflict(exchange: Exchange) -> Finding | str | None:
    """POST of somebody who exists: 409."""
    if exchange.status == 409:
        return scim_error(exchange)
    return f"{exchange.status} for a duplicate: without 409 Entra makes the same person twice."


def read(exchange: Exchange) -> Finding | str | None:
    """GET by id: 200 and the resource of that id."""
    if exchange.status != 200:
        return _failed(exchange, "a read by id", "200")
    body = exchange.received
    if not isinstance(body, dict) or body.get("id") != exchange.path.split("?")[0].rsplit("/", 1)[-1]:
        return _other_id()
    manager = (body.get(ENTERPRISE) or {}).get("manager")
    if manager is not None and not (isinstance(manager, dict) and isinstance(manager.get("value"), str)):
        return Finding(
            "`manager` must be an object with a `value`: Entra cannot parse this user.",
            f"Return {ENTERPRISE}:manager as an object whose `value` is the id of the manager.",
        )
    return None


def _other_id() -> Finding:
    return Finding(
        "The `id` changed: Entra reports InvalidAnchor and takes the account for deleted.",
        "Return the same `id` for a resource as long as it exists.",
    )


def patched_user(exchange: Exchange) -> Finding | str | None:
    """PATCH of a user: 200 with the resource, or 204."""
    if exchange.status == 204 and not exchange.size:
        return None
    if exchange.status != 200:
        return _failed(exchange, "an update of a user", "200 with the user, or 204")
    return read(exchange)


def patched_group(exchange: Exchange) -> Finding | str | None:
    """PATCH of a group: 204, or 200 with the resource, never 200 with nothing."""
    if exchange.status == 204 and not exchange.size:
        return None
    if exchange.status == 200 and isinstance(exchange.received, dict) and exchange.received.get("id"):
        return None
    if exchange.status == 200:
        return "200 with an empty body: Entra cannot parse the answer; answer 204, or 200 with the group."
    return _failed(exchange, "an update of a group", "204")


def deleted(exchange: Exchange) -> Finding | str | None:
    """DELETE: 204."""
    return None if exchange.status == 204 else _failed(exchange, "a delete", "204")


def gone(exchange: Exchange) -> Finding | str | None:
    """GET of what was deleted: 404 with a SCIM error."""
    if exchange.status != 404:
        return f"{exchange.status} for a deleted resource: answer 404."
    return scim_error(exchange)


def scim_error(exchange: Exchange) -> Finding | str | None:
    """An error has a SCIM body, with the status as a string."""
    body = exchange.received
    if not isinstance(body, dict) or ERROR not in (body.get("schemas") or ()):
        return f"The {exchange.status} has no SCIM error body: the provisioning log can show no reason."
    if body.get("status") != str(exchange.status):
        return "status in an error body must be a string with the HTTP status."
    return None


def has(attributes: Mapping[str, Any]) -> Rule:
    """The resource has the values that Entra wrote; without them it writes them again every cycle."""
    return lambda exchange: compared(exchange, attributes, effect="Entra writes it again every cycle.")


def members_are(ids: frozenset[str]) -> Rule:
    """The group has just these members."""

    def rule(exchange: Exchange) -> Finding | None:
        there = {each.get("value") for each in (exchange.received or {}).get("members") or ()}
        if there == ids:
            return None
        lost, extra = len(ids - there), len(there - ids)
        return Finding(
            f"The group's members differ: {lost} lost, {extra} too many. Entra does not send them again.",
            "Apply each membership PATCH to what the group has at that moment; remove only the members named.",
            {"members": sorted(ids)},
        )

    return rule


def _failed(exchange: Exchange, what: str, wanted: str) -> Finding:
    if exchange.status == 0:
        return Finding("The server cannot be reached.", "Look at the URL, the network and the certificate.")
    if exchange.status in (401, 403):
        reason = f"{exchange.status}: Entra quarantines the job at once."
        return Finding(reason, "Take the token that the admin gave to Entra, for every request.")
    detail = exchange.received.get("detail") if isinstance(exchange.received, dict) else None
    said = f'The server says: "{detail}"' if detail else "It gives no detail that a log could show."
    return Finding(f"{exchange.status} where {what} wants {wanted}. {said}", remedy(exchange, wanted))
