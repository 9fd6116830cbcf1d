"""Each quirk: the tolerant dialect applies it to its deviation, and the strict dialect refuses the deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from scimkit import ENTRA, STRICT, TOLERANT
from scimkit.dialects import NOT_APPLICABLE, QUIRKS, Quirk
from tests.client import BASE_URL, ENTERPRISE, PATCH_OP, USER, Client


@dataclass(frozen=True)
class Behavior:
    """A request with a deviation, and the value of the attribute `at` after a tolerant service has served it."""

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

BEHAVIORS: dict[str, Behavior] = {
    "op-case": Behavior(body=patch(op("Add", "title", value="x")), at="title", value="x"),
    "boolean-text": Behavior(body=patch(op("replace", "active", value="False")), at="active", value=False),
    "boolean-text-compared": Behavior("GET", query='filter=active+eq+"True"', value=1),
    "empty-filter": Behavior("GET", query="filter=", value=1),
    "array-of-one": Behavior(body=patch(op("add", "title", value=["x"])), at="title", value="x"),
    "empty-reference": Behavior(
        body=patch(op("replace", f"{ENTERPRISE}:manager", value="")), at=f"{ENTERPRISE}:manager"
    ),
    "text-for-complex": Behavior(
        body=patch(op("add", f"{ENTERPRISE}:manager", value="m2")),
        at=f"{ENTERPRISE}:manager",
        value={"value": "m2", "$ref": f"{BASE_URL}/Users/m2"},
    ),
    "scalar-for-text": Behavior(body=patch(op("add", "title", value=4711)), at="title", value="4711"),
    "one-for-many": Behavior(body=patch(op("add", "roles", value={"value": "x"})), at="roles", value=[{"value": "x"}]),
    "wrapped-values": Behavior(
        body=patch(op("add", "roles", value={"roles": [{"value": "x"}]})), at="roles", value=[{"value": "x"}]
    ),
    "several-primaries": Behavior(
        body=patch(op("add", "roles", value=[{"value": "x", "primary": True}, {"value": "y", "primary": True}])),
        at="roles",
        value=[{"value": "x", "primary": True}, {"value": "y", "primary": False}],
    ),
    "path-as-name": Behavior(
        "PUT", {"schemas": [USER], "userName": "ada", "name.givenName": "Ada"}, at="name", value={"givenName": "Ada"}
    ),
    "extension-attribute": Behavior(
        "PUT", {"schemas": [USER], "userName": "ada", "department": "Care"}, at=f"{ENTERPRISE}:department", value="Care"
    ),
    "displayName-for-display": Behavior(
        body=patch(op("add", "roles", value=[{"value": "x", "displayName": "X"}])),
        at="roles",
        value=[{"value": "x", "display": "X"}],
    ),
    "joined-urn": Behavior(
        "PUT",
        {"schemas": [USER], "userName": "ada", JOINED: {"department": "Care"}},
        at=f"{ENTERPRISE}:department",
        value="Care",
    ),
    "joined-urn-path": Behavior(
        body=patch(op("add", f"{JOINED}:department", value="Care")), at=f"{ENTERPRISE}:department", value="Care"
    ),
    "unknown-attribute": Behavior("PUT", {"schemas": [USER], "userName": "ada", "adreses": [1]}, at="adreses"),
    "path-as-name-in-patch": Behavior(
        body=patch(op("replace", value={"name.givenName": "Ada"})), at="name", value={"givenName": "Ada"}
    ),
    "extension-attribute-in-patch": Behavior(
        body=patch(op("replace", value={"department": "Care"})), at=f"{ENTERPRISE}:department", value="Care"
    ),
    "unknown-attribute-in-patch": Behavior(body=patch(op("replace", value={"nosuch": 1})), at="nosuch"),
    "dot-after-urn": Behavior(
        body=patch(op("add", f"{ENTERPRISE}.department", value="Care")), at=f"{ENTERPRISE}:department", value="Care"
    ),
    "unqualified-path": Behavior(
        body=patch(op("add", "department", value="Care")), at=f"{ENTERPRISE}:department", value="Care"
    ),
    "displayName-path": Behavior(
        body=patch(op("add", 'emails[type eq "home"].displayName', value="H")),
        at="emails",
        value=[{"type": "home", "value": "h@example.org", "display": "H"}],
    ),
    "unknown-path": Behavior(body=patch(op("add", "companyName", value="x")), at="companyName"),
    "remove-listed": Behavior(body=patch(op("remove", "emails", value=[{"value": "h@example.org"}])), at="emails"),
    "create-element": Behavior(
        body=patch(op("add", 'phoneNumbers[type eq "work"].value', value="1")),
        at="phoneNumbers",
        value=[{"type": "work", "value": "1"}],
    ),
    "read-only-in-value": Behavior(body=patch(op("replace", value={"meta": {}, "title": "x"})), at="title", value="x"),
    "other-schemas": Behavior(
        "PUT", {"schemas": ["urn:scim:schemas:core:1.0"], "userName": "ada2"}, at="userName", value="ada2"
    ),
    "no-message-schema": Behavior(body={"Operations": [op("add", "title", value="x")]}, at="title", value="x"),
    "extra-members": Behavior(
        body=patch(op("add", "title", value="x", name="addTitle"), id="1"), at="title", value="x"
    ),
    "unquoted-text": Behavior("GET", query="filter=userName+eq+ada", value=1),
    "narrowed-value-path": Behavior("GET", query='filter=emails[type+eq+"home"].value+eq+"h@example.org"', value=1),
    "reference-by-uri": Behavior(
        body=patch(op("replace", f"{ENTERPRISE}:manager", value={"$ref": "../Users/m2"})),
        at=f"{ENTERPRISE}:manager",
        value={"value": "m2", "$ref": f"{BASE_URL}/Users/m2"},
    ),
    "value-alone": Behavior(body=patch(op("add", "title", value={"value": "x"})), at="title", value="x"),
    "value-for-element": Behavior(
        body=patch(op("replace", 'emails[type eq "home"]', value="x")),
        at="emails",
        value=[{"type": "home", "value": "x"}],
    ),
    "schemas-without-urns": Behavior("PUT", {"schemas": [USER, {}], "userName": "ada2"}, at="userName", value="ada2"),
    "wrapped-object": Behavior(
        "PUT", {"schemas": [USER], "userName": "ada", USER: {"title": "x"}}, at="title", value="x"
    ),
    "element-as-name": Behavior(
        "PUT",
        {"schemas": [USER], "userName": "ada", 'emails[type eq "home"].value': "x"},
        at="emails",
        value=[{"type": "home", "value": "x"}],
    ),
    "resource-as-path": Behavior(body=patch(op("add", USER, value={"title": "x"})), at="title", value="x"),
    "slashes": Behavior(body=patch(op("add", "/title", value="x")), at="title", value="x"),
    "dot-after-urn-filtered": Behavior("GET", query=f'filter={ENTERPRISE}.manager.value+eq+"m1"', value=1),
    "other-accept": Behavior("GET", query="filter=userName+pr", value=1, headers={"Accept": "text/html"}),
    "date-compared": Behavior("GET", query='filter=meta.created+gt+"2020-01-01"', value=1),
    "single-quotes": Behavior("GET", query="filter=userName+eq+'ada'", value=1),
    "empty-parameter": Behavior("GET", query="startIndex=", value=1),
    "text-json": Behavior(
        body=patch(op("add", "title", value="x")), at="title", value="x", headers={"Content-Type": "text/json"}
    ),
    "scalar-compared": Behavior("GET", query="filter=externalId+eq+4711", value=1),
}

ELSEWHERE = {
    "json-text": "the next test",
    "json-text-in-value": "the next test",
    "base64-with-space": "certificates",
    "soft-delete-name": "an inactive user",
    "soft-delete-looked-up": "an inactive user",
    "same-user-again": "a POST",
    "endpoint-case": "another endpoint",
    "number-text": "a type with numbers",
    "parameter-text": "a search",
    "reference-without-value": "members",
}
"""Quirks that the standard types in the tolerant dialect cannot show. Each has a separate test below."""


def prepared(dialect: Any) -> tuple[Client, str]:
    client = Client(dialect=dialect)
    id = client.user(
        "ada", active=True, externalId="4711", emails=[{"type": "home", "value": "h@example.org"}],
        schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"manager": {"value": "m1"}}},
    )  # fmt: skip
    return client, id


def send(client: Client, id: str, behavior: Behavior) -> Any:
    path = f"/Users?{behavior.query}" if behavior.method == "GET" else f"/Users/{id}"
    return client.send(behavior.method, path, behavior.body, behavior.headers)


def test_every_quirk_has_a_test() -> None:
    """Every quirk has a test."""
    assert set(BEHAVIORS) | set(ELSEWHERE) == {quirk.name for quirk in QUIRKS}


@pytest.mark.parametrize("name", BEHAVIORS)
def test_tolerant_serves_the_deviation(name: str) -> None:
    """The tolerant dialect serves the deviation and names the quirk in the response object."""
    behavior = BEHAVIORS[name]
    client, id = prepared(TOLERANT)
    answer = send(client, id, behavior)
    assert answer.status == 200, answer.body
    assert name in answer.quirks
    if behavior.method == "GET":
        assert answer.body["totalResults"] == behavior.value
    else:
        resource = client.get(f"/Users/{id}").body
        urn, _, attribute = behavior.at.rpartition(":")
        assert (resource.get(urn, {}) if urn else resource).get(attribute) == behavior.value


BY_THE_RFC = {"op-case", "one-for-many", "read-only-in-value"}
"""Requests that the RFC allows, so that the strict dialect serves them too and names no quirk."""


@pytest.mark.parametrize("name", sorted(BY_THE_RFC))
def test_strict_serves_what_the_rfc_allows(name: str) -> None:
    """Strict ignores the case of `op`, accepts one added value without an array, and ignores readOnly attributes."""
    client, id = prepared(STRICT)
    answer = send(client, id, BEHAVIORS[name])
    assert (answer.status, answer.body.get(BEHAVIORS[name].at), answer.quirks) == (200, BEHAVIORS[name].value, ())


@pytest.mark.parametrize("name", [name for name in BEHAVIORS if name not in BY_THE_RFC])
@pytest.mark.rfc("7644-3.4.2.2-3", "7644-3.5.2-2")
def test_strict_refuses_the_deviation(name: str) -> None:
    """The strict dialect refuses the deviation with 400, and nothing changes."""
    client, id = prepared(STRICT)
    before = client.get(f"/Users/{id}").body
    answer = send(client, id, BEHAVIORS[name])
    assert answer.status == {"other-accept": 406, "text-json": 415}.get(name, 400), answer.body
    assert answer.quirks == ()
    assert client.get(f"/Users/{id}").body == before


def test_a_member_without_its_value() -> None:
    """Removing the `value` of a member removes the member. Strict refuses that, because a member requires a value."""
    for dialect, status, left in ((TOLERANT, 204, set()), (STRICT, 400, {"ada"})):
        client, id = prepared(dialect)
        team = client.group("team", id)
        answer = client.patch(f"/Groups/{team}", op("remove", f'members[value eq "{id}"].value'))
        assert answer.status == status, answer.body
        assert answer.quirks == (() if dialect is STRICT else ("reference-without-value",))
        assert client.members(team) == {id for _ in left}


@pytest.mark.parametrize("dialect", [TOLERANT, ENTRA])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_role_as_json_text(dialect: Any, wrapped: bool) -> None:
    """A role as JSON, in a string or in its own `value`, becomes that role. Strict stores the string."""
    text = '{"id": "1", "value": "Agent", "displayName": "A"}'
    operation = op("add", "roles", value=[{"value": text, "primary": True} if wrapped else text])
    client, id = prepared(dialect)
    answer = client.patch(f"/Users/{id}", operation)
    assert answer.body["roles"] == [{"value": "Agent", "display": "A", **({"primary": True} if wrapped else {})}]
    assert ("json-text-in-value" if wrapped else "json-text") in answer.quirks
    client, id = prepared(STRICT)
    if wrapped:
        assert client.patch(f"/Users/{id}", operation).body["roles"][0]["value"] == text


def test_base64_with_white_space() -> None:
    """A certificate with line breaks or in PEM is stored as base64.

    Text that is not base64 is refused. Strict refuses both.
    """
    for text in (
        "TWFu\nTWFu",
        " TWFu TWFu\r\n",
        "-----BEGIN CERTIFICATE-----\nTWFu\nTWFu\n-----END CERTIFICATE-----\n",
    ):
        client, id = prepared(TOLERANT)
        operation = op("add", "x509Certificates", value=[{"value": text}])
        answer = client.patch(f"/Users/{id}", operation)
        assert answer.body["x509Certificates"] == [{"value": "TWFuTWFu"}]
        assert answer.quirks == ("base64-with-space",)
        client, id = prepared(STRICT)
        assert client.patch(f"/Users/{id}", operation).status == 400
    client, id = prepared(TOLERANT)
    assert client.patch(f"/Users/{id}", op("add", "x509Certificates", value=[{"value": "T W!"}])).status == 400


OBJECT_ID = "0e0f1a2b3c4d5e6f708192a3b4c5d6e7"
ADDRESS = "h@example.org"


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize(
    "shape",
    ["paths", "pathless", "object", "put"],
)
def test_a_soft_delete_keeps_the_name(shape: str, upper: bool) -> None:
    """Entra's soft delete deactivates the user but keeps userName and address.

    A filter on the new name finds the user.
    """
    client = Client()
    ada = client.user("ada@example.org", active=True, emails=[{"type": "work", "value": "ada@example.org"}])
    marked = f"{OBJECT_ID.upper() if upper else OBJECT_ID}ada@example.org"
    email = [{"type": "work", "value": marked}]
    left = {"userName": marked, "active": False, "title": "Left"}
    if shape == "put":
        body = {"schemas": [USER], "userName": marked, "active": False, "emails": email, "title": "Left"}
        answer = client.put(f"/Users/{ada}", body)
    elif shape == "paths":
        answer = client.patch(
            f"/Users/{ada}", op("Replace", "active", value="False"), op("Replace", "userName", value=marked),
            op("Replace", 'emails[type eq "work"].value', value=marked), op("Add", "title", value="Left"),
        )  # fmt: skip
    elif shape == "pathless":
        answer = client.patch(
            f"/Users/{ada}", op("replace", value={"userName": marked, "active": False, "title": "Left"})
        )
    else:
        operation = op("replace", "emails", value=email)
        answer = client.patch(f"/Users/{ada}", operation, op("replace", value=left))
    assert answer.status == 200, answer.body
    assert (answer.body["userName"], answer.body["active"], answer.body["title"]) == ("ada@example.org", False, "Left")
    assert answer.body["emails"] == [{"type": "work", "value": "ada@example.org"}]
    assert "soft-delete-name" in answer.quirks
    for name in (marked, "ada@example.org"):
        found = client.get(f'/Users?filter=userName eq "{name}"')
        assert [each["id"] for each in found.body["Resources"]] == [ada]
    restored = client.patch(
        f"/Users/{ada}", op("Replace", "active", value="True"), op("Replace", "userName", value="ada@example.org")
    )
    assert (restored.body["active"], restored.body["userName"]) == (True, "ada@example.org")
    assert client.get(f'/Users?filter=userName eq "{marked}"').body["totalResults"] == 0


def test_a_rename_that_is_not_a_soft_delete() -> None:
    """A name with 32 hexadecimal digits before it is a rename if the user stays active or the rest is another name.

    In the strict dialect it is always a rename.
    """
    marked = f"{OBJECT_ID}ada"
    for dialect, active, name in (
        (TOLERANT, True, marked),
        (TOLERANT, False, f"{OBJECT_ID}bob"),
        (STRICT, False, marked),
    ):
        client = Client(dialect=dialect)
        ada = client.user("ada", active=True)
        answer = client.patch(f"/Users/{ada}", op("replace", value={"userName": name, "active": active}))
        assert (answer.body["userName"], answer.quirks) == (name, ())


def test_an_inactive_user_is_restored() -> None:
    """A POST with both names of one inactive user restores that user with the same id. Other collisions get 409."""
    body = {"schemas": [USER], "userName": "ada", "externalId": "x1", "title": "Agent"}
    client = Client()
    ada = client.post("/Users", body).id
    assert client.post("/Users", body).status == 409
    client.patch(f"/Users/{ada}", op("replace", "active", value=False))
    assert client.post("/Users", {**body, "externalId": "x2"}).status == 409
    assert client.post("/Users", {"schemas": [USER], "userName": "ada"}).status == 409
    answer = client.post("/Users", {**body, "userName": "ADA", "active": True})
    assert (answer.status, answer.id, answer.body["active"], answer.quirks) == (201, ada, True, ("same-user-again",))
    strict = Client(dialect=STRICT)
    strict.post("/Users", {**body, "active": False})
    assert strict.post("/Users", body).status == 409


@pytest.mark.parametrize(
    "text",
    ["userName eq `ada`", "userName eq “ada”", "userName eq «ada»", "userName eq ‘ada’", "externalId eq NULL",
     "userName eq Null", "userName eq 'ada", "userName = \"ada\"", "userName == 'ada'", "userName eq ada'"],
)  # fmt: skip
def test_no_filter_silently_matches_nothing(text: str) -> None:
    """A value in other quotation marks, null in another case, or an unknown operator gets 400, not an empty list."""
    client, _ = prepared(TOLERANT)
    answer = client.post("/Users/.search", {"filter": text})
    assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter")


@pytest.mark.parametrize(
    ("text", "name"),
    [("'Ada Lovelace'", "Ada Lovelace"), ("'O''Brien'", "O'Brien"), (r"'O\'Brien'", "O'Brien"),
     ("'O'Brien'", "O'Brien"),
     ("'a (b) and c'", "a (b) and c")],
)  # fmt: skip
def test_text_in_single_quotes(text: str, name: str) -> None:
    """Text in single quotes is a string, which may contain spaces, brackets and quotes."""
    client = Client()
    id = client.user(name)
    for wanted in (f"userName eq {text}", f"(userName eq {text}) and active pr or userName eq {text}"):
        assert [each["id"] for each in client.post("/Users/.search", {"filter": wanted}).body["Resources"]] == [id]


@pytest.mark.parametrize(
    "text",
    ['{"a":' * 5000, '{"a":' * 1500 + "1" + "}" * 1500, '{"value": "\\ud800"}', '{"value": "\\u0000"}', '{"a": NaN}',
     '{"value": "x", "value": "y"}', "{"],
    ids=["unclosed", "deep", "surrogate", "NUL", "NaN", "twice", "brace"],
)  # fmt: skip
def test_a_string_that_is_not_json(text: str) -> None:
    """A string that is not acceptable JSON is stored as the value of a role, like any other string."""
    client, id = prepared(ENTRA)
    answer = client.patch(f"/Users/{id}", op("add", "roles", value=[text]))
    assert (answer.status, answer.body["roles"]) == (200, [{"value": text}])


def test_a_number_as_text() -> None:
    """A string is read as a number if the attribute is a number."""
    from tests.resource_types import DEVICE

    client = Client(resource_types=(DEVICE,))
    body = {"serial": "1", "label": "x", "ports": "3", "weight": "1.5"}
    answer = client.post("/Devices", {"schemas": [DEVICE.schema], **body})
    assert (answer.body["ports"], answer.body["weight"]) == (3, 1.5)
    assert answer.quirks == ("number-text",)
    assert client.get('/Devices?filter=ports eq "3"').body["totalResults"] == 1


@pytest.mark.parametrize("member", [{"count": "1"}, {"startIndex": " 1 "}, {"attributes": "id,userName"}])
def test_a_parameter_as_text(member: dict[str, Any]) -> None:
    """The body of a search may have a number, or a list of attributes, as a string. Strict refuses that."""
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], **member}
    client, _ = prepared(TOLERANT)
    answer = client.post("/Users/.search", body)
    assert (answer.body["totalResults"], answer.quirks) == (1, ("parameter-text",))
    client, _ = prepared(STRICT)
    assert client.post("/Users/.search", body).body["scimType"] == "invalidValue"


def test_a_host_adds_a_quirk() -> None:
    """A custom quirk needs a few lines, and takes precedence over the quirks of the dialect."""

    def swedish(attribute: Any, value: object) -> Any:
        return (
            {"ja": True, "nej": False}.get(str(value), NOT_APPLICABLE)
            if attribute.type == "boolean"
            else NOT_APPLICABLE
        )

    quirk = Quirk("swedish", "value", "ja and nej", "no boolean is a text", ("us",), "our own", swedish)
    client, id = prepared(TOLERANT.extended("ours", quirk))
    answer = client.patch(f"/Users/{id}", op("replace", "active", value="nej"))
    assert answer.body["active"] is False
    assert answer.quirks == ("swedish",)


def test_a_quirk_can_be_left_out() -> None:
    """A dialect without a quirk refuses its deviation."""
    client, id = prepared(TOLERANT.without("careful", "scalar-for-text"))
    assert client.patch(f"/Users/{id}", op("add", "title", value=4711)).status == 400


def test_a_token_chooses_its_dialect() -> None:
    """The dialect of a token takes precedence over the dialect of the service."""
    client = Client()
    strict = client.of_tenant("default")
    strict.token = client.tokens.issue("strict", dialect="strict").token
    assert client.get("/Users?filter=userName eq x").status == 200
    assert strict.get("/Users?filter=userName eq x").status == 400


def test_a_request_in_rfc_form_uses_no_quirk() -> None:
    """A request in RFC form uses no quirk in any dialect."""
    for dialect in (TOLERANT, STRICT, ENTRA):
        client, id = prepared(dialect)
        answer = client.patch(f"/Users/{id}", op("add", value={"title": "x"}), op("remove", "emails"))
        assert (answer.status, answer.quirks) == (200, ())


def test_the_documentation_is_printed_from_the_quirks() -> None:
    """The page of quirks has the tables that `quirks_page` prints."""
    from pathlib import Path

    from tests.dialects.quirks_page import markdown

    page = Path(__file__).parents[2] / "docs" / "reference" / "quirks.md"
    assert page.read_text().endswith(markdown())


def test_every_behavior_is_served() -> None:
    """All 32 behaviors are listed, each with existing quirks or a rule of the engine."""
    from tests.dialects.idp_behaviors import BEHAVIORS as SEEN

    assert [each.number for each in SEEN] == list(range(1, 33))
    assert all(each.quirks or each.engine for each in SEEN)
    assert {name for each in SEEN for name in each.quirks} <= {quirk.name for quirk in QUIRKS}


def test_a_dot_after_the_urn_of_the_type() -> None:
    """A dot may follow the URN of the resource type itself."""
    client, id = prepared(TOLERANT)
    answer = client.patch(f"/Users/{id}", op("add", f"{USER}.name.givenName", value="Ada"))
    assert (answer.body["name"], answer.quirks) == ({"givenName": "Ada"}, ("dot-after-urn",))
