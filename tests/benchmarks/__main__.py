"""`python -m tests.benchmarks [--quick] [--full] [--profile STEP]`: every step beside its peers, in one run.

CPU time of this process, the best of several interleaved repeats. Ratios are what counts; no test
asserts a time.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import math
import platform
import pstats
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.requests import Ours, Theirs, member_steps, request_steps
from tests.benchmarks.steps import Step, filter_steps, patch_steps, round_trip_steps


def measure(call: Callable[[], Any], calls: int) -> float:
    """Microseconds of CPU time a call."""
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1e6


def run(step: Step, repeats: int, share: float) -> tuple[float, float | None, float | None]:
    """The best of ours, the peer's and the floor's, measured in turns."""
    best: list[float] = [math.inf] * 3
    calls = max(2, int(step.calls * share))
    for _ in range(repeats):
        for place, (call, count) in enumerate(
            ((step.ours, calls), (step.peer, max(1, calls // 20)), (step.floor, calls * 3))
        ):
            if call is not None:
                gc.collect()
                best[place] = min(best[place], measure(call, count))
    ours, peer, floor = (value if math.isfinite(value) else None for value in best)
    assert ours is not None
    return ours, peer, floor


def all_steps(quick: bool) -> list[Step]:
    """Every step, over as many people as there is time for."""
    sizes = (200,) if quick else (1_000, 10_000)
    steps = [*filter_steps(), *patch_steps(), *round_trip_steps()]
    for people in sizes:
        peer, ours = Theirs(people), Ours(people)
        steps += request_steps(people, peer, ours)
        if people == sizes[-1]:
            steps += member_steps(ours, peer, (100,) if quick else (100, 10_000))
    if not quick:
        many = Ours(100_000)
        steps += [*request_steps(100_000, None, many), *member_steps(many, None, (100_000,))]
    return steps


def table(steps: list[Step], repeats: int, share: float) -> tuple[Table, int]:
    """The measurements as a table, and how many goals were missed."""
    shown = Table("step", "ours us", "peer us", "ratio", "goal", "met", "floor us", "x floor")
    missed, ratios = 0, {}
    for step in steps:
        ours, peer, floor = run(step, repeats, share)
        ratio = None if peer is None else peer / ours
        group = step.name.split(":")[0]
        if group.startswith("parse") and ratio is not None:
            ratios.setdefault(group, []).append((ours, peer, step))
            continue
        met = "" if ratio is None else "yes" if ratio >= step.goal else "NO"
        missed += met == "NO"
        shown.add_row(step.name, _number(ours), _number(peer), _number(ratio), f"{step.goal:g}x", met, _number(floor),
                      _number(None if floor is None else ours / floor))  # fmt: skip
    for group, each in ratios.items():
        ours, peer = (math.exp(sum(math.log(one[place]) for one in each) / len(each)) for place in (0, 1))
        goal, whose = each[0][2].goal, each[0][2].whose
        met = "yes" if peer / ours >= goal else "NO"
        missed += met == "NO"
        shown.add_row(f"{group}, {len(each)} filters, geometric mean ({whose})", _number(ours), _number(peer),
                      _number(peer / ours), f"{goal:g}x", met, "", "")  # fmt: skip
    return shown, missed


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def creates(console: Console, people: int = 100_000, their_people: int = 5_000) -> None:
    """CPU time and memory of creates, of that many users with us and fewer with the peer."""
    for kind, count in ((Ours, people), (Theirs, their_people)):
        kept = kind(1)
        gc.collect()
        memory, start = _resident(), time.process_time()
        for number in range(1, count):
            kept.create(number)
        seconds = time.process_time() - start
        gc.collect()
        each = (_resident() - memory) / count / 1024
        console.print(f"{kind.__name__}: {count:,} creates in {seconds:.1f} s CPU, {seconds / count * 1e6:.0f} us and "
                      f"{each:.2f} KB a user")  # fmt: skip
        del kept


def _resident() -> float:
    """Bytes of memory of this process."""
    with open("/proc/self/statm") as status:  # noqa: PTH123  # a kernel file
        return int(status.read().split()[1]) * resource.getpagesize()


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few people and few repeats, to see that it runs")
    parser.add_argument("--full", action="store_true", help="100,000 creates too, with their memory")
    parser.add_argument("--only", default="", help="only steps whose name has this text")
    parser.add_argument("--profile", action="store_true", help="the profile of our side of each step")
    options = parser.parse_args(arguments)
    console = Console(width=170)
    peers = ", ".join(f"{name} {version(name)}" for name in ("scim2-models", "scim2-server", "scim2-filter-parser"))
    console.print(f"Python {platform.python_version()}, {peers}")
    if options.full:
        creates(console)
    steps = [step for step in all_steps(options.quick) if options.only in step.name]
    if options.profile:
        for step in steps:
            profile = cProfile.Profile()
            profile.runcall(measure, step.ours, step.calls)
            console.print(step.name)
            pstats.Stats(profile).sort_stats("tottime").print_stats(15)
        return 0
    shown, missed = table(steps, 1 if options.quick else 5, 0.02 if options.quick else 1.0)
    console.print(shown)
    console.print("every goal is met" if not missed else f"{missed} goals are missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
