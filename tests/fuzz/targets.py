"""The fuzz targets: one function for each parser and endpoint, which raises an error if the code breaks a promise.

A parser raises only `ScimError`. The service answers every request, and its only status from 500 is 501. Every error
has the SCIM form and no text of a library.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from scimkit import GROUP, USER, MemoryStore, Request, ScimService, TokenRegistry, filters, patch, run_sync
from scimkit.dialects import STRICT, TOLERANT, RequestDeviations
from scimkit.documents import parse_json, parse_object
from scimkit.errors import ScimError
from scimkit.patch.paths import parse_path
from scimkit.schema.reading import read_resource
from scimkit.service.http import read_query
from tests.test_documents import read_simply

Target = Callable[[bytes], None]

ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_FOREIGN: Final = (b"Traceback", b"pydantic", b".py", b"line 1 column")
_DIALECTS: Final = (STRICT, TOLERANT)

ADA: Final = {
    "schemas": [USER.schema], "id": "1", "userName": "ada", "active": True, "name": {"familyName": "King"},
    "emails": [{"value": "ada@example.org", "type": "work", "primary": True}],
}  # fmt: skip


def _dialect(data: bytes) -> tuple[RequestDeviations, bytes]:
    """Return the dialect that the first byte selects, and the remaining bytes."""
    return RequestDeviations(_DIALECTS[data[0] & 1 if data else 0]), data[1:]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def filter_text(data: bytes) -> None:
    """Parse and evaluate a filter. Parsing its printed form must return an equal filter."""
    deviations, rest = _dialect(data)
    try:
        wanted = filters.parse(_text(rest), deviations)
        wanted.compile(USER, deviations.compared)(ADA)
        assert filters.parse(str(wanted)) == wanted
    except ScimError:
        pass


def path_text(data: bytes) -> None:
    """Parse a PATCH path."""
    deviations, rest = _dialect(data)
    with contextlib.suppress(ScimError):
        parse_path(_text(rest), USER, deviations, deviations.compared)


def json_body(data: bytes) -> None:
    """Parse a body. The result must equal the result of a simple parser."""
    try:
        expected = repr(read_simply(data))
    except (ValueError, RecursionError):
        expected = None
    try:
        found = repr(parse_json(data))
    except ScimError:
        found = None
    assert found == expected, (found, expected)


def patch_body(data: bytes) -> None:
    """Apply a PATCH body to a user. The given user must not change."""
    deviations, rest = _dialect(data)
    before = json.dumps(ADA)
    try:
        result = patch.apply(USER, ADA, parse_object(rest), deviations)
        json.dumps(result.document)
    except ScimError:
        pass
    assert json.dumps(ADA) == before


def resource_body(data: bytes) -> None:
    """Read a body as a user and as a group. Reading the result again must return the same document."""
    deviations, rest = _dialect(data)
    for resource_type in (USER, GROUP):
        try:
            document = read_resource(resource_type, parse_object(rest), deviations)
        except ScimError:
            continue
        assert read_resource(resource_type, document) == document


def query_string(data: bytes) -> None:
    """Read a query string."""
    with contextlib.suppress(ScimError):
        read_query(_text(data))


class _Endpoint:
    """A service over a memory store with a user and a group. It is replaced after 5000 calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.services = [self._made(index) for index in range(2)]

    def _made(self, index: int) -> tuple[ScimService, str]:
        tokens = TokenRegistry()
        token = tokens.issue("fuzz").token
        service = ScimService(MemoryStore(), tokens=tokens, dialect=_DIALECTS[index])
        for path, body in (
            ("/Users", {"schemas": [USER.schema], "userName": "ada"}),
            ("/Groups", {"schemas": [GROUP.schema], "displayName": "staff"}),
        ):
            run_sync(service.handle(self.request("POST", path, "", token, json.dumps(body).encode())))
        return service, token

    def request(self, method: str, path: str, query: str, token: str, body: bytes) -> Request:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/scim+json"}
        return Request(method, path, query, headers, body, "https://help.example.org/scim/v2")

    def send(self, which: int, method: str, path: str, query: str, body: bytes) -> None:
        self.calls += 1
        if self.calls % 5000 == 0:
            self.services = [self._made(index) for index in range(2)]
        service, token = self.services[which]
        response = run_sync(service.handle(self.request(method, path, query, token, body)))
        assert response.status < 500 or response.status == 501, response
        if response.status >= 400:
            error = json.loads(response.body)
            assert error["schemas"] == [ERROR] and error["status"] == str(response.status), response
            assert not any(word in response.body for word in _FOREIGN), response


_ENDPOINT: Final = _Endpoint()


def service(data: bytes) -> None:
    """Send any request to the service. The response must not be a server error.

    The first byte selects dialect and method. The lines after it are the path, the query and the body.
    """
    first, rest = data[0] if data else 0, data[1:]
    path, _, rest = rest.partition(b"\n")
    query, _, body = rest.partition(b"\n")
    method = METHODS[(first >> 1) % len(METHODS)]
    _ENDPOINT.send(first & 1, method, "/" + _text(path), _text(query), body)


def bulk_body(data: bytes) -> None:
    """Send a bulk request to the service."""
    _ENDPOINT.send(data[0] & 1 if data else 0, "POST", "/Bulk", "", data[1:])


TARGETS: Final[dict[str, Target]] = {
    each.__name__: each
    for each in (filter_text, path_text, json_body, patch_body, resource_body, query_string, bulk_body, service)
}


def seeds(target: str, cases: Path) -> list[bytes]:
    """Return the first inputs: recorded requests of identity providers, and examples of filters and paths."""
    found: set[bytes] = set()
    for line in cases.read_text("utf-8").splitlines():
        request = json.loads(line)
        request = request.get("request", request)
        path, _, query = str(request.get("path", "")).partition("?")
        body = request.get("body")
        content = b"" if body is None else json.dumps(body).encode()
        method = METHODS.index(request["method"]) if request.get("method") in METHODS else 0
        for bit in (0, 1):
            if target == "service":
                head = bytes([method << 1 | bit])
                found.add(head + f"{path.lstrip('/')}\n{query}\n".encode() + content)
            elif target in ("patch_body", "resource_body") and content:
                found.add(bytes([bit]) + content)
            elif target == "json_body" and content:
                found.update((content, content.replace(b": ", b":")))
            elif target == "query_string" and query:
                found.add(query.encode())
            elif target in ("filter_text", "path_text"):
                found.update(bytes([bit]) + each.encode() for each in _EXPRESSIONS)
            elif target == "bulk_body":
                found.add(bytes([bit]) + _BULK)
    return sorted(found)


_EXPRESSIONS: Final = (
    'emails[type eq "work" and value co "@example.org"].display', 'userName eq "ada" or not (active eq true)',
    'meta.lastModified ge "2011-05-13T04:42:34Z"', "userName eq ada@x.org", "name.familyName", "members",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "title pr and active ne null",
    'roles[primary eq "True"].value',
)  # fmt: skip
_BULK: Final = json.dumps(
    {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "failOnErrors": 1,
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": [USER.schema], "userName": "bo"}},
            {"method": "POST", "path": "/Groups", "bulkId": "b", "data": {
                "schemas": [GROUP.schema], "displayName": "g", "members": [{"value": "bulkId:a"}]}},
            {"method": "DELETE", "path": "/Users/bulkId:a"},
        ],
    }
).encode()  # fmt: skip
