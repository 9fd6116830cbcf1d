"""Building the distributions from the files that git tracks, and reading their contents."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[2]
EPOCH: Final = "1767225600"
"""The SOURCE_DATE_EPOCH of the builds."""


@dataclass(frozen=True, slots=True)
class Distributions:
    """A wheel and a source distribution."""

    wheel: Path
    sdist: Path

    def wheel_files(self) -> set[str]:
        """Return the paths of the files in the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    def sdist_files(self) -> set[str]:
        """Return the paths of the files in the source distribution, below its folder."""
        with tarfile.open(self.sdist) as archive:
            return {each.name.partition("/")[2] for each in archive if each.isfile()}


def tracked_files() -> list[str]:
    """Return the paths of the files that git tracks. Without a repository, these are all files that git would track."""
    if (TOP / ".git").exists():
        return _git("ls-files", "-z")
    with tempfile.TemporaryDirectory() as folder:
        repository = ("--git-dir", folder, "--work-tree", ".")
        _git(*repository, "init", "--quiet")
        return _git(*repository, "ls-files", "-z", "--others", "--exclude-standard")


def copy_tracked(folder: Path) -> Path:
    """Copy the tracked files to a folder, as a clone has them, and return the folder."""
    for name in tracked_files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(TOP / name, target)
    return folder


def build(source: Path, target: Path) -> Distributions:
    """Build the wheel and the source distribution of a folder with the installed hatchling."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(target)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"hatchling failed:\n{done.stderr[-3000:]}")
    return Distributions(next(target.glob("*.whl")), next(target.glob("*.tar.gz")))


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=TOP, capture_output=True, text=True, check=True)
    return [each for each in done.stdout.split("\0") if each]
