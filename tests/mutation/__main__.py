"""`python -m tests.mutation [--again] [--children N] [PATTERN ...]`: run mutmut and compare its survivors to the list.

The command works in the hidden folder `.mutation` and starts from scratch. With `--again`, it keeps the killed mutants
of unchanged functions and tries the others. A pattern such as `scimkit.filters.*` selects mutants.

The exit status is 0 if every mutant was killed or is listed in `survivors.toml`, and every listed mutant survives.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import get_module_from_key, orig_function_and_class_names_from_key
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.mutation.survivors import Mutant, explained, from_diff

TOP: Final = Path(__file__).parent.parent.parent
WORK: Final = TOP / ".mutation"
_KILLED: Final = frozenset({"killed", "timeout", "segfault"})
_NOT_RUN: Final = "not checked"
_NO_VERDICT: Final = 255
"""The exit code of a process that could not run its tests. mutmut counts such a process as a timeout."""


def prepare() -> None:
    """Create the working folder of mutmut, with links to the files that mutmut reads."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    for name in ("pyproject.toml", "src", "tests"):
        (WORK / name).symlink_to(TOP / name)


def run(children: int, names: list[str]) -> None:
    """Run mutmut on the named mutants or patterns. Without names, run it on all mutants that have no verdict."""
    mutmut = Path(sys.executable).with_name("mutmut")
    subprocess.run([mutmut, "run", "--max-children", str(children), *names], cwd=WORK, check=True)


def verdicts() -> Iterator[tuple[Path, str, str]]:
    """Yield the file, the name and the state of every mutant from the working folder of mutmut."""
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            yield path, name, "error" if code == _NO_VERDICT else status_by_exit_code[code]


def alive() -> dict[str, Mutant]:
    """Return the mutants that were tried and not killed, by their mutmut names."""
    with contextlib.chdir(WORK):
        return {
            name: from_diff(_function(name), get_diff_for_mutant(name, path=path))
            for path, name, state in verdicts()
            if state not in _KILLED and state != _NOT_RUN
        }


def _function(name: str) -> str:
    function, owner = orig_function_and_class_names_from_key(name)
    return ".".join(filter(None, (get_module_from_key(name), owner, function)))


def report(console: Console, *, all_attributes: bool) -> bool:
    """Print the counts and the differences from the list. Return True if there are no differences."""
    with contextlib.chdir(WORK):
        states = {name: state for _, name, state in verdicts() if state != _NOT_RUN}
    living, known = alive(), explained()
    table = Table("function", "was", "becomes", "problem")
    for name, mutant in living.items():
        if mutant not in known:
            table.add_row(*map(escape, (mutant.function, mutant.was, mutant.becomes)), f"{states[name]}: {name}")
    for mutant in known.keys() - living.values() if all_attributes else ():
        table.add_row(
            *map(escape, (mutant.function, mutant.was, mutant.becomes)), "listed, but killed or no longer generated"
        )
    if table.row_count:
        console.print(table)
    counts = Counter(states.values())
    killed = sum(counts[state] for state in _KILLED)
    listed = sum(mutant in known for mutant in living.values())
    console.print(f"{len(states)} mutants: {killed} killed, {len(living)} survived, of which {listed} are explained")
    return not table.row_count


def main() -> int:
    """Run mutmut, and print the counts and the mutants that are not explained."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Mutation-test filters, PATCH and schemas."
    )
    parser.add_argument("mutants", nargs="*", metavar="PATTERN", help="mutants to try (default: all)")
    parser.add_argument("--again", action="store_true", help="keep the killed mutants of unchanged functions")
    parser.add_argument("--children", type=int, default=2, help="number of parallel processes")
    options = parser.parse_args()
    os.nice(15)
    if not options.again:
        prepare()
    run(options.children, options.mutants)
    if options.again and not options.mutants and (living := list(alive())):
        run(options.children, living)
    return 0 if report(Console(soft_wrap=True), all_attributes=not options.mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
