"""Agents (draft-wzdk-scim-agent-resource-00): announced, served, with owners that exist, in events and in the log."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import GROUP, USER, MemoryStore, ResourceType, ScimService, TokenRegistry
from scimkit.events import ResourceDeleted, ResourceEvent, ResourceUpdated, ValuesChange, after_commit, in_transaction
from scimkit.provisioning import LogQuery
from scimkit.schema.agents import AGENT, GROUP_WITH_AGENTS
from scimkit.stores.protocol import as_async_store
from scimkit.stores.sql import SqlStore
from tests.client import BASE_URL, Client

TYPES = (USER, GROUP_WITH_AGENTS, AGENT)


class AgentClient(Client):
    """A client of a service with agents."""

    def __init__(self, store: Any = None, **options: Any) -> None:
        super().__init__(store or MemoryStore(), resource_types=TYPES, **options)

    def agent(self, name: str, **attributes: Any) -> Any:
        """Create an agent, and return the answer."""
        return self.post("/Agents", {"schemas": [AGENT.schema], "agentUserName": name, **attributes})


@pytest.mark.rfc("agents-5.1.1-1")
def test_agents_are_announced() -> None:
    """The resource type and its schema are announced, and the schema of groups says that agents can be members."""
    client = AgentClient()
    kind = client.get("/ResourceTypes/Agent").body
    assert (kind["endpoint"], kind["schema"]) == ("/Agents", "urn:ietf:params:scim:schemas:core:2.0:Agent")
    attributes = {each["name"]: each for each in client.get(f"/Schemas/{AGENT.schema}").body["attributes"]}
    assert (attributes["agentUserName"]["required"], attributes["agentUserName"]["uniqueness"]) == (True, "server")
    assert {"displayName", "description", "active", "owners", "sponsors", "groups"} <= attributes.keys()
    members = client.get(f"/Schemas/{GROUP.schema}").body["attributes"][1]["subAttributes"]
    assert [each["referenceTypes"] for each in members if each["name"] == "$ref"] == [["User", "Group", "Agent"]]


@pytest.mark.rfc("agents-5.1.4-1", "agents-5.1.2-1")
def test_an_agent_needs_a_unique_name() -> None:
    """`agentUserName` is required and unique, without regard to case."""
    client = AgentClient()
    assert client.agent("Bot").status == 201
    taken = client.agent("bot")
    assert (taken.status, taken.body["scimType"]) == (409, "uniqueness")
    assert client.post("/Agents", {"schemas": [AGENT.schema], "displayName": "x"}).status == 400
    assert client.get('/Agents?filter=agentUserName eq "BOT"').body["totalResults"] == 1
    client.agent("other", externalId="x1")
    assert client.get('/Agents?filter=externalId eq "x1"').body["totalResults"] == 1


@pytest.mark.rfc("agents-5.1.4-2")
def test_owners_are_references() -> None:
    """Owners have a type and a `$ref`. An owner that does not exist is refused, in a POST, a PUT and a PATCH."""
    client = AgentClient()
    ada, team = client.user("ada"), client.group("team")
    made = client.agent("bot", owners=[{"value": ada}, {"value": team}])
    assert made.body["owners"] == [
        {"value": ada, "type": "User", "$ref": f"{BASE_URL}/Users/{ada}"},
        {"value": team, "type": "Group", "$ref": f"{BASE_URL}/Groups/{team}"},
    ]
    path = f"/Agents/{made.id}"
    nobody = [{"value": "nobody"}]
    refused = [
        client.agent("other", owners=nobody),
        client.put(path, {"schemas": [AGENT.schema], "agentUserName": "bot", "sponsors": nobody}),
        client.patch(path, {"op": "add", "path": "owners", "value": nobody}),
        client.patch(path, {"op": "add", "path": "owners", "value": [{"value": made.id}]}),
    ]
    for answer in refused:
        assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
        assert "is not the id of a User or a Group" in answer.body["detail"]
    assert client.patch(path, {"op": "remove", "path": f'owners[value eq "{team}"]'}).status == 200
    assert [each["value"] for each in client.get(path).body["owners"]] == [ada]
    assert client.patch(path, {"op": "replace", "path": "owners", "value": [{"value": team}]}).status == 200
    assert client.get(f'/Agents?filter=owners.value eq "{team}"').body["totalResults"] == 1


@pytest.mark.parametrize("in_database", [False, True])
def test_events_of_a_deleted_owner(in_database: bool) -> None:
    """The deletion of an owner is an event of the owner and of each agent, in the transaction and after it."""
    heard: list[ResourceEvent] = []
    inside: list[ResourceEvent] = []
    store: Any = SqlStore("sqlite://", provisioning_log=True) if in_database else MemoryStore(provisioning_log=True)
    listeners = [
        after_commit(ResourceEvent, heard.append),
        in_transaction(ResourceUpdated, lambda event, transaction: inside.append(event)),
    ]
    client = AgentClient(store, listeners=listeners)
    ada = client.user("ada")
    bot = client.agent("bot", owners=[{"value": ada}], active=True).id
    heard.clear()
    assert client.delete(f"/Users/{ada}").status == 204
    deleted, updated = heard
    assert (type(deleted), deleted.id) == (ResourceDeleted, ada)
    assert (type(updated), updated.id, updated.resource_type, updated.label) == (ResourceUpdated, bot, "Agent", "bot")
    assert updated.changes["owners"] == ValuesChange((), ({"value": ada, "type": "User"},))
    assert "owners" not in updated.document
    assert updated in inside
    entries = store.provisioning_log.search(LogQuery(tenant="default")).entries
    assert [(each.action, each.resource_type, each.label) for each in entries] == [
        ("Delete", "User", "ada"), ("Create", "Agent", "bot"), ("Create", "User", "ada"),
    ]  # fmt: skip
    if in_database:
        store.engine.dispose()


@pytest.mark.rfc("agents-5.1.4-3")
def test_agents_in_groups_and_bulk() -> None:
    """A bulk request creates an owner and an agent that names the owner, and the agent joins a group."""
    client = AgentClient()
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER.schema], "userName": "ada"}},
        {"method": "POST", "path": "/Agents", "bulkId": "a", "data": {
            "schemas": [AGENT.schema], "agentUserName": "bot", "owners": [{"value": "bulkId:u"}],
        }},
    ]  # fmt: skip
    schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    answer = client.post("/Bulk", {"schemas": [schema], "Operations": operations})
    assert [each["status"] for each in answer.body["Operations"]] == ["201", "201"]
    (bot,) = client.get("/Agents").body["Resources"]
    assert len(bot["owners"]) == 1
    team = client.group("team", bot["id"])
    (member,) = client.get(f"/Groups/{team}").body["members"]
    assert (member["type"], member["$ref"]) == ("Agent", f"{BASE_URL}/Agents/{bot['id']}")
    assert client.get(f"/Agents/{bot['id']}").body["groups"][0]["value"] == team
    assert client.get('/Groups?filter=members[type eq "Agent"]').body["totalResults"] == 1


def test_a_store_that_checks_no_references_is_refused() -> None:
    """A service with agents needs a store that checks their owners. The error names such stores."""

    class Unchecked(MemoryStore):
        holds_references = False

    with pytest.raises(ValueError, match="MemoryStore, SqlStore or AsyncSqlStore"):
        AgentClient(Unchecked())
    ScimService(as_async_store(MemoryStore()), tokens=TokenRegistry(), resource_types=TYPES)


@pytest.mark.parametrize("name", ["displayName", "groups", "nothing", "protocols"])
def test_only_lists_of_references_are_references(name: str) -> None:
    """`references` names attributes with `value` and `$ref` that clients write."""
    with pytest.raises(ValueError, match=name):
        ResourceType(AGENT.schema_documents[0], references=(name,))
    assert ResourceType(AGENT.schema_documents[0], references=("OWNERS",)).references == ("owners",)
