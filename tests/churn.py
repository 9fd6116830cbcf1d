"""A long run of all simulated identity providers against one service.

    python -m tests.churn --people 1000 --groups 50 --cycles 20 --store postgresql+psycopg://postgres@127.0.0.1/scim

Each provider has its own token, its own thread and its own part of one large directory; all share one tenant. In each
cycle, random events change the part of each provider, and the provider synchronizes and compares it. At the end, a
separate client reads all users and groups. They must be exactly those of the directories.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any, cast

import httpx

from scimkit.cli.stores import open_store
from scimkit.stores.sql import SqlStore
from scimkit.testing.directory import Directory
from scimkit.testing.directory_history import crowd, marked, random_history
from scimkit.testing.providers import PROVIDERS, Provider, provider
from scimkit.testing.report import explained
from scimkit.tokens import TokenRegistry

_PATIENCE = 60.0


@dataclass
class Part:
    """A provider with its part of the directory, and its progress."""

    name: str
    mark: str
    simulator: Provider
    cycles: list[list[Any]]
    done: int = 0
    seconds: float = 0.0

    @property
    def directory(self) -> Directory:
        return self.simulator.directory

    @property
    def requests(self) -> int:
        return len(self.simulator.report.steps)

    def run(self, on_cycle: Callable[[], None]) -> None:
        """Provision the whole part, then apply the events of each cycle and synchronize."""
        start = time.perf_counter()
        if self.simulator.test_connection():
            self.simulator.synchronize()
            for events in self.cycles:
                for event in events:
                    event.happen(self.directory)
                self.simulator.synchronize()
                self.done += 1
                on_cycle()
        self.seconds = time.perf_counter() - start


@dataclass
class Outcome:
    """The result of a run."""

    parts: list[Part]
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    users: int = 0
    groups: int = 0

    @property
    def requests(self) -> int:
        return sum(each.requests for each in self.parts)


@contextmanager
def served(store: str, workers: int) -> Iterator[str]:
    """Run `scimkit serve` in a separate process while the block runs, and yield the URL of its endpoint."""
    command = [sys.executable, "-m", "scimkit.cli", "serve", "--store", store, "--port", "0", "--workers", str(workers)]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, stdout=said, stderr=said, text=True) as process,
    ):
        try:
            yield _ready(process, said)
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _ready(process: subprocess.Popen[str], said: Any) -> str:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        said.seek(0)
        found = re.search(r"Ready: (\S+)", said.read())
        if found:
            return found[1]
        time.sleep(0.1)
    said.seek(0)
    raise RuntimeError(f"The server did not start: {said.read()[-1000:]}")


@contextmanager
def registry(url: str) -> Iterator[TokenRegistry]:
    """Yield the token registry of a store, and close the connections of the store at the end."""
    store, tokens = open_store(url)
    try:
        yield tokens
    finally:
        cast(SqlStore, store).engine.dispose()


def run(
    store: str, *, people: int, groups: int, cycles: int, events: int, seed: int = 1, workers: int = 1,
    on_cycle: Callable[[list[Part]], None] = lambda parts: None,
) -> Outcome:  # fmt: skip
    """Run all providers at the same time.

    Args:
        store: The URL of the store.
        people: The number of people in the directory.
        groups: The number of groups in the directory.
        cycles: The number of cycles of each provider.
        events: The number of events for each provider and cycle.
        seed: The seed of the random choices.
        workers: The number of server processes.
        on_cycle: Called after each cycle of a provider.
    """
    tenant = f"churn-{token_hex(4)}"
    with registry(store) as tokens, served(store, workers) as endpoint:
        parts: list[Part] = []
        for number, name in enumerate(PROVIDERS):
            mark = f"p{number}{token_hex(3)}"
            share = crowd(_share(people, number), _share(groups, number), seed=seed + number)
            life = random_history(seed + number, length=events * cycles, directory=share)[1]
            happening = [event.marked(mark) for event in life]
            token = tokens.issue(name, tenant=tenant).token
            simulator = provider(name, endpoint, token, marked(share, mark))
            parts.append(Part(name, mark, simulator, [happening[n * events : (n + 1) * events] for n in range(cycles)]))
        outcome, start = Outcome(parts), time.perf_counter()
        with ThreadPoolExecutor(len(parts)) as pool:
            for each in [pool.submit(part.run, lambda: on_cycle(parts)) for part in parts]:
                each.result()
        outcome.seconds = time.perf_counter() - start
        for part in parts:
            part.simulator.verify()
            part.simulator.close()
        users, groups = all_attributes(endpoint, tokens.issue("audit", tenant=tenant).token)
        outcome.users, outcome.groups = len(users), len(groups)
        outcome.wrong += differences(parts, users, groups)
        outcome.wrong += [
            f"{part.name}: {explained(step)}" for part in parts for step in part.simulator.report.failures
        ]
    return outcome


def _share(whole: int, number: int) -> int:
    """Return the share of one provider of a number of people or groups."""
    count = len(PROVIDERS)
    return whole // count + (number < whole % count)


def differences(parts: list[Part], users: list[Any], groups: list[Any]) -> list[str]:
    """Return the differences between the service and the directories: active users, groups and members."""
    wrong: list[str] = []
    names = {each["id"]: each["userName"] for each in users}
    unknown = {each["userName"] for each in users} | {each["displayName"] for each in groups}
    for part in parts:
        theirs = {each["userName"]: each for each in users if each["userName"].startswith(f"{part.mark}.")}
        working = {each.user_name for each in part.directory.people.values() if each.enabled}
        active = {name for name, each in theirs.items() if each.get("active") is True}
        if active != working:
            wrong.append(f"{part.name}: `active` differs from the directory for {active ^ working}")
        shown = {each["displayName"]: each for each in groups if part.mark in each["displayName"]}
        unknown -= theirs.keys() | shown.keys()
        for team in part.directory.teams.values():
            wanted = {part.directory.people[key].user_name for key in team.members} & theirs.keys()
            there = {names[each["value"]] for each in shown.pop(team.name, {}).get("members", ())}
            if there != wanted:
                wrong.append(f"{part.name}: {team.name} differs in the members {there ^ wanted}")
        if shown and part.name != "onelogin":  # OneLogin never deletes groups
            wrong.append(f"{part.name}: groups were not deleted: {sorted(shown)}")
    return [*wrong, *(f"not in any directory: {name}" for name in sorted(unknown))]


def all_attributes(endpoint: str, token: str, client: httpx.Client | None = None) -> tuple[list[Any], list[Any]]:
    """Return all users and all groups, read page by page."""
    found: list[list[Any]] = []
    with client or httpx.Client(timeout=_PATIENCE) as http:
        for kind in ("Users", "Groups"):
            resources: list[Any] = []
            total = 1
            while len(resources) < total:
                body = http.get(
                    f"{endpoint}/{kind}", params={"startIndex": len(resources) + 1, "count": 500},
                    headers={"Authorization": f"Bearer {token}"},
                ).json()  # fmt: skip
                total = body["totalResults"]
                resources += body["Resources"]
            found.append(resources)
    return found[0], found[1]


@contextmanager
def _progress(cycles: int) -> Iterator[Callable[[list[Part]], None]]:
    """Yield a function that shows the progress: a bar for each provider on a terminal, and lines elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    start, done = time.monotonic(), 0
    text = TextColumn("{task.fields[said]}")
    with Progress(
        TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), text, TimeElapsedColumn()
    ) as progress:
        bars = {name: progress.add_task(name, total=cycles, said="initial provisioning") for name in PROVIDERS}

        def on_cycle(parts: list[Part]) -> None:
            nonlocal done
            done += 1
            for part in parts:
                said = f"{part.requests:,} requests, {len(part.simulator.report.failures)} failed"
                progress.update(bars[part.name], completed=part.done, said=said)
            if not progress.console.is_terminal and done % len(parts) == 0:
                requests = sum(part.requests for part in parts)
                took = time.monotonic() - start
                progress.console.print(f"{done} of {cycles * len(parts)} cycles, {requests:,} requests, {took:,.0f} s")

        yield on_cycle


def main() -> int:
    """Run with a progress display. Return exit status 1 if there are differences."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--people", type=int, default=1000)
    options.add_argument("--groups", type=int, default=50)
    options.add_argument("--cycles", type=int, default=20)
    options.add_argument("--events", type=int, default=10, help="events for each provider in each cycle")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--workers", type=int, default=1, help="server processes")
    options.add_argument("--store", default=f"sqlite:///{Path(tempfile.mkdtemp()) / 'churn.db'}")
    asked = options.parse_args()
    if asked.people < 4 * len(PROVIDERS) or asked.groups < 2 * len(PROVIDERS):
        options.error(f"Give at least 4 people and 2 groups for each of the {len(PROVIDERS)} providers.")
    with _progress(asked.cycles) as on_cycle:
        outcome = run(
            asked.store, people=asked.people, groups=asked.groups, cycles=asked.cycles, events=asked.events,
            seed=asked.seed, workers=asked.workers, on_cycle=on_cycle,
        )  # fmt: skip
    said = [
        *outcome.wrong[:20],
        f"{outcome.requests:,} requests in {outcome.seconds:,.0f} s, {outcome.requests / outcome.seconds:,.0f} per s",
        f"{outcome.users:,} users and {outcome.groups} groups at the end, {len(outcome.wrong)} differences",
    ]
    sys.stdout.write("\n".join(said) + "\n")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
