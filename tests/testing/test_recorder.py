"""Tests of the recorder: recordings contain no personal data, and can be replayed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scimkit import STRICT, MemoryStore, Request, ResourceType, Response, SchemaExtension, ScimService
from scimkit import USER as USER_TYPE
from scimkit.testing.recorder import Recorder, replay
from tests.client import ENTERPRISE, PATCH_OP, USER, Client
from tests.resource_types import DEVICE

PAY: dict[str, Any] = {"id": "urn:example:pay:2.0:User", "name": "Pay", "attributes": [
    {"name": "pay", "type": "integer"}, {"name": "grade", "type": "decimal"},
]}  # fmt: skip

SECRET = "Zq7Xv"
"""A part of every personal text in these tests, and of no other text."""

TEXTS = st.sampled_from(
    [
        f"{SECRET}",
        f"{SECRET.upper()}@x.example",
        f"a {SECRET} b",
        f'"{SECRET}',
        f"{SECRET}\\",
        f"+1 {SECRET}",
        f"é{SECRET}",
    ]
)


def recorded(method: str, path: str, body: Any = None, query: str = "", response: Any = None) -> dict[str, Any]:
    request = Request(method, path, query, {"authorization": f"Bearer {SECRET}"}, json.dumps(body).encode())
    return Recorder("nowhere").recorded(request, Response(200, json.dumps(response).encode()))


def told(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).casefold()


def anywhere(text: str) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["userName", "name", "givenName", "emails", "value", "display", "nosuch", ENTERPRISE,
                             "manager", "id", "meta", "members", "type", "schemas", "active", "x509Certificates",
                             "name.familyName", f"{ENTERPRISE}:department", "status", "detail", "filter", "Operations",
                             "Resources", "path", "op", "$ref", "externalId", "password", text])  # fmt: skip
    return st.recursive(
        st.just(text), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3)
    )


@given(data=st.data(), text=TEXTS)
@settings(max_examples=300)
def test_nothing_personal_survives_in_a_body(data: st.DataObject, text: str) -> None:
    """A text at any place in a request body or a response body is not in the recording, in any letter case."""
    body, response = data.draw(anywhere(text)), data.draw(anywhere(text))
    path = data.draw(st.sampled_from(["/Users", "/Groups/1", "/Nope", "/Bulk"]))
    assert SECRET.casefold() not in told(recorded("POST", path, body, response=response))


@given(text=TEXTS, place=st.sampled_from([
    "userName eq {}", 'userName eq "{}"', 'emails[value eq "{}"]', 'emails[type eq "work"].value co "{}"',
    "manager eq {}", "({} or userName pr)", '{} eq "x"', 'not (externalId sw "{}" and id eq "{}")', "{}", '"{}',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "{}"', "active eq {}", "type eq {}",
]))  # fmt: skip
@settings(max_examples=200)
def test_nothing_personal_survives_in_a_filter(text: str, place: str) -> None:
    """A text at any place in a filter, a PATCH path or a query string is not in the recording."""
    wanted = place.replace("{}", text)
    query = f"filter={quote(wanted)}&attributes={quote(text)}&{quote(text)}=1&cursor={quote(text)}&sortBy={quote(text)}"
    operations = {"Operations": [{"op": "add", "path": wanted, "value": text}]}
    for each in (
        recorded("GET", "/Users", query=query),
        recorded("PATCH", f"/Users/{text}", operations),
        recorded("GET", f"/{text}"),
        recorded("POST", "/Users/.search", {"filter": wanted, "attributes": [text], "sortBy": text}),
    ):
        assert SECRET.casefold() not in told(each)


NAME = "Lovelace"
"""A personal name that could also be an attribute name."""

ROLE = json.dumps({"id": "1", "value": NAME, "displayName": f"The {NAME}"})


@pytest.mark.parametrize(("method", "path", "query", "body", "response"), [
    ("POST", "/Users", "", {"meta": {"created": NAME, "version": NAME, "resourceType": NAME}}, None),
    ("GET", "/Users", f'filter=meta.created gt "{NAME}" and meta.version eq {NAME}', None, None),
    ("GET", "/Users", f"filter=userName eq 'Ada {NAME}' and name.{NAME} pr", None, None),
    ("GET", f"/Users/{NAME}/{NAME}", f"{NAME}.x={NAME}&q={NAME}", None, None),
    (NAME[:7], "/Users", "", None, None),
    ("PATCH", "/Users/1", "", {"Operations": [{"op": "Add", "path": "roles", "value": [{"value": ROLE}]}]}, None),
    ("PATCH", "/Users/1", "", {"Operations": [{"op": NAME, "path": f'emails[value eq "{NAME}"].{NAME}'}]}, None),
    ("PATCH", "/Users/1", "", {"Operations": [{"op": "add", "value": {f'emails[type eq {NAME}].value': NAME}}]}, None),
    ("POST", "/Users", "", {"userName": f"ada.{NAME}@x.example"}, {"detail": f"{NAME.lower()} is taken {NAME}."}),
    ("POST", "/Users", "", {"userName": "x"}, {"detail": f"{NAME} may not, nor lovelace's ({NAME})."}),
    ("POST", "/Groups", "", {"members": [{"value": NAME, "$ref": f"https://{NAME}.example/Users/{NAME}"}]}, None),
    ("POST", "/Bulk", "", {"Operations": [{"method": NAME, "path": NAME, "bulkId": NAME, "version": NAME}]}, None),
    ("POST", "/Bulk", "", None, {"Operations": [{"location": f"https://{NAME}.example/Users/{NAME}", "status": NAME}]}),
    ("POST", "/Users/.search", "", {"sortBy": f"name.{NAME}", "sortOrder": NAME, "count": NAME, "cursor": NAME}, None),
    ("GET", "/Users", "", None, {"Resources": [{"id": NAME, "groups": [{"display": NAME}]}], "nextCursor": NAME}),
])  # fmt: skip
def test_a_name_does_not_survive(method: str, path: str, query: str, body: Any, response: Any) -> None:
    """A personal name that looks like a word is not in the recording, wherever a value is allowed."""
    assert NAME.casefold()[:7] not in told(recorded(method, path, body, quote(query, safe="=&"), response))


@pytest.mark.parametrize("value", [5550100, "5550100", 5550100.5, "+47 5550100"])
def test_numbers_are_fictions(value: Any) -> None:
    """Numbers are replaced by fictions, also numeric ids and numbers in strings. Equal numbers get equal fictions."""
    types = (ResourceType(USER_TYPE.schema_documents[0], endpoint="/Users", extensions=[SchemaExtension(PAY)]), DEVICE)
    recorder = Recorder("nowhere", types)
    body = {
        PAY["id"]: {"pay": value, "grade": value},
        "phoneNumbers": [{"value": value}],
        "nosuch": [value, {"a": value}],
    }
    query = f'filter=pay eq {quote(str(value))} and {PAY["id"]}:pay gt "{quote(str(value))}"'
    request = Request("PATCH", "/Users/5550100", query, {}, json.dumps(body).encode())
    made = recorder.recorded(request, Response(200, json.dumps(body).encode()))
    assert "5550100" not in told(made)
    assert made["body"][PAY["id"]]["pay"] == made["response"][PAY["id"]]["pay"]
    kept = type(value) if type(value) is str else int
    assert type(made["body"][PAY["id"]]["pay"]) is kept


def test_error_details_of_scimkit_are_kept() -> None:
    """The error details of scimkit are recorded unchanged."""
    client = Client(dialect=STRICT)
    for method, path, body in (
        ("POST", "/Users", {"userName": 7}), ("POST", "/Users", {"schemas": [USER]}), ("GET", "/Users/1", None),
        ("GET", "/Users?filter=x", None), ("PATCH", "/Users/1", {"Operations": []}), ("GET", "/Nope", None),
        ("PUT", "/Users", {}), ("POST", "/Users", []),
    ):  # fmt: skip
        detail = client.send(method, path, body).body["detail"]
        assert recorded(method, path, response={"detail": detail})["response"]["detail"] == detail


def test_an_error_detail_reveals_no_values() -> None:
    """An error detail does not reveal the values that the request had."""
    made = recorded("POST", "/Users", {"userName": SECRET}, response={"detail": f"{SECRET} is taken, ask a@b.example."})
    assert SECRET not in told(made)
    assert "b.example" not in told(made)
    assert "is taken" in told(made)
    made = recorded("POST", "/Users", {"detail": SECRET}, response={"detail": f"No {SECRET} here"})
    assert SECRET.casefold() not in told(made)


def test_structure_is_kept() -> None:
    """Structure, ids, operators, types, booleans and URNs are recorded unchanged. Equal texts get equal fictions."""
    id = "5f0f3c5e-8d2b-4c7a-9a51-0b6c1e2d3f40"
    body = {"schemas": [PATCH_OP], "Operations": [
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "ada@x.example"},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": id},
    ]}  # fmt: skip
    made = recorded("PATCH", f"/Users/{id}", body, response={"schemas": [USER], "id": id, "userName": "ADA@x.example"})
    assert made["path"] == f"/Users/{id}"
    assert [each["path"] for each in made["body"]["Operations"]] == [each["path"] for each in body["Operations"]]
    assert made["body"]["Operations"][1:] == body["Operations"][1:]
    assert made["response"]["schemas"] == [USER]
    assert made["response"]["id"] == id
    assert made["response"]["userName"] == made["body"]["Operations"][0]["value"] == "person1@example.org"
    assert recorded("GET", "/Users", query="filter=userName+EQ+%22x%22&")["query"].startswith("filter=userName+EQ+%22")


CASES = Path(__file__).parents[1] / "dialects" / "cases.jsonl"


def test_a_recording_replays(tmp_path: Path) -> None:
    """A recorded session replays without a difference on an empty store."""
    file = tmp_path / "exchanges.jsonl"
    client = Client(on_exchange=Recorder(file))
    ada = client.user("ada@x.example", active="True", name={"givenName": "Ada"}, **{ENTERPRISE: {"manager": "m1"}})
    group = client.group("Staff", ada)
    client.get('/Users?filter=userName%20eq%20"ADA@x.example"')
    client.get("/Users?filter=emails%20eq%20nobody@x.example&")
    client.patch(f"/Users/{ada}", {"op": "Add", "path": 'emails[type eq "work"].value', "value": "ada@x.example"})
    client.patch(f"/Groups/{group}", {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": ada}]})
    client.post("/Users", {"userName": "ada@x.example"})
    client.post("/Users", b"{")
    client.put(f"/Users/{ada}", {"userName": "ada@x.example", "password": "t1meMa$heen", "nosuch": {"a": 1}})
    client.get("/Schemas")
    client.post("/Bulk", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "Crew1", "data": {"displayName": "Crew", "members": [
            {"value": "bulkId:Eve1"}]}},
        {"method": "POST", "path": "/Users", "bulkId": "Eve1", "data": {"userName": "eve@x.example"}},
    ]})  # fmt: skip
    client.delete(f"/Users/{ada}")
    client.get(f"/Users/{ada}")
    text = file.read_text()
    assert not any(word in text for word in ("x.example", "Staff", "t1meMa", client.token))
    fresh = Client()
    assert replay(file, fresh.service, fresh.token) == []


def test_a_recording_that_begins_in_the_middle(tmp_path: Path) -> None:
    """Before a replay, the resources that existed before the recording are created."""
    file = tmp_path / "exchanges.jsonl"
    store = MemoryStore()
    ada = Client(store).user("ada", title="Countess")
    client = Client(store, on_exchange=Recorder(file))
    client.get(f"/Users/{ada}")
    client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    fresh = Client()
    assert replay(file, fresh.service, fresh.token) == []


def test_differences_are_reported(tmp_path: Path) -> None:
    """`replay` reports another status or another shape of the body, with the line in the file."""
    file = tmp_path / "exchanges.jsonl"
    client = Client(on_exchange=Recorder(file))
    client.user("ada")
    client.post("/Users", {"userName": "bob"})
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[0]["response"]["title"], lines[1]["status"] = "x", 200
    file.write_text("\n".join(map(json.dumps, lines)))
    fresh = Client()
    found = replay(file, fresh.service, fresh.token)
    assert [(each.line, each.request) for each in found] == [(1, "POST /Users"), (2, "POST /Users")]
    assert (found[1].recorded, found[1].replayed) == (200, 409)


def test_a_failed_recording_is_logged(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """A failed recording is logged, and the request is still answered."""
    client = Client(on_exchange=Recorder(tmp_path / "no" / "such" / "folder"))
    assert isinstance(client.service, ScimService)
    client.user("ada")
    assert "the on_exchange hook failed" in caplog.text
