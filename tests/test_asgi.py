"""Tests of the ASGI adapter: the messages that it receives and sends."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest

from scimkit import Limits, MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from tests.client import ERROR

TOKENS = TokenRegistry()
TOKEN = TOKENS.issue("test").token


def make_app(store: Any = None, *, limits: Limits = Limits(), **options: Any) -> ScimApp:  # noqa: B008  # frozen
    return ScimApp(ScimService(store or MemoryStore(), tokens=TOKENS, limits=limits), **options)


class Answered:
    """The response of an application, and the number of messages that the application read."""

    def __init__(self, sent: list[dict[str, Any]], read: int) -> None:
        start, *bodies = sent
        self.status = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.request_id = self.headers.pop("x-request-id")
        self.content = b"".join(each["body"] for each in bodies)
        self.read = read

    def json(self) -> Any:
        return json.loads(self.content)


def send(app: ScimApp, method: str, path: str, *chunks: bytes, **more: Any) -> Answered:
    """Call an application with a body in chunks. `more` has the headers and other values of the scope."""
    return asyncio.run(call(app, method, path, *chunks, **more))


async def call(
    app: ScimApp, method: str, path: str, *chunks: bytes, headers: dict[str, str] | None = None, **scope: Any
) -> Answered:
    parts = list(chunks or (b"",))
    sent: list[Any] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def collect(message: Any) -> None:
        sent.append(message)

    named = {"Authorization": f"Bearer {TOKEN}", "Host": "help.example.org", **(headers or {})}
    whole = {
        "type": "http", "method": method, "path": path, "query_string": b"",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items()], **scope,
    }  # fmt: skip
    await app(whole, receive, collect)
    return Answered(sent, read)


ADA = b'{"userName": "ada"}'


class TestBodies:
    """Tests of reading a body up to the limit."""

    def test_chunks_are_joined(self) -> None:
        """A body may arrive in several messages, some of which are empty."""
        parts = [ADA[:3], b"", ADA[3:5], ADA[5:], b""]
        assert send(make_app(), "POST", "/Users", *parts).json()["userName"] == "ada"

    @pytest.mark.parametrize("parts", [1, 2, 5])
    def test_the_body_limit(self, parts: int) -> None:
        """A body of exactly the limit is served, and one more byte gets 413, in one or several messages."""
        size = -(-len(ADA) // parts)
        chunks = [ADA[start : start + size] for start in range(0, len(ADA), size)]
        assert send(make_app(limits=Limits(body=len(ADA))), "POST", "/Users", *chunks).status == 201
        refused = send(make_app(limits=Limits(body=len(ADA) - 1)), "POST", "/Users", *chunks)
        assert (refused.status, refused.json()["schemas"]) == (413, [ERROR])

    def test_no_more_is_read_than_the_limit(self) -> None:
        """The adapter stops reading as soon as a body exceeds the limit."""
        answer = send(make_app(limits=Limits(body=25)), "POST", "/Users", *[b"x" * 10] * 1000)
        assert (answer.status, answer.read) == (413, 3)

    @pytest.mark.parametrize("length", ["6000000", "9" * 5000])
    def test_a_declared_length_over_the_limit(self, length: str) -> None:
        """A declared length over the limit gets 413, and the body is not read."""
        answer = send(make_app(), "POST", "/Users", ADA, headers={"Content-Length": length})
        assert (answer.status, answer.read) == (413, 0)

    @pytest.mark.parametrize("length", ["3", "-1", "many", "\xb2", ""])
    def test_a_wrong_declared_length(self, length: str) -> None:
        """The adapter counts the bytes of the messages and does not rely on a wrong Content-Length header."""
        answer = send(make_app(limits=Limits(body=30)), "POST", "/Users", ADA, headers={"Content-Length": length})
        assert answer.status == 201
        many = [ADA, b" " * 20]
        assert (
            send(make_app(limits=Limits(body=30)), "POST", "/Users", *many, headers={"Content-Length": length}).status
            == 413
        )

    def test_a_client_that_disconnects(self) -> None:
        """Nothing is stored if the client disconnects in the middle of a body."""
        app = make_app()

        async def receive() -> dict[str, Any]:
            return incoming.pop(0)

        async def ignore(message: Any) -> None:
            pass

        incoming: list[dict[str, Any]] = [
            {"type": "http.request", "body": ADA[:8], "more_body": True},
            {"type": "http.disconnect"},
        ]
        headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
        scope = {"type": "http", "method": "POST", "path": "/Users", "headers": headers, "query_string": b""}
        asyncio.run(app(scope, receive, ignore))
        assert send(app, "GET", "/Users").json()["totalResults"] == 0


class TestAnswers:
    """Tests of sending a response."""

    def test_head(self) -> None:
        """HEAD has the status and headers of GET, and no body (RFC 9110 section 9.3.2)."""
        app = make_app()
        send(app, "POST", "/Users", ADA)
        for path in ("/Users", "/Schemas", "/Nope"):
            get, head = send(app, "GET", path), send(app, "HEAD", path)
            assert (head.status, head.headers, head.content) == (get.status, get.headers, b"")
            assert head.headers["content-length"] == str(len(get.content))

    def test_no_content(self) -> None:
        """A 204 response has no body and no Content-Length (RFC 9110 section 8.6)."""
        app = make_app()
        id = send(app, "POST", "/Users", ADA).json()["id"]
        deleted = send(app, "DELETE", f"/Users/{id}")
        assert (deleted.status, deleted.headers, deleted.content) == (204, {}, b"")

    def test_header_names_are_lower_case(self) -> None:
        """Header names are in lower case, as ASGI requires."""
        answer = send(make_app(), "POST", "/Users", ADA)
        assert set(answer.headers) == {"content-type", "content-length", "etag", "location"}

    def test_quirks_are_not_sent(self) -> None:
        """The quirks of a request are not part of the response."""
        answer = send(make_app(), "POST", "/Users", b'{"userName": "ada", "active": "True"}')
        assert "boolean-text" not in str(answer.headers) + answer.content.decode()


class TestPaths:
    """Tests of mount paths, prefixes and the URL of the endpoint."""

    @pytest.mark.parametrize(
        ("root_path", "path"),
        [("/api/scim", "/api/scim/Users"), ("/api/scim/", "/api/scim/Users"), ("/api/scim", "/Users")],
    )
    def test_root_path(self, root_path: str, path: str) -> None:
        """The mount path is removed from the path, whether or not the path of the server still contains it."""
        answer = send(make_app(), "POST", path, ADA, root_path=root_path)
        assert answer.headers["location"].startswith("http://help.example.org/api/scim/Users/")

    @pytest.mark.parametrize("path", ["/scim", "/scim/"])
    def test_the_mount_path_itself(self, path: str) -> None:
        """A GET of the mount path searches all resources."""
        assert send(make_app(), "GET", path, root_path="/scim").json()["totalResults"] == 0
        assert send(make_app(prefix="/scim"), "GET", path).json()["totalResults"] == 0

    def test_outside_the_prefix(self) -> None:
        """A path outside the prefix gets 404."""
        for path in ("/Users", "/scim/v22/Users", "/"):
            assert send(make_app(prefix="/scim/v2/"), "GET", path).status == 404

    def test_a_mount_path_beyond_ascii(self) -> None:
        """A mount path with characters outside ASCII is percent-encoded in URLs."""
        answer = send(make_app(), "POST", "/日本/a b/Users", ADA, root_path="/日本/a b")
        assert answer.headers["location"].startswith("http://help.example.org/%E6%97%A5%E6%9C%AC/a%20b/Users/")
        assert answer.json()["meta"]["location"] == answer.headers["location"]

    def test_scheme_and_server(self) -> None:
        """Without a Host header, URLs contain the address of the server."""
        answer = send(make_app(), "POST", "/Users", ADA, headers={"Host": ""}, scheme="https", server=("10.0.0.1", 443))
        assert answer.headers["location"].startswith("https://10.0.0.1:443/Users/")
        on_a_socket = send(make_app(), "POST", "/Users", ADA, headers={"Host": ""}, server=("/run/scim.sock", None))
        assert "/Users/" in on_a_socket.headers["location"]

    def test_the_query_stays_raw(self) -> None:
        """The query string is decoded once, by the service."""
        app = make_app()
        send(app, "POST", "/Users", b'{"userName": "a+b%41"}')
        found = send(app, "GET", "/Users", query_string=b"filter=userName+eq+%22a%2Bb%2541%22")
        assert found.json()["totalResults"] == 1


class TestConnections:
    """Tests of connections that are not HTTP requests."""

    def test_a_web_socket(self) -> None:
        """A WebSocket connection is refused with an error for the developer."""
        with pytest.raises(RuntimeError, match="websocket"):
            asyncio.run(make_app()({"type": "websocket"}, None, None))  # type: ignore[arg-type]


class TestThreads:
    """A store that blocks does not block the event loop."""

    @pytest.mark.parametrize("blocking", [True, False])
    def test_where_a_request_runs(self, blocking: bool) -> None:
        """A blocking store is called in a worker thread, and any other store on the event loop."""
        threads: list[threading.Thread] = []

        class Store(MemoryStore):
            def search(self, *arguments: Any) -> Any:
                threads.append(threading.current_thread())
                return super().search(*arguments)

        store = Store()
        store.blocking = blocking
        send(make_app(store), "GET", "/Users")
        assert (threads[0] is threading.main_thread()) is not blocking

    def test_the_event_loop_is_not_blocked(self) -> None:
        """The adapter serves other requests while a request waits for its store."""

        class Slow(MemoryStore):
            blocking = True

            def search(self, *arguments: Any) -> Any:
                time.sleep(0.2)
                return super().search(*arguments)

        app = make_app(Slow())

        async def many() -> float:
            start = time.monotonic()
            answers = await asyncio.gather(*(call(app, "GET", "/Users") for _ in range(4)))
            assert [each.status for each in answers] == [200] * 4
            return time.monotonic() - start

        assert asyncio.run(many()) < 0.7
