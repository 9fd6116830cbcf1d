"""Each helpdesk of the documentation passes each scenario, on SQLite and PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from tests.examples.fastapi_helpdesk import FastapiHelpdesk
from tests.examples.helpdesk import SCENARIOS
from tests.stores.databases import MARKS, url_of

TOP: Final = Path(__file__).parents[2]
DATABASES: Final = [pytest.param(name, marks=MARKS[name]) for name in ("sqlite", "postgresql")]


@pytest.fixture(params=DATABASES)
def fastapi_helpdesk(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[FastapiHelpdesk]:
    """Return the FastAPI helpdesk on a database."""
    is_file = request.param == "sqlite"
    with closing(FastapiHelpdesk(f"sqlite:///{tmp_path}/helpdesk.db" if is_file else url_of(request.param))) as made:
        yield made


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_fastapi(fastapi_helpdesk: FastapiHelpdesk, scenario: str) -> None:
    """The FastAPI helpdesk passes each scenario."""
    if scenario == "all_providers" and fastapi_helpdesk.deadlocks() is not None:
        pytest.skip("all providers play on SQLite here, and on PostgreSQL with Django")
    SCENARIOS[scenario](fastapi_helpdesk)


@pytest.mark.parametrize("database", DATABASES)
def test_django(database: str, tmp_path: Path) -> None:
    """The Django helpdesk passes each scenario. `tests/test_examples.py` has all providers on SQLite."""
    names = [each for each in SCENARIOS if each != "all_providers" or database != "sqlite"]
    url = f"sqlite:///{tmp_path}/helpdesk.db" if database == "sqlite" else url_of(database)
    command = [sys.executable, "-B", "-m", "tests.examples.django_helpdesk", url, *names]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.stdout.split() == names, done.stderr[-5000:]
