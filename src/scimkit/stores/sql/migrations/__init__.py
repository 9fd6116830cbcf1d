"""Versioned migrations of the tables of the SQL store, run by Alembic.

Each version is a module in `versions`, and `upgrade` runs the versions that a database lacks. Alembic is imported only
if there is a version to run. Steps that were already done are skipped. MariaDB and MySQL commit every step, so an
interrupted upgrade keeps the completed steps. Tables of the application are never touched.
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

HEAD: Final = "0008"
"""The newest version of the tables."""

_ATTEMPTS: Final = 30

VERSION_TABLE: Final = "scim_schema_version"
_VERSION: Final = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))


def current(connection: sa.Connection) -> str | None:
    """Return the version of the tables of a database, or None if the tables do not exist."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.scalar(sa.select(sa.func.max(_VERSION.c.version_num)))
    return version


def health(version: str | None) -> StoreHealth:
    """Report whether tables of a version can serve requests."""
    if (version or "") < HEAD:
        return StoreHealth(False, f"The tables have version {version}. Run scimkit migrate to upgrade them to {HEAD}.")
    return StoreHealth(True)


def upgrade(connection: sa.Connection) -> None:
    """Upgrade the tables to the newest version.

    Tables of a later version than the newest known version are left unchanged. Several processes may call this
    function at the same time.

    Raises:
        ModuleNotFoundError: Alembic is not installed.
    """
    for attempt in range(_ATTEMPTS):
        if (current(connection) or "") >= HEAD:
            return
        try:
            from alembic.util import CommandError
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError("Migrations need Alembic: pip install 'scimkit[sql]'") from missing
        try:
            with _one_at_a_time(connection):
                _delete_earlier_versions(connection)
                _run(connection)
        except (DBAPIError, CommandError):
            # A named lock of a Galera cluster is valid on one node only. Another node creates the same tables now,
            # and each step skips what exists already.
            if connection.dialect.name not in ("mysql", "mariadb") or attempt + 1 == _ATTEMPTS:
                raise
            time.sleep(1)


def _delete_earlier_versions(connection: sa.Connection) -> None:
    """Delete every version number but the newest.

    A node of a Galera cluster may record a version after another node recorded the next version.
    """
    version = current(connection)
    if version is not None:
        connection.execute(sa.delete(_VERSION).where(_VERSION.c.version_num != version))


def _run(connection: sa.Connection) -> None:
    """Run the missing versions with Alembic."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _one_at_a_time(connection: sa.Connection) -> Iterator[None]:
    """Hold a lock so that only one process migrates. On SQLite, the write transaction is the lock."""
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
