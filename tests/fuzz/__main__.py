"""`python -m tests.fuzz TARGET [--seconds N] [--runs N] [--seed N]`: fuzz one way in with atheris.

Ends with status 0 when nothing was found. What was found is kept in the folder where it was started
and played again by `--input FILE`.
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
    """Fuzz until the time or the number of runs is up."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz one way in with atheris.")
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="the longest it may take")
    parser.add_argument("--runs", type=int, default=-1, help="inputs to try; without it as many as the time allows")
    parser.add_argument("--seed", type=int, default=0, help="the same seed and runs try the same inputs")
    parser.add_argument("--input", type=Path, help="a file to play instead")
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
