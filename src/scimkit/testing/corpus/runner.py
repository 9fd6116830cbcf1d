"""A runner that asks a command the questions of the corpus, and a report by clause.

The runner writes one JSON object in a line to the standard input of the command. The command answers with one line on
its standard output. The first line has the schemas, and needs no answer.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Thread
from typing import Any, Final

from scimkit.testing.corpus.cases import VERSION, Case, schema_documents
from scimkit.testing.corpus.verdicts import Verdict, judge

TIMEOUT: Final = 5.0
"""The default number of seconds that a command has for an answer."""

START_TIMEOUT: Final = 30.0
"""The number of seconds for the first answer of a process, which includes its start."""

MAX_FAILURES: Final = 5
"""The number of questions in a row without an answer after which the runner stops.

If the first question has no answer, the runner stops at once.
"""

_MAX_LINE: Final = 1_000_000
"""Maximum length in characters of an answer."""

_MAX_WAITING: Final = 100
"""Maximum number of lines that a command may write without being asked."""


class CommandError(Exception):
    """The command cannot be started, or it gives no answers."""


@dataclass(frozen=True)
class Judged:
    """A case with the answer of the command and the verdict."""

    case: Case
    answer: Mapping[str, Any]
    verdict: Verdict


@dataclass
class Report:
    """The verdicts on all answers of a command."""

    judged: list[Judged] = field(default_factory=list)

    @property
    def scored(self) -> list[Judged]:
        """The verdicts that count: those of requests in RFC form."""
        return [each for each in self.judged if not each.case.deviates]

    @property
    def deviations(self) -> list[Judged]:
        """The verdicts on requests of identity providers that deviate from the RFC."""
        return [each for each in self.judged if each.case.deviates]

    @property
    def wrong(self) -> list[Judged]:
        """The wrong answers that count."""
        return [each for each in self.scored if each.verdict == "wrong"]

    def by_clause(self) -> dict[str, Counter[Verdict]]:
        """Return the number of each verdict that counts, by clause in the order of the clauses' names."""
        counts: dict[str, Counter[Verdict]] = {}
        for each in sorted(self.scored, key=lambda one: one.case.clause):
            counts.setdefault(each.case.clause, Counter())[each.verdict] += 1
        return counts


def run(command: Sequence[str], cases: Iterable[Case], *, timeout: float = TIMEOUT) -> Report:
    """Ask a command each case, and return the report.

    A command that gives no answer in time is stopped and started again for the next case.

    Args:
        command: The program and its arguments.
        cases: The cases, such as those of `scimkit.testing.corpus.cases`.
        timeout: The number of seconds for each answer. The first answer of a process has 30 seconds at least.

    Raises:
        CommandError: The command cannot be started, or gives no answer to the first question or to five in a row.
    """
    report, failures = Report(), 0
    process = _Process(command, timeout)
    try:
        for case in cases:
            answer = process.ask(case.question())
            failures = failures + 1 if "failure" in answer else 0
            report.judged.append(Judged(case, answer, judge(case, answer)))
            if failures and failures == min(MAX_FAILURES, len(report.judged)):
                raise CommandError(f"The command gave no answer to {failures} questions in a row: {answer['failure']}.")
    finally:
        process.stop()
    return report


class _Process:
    """A process of the command. It is started at the first question, and again after a failure."""

    def __init__(self, command: Sequence[str], timeout: float) -> None:
        self._command = list(command)
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None
        self._lines: Queue[str | None] = Queue()
        self._answered = False

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a question, or an object with `failure` if there is none."""
        if self._process is None:
            self._start()
        if not self._send(question):
            return self._failed("the command ended")
        wait = self._timeout if self._answered else max(self._timeout, START_TIMEOUT)
        try:
            line = self._lines.get(timeout=wait)
        except Empty:
            return self._failed(f"no answer in {wait:g} seconds")
        if line is None:
            return self._failed("the command ended")
        self._answered = True
        return self._read(line, question["id"])

    def _read(self, line: str, id: str) -> dict[str, Any]:
        """Return the answer in a line. An answer to another question stops the process."""
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            return self._failed("the answer is not JSON")
        if not isinstance(answer, dict) or answer.get("id") != id:
            return self._failed("the answer does not have the id of the question")
        return answer

    def _failed(self, reason: str) -> dict[str, Any]:
        self.stop()
        return {"failure": reason}

    def _start(self) -> None:
        try:
            process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
            )
        except OSError:
            raise CommandError("The command cannot be started. Check the name of the program.") from None
        self._process, self._lines, self._answered = process, Queue(), False
        Thread(target=_read_lines, args=(process, self._lines), daemon=True).start()
        self._send({"kind": "schemas", "version": VERSION, "schemas": dict(schema_documents())})

    def _send(self, message: Mapping[str, Any]) -> bool:
        """Write a line, and report whether the process is still reading."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message, ensure_ascii=False) + "\n")
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Close the input of the process, and kill the process if it does not end."""
        process, self._process = self._process, None
        if process is None:
            return
        _close_input(process)
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _close_input(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()


def _read_lines(process: subprocess.Popen[str], lines: Queue[str | None]) -> None:
    """Put each line of the output into the queue, and None at the end. Stop if nobody asked for so many lines."""
    assert process.stdout is not None
    with process.stdout as output:
        while lines.qsize() < _MAX_WAITING and (line := output.readline(_MAX_LINE)):
            lines.put(line)
    lines.put(None)
