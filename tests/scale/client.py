"""An HTTP client with low overhead: one connection for each thread, and a time for each response."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Client:
    """A client that sends requests to one endpoint with one token. It is thread-safe."""

    def __init__(self, endpoint: str, token: str) -> None:
        parts = urlsplit(endpoint)
        self._host, self._prefix = parts.netloc, parts.path
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
        self._local = threading.local()

    def send(self, method: str, path: str, body: Any = None, *, expected: int = 200) -> bytes:
        """Send a request, and return the body of the response.

        Raises:
            AssertionError: The response has another status than expected.
        """
        content = None if body is None else json.dumps(body).encode()
        connection = self._connection()
        connection.request(method, self._prefix + path, content, self._headers)
        answer = connection.getresponse()
        read: bytes = answer.read()
        assert answer.status == expected, (method, path, answer.status, read[:500])
        return read

    def find(self, endpoint: str, filter: str, rest: str = "") -> Any:
        """Return the ListResponse for a filter."""
        return json.loads(self.send("GET", f"{endpoint}?filter={quote(filter)}{rest}"))

    def size_of(self, path: str) -> int:
        """Return the size of the response to a GET in bytes, without holding the response in memory."""
        connection = self._connection()
        connection.request("GET", self._prefix + path, None, self._headers)
        answer, size = connection.getresponse(), 0
        assert answer.status == 200, answer.status
        while part := answer.read(1 << 16):
            size += len(part)
        return size

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(self._host, timeout=600)
        return self._local.connection


@dataclass
class Timed:
    """The durations of calls in seconds and the times at which the calls ended, in the order of the ends."""

    seconds: list[float]
    ended: list[float]

    def percentile(self, share: float) -> float:
        """Return the duration in milliseconds that a share of the calls did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


def run(calls: Iterable[Callable[[], object]], threads: int, done: Callable[[int], None] | None = None) -> Timed:
    """Run calls in several threads. `done` is called with the number of calls that ended."""
    timed, lock, waiting = Timed([], []), threading.Lock(), iter(calls)

    def work() -> None:
        while True:
            with lock:
                call = next(waiting, None)
            if call is None:
                return
            start = time.perf_counter()
            call()
            end = time.perf_counter()
            with lock:
                timed.seconds.append(end - start)
                timed.ended.append(end)
                if done is not None:
                    done(len(timed.seconds))

    with ThreadPoolExecutor(threads) as pool:
        for each in [pool.submit(work) for _ in range(threads)]:
            each.result()
    return timed


def person(number: int) -> dict[str, Any]:
    """Return the body of a user as Entra's default mappings write it."""
    name = f"user{number}@example.org"
    return {
        "schemas": [USER, ENTERPRISE], "userName": name, "externalId": f"ext-{number}", "active": True,
        "displayName": f"Person {number}", "title": "Engineer", "preferredLanguage": "en-GB",
        "name": {"givenName": f"Given{number}", "familyName": f"Family{number}", "formatted": f"Person {number}"},
        "emails": [{"type": "work", "value": name, "primary": True}],
        "phoneNumbers": [{"type": "work", "value": f"+44 20 {number:08}"}],
        ENTERPRISE: {"employeeNumber": str(number), "department": f"Department {number % 200}"},
    }  # fmt: skip


def adding(ids: Sequence[str]) -> dict[str, Any]:
    """Return a PATCH body of Entra that adds members."""
    operation = {"op": "Add", "path": "members", "value": [{"value": each} for each in ids]}
    return {"schemas": [PATCH_OP], "Operations": [operation]}


def removing(ids: Sequence[str]) -> dict[str, Any]:
    """Return a PATCH body of Entra that removes members."""
    operation = {"op": "Remove", "path": "members", "value": [{"value": each} for each in ids]}
    return {"schemas": [PATCH_OP], "Operations": [operation]}
