"""`python -m tests.memory [--requests N]`: send requests that differ in filter, path and projection, and measure.

Ends with status 1 if the process is more than 30 MB larger than after the first tenth of the requests.
"""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from scimkit import MemoryStore
from tests.client import Client

MOST: int = 30 * 1024 * 1024
"""Bytes that the process may grow by."""


def resident() -> int:
    """Return the bytes of memory that the process has."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def send(client: Client, user: str, number: int) -> None:
    """Send the requests of one number: a filter, a projection, a PATCH path and an unknown attribute."""
    junk = f"{number:08}" * 25
    client.get(f'/Users?filter=userName eq "{junk}"&count=1')
    client.get(f"/Users/{user}?attributes=userName,{junk}")
    client.get(f"/Users?filter={junk} eq 1")
    client.patch(f"/Users/{user}", {"op": "remove", "path": f'emails[value eq "{junk}"]'})
    client.patch(f"/Users/{user}", {"op": "add", "path": junk, "value": "x"})


def growth(requests: int) -> int:
    """Return by how many bytes the process grows after the first tenth of the requests."""
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
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.memory", description="Measure the memory of a service.")
    parser.add_argument("--requests", type=int, default=100_000, help="requests to send")
    options = parser.parse_args()
    grown = growth(options.requests)
    sys.stdout.write(f"{options.requests} different requests: {grown / 1024 / 1024:+.1f} MB\n")
    return 1 if grown > MOST else 0


if __name__ == "__main__":
    raise SystemExit(main())
