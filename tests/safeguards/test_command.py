"""`scimkit safeguard`, as an administrator runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scimkit.safeguards import Breaker
from scimkit.stores.sql import SqlStore
from tests.client import Client


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `scimkit safeguard` to its end."""
    command = [sys.executable, "-m", "scimkit.cli", "safeguard", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_an_administrator_looks_and_releases(tmp_path: Path) -> None:
    """`status` says that the breaker has tripped, with exit status 1. `release` lets deactivations through again."""
    url = f"sqlite:///{tmp_path / 'scim.db'}"
    store = SqlStore(url)
    client = Client(store, tenant="acme", breaker=Breaker(1, None))
    ids = [client.user(name) for name in ("ada", "bob", "cyd", "dan")]
    where = ("--store", url, "--tenant", "acme")
    assert client.delete(f"/Users/{ids[0]}").status == 204
    before = run("status", *where)
    assert (before.returncode, before.stdout) == (0, "Not tripped. Deactivations and deletions counted: 1.\n")
    assert client.delete(f"/Users/{ids[1]}").status == 403
    tripped = run("status", *where)
    assert tripped.returncode == 1
    assert tripped.stdout.startswith("Tripped at ")
    assert run("status", "--store", url).returncode == 0

    assert run("release", *where).returncode == 0
    assert client.delete(f"/Users/{ids[1]}").status == 204
    assert client.delete(f"/Users/{ids[2]}").status == 403
    assert run("release", *where, "--pause-hours", "1").returncode == 0
    assert "Not counting before" in run("status", *where).stdout
    assert [client.delete(f"/Users/{id}").status for id in ids[2:]] == [204, 204]
    store.engine.dispose()


def test_memory_is_refused() -> None:
    """A store in memory has no state that another process could release."""
    for command in ("status", "release"):
        done = run(command, "--store", "memory://")
        assert done.returncode == 2
        assert "memory:// has no breaker" in done.stderr
