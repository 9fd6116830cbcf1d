"""A bounded run of the fuzzer on every target. Each run tries the same inputs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, seeds

ROOT = Path(__file__).parent.parent.parent
CASES = ROOT / "tests" / "dialects" / "cases.jsonl"


@pytest.mark.parametrize("target", TARGETS)
def test_recorded_requests(target: str) -> None:
    """No recorded request of an identity provider breaks a target, and neither does a beginning of such a request."""
    for data in seeds(target, CASES):
        for end in (len(data), len(data) // 2, len(data) // 3):
            TARGETS[target](data[:end])


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], str]:
    """Fuzz all targets, and return the exit status of each and the messages."""
    run = [sys.executable, "-m", "tests.fuzz", *TARGETS, "--seconds", "15", "--runs", "3000", "--seed", "1"]
    done = subprocess.run(
        run, cwd=tmp_path_factory.mktemp("fuzz"), env=_environment(), capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip
    return dict(line.split() for line in done.stdout.splitlines()), done.stderr


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no package for this Python")
@pytest.mark.xdist_group("fuzz")
@pytest.mark.parametrize("target", TARGETS)
def test_fuzz(target: str, fuzzed: tuple[dict[str, str], str]) -> None:
    """A parser raises only ScimError, and the service answers every request (`python -m tests.fuzz`)."""
    statuses, messages = fuzzed
    assert statuses.get(target) == "0", messages[-3000:]


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    return {**os.environ, "PYTHONPATH": path}
