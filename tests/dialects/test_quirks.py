"""Each quirk: fired by its habit in the tolerant dialect, refused in the strict one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from scimkit import ENTRA, STRICT, TOLERANT
from scimkit.dialects import NOT_MINE, QUIRKS, Quirk
from tests.client import BASE_URL, ENTERPRISE, PATCH_OP, USER, Client


@dataclass(frozen=True)
class Habit:
    """A request with a habit, and what the user or group has at `at` afterwards in the tolerant dialect."""

    method: str = "PATCH"
    body: Any = None
    query: str = ""
    at: str = ""
    value: Any = None
    headers: Any = None


def patch(*operations: Any, **more: Any) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations), **more}


def op(op: str, path: str | None = None, **more: Any) -> dict[str, Any]:
    return {"op": op, **({} if path is None else {"path": path}), **more}


JOINED = ENTERPRISE.replace("2.0:User", "2.0User")

HABITS: dict[str, Habit] = {
    "op-case": Habit(body=patch(op("Add", "title", value="x")), at="title", value="x"),
    "boolean-text": Habit(body=patch(op("replace", "active", value="False")), at="active", value=False),
    "boolean-text-compared": Habit("GET", query='filter=active+eq+"True"', value=1),
    "empty-filter": Habit("GET", query="filter=", value=1),
    "array-of-one": Habit(body=patch(op("add", "title", value=["x"])), at="title", value="x"),
    "empty-reference": Habit(body=patch(op("replace", f"{ENTERPRISE}:manager", value="")), at=f"{ENTERPRISE}:manager"),
    "text-for-complex": Habit(
        body=patch(op("add", f"{ENTERPRISE}:manager", value="m2")), at=f"{ENTERPRISE}:manager",
        value={"value": "m2", "$ref": f"{BASE_URL}/Users/m2"}
    ),
    "scalar-for-text": Habit(body=patch(op("add", "title", value=4711)), at="title", value="4711"),
    "one-for-many": Habit(
        body=patch(op("add", "roles", value={"value": "x"})), at="roles", value=[{"value": "x"}]
    ),
    "wrapped-values": Habit(
        body=patch(op("add", "roles", value={"roles": [{"value": "x"}]})), at="roles", value=[{"value": "x"}]
    ),
    "several-primaries": Habit(
        body=patch(op("add", "roles", value=[{"value": "x", "primary": True}, {"value": "y", "primary": True}])),
        at="roles", value=[{"value": "x", "primary": True}, {"value": "y", "primary": False}],
    ),
    "path-as-name": Habit("PUT", {"schemas": [USER], "userName": "ada", "name.givenName": "Ada"}, at="name",
                          value={"givenName": "Ada"}),
    "extension-attribute": Habit("PUT", {"schemas": [USER], "userName": "ada", "department": "Care"},
                                 at=f"{ENTERPRISE}:department", value="Care"),
    "displayName-for-display": Habit(
        body=patch(op("add", "roles", value=[{"value": "x", "displayName": "X"}])), at="roles",
        value=[{"value": "x", "display": "X"}],
    ),
    "joined-urn": Habit("PUT", {"schemas": [USER], "userName": "ada", JOINED: {"department": "Care"}},
                        at=f"{ENTERPRISE}:department", value="Care"),
    "joined-urn-path": Habit(body=patch(op("add", f"{JOINED}:department", value="Care")),
                             at=f"{ENTERPRISE}:department", value="Care"),
    "unknown-attribute": Habit("PUT", {"schemas": [USER], "userName": "ada", "adreses": [1]}, at="adreses"),
    "path-as-name-in-patch": Habit(body=patch(op("replace", value={"name.givenName": "Ada"})), at="name",
                                   value={"givenName": "Ada"}),
    "extension-attribute-in-patch": Habit(body=patch(op("replace", value={"department": "Care"})),
                                          at=f"{ENTERPRISE}:department", value="Care"),
    "unknown-attribute-in-patch": Habit(body=patch(op("replace", value={"nosuch": 1})), at="nosuch"),
    "dot-after-urn": Habit(body=patch(op("add", f"{ENTERPRISE}.department", value="Care")),
                           at=f"{ENTERPRISE}:department", value="Care"),
    "unqualified-path": Habit(body=patch(op("add", "department", value="Care")),
                              at=f"{ENTERPRISE}:department", value="Care"),
    "displayName-path": Habit(body=patch(op("add", 'emails[type eq "home"].displayName', value="H")), at="emails",
                              value=[{"type": "home", "value": "h@example.org", "display": "H"}]),
    "unknown-path": Habit(body=patch(op("add", "companyName", value="x")), at="companyName"),
    "remove-listed": Habit(body=patch(op("remove", "emails", value=[{"value": "h@example.org"}])), at="emails"),
    "create-element": Habit(body=patch(op("add", 'phoneNumbers[type eq "work"].value', value="1")), at="phoneNumbers",
                            value=[{"type": "work", "value": "1"}]),
    "read-only-in-value": Habit(body=patch(op("replace", value={"meta": {}, "title": "x"})), at="title", value="x"),
    "other-schemas": Habit("PUT", {"schemas": ["urn:scim:schemas:core:1.0"], "userName": "ada2"}, at="userName",
                           value="ada2"),
    "no-message-schema": Habit(body={"Operations": [op("add", "title", value="x")]}, at="title", value="x"),
    "extra-members": Habit(body=patch(op("add", "title", value="x", name="addTitle"), id="1"), at="title", value="x"),
    "unquoted-text": Habit("GET", query="filter=userName+eq+ada", value=1),
    "narrowed-value-path": Habit("GET", query='filter=emails[type+eq+"home"].value+eq+"h@example.org"', value=1),
    "reference-by-uri": Habit(
        body=patch(op("replace", f"{ENTERPRISE}:manager", value={"$ref": "../Users/m2"})), at=f"{ENTERPRISE}:manager",
        value={"value": "m2", "$ref": f"{BASE_URL}/Users/m2"},
    ),
    "value-alone": Habit(body=patch(op("add", "title", value={"value": "x"})), at="title", value="x"),
    "value-for-element": Habit(body=patch(op("replace", 'emails[type eq "home"]', value="x")), at="emails",
                               value=[{"type": "home", "value": "x"}]),
    "schemas-without-urns": Habit("PUT", {"schemas": [USER, {}], "userName": "ada2"}, at="userName", value="ada2"),
    "wrapped-object": Habit("PUT", {"schemas": [USER], "userName": "ada", USER: {"title": "x"}}, at="title", value="x"),
    "element-as-name": Habit(
        "PUT", {"schemas": [USER], "userName": "ada", 'emails[type eq "home"].value': "x"}, at="emails",
        value=[{"type": "home", "value": "x"}],
    ),
    "resource-as-path": Habit(body=patch(op("add", USER, value={"title": "x"})), at="title", value="x"),
    "slashes": Habit(body=patch(op("add", "/title", value="x")), at="title", value="x"),
    "dot-after-urn-filtered": Habit("GET", query=f'filter={ENTERPRISE}.manager.value+eq+"m1"', value=1),
    "other-accept": Habit("GET", query="filter=userName+pr", value=1, headers={"Accept": "text/html"}),
    "scalar-compared": Habit("GET", query="filter=externalId+eq+4711", value=1),
}  # fmt: skip

ELSEWHERE = {
    "json-text": "the entra dialect", "number-text": "a type with numbers", "parameter-text": "a search",
    "reference-without-value": "members",
}  # fmt: skip
"""Quirks that no default type in the tolerant dialect shows; each has a test of its own below."""


def prepared(dialect: Any) -> tuple[Client, str]:
    client = Client(dialect=dialect)
    id = client.user(
        "ada", active=True, externalId="4711", emails=[{"type": "home", "value": "h@example.org"}],
        schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"manager": {"value": "m1"}}},
    )  # fmt: skip
    return client, id


def send(client: Client, id: str, habit: Habit) -> Any:
    path = f"/Users?{habit.query}" if habit.method == "GET" else f"/Users/{id}"
    return client.send(habit.method, path, habit.body, habit.headers)


def test_every_quirk_has_a_habit() -> None:
    """No quirk is without a test."""
    assert set(HABITS) | set(ELSEWHERE) == {quirk.name for quirk in QUIRKS}


@pytest.mark.parametrize("name", HABITS)
def test_tolerant_serves_it(name: str) -> None:
    """The tolerant dialect rewrites the habit, and the response names the quirk outside its body."""
    habit = HABITS[name]
    client, id = prepared(TOLERANT)
    answer = send(client, id, habit)
    assert answer.status == 200, answer.body
    assert name in answer.quirks
    if habit.method == "GET":
        assert answer.body["totalResults"] == habit.value
    else:
        resource = client.get(f"/Users/{id}").body
        urn, _, attribute = habit.at.rpartition(":")
        assert (resource.get(urn, {}) if urn else resource).get(attribute) == habit.value


@pytest.mark.parametrize("name", HABITS)
@pytest.mark.rfc("7644-3.4.2.2-3", "7644-3.5.2-2")
def test_strict_refuses_it(name: str) -> None:
    """The strict dialect refuses the same request with a 400, and nothing changes."""
    client, id = prepared(STRICT)
    before = client.get(f"/Users/{id}").body
    answer = send(client, id, HABITS[name])
    assert answer.status == (406 if name == "other-accept" else 400), answer.body
    assert answer.quirks == ()
    assert client.get(f"/Users/{id}").body == before


def test_a_member_without_its_value() -> None:
    """A member whose value is removed goes; strict refuses, since a member must have one."""
    for dialect, status, left in ((TOLERANT, 204, set()), (STRICT, 400, {"ada"})):
        client, id = prepared(dialect)
        team = client.group("team", id)
        answer = client.patch(f"/Groups/{team}", op("remove", f'members[value eq "{id}"].value'))
        assert answer.status == status, answer.body
        assert answer.quirks == (() if dialect is STRICT else ("reference-without-value",))
        assert client.members(team) == {id for _ in left}


def test_a_role_as_json_text() -> None:
    """A role as JSON in a string is read by the entra dialect, and kept as text by the tolerant one."""
    operation = op("add", "roles", value=['{"id": "1", "value": "Agent", "displayName": "A"}'])
    client, id = prepared(ENTRA)
    answer = client.patch(f"/Users/{id}", operation)
    assert answer.body["roles"] == [{"value": "Agent", "display": "A"}]
    assert "json-text" in answer.quirks
    client, id = prepared(TOLERANT)
    assert client.patch(f"/Users/{id}", operation).body["roles"][0]["value"].startswith("{")


@pytest.mark.parametrize(
    "text",
    ['{"a":' * 5000, '{"a":' * 1500 + "1" + "}" * 1500, '{"value": "\\ud800"}', '{"value": "\\u0000"}', '{"a": NaN}',
     '{"value": "x", "value": "y"}', "{"],
    ids=["unclosed", "deep", "surrogate", "NUL", "NaN", "twice", "brace"],
)  # fmt: skip
def test_a_text_that_is_no_role(text: str) -> None:
    """A text that no body may have is no role either: it is a role's value, as any other text."""
    client, id = prepared(ENTRA)
    answer = client.patch(f"/Users/{id}", op("add", "roles", value=[text]))
    assert (answer.status, answer.body["roles"]) == (200, [{"value": text}])


def test_a_number_as_text() -> None:
    """A number as text is read where the type has numbers."""
    from tests.resource_types import DEVICE

    client = Client(resource_types=(DEVICE,))
    body = {"serial": "1", "label": "x", "ports": "3", "weight": "1.5"}
    answer = client.post("/Devices", {"schemas": [DEVICE.schema], **body})
    assert (answer.body["ports"], answer.body["weight"]) == (3, 1.5)
    assert answer.quirks == ("number-text",)
    assert client.get('/Devices?filter=ports eq "3"').body["totalResults"] == 1


@pytest.mark.parametrize("member", [{"count": "1"}, {"startIndex": " 1 "}, {"attributes": "id,userName"}])
def test_a_parameter_as_text(member: dict[str, Any]) -> None:
    """A number, or a list of attributes, may be a text in the body of a search; strict refuses it."""
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], **member}
    client, _ = prepared(TOLERANT)
    answer = client.post("/Users/.search", body)
    assert (answer.body["totalResults"], answer.quirks) == (1, ("parameter-text",))
    client, _ = prepared(STRICT)
    assert client.post("/Users/.search", body).body["scimType"] == "invalidValue"


def test_a_host_adds_a_quirk() -> None:
    """A host's own quirk is a few lines, and is asked before the others."""

    def swedish(attribute: Any, value: object) -> Any:
        return {"ja": True, "nej": False}.get(str(value), NOT_MINE) if attribute.type == "boolean" else NOT_MINE

    quirk = Quirk("swedish", "value", "ja and nej", "no boolean is a text", ("us",), "our own", swedish)
    client, id = prepared(TOLERANT.extended("ours", quirk))
    answer = client.patch(f"/Users/{id}", op("replace", "active", value="nej"))
    assert answer.body["active"] is False
    assert answer.quirks == ("swedish",)


def test_a_quirk_can_be_left_out() -> None:
    """A dialect without a quirk refuses its habit."""
    client, id = prepared(TOLERANT.without("careful", "op-case"))
    assert client.patch(f"/Users/{id}", op("Add", "title", value="x")).status == 400


def test_a_token_chooses_its_dialect() -> None:
    """A token's dialect serves its requests, whatever the service's."""
    client = Client()
    strict = client.of_tenant("default")
    strict.token = client.tokens.issue("strict", dialect="strict").token
    assert client.get("/Users?filter=userName eq x").status == 200
    assert strict.get("/Users?filter=userName eq x").status == 400


def test_a_request_in_rfc_form_fires_nothing() -> None:
    """What the RFC allows is read the same in every dialect, and no quirk is asked."""
    for dialect in (TOLERANT, STRICT, ENTRA):
        client, id = prepared(dialect)
        answer = client.patch(f"/Users/{id}", op("add", value={"title": "x"}), op("remove", "emails"))
        assert (answer.status, answer.quirks) == (200, ())


def test_the_documentation_is_printed_from_the_quirks() -> None:
    """The table in the documentation is the one that the code prints."""
    from pathlib import Path

    from scimkit.dialects.table import markdown

    page = Path(__file__).parents[2] / "docs" / "reference" / "quirks.md"
    assert page.read_text().endswith(markdown())


def test_every_habit_is_served() -> None:
    """The 32 habits are all there, each with its quirks or the rule of the engine; every name is a quirk's."""
    from scimkit.dialects.habits import HABITS as SEEN

    assert [each.number for each in SEEN] == list(range(1, 33))
    assert all(each.quirks or each.engine for each in SEEN)
    assert {name for each in SEEN for name in each.quirks} <= {quirk.name for quirk in QUIRKS}


def test_a_dot_after_the_urn_of_the_type() -> None:
    """The URN of the resource type itself may have a dot after it too."""
    client, id = prepared(TOLERANT)
    answer = client.patch(f"/Users/{id}", op("add", f"{USER}.name.givenName", value="Ada"))
    assert (answer.body["name"], answer.quirks) == ({"givenName": "Ada"}, ("dot-after-urn",))
