"""Rows that the database refuses: the client receives 400 or 503, with the attribute if it is known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from scimkit import GROUP, USER, Query, Scope
from scimkit.errors import InvalidValue, Unavailable
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.sql.database import sync_engine
from scimkit.stores.sqlalchemy import MappedStore, ResourceMapping
from scimkit.stores.sqlalchemy.linked_rows import LinkedRows
from tests.stores.databases import DATABASES, url_of
from tests.stores.mapped.helpdesk import account, helpdesk_of

SCOPE = Scope()
TABLE = f"refusals_{os.getpid()}"


class Base(orm.DeclarativeBase):
    """The base of a model that declares fewer constraints than its table has."""


class Person(Base):
    """A user whose columns are shorter in the database than in the model."""

    __tablename__ = TABLE
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    login: orm.Mapped[str] = orm.mapped_column(sa.Text)
    title: orm.Mapped[str | None] = orm.mapped_column(sa.Text)
    nickname: orm.Mapped[str | None] = orm.mapped_column(sa.Text)


PEOPLE = ResourceMapping(
    USER, Person, id=Person.id,
    attributes={"userName": Person.login, "title": Person.title, "nickName": Person.nickname},
)  # fmt: skip
NUMBER = {"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT", "postgresql": "SERIAL PRIMARY KEY",
          "mysql": "INTEGER PRIMARY KEY AUTO_INCREMENT"}  # fmt: skip


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest) -> Iterator[MappedStore]:
    """A store over the table on each database."""
    engine = sync_engine(url_of(request.param))
    login = "VARCHAR(100)" if request.param == "mysql" else "TEXT"
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {TABLE} (id {NUMBER[request.param]}, login {login} NOT NULL UNIQUE, title VARCHAR(5), "
            "nickname VARCHAR(100), CHECK (nickname <> 'bad'))"
        )
    yield MappedStore(engine, [PEOPLE])
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {TABLE}")
    engine.dispose()


def refused(store: MappedStore, **attributes: Any) -> str:
    """Return the detail of the 400 `invalidValue` for a new user."""
    with pytest.raises(InvalidValue) as raised:
        store.create(SCOPE, USER, {"schemas": [USER.schema], "userName": "ada", **attributes})
    assert store.search(SCOPE, Query(USER)).total == 0
    return str(raised.value)


def test_a_value_that_is_too_long(store: MappedStore) -> None:
    """A text that is too long for the database only is 400. MariaDB names the column, and PostgreSQL does not."""
    dialect = store._sessions.engine.dialect.name  # type: ignore[union-attr]
    if dialect == "sqlite":
        pytest.skip("SQLite does not bound texts")
    path = "An attribute" if dialect == "postgresql" else "title"
    expected = f"{path} has a value that this service cannot store. The value may be too long or out of range."
    assert refused(store, title="too long") == expected


def test_violated_check_constraint_is_invalid_value(store: MappedStore) -> None:
    """A violated CHECK constraint is 400 on every database, although MariaDB's driver reports an operational error."""
    assert "another value" in refused(store, nickName="bad")


def test_a_value_that_is_too_long_for_its_index(store: MappedStore) -> None:
    """A text that is too long for an index of PostgreSQL is 400 `invalidValue`, not `invalidFilter`."""
    if store._sessions.engine.dialect.name != "postgresql":  # type: ignore[union-attr]
        pytest.skip("the other databases bound the column, or nothing")
    assert "cannot store" in refused(store, userName=os.urandom(20_000).hex())


def test_a_null_character(store: MappedStore) -> None:
    """A text with the character NUL is 400 on PostgreSQL. The other databases store the text."""
    if store._sessions.engine.dialect.name == "postgresql":  # type: ignore[union-attr]
        assert refused(store, nickName="a\0b") == "An attribute has a character that this service cannot store."
    else:
        document = {"schemas": [USER.schema], "userName": "ada", "nickName": "a\0b"}
        assert store.create(SCOPE, USER, document).document["nickName"] == "a\0b"


@pytest.mark.parametrize("database", DATABASES)
def test_a_member_that_another_request_added(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding a member that another request just added is 503, and the client's next attempt succeeds."""
    store, scope = helpdesk_of(database), Scope(account())
    ada = store.create(scope, USER, {"schemas": [USER.schema], "userName": "ada"}).document["id"]
    document = {"schemas": [GROUP.schema], "displayName": "team", "members": [{"value": ada}]}
    team = store.create(scope, GROUP, document).document["id"]
    joining = ChangeSet(references={"members": ReferenceChanges(({"value": ada},))})
    with monkeypatch.context() as blind, pytest.raises(Unavailable):
        blind.setattr(LinkedRows, "linked", lambda *_: set())
        store.change(scope, GROUP, team, joining)
    assert not store.change(scope, GROUP, team, joining).changed
