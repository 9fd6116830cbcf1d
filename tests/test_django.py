"""The Django adapter: requests need no session or CSRF token, and every response is in SCIM form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stores.django.project import AsgiProject

from django.db import connections  # isort: skip
from django.http import UnreadablePostError  # isort: skip
from django.test import Client, override_settings  # isort: skip
from django.template import Context, Template  # isort: skip
from django.contrib import admin  # isort: skip
from django.http import HttpResponse  # isort: skip
from django.urls import include, path, reverse  # isort: skip

import httpx

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.admin import Administrator, AdminSite
from scimkit.django import admin_urls, health_urls, scim_urls
from scimkit.service import Limits
from scimkit.stores.protocol import as_async_store
from scimkit.testing.server import running
from tests.client import ERROR

TOKENS = TokenRegistry()
TOKEN = TOKENS.issue("test").token


def urls(store: Any = None, **options: Any) -> tuple[Any, ...]:
    """Return the URL patterns of a project with an endpoint."""
    service = ScimService(store or MemoryStore(), tokens=TOKENS, **options)
    return (path("scim/v2/", include(scim_urls(service))),)


def send(urlpatterns: Any, method: str, target: str, body: Any = None, **headers: str) -> Any:
    """Return the response to a request through Django's test client with CSRF checks."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    with override_settings(ROOT_URLCONF=urlpatterns):
        return Client(enforce_csrf_checks=True).generic(
            method, target, content, content_type="application/scim+json",
            headers={"Authorization": f"Bearer {TOKEN}", **headers},
        )  # fmt: skip


@pytest.mark.parametrize("lifted", [False, True], ids=["sync", "async"])
def test_failed_attempts_are_counted_for_the_client(lifted: bool) -> None:
    """Failed attempts are counted for the address of the peer, or for the one that a trusted proxy saw."""
    store: Any = as_async_store(MemoryStore()) if lifted else MemoryStore()
    service = ScimService(store, tokens=TOKENS, limits=Limits(failed_attempts=2))
    patterns = (path("scim/v2/", include(scim_urls(service, trust_forwarded=1))),)

    def get(client: str, token: str = "x") -> int:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": f"192.0.2.9, {client}"}
        return int(send(patterns, "GET", "/scim/v2/Users", **headers).status_code)

    assert [get("203.0.113.9") for _ in range(3)] == [401, 401, 429]
    assert get("203.0.113.10") == 401
    assert get("203.0.113.9", TOKEN) == 200
    with pytest.raises(ValueError, match="proxies"):
        scim_urls(service, trust_forwarded=-1)


def test_no_session_and_no_csrf_token() -> None:
    """A bearer token is sufficient, even in a project that requires a login."""
    middleware = ["django.contrib.sessions.middleware.SessionMiddleware",
                  "django.contrib.auth.middleware.AuthenticationMiddleware",
                  "django.contrib.auth.middleware.LoginRequiredMiddleware",
                  "django.middleware.csrf.CsrfViewMiddleware"]  # fmt: skip
    with override_settings(MIDDLEWARE=middleware):
        created = send(urls(), "POST", "/scim/v2/Users", {"userName": "ada"})
        refused = send(urls(), "GET", "/scim/v2/Users", Authorization="Bearer x")
    assert created.status_code == 201
    assert "Set-Cookie" not in created
    assert (refused.status_code, refused.json()["schemas"]) == (401, [ERROR])


def test_bodies_up_to_the_limit_of_the_service() -> None:
    """The body limit of the service applies instead of Django's limit. A larger body gets 413."""
    patterns = urls(limits=Limits(body=5000))
    large = send(patterns, "POST", "/scim/v2/Users", {"userName": "ada", "title": "x" * 4000})
    assert large.status_code == 201
    refused = send(patterns, "POST", "/scim/v2/Users", {"userName": "bo", "title": "x" * 5000})
    assert (refused.status_code, refused.json()["schemas"]) == (413, [ERROR])


def test_a_body_that_ends_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that disconnects while it sends gets a SCIM error, not an exception."""
    from django.core.handlers.wsgi import WSGIRequest

    def read(self: Any, *_: Any) -> bytes:
        raise UnreadablePostError("gone")

    monkeypatch.setattr(WSGIRequest, "read", read)
    assert send(urls(), "POST", "/scim/v2/Users", {"userName": "ada"}).status_code == 400


def test_no_redirect_to_a_slash() -> None:
    """APPEND_SLASH does not redirect paths of the endpoint, and a trailing slash is ignored."""
    patterns = urls()
    with override_settings(APPEND_SLASH=True, DEBUG=True):
        assert send(patterns, "POST", "/scim/v2/Users", {"userName": "ada"}).status_code == 201
        assert send(patterns, "GET", "/scim/v2/Users/").json()["totalResults"] == 1
        assert send(patterns, "GET", "/scim/v2/").json()["totalResults"] == 1


def test_paths_are_decoded_once() -> None:
    """Percent-encoded paths and filters are decoded once. An unknown path gets 404 with a SCIM error."""
    patterns = urls()
    schema = "urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Acore%3A2.0%3AUser"
    assert send(patterns, "GET", f"/scim/v2/Schemas/{schema}").json()["name"] == "User"
    send(patterns, "POST", "/scim/v2/Users", {"userName": "ä b"})
    assert send(patterns, "GET", "/scim/v2/Users?filter=userName%20eq%20%22%C3%A4%20b%22").json()["totalResults"] == 1
    for target in ("/scim/v2/Users/a%0Ab", "/scim/v2/Users/%25", "/scim/v2/Users/a%2Fb", "/scim/v2/%0A"):
        answer = send(patterns, "GET", target)
        assert (answer.status_code, answer.json()["schemas"]) == (404, [ERROR]), target


def host_urls() -> tuple[Any, ...]:
    """Return the URL patterns of a project with the admin, its own page, and an endpoint."""
    return (
        path("admin/", admin.site.urls),
        *urls(),
        path("tickets/<int:number>/", lambda request, number: HttpResponse(), name="ticket"),
    )


def test_urls_of_the_host_can_be_reversed() -> None:
    """`reverse` and `{% url %}` work in a project that includes SCIM, and `reverse` knows the paths of SCIM."""
    with override_settings(ROOT_URLCONF=host_urls()):
        assert reverse("ticket", kwargs={"number": 7}) == "/tickets/7/"
        assert reverse("admin:index") == "/admin/"
        page = Template('{% url "ticket" number=7 %} {% url "scim" %}')
        assert page.render(Context()) == "/tickets/7/ /scim/v2/"
        assert reverse("scim") == "/scim/v2/"
        assert reverse("scim", args=["Users"]) == "/scim/v2/Users"
        assert reverse("scim", kwargs={"path": "Users/a b"}) == "/scim/v2/Users/a%20b"


def test_the_admin_of_the_host_has_its_login() -> None:
    """The admin of a project that includes SCIM still has its login page."""
    middleware = ["django.contrib.sessions.middleware.SessionMiddleware",
                  "django.contrib.auth.middleware.AuthenticationMiddleware",
                  "django.contrib.messages.middleware.MessageMiddleware"]  # fmt: skip
    with override_settings(ROOT_URLCONF=host_urls(), MIDDLEWARE=middleware):
        assert Client().get("/admin/login/").status_code == 200


def test_locations_follow_the_settings_of_django() -> None:
    """Locations have the scheme, host and script name that Django determines, with its proxy settings."""
    proxy = ("HTTP_X_FORWARDED_PROTO", "https")
    with override_settings(SECURE_PROXY_SSL_HEADER=proxy, USE_X_FORWARDED_HOST=True, FORCE_SCRIPT_NAME="/desk"):
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "help.example.org"}
        answer = send(urls(), "POST", "/scim/v2/Users", {"userName": "ada"}, **headers)
    assert answer["Location"].startswith("https://help.example.org/desk/scim/v2/Users/")


def test_a_host_that_django_does_not_allow() -> None:
    """A host that Django does not allow gets a SCIM error, even without middleware that checks the host."""
    with override_settings(ALLOWED_HOSTS=["help.example.org"], MIDDLEWARE=[]):
        answer = send(urls(), "GET", "/scim/v2/Users", Host="evil.example")
    assert (answer.status_code, answer.json()["schemas"]) == (400, [ERROR])
    assert "evil" not in answer.content.decode()


def test_responses_without_a_body() -> None:
    """HEAD has the headers of GET and no body. A response without content has no Content-Type."""
    patterns = urls()
    id = send(patterns, "POST", "/scim/v2/Users", {"userName": "ada"}).json()["id"]
    whole, head = (send(patterns, method, f"/scim/v2/Users/{id}") for method in ("GET", "HEAD"))
    assert {**head.headers, "X-Request-Id": ""} == {**whole.headers, "X-Request-Id": ""}
    assert (head.content, head["Content-Type"]) == (b"", "application/scim+json")
    gone = send(patterns, "DELETE", f"/scim/v2/Users/{id}")
    assert (gone.status_code, gone.content, gone.has_header("Content-Type")) == (204, b"", False)


def test_atomic_requests_do_not_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ATOMIC_REQUESTS, Django opens no transaction for requests of the endpoint."""
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    inside: list[bool] = []
    patterns = urls(on_request_completed=lambda event: inside.append(connections["default"].in_atomic_block))
    send(patterns, "GET", "/scim/v2/Users")
    assert inside == [False]


def test_an_async_service_has_an_async_view() -> None:
    """Django awaits a service over an async store under ASGI."""
    with running(AsgiProject(urls(as_async_store(MemoryStore())))) as url:
        client = httpx.Client(base_url=f"{url}/scim/v2", headers={"Authorization": f"Bearer {TOKEN}"})
        with client:
            created = client.post("/Users", json={"userName": "ada"})
            assert created.status_code == 201
            assert client.get(created.headers["Location"]).json()["userName"] == "ada"
            assert client.post("/Users", content=b"x" * 2000).status_code == 400


def test_probes() -> None:
    """`health_urls` answers probes without a token."""
    service = ScimService(MemoryStore(), tokens=TokenRegistry())
    probes = (path("", include(health_urls(service))),)
    for name in ("healthz", "readyz"):
        assert send(probes, "GET", f"/{name}").status_code == 200


@pytest.mark.parametrize("lifted", [False, True], ids=["sync", "async"])
def test_the_admin_page_is_mounted(lifted: bool) -> None:
    """The admin page has the mount path in its links, checks its own forms, and asks `authorize` for each request."""
    tokens = TokenRegistry()
    store: Any = as_async_store(MemoryStore()) if lifted else MemoryStore()
    people = [Administrator("ada", tenant="acme"), None]
    service = ScimService(store, tokens=tokens)
    site = AdminSite(
        service, tokens, endpoint="/scim/v2", authorize=lambda request: people["stranger" in request.headers]
    )
    patterns = (path("help/scim/", include(admin_urls(site))),)
    with override_settings(ROOT_URLCONF=patterns):
        assert reverse("scim-admin") == "/help/scim/"
        client = Client(enforce_csrf_checks=True)
        form = client.get("/help/scim/tokens/new").content.decode()
        assert 'action="/help/scim/tokens/new"' in form
        token = form.partition('name="form_token" value="')[2].partition('"')[0]
        values = f"form_token={token}&description=Entra&scopes=read&expires=never"
        kind = "application/x-www-form-urlencoded"
        shown = client.post("/help/scim/tokens/new", values, content_type=kind)
        assert b"http://testserver/scim/v2" in shown.content and b"scimkit_" in shown.content
        assert client.post("/help/scim/tokens/new", "description=x", content_type=kind).status_code == 403
        assert client.post("/help/scim/tokens/new", "x" * 70_000, content_type=kind).status_code == 413
        assert client.get("/help/scim/tokens", headers={"stranger": "1"}).status_code == 403
        stylesheet = form.partition('rel="stylesheet" href="')[2].partition('"')[0]
        assert client.get(stylesheet)["Content-Type"] == "text/css; charset=utf-8"
    assert [each.description for each in tokens.list("acme")] == ["Entra"]
