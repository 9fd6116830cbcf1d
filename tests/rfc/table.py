"""Prints docs/reference/rfc.md: the clauses, and the tests that are marked with them.

Markers are read from the text of the tests, so that nothing is run:

    python -m tests.rfc.table > docs/reference/rfc.md
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.rfc.clauses import Clause, read_clauses

TESTS = Path(__file__).parents[1]

TITLES = {
    "7643": "RFC 7643: core schema",
    "7644": "RFC 7644: protocol",
    "9865": "RFC 9865: cursor pagination",
}

OPENING = """# RFC clauses

What the RFCs ask of a SCIM service provider, what scimkit does, and the tests that show it. Clauses for clients only
are left out. Where the default dialect `tolerant` differs from `strict`, the [quirk](quirks.md) is named. A row
without a test says why, "not met" and "not checked" included.

Printed by `python -m tests.rfc.table` from `tests/rfc/clauses.json` and the `rfc` markers of the tests; a test holds
this page to it. A clause id is the RFC, the section, and a number of ours. The clauses are in our words. SHALL and
REQUIRED stand as MUST, RECOMMENDED as SHOULD, OPTIONAL as MAY; `text` is what the RFC says without a key word.

The rows were held against the published texts of RFC 7643, RFC 7644 and RFC 9865, section by section. Of the errata,
all three verified ones of RFC 7644 (6893, 7898, 7916) were read, and six of the sixteen verified ones of RFC 7643
(5368, 5607, 5990, 5991, 7522, 8417); the other ten could not be had.
"""

HEADER = "| clause | level | what it asks | scimkit | tests |\n| --- | --- | --- | --- | --- |"


def collect() -> dict[str, list[str]]:
    """The tests of each clause id that a marker names, as `file::test`, in order of the files."""
    tests: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, ids in _marked(ast.parse(path.read_text("utf-8")).body, ""):
            for each in ids:
                tests.setdefault(each, []).append(f"{path.relative_to(TESTS).as_posix()}::{name}")
    return tests


def _marked(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, list[str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            ids = [each for mark in node.decorator_list for each in _ids(mark)]
            if ids:
                yield prefix + node.name, ids
        if isinstance(node, ast.ClassDef):
            yield from _marked(node.body, f"{node.name}::")


def _ids(decorator: ast.expr) -> list[str]:
    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.rfc":
        return [str(ast.literal_eval(each)) for each in decorator.args]
    return []


def page() -> str:
    """The whole page."""
    tests = collect()
    parts = [OPENING]
    for rfc, clauses in groupby(read_clauses().values(), key=lambda each: each.rfc):
        rows = [_row(each, tests.get(each.id, [])) for each in clauses]
        parts.append("\n".join([f"## {TITLES[rfc]}\n", HEADER, *rows, ""]))
    return "\n".join(parts)


def _row(clause: Clause, tests: list[str]) -> str:
    shown = "<br>".join(f"`{each}`" for each in tests)
    if not tests:
        shown = f"no test: {clause.untested}" if clause.untested else "no test"
    return f"| {clause.id} | {clause.level} | {clause.text} | {clause.ours} | {shown} |"


if __name__ == "__main__":
    sys.stdout.write(page())
