"""Hostile input: each request gets a 4xx SCIM error quickly, and nothing is stored."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit import Request, run_sync
from scimkit.asgi import ScimApp
from tests.client import ERROR, PATCH_OP, USER, Answer, Client

BIG = b'{"userName": "' + b"x" * 10_000_000 + b'"}'
BODIES = {
    "no JSON": b"userName=ada",
    "cut off": b'{"userName": "ada"',
    "empty": b"",
    "an array": b'[{"userName": "ada"}]',
    "a number": b"1",
    "null": b"null",
    "UTF-16": '{"userName": "ada"}'.encode("utf-16"),
    "UTF-32": '{"userName": "ada"}'.encode("utf-32"),
    "Latin-1": '{"userName": "Jos\xe9"}'.encode("latin-1"),
    "nested arrays": b'{"userName": "ada", "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "nested objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "nested 100 deep": b'{"userName": "ada", "x": ' + b"[" * 100 + b"]" * 100 + b"}",
    "NaN": b'{"userName": "ada", "x": NaN}',
    "Infinity": b'{"userName": "ada", "x": -Infinity}',
    "too large a number": b'{"userName": "ada", "title": 1e999}',
    "the same name twice": b'{"userName": "ada", "userName": "bob"}',
    "the same name twice, with spaces": b'{"userName" : "ada", "userName" : "bob"}',
    "the same name twice, escaped": b'{"userName": "ada", "user\\u004eame": "bob"}',
    "the same name twice, other case": b'{"userName": "ada", "USERNAME": "bob"}',
    "the same name twice, deep": b'{"userName": "ada", "name": {"givenName": "a", "givenName": "b"}}',
    "10 MB": BIG,
    "a null character": b'{"userName": "a\\u0000da"}',
    "a null byte": b'{"userName": "a\x00da"}',
    "a lone surrogate": b'{"userName": "\\ud800"}',
    "a comment": b'{"userName": "ada" /* it is */}',
    "userName null": b'{"userName": null}',
    "userName empty": b'{"userName": ""}',
    "userName an object": b'{"userName": {"a": 1}}',
    "emails a boolean": b'{"userName": "ada", "emails": true}',
    "emails of arrays": b'{"userName": "ada", "emails": [[["x"]]]}',
    "active a text": b'{"userName": "ada", "active": "perhaps"}',
    "name a number": b'{"userName": "ada", "name": 1}',
}


def is_scim_error(answer: Answer) -> bool:
    """Report whether an answer is a client error in SCIM form that reveals nothing about Python."""
    text = json.dumps(answer.body)
    return (
        400 <= answer.status < 500
        and answer.body["schemas"] == [ERROR]
        and answer.body["status"] == str(answer.status)
        and answer.headers["Content-Type"] == "application/scim+json"
        and not any(word in text for word in ("Traceback", "pydantic", ".py", "line 1", "Error:"))
    )


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_body(client: Client, body: bytes, method: str) -> None:
    """A body that is not a resource or PATCH in UTF-8 JSON is refused, and nothing changes."""
    id = client.user("eve")
    before = client.get("/Users").body
    answer = client.send(method, "/Users" if method == "POST" else f"/Users/{id}", body)
    assert is_scim_error(answer), answer
    assert client.get("/Users").body == before


PATCHES: dict[str, Any] = {
    "Operations missing": {"schemas": [PATCH_OP]},
    "Operations empty": {"schemas": [PATCH_OP], "Operations": []},
    "Operations an object": {"Operations": {"op": "add"}},
    "an operation that is a text": {"Operations": ["add"]},
    "no op": {"Operations": [{"path": "title", "value": "x"}]},
    "another op": {"Operations": [{"op": "move", "path": "title", "value": "x"}]},
    "op a number": {"Operations": [{"op": 1, "path": "title", "value": "x"}]},
    "path a number": {"Operations": [{"op": "add", "path": 5, "value": "x"}]},
    "path with an open bracket": {"Operations": [{"op": "add", "path": "emails[type eq", "value": "x"}]},
    "path with an empty filter": {"Operations": [{"op": "add", "path": "emails[]", "value": "x"}]},
    "path nested deep": {"Operations": [{"op": "remove", "path": "emails[" + "(" * 5000 + "]"}]},
    "path of 1 MB": {"Operations": [{"op": "remove", "path": f'emails[type eq "{"x" * 1_000_000}"]'}]},
    "remove without a path": {"Operations": [{"op": "remove"}]},
    "remove what is required": {"Operations": [{"op": "remove", "path": "userName"}]},
    "id by path": {"Operations": [{"op": "replace", "path": "id", "value": "x"}]},
    "the second of two": {"Operations": [
        {"op": "add", "path": "title", "value": "x"}, {"op": "add", "path": "active", "value": "perhaps"},
    ]},
    "100,000 operations": {"Operations": [{"op": "add", "path": "title", "value": "x"}] * 100_000},
}  # fmt: skip


@pytest.mark.parametrize("body", PATCHES.values(), ids=PATCHES.keys())
def test_patch(client: Client, body: Any) -> None:
    """A PATCH with an operation that cannot be applied is refused, and no operation is applied."""
    id = client.user("eve")
    before = client.get("/Users").body
    answer = client.send("PATCH", f"/Users/{id}", body)
    assert is_scim_error(answer), answer
    assert client.get("/Users").body == before


FILTERS = {
    "1 MB": "userName+eq+%22" + "x" * 1_000_000 + "%22",
    "nested": "(" * 5000 + "userName+pr" + ")" * 5000,
    "nots": "not+(" * 5000,
    "an open quote": "userName+eq+%22ada",
    "no operator": "userName",
    "no attribute": "eq+%22x%22",
    "another operator": "userName+is+%22x%22",
    "an unknown attribute": "nosuch+eq+%22x%22",
    "order of booleans": "active+gt+true",
    "a password": "password+eq+%22x%22",
    "bad UTF-8": "userName+eq+%22%ff%fe%22",
    "SQL": "userName+eq+%22x%22;drop+table+users",
    "a null character": "userName+eq+%22%00",
}


@pytest.mark.parametrize("text", FILTERS.values(), ids=FILTERS.keys())
def test_filter(client: Client, text: str) -> None:
    """A filter that cannot be applied is refused. The unfiltered list is never returned."""
    client.user("eve")
    answer = client.get(f"/Users?filter={text}")
    assert is_scim_error(answer), answer


PATHS = [
    "/Users/../Groups", "/Users/%2e%2e", "/Users/..%2f..", "/Users/x/y/z", "/Users/" + "x" * 5000, "/Users/%00",
    "/Users/%0d%0aSet-Cookie:%20a", "/Users/\u202e", "/Nope", "/Users/bulkId:1", "/Users/.search",
    "//Users", "/Schemas/nope", "/ResourceTypes/nope", "/ResourceTypes/User/x", "/.well-known",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_path(client: Client, path: str) -> None:
    """A path that matches no endpoint gets 404 or 405 with a SCIM error."""
    assert client.get(path).status in (404, 405, 501, 200) if path == "//Users" else is_scim_error(client.get(path))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer a b",
        "Bearer \x00",
        "Token x",
        "Bearer é",
        "Bearer " + "x" * 50_000,
    ],
)
def test_authorization(client: Client, header: str) -> None:
    """A request without one valid bearer token gets 401, a challenge and a SCIM error, for every path."""
    for path in ("/Users", "/nope", "/Schemas"):
        answer = client.get(path, headers={"Authorization": header})
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.body["schemas"] == [ERROR]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/json; charset=latin-1", "\x00"])
def test_media_type(client: Client, content_type: str) -> None:
    """A body with another media type or charset gets 415."""
    answer = client.post("/Users", {"userName": "ada"}, headers={"Content-Type": content_type})
    assert answer.status == 415
    assert is_scim_error(answer)


def test_a_body_is_refused_while_it_is_read(client: Client) -> None:
    """An ASGI body without a length is refused as soon as it exceeds the limit."""
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 1_000_000, "more_body": True}

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/Users", "headers": [], "query_string": b""}
    asyncio.run(ScimApp(client.service)(scope, receive, send))
    assert (sent[0]["status"], read) == (401, 0), "without a token no body is read"
    sent.clear()
    scope["headers"] = [(b"authorization", f"Bearer {client.token}".encode())]
    asyncio.run(ScimApp(client.service)(scope, receive, send))
    assert sent[0]["status"] == 413
    assert read < 10


PLACES = ["/Users", "/Users/x", "/Groups", "/Schemas", "/.search", "/Users/.search", "/"]
NAMES = ["userName", "emails", "name", "value", "op", "path", "Operations", "schemas", "members", USER]
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "TRACE", ""]),
    path=st.sampled_from(PLACES) | st.text(max_size=20),
    query=st.text(max_size=40) | st.builds("filter={}".format, st.text(max_size=40)),
    body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()),
)
def test_nothing_breaks_the_service(method: str, path: str, query: str, body: bytes) -> None:
    """The service answers any request, and never with 500."""
    client = Client()
    headers = {"authorization": f"Bearer {client.token}"}
    response = run_sync(client.service.handle(Request(method, path, query, headers, body, "https://x")))
    assert response.status < 500 or response.status == 501
    if response.status >= 400:
        assert json.loads(response.body)["schemas"] == [ERROR]
