"""Roles and entitlements on a running server: Okta's simulator and public clients, with awaited offers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx2
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
