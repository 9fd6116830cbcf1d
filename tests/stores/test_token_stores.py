"""Every token store of ours keeps the contract. A failed write of the last use never fails a verification."""

from __future__ import annotations

import logging
import warnings
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext

from scimkit import TokenRegistry
from scimkit.stores.sql import AsyncSqlTokenStore, SqlStore, SqlTokenStore, migrations, token_table
from scimkit.stores.sql.async_store import async_engine
from scimkit.stores.sql.database import sync_engine
from scimkit.testing.token_contract import TokenStoreContract
from scimkit.tokens import MemoryTokenStore, TokenRecord
from tests.stores.databases import DATABASES, store_of, url_of
from tests.stores.test_migrations import empty

METADATA = sa.MetaData()
OWN_TABLE = token_table(METADATA, "helpdesk_token")
"""The table in the metadata of an application."""

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@cache
def own_engine(database: str) -> sa.Engine:
    """Return an engine of an application, with its own table of tokens."""
    store_of(database)  # PostgreSQL starts here
    engine = sa.create_engine(store_of(database).engine.url)
    METADATA.create_all(engine)
    return engine


class TestMemoryTokenStore(TokenStoreContract):
    """Tokens in memory."""

    def make_store(self) -> MemoryTokenStore:
        return MemoryTokenStore()


@pytest.mark.parametrize("database", DATABASES)
class OnDatabases(TokenStoreContract):
    """Tokens in a database."""

    database: str

    @pytest.fixture(autouse=True)
    def _on(self, database: str) -> None:
        self.database = database


class TestSqlTokenStore(OnDatabases):
    """Tokens in the tables of `SqlStore`."""

    def make_store(self) -> Any:
        return SqlTokenStore(store_of(self.database).engine)


class TestAsyncSqlTokenStore(OnDatabases):
    """Tokens in the tables of `AsyncSqlStore`."""

    engine: Any = None

    def make_store(self) -> Any:
        store_of(self.database)  # creates the tables
        self.engine = async_engine(url_of(self.database))
        return AsyncSqlTokenStore(self.engine)

    async def close(self, store: Any) -> None:
        await self.engine.dispose()


class TestOwnTable(OnDatabases):
    """Tokens in a table of an application, over the engine of the application."""

    def make_store(self) -> Any:
        return SqlTokenStore(own_engine(self.database), table=OWN_TABLE)


class TestAsyncOwnTable(TestAsyncSqlTokenStore):
    """Tokens in a table of an application, with an async engine."""

    def make_store(self) -> Any:
        own_engine(self.database)
        self.engine = async_engine(url_of(self.database))
        return AsyncSqlTokenStore(self.engine, table=OWN_TABLE)


@pytest.mark.parametrize("database", DATABASES)
def test_alembic_finds_the_table_of_an_application(database: str) -> None:
    """Alembic writes a migration for the table that needs no import of scimkit, and finds no difference after it."""
    with own_engine(database).connect() as connection:
        only_ours = {"include_object": lambda thing, name, kind, *_: kind != "table" or name == "helpdesk_token"}
        context = MigrationContext.configure(connection, opts=only_ours)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sa.exc.SAWarning)  # tables of other tests have indexes on expressions
            assert compare_metadata(context, METADATA) == []
    fresh = sa.create_engine("sqlite://")
    with fresh.connect() as connection:
        steps = produce_migrations(MigrationContext.configure(connection), METADATA).upgrade_ops
        assert steps is not None
        text = render_python_code(steps)
        assert "helpdesk_token" in text
        assert "scimkit" not in text
    fresh.dispose()


@pytest.mark.parametrize("database", DATABASES)
def test_a_read_only_database_verifies_tokens(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """A token is verified in a database that accepts no write. The log has one line a minute for the token."""
    issued = TokenRegistry(SqlTokenStore(store_of(database).engine), clock=lambda: NOW).issue("Entra")
    engine = sync_engine(url_of(database))
    statement = {
        "sqlite": "PRAGMA query_only = ON",
        "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "mysql": "SET SESSION TRANSACTION READ ONLY",
    }[database]

    def read_only(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        connection.commit()

    sa.event.listen(engine, "connect", read_only)
    reading = TokenRegistry(SqlTokenStore(engine), clock=lambda: NOW)
    with caplog.at_level(logging.INFO, logger="scimkit"):
        for _ in range(3):
            assert reading.verify(issued.token).token_id == issued.record.id
    assert reading.find(issued.record.id).last_used is None
    assert len([each for each in caplog.records if "last use" in each.message]) == 1
    assert issued.token not in caplog.text
    engine.dispose()


@pytest.mark.parametrize("database", DATABASES)
def test_tokens_of_the_first_versions_are_active(database: str, tmp_path: Path) -> None:
    """A token from before the new columns is active after the upgrade, has both scopes and has no hint."""
    old = {"id": b"abc", "tenant": b"default", "description": "old", "hash": b"x" * 32, "created": NOW.isoformat()}
    with empty(database, tmp_path) as url:
        store = SqlStore(url)
        with store.engine.begin() as connection:
            for name in ("created_by", "active", "scopes", "last_used", "hint", "rotated_from"):
                connection.exec_driver_sql(f"ALTER TABLE scim_token DROP COLUMN {name}")
            connection.execute(sa.text(f"INSERT INTO scim_token ({', '.join(old)}) VALUES (:{', :'.join(old)})"), old)
            connection.exec_driver_sql("UPDATE scim_schema_version SET version_num = '0004'")
        store.upgrade()
        assert store.schema_version == migrations.HEAD
        with store.engine.begin() as connection:  # a process of the earlier version still issues tokens
            connection.execute(
                sa.text(f"INSERT INTO scim_token ({', '.join(old)}) VALUES (:{', :'.join(old)})"),
                old | {"id": b"later"},
            )
        registry = TokenRegistry(SqlTokenStore(store.engine))
        for id in ("abc", "later"):
            record = registry.find(id)
            assert record == TokenRecord(id, "default", "old", b"x" * 32, NOW)
            assert (record.status(NOW), record.scopes, record.hint) == ("Active", ("read", "write"), "")
        store.engine.dispose()
