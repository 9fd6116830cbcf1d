"""Versioned migrations of the SQL store's tables, driven by Alembic.

A version is a module in `versions`; `upgrade` runs those that a database has not seen. Alembic is
imported only when there is something to run. This module never touches a table of the host's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

HEAD: Final = "0001"
"""The newest version."""

VERSION_TABLE: Final = "scim_schema_version"


def current(connection: sa.Connection) -> str | None:
    """The version that a database is at, None when it has none of the tables."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(sa.select(sa.column("version_num")).select_from(sa.table(VERSION_TABLE)))


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to the newest version, within the transaction of the connection where it can be."""
    if current(connection) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    _one_at_a_time(connection)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _one_at_a_time(connection: sa.Connection) -> None:
    """Let no other process migrate meanwhile; SQLite's write transaction sees to it by itself."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4855027)")
