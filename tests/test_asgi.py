"""The ASGI adapter alone: the messages it takes and sends."""

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
    """What an application sent, and how many messages it read for that."""

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
    """Call an application with a body in chunks. `headers` and what else a scope has come from `more`."""
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
    """Reading a bounded body."""

    def test_chunks_are_joined(self) -> None:
        """A body may come in any number of messages, empty ones too."""
        parts = [ADA[:3], b"", ADA[3:5], ADA[5:], b""]
        assert send(make_app(), "POST", "/Users", *parts).json()["userName"] == "ada"

    @pytest.mark.parametrize("parts", [1, 2, 5])
    def test_the_limit(self, parts: int) -> None:
        """A body of just the limit is served, one byte more is 413, in one message or several."""
        size = -(-len(ADA) // parts)
        chunks = [ADA[start : start + size] for start in range(0, len(ADA), size)]
        assert send(make_app(limits=Limits(body=len(ADA))), "POST", "/Users", *chunks).status == 201
        refused = send(make_app(limits=Limits(body=len(ADA) - 1)), "POST", "/Users", *chunks)
        assert (refused.status, refused.json()["schemas"]) == (413, [ERROR])

    def test_no_more_is_read_than_the_limit(self) -> None:
        """A body that goes on is given up as soon as it is over the limit."""
        answer = send(make_app(limits=Limits(body=25)), "POST", "/Users", *[b"x" * 10] * 1000)
        assert (answer.status, answer.read) == (413, 3)

    @pytest.mark.parametrize("length", ["6000000", "9" * 5000])
    def test_a_declared_length_over_the_limit(self, length: str) -> None:
        """Then nothing is read at all."""
        answer = send(make_app(), "POST", "/Users", ADA, headers={"Content-Length": length})
        assert (answer.status, answer.read) == (413, 0)

    @pytest.mark.parametrize("length", ["3", "-1", "many", "\xb2", ""])
    def test_a_declared_length_that_is_wrong(self, length: str) -> None:
        """What a header says is no reason to trust it: the messages are counted."""
        answer = send(make_app(limits=Limits(body=30)), "POST", "/Users", ADA, headers={"Content-Length": length})
        assert answer.status == 201
        many = [ADA, b" " * 20]
        assert (
            send(make_app(limits=Limits(body=30)), "POST", "/Users", *many, headers={"Content-Length": length}).status
            == 413
        )

    def test_a_client_that_goes_away(self) -> None:
        """Half a body is no resource: nothing is stored."""
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
    """Writing a response."""

    def test_head(self) -> None:
        """HEAD has the status and headers of GET, and no body (RFC 9110 section 9.3.2)."""
        app = make_app()
        send(app, "POST", "/Users", ADA)
        for path in ("/Users", "/Schemas", "/Nope"):
            get, head = send(app, "GET", path), send(app, "HEAD", path)
            assert (head.status, head.headers, head.content) == (get.status, get.headers, b"")
            assert head.headers["content-length"] == str(len(get.content))

    def test_no_content(self) -> None:
        """204 has neither body nor length (RFC 9110 section 8.6)."""
        app = make_app()
        id = send(app, "POST", "/Users", ADA).json()["id"]
        deleted = send(app, "DELETE", f"/Users/{id}")
        assert (deleted.status, deleted.headers, deleted.content) == (204, {}, b"")

    def test_header_names_are_lower_case(self) -> None:
        """ASGI asks for that."""
        answer = send(make_app(), "POST", "/Users", ADA)
        assert set(answer.headers) == {"content-type", "content-length", "etag", "location"}

    def test_quirks_are_not_sent(self) -> None:
        """What a request needed is for the host's log, not for the client."""
        answer = send(make_app(), "POST", "/Users", b'{"userName": "ada", "active": "True"}')
        assert "boolean-text" not in str(answer.headers) + answer.content.decode()


class TestPaths:
    """Where a request goes, and where the endpoint is."""

    @pytest.mark.parametrize(
        ("root_path", "path"),
        [("/api/scim", "/api/scim/Users"), ("/api/scim/", "/api/scim/Users"), ("/api/scim", "/Users")],
    )
    def test_root_path(self, root_path: str, path: str) -> None:
        """The mount path is taken off whether or not the server's path still has it."""
        answer = send(make_app(), "POST", path, ADA, root_path=root_path)
        assert answer.headers["location"].startswith("http://help.example.org/api/scim/Users/")

    @pytest.mark.parametrize("path", ["/scim", "/scim/"])
    def test_the_mount_path_itself(self, path: str) -> None:
        """It is the root of the endpoint, where all resources are found."""
        assert send(make_app(), "GET", path, root_path="/scim").json()["totalResults"] == 0
        assert send(make_app(prefix="/scim"), "GET", path).json()["totalResults"] == 0

    def test_outside_the_prefix(self) -> None:
        """What is not below the prefix is not served."""
        for path in ("/Users", "/scim/v22/Users", "/"):
            assert send(make_app(prefix="/scim/v2/"), "GET", path).status == 404

    def test_a_mount_path_beyond_ascii(self) -> None:
        """It is percent-encoded in URLs."""
        answer = send(make_app(), "POST", "/日本/a b/Users", ADA, root_path="/日本/a b")
        assert answer.headers["location"].startswith("http://help.example.org/%E6%97%A5%E6%9C%AC/a%20b/Users/")
        assert answer.json()["meta"]["location"] == answer.headers["location"]

    def test_scheme_and_server(self) -> None:
        """Without a Host header the server's own address is used."""
        answer = send(make_app(), "POST", "/Users", ADA, headers={"Host": ""}, scheme="https", server=("10.0.0.1", 443))
        assert answer.headers["location"].startswith("https://10.0.0.1:443/Users/")
        on_a_socket = send(make_app(), "POST", "/Users", ADA, headers={"Host": ""}, server=("/run/scim.sock", None))
        assert "/Users/" in on_a_socket.headers["location"]

    def test_the_query_stays_raw(self) -> None:
        """It is decoded once, by the service."""
        app = make_app()
        send(app, "POST", "/Users", b'{"userName": "a+b%41"}')
        found = send(app, "GET", "/Users", query_string=b"filter=userName+eq+%22a%2Bb%2541%22")
        assert found.json()["totalResults"] == 1


class TestConnections:
    """What is no request."""

    def test_a_web_socket(self) -> None:
        """It is refused in words for the host."""
        with pytest.raises(RuntimeError, match="websocket"):
            asyncio.run(make_app()({"type": "websocket"}, None, None))  # type: ignore[arg-type]


class TestThreads:
    """A store that may block does not block the event loop."""

    @pytest.mark.parametrize("blocking", [True, False])
    def test_where_a_request_runs(self, blocking: bool) -> None:
        """A blocking store is called in a worker thread, another on the loop itself."""
        threads: list[threading.Thread] = []

        class Store(MemoryStore):
            def search(self, *arguments: Any) -> Any:
                threads.append(threading.current_thread())
                return super().search(*arguments)

        store = Store()
        store.blocking = blocking
        send(make_app(store), "GET", "/Users")
        assert (threads[0] is threading.main_thread()) is not blocking

    def test_the_loop_goes_on(self) -> None:
        """While one request waits for its store others are served."""

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
