"""Tests of the ASGI and WSGI adapters below mount paths, behind proxies and in several frameworks."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.http import HttpResponse
from django.urls import include
from django.urls import path as route
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Mount
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from scimkit import MemoryStore, ScimService, TokenRegistry, asgi, wsgi
from scimkit.django import scim_urls
from scimkit.testing.server import running
from tests.client import ERROR, Client
from tests.end_to_end.test_concurrency import wsgi_running
from tests.stores.django.project import AsgiProject, WsgiProject

TOKENS = TokenRegistry()
TOKEN = TOKENS.issue("test").token


def service() -> ScimService:
    """Return a new service."""
    return ScimService(MemoryStore(), tokens=TOKENS)


def fastapi_app() -> Any:
    """Return a FastAPI application that mounts the adapter."""
    app = FastAPI()
    app.mount("/api/scim/v2", asgi.ScimApp(service()))
    return app


def nested_app() -> Any:
    """Return a Starlette application inside a Starlette application that mounts the adapter."""
    inner = Starlette(routes=[Mount("/scim/v2", app=asgi.ScimApp(service()))])
    return Starlette(routes=[Mount("/api", app=inner)])


def plain_asgi_app() -> Any:
    """Return the ASGI adapter with a prefix."""
    return asgi.ScimApp(service(), prefix="/api/scim/v2")


def flask_app() -> Any:
    """Return a Flask application with the adapter beside it."""
    flask = Flask("helpdesk")
    flask.wsgi_app = DispatcherMiddleware(flask.wsgi_app, {"/api/scim/v2": wsgi.ScimApp(service())})  # type: ignore[method-assign]
    return flask


def plain_wsgi_app() -> Any:
    """Return the WSGI adapter with a prefix."""
    return wsgi.ScimApp(service(), prefix="/api/scim/v2")


def django_urls() -> list[Any]:
    """Return the URLs of a Django project that includes the SCIM endpoint."""
    return [route("hello", lambda request: HttpResponse("hello")), route("api/scim/v2/", include(scim_urls(service())))]


def django_wsgi_app() -> Any:
    """Return a Django WSGI application that includes the SCIM endpoint."""
    return WsgiProject(django_urls())


def django_asgi_app() -> Any:
    """Return a Django ASGI application that includes the SCIM endpoint."""
    return AsgiProject(django_urls())


ASGI_APPS = [fastapi_app, nested_app, plain_asgi_app, django_asgi_app]
WSGI_APPS = [flask_app, plain_wsgi_app, django_wsgi_app]


@pytest.fixture(params=[*ASGI_APPS, *WSGI_APPS], ids=lambda make: make.__name__)
def http(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Yield an HTTP client whose base URL is the SCIM endpoint of a running server."""
    run = running if request.param in ASGI_APPS else wsgi_running
    with run(request.param()) as url, httpx.Client(base_url=f"{url}/api/scim/v2") as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


@pytest.mark.rfc("7643-2.3.7-2", "7644-3.13-1")
def test_locations_under_a_mount_path(http: httpx.Client) -> None:
    """`Location`, `meta.location` and `$ref` are URLs of the resource, including the mount path."""
    created = http.post("/Users", json={"userName": "ada"})
    assert created.status_code == 201
    location = created.headers["Location"]
    assert location == created.json()["meta"]["location"]
    assert location == f"{http.base_url}Users/{created.json()['id']}".replace("v2Users", "v2/Users")
    assert http.get(location).json()["userName"] == "ada"
    group = http.post("/Groups", json={"displayName": "Agents", "members": [{"value": created.json()["id"]}]})
    assert group.json()["members"][0]["$ref"] == location


def test_every_method_and_error(http: httpx.Client) -> None:
    """Every method is served, errors 401, 404 and 405 have SCIM bodies, and a trailing slash is accepted."""
    id = http.post("/Users/", json={"userName": "ada"}).json()["id"]
    assert http.put(f"/Users/{id}", json={"userName": "ada2"}).json()["userName"] == "ada2"
    operation = {"op": "add", "path": "title", "value": "Ägent"}
    assert http.patch(f"/Users/{id}", json={"Operations": [operation]}).json()["title"] == "Ägent"
    assert http.get("/Users", params={"filter": 'title eq "ägent"'}).json()["totalResults"] == 1
    for answer, status in (
        (http.get("/Users", headers={"Authorization": "Bearer x"}), 401),
        (http.get("/Nope"), 404),
        (http.delete("/Users"), 405),
    ):
        assert (answer.status_code, answer.json()["schemas"]) == (status, [ERROR])
        assert answer.headers["Content-Type"] == "application/scim+json"
    deleted = http.delete(f"/Users/{id}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert http.get(f"/Users/{id}").status_code == 404


def asgi_location(app: asgi.ScimApp, headers: dict[str, str], root_path: str = "") -> str:
    """Return the base URL in the Location header of a user created through an ASGI application."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"userName": "ada"}'}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in {"authorization": f"Bearer {TOKEN}", **headers}.items()]
    scope = {
        "type": "http", "method": "POST", "path": f"{root_path}/Users", "root_path": root_path, "headers": raw,
        "query_string": b"", "scheme": "http", "server": ("10.0.0.1", 8000),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return dict(sent[0]["headers"])[b"location"].decode().rsplit("/Users/")[0]


def wsgi_location(app: wsgi.ScimApp, headers: dict[str, str], root_path: str = "") -> str:
    """Return the base URL in the Location header of a user created through a WSGI application."""
    found: dict[str, str] = {}
    body = b'{"userName": "ada"}'
    environ = {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": root_path, "PATH_INFO": "/Users", "QUERY_STRING": "",
        "wsgi.url_scheme": "http", "SERVER_NAME": "10.0.0.1", "SERVER_PORT": "8000", "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)), "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
    }  # fmt: skip
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    list(app(environ, lambda status, sent: found.update(sent)))
    return found["Location"].rsplit("/Users/")[0]


FORWARDED = {
    "host": "inner:8000", "x-forwarded-proto": "https", "x-forwarded-host": "help.example.org, inner",
    "x-forwarded-prefix": "/desk/",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "location"), [(asgi.ScimApp, asgi_location), (wsgi.ScimApp, wsgi_location)])
@pytest.mark.rfc("7644-1.3-1")
def test_base_url(kind: Any, location: Any) -> None:
    """The base URL is `public_url`, else the forwarded headers if trusted, else the Host header, else the server.

    The last value of a forwarded header comes from the nearest proxy, the value before it from the next proxy.
    """
    assert location(kind(service()), {}) == "http://10.0.0.1:8000"
    assert location(kind(service()), {"host": "a.example"}, "/scim") == "http://a.example/scim"
    assert location(kind(service()), FORWARDED) == "http://inner:8000"
    assert location(kind(service(), trust_forwarded=1), FORWARDED, "/scim") == "https://inner/desk/scim"
    trusting = kind(service(), trust_forwarded=2)
    spoofed = FORWARDED | {"x-forwarded-host": "evil.example, help.example.org, inner"}
    assert location(trusting, FORWARDED, "/scim") == "https://help.example.org/desk/scim"
    assert location(kind(service(), trust_forwarded=2), spoofed, "/scim") == "https://help.example.org/desk/scim"
    public = kind(service(), public_url="https://p.example/v2/", trust_forwarded=1)
    assert location(public, FORWARDED, "/scim") == "https://p.example/v2"


@pytest.mark.parametrize("kind", [asgi.ScimApp, wsgi.ScimApp])
def test_trust_is_a_number(kind: Any) -> None:
    """`trust_forwarded` is a number of proxies; True and negative numbers are refused."""
    for wrong in (True, -1, "1"):
        with pytest.raises(ValueError, match="number of proxies"):
            kind(service(), trust_forwarded=wrong)


def test_wsgi_refuses_an_async_service() -> None:
    """The WSGI adapter refuses an async store, and the error names the ASGI adapter."""

    class AsyncStore(MemoryStore):
        is_async = True  # type: ignore[assignment]

    with pytest.raises(ValueError, match=r"scimkit\.asgi"):
        wsgi.ScimApp(ScimService(AsyncStore(), tokens=TOKENS))  # type: ignore[arg-type]


def test_lifespan_is_answered(client: Client) -> None:
    """The ASGI adapter acknowledges startup and shutdown."""
    incoming = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return next(incoming)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(asgi.ScimApp(client.service)({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_wsgi_reads_a_chunked_body_up_to_the_limit(client: Client) -> None:
    """A body without a length is read to its end, and refused with 413 if it exceeds the limit."""

    def call(body: bytes) -> str:
        statuses: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/Users", "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True, "HTTP_AUTHORIZATION": f"Bearer {client.token}",
        }  # fmt: skip
        list(wsgi.ScimApp(client.service)(environ, lambda status, headers: statuses.append(status)))
        return statuses[0]

    assert call(json.dumps({"userName": "ada"}).encode()).startswith("201")
    assert call(b"x" * 6_000_000).startswith("413")
