"""The rules that every identity provider applies to responses. Each finding says why a response is wrong, and the fix.

This module sends no requests. The rules follow RFC 7644 section 3, and the pages that the provider modules name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from scimkit.testing.differences import compared
from scimkit.testing.exchange import Exchange
from scimkit.testing.remedies import remedy
from scimkit.testing.report import Finding, Rule

LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"


def listed(exchange: Exchange) -> Finding | None:
    """Check that a query gets 200 and a ListResponse whose numbers are integers (RFC 7644 section 3.4.2)."""
    if exchange.status != 200:
        return _failed(exchange, "a query", (200,))
    body = exchange.received
    if not exchange.is_scim or not isinstance(body, dict) or LIST not in (body.get("schemas") or ()):
        return Finding("The response is not a ListResponse.", f"Return JSON with {LIST} in `schemas`.")
    if any(type(body.get(name, 0)) is not int for name in ("totalResults", "startIndex", "itemsPerPage")):
        return Finding(
            "totalResults, startIndex and itemsPerPage must be integers.",
            "Return them as JSON numbers, not as strings.",
        )
    if "totalResults" not in body or not isinstance(body.get("Resources", []), list):
        return Finding(
            "The list has no totalResults, or its Resources is not an array.",
            "Return totalResults and the array Resources in every list, even if no resource matches.",
        )
    if any(not isinstance(each, dict) or not isinstance(each.get("id"), str) for each in body.get("Resources", ())):
        return Finding(
            "A listed resource has no `id`, so the provider cannot link it.",
            "Return `id` in every resource, as a string.",
        )
    return _no_password(exchange, body.get("Resources", ()))


def empty(exchange: Exchange) -> Finding | None:
    """Check that a query for a value that no resource has gets an empty list."""
    found = listed(exchange)
    if found is None and exchange.received["totalResults"] != 0:
        return Finding(
            "A filter on a value that no user has matched a user. The provider would link users to the wrong accounts.",
            "Apply the filter, or respond with 400 invalidFilter. Never return the unfiltered list.",
            {"totalResults": 0},
        )
    return found


def at_most_one(exchange: Exchange) -> Finding | None:
    """Check that a query by a unique name finds at most one resource."""
    found = listed(exchange)
    if found is None and len(exchange.received.get("Resources", ())) > 1:
        return Finding(
            "More than one resource matched, so the provider cannot choose one.",
            "Apply the filter, and allow each userName and displayName only once in a tenant.",
        )
    return found


def page(limit: int) -> Callable[[Exchange], Finding | None]:
    """Return a rule which checks that a page has no more than `limit` resources."""

    def rule(exchange: Exchange) -> Finding | None:
        found = listed(exchange)
        if found is None and len(exchange.received.get("Resources", ())) > limit:
            return Finding(
                f"The page has more than the {limit} resources that the request asked for.",
                "Return at most `count` resources (RFC 7644 section 3.4.2.4).",
            )
        return found

    return rule


class Paging:
    """A walk through a list in pages of `size` resources.

    As a rule, it judges the next page: no resource may be repeated, and none may be missing.
    """

    def __init__(self, size: int) -> None:
        self.seen: dict[str, dict[str, Any]] = {}
        self.start: int = 1
        self.finished: bool = False
        self._size = size

    def __call__(self, exchange: Exchange) -> Finding | None:
        found = page(self._size)(exchange)
        if found is not None:
            return found
        resources, total = exchange.received.get("Resources", ()), exchange.received["totalResults"]
        twice = [each["id"] for each in resources if each["id"] in self.seen]
        self.seen |= {each["id"]: each for each in resources}
        self.start += self._size
        self.finished = self.start > total
        if twice:
            return Finding(
                f"{len(twice)} resources are on two pages, so other resources are on no page.",
                "Return all pages in one order, such as the order of creation.",
            )
        if len(self.seen) != min(total, self.start - 1):
            return Finding(
                f"Some resources are missing: {len(self.seen)} were returned after {self.start - 1} of {total} were "
                "requested.",
                f"Fill each page with {self._size} resources, and count all matching resources in totalResults.",
                {"resources so far": min(total, self.start - 1)},
            )
        return None


def created(exchange: Exchange) -> Finding | None:
    """Check that a POST gets 201 and the resource with its `id` (RFC 7644 section 3.3)."""
    if exchange.status != 201:
        return _failed(exchange, "a create", (201,))
    if not isinstance(exchange.received, dict) or not isinstance(exchange.received.get("id"), str):
        return Finding(
            f"{_response(exchange)} has no `id`, so the provider cannot link the account.",
            "Return the complete resource, with `id` as a string.",
        )
    return _no_password(exchange, [exchange.received])


def read(exchange: Exchange) -> Finding | None:
    """Check that a GET by id gets 200 and the resource with that `id`."""
    if exchange.status != 200:
        return _failed(exchange, "a read by id", (200,))
    body, id = exchange.received, exchange.path.partition("?")[0].rsplit("/", 1)[-1]
    if not isinstance(body, dict) or body.get("id") != id:
        return Finding(
            f"{_response(exchange)} has another `id`, so the provider takes the account for deleted.",
            "Return the `id` that is in the URL. Keep it the same as long as the resource exists.",
            {"id": id},
        )
    return _no_password(exchange, [body])


def replaced(exchange: Exchange) -> Finding | None:
    """Check that a PUT gets 200 and the resource (RFC 7644 section 3.5.1)."""
    return _failed(exchange, "a PUT", (200,)) if exchange.status != 200 else read(exchange)


def patched(exchange: Exchange) -> Finding | None:
    """Check that a PATCH gets 200 with the resource, or 204 with an empty body (RFC 7644 section 3.5.2)."""
    if exchange.status == 204 and not exchange.size:
        return None
    if exchange.status == 200 and not exchange.size:
        return Finding(
            f"{_response(exchange)} has the status 200 and an empty body.",
            "Respond with 204, or with 200 and the resource.",
        )
    return _failed(exchange, "a PATCH", (200, 204)) if exchange.status != 200 else read(exchange)


def deleted(exchange: Exchange) -> Finding | None:
    """Check that a DELETE gets 204 (RFC 7644 section 3.6)."""
    return None if exchange.status == 204 else _failed(exchange, "a DELETE", (204,))


def gone(exchange: Exchange) -> Finding | None:
    """Check that a GET of a missing resource gets 404 with a SCIM error (RFC 7644 section 3.12)."""
    if exchange.status != 404:
        return Finding(
            f"{_response(exchange)} has the status {exchange.status}, but the resource does not exist.",
            "Respond with 404.",
            {"status": 404},
        )
    body = exchange.received
    if not isinstance(body, dict) or ERROR not in (body.get("schemas") or ()) or body.get("status") != "404":
        return Finding(
            "The 404 response has no SCIM error body, so the provisioning log cannot show a reason.",
            "Return a body with the SCIM Error schema for every error. Its `status` is a string.",
        )
    return None


def discovered(exchange: Exchange) -> Finding | None:
    """Check that a discovery request gets 200 and a JSON object with `schemas` (RFC 7644 section 4)."""
    if exchange.status != 200:
        return _failed(exchange, "discovery", (200,))
    if not isinstance(exchange.received, dict) or not exchange.received.get("schemas"):
        return Finding(
            "The discovery document is not a SCIM resource.", "Return JSON with `schemas` (RFC 7643 section 5)."
        )
    return None


def found_or_absent(exchange: Exchange) -> Finding | None:
    """Check a discovery response, but accept 404 because the provider can do without the document."""
    return None if exchange.status == 404 else discovered(exchange)


def created_or_conflict(exchange: Exchange) -> Finding | None:
    """Check that a POST gets 201, or 409 with scimType `uniqueness` if the resource exists (RFC 7644 section 3.3)."""
    if exchange.status != 409:
        return created(exchange)
    body = exchange.received
    if not isinstance(body, dict) or body.get("scimType") != "uniqueness":
        return Finding(
            "The 409 response has no scimType uniqueness, so the provider cannot tell it from another conflict.",
            "Respond with 409 and scimType uniqueness if another resource has the name.",
            {"scimType": "uniqueness"},
        )
    return None


def with_schemas(exchange: Exchange) -> Finding | None:
    """Check that every listed resource has `schemas`."""
    if all(each.get("schemas") for each in exchange.received.get("Resources", ())):
        return None
    return Finding("A listed resource has no `schemas`.", "Return `schemas` in every resource (RFC 7643 section 3).")


def has(values: Mapping[str, Any]) -> Rule:
    """Return a rule which checks that the resource has exactly these values at these paths."""
    return lambda exchange: compared(exchange, values)


def members_are(ids: Collection[str]) -> Rule:
    """Return a rule which checks that the group has exactly these members."""

    def rule(exchange: Exchange) -> Finding | None:
        there = [each.get("value") for each in (exchange.received or {}).get("members") or ()]
        if sorted(there, key=str) == sorted(ids):
            return None
        lost, extra = len(set(ids) - set(there)), len(there) - len(set(there) & set(ids))
        return Finding(
            f"{_response(exchange)} has other `members` than expected: {lost} are missing, {extra} are too many.",
            "Apply each change to the current members of the group, and only to the members that the request names.",
            {"members": sorted(ids)},
        )

    return rule


def _no_password(exchange: Exchange, resources: Collection[Any]) -> Finding | None:
    if any("password" in each for each in resources):
        return Finding(
            f"{_response(exchange)} contains `password`.",
            "Never return `password` (RFC 7643 section 4.1.1, returned: never).",
        )
    return None


def _response(exchange: Exchange) -> str:
    return f"The response to {exchange.method} {exchange.path.partition('?')[0]}"


def _failed(exchange: Exchange, what: str, wanted: tuple[int, ...]) -> Finding:
    expected = {"status": " or ".join(map(str, wanted))}
    if exchange.status == 0:
        return Finding("The service cannot be reached.", "Check the URL, the network and the certificate.", expected)
    if exchange.status in (401, 403):
        return Finding(
            f"The service refused the token with {exchange.status}.",
            "Use a token that the service accepts for this request.",
            expected,
        )
    detail = exchange.received.get("detail") if isinstance(exchange.received, dict) else None
    said = f'The service says: "{detail}"' if detail else "The response has no detail for the provisioning log."
    return Finding(
        f"The status is {exchange.status}, but {what} needs {expected['status']}. {said}",
        remedy(exchange, expected["status"]),
        expected,
    )
