"""What a simulator reports: each request of the story, and what the provider makes of the answer.

This module never sends. A token is in no report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from scimkit.testing.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with an answer: why it matters, how to mend it, what was expected instead.

    `about` has each difference of a comparison, so that two findings about the same attributes can be told once.
    """

    reason: str
    fix: str | None = None
    expected: Any = None
    about: frozenset[str] = frozenset()


Rule: TypeAlias = Callable[[Exchange], Finding | str | None]
"""Judges an answer: None when it is sound. A text is a finding that says how to mend it by itself."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the story. `reason` says what the provider would make of a failure."""

    title: str
    exchange: Exchange
    reason: str | None = None
    fix: str | None = None
    expected: Any = None
    about: frozenset[str] = frozenset()

    @property
    def passed(self) -> bool:
        return self.reason is None

    @property
    def request(self) -> str:
        return self.exchange.request

    @property
    def status(self) -> int:
        return self.exchange.status

    @property
    def seconds(self) -> float:
        return self.exchange.seconds


OnStep: TypeAlias = Callable[[Step], None]


@dataclass(slots=True)
class Report:
    """The steps so far. `not_compared` names the attributes that were left out of every comparison."""

    steps: list[Step] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0
    not_compared: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there was a step and none failed."""
        return bool(self.steps) and all(step.passed for step in self.steps)

    @property
    def failures(self) -> list[Step]:
        return [step for step in self.steps if not step.passed]


def judged(title: str, exchange: Exchange, rules: Iterable[Rule]) -> Step:
    """The step of an exchange: the first rule that finds something says what."""
    for rule in rules:
        found = rule(exchange)
        if found is not None:
            finding = found if isinstance(found, Finding) else Finding(found)
            return Step(title, exchange, finding.reason, finding.fix, finding.expected, finding.about)
    return Step(title, exchange)


def distinct(steps: Iterable[Step]) -> list[tuple[Step, int]]:
    """Return the failed steps without those that say what another one says, each with how many say it.

    Comparisons that differ in the same attributes, or in fewer, say the same.
    """
    compared: dict[frozenset[str], list[Step]] = {}
    others: dict[tuple[str, str | None], list[Step]] = {}
    for step in steps:
        if step.about:
            compared.setdefault(step.about, []).append(step)
        else:
            others.setdefault((step.title.split(" ")[0], step.fix or step.reason), []).append(step)
    told: dict[frozenset[str], list[Step]] = {}
    known: frozenset[str] = frozenset()
    for about in sorted(compared, key=len, reverse=True):
        if about <= known:
            next(same for wider, same in told.items() if not about.isdisjoint(wider)).extend(compared[about])
        else:
            told[about], known = list(compared[about]), known | about
    return [(same[0], len(same)) for same in (*others.values(), *told.values())]


def explained(step: Step) -> str:
    """A finding in words."""
    lines = [f"{step.title}: {step.request} -> {step.status}", f"  why: {step.reason}"]
    if step.fix:
        lines.append(f"  fix: {step.fix}")
    if step.expected is not None:
        lines.append(f"  expected: {step.expected}")
    lines += [f"  sent: {step.exchange.sent}", f"  received: {step.exchange.received}"]
    return "\n".join(lines)
