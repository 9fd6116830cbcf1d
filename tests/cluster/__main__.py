"""`python -m tests.cluster [--seconds N] [--kills N]`: test a cluster whose nodes are killed while processes write.

Print the events and a summary. The exit status is 1 if an acknowledged write is lost or the data is inconsistent.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from scimkit.stores.sql import SqlStore
from tests.client import GROUP
from tests.cluster.checks import differences, losses
from tests.cluster.nodes import Cluster, missing
from tests.cluster.writer import sender
from tests.scale.served import serving, token
from tests.stores.test_killed import inconsistencies

_TENANT = "cluster"
_start = time.monotonic()


def say(text: str) -> None:
    """Print a line with the seconds since the start."""
    print(f"{time.monotonic() - _start:6.1f} s  {text}", flush=True)


def main() -> None:
    """Run the test."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster")
    parser.add_argument(
        "--seconds", type=int, default=15, help="seconds of writing before each kill and after the last"
    )
    parser.add_argument("--kills", type=int, default=2, help="number of kills of a node")
    options = parser.parse_args()
    if missing():
        raise SystemExit(f"a cluster needs {', '.join(missing())}: apt-get install mariadb-server galera-4 rsync")
    with tempfile.TemporaryDirectory(prefix="scimkit-cluster-") as folder:
        cluster = Cluster(Path(folder))
        try:
            say("starting three nodes")
            cluster.start()
            problems = story(cluster, Path(folder), options.seconds, options.kills)
        finally:
            cluster.stop()
    for each in problems[:20]:
        say(f"WRONG: {each}")
    say("no write is lost, all nodes are consistent" if not problems else f"{len(problems)} problems")
    raise SystemExit(1 if problems else 0)


def story(cluster: Cluster, folder: Path, seconds: int, kills: int) -> list[str]:
    """Migrate, write at all nodes, kill nodes, and return the problems that the checks find."""
    migrate(cluster)
    secret = token(cluster.nodes[0].url, _TENANT)
    send = sender(cluster.nodes[1].url, secret)
    groups = [send("POST", "/Groups", {"schemas": [GROUP], "displayName": f"g{each}"})[1]["id"] for each in range(3)]
    with ExitStack() as stack:
        endpoints = [stack.enter_context(serving(each.url, 2)).endpoint for each in cluster.nodes]
        say("scimkit serve --workers 2 runs at each node")
        ledgers, writers = [], []
        for way, urls in (("store", [each.url for each in cluster.nodes]), ("http", endpoints)):
            for number in range(3):
                ledger = folder / f"{way}{number}.jsonl"
                turned = urls[number:] + urls[:number]
                writers.append(stack.enter_context(writing(f"{way}{number}", secret, groups, turned, ledger)))
                ledgers.append(ledger)
        say("six processes with three threads each write, three through the store and three over HTTP")
        for number in range(kills):
            time.sleep(seconds)
            node = cluster.nodes[1 + number % 2]
            say(f"{node.name} is killed with SIGKILL")
            node.kill()
            time.sleep(seconds / 3)
            cluster.rejoin(node)
            say(f"{node.name} has joined the cluster again")
        time.sleep(seconds)
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("end\n")
            writer.stdin.flush()
        say("the writers end")
    told = [json.loads(line) for ledger in ledgers for line in ledger.read_text().splitlines()]
    told.sort(key=lambda each: each["at"])
    summary(told)
    return verified(cluster, told)


def migrate(cluster: Cluster) -> None:
    """Run several migrations at all nodes at the same time."""
    command = [sys.executable, "-m", "scimkit.cli", "migrate", "--store"]
    runs = [
        subprocess.Popen([*command, node.url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for node in cluster.nodes for _ in range(2)
    ]  # fmt: skip
    for run in runs:
        output = run.communicate()[0]
        if run.returncode:
            raise RuntimeError(f"A migration failed: {output}")
    say("six processes migrated three nodes at the same time")


@contextmanager
def writing(
    name: str, secret: str, groups: list[str], urls: list[str], ledger: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a writer process while the block runs. Its requests and responses are written to the file `ledger`."""
    command = [sys.executable, "-m", "tests.cluster.writer", name, secret, ",".join(groups), *urls]
    with ledger.open("w") as file:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file, text=True)
        try:
            yield process
        finally:
            process.communicate(timeout=120)


def summary(told: list[dict[str, Any]]) -> None:
    """Print the number of requests by kind and status."""
    for what in ("create", "race", "join", "change", "delete"):
        statuses = Counter(each["status"] for each in told if each["what"] == what)
        counts = [f"{count:,} x {status or 'no answer'}" for status, count in sorted(statuses.items())]
        say(f"{what:>7}: {', '.join(counts)}")


def verified(cluster: Cluster, told: list[dict[str, Any]]) -> list[str]:
    """Return the problems: lost writes, inconsistencies within a node, and differences between nodes."""
    problems = [f"status {each['status']}: {each}" for each in told if each["status"] in (400, 401, 404, 500)]
    for node in cluster.nodes:
        store = SqlStore(node.url, upgrade=False)
        with store.engine.connect() as connection:
            problems += [f"{node.name}: {each}" for each in inconsistencies(connection, _TENANT)]
            problems += [f"{node.name}: {each}" for each in losses(connection, _TENANT, told)]
    problems += differences([SqlStore(node.url, upgrade=False).engine for node in cluster.nodes])
    say("every node was compared with the acknowledged writes and with the other nodes")
    return problems


if __name__ == "__main__":
    main()
