"""Which queries on records go straight to the driver."""

from __future__ import annotations

import enum
from typing import Any

import pytest
import sqlalchemy as sa

from scimkit.stores.sqlalchemy.record_statements import RecordQuery
from tests.stores.databases import DATABASES, url_of

on_postgresql = pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])


class Level(enum.Enum):
    """A level of an agent."""

    first = "first"


class Shouted(sa.TypeDecorator[str]):
    """A text that the application writes in capitals."""

    impl = sa.String
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> str:
        return str(value).upper()


class Reversed(sa.String):
    """A text with a processor of the application."""

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        return lambda value: value[::-1]


@on_postgresql
@pytest.mark.parametrize(
    ("kind", "value", "is_hot"),
    [(sa.String(20), "ada", True), (sa.Text(), "ada", True), (sa.BigInteger(), 7, True), (sa.Boolean(), True, True),
     (sa.Enum(Level), Level.first, False), (Shouted(), "ada", False),
     (Reversed(), "ada", False), (sa.JSON(), {"a": [1]}, False), (sa.Numeric(), 1, False)],
    ids=lambda each: str(each) if isinstance(each, bool) else type(each).__name__,
)  # fmt: skip
def test_a_query_goes_to_the_driver_if_no_value_is_converted(
    database: str, kind: Any, value: Any, is_hot: bool
) -> None:
    """The rows are those that SQLAlchemy returns, whichever way they are read."""
    table = sa.Table(
        "record_query", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("it", kind)
    )
    query = sa.select(table.c.id, table.c.it).where(table.c.id == sa.bindparam("wanted", type_=sa.Integer()))
    found = RecordQuery(query)
    assert (found._hot is not None) is is_hot
    engine = sa.create_engine(url_of(database))
    try:
        with engine.connect() as connection:  # rolled back at the end
            table.create(connection)
            connection.execute(sa.insert(table), {"id": 1, "it": value})
            expected = [tuple(row) for row in connection.execute(query, {"wanted": 1})]
            assert [tuple(row) for row in found.rows(connection, {"wanted": 1})] == expected
            assert found.rows(connection, {"wanted": 2}) == []
    finally:
        engine.dispose()


@on_postgresql
def test_a_type_that_the_driver_does_not_know_stays_text(database: str) -> None:
    """A column of an enumeration of the database, declared as a text, is read as a text."""
    columns = sa.Column("id", sa.Integer, primary_key=True), sa.Column("it", sa.String)
    table = sa.Table("record_query", sa.MetaData(), *columns)
    found = RecordQuery(sa.select(table.c.it))
    engine = sa.create_engine(url_of(database))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE TYPE record_mood AS ENUM ('calm')")
            connection.exec_driver_sql("CREATE TABLE record_query (id int, it record_mood)")
            connection.exec_driver_sql("INSERT INTO record_query VALUES (1, 'calm')")
            assert [tuple(row) for row in found.rows(connection, {})] == [("calm",)]
    finally:
        engine.dispose()
