"""Each application of the documentation starts with its own command, and Entra and Okta provision it over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from scimkit import TokenRegistry
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.testing.directory import sample_directory
from scimkit.testing.directory_history import full_history, marked, play
from scimkit.testing.providers import provider
from scimkit.testing.report import explained
from tests.client import PATCH_OP, USER
from tests.examples.fastapi_helpdesk import models

EXAMPLES: Final = Path(__file__).parents[2] / "docs" / "examples"
UVICORN: Final = ("-m", "uvicorn", "--log-level", "warning", "--factory")
COMMANDS: Final = {
    "fastapi": (".", *UVICORN, "helpdesk_fastapi.app:create_app", "--port", "PORT"),
    "litestar": (".", *UVICORN, "helpdesk_litestar.app:create_app", "--port", "PORT"),
    "flask": (".", "-m", "flask", "--app", "helpdesk_flask.app", "run", "--port", "PORT"),
    "django": ("django", "manage.py", "runserver", "--noreload", "--nothreading", "PORT"),
}
"""The folder and the command of each application."""


def prepare_fastapi(database: Path) -> str:
    """Create the tables and an account of the FastAPI helpdesk, and return a token."""
    engine = sa.create_engine(f"sqlite:///{database}")
    models.Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add(models.Account(name="default", seats=1_000))
        session.commit()
    token = TokenRegistry(SqlTokenStore(engine, table=models.scim_tokens)).issue("tests").token
    engine.dispose()
    return token


def prepare_tables(database: Path) -> str:
    """Create the tables of scimkit, and return a token."""
    store = SqlStore(f"sqlite:///{database}")
    token = TokenRegistry(SqlTokenStore(store.engine)).issue("tests").token
    store.engine.dispose()
    return token


def prepare_django(database: Path) -> str:
    """Create the tables and an account of the Django helpdesk, and return a token."""
    code = (
        "from django.core.management import call_command; call_command('migrate', run_syncdb=True, verbosity=0);"
        "from helpdesk.models import Account; Account.objects.create(name='default', seats=1_000);"
        "from helpdesk.scim import tokens; print(tokens.issue('tests').token)"
    )
    command = [sys.executable, "-B", "-c", f"import django; django.setup(); {code}"]
    env = {**_environment(database), "DJANGO_SETTINGS_MODULE": "settings"}
    done = subprocess.run(command, cwd=EXAMPLES / "django", env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


EVENTS: Final = frozenset({
    "Ina is hired", "Ina joins a team", "Bo is disabled", "A team is formed", "Bo is back", "Li, who manages, is gone",
})  # fmt: skip
"""The events of this test. The other tests of examples play all events, in process."""

PREPARE: Final[dict[str, Callable[[Path], str]]] = {
    "fastapi": prepare_fastapi, "litestar": prepare_tables, "flask": prepare_tables, "django": prepare_django,
}  # fmt: skip


def _environment(database: Path) -> dict[str, str]:
    url = str(database) if database.suffix == ".django" else f"sqlite:///{database}"
    return {**os.environ, "HELPDESK_DATABASE": url, "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def served(name: str, database: Path) -> Iterator[str]:
    """Start an application with its command, and yield its URL while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    folder, *arguments = COMMANDS[name]
    command = [sys.executable, *(port if each == "PORT" else each for each in arguments)]
    output = database.with_suffix(".log")
    with output.open("w") as log:
        process = subprocess.Popen(
            command, cwd=EXAMPLES / folder, env=_environment(database), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(port, process, output)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: str, process: subprocess.Popen[Any], output: Path) -> None:
    """Wait until a process accepts connections."""
    for _ in range(1200):
        assert process.poll() is None, output.read_text()[-3000:]
        try:
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.05)  # nothing announces that another process listens
    raise TimeoutError(output.read_text()[-3000:])


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder in memory, where the system has one, because these databases need not survive a power failure."""
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as path:
        yield Path(path)


@pytest.mark.parametrize("name", COMMANDS)
def test_entra_and_okta_provision_the_application(name: str, folder: Path) -> None:
    """Entra and Okta provision the application. A ticket of Flask's and Litestar's helpdesk follows the leaver."""
    database = folder / ("helpdesk.django" if name == "django" else "helpdesk.db")
    token = PREPARE[name](database)
    with served(name, database) as url:
        if PREPARE[name] is prepare_tables:
            check_tickets(url, token)
        for idp in ("entra", "okta"):
            directory = marked(sample_directory(), idp)
            simulator = provider(idp, f"{url}/scim/v2", token, directory)
            report = play(simulator, [event.marked(idp) for event in full_history() if event.title in EVENTS])
            simulator.close()
            assert report.passed, "\n\n".join(explained(step) for step in report.failures)


def check_tickets(url: str, token: str) -> None:
    """Open a ticket, deactivate its agent, and check that the ticket is in the queue again."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(headers=headers) as client:
        created = client.post(f"{url}/scim/v2/Users", json={"schemas": [USER], "userName": "leaver"})
        assert created.headers["location"] == f"{url}/scim/v2/Users/{created.json()['id']}"
        opened = client.post(f"{url}/tickets", json={"subject": "printer", "agent": created.json()["id"]})
        assert opened.status_code == 201
        assert client.get(f"{url}/tickets").json() == [{"subject": "printer", "agent": created.json()["id"]}]
        operations = [{"op": "replace", "path": "active", "value": False}]
        body = {"schemas": [PATCH_OP], "Operations": operations}
        assert client.patch(created.headers["location"], json=body).json()["active"] is False
        assert client.get(f"{url}/tickets").json() == [{"subject": "printer", "agent": None}]
        assert client.delete(created.headers["location"]).status_code == 204
