"""Texts that a collation of MariaDB treats as equal, and characters that a charset lacks, in Django."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stores.django.project import alias

from django.db import connections, models  # isort: skip
from django.test.utils import CaptureQueriesContext  # isort: skip

from scimkit import USER, Query, Scope, filters
from scimkit.errors import InvalidValue, NotFound, Uniqueness
from scimkit.schema.attributes import folded
from scimkit.stores.django import Column, DjangoStore, ResourceMapping
from tests.stores.databases import MARKS

pytestmark = MARKS["mysql"]
SCOPE = Scope()
PAIRS = [
    pytest.param("Ada", "ada", id="case"),
    pytest.param("muller", "müller", id="accent"),
    pytest.param("ada", "ada ", id="trailing space"),
    pytest.param("ada😀", "ada😁", id="emoji"),
]


class Person(models.Model):
    """A user in a table that the fixture creates with some charset and collation."""

    login = models.CharField(max_length=100, unique=True)
    login_key = models.CharField(max_length=100, null=True)
    title = models.CharField(max_length=100, null=True)

    class Meta:
        app_label = "helpdesk"
        managed = False
        db_table = f"dj_person_{os.getpid()}"

    def save(self, *arguments: Any, **options: Any) -> None:
        """Save the row with the folded login."""
        self.login_key = folded(self.login)
        super().save(*arguments, **options)


class Table:
    """The table of the model `Person`."""

    def make(self, collation: str, unique: str = "login") -> DjangoStore:
        """Create the table and return a store over it. `unique` names the column of the unique index."""
        charset = collation.partition("_")[0]
        entry: Any = "login" if unique == "login" else Column("login", key=unique)
        run(f"DROP TABLE IF EXISTS {Person._meta.db_table}")
        run(
            f"CREATE TABLE {Person._meta.db_table} (id BIGINT PRIMARY KEY AUTO_INCREMENT, login VARCHAR(100) NOT NULL, "
            "login_key VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin, title VARCHAR(100), "
            f"UNIQUE ({unique})) CHARACTER SET {charset} COLLATE {collation}"
        )
        return DjangoStore([self.mapping(entry)], using="mysql")

    def mapping(self, entry: Any, **options: Any) -> ResourceMapping:
        return ResourceMapping(
            USER, Person, attributes={"userName": entry, "title": "title"}, **{"id": "id", **options}
        )


def run(statement: str) -> None:
    with connections["mysql"].cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def table() -> Iterator[Table]:
    """The table of the model `Person`, dropped after the test."""
    alias("mysql")
    yield Table()
    run(f"DROP TABLE IF EXISTS {Person._meta.db_table}")
    connections["mysql"].close()


def create(store: DjangoStore, name: str, **more: Any) -> Any:
    return store.create(SCOPE, USER, {"schemas": [USER.schema], "userName": name, **more}).document


def found(store: DjangoStore, text: str) -> list[str]:
    return [each["userName"] for each in store.search(SCOPE, Query(USER, filters.parse(text))).documents]


@pytest.mark.parametrize("unique", ["login", "login_key"])
def test_an_index_answers(table: Table, unique: str) -> None:
    """A look-up of a user name and the check before a POST read one row by an index, and not the whole table."""
    store = table.make("utf8mb4_general_ci", unique)
    for number in range(30):
        create(store, f"ada{number}")
    connection = connections["mysql"]
    with CaptureQueriesContext(connection) as said:
        assert found(store, 'userName eq "ADA7"') == ["ada7"]
        create(store, "bob")
    asked = [
        each["sql"] for each in said.captured_queries if each["sql"].startswith("SELECT") and " WHERE " in each["sql"]
    ]
    assert len(asked) >= 2
    with connection.cursor() as cursor:
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            (plan,) = cursor.fetchall()
            assert plan[3] in ("const", "ref", None), sql  # None: the index shows that there is no row


@pytest.mark.parametrize("has_key", [False, True], ids=["plain", "key"])
@pytest.mark.parametrize(("there", "new"), PAIRS)
def test_refused_user_name_is_found(table: Table, has_key: bool, there: str, new: str) -> None:
    """A user name that the collation treats as equal is 409 `uniqueness`, and `eq` finds the existing user."""
    store = table.make("utf8mb4_general_ci")
    if has_key:
        store = DjangoStore([table.mapping(Column("login", key="login"))], using="mysql")
    create(store, there)
    with pytest.raises(Uniqueness, match="userName"):
        create(store, new)
    assert found(store, f'userName eq "{new}"') == [there]
    assert found(store, f'userName ne "{new}"') == []


@pytest.mark.parametrize(("there", "new"), PAIRS)
def test_a_folded_key_column_tells_names_apart(table: Table, there: str, new: str) -> None:
    """With a folded key column, user names that differ in more than case are different."""
    store = table.make("utf8mb4_general_ci", "login_key")
    create(store, there)
    if folded(there) == folded(new):
        with pytest.raises(Uniqueness):
            create(store, new)
        assert found(store, f'userName eq "{new}"') == [there]
    else:
        create(store, new)
        assert found(store, f'userName eq "{new}"') == [new]


def test_the_log_warns_once_of_a_collation(table: Table, caplog: pytest.LogCaptureFixture) -> None:
    """At the first use, a store logs one warning about a collation that ignores case or accents."""
    caplog.set_level(logging.WARNING, "scimkit")
    store = table.make("utf8mb4_general_ci")
    for _ in range(2):
        found(store, "userName pr")
    (record,) = caplog.records
    assert f"{Person._meta.db_table}.login has the collation utf8mb4_general_ci" in record.getMessage()
    caplog.clear()
    found(table.make("utf8mb4_nopad_bin"), "userName pr")
    found(table.make("utf8mb4_general_ci", "login_key"), "userName pr")
    assert not caplog.records


FOREIGN = [
    pytest.param("utf8mb3_general_ci", "😀", id="utf8mb3"), pytest.param("latin1_swedish_ci", "łukasz", id="latin1"),
]  # fmt: skip


@pytest.mark.parametrize(("collation", "text"), FOREIGN)
def test_a_character_that_a_column_does_not_have(table: Table, collation: str, text: str) -> None:
    """Writing a character that the charset lacks is 400 `invalidValue` with the attribute and without the value."""
    store = table.make(collation)
    id = create(store, "ada")["id"]
    document = {"schemas": [USER.schema], "userName": text}
    for ask, path in (
        (lambda: create(store, text), "userName"),
        (lambda: create(store, "bob", title=text), "title"),
        (lambda: store.replace(SCOPE, USER, id, document), "userName"),
        (lambda: store.transaction(SCOPE, lambda inner: inner.replace(SCOPE, USER, id, document)), "userName"),
    ):
        with pytest.raises(InvalidValue) as refused:
            ask()
        assert str(refused.value) == f"{path} has a character that this service cannot store."
    assert found(store, "userName pr") == ["ada"]


@pytest.mark.parametrize(("collation", "text"), FOREIGN)
def test_a_filter_with_a_character_that_a_column_does_not_have(table: Table, collation: str, text: str) -> None:
    """A comparison with a character that the charset lacks matches nothing, and its negation matches everything."""
    store = table.make(collation)
    create(store, "ada", title="Lead")
    for operator in ("eq", "co", "sw", "ew", "gt"):
        assert found(store, f'userName {operator} "{text}"') == []
    assert found(store, f'title eq "{text}" or userName eq "ADA"') == ["ada"]
    for wanted in (f'userName ne "{text}"', f'not (title eq "{text}")'):
        assert found(store, wanted) == ["ada"]
    by_login = DjangoStore([table.mapping("login", id="login")], using="mysql")
    with pytest.raises(NotFound):
        by_login.get(SCOPE, USER, text)
    in_tenants = DjangoStore([table.mapping("login", tenant="title")], using="mysql")
    assert in_tenants.search(Scope(text), Query(USER)).total == 0
