"""`python -m tests.memory [--requests N]`: measure the memory of a service.

The requests differ in filter, path and projection. The exit status is 1 if the process grows by more than 30 MB after
the first tenth of the requests.
"""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from scimkit import MemoryStore
from tests.client import Client

MOST: int = 30 * 1024 * 1024
"""The allowed growth of the process in bytes."""


def resident() -> int:
    """Return the memory of this process in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def send(client: Client, user: str, number: int) -> None:
    """Send a filter, a projection, a PATCH path and an unknown attribute that contain the number."""
    junk = f"{number:08}" * 25
    client.get(f'/Users?filter=userName eq "{junk}"&count=1')
    client.get(f"/Users/{user}?attributes=userName,{junk}")
    client.get(f"/Users?filter={junk} eq 1")
    client.patch(f"/Users/{user}", {"op": "remove", "path": f'emails[value eq "{junk}"]'})
    client.patch(f"/Users/{user}", {"op": "add", "path": junk, "value": "x"})


def growth(requests: int) -> int:
    """Return the growth of the process in bytes after the first tenth of the requests."""
    client = Client(MemoryStore())
    user = client.user("ada", emails=[{"value": "ada@example.org"}])
    rounds = max(requests // 5, 10)
    for number in range(rounds // 10):
        send(client, user, number)
    before = resident()
    for number in range(rounds // 10, rounds):
        send(client, user, number)
    return resident() - before


def main() -> int:
    """Run the requests, and print the growth."""
    parser = argparse.ArgumentParser(prog="python -m tests.memory", description="Measure the memory of a service.")
    parser.add_argument("--requests", type=int, default=100_000, help="requests to send")
    options = parser.parse_args()
    grown = growth(options.requests)
    sys.stdout.write(f"{options.requests} different requests: {grown / 1024 / 1024:+.1f} MB\n")
    return 1 if grown > MOST else 0


if __name__ == "__main__":
    raise SystemExit(main())
