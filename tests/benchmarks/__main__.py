"""`python -m tests.benchmarks [--quick] [--full] [--only STEP] [--profile [STEP]] [--markdown]`: measure requests.

With `--sql [URL]` or `--database NAME`, the requests go to a database over HTTP.

Each step is measured together with the same step of other libraries. A time is the CPU time of this process, the best
of several interleaved repeats. Compare ratios, not times; no test checks a time.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.benchmarks import profiles
from tests.benchmarks.clock import measured as measured_here
from tests.benchmarks.database import comparison
from tests.benchmarks.listeners import LOG_TITLE, STORES, TITLE, listener_steps
from tests.benchmarks.processes import created, served
from tests.benchmarks.requests import (
    BASE_URL,
    MEMBER,
    REQUESTS,
    STORE_STEPS,
    Ours,
    asked,
    our_calls,
    store_member_steps,
)
from tests.benchmarks.scimmy import VERSIONS, Scimmy, folder, node_version
from tests.benchmarks.sides import MeasuredProcess, RemoteCall, sides
from tests.benchmarks.steps import Step, filter_steps, patch_steps, round_trip_steps

MOST_PEOPLE: Final = 100_000
_GROWTH: Final = 1.5
"""The allowed ratio of the time of a request with the most users to the time with the fewest users."""


def run(step: Step, repeats: int, share: float, best: list[float]) -> None:
    """Measure a step of ours, of the peer, of the floor and of SCIMMY in turns, and keep the best times."""
    calls = _even(step.calls * share)
    for _ in range(repeats):
        for place, (call, count) in enumerate(
            (
                (step.ours, calls),
                (step.peer, _even(calls / 10)),
                (step.floor, calls * 3),
                (step.scimmy, _even(calls / 10)),
            )
        ):
            if isinstance(call, RemoteCall):
                best[place] = min(best[place], call.measure(count))
            elif call is not None:
                best[place] = min(best[place], measured_here(call, count))


def _even(calls: float) -> int:
    """Return an even number of calls, so that steps with alternating calls run each call equally often."""
    return max(2, 2 * round(calls / 2))


def all_steps(*, quick: bool, full: bool, only: str, node: Path | None = None) -> Iterator[list[Step]]:
    """Yield the steps whose name contains a text, in parts, with several numbers of users."""
    plain = [step for step in plain_steps() if only in step.name]
    yield plain
    if only and plain:
        return
    for people in (60,) if quick else (1_000, 10_000, MOST_PEOPLE):
        groups = (100,) if quick else (100, people - 1) if people == 10_000 else ()
        whose = ("ours", "floor") if people == MOST_PEOPLE else ("ours", "theirs", "floor")
        if any(only in name for name in request_names(people, groups)):
            with sides(whose, people, groups) as ready, scimmy_side(node, people) as scimmy:
                yield [step for step in request_steps(ready, people, groups, scimmy) if only in step.name]
    if any(only in title.format(name) for title in (TITLE, LOG_TITLE) for name in STORES):
        with listener_steps(10 if quick else 1_000) as steps:
            yield [step for step in steps if only in step.name]
    largest = (10, 100) if quick else (100, 10_000, 1_000_000) if full else (100, 10_000, 100_000)
    if any(only in title.format(size) for title in STORE_STEPS for size in largest):
        steps = [step for step in store_member_steps(largest) if only in step.name]
        gc.collect()
        gc.freeze()  # as in the process of a measured implementation
        yield steps
        gc.unfreeze()


@contextmanager
def scimmy_side(node: Path | None, people: int) -> Iterator[Scimmy | None]:
    """Yield a process of SCIMMY with users, or None without its modules or with the most users."""
    if node is None or people == MOST_PEOPLE:
        yield None
        return
    side = Scimmy(node, people, list(asked(people)), people // 2, BASE_URL)
    try:
        yield side
    finally:
        side.close()


def plain_steps() -> list[Step]:
    """Return the steps without a service: filters, PATCH, and reading and writing a user."""
    return [*filter_steps(), *patch_steps(), *round_trip_steps()]


def request_names(people: int, groups: Sequence[int]) -> list[str]:
    """Return the names of the request steps for a number of users, and of the member steps for some group sizes."""
    return [*(f"{title}, {people:,} users" for title in REQUESTS), *map(MEMBER.format, groups)]


def request_steps(
    ready: Mapping[str, MeasuredProcess], people: int, groups: Sequence[int], scimmy: Scimmy | None
) -> Iterator[Step]:
    """Yield the request steps of processes that are ready to be measured."""
    for name in request_names(people, groups):
        title = name.partition(", ")[0]
        goal, calls, floor_goal = REQUESTS.get(title, (1000 if title == MEMBER.format(people - 1) else None, 60, None))
        ours, theirs, floor = (each and each.call(title) for each in map(ready.get, ("ours", "theirs", "floor")))
        node = scimmy.call(title) if scimmy and title in REQUESTS else None
        yield Step(name, ours, theirs, floor, goal, "scim2-server", calls, floor_goal, node)


class Results:
    """The measurements as rows of text, and the number of missed goals."""

    def __init__(self) -> None:
        self.columns: tuple[str, ...] = (
            "step", "ours us", "peer us", "ratio", "goal", "met", "floor us", "x floor", "goal", "met",
            "SCIMMY us", "ratio",
        )  # fmt: skip
        self.rows: list[tuple[str, ...]] = []
        self.missed = 0

    def add(
        self, name: str, ours: float, peer: float | None, floor: float | None,
        goal: float | None, floor_goal: float | None = None, scimmy: float | None = None,
    ) -> None:  # fmt: skip
        """Add one row."""
        ratio = None if peer is None else peer / ours
        times = None if floor is None else ours / floor
        met = None if ratio is None or goal is None else ratio >= goal
        close = None if times is None or floor_goal is None else times <= floor_goal
        self.missed += (met is False) + (close is False)
        self.rows.append((
            name, _number(ours), _number(peer), _number(ratio),
            f"{goal:g}x" if goal and peer else "", _met(met), _number(floor), _number(times),
            f"{floor_goal:g}x" if floor_goal else "", _met(close),
            _number(scimmy), _number(None if scimmy is None else scimmy / ours),
        ))  # fmt: skip

    def show(self, console: Console) -> None:
        """Print the table on a terminal."""
        shown = Table(*self.columns)
        for row in self.rows:
            shown.add_row(*map(escape, row))
        console.print(shown)

    def markdown(self) -> str:
        """Return the table in Markdown, for the documentation."""
        rows = [self.columns, ("---",) * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def best_of(parts: Iterator[list[Step]], rounds: int, repeats: int, share: float) -> Iterator[tuple[Step, list[float]]]:
    """Yield each step with the best times of ours, of the peer, of the floor and of SCIMMY.

    Each part is measured in several rounds, because other work on the machine can outlast the repeats of one step.
    """
    for steps in parts:
        best = [[math.inf] * 4 for _ in steps]
        for _ in range(rounds):
            for step, its in zip(steps, best, strict=True):
                run(step, repeats, share, its)
        yield from zip(steps, best, strict=True)


def measured(parts: Iterator[list[Step]], rounds: int, repeats: int, share: float) -> Results:
    """Measure every step. The parse steps are combined into their geometric mean."""
    results, parsed = Results(), {}
    at_first: dict[str, float] = {}
    for step, best in best_of(parts, rounds, repeats, share):
        ours, (peer, floor, scimmy) = best[0], (each if math.isfinite(each) else None for each in best[1:])
        group = step.name.split(":")[0]
        if group.startswith("parse") and peer is not None:
            parsed.setdefault(group, []).append((ours, peer, step))
            continue
        results.add(step.name, ours, peer, floor, step.goal, step.floor_goal, scimmy)
        title, _, people = step.name.partition(", ")
        if people.endswith(" users"):
            fewest = at_first.setdefault(title, ours)
            if people == f"{MOST_PEOPLE:,} users":
                results.add(f"  beside the fewest users: {title}", ours, None, fewest, None, _GROWTH)
    means = {
        group: [math.exp(sum(math.log(one[place]) for one in each) / len(each)) for place in (0, 1)]
        for group, each in parsed.items()
    }
    fastest = min((peer for _, peer in means.values()), default=0.0)
    for group, (ours, peer) in means.items():
        step = parsed[group][0][2]
        goal = step.goal if peer == fastest else None  # the goal applies to the faster peer
        results.add(f"{group}, {len(parsed[group])} filters, geometric mean ({step.whose})", ours, peer, None, goal)
    return results


def _met(met: bool | None) -> str:
    return "" if met is None else "yes" if met else "no"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def add_processes(results: Results, people: int = 100_000, their_people: int = 10_000) -> None:
    """Add creates with their memory, and a GET through uvicorn.

    The peer creates fewer users, because its time for each user does not fall with their number.
    """
    ours, theirs = created("ours", people), created("theirs", their_people)
    results.add(f"create, each of {people:,} (peer: {their_people:,})", ours["us"], theirs["us"], None, 242 / 25)
    results.add("  KB of memory a user", ours["kb"], theirs["kb"], None, 10.6 / 4)
    for connections, goal in ((8, 10), (1, None)):
        gets = served(1_000, 5_000, connections)
        title = "GET through uvicorn, server CPU, " + (f"{connections} at once" if goal else "one at a time")
        results.add(title, gets["ours"], gets["theirs"], gets["floor"], goal)


def machine() -> str:
    """Return the name of the processor, the number of cores and the load of the machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def compare_databases(console: Console, options: argparse.Namespace) -> int:
    """Measure requests to a database, and print the results."""
    reason = comparison.missing(options.sql)
    if reason:
        console.print(f"Skipped: {reason}.")
        return 0
    console.print(f"Python {platform.python_version()}, SQLAlchemy {version('SQLAlchemy')}; {machine()}")
    people, seconds = (200, 1) if options.quick else (options.people, 4)
    figures = comparison.compared(options.sql, people, seconds, console.print)
    results = Results()
    results.columns = comparison.COLUMNS
    results.rows = comparison.rows(figures, people)
    if options.markdown:
        print(results.markdown())
    else:
        results.show(console)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks and print the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few users and few repeats, to check that it runs")
    parser.add_argument("--full", action="store_true", help="also 100,000 creates, uvicorn, and 1,000,000 members")
    parser.add_argument("--only", metavar="STEP", default="", help="only steps whose name contains this text")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown, for the documentation")
    parser.add_argument("--profile", metavar="STEP", nargs="?", const="", help="print a CPU profile of scimkit for "
                        "STEP, or for each request")  # fmt: skip
    parser.add_argument("--sql", metavar="URL", nargs="?", const="", help="only requests to a database, beside the "
                        "bare work and an application by hand; default: a PostgreSQL on this machine")  # fmt: skip
    parser.add_argument("--database", choices=comparison.URLS, help="as --sql, with a database on this machine")
    parser.add_argument("--people", type=int, default=MOST_PEOPLE, help="users of the largest tenant, for --sql")
    options = parser.parse_args(arguments)
    console = Console(width=190)
    if options.sql is not None or options.database is not None:
        options.sql = options.sql or comparison.URLS[options.database or "postgresql"]
        return compare_databases(console, options)
    peers = ", ".join(f"{name} {version(name)}" for name in ("scim2-models", "scim2-server", "scim2-filter-parser"))
    console.print(f"Python {platform.python_version()}, {peers}; {machine()}")
    if options.profile is not None:
        people = 200 if options.quick else 1_000
        calls = our_calls(Ours(people), people, (100,) if options.profile else ())
        alone = [*plain_steps(), *store_member_steps((100,))] if options.profile else []
        calls.update({step.name: step.ours for step in alone})
        for name, call in calls.items():
            if options.profile in name:
                profiles.show(console, name, call, 0.1 if options.quick else 2)
        return 0
    with folder(install=not options.quick) as (node, reason):
        named = ", ".join(f"{name} {number}" for name, number in VERSIONS.items())
        console.print(f"{named}, node {node_version()}" if node else f"Skipped: the columns of SCIMMY: {reason}.")
        steps = all_steps(quick=options.quick, full=options.full, only=options.only, node=node)
        if options.quick:
            gc.freeze()  # the objects of a test run are many, and each measurement collects garbage
            results = measured(steps, 1, 1, 0.02)
            gc.unfreeze()
        else:
            results = measured(steps, 5, 3, 1.0)
    if options.full and not options.only:
        add_processes(results)
    if options.markdown:
        print(results.markdown())
    else:
        results.show(console)
    console.print("Every goal is met." if not results.missed else f"{results.missed} goals are missed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
