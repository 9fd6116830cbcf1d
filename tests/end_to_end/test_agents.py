"""Agents on a running server over a database: a public client, owners that leave, and the outbox."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from scimkit import USER, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.events import ResourceUpdated, ValuesChange
from scimkit.schema.agents import AGENT, GROUP_WITH_AGENTS
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.testing.server import running

PREFIX = "/scim/v2"


@pytest.mark.rfc("agents-5-1")
def test_agents_on_a_server(tmp_path: Path) -> None:
    """scim2-tester finds no error in /Agents. An owner who leaves is an event of the agent in the outbox."""
    store = SqlStore(f"sqlite:///{tmp_path}/scim.db", outbox=True, provisioning_log=True)
    tokens = TokenRegistry(SqlTokenStore(store.engine))
    service = ScimService(store, tokens=tokens, resource_types=(USER, GROUP_WITH_AGENTS, AGENT))
    headers = {"Authorization": f"Bearer {tokens.issue('tester').token}"}
    app = ScimApp(service, prefix=PREFIX)
    with running(app) as url, httpx2.Client(base_url=f"{url}{PREFIX}", headers=headers) as http:
        client = SyncSCIMClient(http)
        client.discover()
        results = check_server(client, resource_types=["Agent"])
        assert [each.title for each in results if each.status is Status.ERROR] == []
        ada = http.post("/Users", json={"schemas": [USER.schema], "userName": "ada"}).json()["id"]
        agent = {"schemas": [AGENT.schema], "agentUserName": "helpdesk-bot", "active": True}
        refused = http.post("/Agents", json={**agent, "owners": [{"value": "nobody"}]})
        assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")
        bot = http.post("/Agents", json={**agent, "owners": [{"value": ada}]}).json()
        assert bot["owners"][0]["$ref"] == f"{url}{PREFIX}/Users/{ada}"
        assert http.delete(f"/Users/{ada}").status_code == 204
        later = http.get(f"/Agents/{bot['id']}").json()
        assert "owners" not in later
        assert (later["active"], later["meta"]["version"]) == (True, 'W/"2"')
    assert store.outbox is not None
    *_, deleted, updated = [each.event for each in store.outbox.list(limit=1000)]
    assert (deleted.id, updated.id) == (ada, bot["id"])
    assert isinstance(updated, ResourceUpdated)
    assert updated.changes["owners"] == ValuesChange((), ({"value": ada, "type": "User"},))
    store.engine.dispose()
