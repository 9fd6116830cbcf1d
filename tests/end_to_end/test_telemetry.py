"""Telemetry on running servers: one trace through HTTP, service and database, under ASGI, WSGI and Django."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.test_django import TOKENS, send  # isort: skip  # it configures Django

import httpx
from django.urls import include, path
from opentelemetry.trace import format_trace_id

from scimkit import MemoryStore, ScimService, TokenRegistry, asgi, wsgi
from scimkit.django import scim_urls
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.telemetry import instrument, instrument_database
from scimkit.testing.server import running
from tests.client import USER
from tests.telemetry.recorded import Recorded

TRACE = "0af7651916cd43dd8448eb211c80319c"
PREFIX = "/scim/v2"


def served(tmp_path: Path) -> tuple[ScimService, str, Recorded]:
    """Return an instrumented service over a database, a token, and what is recorded."""
    store, recorded = SqlStore(f"sqlite:///{tmp_path}/scim.db", outbox=True, provisioning_log=True), Recorded()
    tokens = TokenRegistry(SqlTokenStore(store.engine))
    service = ScimService(store, tokens=tokens)
    token = tokens.issue("tests").token
    instrument(service, prefix=PREFIX, tokens=tokens, **recorded.options)
    instrument_database(store.engine, **recorded.options)
    return service, token, recorded


def check(recorded: Recorded, http: Any, token: str) -> None:
    """Create a user with a trace of the client, and check its spans and metrics."""
    headers = {"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    answer = http.post(f"{PREFIX}/Users", json={"schemas": [USER], "userName": "ada@example.org"}, headers=headers)
    assert answer.status_code == 201
    spans = recorded.spans()
    (request,) = [each for each in spans if each.name == "POST /scim/v2/Users"]
    assert {format_trace_id(each.context.trace_id) for each in spans} == {TRACE}
    assert {each.parent.span_id for each in spans if each is not request} == {request.context.span_id}
    assert len(spans) > 1
    found = {name for name, _, _ in recorded.points()}
    assert found >= {
        "http.server.request.duration", "db.client.operation.duration", "scim.operations", "scim.outbox.pending",
        "scim.outbox.lag", "scim.connections", "scim.ready",
    }  # fmt: skip
    assert recorded.values("scim.outbox.pending") == {(): 1}
    (duration,) = [each for name, attributes, each in recorded.points() if name == "http.server.request.duration"]
    assert duration == 1


def test_uvicorn(tmp_path: Path) -> None:
    """Under uvicorn, the token is verified and the request handled in threads, in one trace."""
    service, token, recorded = served(tmp_path)
    with running(asgi.ScimApp(service, prefix=PREFIX)) as url, httpx.Client(base_url=url) as http:
        check(recorded, http, token)
        refused = http.post(f"{PREFIX}/Users", json={}, headers={"Authorization": "Bearer wrong"})
        assert refused.status_code == 401
    answered = [each.attributes.get("http.response.status_code") for each in recorded.spans()]
    assert [each for each in answered if each is not None] == [401]


def test_django() -> None:
    """The view of Django gives a span that continues the trace of the client."""
    service, recorded = ScimService(MemoryStore(), tokens=TOKENS), Recorded()
    instrument(service, prefix=PREFIX, **recorded.options)
    patterns = (path("scim/v2/", include(scim_urls(service))),)
    body = {"schemas": [USER], "userName": "ada"}
    answer = send(patterns, "POST", f"{PREFIX}/Users", body, traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    assert answer.status_code == 201
    span = recorded.span()
    assert (span.name, format_trace_id(span.context.trace_id)) == ("POST /scim/v2/Users", TRACE)


def test_wsgi(tmp_path: Path) -> None:
    """The WSGI adapter gives the same spans and metrics."""
    service, token, recorded = served(tmp_path)
    app = wsgi.ScimApp(service, prefix=PREFIX)
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://testserver") as http:
        check(recorded, http, token)
