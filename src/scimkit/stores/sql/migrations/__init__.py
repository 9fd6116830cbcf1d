"""Versioned migrations of the SQL store's tables, driven by Alembic.

A version is a module in `versions`; `upgrade` runs those that a database has not seen. Alembic is
imported only when there is something to run. A step does nothing where it was done already: MariaDB and
MySQL commit every step, so that an upgrade that is interrupted leaves those before it. This module never
touches a table of the host's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from scimkit.stores.protocol import StoreHealth

HEAD: Final = "0003"
"""The newest version."""

_ATTEMPTS: Final = 30

VERSION_TABLE: Final = "scim_schema_version"
_VERSION: Final = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))


def current(connection: sa.Connection) -> str | None:
    """The version that a database is at, None when it has none of the tables."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.scalar(sa.select(sa.func.max(_VERSION.c.version_num)))
    return version


def health(version: str | None) -> StoreHealth:
    """Return whether tables at a version can serve requests."""
    if (version or "") < HEAD:
        return StoreHealth(False, f"the tables are at version {version}; scimkit migrate brings them to {HEAD}")
    return StoreHealth(True)


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to the newest version, within the transaction of the connection where it can be.

    Tables of a newer version than this are left as they are. Any number of processes may call it at once.
    """
    for attempt in range(_ATTEMPTS):
        if (current(connection) or "") >= HEAD:
            return
        from alembic.util import CommandError

        try:
            with _one_at_a_time(connection):
                _forget_earlier(connection)
                _run(connection)
        except (DBAPIError, CommandError):
            # The locks of a Galera cluster end at the node. Another one is making the same tables; each step looks
            # for what is there already.
            if connection.dialect.name not in ("mysql", "mariadb") or attempt + 1 == _ATTEMPTS:
                raise
            time.sleep(1)


def _forget_earlier(connection: sa.Connection) -> None:
    """Leave one version: a node of a Galera cluster may have noted the one before after another noted the next."""
    version = current(connection)
    if version is not None:
        connection.execute(sa.delete(_VERSION).where(_VERSION.c.version_num != version))


def _run(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _one_at_a_time(connection: sa.Connection) -> Iterator[None]:
    """Let no other process migrate meanwhile; SQLite's write transaction sees to it by itself."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4855027)")
        yield
    elif connection.dialect.name in ("mysql", "mariadb"):
        connection.exec_driver_sql("DO GET_LOCK('scimkit migrations', 60)")
        try:
            yield
        finally:
            connection.exec_driver_sql("DO RELEASE_LOCK('scimkit migrations')")
    else:
        yield
