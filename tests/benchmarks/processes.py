"""Measurements in separate processes: creates with their memory, and a GET through uvicorn.

`python -m tests.benchmarks.processes create|serve ours|theirs|floor PEOPLE [PORT]` runs such a process. The CPU time
of the server is read from the kernel; the client is another process.
"""

from __future__ import annotations

import gc
import json
import os
import re
import resource
import selectors
import socket
import subprocess
import sys
import time
from typing import Any

import uvicorn
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.memory import AsyncInMemoryStorage
from scim2_server.utils import load_default_provider

from scimkit.asgi import ScimApp
from tests.benchmarks.requests import Floor, Ours, Theirs

_WARM_UP = 300
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def created(who: str, people: int) -> dict[str, float]:
    """Return the CPU time in microseconds and the memory in KB of one create, measured over many in a new process."""
    return json.loads(_started("create", who, people).communicate()[0])


def served(people: int, requests: int, connections: int) -> dict[str, float]:
    """Return the CPU time of the server for a GET by id through uvicorn, in microseconds.

    Each time is the best of three turns with the given number of concurrent connections.
    """
    kinds = ("ours", "theirs", "floor")
    servers = {who: _started("serve", who, people, _free_port()) for who in kinds}
    try:
        told = {who: json.loads(server.stdout.readline()) for who, server in servers.items()}
        best = dict.fromkeys(kinds, float("inf"))
        for _ in range(3):
            for who in kinds:
                spent = _cpu_of_gets(servers[who].pid, **told[who], requests=requests, connections=connections)
                best[who] = min(best[who], spent)
        return best
    finally:
        for server in servers.values():
            server.terminate()
            server.wait()


def _started(task: str, who: str, *numbers: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.benchmarks.processes", task, who, *map(str, numbers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _cpu_of_gets(pid: int, *, port: int, path: str, token: str, requests: int, connections: int) -> float:
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {token}\r\n\r\n".encode()
    waiting = [_connected(port) for _ in range(connections)]
    try:
        _get(waiting, head, _WARM_UP)
        start = _cpu(pid)
        _get(waiting, head, requests)
        return (_cpu(pid) - start) / requests * 1e6
    finally:
        for each in waiting:
            each.close()


def _connected(port: int) -> socket.socket:
    while True:  # the server prints its address shortly before it listens
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.05)


def _get(connections: list[socket.socket], head: bytes, requests: int) -> None:
    """Send GET requests. Each connection sends its next request when it has its response.

    This client needs less CPU time than the server, so that the server is never idle. `http.client` needs more.
    """
    asked, answered = 0, 0
    with selectors.DefaultSelector() as selector:
        for each in connections:
            selector.register(each, selectors.EVENT_READ, bytearray())
            each.send(head)
            asked += 1
        while answered < requests:
            for key, _ in selector.select():
                connection: Any = key.fileobj
                key.data.extend(connection.recv(65536))
                if not _is_whole(key.data):
                    continue
                assert key.data.startswith(b"HTTP/1.1 200 ") and b"userName" in key.data, key.data
                key.data.clear()
                answered += 1
                if asked < requests:
                    connection.send(head)
                    asked += 1


def _is_whole(answer: bytearray) -> bool:
    """Report whether a response is complete, by its Content-Length or its last chunk."""
    headers, blank, body = answer.partition(b"\r\n\r\n")
    length = _LENGTH.search(headers)
    return bool(blank) and (len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n"))


def _cpu(pid: int) -> float:
    """Return the CPU time of a process in seconds, user and system."""
    with open(f"/proc/{pid}/stat") as status:  # noqa: PTH123  # a kernel file
        fields = status.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _create(who: str, people: int) -> None:
    kept = {"ours": Ours, "theirs": Theirs}[who](1)
    gc.collect()
    memory, start = _resident(), time.process_time()
    for number in range(1, people):
        kept.create(number)
    seconds = time.process_time() - start
    gc.collect()
    print(json.dumps({"us": seconds / people * 1e6, "kb": (_resident() - memory) / people / 1024}))


def _resident() -> float:
    """Return the memory of this process in bytes."""
    with open("/proc/self/statm") as status:  # noqa: PTH123  # a kernel file
        return int(status.read().split()[1]) * resource.getpagesize()


def _serve(who: str, people: int, port: int) -> None:
    kept = {"ours": Ours, "theirs": Theirs, "floor": Floor}[who](people)
    token, prefix = getattr(kept, "headers", {}).get("authorization", ""), ""
    if isinstance(kept, Ours):
        app: Any = ScimApp(kept.service)
    elif isinstance(kept, Theirs):
        app, prefix = ASGIApplication(AsyncInMemoryStorage(kept.storage), load_default_provider()), "/v2"
    else:
        app = _bare(kept)
    told = {"port": port, "path": f"{prefix}/Users/{kept.ids[people // 2]}", "token": token}
    print(json.dumps(told), flush=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def _bare(users: Floor) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = users.get(scope["path"].rpartition("/")[2])
        headers = [(b"content-type", b"application/scim+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


if __name__ == "__main__":
    task, who, *numbers = sys.argv[1:]
    {"create": _create, "serve": _serve}[task](who, *map(int, numbers))
