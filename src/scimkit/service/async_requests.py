"""Asynchronous requests: bulk requests and large PUTs that are accepted now and processed later (RFC 9967).

A request is accepted after the token and its scopes are checked, and after the queue has stored it. If the queue is
full, or if the body has a secret that must not be stored, the request is processed at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from pydantic_core import from_json, to_json

from scimkit.documents import parse_object
from scimkit.errors import Forbidden, InternalError, InvalidSyntax, ScimError
from scimkit.events.pending_requests import PendingRequest, RequestOutcome, RequestQueue
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import Request, Response
from scimkit.service.locations import encoded_path
from scimkit.service.request_context import RequestContext
from scimkit.tokens import Principal
from scimkit.uuid7 import new_uuid7

_KEPT_HEADERS: Final = ("content-type", "content-encoding", "if-match", "if-none-match")
"""The headers that decide how a request is processed."""
INTERRUPTED: Final = (
    "The service stopped while it processed the request. Read the resources, and send again what is missing."
)


@dataclass(frozen=True, slots=True)
class AsyncRequests:
    """The asynchronous requests that a service accepts from clients that send `Prefer: respond-async`.

    Raises:
        ValueError: A number is not positive.
    """

    queue: RequestQueue
    """The queue that keeps accepted requests until a worker has processed them."""
    pending_per_tenant: int = 100
    """The largest number of accepted requests of one tenant. Further requests are processed at once."""
    smallest_put: int = 65_536
    """The smallest number of bytes of a PUT that is accepted. Bulk requests of any size are accepted."""

    def __post_init__(self) -> None:
        if self.pending_per_tenant < 1 or self.smallest_put < 1:
            raise ValueError("pending_per_tenant and smallest_put must be positive")


class Acceptance:
    """Accepts requests of a service.

    Args:
        options: The requests to accept.
        resource_types: The resource types of the service.
        sensitive: Paths of attributes that must not be stored.
    """

    def __init__(
        self, options: AsyncRequests, resource_types: Sequence[ResourceType], sensitive: Collection[str]
    ) -> None:
        self._options = options
        self._secret = frozenset(_last(each).lower() for each in sensitive) | frozenset(
            name.lower() for each in resource_types for name in _secret_names(each.attributes.values())
        )

    def wants(self, request: Request) -> bool:
        """Report whether a client wants an asynchronous response to a request that can have one."""
        if "prefer" not in request.headers or request.transaction_id or not prefers_async(request.headers["prefer"]):
            return False
        if request.method == "PUT":
            return len(request.body) >= self._options.smallest_put
        return request.method == "POST" and request.path.strip("/") == "Bulk"

    def accept(self, call: RequestContext) -> Response | None:
        """Store a request, and return the response 202. Return None if the request must be processed at once.

        Raises:
            Forbidden: The scopes of the token permit no write.
            Unavailable: The database failed, so the request is not accepted.
        """
        request, principal = call.request, call.principal
        if principal.scopes is not None and not any(each.startswith("write") for each in principal.scopes):
            raise Forbidden("This token may not write: it lacks the scope write.")
        if self._has_secret(request.body):
            return None
        txn = new_uuid7()
        pending = PendingRequest(txn, principal.tenant, _payload(request, principal))
        if not self._options.queue.add(pending, self._options.pending_per_tenant):
            return None
        headers = [("Set-Txn", txn), ("Preference-Applied", "respond-async")]
        if request.method == "PUT":
            headers.append(("Location", f"{request.base_url}{encoded_path(request.path)}"))
        return Response(202, headers=tuple(headers))

    def _has_secret(self, body: bytes) -> bool:
        """Report whether a body may have an attribute that must not be stored. Such a body is not accepted."""
        try:
            return any(_last(each).lower() in self._secret for each in _names(parse_object(body)))
        except InvalidSyntax:
            return True  # the client gets its error at once


def prefers_async(prefer: str) -> bool:
    """Report whether a `Prefer` header has `respond-async` (RFC 7240 section 4.1)."""
    return any(each.partition(";")[0].strip().lower() == "respond-async" for each in prefer.split(","))


async def perform(service: Any, pending: PendingRequest, deadline: float | None) -> list[RequestOutcome]:
    """Process an accepted request, and return its outcome, or the outcome of each operation of a bulk request.

    A PUT that was interrupted is processed again. A bulk request that was interrupted is not, because its operations
    could be done twice; its outcome says so.

    Args:
        service: The `ScimService`.
        pending: The claimed request.
        deadline: The reading of `time.monotonic()` by which the request must be processed.
    """
    stored = from_json(pending.payload)
    principal = stored["principal"]
    scopes = principal.pop("scopes")
    request = Request(
        stored["method"],
        stored["path"],
        stored["query"],
        stored["headers"],
        stored["body"].encode(),
        stored["base_url"],
        deadline,
        Principal(**principal, scopes=None if scopes is None else frozenset(scopes)),
        stored["id"],
    )
    request.transaction_id = pending.txn
    is_bulk = request.method == "POST"
    has_operations = is_bulk
    if is_bulk and pending.attempts > 1:
        error = InternalError(INTERRUPTED)
        operations = _requested(request.body)
        results: list[Mapping[str, Any]] = [_failure(each, error) for each in operations]
    else:
        response = await service.handle(request)
        if is_bulk and response.status == 200:
            operations = _requested(request.body)
            results = [
                _failure(operation, NotPerformed()) if result is None else result
                for operation, result in zip(operations, response.results, strict=True)
            ]
        elif is_bulk:
            has_operations = False
            results = [{"method": "POST", "status": str(response.status), "response": from_json(response.body)}]
        else:
            results = [_put_result(request, response)]
    now = datetime.now(UTC)
    return [
        RequestOutcome(
            txn=f"{pending.txn}:{number}" if has_operations else pending.txn,
            tenant=pending.tenant,
            uri=_uri(result, request, number if has_operations else None),
            payload=result,
            time=now,
        )
        for number, result in enumerate(results)
    ]


class NotPerformed(ScimError):
    """An operation of a bulk request was not performed, because too many earlier operations failed."""

    status: ClassVar[int] = 424
    default_detail: ClassVar[str] = "The operation was not performed, because failOnErrors was reached."


def outcomes_to_json(outcomes: Sequence[RequestOutcome]) -> bytes:
    """Return outcomes as JSON, for the queue."""
    return to_json([{**asdict(each), "time": each.time.isoformat()} for each in outcomes])


def outcomes_from_json(body: bytes) -> list[RequestOutcome]:
    """Return the outcomes that `outcomes_to_json` made."""
    return [RequestOutcome(**{**each, "time": datetime.fromisoformat(each["time"])}) for each in from_json(body)]


def _payload(request: Request, principal: Principal) -> bytes:
    """Return the JSON of a request. It has no token."""
    return to_json(
        {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers},
            "body": request.body.decode(),
            "base_url": request.base_url,
            "id": request.id,
            "principal": {
                "tenant": principal.tenant,
                "token_id": principal.token_id,
                "dialect": principal.dialect,
                "scopes": None if principal.scopes is None else sorted(principal.scopes),
            },
        }
    )


def _requested(body: bytes) -> list[Mapping[str, Any]]:
    """Return the operations of a bulk request, with their attributes in lower case."""
    members = {name.lower(): value for name, value in parse_object(body).items()}
    found = members.get("operations")
    entries = found if isinstance(found, list) else []
    return [{name.lower(): value for name, value in each.items()} for each in entries if isinstance(each, dict)]


def _failure(operation: Mapping[str, Any], error: ScimError) -> dict[str, Any]:
    """Return the result of an operation that has no response of its own."""
    result: dict[str, Any] = {"method": str(operation.get("method")).upper()}
    if isinstance(operation.get("bulkid"), str):
        result["bulkId"] = operation["bulkid"]
    return {**result, "status": str(error.status), "response": error.to_document()}


def _put_result(request: Request, response: Response) -> dict[str, Any]:
    """Return the result of a PUT in the form of a bulk response (RFC 9967 section 2.5.1.3)."""
    result: dict[str, Any] = {"method": request.method, "location": f"{request.base_url}{encoded_path(request.path)}"}
    version = dict(response.headers).get("ETag")
    if version is not None:
        result["version"] = version
    result["status"] = str(response.status)
    if response.status >= 400:
        result["response"] = from_json(response.body)
    return result


def _uri(result: Mapping[str, Any], request: Request, number: int | None) -> str:
    """Return the path of the resource of a result, or of the endpoint."""
    location = result.get("location")
    if isinstance(location, str):
        return location.removeprefix(request.base_url)
    if number is None:
        return f"/{request.path.strip('/')}"
    path = str(_requested(request.body)[number].get("path"))
    return path if path.startswith("/") else f"/{path}"


def _names(value: Any) -> Iterator[str]:
    """Yield the names of members at any depth, and the texts that may be the path of a PATCH operation."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            if name.lower() == "path" and isinstance(item, str):
                yield item.partition("[")[0]
                yield item
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)


def _last(path: str) -> str:
    """Return the last name of a path."""
    return path.rpartition(":")[2].rpartition(".")[2].strip()


def _secret_names(attributes: Collection[Attribute]) -> Iterator[str]:
    """Yield the names of attributes that are never returned, or only written."""
    for each in attributes:
        if each.returned == "never" or each.mutability == "writeOnly":
            yield each.name
        yield from _secret_names(tuple(each.children.values()))
