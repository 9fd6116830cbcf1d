"""`python -m tests.mutation [--again] [--children N] [PATTERN ...]`: run mutmut, and hold its survivors to the list.

Works in the hidden folder `.mutation` and begins anew each time; `--again` keeps what was killed in functions
that did not change since, and tries the rest. A pattern such as `scimkit.filters.*` tries those mutants only.
Ends with status 0 when every mutant was killed or stands in `survivors.toml`, and none stands there in vain.
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
"""What a process ends with that could not run its tests; mutmut takes it for a timeout."""


def prepare() -> None:
    """Make the folder that mutmut works in: its `mutants`, beside links to what it reads."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    for name in ("pyproject.toml", "src", "tests"):
        (WORK / name).symlink_to(TOP / name)


def run(children: int, names: list[str]) -> None:
    """Let mutmut try the mutants of those names or patterns, without any all that it has no verdict of."""
    mutmut = Path(sys.executable).with_name("mutmut")
    subprocess.run([mutmut, "run", "--max-children", str(children), *names], cwd=WORK, check=True)


def verdicts() -> Iterator[tuple[Path, str, str]]:
    """The file, the name and the state of every mutant, as mutmut left them in the working folder."""
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            yield path, name, "error" if code == _NO_VERDICT else status_by_exit_code[code]


def alive() -> dict[str, Mutant]:
    """The mutants that were tried and not killed, by the name that mutmut has for them."""
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
    """Print the counts, and what is not as the list says; true when nothing is."""
    with contextlib.chdir(WORK):
        states = {name: state for _, name, state in verdicts() if state != _NOT_RUN}
    living, known = alive(), explained()
    table = Table("function", "was", "becomes", "what is wrong")
    for name, mutant in living.items():
        if mutant not in known:
            table.add_row(*map(escape, (mutant.function, mutant.was, mutant.becomes)), f"{states[name]}: {name}")
    for mutant in known.keys() - living.values() if all_attributes else ():
        table.add_row(*map(escape, (mutant.function, mutant.was, mutant.becomes)), "explained, but killed or gone")
    if table.row_count:
        console.print(table)
    counts = Counter(states.values())
    killed = sum(counts[state] for state in _KILLED)
    told = sum(mutant in known for mutant in living.values())
    console.print(f"{len(states)} mutants: {killed} killed, {len(living)} live, of which {told} are explained")
    return not table.row_count


def main() -> int:
    """Run mutmut, then print the counts and what no one has explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation-test the engine.")
    parser.add_argument("mutants", nargs="*", metavar="PATTERN", help="mutants to try; without one, all")
    parser.add_argument("--again", action="store_true", help="keep what was killed before in functions that stay")
    parser.add_argument("--children", type=int, default=2, help="processes at once")
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
