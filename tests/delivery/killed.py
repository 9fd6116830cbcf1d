"""Writers and delivering workers that are killed with SIGKILL at random moments.

    python -m tests.delivery.killed --kills 100
    python -m tests.delivery.killed --kills 100 --database postgresql

Each writer changes shared users and a shared group through a service, and a listener undoes some writes. Each worker
appends the events that it delivers to a file. At the end, the delivered events of each resource must tell its history.
Each change begins with the value at which the previous one ended, and the last one ends with the stored value. A
missing event, an event of a write that was rolled back, or a wrong order breaks the history.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scimkit import GROUP, USER, Query, Scope
from scimkit.delivery import deliver
from scimkit.stores.sql import SqlStore
from tests.delivery.programs import LEASE, UNDONE, Provider, appending
from tests.programs import Program

USERS = 4
WRITERS = WORKERS = 2


@dataclass
class Trial:
    """Processes over one database, and the kills."""

    url: str
    tenant: str
    path: str
    running: list[tuple[str, Program]] = field(default_factory=list)

    def start(self, kind: str) -> None:
        """Start a writer or a worker, and wait until it is ready."""
        target = self.tenant if kind == "write" else self.path
        process = Program("tests.delivery.programs", kind, self.url, target)
        self.running.append((kind, process))
        assert process.stdout.readline() == b"ready\n"

    def kill(self) -> str:
        """Kill a random process and return its kind."""
        kind, process = self.running.pop(random.randrange(len(self.running)))
        process.kill()
        process.rest()
        return kind

    def run(self, kills: int) -> None:
        """Start all processes, and kill and replace one at a time. At the end, kill all."""
        try:
            for kind in ["write"] * WRITERS + ["work"] * WORKERS:
                self.start(kind)
            for _ in range(kills):
                time.sleep(random.uniform(0.02, 0.4))
                self.start(self.kill())
        finally:
            while self.running:
                self.kill()


def problems(store: SqlStore, tenant: str, path: Path) -> list[str]:
    """Deliver the rest, and return what is wrong with the delivered events."""
    assert store.outbox is not None
    while store.outbox.list("pending", limit=1):
        deliver(store.outbox, appending(str(path)), lease=LEASE, until_empty=True)
        time.sleep(0.1)
    histories: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        event = json.loads(line)
        history = histories[event["resourceId"]]
        if not history or history[-1]["id"] != event["id"]:  # a repeated delivery comes before the next event
            history.append(event)
    scope, found = Scope(tenant), []
    for resource_type in (USER, GROUP):
        stored = {each["id"]: each for each in store.search(scope, Query(resource_type, count=100_000)).documents}
        told = {id: each for id, each in histories.items() if each[0]["resourceType"] == resource_type.name}
        if stored.keys() - told.keys():
            found.append(f"{resource_type.name}: created without an event")
        for id, history in told.items():
            found += [f"{resource_type.name} {id}: {each}" for each in broken(history, stored.get(id))]
    return found


def broken(history: list[dict[str, Any]], stored: Any) -> list[str]:
    """Return where the events of a resource do not tell its history."""
    found = []
    if len({each["id"] for each in history}) != len(history):
        found.append("an event came again after a later one")
    if history[0]["type"] != "ResourceCreated":
        found.append("the first event is no creation")
    if (history[-1]["type"] == "ResourceDeleted") != (stored is None):
        found.append("the last event does not agree with the store")
    title, members = None, set[str]()
    for event in history:
        change = event["changes"].get("title") if event["type"] == "ResourceUpdated" else None
        if change is not None:
            if change["before"] != title:
                found.append("a change does not begin where the previous one ended")
            title = change["after"]
        if title == UNDONE:
            found.append("an undone write was delivered")
        if event["type"] == "MembersAdded":
            if members & set(event["members"]):
                found.append("a member was added twice")
            members |= set(event["members"])
        if event["type"] == "MembersRemoved":
            if not members >= set(event["members"]):
                found.append("a member was removed before it was added")
            members -= set(event["members"])
    if stored is not None:
        if stored.get("title") != title:
            found.append("the last title is not the stored one")
        if {each["value"] for each in stored.get("members", ())} != members:
            found.append("the members are not the stored ones")
    return found


def trial(store: SqlStore, url: str, kills: int, folder: Path) -> tuple[list[str], int]:
    """Run a trial on a database whose outbox is empty. Return the problems and the number of deliveries."""
    tenant = f"killed-{os.getpid()}-{os.urandom(4).hex()}"
    provider = Provider(url, tenant)
    for number in range(USERS):
        provider.send("POST", "/Users", {"schemas": [USER.schema], "userName": f"u{number}"})
    provider.send("POST", "/Groups", {"schemas": [GROUP.schema], "displayName": "team"})
    provider.store.engine.dispose()
    path = folder / f"{tenant}.jsonl"
    Trial(url, tenant, str(path)).run(kills)
    return problems(store, tenant, path), len(path.read_text("utf-8").splitlines())


def main() -> None:
    """Run the trial on each database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mysql"], action="append")
    options = parser.parse_args()

    from tests.stores.outboxes import own_url, sql_store

    for database in options.database or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory() as folder:
            found, count = trial(sql_store(database), own_url(database), options.kills, Path(folder))
        print(f"{database}: {options.kills} kills, {count} deliveries, {len(found)} problems", *found, sep="\n  ")
        if found:
            sys.exit(1)


if __name__ == "__main__":
    main()
