"""Variants of the known deviations: requests, and the expected result in a tolerant service.

This module has only data. A request is sent to a service with the users and the group of `WORLD`. In a request,
`{ada}`, `{bob}`, `{boss}` and `{staff}` stand for their ids. The user type has the custom extension `DESK`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.client import BASE_URL, ENTERPRISE, GROUP, PATCH_OP, USER
from tests.resource_types import DESK

WORK_MAIL: Final = {"type": "work", "value": "ada@example.org", "primary": True}
HOME_MAIL: Final = {"type": "home", "value": "h@example.org"}
WORK_PHONE: Final = {"type": "work", "value": "+47 555 0100"}

WORLD: Final[Mapping[str, Mapping[str, Any]]] = {
    "boss": {"userName": "mia+boss@example.org", "displayName": "Mia", "active": True},
    "ada": {
        "userName": "ada.king@example.org", "externalId": "4711", "displayName": "Ada  King", "title": "Agent",
        "active": True, "name": {"givenName": "Ada", "familyName": "King", "middleName": "M"},
        "emails": [WORK_MAIL, HOME_MAIL], "phoneNumbers": [WORK_PHONE], "roles": [{"value": "agent", "primary": True}],
        ENTERPRISE: {"department": "Care", "employeeNumber": "0006", "manager": {"value": "{boss}"}},
        DESK: {"onCall": True, "seat": 3, "skills": ["net", "mail"], "queues": [{"type": "day", "value": "q1"}]},
    },
    "bob": {"userName": "bob", "active": False, "emails": [{"value": "bob@example.org"}]},
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A variant of a deviation: a request, the expected status, and the expected resources afterwards.

    `after` has values of the resource at `of` by path; None means absent. `members` are the names of the group members.
    `found` has the names of the users that a search finds.
    """

    method: str
    path: str
    body: Any = None
    status: int = 200
    of: str = ""
    after: Mapping[str, Any] | None = None
    members: frozenset[str] | None = None
    found: tuple[str, ...] | None = None


def ops(*operations: Any, **more: Any) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations), **more}


def op(op: str, path: Any = None, *value: Any, **more: Any) -> dict[str, Any]:
    return {"op": op, **({} if path is None else {"path": path}), **({"value": value[0]} if value else {}), **more}


def user(operation: Any, after: Mapping[str, Any], *more: Any) -> Shape:
    """Return a PATCH of Ada."""
    return Shape("PATCH", "/Users/{ada}", ops(operation, *more), of="/Users/{ada}", after=after)


def bare(operation: Any, after: Mapping[str, Any], *more: Any) -> Shape:
    """Return a PATCH of Bob, who has few attributes."""
    return Shape("PATCH", "/Users/{bob}", ops(operation, *more), of="/Users/{bob}", after=after)


def group(operation: Any, *members: str, after: Mapping[str, Any] | None = None) -> Shape:
    """Return a PATCH of the group, with the expected members."""
    return Shape("PATCH", "/Groups/{staff}", ops(operation), 204, "/Groups/{staff}", after, frozenset(members))


def new(body: Mapping[str, Any], after: Mapping[str, Any]) -> Shape:
    """Return a POST of a user."""
    return Shape("POST", "/Users", {"schemas": [USER], "userName": "eve", **body}, 201, after=after)


def put(body: Mapping[str, Any], after: Mapping[str, Any]) -> Shape:
    """Return a PUT of Ada."""
    return Shape("PUT", "/Users/{ada}", {"schemas": [USER], "userName": "ada.king@example.org", **body},
                 of="/Users/{ada}", after=after)  # fmt: skip


def finds(text: str, *found: str, of: str = "/Users", query: str = "") -> Shape:
    """Return a search by a filter."""
    return Shape("FIND", of, {"filter": text, "query": query}, found=found)


def reads(path: str, *found: str) -> Shape:
    """Return a search by a path as it is sent."""
    return Shape("GET", path, found=found)


def refused(method: str, path: str, body: Any, status: int = 400) -> Shape:
    """Return a request that has no meaning and is refused."""
    return Shape(method, path, body, status)


MANAGER: Final = f"{ENTERPRISE}:manager"
BOB_MANAGES: Final = {f"{MANAGER}.value": "{bob}", f"{ENTERPRISE}:department": "Care"}
NO_MANAGER: Final = {MANAGER: None, f"{ENTERPRISE}:department": "Care"}
NEW_MAIL: Final = "ada.new@example.org"

SHAPES: Final[Mapping[str, tuple[Shape, ...]]] = {
    "1 op in another case": (
        user(op("REPLACE", "title", "x"), {"title": "x"}),
        user(op("rEmOvE", "title"), {"title": None}),
        user(op(" Add ", "nickName", "x"), {"nickName": "x"}),
        Shape("PATCH", "/Users/{ada}", {"SCHEMAS": [PATCH_OP], "operations": [{"OP": "Replace", "Path": "Title",
              "Value": "x"}]}, of="/Users/{ada}", after={"title": "x"}),
        Shape("PATCH", "/Users/{ada}", {"schemas": [PATCH_OP.lower()], "OPERATIONS": [op("replace", "title", "x")]},
              of="/Users/{ada}", after={"title": "x"}),
        refused("PATCH", "/Users/{ada}", ops(op("update", "title", "x"))),
        refused("PATCH", "/Users/{ada}", ops(op("", "title", "x"))),
        refused("PATCH", "/Users/{ada}", ops({"path": "title", "value": "x"})),
    ),
    "2 booleans as text": (
        user(op("replace", "active", "FALSE"), {"active": False}),
        user(op("replace", "ACTIVE", " false "), {"active": False}),
        user(op("replace", "active", ["False"]), {"active": False}),
        user(op("replace", None, {"active": "False"}), {"active": False}),
        user(op("replace", None, {"Active": ["fAlSe"]}), {"active": False}),
        user(op("replace", None, {f"{USER}:active": "False"}), {"active": False}),
        user(op("replace", f"{USER}:active", "False"), {"active": False}),
        user(op("replace", f"{DESK}:onCall", "False"), {f"{DESK}:onCall": False}),
        user(op("replace", "onCall", "False"), {f"{DESK}:onCall": False}),
        user(op("replace", None, {DESK: {"onCall": "False"}}), {f"{DESK}:onCall": False, f"{DESK}:seat": 3}),
        user(op("replace", f"{DESK}:place.quiet", "True"), {f"{DESK}:place.quiet": True}),
        user(op("replace", f"{DESK}:place", {"quiet": "true", "floor": "2"}), {f"{DESK}:place": {"quiet": True,
             "floor": 2}}),
        user(op("replace", 'emails[type eq "home"].primary', "True"),
             {"emails": [{**WORK_MAIL, "primary": False}, {**HOME_MAIL, "primary": True}]}),
        user(op("add", "emails", [{"value": "n@example.org", "primary": "True"}]),
             {"emails": [{**WORK_MAIL, "primary": False}, HOME_MAIL, {"value": "n@example.org", "primary": True}]}),
        new({"active": "false", "emails": [{"value": "e", "primary": "TRUE"}], "roles": [{"value": "r",
             "primary": "False"}]},
            {"active": False, "emails": [{"value": "e", "primary": True}], "roles": [{"value": "r",
                 "primary": False}]}),
        put({"active": "False", DESK: {"onCall": "true", "queues": [{"value": "q", "primary": "True"}]}},
            {"active": False, f"{DESK}:onCall": True, f"{DESK}:queues": [{"value": "q", "primary": True}]}),
        finds('active eq "FALSE"', "bob"),
        finds("active eq False", "bob"),
        finds("active eq FALSE and userName pr", "bob"),
        finds("not (active eq True)", "bob"),
        finds("emails[primary eq True]", "ada"),
        finds('emails[primary eq "True" and type eq "work"].value sw "ada"', "ada"),
        finds(f'{DESK}:onCall eq "True"', "ada"),
        finds("onCall eq TRUE", "ada"),
        *(refused("PATCH", "/Users/{ada}", ops(op("replace", "active", value)))
          for value in ("yes", "1", 1, 0, "t", "null", {}, {"value": "x"}, [True, False], "untyped")),
        *(refused("POST", "/Users", {"schemas": [USER], "userName": "eve", "active": value}) for value in ("no", 1,
             {})),
        refused("POST", "/Users", {"schemas": [USER], "userName": "eve", "emails": [{"value": "e", "primary": "x"}]}),
    ),
    "3 entries that are absent": (
        bare(op("Add", 'addresses[type eq "work"].streetAddress', "Storgata 1"),
             {"addresses": [{"type": "work", "streetAddress": "Storgata 1", "locality": "Oslo", "postalCode": "0155",
                             "country": "NO", "region": "O", "formatted": "x y"}]},
             *(op("Add", f'addresses[type eq "work"].{name}', value) for name, value in
               (("locality", "Oslo"), ("postalCode", 155), ("postalCode", "0155"), ("country", "NO"), ("region", "O"),
                ("formatted", "x y")))),
        *(bare(op(name, f'{path}[type eq "work"].value', "a b"), {path: [{"type": "work", "value": "a b"}]})
          for name in ("Add", "Replace") for path in ("phoneNumbers", "ims", "photos", "entitlements", "roles")),
        bare(op("Add", 'x509Certificates[type eq "work"].value', "AAAA"),
             {"x509Certificates": [{"type": "work", "value": "AAAA"}]}),
        bare(op("Add", 'PHONENUMBERS[TYPE EQ "work"].VALUE', "1"), {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("Add", "phoneNumbers[type eq work].value", "1"), {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("Add", 'phoneNumbers[ type  eq  "work" ].value', "1"),
             {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("Add", f'{USER}:phoneNumbers[type eq "work"].value', "1"),
             {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("Add", f'{USER.upper()}:phoneNumbers[type eq "work"].value', "1"),
             {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("Add", f'{USER}.phoneNumbers[type eq "work"].value', "1"),
             {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("Add", 'phoneNumbers[type eq "work" and primary eq true].value', "1"),
             {"phoneNumbers": [{"type": "work", "primary": True, "value": "1"}]}),
        bare(op("Replace", 'phoneNumbers[primary eq "True" AND type eq "work"].value', "1"),
             {"phoneNumbers": [{"type": "work", "primary": True, "value": "1"}]}),
        bare(op("Add", 'phoneNumbers[(type eq "work")].value', "1"), {"phoneNumbers": [{"type": "work",
             "value": "1"}]}),
        bare(op("Add", 'phoneNumbers[value eq "1"].type', "work"), {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("replace", 'phoneNumbers[type eq "work"]', {"value": "1"}),
             {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("add", 'phoneNumbers[type eq "work"]', {"value": "1", "primary": "True"}),
             {"phoneNumbers": [{"type": "work", "value": "1", "primary": True}]}),
        bare(op("replace", 'phoneNumbers[type eq "work"]', [{"value": "1", "type": "work"}]),
             {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("replace", 'phoneNumbers[type eq "work"]', "1"), {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("replace", None, {'phoneNumbers[type eq "work"].value': "1"}),
             {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        bare(op("add", None, {f'{USER}:phoneNumbers[type eq "work"].value': "1", "title": "x"}),
             {"phoneNumbers": [{"type": "work", "value": "1"}], "title": "x"}),
        bare(op("Add", f'{DESK}:queues[type eq "day"].value', "q"), {f"{DESK}:queues": [{"type": "day",
             "value": "q"}]}),
        bare(op("Add", f'{DESK}:queues[type eq "day"].weight', "7"), {f"{DESK}:queues": [{"type": "day",
             "weight": 7}]}),
        bare(op("Add", f'{DESK}:queues[weight eq "7"].value', "q"), {f"{DESK}:queues": [{"weight": 7, "value": "q"}]}),
        user(op("Add", 'emails[type eq "other"].value', "o@example.org"),
             {"emails": [WORK_MAIL, HOME_MAIL, {"type": "other", "value": "o@example.org"}]}),
        user(op("Replace", 'emails[type eq "WORK"].value', NEW_MAIL),
             {"emails": [{**WORK_MAIL, "value": NEW_MAIL}, HOME_MAIL]}),
        user(op("Replace", 'emails[type eq "work"]', NEW_MAIL), {"emails": [{**WORK_MAIL, "value": NEW_MAIL},
             HOME_MAIL]}),
        user(op("Replace", 'emails[type eq "work"]', [NEW_MAIL]), {"emails": [{**WORK_MAIL, "value": NEW_MAIL},
             HOME_MAIL]}),
        user(op("Add", 'emails[type eq "work"]', {"Display": "A"}), {"emails": [{**WORK_MAIL, "display": "A"},
             HOME_MAIL]}),
        user(op("Replace", 'emails[type eq "work"].value', [NEW_MAIL]),
             {"emails": [{**WORK_MAIL, "value": NEW_MAIL}, HOME_MAIL]}),
        user(op("Replace", 'emails[type eq "work"].value', {"value": NEW_MAIL}),
             {"emails": [{**WORK_MAIL, "value": NEW_MAIL}, HOME_MAIL]}),
        user(op("Remove", 'emails[type eq "work"].value', "ada@example.org"),
             {"emails": [{"type": "work", "primary": True}, HOME_MAIL]}),
        user(op("Remove", 'emails[type eq "work"]', [{"value": "x"}]), {"emails": [HOME_MAIL]}),
        user(op("Remove", 'emails[type eq "fax"].value'), {"emails": [WORK_MAIL, HOME_MAIL]}),
        user(op("Replace", 'emails[type eq "work"].value', ""),
             {"emails": [{"type": "work", "primary": True, "value": ""}, HOME_MAIL]}),
        user(op("Replace", 'emails[type eq "work"].value', None), {"emails": [{"type": "work", "primary": True},
             HOME_MAIL]}),
        user(op("Add", 'emails[type eq "fax"].value', None), {"emails": [WORK_MAIL, HOME_MAIL]}),
        *(refused("PATCH", "/Users/{bob}", ops(op("Add", f"phoneNumbers[{text}].value", "1"))) for text in
          ('type eq "a" or type eq "b"', 'type ne "a"', "type pr", 'not (type eq "a")', "", "type eq", "nosuch eq 1",
               "0")),
        refused("PATCH", "/Groups/{staff}", ops(op("Add", 'members[value eq "x"].display', "1"))),
    ),
    "4 roles by a boolean as text": (
        user(op("Replace", 'roles[primary eq "true"].value', "lead"), {"roles": [{"value": "lead", "primary": True}]}),
        user(op("Replace", "roles[primary eq True].value", "lead"), {"roles": [{"value": "lead", "primary": True}]}),
        user(op("Replace", 'ROLES[PRIMARY EQ "TRUE"].VALUE', "lead"), {"roles": [{"value": "lead", "primary": True}]}),
        bare(op("Add", 'roles[primary eq "False"].value', "x"), {"roles": [{"value": "x", "primary": False}]}),
        bare(op("Add", 'entitlements[primary eq "True"].value', "x"), {"entitlements": [{"value": "x",
             "primary": True, "display": "Y"}]},
             op("Add", 'entitlements[primary eq "True"].displayName', "X"),
             op("Replace", 'entitlements[primary eq "True"].display', "Y"),
             op("Replace", "entitlements[primary eq true].value", "x")),
        user(op("Remove", 'roles[primary eq "True"]'), {"roles": None}),
        user(op("Remove", 'roles[primary eq "True" and value eq "agent"].value'), {"roles": [{"primary": True}]}),
        refused("PATCH", "/Users/{ada}", ops(op("Add", 'roles[primary eq "yes"].value', "x"))),
    ),
    "5 dotted and URN:attribute names": (
        user(op("replace", None, {"name.givenName": "A", "NAME.FamilyName": "L"}),
             {"name": {"givenName": "A", "familyName": "L", "middleName": "M"}}),
        user(op("add", None, {"name": {"givenName": "A"}, "name.familyName": "L"}),
             {"name": {"givenName": "A", "familyName": "L", "middleName": "M"}}),
        user(op("replace", None, {f"{USER}:name.givenName": "A", f"{USER}.title": "x",
             f"{USER.upper()}:nickName": "n"}),
             {"name": {"givenName": "A", "familyName": "King", "middleName": "M"}, "title": "x", "nickName": "n"}),
        user(op("replace", None, {USER: {"title": "x", "name.givenName": "A"}}),
             {"title": "x", "name": {"givenName": "A", "familyName": "King", "middleName": "M"}}),
        user(op("replace", USER, {"title": "x", "active": "False"}), {"title": "x", "active": False}),
        user(op("add", USER.lower(), {"Title": "x", "name.givenName": "A"}),
             {"title": "x", "name": {"givenName": "A", "familyName": "King", "middleName": "M"}}),
        user(op("replace", ENTERPRISE, {"department": "x", "Manager": "{bob}"}),
             {f"{ENTERPRISE}:department": "x", f"{MANAGER}.value": "{bob}", f"{ENTERPRISE}:employeeNumber": "0006"}),
        user(op("replace", ENTERPRISE.upper(), {"manager.value": "{bob}"}), BOB_MANAGES),
        user(op("add", None, {ENTERPRISE: {"manager.value": "{bob}", "costCenter": 7}}),
             {**BOB_MANAGES, f"{ENTERPRISE}:costCenter": "7"}),
        user(op("add", None, {ENTERPRISE.upper(): {"Manager": {"Value": "{bob}"}}}), BOB_MANAGES),
        user(op("replace", None, {f"{MANAGER}.value": "{bob}"}), BOB_MANAGES),
        user(op("replace", None, {f"{ENTERPRISE}.manager.value": "{bob}"}), BOB_MANAGES),
        user(op("replace", None, {"manager.value": "{bob}"}), BOB_MANAGES),
        user(op("replace", None, {"department": None, "costCenter": "9"}),
             {f"{ENTERPRISE}:department": None, f"{ENTERPRISE}:costCenter": "9"}),
        user(op("add", None, {DESK: {"place.floor": "2", "place.room": "B", "onCall": "False"}}),
             {f"{DESK}:place": {"floor": 2, "room": "B"}, f"{DESK}:onCall": False, f"{DESK}:seat": 3}),
        user(op("replace", None, {f"{DESK}:place.floor": 2, f"{DESK}.place.room": "B", "place.quiet": "true"}),
             {f"{DESK}:place": {"floor": 2, "room": "B", "quiet": True}}),
        user(op("replace", None, {'emails[type eq "work"].value': NEW_MAIL, "title": "x"}),
             {"emails": [{**WORK_MAIL, "value": NEW_MAIL}, HOME_MAIL], "title": "x"}),
        user(op("replace", None, {DESK: {'queues[type eq "day"].value': "q9"}}),
             {f"{DESK}:queues": [{"type": "day", "value": "q9"}]}),
        user(op("replace", None, {f'{DESK}:queues[type eq "day"].value': "q9"}),
             {f"{DESK}:queues": [{"type": "day", "value": "q9"}]}),
        user(op("replace", f"{USER}:name.givenName", "A"),
             {"name": {"givenName": "A", "familyName": "King", "middleName": "M"}}),
        user(op("Replace", f"{USER}.name.givenName", "A"),
             {"name": {"givenName": "A", "familyName": "King", "middleName": "M"}}),
        user(op("Replace", f'{USER}:emails[type eq "work"].value', NEW_MAIL),
             {"emails": [{**WORK_MAIL, "value": NEW_MAIL}, HOME_MAIL]}),
        user(op("Replace", " title ", "x"), {"title": "x"}),
        user(op("Replace", "/title", "x"), {"title": "x"}),
        user(op("Replace", "title/", "x"), {"title": "x"}),
        user(op("Replace", "/name/givenName", "A"), {"name": {"givenName": "A", "familyName": "King",
             "middleName": "M"}}),
        user(op("Replace", f"/{ENTERPRISE}:department", "x"), {f"{ENTERPRISE}:department": "x"}),
        user(op("Replace", f"{ENTERPRISE}/department", "x"), {f"{ENTERPRISE}:department": "x"}),
        user(op("Replace", "", {"title": "x"}), {"title": "x"}),
        user({"op": "Replace", "path": None, "value": {"title": "x"}}, {"title": "x"}),
        user(op("Replace", " ", {"title": "x"}), {"title": "x"}),
        user(op("Replace", "/", {"title": "x"}), {"title": "x"}),
        new({"name.givenName": "E", "name.familyName": "V", f"{DESK}:seat": "4", f"{DESK}.place.floor": "2"},
            {"name": {"givenName": "E", "familyName": "V"}, f"{DESK}:seat": 4, f"{DESK}:place": {"floor": 2}}),
        new({f"{USER}:title": "x", f"{USER}:name.givenName": "E", f"{USER}.nickName": "n"},
            {"title": "x", "name": {"givenName": "E"}, "nickName": "n"}),
        new({USER: {"title": "x", "name": {"givenName": "E"}}}, {"title": "x", "name": {"givenName": "E"}}),
        new({'emails[type eq "work"].value': "e@example.org", 'phoneNumbers[type eq "mobile"].value': "1",
             'emails[type eq "work"].primary': "True"},
            {"emails": [{"type": "work", "value": "e@example.org", "primary": True}],
             "phoneNumbers": [{"type": "mobile", "value": "1"}]}),
        put({'emails[type eq "work"].value': "e@example.org", f'{DESK}:queues[type eq "day"].value': "q"},
            {"emails": [{"type": "work", "value": "e@example.org"}],
             f"{DESK}:queues": [{"type": "day", "value": "q"}]}),
        new({"emails.value": "e@example.org"}, {"emails": [{"value": "e@example.org"}]}),
        new({ENTERPRISE.upper(): {"Department": "x"}}, {f"{ENTERPRISE}:department": "x"}),
        new({f"{ENTERPRISE.upper()}:Department": "x", f"{MANAGER}.value": "{bob}"},
            {f"{ENTERPRISE}:department": "x", f"{MANAGER}.value": "{bob}"}),
        new({ENTERPRISE: {"manager.value": "{bob}", "manager.displayName": "B"}}, {f"{MANAGER}.value": "{bob}"}),
        put({"department": "x", "manager": "{bob}", "costCenter": 7},
            {f"{ENTERPRISE}:department": "x", f"{MANAGER}.value": "{bob}", f"{ENTERPRISE}:costCenter": "7"}),
        *(refused("PATCH", "/Users/{ada}", ops(op("replace", path, "x"))) for path in
          ("emails[", "emails]", 'emails[type eq "work"', "emails[]", "emails[type]", "[", 7, ["title"], {"a": 1},
               True)),
    ),
    "6 to 8 a manager in every form": (
        *(Shape("PATCH", "/Users/{ada}", ops(op(name, path, value)), of="/Users/{ada}", after=BOB_MANAGES)
          for name in ("Add", "replace")
          for path in (MANAGER, MANAGER.upper(), f"{ENTERPRISE}.manager", "manager", "Manager")
          for value in ("{bob}", ["{bob}"], {"value": "{bob}"}, {"Value": "{bob}"}, [{"Value": "{bob}", "$ref": None}],
                        {"value": ["{bob}"]}, {"$ref": "../Users/{bob}"}, {"$ref": f"{BASE_URL}/Users/{{bob}}"},
                        [{"$ref": "/Users/{bob}"}], {"value": "{bob}", "displayName": "Bob"},
                        {"value": "{bob}", "display": "Bob", "type": "User"}, {"value": "{bob}", "$ref": "x"},
                        {"manager": "{bob}"}, {"manager": {"value": "{bob}"}})),
        *(user(op("replace", f"{path}.value", value), BOB_MANAGES)
          for path in (MANAGER, "manager", f"{ENTERPRISE}.manager")
          for value in ("{bob}", ["{bob}"], {"value": "{bob}"})),
        *(user(op("replace", path, value), NO_MANAGER)
          for path in (MANAGER, "manager", f"{ENTERPRISE}.Manager")
          for value in ("", None, [], {}, [""], [{}], [None], {"value": ""}, {"Value": ""}, {"value": None},
                        {"value": "", "displayName": ""}, {"value": None, "$ref": "Users/{boss}"}, {"value": "",
                        "$ref": ""}, [{"value": ""}])),
        *(user(op("replace", f"{path}.value", value), NO_MANAGER)
          for path in (MANAGER, "manager") for value in ("", None, [])),
        *(user(op("Remove", path, *value), NO_MANAGER)
          for path in (MANAGER, "manager", f"{ENTERPRISE}.manager", f"{MANAGER}.value", "manager.value",
                       f'{MANAGER}[value eq "{{boss}}"]', "manager[value eq {boss}]",
                       f'{ENTERPRISE}.manager[Value EQ "{{boss}}"]', f'{MANAGER}[value eq "{{boss}}"].value')
          for value in ((), (None,), ("",), ("{boss}",), ([{"value": "{boss}"}],), ({"value": "{boss}"},))),
        user(op("Remove", f'{MANAGER}[value eq "nobody"]'), {f"{MANAGER}.value": "{boss}"}),
        user(op("replace", None, {"manager": ""}), NO_MANAGER),
        user(op("replace", None, {ENTERPRISE: {"manager": ""}}), NO_MANAGER),
        user(op("replace", None, {ENTERPRISE: {"manager": None}}), NO_MANAGER),
        user(op("replace", None, {MANAGER: {"value": ""}}), NO_MANAGER),
        user(op("replace", None, {"manager.value": ""}), NO_MANAGER),
        user(op("replace", f"{DESK}:lead", "{bob}"), {f"{DESK}:lead.value": "{bob}"}),
        user(op("replace", "lead", [{"$ref": "Users/{bob}"}]), {f"{DESK}:lead.value": "{bob}"}),
        user(op("add", None, {"lead": {"Value": "{bob}"}}), {f"{DESK}:lead.value": "{bob}"}),
        put({ENTERPRISE: {"manager": {"$ref": "../Users/{boss}"}, "department": "x"}},
            {MANAGER: None, f"{ENTERPRISE}:department": "x"}),
        new({ENTERPRISE: {"manager": [{"value": "{bob}"}]}}, {f"{MANAGER}.value": "{bob}"}),
        new({ENTERPRISE: {"manager": ""}, DESK: {"lead": {"value": ""}}}, {MANAGER: None, f"{DESK}:lead": None}),
        new({ENTERPRISE: {"manager": 4711}}, {f"{MANAGER}.value": "4711"}),
        put({ENTERPRISE: {"manager": {"value": None}}}, {MANAGER: None}),
        *(refused("PATCH", "/Users/{ada}", ops(op("replace", MANAGER, value))) for value in
          (["{bob}", "{boss}"], [{"value": "{bob}"}, {"value": "{boss}"}], True, {"value": {"x": 1}})),
    ),
    "9 to 11 members in every form": (
        *(group(op(name, path, value), "ada", "bob", "boss")
          for name in ("Add", "add") for path in ("members", "Members", f"{GROUP}:members", f"{GROUP}.members",
               " members")
          for value in ("{boss}", ["{boss}"], {"value": "{boss}"}, [{"value": "{boss}"}], [{"Value": "{boss}"}],
                        {"members": [{"value": "{boss}"}]}, {"Members": ["{boss}"]}, {"members": "{boss}"},
                        {"members": {"value": "{boss}"}}, [{"$ref": None, "value": "{boss}", "display": None,
                        "type": None}],
                        [{"$ref": "Users/{boss}"}], [{"$ref": f"{BASE_URL}/Users/{{boss}}"}], {"value": ["{boss}"]},
                        [{"value": "{boss}", "displayName": "x", "name": "y"}], ["{boss}", None, "{boss}"],
                        [{"value": "{boss}", "type": "User"}, {"value": "{boss}"}], [{"value": "{boss}",
                        "type": "user"}])),
        *(group(op("Remove", path, value), "bob")
          for path in ("members", "MEMBERS", f"{GROUP}:members", f"{GROUP}.members")
          for value in ("{ada}", ["{ada}"], {"value": "{ada}"}, [{"value": "{ada}"}], {"Members": ["{ada}"]},
                        {"members": "{ada}"}, {"members": [{"$ref": None, "value": "{ada}"}]}, [{"Value": "{ada}"}],
                        [{"$ref": "Users/{ada}"}], [{"value": "{ada}", "display": "x", "type": "User"}],
                        [{"value": "{ada}"}, {"value": "nobody"}], ["{ada}", None], {"value": ["{ada}"]})),
        *(group(op("Remove", path, *value), "bob")
          for path in ('members[value eq "{ada}"]', "members[value eq {ada}]", 'MEMBERS[VALUE EQ "{ada}"]',
                       f'{GROUP}:members[value eq "{{ada}}"]', f'{GROUP}.members[value eq "{{ada}}"]',
                       'members[ value eq "{ada}" ]', 'members[value eq "{ada}"].value',
                       'members[value eq "{ada}" and type eq "User"]')
          for value in ((), (None,), ([{"value": "{ada}"}],))),
        group(op("Remove", 'members[value eq "{ada}" or value eq "{bob}"]')),
        group(op("Remove", 'members[value eq "nobody"]'), "ada", "bob"),
        *(group(op("Remove", "members", *value)) for value in ((), (None,))),
        *(group(op("Remove", "members", value), "ada", "bob") for value in ([], {}, "", [{}], [None], {"members": []})),
        *(group(op("Replace", "members", value), "boss") for value in
          ("{boss}", ["{boss}"], {"value": "{boss}"}, [{"$ref": "../Users/{boss}", "value": "{boss}"}],
           {"members": ["{boss}"]})),
        *(group(op("replace", "members", value)) for value in ([], None, "", {}, [{}])),
        *(group(op("add", "members", value), "ada", "bob") for value in ([], None, "", {}, [None])),
        *(group(op("add", None, {name: value}), "ada", "bob", "boss") for name in ("members", "Members",
             f"{GROUP}:members")
          for value in ("{boss}", ["{boss}"], {"value": "{boss}"}, [{"value": "{boss}", "$ref": None}])),
        group(op("replace", None, {"members": "{boss}", "displayName": "New"}), "boss", after={"displayName": "New"}),
        group(op("replace", None, {GROUP: {"members": ["{boss}"]}}), "boss"),
        group(op("add", GROUP, {"members": ["{boss}"], "externalId": "e"}), "ada", "bob", "boss",
             after={"externalId": "e"}),
        group(op("replace", "displayName", ["New"]), "ada", "bob", after={"displayName": "New"}),
        group(op("replace", "displayname", {"value": "New"}), "ada", "bob", after={"displayName": "New"}),
        Shape("PUT", "/Groups/{staff}", {"schemas": [GROUP], "displayName": "Staff", "members": "{boss}"},
              of="/Groups/{staff}", members=frozenset({"boss"})),
        Shape("PUT", "/Groups/{staff}", {"displayName": "Staff", "Members": [{"$ref": "Users/{boss}",
             "display": None}]},
              of="/Groups/{staff}", members=frozenset({"boss"})),
        Shape("POST", "/Groups", {"displayName": "New", "members": ["{ada}", {"value": "{bob}"}, None, {}]}, 201,
              members=frozenset({"ada", "bob"})),
        Shape("POST", "/Groups", {"displayName": ["New"], "members": {"members": ["{ada}"]}}, 201,
              members=frozenset({"ada"})),
        user(op("Remove", "emails", [{"value": "h@example.org"}]), {"emails": [WORK_MAIL]}),
        user(op("Remove", "emails", ["h@example.org"]), {"emails": [WORK_MAIL]}),
        user(op("Remove", "emails", "h@example.org"), {"emails": [WORK_MAIL]}),
        user(op("Remove", "emails", [{"type": "home"}]), {"emails": [WORK_MAIL]}),
        user(op("Remove", "emails", {"Type": "home", "Primary": None}), {"emails": [WORK_MAIL]}),
        user(op("Remove", "emails", [{"value": "x@example.org"}]), {"emails": [WORK_MAIL, HOME_MAIL]}),
        user(op("Remove", "emails", [{"value": "ada@example.org", "primary": "True", "type": "work"}]),
             {"emails": [HOME_MAIL]}),
        user(op("Remove", "roles", "agent"), {"roles": None}),
        user(op("Remove", "skills", "net"), {f"{DESK}:skills": ["mail"]}),
        user(op("Remove", f"{DESK}:skills", ["net", "x"]), {f"{DESK}:skills": ["mail"]}),
        user(op("Remove", f'{DESK}:skills[value eq "net"]'), {f"{DESK}:skills": ["mail"]}),
        user(op("Remove", f"{DESK}:queues", {"queues": [{"value": "q1"}]}), {f"{DESK}:queues": None}),
        user(op("Remove", "title", "Agent"), {"title": None}),
        user(op("Remove", "name.middleName", ["M"]), {"name": {"givenName": "Ada", "familyName": "King"}}),
        user(op("Remove", ENTERPRISE, {"department": "Care"}), {ENTERPRISE: None}),
        refused("PATCH", "/Groups/{staff}", ops(op("remove", None, {"members": ["{ada}"]}))),
        refused("PATCH", "/Groups/{staff}", ops(op("remove"))),
        refused("PATCH", "/Groups/{staff}", ops(op("remove", "displayName"))),
        refused("PATCH", "/Groups/{staff}", ops(op("replace", "displayName", ""))),
    ),
    "12 read-only attributes": (
        put({"id": "{ada}", "ID": "{ada}", "meta": {"version": "x", "location": 7}, "groups": "x"},
             {"groups": [{"value": "{staff}"}]}),
        put({"meta": None, "groups": None, "schemas": None}, {"userName": "ada.king@example.org"}),
        put({"meta": "x", "groups": [{"value": "g"}], "nosuch": 1}, {"userName": "ada.king@example.org"}),
        user(op("replace", None, {"id": "{ada}", "meta": {}, "groups": [], "schemas": [USER], "title": "x"}),
             {"title": "x"}),
        user(op("add", None, {"ID": "{ada}", "Meta": {"version": "1"}, "Title": "x"}), {"title": "x"}),
        user(op("replace", None, {USER: {"id": "{ada}", "meta": {}, "title": "x"}}), {"title": "x"}),
        user(op("replace", None, {f"{USER}:id": "{ada}", f"{USER}:meta.version": "x", "title": "x"}), {"title": "x"}),
        user(op("replace", None, {"meta.lastModified": "x", "groups.value": "x", f"{MANAGER}.displayName": "B"}),
             {f"{MANAGER}.value": "{boss}"}),
        user(op("replace", "schemas", [USER]), {"title": "Agent"}),
        user(op("add", "schemas", ENTERPRISE), {"title": "Agent"}),
        group(op("replace", None, {"id": "{staff}", "displayName": "New", "meta": {}}), "ada", "bob",
              after={"displayName": "New"}),
        group(op("Replace", None, {"Id": "{staff}", "DisplayName": "New"}), "ada", "bob", after={"displayName": "New"}),
        put({"id": "{bob}"}, {"id": "{ada}"}),
        put({"Id": "{bob}"}, {"id": "{ada}"}),
        user(op("replace", None, {"id": "{bob}", "title": "x"}), {"id": "{ada}", "title": "x"}),
        user(op("replace", None, {"ID": "{bob}", "title": "x"}), {"id": "{ada}", "title": "x"}),
        *(refused("PATCH", "/Users/{ada}", ops(op("replace", path, "x"))) for path in ("id", "meta.version", "groups")),
    ),
    "13 and 14 schemas": (
        *(new({"schemas": value}, {"userName": "eve"}) for value in
          (None, [], "", "x", {}, [None], 7, True, [7], [USER.lower()], [f" {USER} "], [USER, "urn:x:y"],
           [USER.replace("2.0:", "2.0")], ["urn:scim:schemas:core:1.0"], {"schemas": [USER]},
           [ENTERPRISE], ["http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/User"])),
        *(Shape("PATCH", "/Users/{ada}", {"Operations": [op("replace", "title", "x")], **more}, of="/Users/{ada}",
                after={"title": "x"}) for more in
          ({"schemas": value} for value in (None, [], "x", PATCH_OP, [USER], [f"{PATCH_OP} "], {}, 7, [7]))),
        Shape("POST", "/Groups", {"schemas": [GROUP,
             "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
              "displayName": "New", "externalId": "e", "meta": {"resourceType": "Group"}}, 201,
              after={"displayName": "New"}),
        Shape("POST", "/Groups", {"schemas": ["urn:okta:custom:group:1.0"], "displayName": "New", "members": None,
              "urn:okta:custom:group:1.0": {"description": "x"}}, 201, after={"displayName": "New"}),
        new({"urn:ietf:params:scim:schemas:extension:enterprise:2.0User": {"department": "x"}},
            {f"{ENTERPRISE}:department": "x"}),
        new({"urn:scim:schemas:extension:enterprise:1.0": {"department": "x"}}, {f"{ENTERPRISE}:department": None}),
        new({"department": "x", "schemas": [USER]}, {f"{ENTERPRISE}:department": "x"}),
    ),
    "15 names in another case": (
        new({"USERNAME": "eve2", "userName": None, "DISPLAYNAME": "E", "Name": {"GIVENNAME": "E"},
             "Emails": [{"VALUE": "e", "TYPE": "work", "Primary": True}]},
            {"userName": "eve2", "displayName": "E", "name": {"givenName": "E"},
             "emails": [{"value": "e", "type": "work", "primary": True}]}),
        user(op("replace", "NAME.GIVENNAME", "A"), {"name": {"givenName": "A", "familyName": "King",
             "middleName": "M"}}),
        user(op("replace", 'Emails[Type Eq "work"].Value', NEW_MAIL), {"emails": [{**WORK_MAIL, "value": NEW_MAIL},
             HOME_MAIL]}),
        user(op("replace", None, {"DISPLAYNAME": "x", "Name": {"GivenName": "A"}}),
             {"displayName": "x", "name": {"givenName": "A", "familyName": "King", "middleName": "M"}}),
        finds('USERNAME EQ "ADA.KING@EXAMPLE.ORG"', "ada"),
        finds('Emails[Type Eq "WORK" And Value Co "ADA"]', "ada"),
        finds(f'{USER.upper()}:NAME.FAMILYNAME eq "king"', "ada"),
        finds(f'{ENTERPRISE.upper()}:DEPARTMENT eq "care"', "ada"),
    ),
}  # fmt: skip
