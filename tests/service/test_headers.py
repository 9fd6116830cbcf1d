"""Request headers: tokens before bodies, repeated headers, request ids, and data that logs never show."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from scimkit import MemoryStore, Request, ScimService, TokenRegistry, run_sync
from scimkit.errors import BadRequest
from scimkit.service.bulk import BULK_REQUEST_SCHEMA
from scimkit.service.request_headers import check_headers, read_headers
from scimkit.testing.recorder import Recorder
from tests import test_asgi, test_wsgi
from tests.client import Client


def pairs(*lines: str) -> list[tuple[bytes, bytes]]:
    return [tuple(each.encode() for each in line.split(": ")) for line in lines]  # type: ignore[misc]


def test_lists_are_joined() -> None:
    """The lines of a list header are joined to one list (RFC 9110 section 5.3)."""
    assert read_headers(pairs("If-Match: a", "if-match: b", "Accept: c")) == {"if-match": "a, b", "accept": "c"}


@pytest.mark.parametrize("name", ["Authorization", "Host", "Content-Type", "Content-Length", "X-Request-Id"])
def test_a_single_value_header_must_occur_once(name: str) -> None:
    """A second line of a header that is not a list gets 400."""
    with pytest.raises(BadRequest):
        read_headers(pairs(f"{name}: a", f"{name.lower()}: a"))


@pytest.mark.parametrize(
    "headers",
    [{"authorization": "Bearer a,Bearer b"}, {"host": "a,b"}, {"content-type": "a/b,a/b"}, {"content-length": "1,1"}],
)
def test_joined_by_the_server(headers: dict[str, str]) -> None:
    """Headers that WSGI servers and Django have joined with commas are checked in the same way."""
    with pytest.raises(BadRequest):
        check_headers(headers)


@pytest.mark.parametrize("wrong", ["a b", "a/b", "a,b"])
def test_hosts(wrong: str) -> None:
    """A malformed Host header gets 400 with each adapter."""
    assert test_asgi.send(test_asgi.make_app(), "GET", "/Users", headers={"Host": wrong}).status == 400
    assert test_wsgi.send(test_wsgi.make_app(), "GET", "/Users", HTTP_HOST=wrong).status == 400


def test_the_token_comes_before_the_body() -> None:
    """Without a valid token, no adapter reads the body."""
    stream = test_wsgi.Endless()
    refused: dict[str, Any] = {"wsgi.input": stream, "CONTENT_LENGTH": "40", "HTTP_AUTHORIZATION": "Bearer x"}
    assert test_wsgi.send(test_wsgi.make_app(), "POST", "/Users", **refused).status == 401
    assert stream.read_bytes == 0
    answer = test_asgi.send(test_asgi.make_app(), "POST", "/Users", b"{", b"}", headers={"Authorization": "Bearer x"})
    assert (answer.status, answer.read) == (401, 0)


def test_authenticate_before_handle() -> None:
    """`authenticate` sets the principal of the request, which is then not verified again, or returns the response."""
    events: list[Any] = []
    tokens = TokenRegistry()
    issued = tokens.issue("x", tenant="acme")
    service = ScimService(MemoryStore(), tokens=tokens, on_request_completed=events.append)
    request = Request("GET", "/Users", headers={"authorization": f"Bearer {issued.token}"})
    assert run_sync(service.authenticate(request)) is None
    assert request.principal is not None
    assert request.principal.tenant == "acme"
    tokens.revoke(issued.record.id, tenant="acme")
    assert run_sync(service.handle(request)).status == 200
    response = run_sync(service.authenticate(Request("GET", "/Users", headers=request.headers)))
    assert response is not None
    assert [each.status for each in events] == [200, response.status] == [200, 401]


def test_reasons_of_refused_tokens(caplog: pytest.LogCaptureFixture) -> None:
    """The log states why a token was refused and which token it was.

    The response does not, and no line has the token.
    """
    client = Client()
    issued = client.tokens.issue("x")
    client.tokens.revoke(issued.record.id)
    with caplog.at_level(logging.INFO, "scimkit.auth"):
        for token in (issued.token, "scimkit_nonsense", ""):
            answer = client.get("/Users", headers={"Authorization": f"Bearer {token}"})
            assert (answer.status, "revoked" in str(answer.body)) == (401, False)
    records = [each for each in caplog.records if each.name == "scimkit.auth"]
    assert [each.token_id for each in records] == [issued.record.id, None, None]  # type: ignore[attr-defined]
    assert ["revoked" in caplog.text, "mistyped" in caplog.text, issued.token in caplog.text] == [True, True, False]


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"x-request-id": "a-1"}, "a-1"),
        ({"client-request-id": "{b}", "x-request-id": "a"}, "a"),
        ({"client-request-id": "c"}, "c"),
        ({"x-request-id": "a\nb"}, None),
        ({"x-request-id": "a" * 129}, None),
        ({}, None),
    ],
)
def test_request_ids(headers: dict[str, str], kept: str | None) -> None:
    """A harmless request id of the client is used, and any other is replaced. Response and event have the id."""
    events: list[Any] = []
    service = ScimService(MemoryStore(), tokens=TokenRegistry(), on_request_completed=events.append)
    sent = dict(run_sync(service.handle(Request("GET", "/Users", headers=headers))).headers)["X-Request-Id"]
    assert sent == events[0].request_id
    assert sent == kept if kept else (sent.isalnum() and len(sent) == 16)


def test_log_lines_have_no_control_characters(caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks in a request path cannot forge a line of the log."""
    with caplog.at_level(logging.INFO, "scimkit"):
        Client().get("/Users%0AERROR%1B[0m")
    assert caplog.records
    assert not any("\n" in each.getMessage() or "\x1b" in each.getMessage() for each in caplog.records)


def test_repr_shows_no_secrets() -> None:
    """The repr of a request shows neither token nor body."""
    request = Request("POST", "/Users", "filter=secret", {"authorization": "Bearer secret"}, b"secret")
    assert "secret" not in repr(request)
    assert "secret" not in repr(run_sync(Client().service.handle(request)))


def test_encodings() -> None:
    """A compressed body gets 415 with Accept-Encoding. The content coding `identity` is accepted."""
    client = Client()
    answer = client.post("/Users", {"userName": "a"}, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.headers["Accept-Encoding"]) == (415, "identity")
    assert client.post("/Users", {"userName": "a"}, headers={"Content-Encoding": "identity"}).status == 201


def test_recordings_are_private(tmp_path: Path) -> None:
    """Only the owner of the file can read a recording, even if the file existed before."""
    file = tmp_path / "exchanges.jsonl"
    file.touch(0o644)
    client = Client(on_exchange=Recorder(file))
    client.get("/Users")
    assert file.stat().st_mode & 0o777 == 0o600


def test_ids_with_special_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids with characters beyond ASCII are percent-encoded in URLs that work, also in bulk requests."""
    ids = iter(["clé-ключ", "a?b#c%41", "group", "other"])
    monkeypatch.setattr("scimkit.stores.memory.new_id", lambda: next(ids))
    client = Client()
    for id in ("clé-ключ", "a?b#c%41"):
        made = client.post("/Users", {"userName": id})
        location = made.headers["Location"]
        assert (made.id, made.body["meta"]["location"], location.isascii()) == (id, location, True)
        path = location.removeprefix("https://help.example.org/scim/v2")
        assert client.get(path).id == id
        operation = {"method": "PUT", "path": path, "data": {"userName": f"{id}2"}}
        bulk = client.post("/Bulk", {"schemas": [BULK_REQUEST_SCHEMA], "Operations": [operation]})
        assert bulk.body["Operations"][0]["status"] == "200"
        assert bulk.body["Operations"][0]["location"] == location
    group = client.group("team", "clé-ключ")
    reference = client.get(f"/Groups/{group}").body["members"][0]["$ref"]
    assert reference.endswith("/Users/cl%C3%A9-%D0%BA%D0%BB%D1%8E%D1%87")
