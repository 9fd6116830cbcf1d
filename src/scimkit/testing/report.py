"""The report of a simulator: each request, its response, and the finding if the response is wrong.

This module sends no requests. A report contains no token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from scimkit.testing.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding about a wrong response.

    Attributes:
        reason: What is wrong, and why the identity provider needs another response.
        fix: What to change in the service.
        expected: The expected values, by name.
        about: Each difference of a comparison. Findings with the same differences are reported once.
    """

    reason: str
    fix: str | None = None
    expected: Any = None
    about: frozenset[str] = frozenset()


Rule: TypeAlias = Callable[[Exchange], Finding | str | None]
"""A function that judges a response. It returns None if the response is right.

A rule that returns a string returns a reason that also says what to change.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A request with its response. `reason` is None if the response is right."""

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
        """Report whether there is at least one step, and no step failed."""
        return bool(self.steps) and all(step.passed for step in self.steps)

    @property
    def failures(self) -> list[Step]:
        return [step for step in self.steps if not step.passed]


def judged(title: str, exchange: Exchange, rules: Iterable[Rule]) -> Step:
    """Return the step of an exchange, with the finding of the first rule that finds something."""
    for rule in rules:
        found = rule(exchange)
        if found is not None:
            finding = found if isinstance(found, Finding) else Finding(found)
            return Step(title, exchange, finding.reason, finding.fix, finding.expected, finding.about)
    return Step(title, exchange)


def distinct(steps: Iterable[Step]) -> list[tuple[Step, int]]:
    """Return the failed steps without repetitions.

    Two comparisons repeat each other if one differs in the same attributes as the other, or in fewer.

    Returns:
        One step of each kind, with the number of steps of that kind.
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
    """Return a failed step as text, with the reason, the fix, the request body and the response body."""
    lines = [f"{step.title}: {step.request} -> {step.status}", f"  why: {step.reason}"]
    if step.fix:
        lines.append(f"  fix: {step.fix}")
    if step.expected is not None:
        lines.append(f"  expected: {step.expected}")
    lines += [f"  sent: {step.exchange.sent}", f"  received: {step.exchange.received}"]
    return "\n".join(lines)
