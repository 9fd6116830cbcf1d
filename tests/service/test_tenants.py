"""Isolation of tenants: a tenant that knows ids and values of another learns nothing and changes nothing.

No response may distinguish a resource of another tenant from a resource that does not exist. Each attack is therefore
made twice: with the id of the victim, and with an id that nobody has. Both responses must be identical.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from scimkit import MemoryStore
from scimkit.errors import NotFound
from tests.client import BASE_URL, ENTERPRISE, GROUP, PATCH_OP, USER, Answer, Client
from tests.stores.databases import DATABASES, apart

SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@dataclass
class Case:
    """A service with an attacker and a victim, each with some resources. `nobody` is an id that no resource has."""

    store: Any
    attacker: Client
    victim: Client
    mine: str
    team: str
    theirs: str
    their_team: str
    nobody: str

    def both(self, method: str, path: str, body: Any = None, *, group: bool = False, **options: Any) -> Answer:
        """Send a request with the victim's id in place of `ID`, and with an unused id.

        Check that the responses are equal.
        """
        theirs = self.their_team if group else self.theirs
        answers = []
        for id in (theirs, self.nobody):
            sent = None if body is None else json.loads(json.dumps(body).replace("ID", id))
            answer = self.attacker.send(method, path.replace("ID", id), sent, **options)
            text = json.dumps([answer.status, answer.body, answer.headers], sort_keys=True).replace(id, "ID")
            answers.append((text, answer))
        assert answers[0][0] == answers[1][0]
        return answers[0][1]


@pytest.fixture(params=["memory", *DATABASES])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    """Yield a service over each store. Afterwards check that the resources of the victim are unchanged."""
    store: Any = MemoryStore() if request.param == "memory" else apart(request.param)
    victim = Client(store, tenant="victim")
    attacker = victim.of_tenant("attacker")
    theirs = victim.user("eve", title="secret", externalId="e1", emails=[{"value": "eve@example.org"}])
    their_team = victim.group("secret team", theirs)
    mine = attacker.user("ada")
    team = attacker.group("team", mine)
    before = [victim.get(path).body for path in ("/", f"/Users/{theirs}", f"/Groups/{their_team}")]
    yield Case(store, attacker, victim, mine, team, theirs, their_team, str(uuid4()))
    assert [victim.get(path).body for path in ("/", f"/Users/{theirs}", f"/Groups/{their_team}")] == before


BODIES: dict[str, Any] = {
    "GET": None,
    "HEAD": None,
    "PUT": {"schemas": [USER], "userName": "mallory"},
    "PATCH": {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "externalId", "value": "x"}]},
    "DELETE": None,
}


@pytest.mark.parametrize("method", BODIES)
@pytest.mark.parametrize("headers", [{}, {"If-Match": 'W/"1"'}, {"If-Match": "*"}, {"If-None-Match": 'W/"1"'}])
def test_an_id_of_another_tenant(case: Case, method: str, headers: dict[str, str]) -> None:
    """An id of another tenant gets the same response as an unknown id, with every method and entity tag."""
    for group, endpoint in ((False, "Users"), (True, "Groups")):
        body = BODIES[method]
        if group and method == "PUT":
            body = {"schemas": [GROUP], "displayName": "mine"}
        answer = case.both(method, f"/{endpoint}/ID", body, group=group, headers=headers)
        assert answer.status == 404


FILTERS = [
    'id eq "ID"', 'id eq "ID" or userName eq "nobody"', '(id eq "ID")', 'not (not (id eq "ID"))', 'userName eq "eve"',
    'not (userName eq "ada")', 'externalId eq "e1"', 'emails.value eq "eve@example.org"', 'emails[value co "eve"]',
    '(userName eq "x" or title eq "secret") and not (userName eq "ada")', 'title pr', 'groups.display co "secret"',
    'groups eq "ID"', 'id eq "ID" and id pr or title co "s"', 'meta.version eq "W/\\"1\\"" and not (userName eq "ada")',
    'userName ne "ada"', 'members eq "ID"', 'displayName sw "secret"', 'not (displayName eq "team") and displayName pr',
]  # fmt: skip


@pytest.mark.parametrize("text", FILTERS)
def test_filters_of_another_tenants_values(case: Case, text: str) -> None:
    """No filter finds, counts or sorts by values of another tenant's resources, not even with or, not and brackets."""
    path = "/Groups" if "members" in text or "displayName" in text else "/Users"
    for at in (path, "/"):
        get = case.both("GET", f"{at}?filter={text}&sortBy=id&sortOrder=descending")
        body = {"schemas": [SEARCH], "filter": text, "sortBy": "id"}
        post = case.both("POST", f"{at.rstrip('/')}/.search", body)
        own = 0 if at == path else len(get.body["Resources"])
        assert get.body["totalResults"] == post.body["totalResults"] == own
        assert {each["id"] for each in [*get.body["Resources"], *post.body["Resources"]]} <= {case.mine, case.team}
    assert case.both("GET", f"{path}?filter={text}&cursor&count=1").body["totalResults"] == 0


@pytest.mark.parametrize("text", ["id pr", 'not (title eq "x")', 'id pr or (userName eq "eve")', "meta.created pr"])
def test_filters_that_everything_matches(case: Case, text: str) -> None:
    """A filter that matches everything finds only resources of the tenant, also at the root."""
    found = {each["id"] for each in case.attacker.get(f"/?filter={text}").body["Resources"]}
    assert found == {case.mine, case.team}


def test_cursors_of_another_tenant(case: Case) -> None:
    """A cursor is valid only for the tenant that received it."""
    for number in range(3):
        case.victim.user(f"more{number}")
    query = "/Users?count=1&sortBy=userName&cursor="
    theirs = case.victim.get(query).body["nextCursor"]
    answer = case.attacker.get(query + theirs)
    assert (answer.status, answer.body["scimType"]) == (400, "invalidCursor")
    assert answer.body == case.attacker.get(query + "x" * len(theirs)).body
    for each in case.victim.get('/Users?filter=userName sw "more"').body["Resources"]:
        case.victim.delete(f"/Users/{each['id']}")


def test_members_of_another_tenant(case: Case) -> None:
    """Resources of another tenant are unknown members, in POST, PUT and every PATCH, and get no membership."""
    for group in (False, True):
        members = [{"value": "ID"}, {"value": case.mine}]
        made = []
        for id in (case.their_team if group else case.theirs, case.nobody):
            body = {"schemas": [GROUP], "displayName": f"made {id}", "members": [{"value": id}, {"value": case.mine}]}
            answer = case.attacker.post("/Groups", body)
            made.append((answer.status, [each["value"] for each in answer.body["members"]]))
            case.attacker.delete(f"/Groups/{answer.id}")
        assert made == [(201, [case.mine])] * 2
        case.attacker.put(f"/Groups/{case.team}", {"schemas": [GROUP], "displayName": "team", "members": members})
        for operation in (
            {"op": "add", "path": "members", "value": [{"value": "ID"}]},
            {"op": "replace", "path": "members", "value": members},
            {"op": "add", "value": {"members": [{"value": "ID"}]}},
            {"op": "remove", "path": 'members[value eq "ID"]'},
            {"op": "remove", "path": "members", "value": [{"value": "ID"}]},
            {"op": "replace", "path": 'members[value eq "ID"].value', "value": case.mine},
        ):
            body = {"schemas": [PATCH_OP], "Operations": [operation]}
            case.both("PATCH", f"/Groups/{case.team}", body, group=group)
            assert case.attacker.members(case.team) == {case.mine}
    assert "groups" in case.victim.get(f"/Users/{case.theirs}").body


def test_a_manager_of_another_tenant(case: Case) -> None:
    """A manager of another tenant is stored like any other value, and the response reveals nothing about it."""
    manager = {"op": "add", "path": f"{ENTERPRISE}:manager", "value": {"value": "ID"}}
    body = {"schemas": [PATCH_OP], "Operations": [manager, {"op": "remove", "path": f"{ENTERPRISE}:manager"}]}
    assert case.both("PATCH", f"/Users/{case.mine}", body).status == 200
    for id in (case.theirs, case.nobody):
        answer = case.attacker.patch(f"/Users/{case.mine}", {**manager, "value": {"value": id}})
        found = answer.body[ENTERPRISE]["manager"]
        assert {name: item for name, item in found.items() if name not in ("value", "$ref")} == {}
        assert case.attacker.get(f"/Users?filter={ENTERPRISE}:manager.displayName pr").body["totalResults"] == 0


def test_names_of_another_tenant(case: Case) -> None:
    """Uniqueness applies within a tenant: two tenants may use the same names, by POST, PUT and PATCH."""
    twin = case.attacker.user("eve", externalId="e1")
    assert case.attacker.group("secret team", twin)
    assert (
        case.attacker.patch(f"/Users/{case.mine}", {"op": "replace", "path": "userName", "value": "EVE"}).status == 409
    )
    case.attacker.delete(f"/Users/{twin}")
    assert (
        case.attacker.patch(f"/Users/{case.mine}", {"op": "replace", "path": "userName", "value": "EVE"}).status == 200
    )


def test_bulk_references(case: Case) -> None:
    """A bulk request reaches no resource of another tenant, by path, value or bulkId."""
    operations = [
        {"method": "DELETE", "path": "/Users/ID"},
        {"method": "PUT", "path": "/Users/ID", "data": BODIES["PUT"]},
        {"method": "PATCH", "path": "/Users/ID", "data": BODIES["PATCH"]},
        {"method": "PATCH", "path": "/Groups/ID", "data": BODIES["PATCH"]},
        {"method": "PATCH", "path": f"/Groups/{case.team}", "data": {"schemas": [PATCH_OP], "Operations": [
            {"op": "add", "path": "members", "value": [{"value": "ID"}]}]}},
    ]  # fmt: skip
    for group in (False, True):
        body = {"schemas": [BULK], "Operations": operations}
        answer = case.both("POST", "/Bulk", body, group=group)
        assert [each["status"] for each in answer.body["Operations"]][:4] == ["404"] * 4
    new = {"schemas": [GROUP], "displayName": "made", "members": [{"value": "bulkId:u"}, {"value": case.theirs}]}
    made = {"schemas": [BULK], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": "made"}},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": new},
    ]}  # fmt: skip
    answer = case.attacker.post("/Bulk", made)
    assert [each["status"] for each in answer.body["Operations"]] == ["201", "201"]
    created = [each["location"].rpartition("/")[2] for each in answer.body["Operations"]]
    assert case.attacker.members(created[1]) == {created[0]}


def test_tokens_of_another_tenant(case: Case) -> None:
    """A tenant cannot list, rotate or revoke tokens of another tenant; they count as unknown."""
    tokens = case.victim.tokens
    (record,) = tokens.list("victim")
    assert record not in tokens.list("attacker")
    for call in (tokens.revoke, tokens.rotate):
        with pytest.raises(NotFound) as refused:
            call(record.id, tenant="attacker")
        with pytest.raises(NotFound) as unknown:
            call(str(uuid4()), tenant="attacker")
        assert refused.value.detail == unknown.value.detail
    assert case.victim.get("/Users").status == 200


def test_me(case: Case) -> None:
    """`/Me` gets 404 if the hook names a resource of another tenant, as for a resource that does not exist."""
    answers = []
    for id in (case.theirs, case.nobody):
        client = Client(case.store, tenant="attacker", me=lambda principal, id=id: f"/Users/{id}")
        sent = [client.send(method, "/Me", body) for method, body in BODIES.items()]
        assert {each.headers.pop("Location") for each in sent} == {f"{BASE_URL}/Users/{id}"}  # as the hook returned
        answers.append(sent)
    assert answers[0] == answers[1]
    assert {each.status for each in answers[0]} == {404}


def test_a_resource_moves_nowhere(case: Case) -> None:
    """A body with the id of another tenant's resource, or with a tenant, changes only the resource in the URL."""
    body = {"schemas": [USER], "userName": "ada", "meta": {"location": "/Users/ID"}}
    assert case.both("PUT", f"/Users/{case.mine}", {**body, "id": "ID"}).id == case.mine
    assert case.both("PUT", f"/Users/{case.mine}", body).id == case.mine
    answer = case.attacker.post("/Users", {**body, "userName": "new", "id": case.theirs, "tenant": "victim"})
    assert answer.id not in (case.theirs, case.mine)
