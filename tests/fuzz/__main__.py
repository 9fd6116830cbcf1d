"""`python -m tests.fuzz TARGET [--seconds N] [--runs N] [--seed N]`: fuzz one target with atheris.

The exit status is 0 if no input breaks the target. An input that breaks the target is saved in the current folder. Run
the input again with `--input FILE`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["scimkit"]):
    from tests.fuzz.targets import TARGETS, seeds

CASES = Path(__file__).parent.parent / "dialects" / "cases.jsonl"


def main() -> None:
    """Fuzz until the time or the number of runs is used up."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz one target with atheris.")
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="maximum duration in seconds")
    parser.add_argument("--runs", type=int, default=-1, help="number of inputs to try (default: no limit)")
    parser.add_argument("--seed", type=int, default=0, help="random seed; the same seed and runs try the same inputs")
    parser.add_argument("--input", type=Path, help="a file to run as the only input")
    options = parser.parse_args()
    if options.input:
        TARGETS[options.target](options.input.read_bytes())
        return
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(seeds(options.target, CASES)):
            (Path(corpus) / f"{number:04}").write_bytes(data)
        flags = [f"-max_total_time={options.seconds}", f"-runs={options.runs}", f"-seed={options.seed}", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *flags, "-max_len=4096", "-timeout=10", corpus], TARGETS[options.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
