"""Roles and entitlements on a running server: Okta's simulator and public clients, with awaited offers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.entitlements import Offer, RolesAndEntitlements
from scimkit.stores.protocol import as_async_store
from scimkit.testing.directory import key_of, sample_directory
from scimkit.testing.directory_history import play
from scimkit.testing.okta import OktaCatalogApp
from scimkit.testing.server import running
from tests.stores.databases import DATABASES, store_of
from tests.testing.flawed import findings


async def licenses(tenant: str) -> Sequence[Offer]:
    """Return the licenses that a tenant has bought, after a wait."""
    await asyncio.sleep(0)
    return [Offer(f"{tenant}-seat", "Seat", type="License")]


def test_roles_and_entitlements_on_a_server() -> None:
    """Okta discovers and assigns on a server whose offers are awaited; each tenant sees its own."""
    tokens = TokenRegistry()
    declared = RolesAndEntitlements(
        roles=[Offer("agent", "Agent")],
        entitlements=licenses,
        schemas=lambda tenant: "okta" if tenant == "acme" else "draft",
    )
    service = ScimService(as_async_store(MemoryStore()), tokens=tokens, roles_and_entitlements=declared)
    with running(ScimApp(service, prefix="/scim/v2")) as url:
        okta = OktaCatalogApp(f"{url}/scim/v2", tokens.issue("okta", tenant="acme").token, sample_directory())
        play(okta, [])
        found = okta.discover_entitlements()
        assert list(found["Entitlement"]) == ["acme-seat"]
        seats = list(found["Entitlement"].values())
        assert okta.assign(key_of("bo"), roles=list(found["Role"].values()), entitlements=seats)
        assert findings(okta.report) == []
        okta.close()
        headers = {"Authorization": f"Bearer {tokens.issue('tester', tenant='globex').token}"}
        with httpx2.Client(base_url=f"{url}/scim/v2", headers=headers) as http:
            listed = http.get("/Entitlements").json()
            assert [each["value"] for each in listed["Resources"]] == ["globex-seat"]
            client = SyncSCIMClient(http)
            client.discover(service_provider_config=False)  # its model refuses the attribute of the draft
            results = check_server(client, resource_types=["Role", "Entitlement"])
            wrong = [each.title for each in results if each.status is Status.ERROR]
            assert wrong == ["service_provider_config_endpoint"]  # the same refusal


@pytest.mark.parametrize("database", DATABASES)
def test_each_database_keeps_assignments(database: str) -> None:
    """Okta assigns, replaces and takes away roles and entitlements that a database keeps, and finds users by role."""
    tokens, tenant = TokenRegistry(), f"roles-{os.urandom(4).hex()}"
    declared = RolesAndEntitlements(
        roles=[Offer("agent", "Agent"), Offer("admin", "Administrator")],
        entitlements=[Offer("seat", "Seat", type="License")], schemas="okta",
    )  # fmt: skip
    service = ScimService(store_of(database), tokens=tokens, roles_and_entitlements=declared)
    token = tokens.issue("okta", tenant=tenant).token
    with running(ScimApp(service, prefix="/scim/v2")) as url:
        okta = OktaCatalogApp(f"{url}/scim/v2", token, sample_directory())
        play(okta, [])
        found = okta.discover_entitlements()
        bo = key_of("bo")
        assert okta.assign(bo, roles=[found["Role"]["agent"]], entitlements=list(found["Entitlement"].values()))
        with httpx2.Client(base_url=f"{url}/scim/v2", headers={"Authorization": f"Bearer {token}"}) as http:
            agents = {"filter": 'roles[value eq "agent"]'}
            assert http.get("/Users", params=agents).json()["totalResults"] == 1
            assert okta.assign(bo, roles=[found["Role"]["admin"]])
            assert http.get("/Users", params=agents).json()["totalResults"] == 0
        assert findings(okta.report) == []
        okta.close()
