"""Tests of the WSGI adapter: the environ that it reads, and the response that it returns."""

from __future__ import annotations

import io
import json
from typing import Any
from wsgiref.validate import validator

import pytest

from scimkit import Limits, MemoryStore, ScimService, TokenRegistry
from scimkit.wsgi import ScimApp
from tests.client import ERROR

TOKENS = TokenRegistry()
TOKEN = TOKENS.issue("test").token
ADA = b'{"userName": "ada"}'


def make_app(*, limits: Limits = Limits(), **options: Any) -> ScimApp:  # noqa: B008  # frozen
    return ScimApp(ScimService(MemoryStore(), tokens=TOKENS, limits=limits), **options)


class Answered:
    """The response of an application."""

    def __init__(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        self.line = status
        self.status = int(status.split()[0])
        self.headers = dict(headers)
        self.request_id = self.headers.pop("X-Request-Id")
        self.content = content

    def json(self) -> Any:
        return json.loads(self.content)


def send(app: Any, method: str, path: str, body: bytes = b"", **environ: Any) -> Answered:
    """Call an application with an environ. A value of None removes the name from the environ."""
    started: list[Any] = []
    whole = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path.encode().decode("latin-1"), "QUERY_STRING": "",
        "SERVER_NAME": "10.0.0.1", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/scim+json", "HTTP_HOST": "help.example.org",
        "HTTP_AUTHORIZATION": f"Bearer {TOKEN}", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.multithread": True,
        "wsgi.multiprocess": False, "wsgi.run_once": False, **environ,
    }  # fmt: skip
    whole = {name: value for name, value in whole.items() if value is not None}
    parts = app(whole, lambda status, headers, *_: started.append((status, headers)))
    content = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    return Answered(*started[0], content)


class Endless:
    """An endless stream that counts the bytes that were read."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        self.read_bytes += size
        return b"x" * size


class TestBodies:
    """Tests of reading a body up to the limit."""

    def test_the_body_limit(self) -> None:
        """A body of exactly the limit is served, and one more byte gets 413, with a declared length or without."""
        for more in ({}, {"CONTENT_LENGTH": None, "wsgi.input_terminated": True}):
            assert send(make_app(limits=Limits(body=len(ADA))), "POST", "/Users", ADA, **more).status == 201
            refused = send(make_app(limits=Limits(body=len(ADA) - 1)), "POST", "/Users", ADA, **more)
            assert (refused.status, refused.json()["schemas"]) == (413, [ERROR])

    @pytest.mark.parametrize("length", ["6000000", "9" * 5000])
    def test_a_declared_length_over_the_limit(self, length: str) -> None:
        """A declared length over the limit gets 413, and the body is not read."""
        stream = Endless()
        answer = send(make_app(), "POST", "/Users", **{"wsgi.input": stream, "CONTENT_LENGTH": length})
        assert (answer.status, stream.read_bytes) == (413, 0)

    def test_no_more_is_read_than_the_limit(self) -> None:
        """The adapter stops reading soon after an endless body exceeds the limit."""
        stream = Endless()
        more = {"wsgi.input": stream, "CONTENT_LENGTH": None, "wsgi.input_terminated": True}
        assert send(make_app(limits=Limits(body=100_000)), "POST", "/Users", **more).status == 413
        assert stream.read_bytes < 200_000

    @pytest.mark.parametrize("length", [None, "", "many", "-1"])
    def test_without_a_length(self, length: str | None) -> None:
        """Nothing is read without a length if the server does not mark the end of the stream (PEP 3333)."""
        stream = Endless()
        answer = send(make_app(), "POST", "/Users", **{"wsgi.input": stream, "CONTENT_LENGTH": length})
        assert (answer.status, answer.json()["scimType"], stream.read_bytes) == (400, "invalidSyntax", 0)

    def test_only_the_declared_length_is_read(self) -> None:
        """The adapter does not read beyond the declared length, where the next request may begin."""
        stream = io.BytesIO(ADA + b"GET / HTTP/1.1")
        answer = send(make_app(), "POST", "/Users", **{"wsgi.input": stream, "CONTENT_LENGTH": str(len(ADA))})
        assert (answer.status, stream.tell()) == (201, len(ADA))

    def test_a_truncated_body(self) -> None:
        """Nothing is stored if a body is shorter than its declared length."""
        app = make_app()
        assert send(app, "POST", "/Users", ADA[:8], CONTENT_LENGTH=str(len(ADA))).status == 400
        assert send(app, "GET", "/Users").json()["totalResults"] == 0

    def test_the_media_type(self) -> None:
        """The media type is read from `CONTENT_TYPE`. An empty media type counts as absent."""
        assert send(make_app(), "POST", "/Users", ADA, CONTENT_TYPE="text/plain").status == 415
        assert send(make_app(), "POST", "/Users", ADA, CONTENT_TYPE="").status == 201


class TestAnswers:
    """Tests of returning a response."""

    def test_responses_conform_to_wsgi(self) -> None:
        """The validator of the standard library accepts every kind of response."""
        app = validator(make_app())
        id = send(app, "POST", "/Users", ADA).json()["id"]
        assert send(app, "GET", f"/Users/{id}").status == 200
        assert send(app, "GET", "/Nope").status == 404
        assert send(app, "DELETE", f"/Users/{id}", CONTENT_TYPE=None).status == 204

    def test_status_lines(self) -> None:
        """The status line has the code and its phrase."""
        assert send(make_app(), "POST", "/Users", ADA).line == "201 Created"
        assert send(make_app(), "DELETE", "/Users").line == "405 Method Not Allowed"

    def test_head(self) -> None:
        """HEAD has the status and headers of GET, and no body (RFC 9110 section 9.3.2)."""
        app = make_app()
        send(app, "POST", "/Users", ADA)
        for path in ("/Users", "/Schemas", "/Nope"):
            get, head = send(app, "GET", path), send(app, "HEAD", path)
            assert (head.line, head.headers, head.content) == (get.line, get.headers, b"")
            assert head.headers["Content-Length"] == str(len(get.content))

    def test_no_content(self) -> None:
        """A 204 response has no body and no Content-Length (RFC 9110 section 8.6)."""
        app = make_app()
        id = send(app, "POST", "/Users", ADA).json()["id"]
        deleted = send(app, "DELETE", f"/Users/{id}")
        assert (deleted.status, deleted.headers, deleted.content) == (204, {}, b"")


class TestPaths:
    """Tests of mount paths, prefixes and the URL of the endpoint."""

    def test_the_mount_path(self) -> None:
        """`SCRIPT_NAME` is part of every location. Characters outside ASCII are percent-encoded."""
        name = "/api/日本/a b".encode().decode("latin-1")
        answer = send(make_app(), "POST", "/Users", ADA, SCRIPT_NAME=name)
        assert answer.headers["Location"].startswith("http://help.example.org/api/%E6%97%A5%E6%9C%AC/a%20b/Users/")
        assert answer.json()["meta"]["location"] == answer.headers["Location"]

    @pytest.mark.parametrize("path", ["", "/"])
    def test_the_mount_path_itself(self, path: str) -> None:
        """A GET of the mount path searches all resources."""
        assert send(make_app(), "GET", path, SCRIPT_NAME="/scim").json()["totalResults"] == 0

    def test_outside_the_prefix(self) -> None:
        """A path outside the prefix gets 404."""
        for path in ("/Users", "/scim/v22/Users", "/"):
            assert send(make_app(prefix="/scim/v2/"), "GET", path).status == 404

    def test_without_a_host(self) -> None:
        """Without a Host header, URLs contain the address of the server."""
        answer = send(make_app(), "POST", "/Users", ADA, HTTP_HOST=None, **{"wsgi.url_scheme": "https"})
        assert answer.headers["Location"].startswith("https://10.0.0.1:8000/Users/")

    def test_a_path_that_is_not_utf8(self) -> None:
        """A path that is not valid UTF-8 gets 404."""
        for path in ("/Users/\xff\xfe", "/\xff"):
            answer = send(make_app(), "GET", "", PATH_INFO=path)
            assert (answer.status, answer.json()["schemas"]) == (404, [ERROR])
