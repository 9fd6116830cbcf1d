"""SCIMMY, a peer in JavaScript: the requests of the benchmark in a process of node.

npm installs the versions of `node/package.json` in a temporary folder. `SCIMMY_MODULES` in the environment names a
folder `node_modules` that has them already.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.benchmarks.sides import RemoteCall
from tests.benchmarks.steps import ENTRA, disabling, undoing, user_body

_SOURCES: Final = Path(__file__).parent / "node"
VERSIONS: Final[dict[str, str]] = json.loads((_SOURCES / "package.json").read_text())["dependencies"]
"""The versions that npm installs."""
MODULES: Final = "SCIMMY_MODULES"
"""The variable that names a folder `node_modules` with these versions."""
_TIMEOUT: Final = 120
_WARM_UP: Final = 2_000
"""Calls before a measurement, in all. V8 compiles a function after many calls."""


@contextmanager
def folder(*, install: bool, sources: Path = _SOURCES) -> Iterator[tuple[Path | None, str]]:
    """Yield a folder with the scripts of `sources` and their modules, or None and the reason why there is none."""
    if shutil.which("node") is None:
        yield None, "there is no node"
        return
    with TemporaryDirectory(prefix="scimkit-benchmark-") as name:
        path = Path(name)
        for each in sources.iterdir():
            shutil.copy(each, path)
        given = os.environ.get(MODULES)
        if given:
            (path / "node_modules").symlink_to(Path(given).resolve(), target_is_directory=True)
        elif not install:
            yield None, f"{MODULES} names no folder with the modules"
            return
        else:
            reason = _install(path)
            if reason:
                yield None, reason
                return
        yield path, ""


def node_version() -> str:
    """Return the version of node."""
    return subprocess.run(["node", "--version"], check=True, capture_output=True, text=True, timeout=10).stdout.strip()


def _install(path: Path) -> str:
    """Install the modules with npm. Return the reason if it fails, or nothing."""
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    try:
        subprocess.run(command, cwd=path, check=True, capture_output=True, timeout=_TIMEOUT)
    except FileNotFoundError:
        return "there is no npm"
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        wanted = json.loads((path / "package.json").read_text())["dependencies"]
        return "npm cannot install " + " and ".join(f"{name} {number}" for name, number in wanted.items())
    return ""


class Scimmy:
    """A process of node with users, ready to be measured."""

    def __init__(self, path: Path, people: int, asked: list[int], start: int, base_url: str) -> None:
        self._process = subprocess.Popen(
            ["node", "--expose-gc", "scimmy.js"], cwd=path, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._warm: dict[str, int] = {}
        first = 10_000_000
        self._send({
            "base": base_url, "users": [user_body(number) for number in range(people)], "asked": asked, "start": start,
            "active": [disabling(False), disabling(True)], "entra": [ENTRA, undoing(ENTRA)],
            "fresh": {"text": json.dumps(user_body(first)), "number": str(first), "count": 20_000},
        })  # fmt: skip

    def call(self, title: str) -> RemoteCall:
        """Return one of the calls of the process."""
        return RemoteCall(self, title)

    def measure(self, title: str, calls: int) -> float:
        """Return the CPU time of a call in microseconds. V8's own threads count too."""
        warm = max(5, min(calls * 2, _WARM_UP - self._warm.get(title, 0)))
        self._warm[title] = self._warm.get(title, 0) + warm
        return float(self._ask({"title": title, "calls": calls, "warm": warm}))

    def response(self, title: str) -> Any:
        """Return the body of the response to one call."""
        return json.loads(self._ask({"title": title, "calls": 0}))

    def close(self) -> None:
        """Stop the process."""
        self._process.communicate(timeout=_TIMEOUT)

    def _send(self, value: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def _ask(self, value: Any) -> Any:
        self._send(value)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of node ended with {self._process.wait(_TIMEOUT)}")
        return json.loads(line)
