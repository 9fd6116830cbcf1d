"""What an identity provider expects of an answer, whichever it is; each finding says why and how to mend it.

This module never sends. Sources: RFC 7644 section 3, and the providers' own pages, named in their modules.
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
    """A query: 200 and a ListResponse whose numbers are numbers (RFC 7644 section 3.4.2)."""
    if exchange.status != 200:
        return _failed(exchange, "a query", (200,))
    body = exchange.received
    if not exchange.is_scim or not isinstance(body, dict) or LIST not in (body.get("schemas") or ()):
        return Finding("The answer is no ListResponse, and cannot be read.", f"Give it the schema {LIST}.")
    if any(type(body.get(name, 0)) is not int for name in ("totalResults", "startIndex", "itemsPerPage")):
        return Finding("totalResults, startIndex and itemsPerPage must be numbers.", "Send them as integers.")
    if "totalResults" not in body or not isinstance(body.get("Resources", []), list):
        return Finding("The list has no totalResults, or Resources is no array.", "Send both, also for no hit.")
    if any(not isinstance(each, dict) or not isinstance(each.get("id"), str) for each in body.get("Resources", ())):
        return Finding(
            "A listed resource has no `id`, and cannot be linked.", "Return `id` in every resource, as a string."
        )
    return _no_password(exchange, body.get("Resources", ()))


def empty(exchange: Exchange) -> Finding | None:
    """A query for what cannot exist: an empty list."""
    found = listed(exchange)
    if found is None and exchange.received["totalResults"] != 0:
        return Finding(
            "A value that nobody has matched: people would be linked to others' accounts.",
            "Apply the filter, or answer 400 invalidFilter; never the unfiltered list.",
            {"totalResults": 0},
        )
    return found


def at_most_one(exchange: Exchange) -> Finding | None:
    """A match query finds one resource or none."""
    found = listed(exchange)
    if found is None and len(exchange.received.get("Resources", ())) > 1:
        return Finding("More than one resource matched: which one is meant?", "Keep the name unique per tenant.")
    return found


def page(limit: int) -> Callable[[Exchange], Finding | None]:
    """A page: no more resources than were asked for, and no more than there are."""

    def rule(exchange: Exchange) -> Finding | None:
        found = listed(exchange)
        if found is None and len(exchange.received.get("Resources", ())) > limit:
            return Finding(f"The page has more than the {limit} asked for.", "Hold to count (RFC 7644 3.4.2.4).")
        return found

    return rule


class Paging:
    """A walk through a list, `size` at a time: nobody twice, nobody left out, at least one page.

    As a rule it judges the next page, and moves on.
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
                f"{len(twice)} resources are on two pages, so that others are on none.",
                "Keep one order through all pages, such as that of creation.",
            )
        if len(self.seen) != min(total, self.start - 1):
            return Finding(
                f"{len(self.seen)} resources after {self.start - 1} were asked for, of {total}: some are missing.",
                f"Fill pages of {self._size}, and count all that match in totalResults.",
                {"resources so far": min(total, self.start - 1)},
            )
        return None


def created(exchange: Exchange) -> Finding | None:
    """POST: 201 and the resource with its id (RFC 7644 section 3.3)."""
    if exchange.status != 201:
        return _failed(exchange, "a create", (201,))
    if not isinstance(exchange.received, dict) or not isinstance(exchange.received.get("id"), str):
        return Finding(
            f"{_response(exchange)} is without a body that has `id`: the account cannot be linked.",
            "Return the whole resource, with `id` as a string.",
        )
    return _no_password(exchange, [exchange.received])


def read(exchange: Exchange) -> Finding | None:
    """GET by id: 200 and the resource of that id."""
    if exchange.status != 200:
        return _failed(exchange, "a read by id", (200,))
    body, id = exchange.received, exchange.path.partition("?")[0].rsplit("/", 1)[-1]
    if not isinstance(body, dict) or body.get("id") != id:
        return Finding(
            f"{_response(exchange)} has another `id`: the account counts as deleted.",
            "Return the `id` that the URL names; it stays the same as long as the resource exists.",
            {"id": id},
        )
    return _no_password(exchange, [body])


def replaced(exchange: Exchange) -> Finding | None:
    """PUT: 200 and the resource (RFC 7644 section 3.5.1)."""
    return _failed(exchange, "a PUT", (200,)) if exchange.status != 200 else read(exchange)


def patched(exchange: Exchange) -> Finding | None:
    """PATCH: 200 with the resource, or 204 with nothing (RFC 7644 section 3.5.2)."""
    if exchange.status == 204 and not exchange.size:
        return None
    if exchange.status == 200 and not exchange.size:
        return Finding("200 with an empty body cannot be read.", "Answer 204, or 200 with the resource.")
    return _failed(exchange, "a PATCH", (200, 204)) if exchange.status != 200 else read(exchange)


def deleted(exchange: Exchange) -> Finding | None:
    """DELETE: 204 (RFC 7644 section 3.6)."""
    return None if exchange.status == 204 else _failed(exchange, "a DELETE", (204,))


def gone(exchange: Exchange) -> Finding | None:
    """A resource that is not there: 404 with a SCIM error (RFC 7644 section 3.12)."""
    if exchange.status != 404:
        return Finding(f"{exchange.status} for a resource that is not there.", "Answer 404.", {"status": 404})
    body = exchange.received
    if not isinstance(body, dict) or ERROR not in (body.get("schemas") or ()) or body.get("status") != "404":
        return Finding(
            "The 404 has no SCIM error body: a log can show no reason.",
            "Answer every error with the SCIM Error schema and a status that is a string.",
        )
    return None


def discovered(exchange: Exchange) -> Finding | None:
    """A discovery document: 200, a JSON object with schemas (RFC 7644 section 4)."""
    if exchange.status != 200:
        return _failed(exchange, "discovery", (200,))
    if not isinstance(exchange.received, dict) or not exchange.received.get("schemas"):
        return Finding("The discovery document is no SCIM resource.", "Answer JSON with schemas (RFC 7643 section 5).")
    return None


def found_or_absent(exchange: Exchange) -> Finding | None:
    """A discovery document that may be missing."""
    return None if exchange.status == 404 else discovered(exchange)


def created_or_conflict(exchange: Exchange) -> Finding | None:
    """A create of what may be there: 201, or 409 with `uniqueness` (RFC 7644 section 3.3)."""
    if exchange.status != 409:
        return created(exchange)
    body = exchange.received
    if not isinstance(body, dict) or body.get("scimType") != "uniqueness":
        return Finding(
            "The 409 does not say scimType uniqueness: it cannot be told from another conflict.",
            "Answer 409 with scimType uniqueness when the name is taken.",
            {"scimType": "uniqueness"},
        )
    return None


def with_schemas(exchange: Exchange) -> Finding | None:
    """Every listed resource says its schemas."""
    if all(each.get("schemas") for each in exchange.received.get("Resources", ())):
        return None
    return Finding("A listed resource has no schemas.", "Return `schemas` in every resource (RFC 7643 section 3).")


def has(values: Mapping[str, Any]) -> Rule:
    """The resource has just these values at these paths."""
    return lambda exchange: compared(exchange, values)


def members_are(ids: Collection[str]) -> Rule:
    """The group has just these members."""

    def rule(exchange: Exchange) -> Finding | None:
        there = [each.get("value") for each in (exchange.received or {}).get("members") or ()]
        if sorted(there, key=str) == sorted(ids):
            return None
        lost, extra = len(set(ids) - set(there)), len(there) - len(set(there) & set(ids))
        return Finding(
            f"{_response(exchange)} has other `members`: {lost} lost, {extra} too many.",
            "Apply every membership change to what the group has at that moment, and only to the members named.",
            {"members": sorted(ids)},
        )

    return rule


def _no_password(exchange: Exchange, resources: Collection[Any]) -> Finding | None:
    if any("password" in each for each in resources):
        return Finding(
            f"{_response(exchange)} has `password`.",
            "Never return `password` (RFC 7643 section 4.1.1, returned: never).",
        )
    return None


def _response(exchange: Exchange) -> str:
    return f"The response to {exchange.method} {exchange.path.partition('?')[0]}"


def _failed(exchange: Exchange, what: str, wanted: tuple[int, ...]) -> Finding:
    expected = {"status": " or ".join(map(str, wanted))}
    if exchange.status == 0:
        return Finding("The service cannot be reached.", "Look at the URL, the network and the certificate.", expected)
    if exchange.status in (401, 403):
        return Finding(f"{exchange.status}: the token is refused.", "Give a token that is valid.", expected)
    detail = exchange.received.get("detail") if isinstance(exchange.received, dict) else None
    said = f'The service says: "{detail}"' if detail else "It gives no detail that a log could show."
    return Finding(
        f"{exchange.status} where {what} wants {expected['status']}. {said}",
        remedy(exchange, expected["status"]),
        expected,
    )
