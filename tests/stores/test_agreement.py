"""The SQL store gives the same results on each database, and answers equality from an index."""

from __future__ import annotations

import pytest
from hypothesis import settings

from scimkit import GROUP, USER, MemoryStore, Query, Scope, SyncStore, filters
from scimkit.stores.memory_tables import Table
from scimkit.testing.contract import StoreMachine
from tests.stores.databases import MARKS, apart


class DatabasesMachine(StoreMachine):
    """A state machine that compares the SQL store on SQLite with the SQL store on PostgreSQL."""

    def make_stores(self) -> tuple[SyncStore, SyncStore]:
        return apart("sqlite"), apart("postgresql")


TestDatabases = DatabasesMachine.TestCase
TestDatabases.settings = settings(max_examples=3, stateful_step_count=15, deadline=None)
TestDatabases.pytestmark = MARKS["postgresql"]


INDEXED = [
    'id eq "{id}"', 'userName eq "ADA"', 'externalId eq "e1"', 'displayName eq "ada king"', 'emails.value eq "X@e.org"',
    'emails eq "x@e.org"', 'groups eq "{group}"', 'id eq "{id}" and userName eq "ada"',
]  # fmt: skip


@pytest.mark.parametrize("text", INDEXED)
def test_equality_reads_no_other_document(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equality on an indexed attribute is answered from the index, without comparing documents."""
    store, scope = MemoryStore(), Scope()
    for number in range(50):
        store.create(scope, USER, {"schemas": [USER.schema], "userName": f"user{number}"})
    ada = {"userName": "ada", "externalId": "e1", "displayName": "Ada King", "emails": [{"value": "x@e.org"}]}
    id = store.create(scope, USER, {"schemas": [USER.schema], **ada}).document["id"]
    members = [{"value": id}]
    group = store.create(scope, GROUP, {"schemas": [GROUP.schema], "displayName": "g", "members": members}).document[
        "id"
    ]
    wanted = filters.parse(text.format(id=id, group=group))
    read = []
    whole = Table.whole
    monkeypatch.setattr(Table, "whole", lambda *args: read.append(1) or whole(*args))
    page = store.search(scope, Query(USER, wanted))
    assert [each["id"] for each in page.documents] == [id]
    assert len(read) == 1
    two = store.search(scope, Query(GROUP, filters.parse(f'id eq "{group}" and members eq "{id}"'), count=0))
    assert two.total == 1
    assert len(read) == 1
