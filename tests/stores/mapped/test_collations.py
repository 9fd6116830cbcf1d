"""Texts that a collation of MariaDB treats as equal, and characters that a charset lacks."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from scimkit import USER, Query, Scope, filters
from scimkit.errors import InvalidValue, NotFound, ScimError, Uniqueness
from scimkit.schema.attributes import folded
from scimkit.stores.sql import SqlStore
from scimkit.stores.sql.async_store import async_engine
from scimkit.stores.sql.database import sync_engine
from scimkit.stores.sqlalchemy import Column, MappedStore, ResourceMapping
from scimkit.stores.sqlalchemy.async_store import AsyncMappedStore
from scimkit.stores.sqlalchemy.rows import ModelRows
from tests.stores.databases import MYSQL_URL

pytestmark = pytest.mark.skipif(MYSQL_URL is None, reason="SCIMKIT_TEST_MYSQL_URL names no MariaDB or MySQL")
SCOPE = Scope()
PAIRS = [
    pytest.param("Ada", "ada", id="case"),
    pytest.param("muller", "müller", id="accent"),
    pytest.param("ada", "ada ", id="trailing space"),
    pytest.param("ada😀", "ada😁", id="emoji"),
]


class Base(orm.DeclarativeBase):
    """The base of the models in this module. Only this process uses their tables."""


def model_of(name: str, collation: str, charset: str = "utf8mb4", *, has_key: bool = False) -> Any:
    """Return a model whose login is unique by a collation, or by a column with the folded login."""

    columns: dict[str, Any] = {
        "id": orm.mapped_column(sa.Integer, primary_key=True),
        "login": orm.mapped_column(sa.String(100), nullable=False, unique=not has_key),
        "title": orm.mapped_column(sa.String(100)),
    }
    if has_key:
        columns["login_key"] = orm.mapped_column(sa.String(100, collation="utf8mb4_nopad_bin"), unique=True)
        columns["fold"] = orm.validates("login")(_fold)
    options = {"mysql_charset": charset, "mysql_collate": collation}
    return type(
        f"Person_{name}", (Base,), {"__tablename__": f"col_{name}_{os.getpid()}", "__table_args__": options, **columns}
    )


def _fold(person: Any, _: str, value: str) -> str:
    person.login_key = folded(value)
    return value


INSENSITIVE = model_of("ci", "utf8mb4_general_ci")
BINARY = model_of("bin", "utf8mb4_nopad_bin")
KEYED = model_of("key", "utf8mb4_general_ci", has_key=True)
NARROW = model_of("narrow", "utf8mb3_general_ci", "utf8mb3")
LATIN = model_of("latin", "latin1_swedish_ci", "latin1")


def mapping(model: Any, entry: Any = None, **options: Any) -> ResourceMapping:
    attributes = {"userName": model.login if entry is None else entry, "title": model.title}
    return ResourceMapping(USER, model, id=model.id, attributes=attributes, **options)


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    """An engine on MariaDB with the tables of this module."""
    assert MYSQL_URL is not None
    engine = sync_engine(MYSQL_URL)
    Base.metadata.create_all(engine)
    yield engine
    Base.metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture(autouse=True)
def _empty(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            connection.execute(sa.delete(table))


def user(name: str, **attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": name, **attributes}


def sync_calls(engine: sa.Engine, mapped: ResourceMapping) -> tuple[Callable[..., Any], Callable[..., list[str]]]:
    """Return functions that create a user and that find user names, with the sync store."""
    store = MappedStore(engine, [mapped])
    return (
        lambda name, **more: store.create(SCOPE, USER, user(name, **more)).document,
        lambda text: [each["userName"] for each in store.search(SCOPE, Query(USER, filters.parse(text))).documents],
    )


def awaited_calls(engine: sa.Engine, mapped: ResourceMapping) -> tuple[Callable[..., Any], Callable[..., list[str]]]:
    """Return functions that create a user and that find user names, with the async store."""

    def run(ask: Callable[[AsyncMappedStore], Any]) -> Any:
        async def asked() -> Any:
            assert MYSQL_URL is not None
            awaited = async_engine(MYSQL_URL)
            try:
                return await ask(AsyncMappedStore(awaited, [mapped]))
            finally:
                await awaited.dispose()

        return asyncio.run(asked())

    def found(text: str) -> list[str]:
        page = run(lambda store: store.search(SCOPE, Query(USER, filters.parse(text))))
        return [each["userName"] for each in page.documents]

    return lambda name, **more: run(lambda store: store.create(SCOPE, USER, user(name, **more))).document, found


both_colors = pytest.mark.parametrize("calls", [sync_calls, awaited_calls])


@pytest.mark.parametrize("model", [INSENSITIVE, KEYED, LATIN], ids=["plain", "key", "latin"])
def test_an_index_answers(engine: sa.Engine, model: Any) -> None:
    """A look-up of a user name and the check before a POST read one row by an index, and not the whole table."""
    store = MappedStore(engine, [mapping(model, Column(model.login, key=model.login_key) if model is KEYED else None)])
    for number in range(30):
        store.create(SCOPE, USER, user(f"ada{number}"))
    said: list[tuple[str, Any]] = []

    def note(_: Any, cursor: Any, sql: str, values: Any, *rest: Any) -> None:
        said.append((sql, values))

    sa.event.listen(engine, "before_cursor_execute", note)
    assert len(store.search(SCOPE, Query(USER, filters.parse('userName eq "ADA7"'), count=10)).documents) == 1
    store.create(SCOPE, USER, user("bob"))
    sa.event.remove(engine, "before_cursor_execute", note)
    asked = [each for each in said if each[0].startswith("SELECT")]
    assert len(asked) >= 2
    with engine.connect() as connection:
        for sql, values in asked:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN {sql}", values).mappings()
            assert plan["type"] in ("const", "ref", None), plan["type"]  # None: the index shows that there is no row


def test_a_check_that_fails_is_repeated(engine: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    """A check that a lost connection interrupts runs again. The log warns once."""
    store = MappedStore(engine, [mapping(INSENSITIVE)])
    check = store._records._collations

    def lost(_: Any) -> str:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        check.run(True, lost)
    assert not check.is_done
    for _ in range(2):
        check.run(True, lambda place: "utf8mb4_general_ci")
        check.is_done = False
    assert len(caplog.records) == 1


@both_colors
@pytest.mark.parametrize("entry", [None, Column(INSENSITIVE.login, key=INSENSITIVE.login)], ids=["plain", "key"])
@pytest.mark.parametrize(("there", "new"), PAIRS)
def test_refused_user_name_is_found(engine: sa.Engine, calls: Any, entry: Any, there: str, new: str) -> None:
    """A user name that the collation treats as equal is 409 `uniqueness`, and `eq` finds the existing user."""
    create, found = calls(engine, mapping(INSENSITIVE, entry))
    create(there)
    with pytest.raises(Uniqueness, match="userName"):
        create(new)
    assert found(f'userName eq "{new}"') == [there]
    assert found(f'userName ne "{new}"') == []


@pytest.mark.parametrize("entry", [None, Column(INSENSITIVE.login, key=INSENSITIVE.login)], ids=["plain", "key"])
@pytest.mark.parametrize(("there", "new"), PAIRS)
def test_user_name_refused_by_the_index_is_found(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, entry: Any, there: str, new: str
) -> None:
    """If only the unique index refuses the user name, as in a race, `eq` still finds the existing user."""
    create, found = sync_calls(engine, mapping(INSENSITIVE, entry))
    create(there)
    monkeypatch.setattr(ModelRows, "others", lambda *_: False)
    with pytest.raises(Uniqueness, match="userName"):
        create(new)
    assert found(f'userName eq "{new}"') == [there]


@both_colors
@pytest.mark.parametrize(("there", "new"), PAIRS)
def test_a_folded_key_column_tells_names_apart(engine: sa.Engine, calls: Any, there: str, new: str) -> None:
    """With a folded key column, user names that differ in more than case are different."""
    create, found = calls(engine, mapping(KEYED, Column(KEYED.login, key=KEYED.login_key)))
    create(there)
    if folded(there) == folded(new):
        with pytest.raises(Uniqueness):
            create(new)
        assert found(f'userName eq "{new}"') == [there]
    else:
        create(new)
        assert found(f'userName eq "{new}"') == [new]


@pytest.mark.parametrize(("there", "new"), PAIRS[1:])
def test_a_binary_collation_tells_names_apart(engine: sa.Engine, there: str, new: str) -> None:
    """With a binary collation, user names that differ only in case or accents are different."""
    create, found = sync_calls(engine, mapping(BINARY))
    create(there)
    create(new)
    assert found(f'userName eq "{new}"') == [new]


def test_the_log_warns_once_of_a_collation(engine: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    """At the first use, a store logs one warning about a collation that ignores case or accents."""
    caplog.set_level(logging.WARNING, "scimkit")
    store = MappedStore(engine, [mapping(INSENSITIVE)])
    for _ in range(2):
        store.search(SCOPE, Query(USER))
    (record,) = caplog.records
    said = record.getMessage()
    assert f"{INSENSITIVE.__tablename__}.login" in said
    assert "utf8mb4_general_ci" in said
    assert "binary collation" in said
    caplog.clear()
    MappedStore(engine, [mapping(BINARY)]).search(SCOPE, Query(USER))
    MappedStore(engine, [mapping(KEYED, Column(KEYED.login, key=KEYED.login_key))]).search(SCOPE, Query(USER))
    assert not caplog.records


def test_the_awaited_store_warns_too(engine: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    """The async store logs the same warning about a collation."""
    caplog.set_level(logging.WARNING, "scimkit")
    awaited_calls(engine, mapping(INSENSITIVE))[1]("userName pr")
    assert [each.levelname for each in caplog.records] == ["WARNING"]


FOREIGN = [pytest.param(NARROW, "😀", id="utf8mb3"), pytest.param(LATIN, "łukasz", id="latin1")]


@both_colors
@pytest.mark.parametrize(("model", "text"), FOREIGN)
def test_a_character_that_a_column_does_not_have(engine: sa.Engine, calls: Any, model: Any, text: str) -> None:
    """Writing a character that the charset lacks is 400 `invalidValue` with the attribute and without the value."""
    create, found = calls(engine, mapping(model))
    for name, more, path in ((text, {}, "userName"), ("ada", {"title": text}, "title")):
        with pytest.raises(InvalidValue) as refused:
            create(name, **more)
        assert str(refused.value) == f"{path} has a character that this service cannot store."
    assert found("userName pr") == []


@both_colors
@pytest.mark.parametrize(("model", "text"), FOREIGN)
def test_a_filter_with_a_character_that_a_column_does_not_have(
    engine: sa.Engine, calls: Any, model: Any, text: str
) -> None:
    """A comparison with a character that the charset lacks matches nothing, and its negation matches everything."""
    create, found = calls(engine, mapping(model))
    create("ada", title="Lead")
    for operator in ("eq", "co", "sw", "ew", "gt"):
        assert found(f'userName {operator} "{text}"') == []
    assert found(f'title eq "{text}"') == []
    assert found(f'title eq "{text}" or userName eq "ADA"') == ["ada"]
    for wanted in (f'userName ne "{text}"', f'not (title eq "{text}")', f'userName lt "{text}"'):
        assert found(wanted) == ["ada"]


@pytest.mark.parametrize(("model", "text"), FOREIGN)
def test_a_change_to_a_character_that_a_column_does_not_have(engine: sa.Engine, model: Any, text: str) -> None:
    """Replacing a value by one with a character that the charset lacks is refused, and the user stays unchanged."""
    store = MappedStore(engine, [mapping(model)])
    id = store.create(SCOPE, USER, user("ada")).document["id"]
    with pytest.raises(InvalidValue, match="userName"):
        store.replace(SCOPE, USER, id, user(text))
    with pytest.raises(InvalidValue, match="userName"):
        store.transaction(SCOPE, lambda inner: inner.replace(SCOPE, USER, id, user(text)))
    query = Query(USER, filters.parse(f'title eq "{text}"'))
    assert store.transaction(SCOPE, lambda inner: inner.search(SCOPE, query)).total == 0
    assert store.get(SCOPE, USER, id)["userName"] == "ada"


@pytest.mark.parametrize(("model", "text"), FOREIGN)
def test_an_id_with_a_character_that_a_column_does_not_have(engine: sa.Engine, model: Any, text: str) -> None:
    """An id or a tenant with a character that the charset lacks is not found."""
    by_login = ResourceMapping(USER, model, id=model.login, attributes={"userName": model.login})
    store = MappedStore(engine, [by_login])
    with pytest.raises(NotFound):
        store.get(SCOPE, USER, text)
    in_tenants = MappedStore(engine, [mapping(model, tenant=model.title)])
    assert in_tenants.search(Scope(text), Query(USER)).total == 0


def test_the_sql_store_has_every_character(engine: sa.Engine) -> None:
    """The SQL store keeps bytes, so that charset and collation do not matter."""
    assert MYSQL_URL is not None
    store, scope = SqlStore(MYSQL_URL), Scope(f"collations-{os.urandom(4).hex()}")
    for name in ("ada", "ada ", "muller", "müller", "ada😀", "ada😁", "łukasz"):
        store.create(scope, USER, user(name))
        (one,) = store.search(scope, Query(USER, filters.parse(f'userName eq "{name}"'))).documents
        assert one["userName"] == name
    with pytest.raises(ScimError):
        store.create(scope, USER, user("ADA"))
    store.engine.dispose()
