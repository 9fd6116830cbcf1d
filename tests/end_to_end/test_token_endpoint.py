"""Clients get access tokens from a real server, and use them on the SCIM endpoint of the same host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.oauth import AsyncClientRegistry, ClientRegistry, TokenEndpoint, asgi, wsgi
from scimkit.stores.sql import (
    AsyncSqlClientStore,
    AsyncSqlStore,
    AsyncSqlTokenStore,
    SqlClientStore,
    SqlStore,
    SqlTokenStore,
)
from scimkit.testing.server import running
from scimkit.tokens import AsyncTokenRegistry
from tests.oauth.desk import FORM, JWT_BEARER, assertion
from tests.oauth.issuer import key, key_set, serving
from tests.test_wsgi import send

GRANT = {"grant_type": "client_credentials"}


class Host:
    """A FastAPI application with a SCIM endpoint and a token endpoint over a database."""

    def __init__(self, url: str, store: SqlStore) -> None:
        self.url = url
        self.engine = store.engine
        self.tokens = TokenRegistry(SqlTokenStore(store.engine))
        self.clients = ClientRegistry(self.tokens, SqlClientStore(store.engine), allow_http=True)
        self.client = self.clients.add("Entra", scopes=["read", "write:User"])

    def ask(self, **form: str) -> httpx.Response:
        """Return the response to a form."""
        return httpx.post(f"{self.url}/oauth/token", data=GRANT | {"client_id": self.client.id} | form)

    def create(self, token: str, name: str) -> int:
        """Create a user, and return the status."""
        headers = {"authorization": f"Bearer {token}"}
        response = httpx.post(f"{self.url}/scim/v2/Users", json={"userName": name}, headers=headers)
        return response.status_code


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A running host."""
    store = SqlStore(f"sqlite:///{tmp_path}/desk.db")
    tokens = TokenRegistry(SqlTokenStore(store.engine))
    clients = ClientRegistry(tokens, SqlClientStore(store.engine), allow_http=True)
    service = ScimService(store, tokens=tokens)
    endpoint = TokenEndpoint(service, clients, allow_http=True, allowed_networks=["127.0.0.0/8"])
    app = FastAPI()
    app.mount("/scim/v2", ScimApp(service))
    app.mount("/oauth", asgi.TokenApp(endpoint))
    with running(app) as url:
        yield Host(url, store)
    store.engine.dispose()


def test_a_client_with_secrets_provisions_users(host: Host) -> None:
    """A client gets a token with its secret and creates a user. After a rotation, both secrets give tokens."""
    first = host.clients.add_secret(host.client.id).secret
    response = httpx.post(f"{host.url}/oauth/token", data=GRANT, auth=(host.client.id, first))
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert host.create(response.json()["access_token"], "ada") == 201
    config = httpx.get(f"{host.url}/scim/v2/ServiceProviderConfig").json()
    assert [each["type"] for each in config["authenticationSchemes"]] == ["oauthbearertoken", "oauth2"]
    second = host.clients.rotate_secret(host.client.id, overlap=timedelta(days=1)).secret
    for number, secret in enumerate((first, second)):
        assert host.create(host.ask(client_secret=secret).json()["access_token"], f"user{number}") == 201
    host.clients.rotate_secret(host.client.id, overlap=timedelta(0))
    assert [host.ask(client_secret=each).status_code for each in (first, second)] == [401, 401]


def test_a_federated_identity_provisions_users(host: Host) -> None:
    """An assertion of Entra ID, verified with keys of a real server, gives a token that the SCIM endpoint accepts."""
    with serving(key_set(key("one"))) as issuer:
        claims = {"iss": "https://login.example.org/v2.0", "sub": "s", "aud": "api://x"}
        host.clients.add_trust(host.client.id, issuer=claims["iss"], subject="s", audience="api://x", jwks=issuer.url)
        form = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion(**claims)}
        response = host.ask(scope="scim", **form)
        assert response.json()["scope"] == "read write:User"
        token = response.json()["access_token"]
        assert host.create(token, "grace") == 201
        groups = httpx.post(f"{host.url}/scim/v2/Groups", json={"displayName": "x"},
                            headers={"authorization": f"Bearer {token}"})  # fmt: skip
        assert groups.status_code == 403
        host.clients.revoke(host.client.id)
        assert (host.create(token, "alan"), host.ask(**form).status_code) == (401, 401)


def test_an_async_host_serves_the_same_endpoint(tmp_path: Path) -> None:
    """With async stores, a client gets tokens with a secret and with an assertion, and uses them."""
    file = f"sqlite:///{tmp_path}/desk.db"
    store = SqlStore(file)
    host = Host("", store)
    opened = AsyncSqlStore(file)
    tokens = AsyncTokenRegistry(AsyncSqlTokenStore(opened.engine))
    clients = AsyncClientRegistry(tokens, AsyncSqlClientStore(opened.engine), allow_http=True)
    service = ScimService(opened, tokens=tokens)
    endpoint = TokenEndpoint(service, clients, allow_http=True, allowed_networks=["127.0.0.0/8"])

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await opened.engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.mount("/scim/v2", ScimApp(service))
    app.mount("/oauth", asgi.TokenApp(endpoint))
    with serving(key_set(key("one"))) as issuer, running(app) as host.url:
        host.clients.add_trust(host.client.id, issuer="i", subject="s", audience="a", jwks=issuer.url)
        secret = host.clients.add_secret(host.client.id).secret
        text = assertion(iss="i", sub="s", aud="a")
        forms = ({"client_secret": secret}, {"client_assertion_type": JWT_BEARER, "client_assertion": text})
        for number, form in enumerate(forms):
            assert host.create(host.ask(**form).json()["access_token"], f"user{number}") == 201
        assert host.ask(client_secret="x").status_code == 401
    store.engine.dispose()


def test_a_body_that_is_too_large_is_refused_early(host: Host) -> None:
    """A body that is larger than 32 KiB is refused, with a declared length or in chunks, and with hostile headers."""
    headers = {"content-type": FORM}
    url = f"{host.url}/oauth/token"
    for body in (b"x" * 40_000, iter([b"x" * 20_000] * 3)):
        response = httpx.post(url, content=body, headers=headers)
        assert (response.status_code, response.json()["error"]) == (413, "invalid_request")
    twice = httpx.post(
        url, content=b"", headers=[("content-type", FORM), ("authorization", "a"), ("authorization", "b")]
    )
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert httpx.get(f"{host.url}/oauth/token").status_code == 405
    assert httpx.post(f"{host.url}/oauth/other").status_code == 404


def test_wsgi_serves_the_same_endpoint() -> None:
    """The WSGI application answers as the ASGI one, by the rules of PEP 3333."""
    tokens = TokenRegistry()
    clients = ClientRegistry(tokens)
    app = wsgi.TokenApp(TokenEndpoint(ScimService(MemoryStore(), tokens=tokens), clients), prefix="/oauth")
    client = clients.add("Okta")
    secret = clients.add_secret(client.id).secret
    form = urlencode(GRANT | {"client_id": client.id, "client_secret": secret}).encode()
    for body, expected in ((form, 200), (form + b"x", 401), (b"x" * 40_000, 413)):
        response = send(app, "POST", "/oauth/token", body, CONTENT_TYPE=FORM, HTTP_AUTHORIZATION=None)
        assert response.status == expected
        if expected == 200:
            assert tokens.verify(response.json()["access_token"]).tenant == "default"
