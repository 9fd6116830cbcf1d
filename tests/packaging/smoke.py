"""Send one request to a service with the parts that an extra adds: `python smoke.py EXTRA`.

This file runs by itself, in an environment with scimkit and one extra. Each function is named after its extra.
"""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from scimkit import MemoryStore, Request, ScimService, TokenRegistry, documents, run_sync, wsgi

TOKENS = TokenRegistry()
AUTHORIZATION = f"Bearer {TOKENS.issue('smoke').token}"


def service(store: Any = None) -> ScimService:
    """Return a service over a store."""
    return ScimService(store or MemoryStore(), tokens=TOKENS)


def get_users(store: Any = None) -> None:
    """Read the users of a service."""
    response = run_sync(service(store).handle(Request("GET", "/Users", headers={"authorization": AUTHORIZATION})))
    assert response.status == 200, response


def base() -> None:
    """Call a WSGI application, and build a resource type from models."""
    importlib.import_module("scimkit.schema.models")
    importlib.import_module("scimkit.asgi")
    get_users()
    status: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/Users", "HTTP_AUTHORIZATION": AUTHORIZATION,
               "HTTP_HOST": "localhost", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO()}  # fmt: skip
    list(wsgi.ScimApp(service())(environ, lambda line, headers, error=None: status.append(line)))
    assert status[0].startswith("200"), status


def sql() -> None:
    """Read from a migrated SQLite database."""
    from scimkit.stores.sql import SqlStore

    get_users(SqlStore(f"sqlite:///{tempfile.mkdtemp()}/scim.db"))


def postgresql() -> None:
    """Create an engine with the driver of PostgreSQL."""
    from scimkit.stores.sql import SqlStore

    assert SqlStore("postgresql://localhost/x", upgrade=False).engine.driver == "psycopg"


def mysql() -> None:
    """Create an engine with the driver of MariaDB and MySQL."""
    from scimkit.stores.sql import SqlStore

    assert SqlStore("mysql://localhost/x", upgrade=False).engine.driver == "pymysql"


def awaited() -> None:
    """Read from SQLite with an async store, and create an engine with the async driver of MariaDB and MySQL."""
    import asyncio

    from scimkit.stores.sql import AsyncSqlStore, SqlStore

    url = f"sqlite:///{tempfile.mkdtemp()}/scim.db"
    SqlStore(url).engine.dispose()
    AsyncSqlStore("mysql://localhost/x")

    async def read() -> None:
        store = AsyncSqlStore(url)
        tokens = service(store)
        response = await tokens.handle(Request("GET", "/Users", headers={"authorization": AUTHORIZATION}))
        assert response.status == 200, response
        await store.engine.dispose()

    asyncio.run(read())


def speed() -> None:
    """Write JSON with orjson."""
    assert documents._write is not documents.to_json
    get_users()


def oauth() -> None:
    """Import the library for tokens of an authorization server."""
    importlib.import_module("joserfc.jwt")
    get_users()


def limits() -> None:
    """Count a request in memory, and import the client of Redis."""
    from scimkit import RateLimits

    importlib.import_module("redis")
    limited = ScimService(MemoryStore(), tokens=TOKENS, rate_limits=RateLimits(tenant=1.0, window=1))
    request = Request("GET", "/Users", headers={"authorization": AUTHORIZATION})
    assert {run_sync(limited.handle(request)).status for _ in range(5)} == {200, 429}


def serve() -> None:
    """Serve an ASGI application on a port."""
    from scimkit.asgi import ScimApp
    from scimkit.testing.server import running

    with running(ScimApp(service())) as url:
        request = urllib.request.Request(f"{url}/Users", headers={"Authorization": AUTHORIZATION})
        with urllib.request.urlopen(request, timeout=20) as response:
            assert response.status == 200


def admin() -> None:
    """Create an admin page."""
    from scimkit.admin import AdminSite

    AdminSite(service(), TOKENS, authorize=lambda request: None, endpoint="/scim/v2")


def telemetry() -> None:
    """Record a request with the API of OpenTelemetry alone."""
    from scimkit.telemetry import instrument

    instrument(service())
    get_users()


def django() -> None:
    """Answer a request through the URLs for Django."""
    from django.conf import settings

    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_TZ=True)
    import django as library

    library.setup()
    from django.test import Client
    from django.urls import include, path

    from scimkit.django import scim_urls

    globals()["urlpatterns"] = [path("scim/v2/", include(scim_urls(service())))]
    assert Client().get("/scim/v2/Users", headers={"authorization": AUTHORIZATION}).status_code == 200
    importlib.import_module("scimkit.stores.django")


def webhooks() -> None:
    """Import the webhooks."""
    from scimkit.delivery import AsyncWebhook, Webhook, new_secret

    assert Webhook
    assert AsyncWebhook
    assert new_secret()


def testing() -> None:
    """Let the simulator of Entra test its connection to a WSGI application."""
    from scimkit.testing.endpoint import open_endpoint
    from scimkit.testing.providers import provider

    importlib.import_module("scimkit.testing.contract")
    importlib.import_module("scimkit.testing.plugin")
    with open_endpoint(wsgi.ScimApp(service())) as endpoint:
        token = AUTHORIZATION.removeprefix("Bearer ")
        from scimkit.testing.directory import sample_directory

        simulator = provider("entra", endpoint.base_url, token, sample_directory(), client=endpoint.client)
        assert simulator.test_connection()


def cli() -> None:
    """Issue a token with the command, in a new database."""
    store = f"sqlite:///{tempfile.mkdtemp()}/scim.db"
    command = [str(Path(sys.executable).parent / "scimkit"), "token", "create", "--store", store]
    done = subprocess.run([*command, "--description", "smoke"], capture_output=True, text=True, check=True)
    assert done.stdout.strip()


def all() -> None:
    """Run the checks of all extras that need no settings of their own."""
    parts = sql, postgresql, mysql, awaited, speed, oauth, limits, serve, admin, telemetry, django, webhooks
    for each in (*parts, testing, cli):
        each()


if __name__ == "__main__":
    globals()[{"async": "awaited"}.get(sys.argv[1], sys.argv[1])]()
