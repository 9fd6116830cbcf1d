"""Record real exchanges with invented values instead of personal data, and replay them as a test.

    ScimService(store, tokens=tokens, on_exchange=Recorder("exchanges.jsonl", resource_types))
    assert replay("exchanges.jsonl", service, token) == []

The file has one JSON line for each exchange. Of the headers, only the media types are recorded.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from scimkit.runner import run_sync
from scimkit.schema.core import GROUP, USER
from scimkit.schema.resource_types import ResourceType
from scimkit.service import Request, Response, ScimService
from scimkit.testing.recorded_words import METHODS
from scimkit.testing.redaction import BASE_URL, Redactor

_MEDIA_TYPE: Final = re.compile(r"[a-z*]+/[a-z*+]+(?:; ?charset=utf-?8)?\Z", re.IGNORECASE)
_HEADERS: Final = ("content-type", "accept")
_DISCOVERY: Final = frozenset({"ServiceProviderConfig", "ResourceTypes", "Schemas"})


class Recorder:
    """A callable that appends exchanges to a file. Pass it to `ScimService(on_exchange=...)`."""

    def __init__(self, file: str | Path, resource_types: Sequence[ResourceType] = (USER, GROUP)) -> None:
        self._file = Path(file)
        self._fictions = Redactor(resource_types)

    def __call__(self, request: Request, response: Response) -> None:
        """Append an exchange to the file."""
        line = json.dumps(self.recorded(request, response), ensure_ascii=False)
        with open(self._file, "a", encoding="utf-8", opener=_open_private) as file:
            file.write(line + "\n")

    def recorded(self, request: Request, response: Response) -> dict[str, Any]:
        """Return an exchange in the form of the file."""
        redactor, kind = self._fictions, self._fictions.type_at(request.path)
        sent = _json(request.body)
        headers = {name: request.headers.get(name, "") for name in _HEADERS}
        discovery = request.path.strip("/").partition("/")[0] in _DISCOVERY and response.status == 200
        return {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": request.method if request.method in METHODS else "OTHER",
            "path": redactor.path(request.path),
            "query": redactor.query(request.query, kind),
            "headers": {name: value for name, value in headers.items() if _MEDIA_TYPE.match(value)},
            "body": None if sent is _NOT_JSON else redactor.body(sent, kind),
            "malformed": sent is _NOT_JSON,
            "status": response.status,
            "response": None if discovery else redactor.body(_json(response.body), kind),
            "quirks": list(response.quirks),
        }


def _open_private(path: str, flags: int) -> int:
    """Open a file, and set its permissions so that only the owner can read it."""
    descriptor = os.open(path, flags, 0o600)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)
    return descriptor


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between a recorded response and the response of the replay.

    Attributes:
        line: The line in the file.
        request: The method and the path.
        recorded: The recorded status or shape of the body.
        replayed: The status or shape of the body in the replay.
    """

    line: int
    request: str
    recorded: Any
    replayed: Any


def replay(file: str | Path, service: ScimService, token: str) -> list[Difference]:
    """Send the recorded requests to a service, and return the responses whose status or shape of the body differs.

    The service starts empty. Resources that the recording shows but does not create are created first. Ids in the
    recording are replaced by the ids of the service.

    Args:
        file: The file with the recording.
        service: The service with an empty store.
        token: A token of the service.
    """
    exchanges = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines() if line]
    play = _Replay(service, token)
    play.prepare(exchanges)
    return [found for number, each in enumerate(exchanges, 1) for found in play.differences(number, each)]


class _Replay:
    def __init__(self, service: ScimService, token: str) -> None:
        self._service = service
        self._token = token
        self._ids: dict[str, str] = {}

    def prepare(self, exchanges: list[dict[str, Any]]) -> None:
        """Create the resources that existed before the recording began."""
        made: set[str] = set()
        for each in exchanges:
            path = each["path"].strip("/").partition("/")[0]
            for resource in _resources(each["response"]):
                id = resource["id"]
                if id not in made and id not in self._ids and not (each["method"] == "POST" and each["status"] == 201):
                    self._send({"method": "POST", "path": f"/{path}", "body": resource}, id)
                made.add(id)

    def differences(self, number: int, recorded: dict[str, Any]) -> Iterator[Difference]:
        """Yield the differences of one exchange."""
        recorded_body = recorded["response"]
        id = recorded_body.get("id") if type(recorded_body) is dict and recorded["status"] == 201 else None
        response = self._send(recorded, id)
        request = f"{recorded['method']} {recorded['path']}"
        if response.status != recorded["status"]:
            yield Difference(number, request, recorded["status"], response.status)
        elif recorded_body is not None and shape(recorded_body) != shape(_json(response.body)):
            yield Difference(number, request, shape(recorded_body), shape(_json(response.body)))

    def _send(self, exchange: dict[str, Any], id: str | None) -> Response:
        content = b""
        if exchange.get("malformed"):
            content = b"{"
        elif exchange["body"] is not None:
            content = self._with_service_ids(json.dumps(exchange["body"])).encode()
        headers = {**exchange.get("headers", {}), "authorization": f"Bearer {self._token}"}
        path, query = self._with_service_ids(exchange["path"]), self._with_service_ids(exchange.get("query", ""))
        response = run_sync(self._service.handle(Request(exchange["method"], path, query, headers, content, BASE_URL)))
        document = _json(response.body)
        if id is not None and response.status == 201 and type(document) is dict:
            self._ids[id] = document["id"]
        return response

    def _with_service_ids(self, text: str) -> str:
        if not self._ids:
            return text
        known = "|".join(re.escape(each) for each in sorted(self._ids, key=len, reverse=True))
        return re.sub(rf"(?<![\w-])(?:{known})(?![\w-])", lambda found: self._ids[found[0]], text)


def shape(value: Any) -> Any:
    """Return the structure of a JSON value: its names, its types, and the distinct shapes of array elements."""
    if isinstance(value, dict):
        return {name: shape(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return sorted({json.dumps(shape(each)) for each in value})
    return "number" if type(value) in (int, float) else type(value).__name__


def _resources(response: Any) -> Iterator[dict[str, Any]]:
    if type(response) is dict:
        listed = response.get("Resources")
        for each in listed if type(listed) is list else [response]:
            if type(each) is dict and type(each.get("id")) is str:
                yield each


_NOT_JSON: Final = object()


def _json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return _NOT_JSON
