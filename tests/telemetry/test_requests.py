"""Spans, durations and counts of requests, by OpenTelemetry's conventions for HTTP servers."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from scimkit import MemoryStore, Request, run_sync
from scimkit.errors import Unavailable
from scimkit.telemetry import instrument
from tests.client import BASE_URL, PATCH_OP, USER, Client
from tests.telemetry.recorded import Recorded

ADA = {"schemas": [USER], "userName": "ada"}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def instrumented(store: Any = None, **options: Any) -> tuple[Client, Recorded]:
    """Return a client of an instrumented service, and what it records."""
    client, recorded = Client(store), Recorded()
    instrument(client.service, **recorded.options, **options)
    return client, recorded


@pytest.mark.parametrize(
    ("method", "path", "route", "operation"),
    [
        ("GET", "/Users", "/Users", "search"),
        ("GET", "/users/", "/Users", "search"),
        ("GET", "/Users/ada@example.org", "/Users/{id}", "read"),
        ("HEAD", "/Users/1", "/Users/{id}", "read"),
        ("PUT", "/Users/1", "/Users/{id}", "replace"),
        ("PATCH", "/Groups/1", "/Groups/{id}", "patch"),
        ("DELETE", "/Groups/1", "/Groups/{id}", "delete"),
        ("POST", "/Users", "/Users", "create"),
        ("POST", "/Users/.search", "/Users/.search", "search"),
        ("POST", "/.search", "/.search", "search"),
        ("GET", "/", "/", "search"),
        ("POST", "/Bulk", "/Bulk", "bulk"),
        ("GET", "/Me", "/Me", "read"),
        ("GET", "/ServiceProviderConfig", "/ServiceProviderConfig", "discover"),
        ("GET", "/Schemas/x", "/Schemas/{id}", "discover"),
        ("GET", "/ada@example.org", None, None),
        ("GET", "/Users/a/b", None, None),
    ],
)
def test_routes(method: str, path: str, route: str | None, operation: str | None) -> None:
    """The route of a request has no id, and a path that the service does not have has no route."""
    client, recorded = instrumented(prefix="/scim/v2")
    client.send(method, path, {} if method in ("POST", "PUT", "PATCH") else None)
    span = recorded.span()
    whole = None if route is None else f"/scim/v2{route}"
    assert span.attributes.get("http.route") == whole
    assert span.attributes.get("scim.operation") == operation
    assert span.name == (method if whole is None else f"{method} {whole}")


def test_a_request_that_succeeds() -> None:
    """A request has one server span, one duration, and one count."""
    client, recorded = instrumented()
    client.post("/Users", ADA)
    span = recorded.span()
    assert (span.kind, span.parent, span.status.status_code) == (SpanKind.SERVER, None, StatusCode.UNSET)
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "http.response.status_code": 201,
        "http.route": "/Users",
        "url.scheme": "https",
        "scim.dialect": "tolerant",
        "scim.operation": "create",
        "scim.resource_type": "User",
    }
    http = {name: span.attributes[name] for name in span.attributes if not name.startswith("scim.")}
    scim = {name: span.attributes[name] for name in span.attributes if name not in http}
    assert [each for each in recorded.points() if each[0] != "scim.ready"] == [
        ("http.server.request.duration", http, 1),
        ("scim.operations", scim | {"http.response.status_code": 201}, 1),
    ]


def test_errors() -> None:
    """A SCIM error has its `scimType`. Only a status of 500 or more is an error of the server."""
    client, recorded = instrumented()
    client.get("/Users?filter=userName%20eq")
    span = recorded.span()
    assert span.attributes["scim.scim_type"] == "invalidFilter"
    assert "error.type" not in span.attributes
    assert span.status.status_code is StatusCode.UNSET

    class Down(MemoryStore):
        def search(self, *arguments: Any) -> Any:
            raise Unavailable

    client, recorded = instrumented(Down())
    client.get("/Users")
    span = recorded.span()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.attributes["error.type"] == "503"
    assert recorded.values("http.server.request.duration", "error.type") == {("503",): 1}


def test_quirks() -> None:
    """The quirks of a request are on its span, and counted once each."""
    client, recorded = instrumented()
    id = client.user("ada")
    recorded.spans()
    client.patch(f"/Users/{id}", {"op": "Replace", "path": "active", "value": "False"})
    quirks = recorded.span().attributes["scim.quirks"]
    assert quirks
    counted = recorded.values("scim.quirks", "scim.quirk", "scim.dialect")
    assert counted == {(each, "tolerant"): 1 for each in quirks}


def test_a_bulk_request() -> None:
    """A bulk request has one span with an event for each operation, and each operation is counted."""
    client, recorded = instrumented()
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": ADA},
        {"method": "PATCH", "path": "/Users/nobody", "data": {"schemas": [PATCH_OP], "Operations": []}},
    ]
    schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    client.post("/Bulk", {"schemas": [schema], "Operations": operations})
    span = recorded.span()
    assert [each.attributes["http.response.status_code"] for each in span.events][:1] == [201]
    counted = recorded.values("scim.operations", "scim.operation")
    assert counted == {("create",): 1, ("patch",): 1}


def test_the_tenant_only_if_asked() -> None:
    """The tenant is recorded with `tenant=True` only."""
    for asked in (False, True):
        client, recorded = instrumented(tenant=asked)
        client.user("ada")
        found = [recorded.span().attributes, *(each for name, each, _ in recorded.points() if name != "scim.ready")]
        assert {each.get("scim.tenant") for each in found} == ({"default"} if asked else {None})


def test_a_refused_token() -> None:
    """A request whose token is refused before its body is read has its span, and so has one that a host refuses."""
    client, recorded = instrumented()
    request = Request("POST", "/Users", "", {"authorization": "Bearer wrong"}, b"", BASE_URL)
    assert run_sync(client.service.authenticate(request)).status == 401
    assert recorded.span().attributes["http.response.status_code"] == 401
    client.service.refuse(Request("GET", "/Users", "", {}, b"", BASE_URL), Unavailable())
    assert recorded.span().attributes["error.type"] == "503"


def test_one_span_for_a_request_with_a_body() -> None:
    """The verification of the token and the handling of the request belong to one span, from the arrival on."""
    client, recorded = instrumented()
    headers = {"authorization": f"Bearer {client.token}"}
    deadline = monotonic() + client.service.limits.deadline - 2
    request = Request("GET", "/Users", "", headers, b"", BASE_URL, deadline=deadline)
    assert run_sync(client.service.authenticate(request)) is None
    assert recorded.spans() == []
    run_sync(client.service.handle(request))
    span = recorded.span()
    assert span.end_time - span.start_time >= 2_000_000_000


def test_a_request_ends_once() -> None:
    """A request whose deadline passes in a queue ends with its refusal. The thread that goes on records nothing."""
    client, recorded = instrumented()
    headers = {"authorization": f"Bearer {client.token}"}
    request = Request("GET", "/Users", "", headers, b"", BASE_URL)
    client.service.refuse(request, Unavailable())
    run_sync(client.service.handle(request))
    assert recorded.span().attributes["http.response.status_code"] == 503
    assert recorded.values("http.server.request.duration") == {(): 1}


def test_the_trace_goes_on() -> None:
    """A span continues the trace of the `traceparent` header. A header that cannot be read begins a new trace."""
    client, recorded = instrumented()
    client.get("/Users", headers={"traceparent": TRACEPARENT})
    span = recorded.span()
    assert trace.format_trace_id(span.context.trace_id) == TRACEPARENT[3:35]
    assert trace.format_span_id(span.parent.span_id) == TRACEPARENT[36:52]
    client.get("/Users", headers={"traceparent": "00-nothing"})
    assert recorded.span().parent is None


def test_inside_another_span() -> None:
    """Inside the span of another instrumentation, the span of a request is internal and its child."""
    client, recorded = instrumented()
    with recorded.options["tracer_provider"].get_tracer("app").start_as_current_span("outer") as outer:
        client.get("/Users", headers={"traceparent": TRACEPARENT})
    inner = recorded.spans()[0]
    assert (inner.kind, inner.parent.span_id) == (SpanKind.INTERNAL, outer.get_span_context().span_id)


def test_trace_ids_in_log_records(caplog: pytest.LogCaptureFixture) -> None:
    """Each log record of a request has the ids of its trace and span, also if the request is refused early."""
    client, recorded = instrumented()
    caplog.set_level(logging.INFO)
    client.get("/Users")
    client.send("GET", "/Users", headers={"authorization": "Bearer wrong"})
    client.service.refuse(Request("GET", "/Users", "", {}, b"", BASE_URL), Unavailable())
    known = {trace.format_trace_id(each.context.trace_id) for each in recorded.spans()}
    records = [each for each in caplog.records if each.name.startswith("scimkit")]
    assert {each.name for each in records} == {"scimkit.access", "scimkit.auth"}
    assert {each.trace_id for each in records} == known
    assert len(known) == 3


def test_a_service_is_instrumented_once() -> None:
    """A second call of `instrument` is an error, because every request would count twice."""
    client, recorded = instrumented()
    with pytest.raises(ValueError, match="already"):
        instrument(client.service, **recorded.options)
