"""`python -m tests.mutation [--children N] [MUTANT ...]`: run mutmut and hold its survivors to the list.

Works in the hidden folder `.mutation`, and begins anew each time, since a changed test may kill what lived.
Ends with status 0 when every mutant was killed or stands in `survivors.toml`, and nothing stands there in vain.
A pattern such as `scimkit.filters.*` runs those mutants only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import get_module_from_key, orig_function_and_class_names_from_key
from rich.console import Console
from rich.table import Table

from tests.mutation.survivors import Mutant, explained, from_diff

TOP: Final = Path(__file__).parent.parent.parent
WORK: Final = TOP / ".mutation"
_KILLED: Final = frozenset({"killed", "timeout", "segfault"})
_NOT_RUN: Final = "not checked"
_NO_VERDICT: Final = 255
"""What a process ends with that could not run its tests; mutmut takes it for a timeout."""


def prepare() -> None:
    """Make the folder that mutmut works in: its `mutants`, beside links to what it reads."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    for name in ("pyproject.toml", "src", "tests"):
        (WORK / name).symlink_to(TOP / name)


def outcomes() -> tuple[Counter[str], dict[Mutant, str]]:
    """How many mutants came to what, and the mutants that live, each with what mutmut says of it."""
    counts: Counter[str] = Counter()
    living: dict[Mutant, str] = {}
    with contextlib.chdir(WORK):
        for path in walk_mutatable_files():
            data = SourceFileMutationData(path=path)
            data.load()
            for name, code in data.exit_code_by_key.items():
                status = "error" if code == _NO_VERDICT else status_by_exit_code[code]
                counts[status] += 1
                if status not in _KILLED and status != _NOT_RUN:
                    living[from_diff(_function(name), get_diff_for_mutant(name, path=path))] = status
    return counts, living


def _function(name: str) -> str:
    function, owner = orig_function_and_class_names_from_key(name)
    return ".".join(filter(None, (get_module_from_key(name), owner, function)))


def report(console: Console, living: dict[Mutant, str], *, everything: bool) -> bool:
    """Print what is not as the list says; true when nothing is."""
    known = explained()
    table = Table("function", "was", "becomes", "what is wrong")
    for mutant in sorted(living.keys() - known.keys()):
        table.add_row(mutant.function, mutant.was, mutant.becomes, living[mutant])
    if everything:
        for mutant in sorted(known.keys() - living.keys()):
            table.add_row(mutant.function, mutant.was, mutant.becomes, "explained, but killed or gone")
    if table.row_count:
        console.print(table, markup=False)
    return not table.row_count


def main() -> int:
    """Run mutmut, then print the counts and what no one has explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation-test the engine.")
    parser.add_argument("mutants", nargs="*", help="patterns of mutants to run; without them, all")
    parser.add_argument("--children", type=int, default=2, help="processes at once")
    options = parser.parse_args()
    os.nice(15)
    prepare()
    mutmut = Path(sys.executable).with_name("mutmut")
    subprocess.run([mutmut, "run", "--max-children", str(options.children), *options.mutants], cwd=WORK, check=True)
    counts, living = outcomes()
    console = Console(soft_wrap=True)
    passed = report(console, living, everything=not options.mutants)
    killed = sum(counts[status] for status in _KILLED)
    total = counts.total() - counts[_NOT_RUN]
    console.print(f"{total} mutants: {killed} killed, {total - killed} live; {len(explained())} are explained")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
