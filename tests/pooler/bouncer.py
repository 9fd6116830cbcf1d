"""A PgBouncer in transaction mode in front of the PostgreSQL of the tests, and a check of the sessions that it shares.

PgBouncer gives a client another session for each transaction, because it takes the sessions in turns. This module
contains no test.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
import sqlalchemy as sa

PGBOUNCER: Final = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
MISSING: Final = "PgBouncer is not installed: apt-get install pgbouncer"
SESSIONS: Final = 8
"""Number of sessions of the server that PgBouncer shares among all clients."""

_SETTINGS: Final = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
server_round_robin = 1
max_client_conn = 500
query_wait_timeout = 20
stats_period = 3600
logfile = {folder}/log
"""
_CHANGED: Final = (
    "SELECT name || ' = ' || setting FROM pg_settings WHERE source = 'session' AND name <> 'application_name'"
    " AND name NOT IN ('client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')"
    " UNION ALL SELECT statement FROM pg_prepared_statements"
    " UNION ALL SELECT 'advisory lock' FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    " UNION ALL SELECT 'LISTEN ' || name FROM pg_listening_channels() AS name"
)


@contextmanager
def pooled(server: str) -> Iterator[str]:
    """Run PgBouncer in front of the server of a URL, and yield the URL of the same database behind PgBouncer.

    Raises:
        RuntimeError: PgBouncer did not start.
    """
    url = sa.make_url(server)
    assert PGBOUNCER is not None, MISSING
    with socket.socket() as free, TemporaryDirectory(prefix="scimkit-pooler-") as folder:
        free.bind(("127.0.0.1", 0))
        listen = free.getsockname()[1]
        free.close()
        host = str(url.query.get("host") or url.host)
        settings = _SETTINGS.format(
            host=host, port=url.port or 5432, user=url.username or "postgres",
            listen=listen, sessions=SESSIONS, folder=folder,
        )  # fmt: skip
        file = Path(folder, "pgbouncer.ini")
        file.write_text(settings)
        command = [PGBOUNCER, "-q", str(file)]
        if os.getuid() == 0:  # PgBouncer refuses to run as root. Only the owner may enter the folder of a socket.
            owner = Path(host).owner() if host.startswith("/") else "nobody"
            shutil.chown(folder, owner)
            command[1:1] = ["-u", owner]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(process, listen, Path(folder, "log"))
            yield url.set(host="127.0.0.1", port=listen, query={}).render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text() if log.exists() else "PgBouncer did not start") from None
            time.sleep(0.02)


def leftovers(url: str) -> list[str]:
    """Return the settings, prepared statements and locks that earlier clients of PgBouncer left in shared sessions."""
    address = url.replace("+psycopg", "")
    found: list[str] = []
    with ExitStack() as stack:
        clients = [stack.enter_context(psycopg.connect(address, prepare_threshold=None)) for _ in range(SESSIONS)]
        seen = set()
        for client in clients:  # each client has an open transaction, and therefore a session of its own
            seen.add(client.execute("SELECT pg_backend_pid()").fetchone())
            found += [row[0] for row in client.execute(_CHANGED)]
        assert len(seen) == SESSIONS
        for client in clients:
            client.rollback()
    return sorted(set(found))
