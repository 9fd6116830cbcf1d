"""A `scimkit serve` in separate processes, with its CPU time and memory as the kernel counts them.

This module works on Linux only, and sends no SCIM requests.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

SCIMKIT = [sys.executable, "-m", "scimkit.cli"]
_TICKS = os.sysconf("SC_CLK_TCK")


class ServedProcess:
    """A server with its workers. `endpoint` is its URL, and `peak` is the highest total memory in bytes."""

    def __init__(self, pid: int, endpoint: str, store: str) -> None:
        self.pid, self.endpoint = pid, endpoint
        self.peak = 0
        self._engine = sa.create_engine(store) if store.startswith("postgresql") else None
        self._over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def cpu(self) -> float:
        """Return the CPU time of all processes of the server in seconds."""
        return sum(_cpu(pid) for pid in self._processes())

    def database_cpu(self) -> float:
        """Return the CPU time in seconds of the PostgreSQL processes for this database, or 0 if it is unknown."""
        if self._engine is None:
            return 0.0
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        query = sa.text(f"SELECT pid FROM pg_stat_activity WHERE {others}")
        with self._engine.connect() as connection:
            return sum(_cpu(pid) for pid in connection.scalars(query))

    def memory(self) -> int:
        """Return the current memory of all processes of the server in bytes."""
        return sum(_resident(pid) for pid in self._processes())

    def forget_peak(self) -> None:
        """Start a new measurement of the highest memory."""
        self.peak = self.memory()

    def close(self) -> None:
        """Stop the measurement of memory."""
        self._over.set()

    def _processes(self) -> list[int]:
        return [self.pid, *_children(self.pid)]

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.peak = max(self.peak, self.memory())


@contextmanager
def serving(store: str, workers: int) -> Iterator[ServedProcess]:
    """Run a server with a store while the block runs. At the end, the server gets SIGTERM."""
    command = [*SCIMKIT, "serve", "--port", "0", "--store", store, "--workers", str(workers)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        served = ServedProcess(process.pid, process.stdout.readline().split()[1], store)
        yield served
        served.close()
    finally:
        process.terminate()
        process.wait(60)


def token(store: str, tenant: str) -> str:
    """Create a token of a tenant with the command line, and return the token."""
    command = [*SCIMKIT, "token", "create", "--store", store, "--description", "scale", "--tenant", tenant]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        found = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    except OSError:
        return []
    return [*found, *(below for each in found for below in _children(each))]


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0
