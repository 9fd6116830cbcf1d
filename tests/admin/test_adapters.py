"""The admin page under ASGI and WSGI hosts, with sync and async stores, and from the command line."""

from __future__ import annotations

import asyncio
import re
import runpy
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.admin import Administrator, AdminSite
from scimkit.admin.asgi import AdminApp
from scimkit.admin.wsgi import AdminApp as WsgiAdminApp
from scimkit.cli.admin import new_admin_settings
from scimkit.provisioning import LogQuery
from scimkit.safeguards import Breaker
from scimkit.stores.protocol import as_async_store
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.tokens import AsyncTokenRegistry, MemoryTokenStore
from tests.admin.test_pages import a_user, scim
from tests.admin.visitor import ADA, Visitor
from tests.test_cli import serving

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


class AwaitedTokens:
    """An `AsyncTokenStore` in memory."""

    def __init__(self) -> None:
        self._store = MemoryTokenStore()

    def __getattr__(self, name: str) -> Any:
        async def awaited(*values: Any) -> Any:
            await asyncio.sleep(0)
            return getattr(self._store, name)(*values)

        return awaited


async def use(client: httpx.AsyncClient, root: str) -> str:
    """Create a token by the form, and return the page that shows the token."""
    form = await client.get(f"{root}/tokens/new")
    assert form.status_code == 200, form.text
    token = re.findall(r'name="form_token" value="([^"]+)"', form.text)[0]
    values = {"form_token": token, "description": "Entra", "scopes": ["read", "write"], "expires": "never"}
    return (await client.post(f"{root}/tokens/new", data=values)).text


def served(app: Any, root: str, **options: Any) -> str:
    """Create a token in an ASGI application."""

    async def run() -> str:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://help.example.org", **options) as client:
            return await use(client, root)

    return asyncio.run(run())


def test_fastapi() -> None:
    """The example mounts the page in FastAPI. Links and the endpoint have the mount path, and strangers get 403."""
    example = runpy.run_path(str(EXAMPLES / "admin_page.py"))
    html = served(example["app"], "/scim-admin", cookies={"session": "an-opaque-id"})
    assert 'href="/scim-admin/tokens"' in html and "https://help.example.org/scim/v2" in html
    assert [each.tenant for each in example["tokens"].list("acme")] == ["acme"]

    async def stranger() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(example["app"]), base_url="http://h") as client:
            return (await client.get("/scim-admin/tokens")).status_code

    assert asyncio.run(stranger()) == 403


def test_flask_and_a_page_of_your_own() -> None:
    """The examples for Flask and for a page of your own run."""
    example = runpy.run_path(str(EXAMPLES / "admin_flask.py"))
    client = example["app"].test_client()
    with client.session_transaction() as session:
        session["user"] = {"email": "ada@example.org", "tenant": "acme", "is_admin": True}
    form = client.get("/scim-admin/tokens/new").text
    token = re.findall(r'name="form_token" value="([^"]+)"', form)[0]
    values = {"form_token": token, "description": "Entra", "scopes": ["read"], "expires": "90"}
    assert "scimkit_" in client.post("/scim-admin/tokens/new", data=values).text
    assert client.post("/scim-admin/tokens/new", data=b"x" * 70_000).status_code == 413
    assert client.get("/scim-admin/nope", headers={"Host": "a b"}).status_code == 400
    runpy.run_path(str(EXAMPLES / "own_page.py"))


def test_a_blocking_store_runs_in_a_thread(tmp_path: Path) -> None:
    """Pages over a database never block the event loop. `authorize` runs on the loop and may be awaited."""
    store = SqlStore(f"sqlite:///{tmp_path / 'db'}")
    tokens = TokenRegistry(SqlTokenStore(store.engine))
    threads = set()

    async def authorize(scope: Any) -> Administrator:
        await asyncio.sleep(0)
        return ADA

    plain = tokens.list

    def listed(tenant: str = "default") -> Any:
        threads.add(threading.current_thread().name)
        return plain(tenant)

    tokens.list = listed  # type: ignore[method-assign]
    site = AdminSite(ScimService(store, tokens=tokens), tokens, endpoint="/scim", authorize=authorize)
    assert "scimkit_" in served(AdminApp(site, prefix="/admin"), "/admin")

    async def read() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(AdminApp(site)), base_url="http://h") as client:
            assert "Entra" in (await client.get("/tokens")).text
            assert (await client.post("/tokens/new", content=b"x" * 70_000)).status_code == 413
            assert (await client.get("/tokens", headers={"Host": "a b"})).status_code == 400

    asyncio.run(read())
    assert threads == {"scimkit-store"}
    store.engine.dispose()


def test_async_ports_are_awaited() -> None:
    """Pages over an async store and an async token registry run on the loop. WSGI refuses them."""
    store: Any = as_async_store(MemoryStore())
    tokens = AsyncTokenRegistry(AwaitedTokens())
    site = AdminSite(ScimService(store, tokens=tokens), tokens, endpoint="/scim", authorize=lambda _: ADA)
    assert "scimkit_" in served(AdminApp(site, prefix="/admin"), "/admin")
    with pytest.raises(ValueError, match=r"scimkit\.asgi"):
        WsgiAdminApp(site)


def test_store_and_registry_are_called_the_same_way(tmp_path: Path) -> None:
    """A blocking store with an async registry is refused, and so is an async store with a registry that blocks."""
    store = SqlStore(f"sqlite:///{tmp_path / 'db'}")
    tokens = AsyncTokenRegistry(AwaitedTokens())
    with pytest.raises(ValueError, match="TokenRegistry"):
        AdminSite(ScimService(store, tokens=tokens), tokens, endpoint="/scim", authorize=lambda _: ADA)
    blocking = TokenRegistry(SqlTokenStore(store.engine))
    lifted: Any = as_async_store(MemoryStore())
    with pytest.raises(ValueError, match="AsyncTokenRegistry"):
        AdminSite(ScimService(lifted, tokens=blocking), blocking, endpoint="/scim", authorize=lambda _: ADA)
    store.engine.dispose()


def test_processes_share_one_time_links() -> None:
    """Two processes of a server accept each other's sessions, and one link once."""
    settings = new_admin_settings("default")
    code = settings.announcement("http://127.0.0.1/scim/v2").rsplit("/", 1)[1]
    one, other = settings.links(), settings.links()
    cookie = one.redeem(code)
    assert cookie is not None and other.redeem(code) is None
    assert other.authorize({"HTTP_COOKIE": f"scimkit_admin={cookie}"}) is not None
    assert settings.secret not in repr(settings)


@pytest.mark.parametrize("workers", [[], ["--workers", "2"]], ids=["one process", "two processes"])
def test_serve_prints_a_link_that_works_once(workers: list[str], tmp_path: Path) -> None:
    """`scimkit serve --admin` prints a link. It opens the page once, and forms work in every process."""
    store = ["--store", f"sqlite:///{tmp_path / 'db'}"]
    with serving("--admin", "--no-access-log", *store, *workers, lines=2) as lines:
        link = lines[1].split()[-1]
        with httpx.Client() as browser:
            entered = browser.get(link)
            assert entered.status_code == 200
            assert "httponly" in entered.headers["set-cookie"].lower()
            root = link.partition("/enter/")[0]
            for _ in range(4):
                form = browser.get(f"{root}/tokens/new", headers={"Connection": "close"}).text
                token = re.findall(r'name="form_token" value="([^"]+)"', form)[0]
                values = {"form_token": token, "description": "Entra", "scopes": ["read"], "expires": "90"}
                assert "scimkit_" in browser.post(f"{root}/tokens/new", data=values).text
        assert httpx.get(link).status_code == 403
        assert httpx.get(f"{root}/tokens").status_code == 403


def test_serve_shows_clients_with_a_token_endpoint(tmp_path: Path) -> None:
    """With `--token-endpoint`, the page makes a client, which gets an access token from the same server."""
    store = ["--store", f"sqlite:///{tmp_path / 'db'}"]
    with serving("--admin", "--token-endpoint", "--no-access-log", *store, lines=2) as lines, httpx.Client() as browser:
        link = lines[1].split()[-1]
        browser.get(link)
        root = link.partition("/enter/")[0]
        server = root.removesuffix("/admin")
        form = browser.get(f"{root}/clients/new").text
        token = re.findall(r'name="form_token" value="([^"]+)"', form)[0]
        values = {"form_token": token, "description": "Entra", "scopes": ["read"], "lifetime": "60", "expires": "730",
                  "method": "secret"}  # fmt: skip
        html = browser.post(f"{root}/clients/new", data=values).text
        assert f"{server}/oauth/token" in html
        secret = re.findall(r"scimkit_secret_\w+", html)[0]
        id = re.findall(r'id="client-id" value="([^"]+)"', html)[0]
        grant = {"grant_type": "client_credentials"}
        answer = httpx.post(f"{server}/oauth/token", data=grant, auth=(id, secret))
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert httpx.get(f"{server}/scim/v2/Users", headers=headers).status_code == 200
        assert httpx.post(f"{server}/oauth/token", data=grant, auth=(id, "wrong")).status_code == 401
        assert "the secret of the client is wrong" in browser.get(f"{root}/clients/{id}").text


def test_pages_over_a_database(tmp_path: Path) -> None:
    """Every page works over a database. Ids and searches that a database could refuse are answered."""
    store = SqlStore(f"sqlite:///{tmp_path / 'db'}", provisioning_log=True)
    tokens = TokenRegistry(SqlTokenStore(store.engine))
    service = ScimService(store, tokens=tokens, breaker=Breaker(), protect='userName eq "bo"')
    visitor = Visitor(AdminSite(service, tokens, endpoint="/scim/v2", authorize=lambda _: ADA))
    id, token = visitor.new_token()
    user = scim(service, token, "POST", "/Users", a_user("bo"))["id"]
    scim(service, token, "POST", "/Users", a_user("bo"))
    scim(service, token, "DELETE", f"/Users/{user}")
    entries = service.provisioning_log.search(LogQuery(tenant="default")).entries  # type: ignore[union-attr]
    assert len(entries) == 3
    paths = ["/tokens", f"/tokens/{id}", "/log", "/resources/User", f"/resources/User/{user}", "/safeguards"]
    for path in (*paths, *(f"/log/{each.id}" for each in entries)):
        assert "</html>" in visitor.get(path)
    assert "Protected" in visitor.get(f"/resources/User/{user}")
    assert "bo" in visitor.get("/resources/User", "search=B")
    for query in (
        "person=%00%F0%9F%98%80%ED%A0%80",
        "token=%27%3B--",
        "cursor=x&cycle=%FF",
        "search=%25_%5C&page=9999999",
    ):
        assert visitor.send("GET", "/log", query).status == visitor.send("GET", "/resources/User", query).status == 200
    for path in ("/tokens/\u00e9' or 1=1", "/resources/User/" + "x" * 300, "/resources/User/\U0001f600", "/log/%"):
        assert visitor.send("GET", path).status == 404
    store.engine.dispose()
