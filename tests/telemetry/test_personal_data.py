"""No span and no metric has a value that came from a client or a resource."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan

from scimkit import MemoryStore, Request, run_sync
from scimkit.telemetry import instrument
from tests.client import BASE_URL, GROUP, PATCH_OP, USER, Client
from tests.telemetry.recorded import Recorded

SECRET = "zqxpersonal"
"""A text that no name of the service contains, not even in another case."""

texts = st.sampled_from([
    SECRET, f"{SECRET}@example.org", f"{SECRET.upper()} \u00e4", f'{SECRET}" or "1', f"../{SECRET}",
])  # fmt: skip
names = st.sampled_from(["userName", "displayName", "nickName", "emails", "active", SECRET, f"urn:x:{SECRET}"])

Sent = tuple[str, str, str, dict[str, str], Any]
"""A request: method, path, query, headers and body."""


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """Return a request that has the secret in every part that a client chooses."""
    method = draw(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", SECRET.upper()]))
    text, escaped = draw(texts), quote(draw(texts), safe="")
    path = draw(st.sampled_from([
        "/Users", f"/Users/{text}", f"/Groups/{text}", f"/{text}", "/Users/.search", "/Bulk", f"/Schemas/{text}", "/Me",
    ]))  # fmt: skip
    query = draw(st.sampled_from([
        "", f'filter=userName eq "{text}"', f"attributes={text}", f"cursor={escaped}", f"{escaped}={escaped}",
    ]))  # fmt: skip
    headers = draw(st.fixed_dictionaries({}, optional={
        "traceparent": texts, "user-agent": texts, "x-request-id": texts, "accept": texts, "content-type": texts,
        "if-match": texts, "x-forwarded-for": texts,
    }))  # fmt: skip
    schema = draw(st.sampled_from([USER, GROUP, text]))
    document: dict[str, Any] = {"schemas": [schema], draw(names): text, "userName": text}
    operation = {
        "op": draw(st.sampled_from(["add", "replace", text])),
        "path": draw(names),
        "value": draw(st.one_of(texts, st.just({"value": text}))),
    }
    bulk = {"method": draw(st.sampled_from(["POST", text])), "path": path, "bulkId": text, "data": document}
    body = draw(st.sampled_from([
        document, {"schemas": [PATCH_OP], "Operations": [operation]}, {"Operations": [bulk]}, {"filter": text},
    ]))  # fmt: skip
    return method, path, query, headers, body


def shown(span: ReadableSpan) -> Any:
    """Return everything that a span shows to a reader."""
    events = [(each.name, dict(each.attributes or {})) for each in span.events]
    return span.name, dict(span.attributes or {}), span.status.description, events


@settings(max_examples=50)
@given(st.lists(requests(), min_size=1, max_size=5), st.booleans())
def test_no_personal_data(sent: list[Sent], is_known: bool) -> None:
    """Whatever clients send, no name and no attribute of a span or metric has a part of it, nor an id of a resource."""
    client, recorded = Client(MemoryStore()), Recorded()
    instrument(client.service, **recorded.options)
    id = client.user(SECRET)
    client.get(f"/Users/{id}")
    host = f"https://{SECRET}.example.org/{SECRET}"
    for method, path, query, headers, body in sent:
        merged = {"authorization": f"Bearer {client.token if is_known else SECRET}", **headers}
        request = Request(method, path, query, merged, json.dumps(body).encode(), host)
        run_sync(client.service.handle(request))
    spans = recorded.spans()
    assert len(spans) == len(sent) + 2
    text = json.dumps([list(map(shown, spans)), recorded.points()]).lower()
    for secret in (SECRET, id, client.token, client.tokens.list("default")[0].id, BASE_URL):
        assert secret.lower() not in text
