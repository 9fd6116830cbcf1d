"""Every store does what a slow and obvious model does, step by step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from scimkit import GROUP, USER, MemoryStore, Query, ScimError, Scope, filters
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.testing import reference
from tests.stores.databases import DATABASES, apart

TENANTS = st.sampled_from([Scope("a"), Scope("b")])
NAMES = st.sampled_from(["ada", "ADA", "bo", "cy", "di"])
EMAILS = st.lists(st.sampled_from(["x@e.org", "X@e.org", "y@e.org"]), max_size=2, unique=True)
FILTERS = [
    'userName eq "Ada"', 'emails.value eq "x@E.org"', 'emails[value eq "y@e.org" and type pr]', "active eq false",
    'not (userName eq "ada")', 'userName eq "ada" or emails eq "x@e.org"', "userName sw \"b\"", "groups pr",
    'userName ne "bo" and active eq true', "externalId pr", 'meta.resourceType eq "User"',
]  # fmt: skip


class Model:
    """Users and groups of every tenant in plain dictionaries; every question is a walk over all."""

    def __init__(self) -> None:
        self.users: dict[tuple[str, str], dict[str, Any]] = {}
        self.groups: dict[tuple[str, str], dict[str, Any]] = {}

    def taken(self, tenant: str, name: str, but: str | None = None) -> bool:
        return any(
            key[0] == tenant and key[1] != but and each["userName"].casefold() == name.casefold()
            for key, each in self.users.items()
        )

    def of(self, kind: dict[tuple[str, str], Any], tenant: str) -> list[str]:
        return [id for each, id in kind if each == tenant]


class StoreMachine(RuleBasedStateMachine):
    """Drives a store and the model side by side."""

    users = Bundle("users")
    groups = Bundle("groups")
    store: Any

    @initialize()
    def start(self) -> None:
        self.store = self.make_store()
        self.model = Model()
        self.count = 0

    def make_store(self) -> Any:
        raise NotImplementedError

    @rule(target=users, scope=TENANTS, name=NAMES, emails=EMAILS, active=st.booleans())
    def create_user(self, scope: Scope, name: str, emails: list[str], active: bool) -> Any:
        document = self.user(name, emails, active)
        try:
            written = self.store.create(scope, USER, document)
        except ScimError as error:
            assert error.scim_type == "uniqueness"
            assert self.model.taken(scope.tenant, name)
            return multiple()
        assert not self.model.taken(scope.tenant, name)
        id = written.document["id"]
        self.model.users[scope.tenant, id] = document
        return scope.tenant, id

    def user(self, name: str, emails: list[str], active: bool) -> dict[str, Any]:
        document: dict[str, Any] = {"schemas": [USER.schema], "userName": name, "active": active}
        if emails:
            document["emails"] = [{"value": each, "type": "work"} for each in emails]
        return document

    @rule(key=users, name=NAMES, emails=EMAILS, active=st.booleans())
    def replace_user(self, key: tuple[str, str], name: str, emails: list[str], active: bool) -> None:
        document = self.user(name, emails, active)
        try:
            self.store.replace(Scope(key[0]), USER, key[1], document)
        except ScimError as error:
            assert key not in self.model.users or self.model.taken(key[0], name, key[1]), error
        else:
            self.model.users[key] = document

    @rule(key=users, name=NAMES | st.none(), active=st.booleans() | st.none())
    def change_user(self, key: tuple[str, str], name: str | None, active: bool | None) -> None:
        assigned = {n: v for n, v in (("userName", name), ("active", active)) if v is not None}
        unassigned = frozenset({"emails"}) if not assigned else frozenset()
        before = self.model.users.get(key)
        try:
            written = self.store.change(Scope(key[0]), USER, key[1], ChangeSet(assigned, unassigned))
        except ScimError:
            assert before is None or (name is not None and self.model.taken(key[0], name, key[1]))
            return
        assert before is not None
        after = {n: v for n, v in {**before, **assigned}.items() if n not in unassigned}
        assert written.changed is (after != before)
        self.model.users[key] = after

    @rule(key=consumes(users))
    def delete_user(self, key: tuple[str, str]) -> None:
        try:
            self.store.delete(Scope(key[0]), USER, key[1])
        except ScimError as error:
            assert error.status == 404
            assert key not in self.model.users
            return
        del self.model.users[key]
        for group in self.model.groups.values():
            group["members"].discard(key[1])

    @rule(target=groups, scope=TENANTS, members=st.lists(users, max_size=3))
    def create_group(self, scope: Scope, members: list[tuple[str, str]]) -> tuple[str, str]:
        self.count += 1
        document = {"schemas": [GROUP.schema], "displayName": f"group {self.count}"}
        if members:
            document["members"] = [{"value": id} for _, id in members]
        written = self.store.create(scope, GROUP, document)
        known = {id for _, id in members if (scope.tenant, id) in self.model.users}
        assert set(written.skipped_members) == {id for _, id in members} - known
        key = (scope.tenant, written.document["id"])
        self.model.groups[key] = {"members": known, "displayName": document["displayName"]}
        return key

    @rule(key=groups, added=st.lists(users, max_size=3), removed=st.lists(users, max_size=3), cleared=st.booleans())
    def change_members(self, key: tuple[str, str], added: Any, removed: Any, cleared: bool) -> None:
        gone = frozenset() if cleared else frozenset(id for _, id in removed)
        new = tuple({"value": id} for id in dict.fromkeys(id for _, id in added))
        changes = ChangeSet(references={"members": ReferenceChanges(new, gone, cleared)})
        group = self.model.groups[key]
        before = self.store.get(Scope(key[0]), GROUP, key[1])["meta"]
        written = self.store.change(Scope(key[0]), GROUP, key[1], changes)
        kept = set() if cleared else group["members"] - gone
        after = kept | {id for _, id in added if (key[0], id) in self.model.users}
        assert written.changed is (after != group["members"]) or gone & after
        if not written.changed:
            assert written.document["meta"] == before
        group["members"] = after

    @invariant()
    def same_resources(self) -> None:
        if not hasattr(self, "model"):
            return
        for tenant in ("a", "b"):
            page = self.store.search(Scope(tenant), Query(USER, count=1000))
            assert page.total == len(page.documents)
            assert [each["id"] for each in page.documents] == self.model.of(self.model.users, tenant)
            for each in page.documents:
                expected = self.model.users[tenant, each["id"]]
                assert {name: each[name] for name in expected} == expected
                inside = {
                    id for (t, id), group in self.model.groups.items() if t == tenant and each["id"] in group["members"]
                }
                assert {entry["value"] for entry in each.get("groups", ())} == inside
        for (tenant, id), group in self.model.groups.items():
            found = self.store.get(Scope(tenant), GROUP, id)
            assert {each["value"] for each in found.get("members", ())} == group["members"]

    @rule(scope=TENANTS, text=st.sampled_from(FILTERS))
    def search(self, scope: Scope, text: str) -> None:
        wanted = filters.parse(text)
        everybody = self.store.search(scope, Query(USER, count=1000)).documents
        expected = [each["id"] for each in everybody if reference.matches(USER, dict(each), wanted.node)]
        page = self.store.search(scope, Query(USER, wanted, count=1000))
        assert [each["id"] for each in page.documents] == expected
        assert page.total == len(expected)
        second = self.store.search(scope, Query(USER, wanted, start_index=2, count=1))
        assert [each["id"] for each in second.documents] == expected[1:2]


class MemoryMachine(StoreMachine):
    """The memory store."""

    def make_store(self) -> Any:
        return MemoryStore()


class SqliteMachine(StoreMachine):
    """The SQL store on SQLite."""

    def make_store(self) -> Any:
        return apart("sqlite")


class PostgresqlMachine(StoreMachine):
    """The SQL store on PostgreSQL."""

    def make_store(self) -> Any:
        return apart("postgresql")


class MysqlMachine(StoreMachine):
    """The SQL store on MariaDB or MySQL."""

    def make_store(self) -> Any:
        return apart("mysql")


TestMemoryStore = MemoryMachine.TestCase
TestSqlite = SqliteMachine.TestCase
TestPostgresql = PostgresqlMachine.TestCase
TestMysql = MysqlMachine.TestCase
for _case, _database in ((TestSqlite, 0), (TestPostgresql, 1), (TestMysql, 2)):
    _case.pytestmark = list(DATABASES[_database].marks)
    _case.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
TestMemoryStore.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


INDEXED = [
    'id eq "{id}"', 'userName eq "ADA"', 'externalId eq "e1"', 'displayName eq "ada king"', 'emails.value eq "X@e.org"',
    'emails eq "x@e.org"', 'groups eq "{group}"', 'id eq "{id}" and userName eq "ada"',
]  # fmt: skip


@pytest.mark.parametrize("text", INDEXED)
def test_equality_reads_no_other_document(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equality on an indexed attribute answers from the index: no document is compared."""
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
    whole = MemoryStore._whole
    monkeypatch.setattr(MemoryStore, "_whole", lambda *args: read.append(1) or whole(*args))
    page = store.search(scope, Query(USER, wanted))
    assert [each["id"] for each in page.documents] == [id]
    assert len(read) == 1
    two = store.search(scope, Query(GROUP, filters.parse(f'id eq "{group}" and members eq "{id}"'), count=0))
    assert two.total == 1
    assert len(read) == 1
