"""The measured steps, each for scimkit, for a peer and for a floor of plain dictionaries.

The functions of a step return their results, so that a test can compare the results.
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


MeasuredCall: TypeAlias = Callable[[], Any] | RemoteCall
"""A function in this process, or a call in a measured process."""


@dataclass(frozen=True)
class Step:
    """A measured step.

    Attributes:
        name: The name of the step.
        ours: The call of scimkit.
        peer: The call of the other library.
        floor: The minimal work in plain Python.
        goal: How many times as fast as the peer the step must be.
        whose: The name of the peer.
        calls: The number of calls in one measurement.
        floor_goal: How many times as long as the floor the step may take.
        scimmy: The call of SCIMMY.
    """

    name: str
    ours: MeasuredCall
    peer: MeasuredCall | None
    floor: MeasuredCall | None
    goal: float | None
    whose: str
    calls: int = 300
    floor_goal: float | None = None
    scimmy: MeasuredCall | None = None


FILTERS = (
    'userName eq "bjensen"', "title pr", "active eq true", 'name.familyName co "O\'Malley"', 'userName sw "J"',
    f'{CORE}:userName sw "J"', 'meta.lastModified gt "2011-05-13T04:42:34Z"', 'title pr and userType eq "Employee"',
    'title pr or userType eq "Intern"',
    'userType ne "Employee" and not (emails co "example.com" or emails.value co "x")',
    'emails[type eq "work" and value co "@example.com"]',
    'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
)  # fmt: skip


def user_body(number: int = 0) -> dict[str, Any]:
    """Return the body of an enterprise user with many attributes."""
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
    """Return the body of a PATCH."""
    return {"schemas": [PATCH_OP_SCHEMA], "Operations": list(operations)}


def disabling(active: bool) -> dict[str, Any]:
    """Return the body of a PATCH that sets `active`."""
    return patch_body({"op": "replace", "path": "active", "value": active})


DISABLE = disabling(False)
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
    """Return the steps that parse each filter, and that evaluate four kinds of filter on one user."""
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
    """Return the steps that apply a PATCH body to a user: one operation, and the eight operations of Entra.

    The peer changes its resource in place, so that copies do not count. Its bodies alternate, so that each call changes
    the resource.
    """
    document = read_resource(USER, user_body())

    def theirs(body: dict[str, Any]) -> Callable[[], Any]:
        resource = TheirUser.model_validate(user_body())
        turns = itertools.cycle([body, undoing(body)])

        def run() -> Any:
            read = PatchOp[TheirUser].model_validate(next(turns), scim_ctx=Context.RESOURCE_PATCH_REQUEST)
            read.patch(resource)
            return resource

        return run

    return [
        Step("PATCH replace active", lambda: patch.apply(USER, document, DISABLE).document, theirs(DISABLE),
             lambda: bare_patch(document, DISABLE), 80, "scim2-models"),
        Step("PATCH of Entra's 8 operations", lambda: patch.apply(USER, document, ENTRA).document, theirs(ENTRA),
             lambda: bare_patch(document, ENTRA), 100, "scim2-models", floor_goal=4),
    ]  # fmt: skip


def undoing(body: dict[str, Any]) -> dict[str, Any]:
    """Return the same operations with other values."""
    others = [
        {**each, "value": not each["value"] if type(each["value"]) is bool else f"{each['value']}.x"}
        for each in body["Operations"]
    ]
    return {**body, "Operations": others}


def bare_patch(document: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Assign the values of PATCH operations without any checks, for the paths of Entra only."""
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
    """Return the step that reads, validates and writes a complete user."""
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
