"""Requests that the RFC refuses, written by hand, with each error that the RFC allows.

RFC 7644 names the `scimType` for some errors. For the others, each error with status 400 is right: `scimType` is
optional (section 3.12).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from tests.corpus.candidates import (
    ADD,
    ANY_400,
    DEVICE,
    FILTERS,
    GROUP,
    PATCH,
    REMOVE,
    REPLACE,
    USER,
    Candidate,
    Result,
    body,
    error,
)
from tests.corpus.samples import base

_INVALID_FILTER: Final = (error("invalidFilter"),)
_MALFORMED: Final = (
    "userName",
    "userName eq",
    'eq "ada"',
    '"ada"',
    'userName "ada"',
    'userName eq "ada',
    "userName eq 'ada'",
    'userName eq "ada" and',
    'and userName eq "ada"',
    'userName eq "ada" or',
    'userName eq "ada" userName pr',
    "not",
    'not userName eq "ada"',
    '(userName eq "ada"',
    'userName eq "ada")',
    "()",
    'userName eq ("ada")',
    'userName = "ada"',
    'userName == "ada"',
    'userName eq "ada" && active pr',
    'userName eq "ada" xor active pr',
    'emails[type eq "work"',
    'emails type eq "work"]',
    "emails[]",
    "emails[type]",
    'emails[type eq "work"]]',
    'emails[[type eq "work"]]',
    '[type eq "work"]',
    "userName pr true",
    'userName pr "ada"',
    r'userName eq "\x"',
    r'userName eq "\u12"',
    "active eq yes",
    "active eq +1",
    "active eq 01",
    "active eq .5",
    'user name eq "ada"',
    'userName. eq "ada"',
    '.userName eq "ada"',
    'name..givenName eq "ada"',
    '1name eq "ada"',
    'userName eq "ada" and and active pr',
    "userName eq [1]",
    "userName eq {}",
    'userName eq "a" "b"',
    'userName eqs "ada"',
    "not (userName pr",
    "not not (userName pr)",
    'emails.[type eq "work"]',
)
_OPERATORS: Final = (
    "regex",
    "like",
    "is",
    "in",
    "eqq",
    "contains",
    "startswith",
    "lte",
    "gte",
    "neq",
    "matches",
    "between",
)


def refusal_candidates() -> Iterator[Candidate]:
    """Yield all questions whose answer is an error."""
    yield from _filter_refusals()
    yield from _path_refusals()
    yield from _message_refusals()
    yield from _value_refusals()
    yield from _remove_refusals()


def _filter(schemas: tuple[str, ...], text: str, rule: str, *results: Result) -> Candidate:
    return Candidate("filter", FILTERS, rule, schemas, base(schemas), text, results or _INVALID_FILTER)


def _filter_refusals() -> Iterator[Candidate]:
    for text in _MALFORMED:
        yield _filter(USER, text, "malformed", error("invalidFilter"), ANY_400)
    for operator in _OPERATORS:
        yield _filter(USER, f'userName {operator} "ada"', "unknown operator")
    for operator in ("gt", "ge", "lt", "le"):
        for schemas, path, constant in (
            (USER, "active", "true"),
            (USER, "emails.primary", "true"),
            (DEVICE, "rented", "false"),
            (DEVICE, "key", '"QUJD"'),
            (DEVICE, "parts.spare", "true"),
        ):
            yield _filter(schemas, f"{path} {operator} {constant}", "order of booleans and binaries")
        yield _filter(USER, f"emails[primary {operator} true]", "order of booleans and binaries")
    no: Result = {"matches": False}
    for schemas, text in (
        (USER, 'serial eq "x"'),
        (USER, "serial pr"),
        (GROUP, 'userName eq "ada"'),
        (GROUP, "userName pr"),
        (USER, 'name.color eq "x"'),
        (USER, "emails.color pr"),
        (USER, 'emails[color eq "x"]'),
        (DEVICE, "site.color pr"),
        (USER, 'urn:example:params:scim:schemas:1.0:Device:serial eq "x"'),
        (DEVICE, 'tags.color eq "x"'),
    ):
        yield _filter(schemas, text, "unknown attribute", error("invalidFilter"), ANY_400, no)
    for schemas, text in (
        (USER, 'active eq "x"'),
        (USER, "active eq 5"),
        (DEVICE, 'ports eq "4"'),
        (DEVICE, "ports eq true"),
        (DEVICE, 'ports gt "x"'),
        (DEVICE, "bought gt 5"),
        (DEVICE, 'bought gt "yesterday"'),
        (DEVICE, "ports co 4"),
        (USER, "active co true"),
        (DEVICE, "ports sw 4"),
        (USER, "title co 5"),
        (USER, "title eq true"),
        (USER, "title eq 5"),
    ):
        yield _filter(schemas, text, "constant of another type", error("invalidFilter"), ANY_400, no)
    for text in ('name eq "Ada"', 'name co "Ada"', 'addresses eq "x"'):
        yield _filter(USER, text, "complex without sub-attribute", error("invalidFilter"), ANY_400, no)


_BAD_PATHS: Final = (
    "emails[",
    "emails[type",
    'emails[type eq "work"',
    'emails[type eq "work"].',
    'emails[type eq "work"]..value',
    ".title",
    "title.",
    "name..givenName",
    'emails[type eq "work"]value',
    "emails[]",
    "[type pr]",
    "title eq",
    "/title",
    "name/givenName",
    "1title",
    "na me",
    "title,nickName",
)
_UNKNOWN_PATHS: Final = (
    (USER, "color"),
    (USER, "name.color"),
    (USER, 'emails[type eq "work"].color'),
    (GROUP, "userName"),
    (USER, "urn:example:params:scim:schemas:1.0:Device:serial"),
    (DEVICE, "site.color"),
    (USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:color"),
)
_EMAILS: Final[dict[str, Any]] = {"userName": "ada", "emails": [{"type": "work", "value": "ada@example.org"}]}


def _path_refusals() -> Iterator[Candidate]:
    for path, op in product(_BAD_PATHS, ("add", "replace", "remove")):
        operation = {"op": op, "path": path} | ({} if op == "remove" else {"value": "x"})
        results = (error("invalidPath"), ANY_400)
        yield Candidate("patch", PATCH, "malformed path", USER, _EMAILS, body(operation), results)
    for (schemas, path), op in product(_UNKNOWN_PATHS, ("add", "replace")):
        document = _EMAILS if schemas == USER else base(schemas)
        results = (error("invalidPath"), ANY_400)
        yield Candidate(
            "patch",
            PATCH,
            "unknown attribute",
            schemas,
            document,
            body({"op": op, "path": path, "value": "x"}),
            results,
        )
    for selector, op in product(
        (
            'type xx "work"',
            "type eq",
            '"work"',
            "0",
            "type",
            'type eq "work"]',
            'type eq "work" and',
            "primary gt true",
            'type eq "wo',
        ),
        ("replace", "remove"),
    ):
        operation = {"op": op, "path": f"emails[{selector}].display"} | ({"value": "x"} if op == "replace" else {})
        results = (error("invalidFilter"), ANY_400)
        yield Candidate("patch", PATCH, "malformed filter in the path", USER, _EMAILS, body(operation), results)


def _message_refusals() -> Iterator[Candidate]:
    set_title = {"op": "replace", "path": "title", "value": "x"}
    schemas = body()["schemas"]
    syntax, value = (error("invalidSyntax"), ANY_400), (error("invalidValue"), ANY_400)
    bodies: list[tuple[Any, tuple[Result, ...]]] = [
        ({"schemas": schemas}, syntax),
        ({"schemas": schemas, "Operations": []}, syntax),
        ([], syntax),
        ({"schemas": schemas, "Operations": set_title}, syntax),
        ({"schemas": schemas, "Operations": ["x"]}, syntax),
        ({"schemas": schemas, "Operations": None}, syntax),
        ({"schemas": schemas, "Operations": [[]]}, syntax),
        *((body({**set_title, "op": op}), syntax) for op in ("move", "copy", "test", "delete", "set", "", 5, None)),
        (body({"path": "title", "value": "x"}), syntax),
        (body(set_title, {"op": "move", "path": "title", "value": "x"}), syntax),
        (body({**set_title, "path": 5}), (error("invalidPath"), ANY_400)),
    ]
    for request, results in bodies:
        yield Candidate("patch", PATCH, "malformed message", USER, {"userName": "ada"}, request, results)
    for op, clause in (("add", ADD), ("replace", REPLACE)):
        missing = [{"op": op, "path": "title"}] if op == "add" else []  # the RFC does not say so for a replace
        for operation in (*missing, {"op": op}, {"op": op, "value": "x"}, {"op": op, "value": ["x"]}):
            yield Candidate(
                "patch", clause, "value missing or no object", USER, {"userName": "ada"}, body(operation), value
            )


_WRONG: Final[tuple[tuple[tuple[str, ...], str, tuple[Any, ...]], ...]] = (
    (USER, "title", (5, {"a": 1}, ["x"])),
    (USER, "active", ("yes", 1, [True], {})),
    (DEVICE, "ports", ("x", 2.5, True, [4])),
    (DEVICE, "weight", ("x", True, {})),
    (DEVICE, "bought", ("yesterday", 5, "2011-13-45T00:00:00Z")),
    (DEVICE, "rented", ("x", 0)),
    (USER, "name", ("Ada", 5, ["Ada"])),
    (USER, "name.givenName", (5, {"x": "y"})),
    (USER, "emails", ("ada@example.org", 5, [5], [["x"]])),
    (USER, 'emails[type eq "work"].value', (5, {"x": "y"})),
    (USER, 'emails[type eq "work"].primary', ("x",)),
    (DEVICE, "tags", ([5], [{"value": "x"}], 5)),
    (DEVICE, "readings", (["x"], "x")),
    (DEVICE, "site.floor", ("x", 1.5)),
    (GROUP, "members", ([5], 5)),
    (GROUP, "displayName", (5, ["x"])),
    (USER, "userName", (5, ["x"])),
    (DEVICE, "parts", ([{"type": "disk"}],)),
)


def _value_refusals() -> Iterator[Candidate]:
    for (schemas, path, values), (op, clause) in product(_WRONG, (("add", ADD), ("replace", REPLACE))):
        document = _EMAILS if schemas == USER else base(schemas)
        for value in values:
            request = body({"op": op, "path": path, "value": value})
            yield Candidate(
                "patch", clause, "value of another type", schemas, document, request, (error("invalidValue"), ANY_400)
            )
    for value in ({"active": "x"}, {"title": 5}, {"name": "Ada"}, {"emails": "x"}):
        request = body({"op": "replace", "value": value})
        yield Candidate(
            "patch", REPLACE, "value of another type", USER, _EMAILS, request, (error("invalidValue"), ANY_400)
        )


def _remove_refusals() -> Iterator[Candidate]:
    for schemas in (USER, GROUP, DEVICE):
        yield Candidate(
            "patch", REMOVE, "no path", schemas, base(schemas), body({"op": "remove"}), (error("noTarget"),)
        )
    first = {"op": "replace", "path": "title", "value": "x"}
    for operations in ((first, {"op": "remove"}), ({"op": "remove"}, first)):
        yield Candidate("patch", REMOVE, "no path", USER, {"userName": "ada"}, body(*operations), (error("noTarget"),))
