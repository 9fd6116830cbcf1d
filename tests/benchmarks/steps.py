"""The steps that are measured: ours, a peer's, and a floor of plain dictionaries, each doing the same.

Every step is three callables that return their result, so that a check can hold them together.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_core import from_json, to_json
from scim2_filter_parser import lexer as their_lexer
from scim2_filter_parser import parser as their_parser
from scim2_models import Context, EnterpriseUser, PatchOp, ScimFilter, User
from scim2_models.path import grammar as their_grammar

from scimkit import USER, patch
from scimkit.filters.filter import Filter
from scimkit.filters.parser import parse
from scimkit.patch.operations import PATCH_OP_SCHEMA
from scimkit.schema.reading import read_resource
from tests.benchmarks.sides import RemoteCall

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TheirUser = User[EnterpriseUser]


RequestContext: TypeAlias = Callable[[], Any] | RemoteCall
"""What is measured: here, or in the process of a side."""


@dataclass(frozen=True)
class Step:
    """A step, what the design asks of it, and who the peer is. `calls` in one measurement.

    `goal` is how many times faster than the peer it is to be, `floor_goal` how many times the floor it may take.
    """

    name: str
    ours: RequestContext
    peer: RequestContext | None
    floor: RequestContext | None
    goal: float | None
    whose: str
    calls: int = 300
    floor_goal: float | None = None


FILTERS = (
    'userName eq "bjensen"', "title pr", "active eq true", 'name.familyName co "O\'Malley"', 'userName sw "J"',
    f'{CORE}:userName sw "J"', 'meta.lastModified gt "2011-05-13T04:42:34Z"', 'title pr and userType eq "Employee"',
    'title pr or userType eq "Intern"',
    'userType ne "Employee" and not (emails co "example.com" or emails.value co "x")',
    'emails[type eq "work" and value co "@example.com"]',
    'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
)  # fmt: skip


def user_body(number: int = 0) -> dict[str, Any]:
    """A full enterprise user."""
    return {
        "schemas": [CORE, ENTERPRISE],
        "externalId": f"e{number}",
        "userName": f"user{number}@example.com",
        "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara"},
        "displayName": f"Babs {number}",
        "title": "Agent",
        "active": True,
        "emails": [{"value": f"b{number}@example.com", "type": "work", "primary": True}, {"value": "h@example.org"}],
        "phoneNumbers": [{"value": "+47 555 0100", "type": "work"}, {"value": "+47 555 0101", "type": "mobile"}],
        "addresses": [{"type": "work", "streetAddress": "100 Universal", "locality": "Hollywood", "region": "CA"}],
        ENTERPRISE: {
            "employeeNumber": "701984",
            "department": "Care",
            "manager": {"value": "26118915", "$ref": "https://help.example.org/scim/v2/Users/26118915"},
        },
    }


def patch_body(*operations: dict[str, Any]) -> dict[str, Any]:
    """The body of a PATCH."""
    return {"schemas": [PATCH_OP_SCHEMA], "Operations": list(operations)}


DISABLE = patch_body({"op": "replace", "path": "active", "value": False})
ENTRA = patch_body(
    {"op": "replace", "path": "displayName", "value": "Pia N"},
    {"op": "replace", "path": 'emails[type eq "work"].value', "value": "pia@example.org"},
    {"op": "replace", "path": "name.givenName", "value": "Pia"},
    {"op": "replace", "path": "name.familyName", "value": "Nord"},
    {"op": "replace", "path": "externalId", "value": "pn-1"},
    {"op": "add", "path": "title", "value": "Lead"},
    {"op": "replace", "path": f"{ENTERPRISE}:employeeNumber", "value": "pn-1"},
    {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Sales"},
)


def filter_steps() -> list[Step]:
    """Parsing, of each filter; evaluating, of four kinds of filter on one user."""
    document = read_resource(USER, user_body())
    theirs = TheirUser.model_validate(user_body())
    steps = [
        Step(
            f"parse: {text}", lambda text=text: parse(text),
            lambda text=text: their_parser.SCIMParser().parse(their_lexer.SCIMLexer().tokenize(text)), None,
            8, "scim2-filter-parser", 200,
        )
        for text in FILTERS
    ]  # fmt: skip
    build = their_grammar._build_filter
    build = getattr(build, "__wrapped__", build)
    steps += [
        Step(f"parse (other peer): {text}", lambda text=text: parse(text), lambda text=text: build(text), None, 8,
             "scim2-models", 100)
        for text in FILTERS
    ]  # fmt: skip
    floors: dict[str, Callable[[], bool]] = {
        'userName eq "USER0@example.com"': lambda: document["userName"].lower() == "user0@example.com",
        'displayName co "babs"': lambda: "babs" in document.get("displayName", "").lower(),
        'emails[type eq "work" and value co "@example.com"]': lambda: any(
            each.get("type", "").lower() == "work" and "@example.com" in each.get("value", "").lower()
            for each in document.get("emails", ())
        ),
        'active eq true and (title pr or userName sw "x")': lambda: (
            document.get("active") is True and (bool(document.get("title")) or document["userName"].startswith("x"))
        ),
    }
    for text, floor in floors.items():
        predicate = Filter(parse(text)).compile(USER)
        their_filter = ScimFilter[TheirUser](text)
        steps.append(
            Step(f"match: {text}", lambda p=predicate: p(document), lambda f=their_filter: f.match(theirs), floor, None,
                 "scim2-models", 2000, floor_goal=3)
        )  # fmt: skip
    return steps


def patch_steps() -> list[Step]:
    """PATCH of a user, body to document: one operation, and Entra's eight.

    The peer changes its resource where it stands, so that no copy and no dump is counted against it; its
    bodies take turns, so that each call changes something.
    """
    document = read_resource(USER, user_body())

    def theirs(body: dict[str, Any]) -> Callable[[], Any]:
        resource = TheirUser.model_validate(user_body())
        turns = itertools.cycle([body, _undoing(body)])

        def run() -> Any:
            read = PatchOp[TheirUser].model_validate(next(turns), scim_ctx=Context.RESOURCE_PATCH_REQUEST)
            read.patch(resource)
            return resource

        return run

    return [
        Step("PATCH replace active", lambda: patch.apply(USER, document, DISABLE).document, theirs(DISABLE),
             lambda: bare_patch(document, DISABLE), 80, "scim2-models"),
        Step("PATCH of Entra's 8 operations", lambda: patch.apply(USER, document, ENTRA).document, theirs(ENTRA),
             lambda: bare_patch(document, ENTRA), 100, "scim2-models"),
    ]  # fmt: skip


def _undoing(body: dict[str, Any]) -> dict[str, Any]:
    """The same operations with other values."""
    others = [
        {**each, "value": not each["value"] if type(each["value"]) is bool else f"{each['value']}.x"}
        for each in body["Operations"]
    ]
    return {**body, "Operations": others}


def bare_patch(document: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The floor of PATCH: set what the path names, as one would by hand for Entra's paths, with no rules."""
    changed = dict(document)
    for operation in body["Operations"]:
        path, value = operation["path"], operation["value"]
        if path.startswith(ENTERPRISE):
            changed[ENTERPRISE] = {**changed.get(ENTERPRISE, {}), path[len(ENTERPRISE) + 1 :]: value}
        elif path.startswith("emails["):
            changed["emails"] = [
                {**each, "value": value} if each.get("type") == "work" else each for each in changed["emails"]
            ]
        elif "." in path:
            name, sub = path.split(".")
            changed[name] = {**changed.get(name, {}), sub: value}
        else:
            changed[path] = value
    return changed


def round_trip_steps() -> list[Step]:
    """A full user: bytes in, validated, bytes out."""
    body = json.dumps(user_body()).encode()
    from scimkit.documents import parse_object, write_json

    return [
        Step(
            "full user, bytes to bytes",
            lambda: write_json(read_resource(USER, parse_object(body))),
            lambda: TheirUser.model_validate(
                from_json(body), scim_ctx=Context.RESOURCE_CREATION_REQUEST
            ).model_dump_json(scim_ctx=Context.RESOURCE_QUERY_RESPONSE),
            lambda: to_json(from_json(body)), 15, "scim2-models",
        )
    ]  # fmt: skip
