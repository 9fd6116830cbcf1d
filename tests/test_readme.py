"""Tests that the README is up to date: its commands are those of the gate, and its examples run."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", README, re.DOTALL))


def test_the_gate_runs_the_readme() -> None:
    """`.ci/run` takes its test command from the README."""
    assert "<!-- test-command -->" in (TOP / ".ci" / "run").read_text()
    commands = re.findall(r"<!-- (\w+-command) -->\n```sh\n(.+)\n```", README)
    assert [name for name, _ in commands] == ["demo-command", "test-command"]
    assert all(command.startswith("python3 -m venv .venv") for _, command in commands)


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_is_a_file(path: str) -> None:
    """Each example in the README is identical to the file that it names."""
    assert (TOP / path).read_text() == EXAMPLES[path]


@pytest.mark.parametrize("path", sorted((TOP / "docs" / "examples").glob("*.py")), ids=lambda path: path.name)
def test_an_example_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example of the documentation runs. Its database is in a folder of the test."""
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path))


def test_the_top_folder_has_no_other_files() -> None:
    """The top folder has only the files and folders of the project."""
    allowed = {"src", "tests", "docs", "pyproject.toml", "mkdocs.yml", "README.md", "LICENSE", "CHANGELOG.md",
               "CONTRIBUTING.md", "SECURITY.md"}  # fmt: skip
    built = {"site", "build", "dist"}
    assert {path.name for path in TOP.iterdir() if not path.name.startswith(".")} - built == allowed


def test_the_speed_is_that_of_the_performance_page() -> None:
    """Each row of the table of speed has the numbers of `docs/explanation/performance.md`."""
    table = re.findall(r"^\| (.+) \| ([\d.,]+) \| ([\d.,]+) \|$", README, re.MULTILINE)
    measured = (TOP / "docs/explanation/performance.md").read_text()
    assert len(table) == 4
    assert [row for row in table if f"| {row[0]} | {row[1]} | {row[2]} |" not in measured] == []


def test_the_speed_in_a_database_is_that_of_the_performance_page() -> None:
    """The ratios of a GET on PostgreSQL are those of `docs/explanation/performance.md`."""
    measured = (TOP / "docs/explanation/performance.md").read_text()
    postgresql = measured.partition("### MariaDB and SQLite")[0]
    ratios = dict(re.findall(r"^\| GET by id \| ([^|]+) \| [\d,]+ \| ([\d.]+) \|", postgresql, re.MULTILINE))
    said = re.search(r"a GET takes ([\d.]+) to ([\d.]+) times the CPU.*?takes (\d+) times", README, re.DOTALL)
    assert said is not None
    own = sorted(float(ratios[name]) for name in ("SqlStore", "AsyncSqlStore"))
    assert [f"{each:.1f}" for each in own] == [said[1], said[2]]
    assert round(float(ratios["by hand, ORM"])) == int(said[3])


def test_code_comes_soon() -> None:
    """The first code of the README is within two screens of 40 lines."""
    before = README[: README.index("```")]
    assert before.count("\n") <= 80
