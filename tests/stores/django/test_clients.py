"""OAuth clients in Django's database keep the contract, and get tokens over Django's views."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stores.django.project import Hosted, alias

from django.core.handlers.asgi import ASGIHandler  # isort: skip
from django.test import Client, override_settings  # isort: skip
from django.urls import include, path, reverse  # isort: skip

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.admin import AdminSite
from scimkit.django import admin_urls, scim_urls, token_urls
from scimkit.oauth import AsyncClientRegistry, ClientRegistry, TokenEndpoint
from scimkit.stores.django import DjangoClientStore, DjangoTokenStore
from scimkit.stores.django.models import ScimClient
from scimkit.stores.protocol import as_async_store
from scimkit.testing.client_contract import ClientStoreContract
from scimkit.testing.server import running
from scimkit.tokens import AsyncTokenRegistry, MemoryClientStore, MemoryTokenStore
from tests.admin.visitor import ADA, Visitor
from tests.oauth.desk import Awaited
from tests.stores.databases import DATABASES


class ThreadedClientStore(DjangoClientStore):
    """A store whose threads close their connections after each call."""

    def update(self, old: Any, new: Any) -> Any:
        return Hosted(super(), self._transactions.using).update(old, new)


@pytest.mark.parametrize("database", DATABASES)
class TestDjangoClientStore(ClientStoreContract):
    """OAuth clients in the table of the app `scimkit.stores.django`."""

    @pytest.fixture(autouse=True)
    def _on(self, database: str) -> None:
        self.database = alias(database)

    def make_store(self) -> Any:
        return ThreadedClientStore(self.database)


@pytest.mark.parametrize("database", DATABASES)
def test_a_client_of_the_admin_page_gets_tokens(database: str) -> None:
    """A client that the admin page made gets a token from a Django view, and the endpoint accepts it."""
    using = alias(database)
    tokens = TokenRegistry(DjangoTokenStore(using))
    clients = ClientRegistry(tokens, DjangoClientStore(using))
    service = ScimService(MemoryStore(), tokens=tokens)
    site = AdminSite(service, tokens, endpoint="/scim/v2", clients=clients, authorize=lambda _: ADA)
    id, secret = Visitor(site).new_client()

    class Urls:
        urlpatterns = (
            path("scim/v2/", include(scim_urls(service))),
            path("scim-admin/", include(admin_urls(site))),
            path("oauth/", include(token_urls(TokenEndpoint(service, clients)))),
        )

    browser = Client(enforce_csrf_checks=True)
    form = {"grant_type": "client_credentials", "client_id": id, "client_secret": secret}
    urlencoded = "application/x-www-form-urlencoded"
    with override_settings(ROOT_URLCONF=Urls):
        assert reverse("scim-token") == "/oauth/token"
        answer = browser.post("/oauth/token", "&".join(f"{k}={v}" for k, v in form.items()), content_type=urlencoded)
        assert answer.status_code == 200, answer.content
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert browser.get("/scim/v2/Users", headers=headers).status_code == 200
        assert browser.get("/oauth/token").status_code == 405
        for body, status in ((b"x" * 40_000, 413), (b"client_id=x&client_secret=y", 401)):
            refused = browser.post("/oauth/token", body, content_type=urlencoded)
            assert (refused.status_code, "error" in refused.json()) == (status, True)
        assert id in browser.get("/scim-admin/clients").content.decode()
        clients.revoke(id)
        assert browser.get("/scim/v2/Users", headers=headers).status_code == 401
    assert secret not in str(list(ScimClient.objects.using(using).values_list()))


def test_an_async_endpoint_is_awaited() -> None:
    """A token endpoint over async stores gets an async view."""
    import httpx

    store: Any = as_async_store(MemoryStore())
    tokens = AsyncTokenRegistry(Awaited(MemoryTokenStore()))
    clients = AsyncClientRegistry(tokens, Awaited(MemoryClientStore()))  # type: ignore[arg-type]
    endpoint = TokenEndpoint(ScimService(store, tokens=tokens), clients)

    class Urls:
        urlpatterns = (path("oauth/", include(token_urls(endpoint))),)

    with override_settings(ROOT_URLCONF=Urls), running(ASGIHandler()) as url:
        for body, status in (({"client_id": "x", "client_secret": "y"}, 401), ({"x": "x" * 40_000}, 413)):
            assert httpx.post(f"{url}/oauth/token", data=body).status_code == status
