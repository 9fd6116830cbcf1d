"""The responses that Microsoft Entra ID expects, and the consequences of other responses.

A rule takes an exchange. It returns None, a finding, or a sentence for the administrator. This module sends no
requests. Sources: learn.microsoft.com/entra/identity/app-provisioning/ (use-scim-to-provision-users-and-groups,
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
"""The conditions under which Entra puts a provisioning job in quarantine."""


def probe(exchange: Exchange) -> Finding | str | None:
    """Check that a query for a random userName gets 200 and an empty list."""
    if exchange.status in (401, 403):
        return (
            f"The service refused the token with {exchange.status}. "
            "Entra does not save such credentials, and quarantines a running job at once."
        )
    if exchange.status == 404:
        return (
            "A query without a match got 404, so Entra quarantines the job at once. Respond with 200 and an empty list."
        )
    reason = matches(exchange)
    if reason is None and exchange.received["totalResults"] != 0:
        return "A random userName matched. Apply the filter, or Entra links users to the wrong accounts."
    return reason


def matches(exchange: Exchange) -> Finding | str | None:
    """Check that a match query gets 200 and a ListResponse with at most one resource, which has an `id`."""
    if exchange.status != 200:
        return _failed(exchange, "a match query", "200")
    body = exchange.received
    if not exchange.is_scim or not isinstance(body, dict) or LIST not in (body.get("schemas") or ()):
        return "The response must be a ListResponse. Entra reports ServiceIncompatible."
    if type(body.get("totalResults")) is not int or not isinstance(body.get("Resources"), list):
        return "totalResults must be an integer, and Resources must be an array. Entra reports ServiceIncompatible."
    if len(body["Resources"]) > 1:
        return "More than one resource matched. Entra reports DuplicateTargetEntries and skips the resource."
    if any(not isinstance(each.get("id"), str) for each in body["Resources"]):
        return Finding(
            "A listed resource has no `id`, so Entra cannot link it.",
            "Return `id` in every resource, as a string.",
        )
    return None


def without_members(exchange: Exchange) -> Finding | str | None:
    """Check that the response to a request with `excludedAttributes=members` has no `members`."""
    body = exchange.received if isinstance(exchange.received, dict) else {}
    resources = body.get("Resources", [body])
    if any("members" in each for each in resources):
        return Finding(
            "The response has `members`, which the request excluded. "
            "Entra reports MultipleEntriesInResponse for large groups.",
            "Leave `members` out of the response if the request has excludedAttributes=members.",
        )
    return None


def found(id: str) -> Rule:
    """Return a rule which checks that a query finds the resource with this id."""

    def rule(exchange: Exchange) -> Finding | str | None:
        ids = [each.get("id") for each in (exchange.received or {}).get("Resources", ())]
        if ids == [id]:
            return None
        if not ids:
            return (
                "The query does not find an existing resource. Entra tries to create it in every cycle and gets 409. "
                "Return inactive users too."
            )
        return _other_id()

    return rule


def created(exchange: Exchange) -> Finding | str | None:
    """Check that a POST gets 201, a body with `id`, and a Location header."""
    if exchange.status != 201:
        return _failed(exchange, "a create", "201")
    if not isinstance(exchange.received, dict) or not isinstance(exchange.received.get("id"), str):
        return Finding(
            f"The response to POST {exchange.path} has no `id`, so Entra cannot link the resource.",
            "Return the complete resource, with `id` as a string.",
        )
    if "location" not in exchange.headers:
        return "The 201 response has no Location header. Add the header (RFC 7644 section 3.3)."
    return None


def conflict(exchange: Exchange) -> Finding | str | None:
    """Check that a POST of a user that exists gets 409."""
    if exchange.status == 409:
        return scim_error(exchange)
    return f"A duplicate got {exchange.status}. Respond with 409, or Entra creates the same user twice."


def read(exchange: Exchange) -> Finding | str | None:
    """Check that a GET by id gets 200 and the resource with that `id`."""
    if exchange.status != 200:
        return _failed(exchange, "a read by id", "200")
    body = exchange.received
    if not isinstance(body, dict) or body.get("id") != exchange.path.split("?")[0].rsplit("/", 1)[-1]:
        return _other_id()
    manager = (body.get(ENTERPRISE) or {}).get("manager")
    if manager is not None and not (isinstance(manager, dict) and isinstance(manager.get("value"), str)):
        return Finding(
            "`manager` is not an object with a `value`, so Entra cannot parse the user.",
            f"Return {ENTERPRISE}:manager as an object whose `value` is the id of the manager.",
        )
    return None


def _other_id() -> Finding:
    return Finding(
        "The `id` of the resource changed. Entra reports InvalidAnchor and takes the account for deleted.",
        "Return the same `id` for a resource as long as the resource exists.",
    )


def patched_user(exchange: Exchange) -> Finding | str | None:
    """Check that a PATCH of a user gets 200 with the user, or 204."""
    if exchange.status == 204 and not exchange.size:
        return None
    if exchange.status != 200:
        return _failed(exchange, "an update of a user", "200 with the user, or 204")
    return read(exchange)


def patched_group(exchange: Exchange) -> Finding | str | None:
    """Check that a PATCH of a group gets 204, or 200 with the group, but never 200 with an empty body."""
    if exchange.status == 204 and not exchange.size:
        return None
    if exchange.status == 200 and isinstance(exchange.received, dict) and exchange.received.get("id"):
        return None
    if exchange.status == 200:
        return (
            "The response has the status 200 and an empty body, which Entra cannot parse. "
            "Respond with 204, or with 200 and the group."
        )
    return _failed(exchange, "an update of a group", "204")


def deleted(exchange: Exchange) -> Finding | str | None:
    """Check that a DELETE gets 204."""
    return None if exchange.status == 204 else _failed(exchange, "a delete", "204")


def gone(exchange: Exchange) -> Finding | str | None:
    """Check that a GET of a deleted resource gets 404 with a SCIM error."""
    if exchange.status != 404:
        return f"A request for a deleted resource got {exchange.status}. Respond with 404."
    return scim_error(exchange)


def scim_error(exchange: Exchange) -> Finding | str | None:
    """Check that an error has a SCIM body, with the status as a string."""
    body = exchange.received
    if not isinstance(body, dict) or ERROR not in (body.get("schemas") or ()):
        return (
            f"The {exchange.status} response has no SCIM error body, so the provisioning log cannot show a reason. "
            "Return a body with the SCIM Error schema."
        )
    if body.get("status") != str(exchange.status):
        return "`status` in an error body must be the HTTP status as a string."
    return None


def has(attributes: Mapping[str, Any]) -> Rule:
    """Return a rule which checks the values that Entra wrote. Entra writes missing values again in every cycle."""
    return lambda exchange: compared(exchange, attributes, effect="Entra writes the attribute again in every cycle.")


def members_are(ids: frozenset[str]) -> Rule:
    """Return a rule which checks that the group has exactly these members."""

    def rule(exchange: Exchange) -> Finding | None:
        there = {each.get("value") for each in (exchange.received or {}).get("members") or ()}
        if there == ids:
            return None
        lost, extra = len(ids - there), len(there - ids)
        return Finding(
            f"The group has other members than expected: {lost} are missing, {extra} are too many. "
            "Entra does not send members again.",
            "Apply each PATCH to the current members of the group. Remove only the members that the request names.",
            {"members": sorted(ids)},
        )

    return rule


def _failed(exchange: Exchange, what: str, wanted: str) -> Finding:
    if exchange.status == 0:
        return Finding("The service cannot be reached.", "Check the URL, the network and the certificate.")
    if exchange.status in (401, 403):
        reason = f"The service refused the token with {exchange.status}. Entra quarantines the job at once."
        return Finding(reason, "Accept the token that the administrator gave to Entra in every request.")
    detail = exchange.received.get("detail") if isinstance(exchange.received, dict) else None
    said = f'The service says: "{detail}"' if detail else "The response has no detail for the provisioning log."
    return Finding(f"The status is {exchange.status}, but {what} needs {wanted}. {said}", remedy(exchange, wanted))
