"""Each helpdesk of the documentation passes each scenario, on SQLite and PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from scimkit.delivery import deliver
from tests.examples.fastapi_helpdesk import FastapiHelpdesk
from tests.examples.helpdesk import SCENARIOS
from tests.stores.databases import MARKS, url_of
from tests.stores.test_migrations import empty

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
        pytest.skip("all providers play on SQLite")
    SCENARIOS[scenario](fastapi_helpdesk)


@pytest.mark.parametrize("database", DATABASES[1:])
def test_django(database: str, tmp_path: Path) -> None:
    """The Django helpdesk passes each scenario. `tests/test_examples.py` has all providers, on SQLite."""
    names = [each for each in SCENARIOS if each != "all_providers"]
    with empty(database, tmp_path) as url:
        command = [sys.executable, "-B", "-m", "tests.examples.django_helpdesk", url, *names]
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.stdout.split() == names, done.stderr[-5000:]


KILLED = """
import os, signal, sys
sys.path.append(sys.argv[1])
import sqlalchemy as sa
from sqlalchemy import orm
from helpdesk_fastapi.scim import make_store
from scimkit.delivery import deliver

store = make_store(orm.sessionmaker(sa.create_engine(sys.argv[2])))
deliver(store.outbox, lambda event: os.kill(os.getpid(), signal.SIGKILL), lease=0.2)
"""


def test_the_outbox_survives_a_killed_worker(tmp_path: Path) -> None:
    """A worker that is killed while it delivers loses no event; the next worker delivers all events in order."""
    url = f"sqlite:///{tmp_path}/helpdesk.db"
    with closing(FastapiHelpdesk(url)) as helpdesk:
        SCENARIOS["last_seat"](helpdesk)  # one user is created, and five are refused
        command = [sys.executable, "-c", KILLED, str(TOP / "docs/examples"), url]
        assert subprocess.run(command, cwd=TOP, check=False, timeout=60).returncode == -signal.SIGKILL
        delivered: list[str] = []
        outbox = helpdesk.outbox
        while not delivered:
            deliver(outbox, lambda event: delivered.append(type(event).__name__), until_empty=True)
        assert delivered == ["ResourceCreated"]
        assert [each.status for each in outbox.list()] == ["delivered"]
