"""Migrations of the SQL store: concurrent, interrupted and newer ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from scimkit import USER, Query, Scope
from scimkit.stores.sql import SqlStore, migrations
from scimkit.stores.sql.tables import METADATA
from tests.stores.databases import DATABASES, store_of

on_every_database = pytest.mark.parametrize("database", DATABASES)


@contextmanager
def empty(database: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database without tables, and remove the database after the test."""
    if database == "sqlite":
        yield f"sqlite:///{folder / 'empty.db'}"
        return
    name = f"scim_{os.getpid()}_{os.urandom(3).hex()}"
    engine = store_of(database).engine
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        try:
            yield engine.url.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.exec_driver_sql(f"DROP DATABASE {name}")


def differences(store: SqlStore) -> list[object]:
    """Return the differences between the tables of a store and the declared tables."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrations.VERSION_TABLE})
        return list(compare_metadata(context, METADATA))


@on_every_database
def test_many_processes_migrate_at_once(database: str, tmp_path: Path) -> None:
    """If many processes migrate at once, all succeed and the tables exist once."""
    with empty(database, tmp_path) as url:
        command = [sys.executable, "-m", "scimkit.cli", "migrate", "--store", url]
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(4)]
        told = [each.communicate(timeout=100)[0] for each in runs]
        assert [each.returncode for each in runs] == [0] * 4, told
        store = SqlStore(url, upgrade=False)
        assert store.schema_version == migrations.HEAD
        assert differences(store) == []
        store.engine.dispose()


@on_every_database
def test_interrupted_migration_continues(database: str, tmp_path: Path) -> None:
    """An interrupted migration continues after its completed steps and keeps the rows."""
    with empty(database, tmp_path) as url:
        store = SqlStore(url)
        store.create(Scope(), USER, {"schemas": [USER.schema], "userName": "ada"})
        with store.engine.begin() as connection:
            for statement in (
                "DELETE FROM scim_schema_version", "DROP TABLE scim_token",
                "DROP INDEX scim_resource_by_id" + (" ON scim_resource" if database == "mysql" else ""),
            ):  # fmt: skip
                connection.exec_driver_sql(statement)
        assert store.schema_version is None
        store.upgrade()
        assert store.schema_version == migrations.HEAD
        assert differences(store) == []
        assert store.search(Scope(), Query(USER)).total == 1
        store.engine.dispose()


@on_every_database
def test_later_of_two_version_numbers_counts(database: str, tmp_path: Path) -> None:
    """If a database has two version numbers after a concurrent migration in a cluster, the later number is valid."""
    with empty(database, tmp_path) as url:
        store = SqlStore(url)
        with store.engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO scim_schema_version VALUES ('0001')")
            connection.exec_driver_sql("UPDATE scim_schema_version SET version_num = '0000' WHERE version_num > '0001'")
        store.upgrade()
        assert store.schema_version == migrations.HEAD
        with store.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM scim_schema_version").scalar() == 1
        store.engine.dispose()


def test_newer_tables_are_served(tmp_path: Path) -> None:
    """Tables of a newer version are served unchanged, so that servers can be upgraded one after another."""
    url = f"sqlite:///{tmp_path / 'newer.db'}"
    store = SqlStore(url)
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE scim_schema_version SET version_num = '9999'"))
    newer = SqlStore(url)
    assert newer.schema_version == "9999"
    for each in (store, newer):
        each.engine.dispose()
