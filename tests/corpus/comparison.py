"""Run other implementations on the corpus: `python -m tests.corpus compare [--markdown] [--wrong NAME]`.

npm installs the libraries of node in a temporary folder, as for the benchmarks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from scimkit.testing.corpus import VERSION, Case, Judged, cases, run
from tests.benchmarks.scimmy import folder
from tests.corpus.claims import (
    Claim,
    claims_everything,
    claims_filters_without_schema,
    claims_patch_without_schema,
)

_NODE: Final = Path(__file__).parent / "node"
_TIMEOUT: Final = 20.0


@dataclass(frozen=True)
class Peer:
    """An implementation, with its program for requests in RFC form and for requests that deviate."""

    name: str
    version: str
    program: tuple[str, ...]
    lenient: tuple[str, ...]
    claims: Claim = claims_everything


@dataclass
class Result:
    """The verdicts on a peer. A case that the peer does not claim to support is not asked."""

    peer: Peer
    judged: list[Judged]
    unclaimed: list[Case]

    def counts(self, clause: str | None) -> Counter[str]:
        """Return the number of each verdict in a clause, or in all of them. Deviations are left out."""
        found = Counter[str](each.verdict for each in self.judged if clause in (None, each.case.clause))
        found["unsupported"] += sum(clause in (None, each.clause) for each in self.unclaimed)
        return found


def peers(node: Path | None) -> Iterator[Peer]:
    """Yield each implementation. The libraries of node are left out if there is no folder with them."""
    python = sys.executable
    ours = (python, "-m", "scimkit.testing.corpus")
    yield Peer("scimkit", version("scimkit"), ours, (*ours, "tolerant"))
    for name, module in (("scim2-models", "models"), ("scim2-server", "server")):
        program = (python, "-m", f"tests.corpus.peers.{module}")
        yield Peer(name, version(name), program, (*program, "lenient"))
    if node is not None:
        versions = json.loads((_NODE / "package.json").read_text())["dependencies"]
        for name, script, claims in (
            ("scim-patch", "scim-patch.js", claims_patch_without_schema),
            ("SCIMMY", "scimmy.js", claims_filters_without_schema),
        ):
            program = ("node", str(node / script))
            yield Peer(name, versions[script.removesuffix(".js")], program, (*program, "lenient"), claims)


def measured(peer: Peer) -> tuple[Result, int]:
    """Return the verdicts on a peer, and the number of deviations that it serves as a lenient provider does."""
    scored = [each for each in cases() if not each.deviates]
    asked = [each for each in scored if peer.claims(each)]
    result = Result(peer, run(peer.program, asked, timeout=_TIMEOUT).judged,
                    [each for each in scored if not peer.claims(each)])  # fmt: skip
    deviations = run(peer.lenient, [each for each in cases() if each.deviates], timeout=_TIMEOUT)
    return result, sum(each.verdict == "passed" for each in deviations.judged)


def compare(arguments: Sequence[str]) -> None:
    """Run every implementation and print a table by clause, or the wrong answers of one implementation."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus compare")
    parser.add_argument("--markdown", action="store_true", help="print the table of the documentation")
    parser.add_argument("--wrong", metavar="NAME", help="print the wrong answers of one implementation as JSON lines")
    options = parser.parse_args(arguments)
    with folder(install=True, sources=_NODE) as (node, reason):
        if reason:
            sys.stderr.write(f"Without the libraries of node: {reason}\n")
        found = [measured(each) for each in peers(node) if options.wrong in (None, each.name)]
    if options.wrong:
        for result, _ in found:
            for each in result.judged:
                if each.verdict == "wrong":
                    sys.stdout.write(json.dumps([each.case.to_json(), each.answer], ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(table(found) if options.markdown else _plain(found)) + "\n")


def _plain(found: Sequence[tuple[Result, int]]) -> Iterator[str]:
    for result, served in found:
        counts = result.counts(None)
        yield f"{result.peer.name} {result.peer.version}: {dict(counts)}, {served} deviations served"


def table(found: Sequence[tuple[Result, int]]) -> Iterator[str]:
    """Yield the lines of a Markdown table: right answers of those that a peer claims to support, by clause."""
    scored = [each for each in cases() if not each.deviates]
    yield (
        f"| corpus {VERSION} | cases | " + " | ".join(f"{one.peer.name} {one.peer.version}" for one, _ in found) + " |"
    )
    yield "| --- | --- | " + " | ".join("---" for _ in found) + " |"
    for clause in sorted({each.clause for each in scored}):
        number = sum(each.clause == clause for each in scored)
        yield _row(clause, number, [_cell(one.counts(clause)) for one, _ in found])
    yield _row("**all**", len(scored), [_cell(one.counts(None)) for one, _ in found])
    yield _row("not supported", len(scored), [f"{one.counts(None)['unsupported']:,}" for one, _ in found])
    number = len(cases()) - len(scored)
    yield _row("deviations served, outside of the score", number, [str(served) for _, served in found])


def _row(title: str, number: int, cells: Sequence[str]) -> str:
    return f"| {title} | {number:,} | " + " | ".join(cells) + " |"


def _cell(counts: Counter[str]) -> str:
    asked = counts["passed"] + counts["wrong"]
    return "not supported" if not asked else f"{counts['passed']:,} of {asked:,}"
