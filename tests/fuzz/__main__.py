"""`python -m tests.fuzz TARGET ... [--seconds N] [--runs N] [--seed N]`: fuzz targets with atheris.

The command prints each target with its exit status, and ends with the status 0 if no input breaks a target. An input
that breaks a target is saved in the current folder. Run the input again with `--input FILE`.

Each target has a process of its own, because atheris fuzzes one target in a process. The processes share the
instrumented modules: to import them takes most of the time of a short run.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["scimkit"]):
    from tests.fuzz.targets import TARGETS, seeds

CASES = Path(__file__).parent.parent / "dialects" / "cases.jsonl"


def main() -> None:
    """Fuzz each target until the time or the number of runs is used up."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz targets with atheris.")
    parser.add_argument("targets", choices=sorted(TARGETS), nargs="+", metavar="target", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="maximum duration for a target, in seconds")
    parser.add_argument("--runs", type=int, default=-1, help="number of inputs to try (default: no limit)")
    parser.add_argument("--seed", type=int, default=0, help="random seed; the same seed and runs try the same inputs")
    parser.add_argument("--input", type=Path, help="a file to run as the only input")
    options = parser.parse_args()
    statuses = [_run(each, options) for each in options.targets]
    sys.exit(0 if not any(statuses) else 1)


def _run(target: str, options: argparse.Namespace) -> int:
    """Fuzz a target in a process of its own, print its exit status, and return the status."""
    with tempfile.TemporaryDirectory() as corpus:
        child = os.fork()
        if child == 0:
            _fuzz(target, options, Path(corpus))
            sys.exit()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(target, status, flush=True)  # noqa: T201  # the test reads it
    return status


def _fuzz(target: str, options: argparse.Namespace, corpus: Path) -> None:
    """Fuzz a target, or run its only input."""
    if options.input:
        TARGETS[target](options.input.read_bytes())
        return
    for number, data in enumerate(seeds(target, CASES)):
        (corpus / f"{number:04}").write_bytes(data)
    flags = [f"-max_total_time={options.seconds}", f"-runs={options.runs}", f"-seed={options.seed}", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *flags, "-max_len=4096", "-timeout=10", str(corpus)], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
