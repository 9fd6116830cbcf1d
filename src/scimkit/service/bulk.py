"""Bulk operations: many operations in one request, with references between them (RFC 7644 section 3.7).

Each operation succeeds or fails alone; a failed operation never undoes another. An operation that refers to a later
creation waits for it. Circular references are resolved in two steps: create the resource without the reference, then
write the reference.

This module does not call the store. Every operation takes the same route as a separate request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from scimkit.documents import parse_object, write_json
from scimkit.errors import InvalidSyntax, InvalidValue, PayloadTooLarge
from scimkit.service.http import Request, Response, error_response, json_response
from scimkit.service.locations import encoded_path
from scimkit.service.request_context import RequestContext

BULK_REQUEST_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"

_PREFIX: Final = "bulkId:"
_REFERENCE: Final = re.compile(r'(?:\A|(?<=/))bulkId:(.+)\Z|(?<=")bulkId:([^"]+)(?=")', re.DOTALL)
"""A `bulkId` reference: a whole value, the end of a path, or a compared value in the filter of a PATCH path.

Source: RFC 7644 section 3.7.2.
"""
_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_MEMBERS: Final = frozenset({"schemas", "failonerrors", "operations"})

Serve: TypeAlias = Callable[[RequestContext, Request], Awaitable[Response]]
"""A function that serves one operation of a bulk request. It turns every failure into an error response."""


@dataclass(slots=True, eq=False)
class _Operation:
    """An operation of a bulk request, with its response and location once it is served.

    Operations compare by identity.
    """

    method: str
    path: str
    bulk_id: str | None
    version: str | None
    data: Any
    number: int = 0
    response: Response | None = None
    location: str | None = None
    references: frozenset[str] = field(default_factory=frozenset)
    awaited: Iterator[_Operation] | None = None
    next_awaited: _Operation | None = None
    is_waited_for: bool = False
    is_done: bool = False


class Bulk:
    """Serves bulk requests with at most `most` operations."""

    def __init__(self, serve: Serve, most: int) -> None:
        self._serve = serve
        self._most = most

    async def post(self, call: RequestContext) -> Response:
        """Serve `POST /Bulk`."""
        operations, fail_on_errors = self._read(parse_object(call.request.body), call)
        await _Run(self._serve, call, operations, fail_on_errors).run()
        results = [None if each.response is None else _result(each) for each in operations]
        shown = [each for each in results if each is not None]
        response = json_response(200, {"schemas": [BULK_RESPONSE_SCHEMA], "Operations": shown})
        response.results = results
        return response

    def _read(self, body: Mapping[str, Any], call: RequestContext) -> tuple[list[_Operation], int]:
        """Return the operations and `failOnErrors`, where 0 means never.

        Raises InvalidSyntax, InvalidValue, PayloadTooLarge.
        """
        members = {name.lower(): value for name, value in body.items()}
        schemas = members.get("schemas")
        if type(schemas) is not list or BULK_REQUEST_SCHEMA not in schemas:
            call.deviations.message(BULK_REQUEST_SCHEMA)
        for name in members.keys() - _MEMBERS:
            call.deviations.extra_member(name)
        fail_on_errors = members.get("failonerrors", 0)
        if type(fail_on_errors) is str:
            fail_on_errors = call.deviations.parameter("failOnErrors", fail_on_errors)
        if type(fail_on_errors) is not int or fail_on_errors < 0:
            raise InvalidValue("failOnErrors must be a whole number.")
        entries = members.get("operations")
        if type(entries) is not list or not entries:
            raise InvalidSyntax("Operations must be an array with at least one operation.")
        if len(entries) > self._most:
            raise PayloadTooLarge(f"A bulk request may have at most {self._most} operations.")
        operations = [_read_operation(entry) for entry in entries]
        for number, each in enumerate(operations):
            each.number = number
        named = [each.bulk_id for each in operations if each.bulk_id is not None]
        if len(set(named)) != len(named):
            raise InvalidValue("Two operations have the same bulkId. Each bulkId must be unique in the request.")
        return operations, fail_on_errors


class _Run:
    """The state of one bulk request while its operations are served."""

    def __init__(self, serve: Serve, call: RequestContext, operations: list[_Operation], fail_on_errors: int) -> None:
        self._serve = serve
        self._call = call
        self._operations = operations
        self._unfinished: list[_Operation] = []
        self._creations = {each.bulk_id: each for each in operations if each.method == "POST" and each.bulk_id}
        self._promised = set(self._creations)
        self._ids: dict[str, str] = {}
        self._errors = 0
        self._fail_on_errors = fail_on_errors

    async def run(self) -> None:
        """Serve the operations in order until too many have failed. Each waits for the creations to which it refers.

        An operation is served before its turn only if an earlier operation waits for it, so the outcome follows the
        order of the request. Each reference is examined once, so the work is linear in the operations and references.
        """
        for first in self._operations:
            chain = [] if first.is_done else [first]
            while chain and not self._is_over():
                operation = chain[-1]
                operation.is_waited_for = True
                creation = self._awaited(operation)
                if creation is not None and not creation.is_waited_for:
                    chain.append(creation)
                    continue
                chain.pop().is_done = True
                if creation is None:
                    await self._perform(operation, operation.data)
                elif operation.references <= self._promised:
                    await self._create_without_references(operation)
                else:
                    self._fail(operation)
        for operation in self._unfinished:
            await self._write_references(operation)

    def _is_over(self) -> bool:
        """Report whether the number of errors has reached `failOnErrors`."""
        return 0 < self._fail_on_errors <= self._errors

    def _awaited(self, operation: _Operation) -> _Operation | None:
        """Return the first creation, in the order of the request, for which an operation waits.

        None if the operation can be served now. References that are resolved, or can no longer be resolved, are skipped
        for good.
        """
        if operation.awaited is None:
            found = [self._creations[each] for each in operation.references if each in self._creations]
            operation.awaited = iter(sorted(found, key=lambda each: each.number))
            operation.next_awaited = next(operation.awaited, None)
        creation = operation.next_awaited
        while creation is not None and (creation.bulk_id in self._ids or creation.bulk_id not in self._promised):
            creation = operation.next_awaited = next(operation.awaited, None)
        return creation

    async def _perform(self, operation: _Operation, data: Any) -> None:
        """Serve an operation whose references are all resolved; fail the operation otherwise."""
        if not operation.references <= self._ids.keys():
            self._fail(operation)
            return
        response = await self._send(operation.method, self._path_of(operation), operation, data)
        self._record_response(operation, response)

    async def _create_without_references(self, operation: _Operation) -> None:
        """Create a resource of a reference cycle without the references that cannot be resolved yet."""
        missing = operation.references - self._ids.keys()
        data = _without_references(operation.data, {f"{_PREFIX}{each}" for each in missing})
        response = await self._send("POST", operation.path, operation, data)
        self._record_response(operation, response)
        if response.status == 201:
            self._unfinished.append(operation)

    async def _write_references(self, operation: _Operation) -> None:
        """Write a resource of a reference cycle again, with every reference that is resolved now."""
        lost = operation.references - self._ids.keys()
        data = _without_references(operation.data, {f"{_PREFIX}{each}" for each in lost})
        assert operation.bulk_id is not None
        path = f"{operation.path.rstrip('/')}/{self._ids[operation.bulk_id]}"
        response = await self._send("PUT", path, operation, data)
        if response.status >= 300:
            self._record_response(operation, response)
        elif operation.response is not None:
            operation.response = Response(201, response.body, response.headers)

    async def _send(self, method: str, path: str, operation: _Operation, data: Any) -> Response:
        """Serve one operation as a separate request, and return its response."""
        base = self._call.request
        headers = {} if operation.version is None else {"if-match": operation.version}
        body = b"" if method == "DELETE" else write_json(self._resolved(data))
        relative = path.removeprefix(base.base_url)
        request = Request(method, relative, "", headers, body, base.base_url)
        if base.transaction_id:
            request.transaction_id = f"{base.transaction_id}:{operation.number}"
        return await self._serve(self._call, request)

    def _path_of(self, operation: _Operation) -> str:
        """Return the path of an operation relative to the endpoint, percent-decoded like the path of a request."""
        path: str = self._resolved(unquote(operation.path.removeprefix(self._call.request.base_url)))
        return path

    def _record_response(self, operation: _Operation, response: Response) -> None:
        """Store the response of an operation.

        Every operation except a failed POST has a location (RFC 7644 section 3.7.3).
        """
        operation.response = response
        if operation.method != "POST":
            operation.location = self._call.request.base_url + encoded_path(self._path_of(operation))
        if response.status >= 400:
            self._errors += 1
            if operation.bulk_id is not None:
                self._promised.discard(operation.bulk_id)
        elif operation.method == "POST":
            operation.location = dict(response.headers).get("Location")
            if operation.location is not None and operation.bulk_id is not None:
                self._ids[operation.bulk_id] = unquote(operation.location.rsplit("/", 1)[-1])

    def _fail(self, operation: _Operation) -> None:
        """Fail an operation that refers to a `bulkId` that cannot be resolved."""
        error = InvalidValue("The operation refers to a bulkId that no successful operation of the request defines.")
        self._record_response(operation, error_response(error))

    def _id_for(self, found: re.Match[str]) -> str:
        """Return the id for a matched reference, or the reference itself if it is not resolved."""
        return self._ids.get(found[1] or found[2], found[0])

    def _resolved(self, value: Any) -> Any:
        """Return the value with each resolved reference replaced by an id."""
        if isinstance(value, str):
            return _REFERENCE.sub(self._id_for, value) if _PREFIX in value else value
        if isinstance(value, dict):
            return {name: self._resolved(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item) for item in value]
        return value


def _read_operation(entry: Any) -> _Operation:
    """Read one entry of `Operations`. Raises InvalidSyntax."""
    if type(entry) is not dict:
        raise InvalidSyntax("An operation must be an object.")
    members = {name.lower(): value for name, value in entry.items()}
    method, path, bulk_id = members.get("method"), members.get("path"), members.get("bulkid")
    if type(method) is not str or method.upper() not in _METHODS:
        raise InvalidSyntax("The method of an operation must be POST, PUT, PATCH or DELETE.")
    if type(path) is not str or not path:
        raise InvalidSyntax("An operation must have a path.")
    version = members.get("version")
    if (bulk_id is not None and type(bulk_id) is not str) or (version is not None and type(version) is not str):
        raise InvalidSyntax("bulkId and version must be strings.")
    method = method.upper()
    if method == "POST" and not bulk_id:
        raise InvalidSyntax("A POST operation must have a bulkId.")
    data = members.get("data")
    if type(data) is not dict and method != "DELETE":
        raise InvalidSyntax("The data of a POST, PUT or PATCH operation must be an object.")
    operation = _Operation(method, path if path.startswith(("/", "http")) else f"/{path}", bulk_id, version, data)
    operation.references = frozenset(_references(data)) | frozenset(_references(path))
    return operation


def _references(value: Any) -> Iterator[str]:
    """Yield the `bulkId` values to which a value refers."""
    if isinstance(value, str):
        for found in _REFERENCE.finditer(value) if _PREFIX in value else ():
            yield found[1] or found[2]
    elif isinstance(value, dict):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _without_references(value: Any, references: set[str]) -> Any:
    """Return the data without the values and elements that consist of one of the references."""
    if isinstance(value, list):
        kept = [_without_references(item, references) for item in value]
        return [item for item in kept if item is not None]
    if isinstance(value, dict):
        if any(isinstance(item, str) and item in references for item in value.values()):
            return None
        made = {name: _without_references(item, references) for name, item in value.items()}
        return {name: item for name, item in made.items() if item is not None}
    return None if isinstance(value, str) and value in references else value


def _result(operation: _Operation) -> dict[str, Any]:
    """Return the entry of the bulk response for an operation (RFC 7644 section 3.7.3)."""
    response = operation.response
    assert response is not None
    result: dict[str, Any] = {"method": operation.method}
    if operation.bulk_id is not None:
        result["bulkId"] = operation.bulk_id
    if operation.location is not None:
        result["location"] = operation.location
    version = dict(response.headers).get("ETag")
    if version is not None:
        result["version"] = version
    result["status"] = str(response.status)
    if response.status >= 400:
        result["response"] = json.loads(response.body)
    return result
