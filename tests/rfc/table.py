"""A command that prints docs/reference/rfc.md: the clauses, and the tests that are marked with them.

Markers are read from the source text of the tests, so that no test is imported:

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
    "8417": "RFC 8417: security event tokens",
    "8935": "RFC 8935: push delivery of security event tokens",
    "8936": "RFC 8936: poll delivery of security event tokens",
    "9068": "RFC 9068: JWT access tokens",
    "9865": "RFC 9865: cursor pagination",
    "9967": "RFC 9967: security events of SCIM",
    "roles": "draft-ietf-scim-roles-entitlements-01: roles and entitlements",
    "agents": "draft-abbey-scim-agent-extension-00: agents",
}

OPENING = """# RFC clauses

This page lists the clauses of the RFCs that apply to a SCIM service provider. For each clause it states what scimkit
does, and which tests verify it. Clauses for clients only are left out. If the default dialect `tolerant` differs from
`strict`, the row names the [quirk](quirks.md). A row without a test gives the reason, such as "not met" or
"not checked". The last two tables have clauses of drafts.

`python -m tests.rfc.table` prints this page from `tests/rfc/clauses.json` and the `rfc` markers of the tests. A test
fails if the page is out of date. A clause id has the RFC, the section, and a number that scimkit assigns. The
clauses are paraphrased. SHALL and REQUIRED are listed as MUST, RECOMMENDED as SHOULD, and OPTIONAL as MAY. The level
`text` marks a clause that the RFC states without a key word.

The rows were compared with the published texts of RFC 7643, RFC 7644 and RFC 9865, section by section.
Of RFC 9068, the clauses for resource servers are listed; its published text was not available in full. RFC 9967 was
read as draft-ietf-scim-events-16, the last draft. RFC 8417, RFC 8935 and RFC 8936 were read in excerpts. All three
verified errata of RFC 7644 were read (6893, 7898, 7916). Six of the sixteen verified errata of RFC 7643 were read
(5368, 5607, 5990, 5991, 7522, 8417). The other ten were not available.

Agents follow draft-wzdk-scim-agent-resource-00, of which only quotations in other texts were available. The table of
agents has the clauses of draft-abbey-scim-agent-extension-00, from which that draft came; a third of its text was read.
"""

HEADER = "| clause | level | requirement | scimkit | tests |\n| --- | --- | --- | --- | --- |"


def collect() -> dict[str, list[str]]:
    """Return the tests of each clause id as `file::test`, in the order of the files."""
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
    """Return the text of the page."""
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
