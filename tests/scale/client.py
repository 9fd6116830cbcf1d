"""A client that costs little beside what it measures: one connection a thread, each answer timed."""

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
    """Sends requests to one endpoint with one token, from any thread."""

    def __init__(self, endpoint: str, token: str) -> None:
        parts = urlsplit(endpoint)
        self._host, self._prefix = parts.netloc, parts.path
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
        self._local = threading.local()

    def send(self, method: str, path: str, body: Any = None, *, expected: int = 200) -> bytes:
        """The body of the answer. Raises: AssertionError when its status is another."""
        content = None if body is None else json.dumps(body).encode()
        connection = self._connection()
        connection.request(method, self._prefix + path, content, self._headers)
        answer = connection.getresponse()
        read: bytes = answer.read()
        assert answer.status == expected, (method, path, answer.status, read[:500])
        return read

    def find(self, endpoint: str, filter: str, rest: str = "") -> Any:
        """The ListResponse of a filter."""
        return json.loads(self.send("GET", f"{endpoint}?filter={quote(filter)}{rest}"))

    def size_of(self, path: str) -> int:
        """How many bytes the answer to a GET has, of which no more than a part is held."""
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
    """Seconds that each call took, in the order they ended, and when that was."""

    seconds: list[float]
    ended: list[float]

    def percentile(self, share: float) -> float:
        """Milliseconds within which that share of the calls was answered."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


def run(calls: Iterable[Callable[[], object]], threads: int, done: Callable[[int], None] | None = None) -> Timed:
    """Make the calls, several at once; `done` is told how many have ended."""
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
    """A user as Entra's default mapping sends one."""
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
    """A PATCH that adds members, as Entra writes it."""
    operation = {"op": "Add", "path": "members", "value": [{"value": each} for each in ids]}
    return {"schemas": [PATCH_OP], "Operations": [operation]}


def removing(ids: Sequence[str]) -> dict[str, Any]:
    """A PATCH that removes members, as Entra writes it."""
    operation = {"op": "Remove", "path": "members", "value": [{"value": each} for each in ids]}
    return {"schemas": [PATCH_OP], "Operations": [operation]}
