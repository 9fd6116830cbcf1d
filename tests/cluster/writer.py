"""`python -m tests.cluster.writer NAME TOKEN GROUP,GROUP ENDPOINT...`: write in several threads until a line is read.

An endpoint is the URL of a `scimkit serve`, or the URL of a database that this process serves itself. Users are created
at the first endpoint, and changed at any endpoint. Each request is printed with its status as a JSON object on a line.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from scimkit import Request, ScimService, TokenRegistry, run_sync
from scimkit.stores.sql import SqlStore, SqlTokenStore
from tests.client import BASE_URL, PATCH_OP, USER

Send = Callable[[str, str, Any], tuple[int, Any]]

THREADS = 3
RACES = 400
"""The number of names that all writers try to create."""


def sender(endpoint: str, token: str) -> Send:
    """Return a function that sends a request and returns status and body. The status is 0 if there is no response."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/scim+json"}
    if endpoint.startswith("http"):
        return _over_http(endpoint, headers)
    store = SqlStore(endpoint, upgrade=False)
    service = ScimService(store, tokens=TokenRegistry(SqlTokenStore(store.engine)))

    def send(method: str, path: str, body: Any) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        answer = run_sync(service.handle(Request(method, path, "", headers, content, BASE_URL)))
        assert isinstance(answer.body, bytes)
        return answer.status, json.loads(answer.body) if answer.body else None

    return send


def _over_http(endpoint: str, headers: dict[str, str]) -> Send:
    parts = urlsplit(endpoint)

    def send(method: str, path: str, body: Any) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        try:
            connection.request(method, parts.path + path, None if body is None else json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            read = answer.read()
            return answer.status, json.loads(read) if read else None
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()

    return send


class Writer:
    """The writes of one thread. It creates its own users, and all threads share the groups."""

    def __init__(self, name: str, groups: list[str], sends: list[Send], over: threading.Event) -> None:
        self._name, self._groups, self._sends, self._over = name, groups, sends, over
        self._people: list[str] = []
        self._number = 0

    def run(self) -> None:
        """Write until the event is set."""
        for race in range(10**9):
            if self._over.is_set():
                return
            if race < RACES:
                self._create(f"race-{race}", "race")
            self._number += 1
            id = self._create(f"{self._name}-{self._number}", "create")
            if id is None:
                time.sleep(0.2)
                continue
            self._people.append(id)
            self._join(id, random.choice(self._groups))
            self._change(random.choice(self._people))
            if len(self._people) > 5:
                self._delete(self._people.pop(random.randrange(len(self._people))))

    def _create(self, name: str, what: str) -> str | None:
        person = {"schemas": [USER], "userName": name, "emails": [{"type": "work", "value": f"{name}@example.org"}]}
        status, body = self._sends[0]("POST", "/Users", person)
        id = body["id"] if status == 201 else None
        _say(what=what, name=name, id=id, status=status)
        return id

    def _join(self, id: str, group: str) -> None:
        """Add a user to a group, usually at another node than the one that created the user."""
        operation = {"op": "add", "path": "members", "value": [{"value": id}]}
        self._patch(f"/Groups/{group}", operation, what="join", id=id, group=group)

    def _change(self, id: str) -> None:
        self._number += 1
        operation = {"op": "replace", "path": "title", "value": f"t{self._number:09}"}
        self._patch(f"/Users/{id}", operation, what="change", id=id, title=operation["value"])

    def _patch(self, path: str, operation: Any, **said: Any) -> None:
        send = random.choice(self._sends)
        _say(**said, status=send("PATCH", path, {"schemas": [PATCH_OP], "Operations": [operation]})[0])

    def _delete(self, id: str) -> None:
        _say(what="delete", id=id, status=random.choice(self._sends)("DELETE", f"/Users/{id}", None)[0])


_lock = threading.Lock()


def _say(**said: Any) -> None:
    with _lock:
        print(json.dumps({"at": time.time(), **said}), flush=True)


def main(name: str, token: str, groups: str, *endpoints: str) -> None:
    """Run the threads until a line is read from standard input."""
    over = threading.Event()
    sends = [sender(each, token) for each in endpoints]
    threads = [
        threading.Thread(target=Writer(f"{name}-{each}", groups.split(","), sends, over).run) for each in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    sys.stdin.readline()
    over.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
