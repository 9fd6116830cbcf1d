"""`python -m tests.fuzz.growth [--requests N] [--seed N]`: find requests whose work grows faster than their size.

Each request repeats random parts. It is sent once with some parts and once with twice as many. The steps are counted,
and nothing is timed. The exit status is 1 if a request of twice the size takes more than three times the steps.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from scimkit import Limits, MemoryStore
from tests.client import ENTERPRISE, GROUP, PATCH_OP, USER, Client
from tests.growth import FACTOR, growth

LIMITS = Limits(
    values=10**6, filter_comparisons=10**6, filter_length=10**6, patch_operations=10**6, string_length=10**7
)
"""Limits that refuse nothing, so that growth becomes visible."""

_TEXTS = (
    "x",
    "a b",
    "é",
    "\u0301\u0316",
    '\\"',
    "[",
    "]",
    "(",
    ")",
    " and ",
    ".",
    ":",
    "urn:x:",
    ",",
    "bulkId:",
    "/",
    "'",
)
_ATTRIBUTES = ("emails", "phoneNumbers", "roles", "addresses", "ims", "photos", "entitlements")
_OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "pr")
_PATHS = ("userName", "title", "emails.value", "emails", "name.familyName", "meta.created", f"{ENTERPRISE}:department")


@dataclass(frozen=True)
class Case:
    """A request that can be sent in any size."""

    name: str
    size: int
    send: Callable[[Client, str, int], Any]


def case(random: Random) -> Case:
    """Return a random request that repeats random parts."""
    make = random.choice((_body, _names, _operations, _path, _filter, _text, _query, _header, _bulk))
    return make(random)


def grows(case: Case) -> float:
    """Return the factor by which the steps grow if the request has twice the size."""
    client = Client(MemoryStore(), limits=LIMITS)
    user = client.user("ada", emails=[{"value": "a@example.org", "type": "work"}])
    return growth(lambda size: lambda: case.send(client, user, size), case.size)


def _body(random: Random) -> Case:
    """Return a resource with many elements of one attribute."""
    attribute, distinct = random.choice(_ATTRIBUTES), random.random() < 0.7
    primary, method = random.random() < 0.3, random.choice(("POST", "PUT"))

    def send(client: Client, user: str, size: int) -> Any:
        values = [{"value": f"v{n if distinct else 0}", "type": f"t{n % 7}", "primary": primary} for n in range(size)]
        path = "/Users" if method == "POST" else f"/Users/{user}"
        return client.send(method, path, {"schemas": [USER], "userName": f"u{size}", attribute: values})

    return Case(f"{method} of {attribute}, distinct={distinct}", 150, send)


def _names(random: Random) -> Case:
    """Return a resource whose attribute names are paths."""
    attribute = random.choice(_ATTRIBUTES)
    form = random.choice(('{0}[type eq "t{1}"].value', "{0}.{1}", "x{1}.y", "{0}{1}", "urn:x{1}:y"))

    def send(client: Client, user: str, size: int) -> Any:
        names = {form.format(attribute, n): "x" for n in range(size)}
        return client.send("PUT", f"/Users/{user}", {"schemas": [USER], "userName": "ada", **names})

    return Case(f"names {form}", 400, send)


def _operations(random: Random) -> Case:
    """A PATCH of many operations, or of one with many values."""
    attribute, op = random.choice(_ATTRIBUTES), random.choice(("add", "replace", "remove"))
    listed = random.random() < 0.7

    def send(client: Client, user: str, size: int) -> Any:
        values = [{"value": f"v{n}", "type": f"t{n}"} for n in range(size)]
        if listed:
            client.patch(f"/Users/{user}", {"op": "replace", "path": attribute, "value": values})
            return client.patch(f"/Users/{user}", {"op": op, "path": attribute, "value": values})
        changes = [{"op": "replace", "path": f"name.{n % 5}", "value": "x"} for n in range(size)]
        return client.send("PATCH", f"/Users/{user}", {"schemas": [PATCH_OP], "Operations": changes})

    return Case(f"{op} of {attribute}, listed={listed}", 250, send)


def _path(random: Random) -> Case:
    """Return a PATCH with a long path."""
    word, joint = random.choice(_OPERATORS[:-1]), random.choice((" and ", " or "))

    def send(client: Client, user: str, size: int) -> Any:
        path = f"emails[{joint.join(f'value {word} {json.dumps(str(n))}' for n in range(size))}].display"
        return client.patch(f"/Users/{user}", {"op": "replace", "path": path, "value": "x"})

    return Case(f"path with {word}{joint}", 60, send)


def _filter(random: Random) -> Case:
    """Return a search with a long filter."""
    path, operator, joint = random.choice(_PATHS), random.choice(_OPERATORS), random.choice((" and ", " or "))
    wrap = random.choice(("{}", "({})", "not ({})", 'emails[value eq "x"] and {}'))

    def send(client: Client, user: str, size: int) -> Any:
        terms = [
            f"{path} pr" if operator == "pr" else f'{path} {operator} "2020-01-01T00:00:{n}Z"' for n in range(size)
        ]
        return client.post("/Users/.search", {"filter": joint.join(wrap.format(term) for term in terms)})

    return Case(f"filter {wrap} {path} {operator}{joint}", 60, send)


def _text(random: Random) -> Case:
    """Return a request with a text that repeats one part, as a filter, a path, a value or a name."""
    text = "".join(random.choice(_TEXTS) for _ in range(random.randint(1, 3)))
    place = random.randrange(4)

    def send(client: Client, user: str, size: int) -> Any:
        long = text * size
        if place == 0:
            return client.post("/Users/.search", {"filter": f"userName eq {long}"})
        if place == 1:
            return client.patch(f"/Users/{user}", {"op": "replace", "path": f"emails[{long}]", "value": "x"})
        if place == 2:
            return client.patch(f"/Users/{user}", {"op": "replace", "path": "userName", "value": f"a{long}"})
        return client.post("/Users", {"schemas": [USER], "userName": f"u{size}", long or "x": long})

    return Case(f"text {text!r} at {place}", 400, send)


def _query(random: Random) -> Case:
    """Return a request with a long list of attributes."""
    name, form = (
        random.choice(("attributes", "excludedAttributes")),
        random.choice(("x{}.y", "emails[{}]", "urn:x:{}", "{}")),
    )

    def send(client: Client, user: str, size: int) -> Any:
        return client.get(f"/Users/{user}?{name}=" + ",".join(form.format(f"{size}x{n}") for n in range(size)))

    return Case(f"{name} {form}", 200, send)


def _header(random: Random) -> Case:
    """Return a request with a long header."""
    name = random.choice(("If-Match", "If-None-Match", "Accept", "Content-Type"))
    part = random.choice(('"x", ', " ", "a/b;q=0.1,", '"', "W/", ",", "; x=y"))

    def send(client: Client, user: str, size: int) -> Any:
        return client.get(f"/Users/{user}", headers={name: "x" + part * size + "x"})

    return Case(f"{name} of {part!r}", 1000, send)


def _bulk(random: Random) -> Case:
    """Return a bulk request whose operations refer to each other."""
    step = random.choice((-1, 1, 2))

    def send(client: Client, user: str, size: int) -> Any:
        numbers[0] += 1
        operations = [
            {"method": "POST", "path": "/Groups", "bulkId": f"b{n}", "data": {
                "schemas": [GROUP], "displayName": f"g{numbers[0]}-{n}",
                "members": [{"value": f"bulkId:b{(n + step) % size}"}]}}
            for n in range(size)
        ]  # fmt: skip
        bulk = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
        return client.post("/Bulk", {"schemas": [bulk], "Operations": operations})

    numbers = [0]
    return Case(f"bulk, references {step:+}", 100, send)


def found(requests: int, seed: int) -> list[str]:
    """Return the names of random requests whose work grows too fast."""
    random = Random(seed)
    cases = [case(random) for _ in range(requests)]
    return [f"{each.name}: {factor:.1f} times" for each in cases if (factor := grows(each)) > FACTOR]


def main() -> int:
    """Try random requests, and print those whose work grows too fast."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.growth", description="Find requests whose work grows too fast."
    )
    parser.add_argument("--requests", type=int, default=1000, help="number of requests to try")
    parser.add_argument("--seed", type=int, default=0, help="random seed; the same seed tries the same requests")
    options = parser.parse_args()
    bad = found(options.requests, options.seed)
    sys.stdout.write("\n".join([*bad, f"{options.requests} requests, {len(bad)} grow too fast"]) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
