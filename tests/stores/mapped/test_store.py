"""The mapped store over the helpdesk's tables: columns, rules of the helpdesk, and numbers of statements."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import DeclarativeBase

from scimkit import GROUP, USER, Query, Scope, filters
from scimkit.errors import InvalidValue, MutabilityViolation, NotFound, PreconditionFailed, Uniqueness
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.sorting import Sort
from scimkit.stores.sqlalchemy import Choice, Computed, IsNull, MappedStore, ReadOnly, ResourceMapping
from tests.stores.databases import DATABASES
from tests.stores.mapped.helpdesk import (
    AGENTS,
    ENTERPRISE,
    TEAMS,
    Agent,
    Membership,
    Team,
    Ticket,
    account,
    helpdesk_of,
    now,
    sessions_of,
)


@pytest.fixture
def scope() -> Scope:
    """A tenant that only this test uses."""
    return Scope(account())


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """The name of each database."""
    return str(request.param)


def user(user_name: str, **more: Any) -> dict[str, Any]:
    """Return the document of a user."""
    document = {"schemas": [USER.schema], "userName": user_name, **more}
    return {**document, "schemas": USER.schemas_of(document)}


def group(name: str, *members: str) -> dict[str, Any]:
    """Return the document of a group."""
    return {"schemas": [GROUP.schema], "displayName": name, "members": [{"value": each} for each in members]}


def row(database: str, id: str) -> Agent:
    """Return the helpdesk's row of a user."""
    with sessions_of(database)() as session:
        return session.scalars(sa.select(Agent).where(Agent.public_id == UUID(id))).one()


@contextmanager
def statements(database: str) -> Iterator[list[str]]:
    """Yield the list of statements that are sent to a database."""
    sent: list[str] = []
    engine = sessions_of(database).kw["bind"]

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(" ".join(statement.split()))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def test_attributes_are_stored_in_their_columns(database: str, scope: Scope) -> None:
    """Each attribute is in the column of its entry. An attribute without an entry is in the `rest` column."""
    document = user(
        "Ada", name={"givenName": "Ada", "familyName": "King", "middleName": "M"}, active=False, userType="contractor",
        emails=[{"value": "h@e.org", "type": "home"}, {"value": "w@e.org", "type": "WORK", "display": "W"}],
        locale="en", nickName="Countess", **{ENTERPRISE: {"department": "Support", "costCenter": "7", "division": "D"}},
    )  # fmt: skip
    id = helpdesk_of(database).create(scope, USER, document).document["id"]
    agent = row(database, id)
    assert (agent.login, agent.first_name, agent.last_name, agent.account) == ("Ada", "Ada", "King", scope.tenant)
    assert (agent.email, agent.home_email, agent.kind, agent.department) == ("w@e.org", "h@e.org", "ext", "Support")
    assert agent.disabled_at is not None
    assert agent.profile == {"ui": {"locale": "en"}, "cost_center": "7"}
    assert agent.scim_extra == {
        "name": {"middleName": "M"}, "nickName": "Countess", ENTERPRISE: {"division": "D"},
        "emails": [{"$slot": 'type eq "home"'}, {"$slot": 'type eq "work"', "display": "W"}],
    }  # fmt: skip
    shown = helpdesk_of(database).get(scope, USER, id)
    assert shown["emails"] == [
        {"value": "h@e.org", "type": "home"}, {"value": "w@e.org", "type": "work", "primary": True, "display": "W"},
    ]  # fmt: skip
    assert shown["name"] == {"givenName": "Ada", "familyName": "King", "middleName": "M", "formatted": "Ada King"}
    assert shown["userType"] == "Contractor"


def test_unmapped_attributes_are_dropped_without_rest(scope: Scope) -> None:
    """Without a `rest` column, unmapped attributes are dropped, and writing only these changes nothing."""
    store = helpdesk_of("sqlite", [replace(AGENTS, rest=None)])
    other = {"value": "x@e.org", "type": "other"}
    written = store.create(scope, USER, user("ada", nickName="Countess", emails=[other]))
    assert {"nickName", "emails"}.isdisjoint(written.document)
    id = written.document["id"]
    assert not store.change(scope, USER, id, ChangeSet({"nickName": "x", "emails": [other]})).changed


def test_writes_of_the_application_are_served(database: str, scope: Scope) -> None:
    """A row that the helpdesk writes is served at once, and a NULL column gives no element."""
    store = helpdesk_of(database)
    emails = [{"value": "w@e.org", "type": "work", "display": "W"}, {"value": "o@e.org", "type": "other"}]
    id = store.create(scope, USER, user("ada", emails=emails)).document["id"]
    for work, shown in (("n@e.org", ["n@e.org", "o@e.org"]), (None, ["o@e.org"]), ("b@e.org", ["b@e.org", "o@e.org"])):
        with sessions_of(database).begin() as session:
            session.execute(sa.update(Agent).where(Agent.account == scope.tenant).values(email=work))
        assert [each["value"] for each in store.get(scope, USER, id)["emails"]] == shown


def test_element_without_type_takes_the_first_column(scope: Scope) -> None:
    """An e-mail address without a type takes the first column. Of two work addresses, the primary is stored."""
    store = helpdesk_of("sqlite")
    written = store.create(scope, USER, user("ada", emails=[{"value": "a@e.org"}]))
    assert written.document["emails"] == [{"value": "a@e.org", "type": "work", "primary": True}]
    two = [{"value": "b@e.org", "type": "work"}, {"value": "c@e.org", "type": "work", "primary": True}]
    changed = store.change(scope, USER, written.document["id"], ChangeSet({"emails": two}))
    assert changed.document["emails"] == [{"value": "c@e.org", "type": "work", "primary": True}]


def test_removing_sets_null_or_the_default(scope: Scope) -> None:
    """Removing an attribute sets NULL, the empty text or the default. Other columns refuse the removal."""
    store = helpdesk_of("sqlite")
    document = user("ada", name={"givenName": "A", "familyName": "B"}, active=False, title="x", userType="Employee")
    id = store.create(scope, USER, document).document["id"]
    changed = store.change(scope, USER, id, ChangeSet({}, frozenset({"name", "active", "title", "userType"})))
    assert changed.document["active"] is True
    assert {"name", "title", "userType"}.isdisjoint(changed.document)
    agent = row("sqlite", id)
    assert (agent.first_name, agent.last_name, agent.title, agent.kind) == ("", None, None, None)
    dated = replace(AGENTS, attributes={"userName": Agent.login, "active": Choice(Agent.created_at, {})})
    with pytest.raises(InvalidValue, match="active must be one of the values that this service supports"):
        helpdesk_of("sqlite", [dated]).create(scope, USER, user("bob", active=True))


REFUSED = [
    (
        {"emails": [{"value": "x@forbidden.example", "type": "work"}]},
        "emails.value has a value that this service refuses",
    ),
    ({"title": "x" * 101}, "title must have at most 100 characters"),
    ({"userType": "Robot"}, "userType must be one of the values that this service supports"),
    ({ENTERPRISE: {"manager": {"value": "nobody"}}}, "manager.value must be the id of an existing User"),
    ({ENTERPRISE: {"manager": {"value": str(uuid4())}}}, "manager.value must be the id of an existing User"),
]


@pytest.mark.parametrize(("attributes", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refused_values_are_invalid_value(
    attributes: dict[str, Any], message: str, database: str, scope: Scope
) -> None:
    """A value that a validator or a column refuses is 400 `invalidValue` with the attribute, and nothing is stored."""
    store = helpdesk_of(database)
    id = store.create(scope, USER, user("ada")).document["id"]
    before = store.get(scope, USER, id)
    for write in (
        lambda: store.create(scope, USER, user("bob", **attributes)),
        lambda: store.change(scope, USER, id, ChangeSet({"nickName": "x", **attributes})),
        lambda: store.replace(scope, USER, id, user("ada", **attributes)),
    ):
        with pytest.raises(InvalidValue) as refused:
            write()
        assert message in str(refused.value)
    assert store.search(scope, Query(USER)).documents == [before]


def test_unique_index_of_the_application_is_uniqueness(database: str, scope: Scope) -> None:
    """A login that only the unique index of the helpdesk refuses is 409 `uniqueness` with the name of the attribute."""
    store = helpdesk_of(database, [replace(AGENTS, where=Agent.disabled_at.is_(None))])
    with sessions_of(database).begin() as session:
        session.add(Agent(account=scope.tenant, login="Ada", disabled_at=now()))
    id = store.create(scope, USER, user("bob")).document["id"]
    for write in (
        lambda: store.create(scope, USER, user("ADA")),
        lambda: store.change(scope, USER, id, ChangeSet({"userName": "ada"})),
    ):
        with pytest.raises(Uniqueness, match="userName"):
            write()
    assert [each["userName"] for each in store.search(scope, Query(USER)).documents] == ["bob"]


def test_referenced_row_is_not_deleted(database: str, scope: Scope) -> None:
    """Deleting an agent with tickets is refused with 400 `mutability`, and the agent stays in its teams."""
    store = helpdesk_of(database)
    id = store.create(scope, USER, user("ada")).document["id"]
    team = store.create(scope, GROUP, group("team", id)).document["id"]
    with sessions_of(database).begin() as session:
        session.add(Ticket(agent_id=row(database, id).id))
    with pytest.raises(MutabilityViolation):
        store.delete(scope, USER, id)
    assert [each["value"] for each in store.get(scope, GROUP, team)["members"]] == [id]


def test_soft_delete_hides_the_resource(database: str, scope: Scope) -> None:
    """With `delete` and `where`, deleting archives the row and hides the resource, also from its teams."""

    def archive(agent: Agent) -> None:
        agent.disabled_at, agent.login = now(), f"{agent.login} was here"

    archived = replace(
        AGENTS, where=Agent.disabled_at.is_(None), delete=archive, attributes={"userName": Agent.login}
    )  # fmt: skip
    store = helpdesk_of(database, [archived, TEAMS])
    id = store.create(scope, USER, user("ada")).document["id"]
    team = store.create(scope, GROUP, group("team", id)).document["id"]
    store.delete(scope, USER, id)
    with pytest.raises(NotFound):
        store.get(scope, USER, id)
    assert "members" not in store.get(scope, GROUP, team)
    assert store.search(scope, Query(GROUP, filters.parse("members pr"))).total == 0
    assert store.create(scope, GROUP, group("next", id)).skipped_members == (id,)
    assert row(database, id).disabled_at is not None
    assert store.create(scope, USER, user("ada")).document["id"] != id


def test_a_member_is_one_row(database: str, scope: Scope) -> None:
    """Adding or removing a member of a group changes and reads no other membership."""
    store = helpdesk_of(database)
    people = [store.create(scope, USER, user(f"a{number}")).document["id"] for number in range(5)]
    team = store.create(scope, GROUP, group("team", *people[:4])).document["id"]
    key = sa.select(Agent.id).where(Agent.public_id == UUID(people[4]))
    for changes in (ReferenceChanges(added=({"value": people[4]},)), ReferenceChanges(removed=frozenset({people[4]}))):
        with statements(database) as sent:
            written = store.change(scope, GROUP, team, ChangeSet(references={"members": changes}))
        assert written.changed
        assert "members" not in written.document
        memberships = [each for each in sent if "hd_membership" in each]
        assert sum(not each.startswith("SELECT") for each in memberships) == 1
        assert all(" IN (" in each for each in memberships if not each.startswith("INSERT"))
    with sessions_of(database)() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Membership.agent_id.in_(key))) == 0


def test_unrequested_members_are_not_read(scope: Scope) -> None:
    """`excludedAttributes=members` reads no memberships, neither for one group nor for a page of groups."""
    store = helpdesk_of("sqlite")
    id = store.create(scope, USER, user("ada")).document["id"]
    team = store.create(scope, GROUP, group("team", id)).document["id"]
    with statements("sqlite") as sent:
        store.get(scope, GROUP, team, lambda name: name != "members")
        store.search(scope, Query(GROUP, requested=lambda name: name != "members"))
    assert sent
    assert not [each for each in sent if "hd_membership" in each or "hd_subteam" in each]


def test_a_page_costs_as_many_statements_as_a_row(scope: Scope) -> None:
    """A page needs one statement for all managers and one statement for all groups."""
    store = helpdesk_of("sqlite")
    boss = store.create(scope, USER, user("boss")).document["id"]
    counts = []
    for number in range(3):
        store.create(scope, USER, user(f"a{number}", **{ENTERPRISE: {"manager": {"value": boss}}}))
        with statements("sqlite") as sent:
            page = store.search(scope, Query(USER))
        counts.append(len(sent))
        assert page.documents[-1][ENTERPRISE]["manager"] == {"value": boss}
    assert len(set(counts)) == 1


def test_a_manager_is_a_relationship(database: str, scope: Scope) -> None:
    """A manager must be an agent of the same tenant. Removing or deleting the manager unassigns the attribute."""
    store = helpdesk_of(database)
    boss, ada = (store.create(scope, USER, user(name)).document["id"] for name in ("boss", "ada"))
    far = store.create(Scope(account()), USER, user("far")).document["id"]
    with pytest.raises(InvalidValue):
        store.change(scope, USER, ada, ChangeSet({ENTERPRISE: {"manager": {"value": far}}}))
    changed = store.change(scope, USER, ada, ChangeSet({ENTERPRISE: {"manager": {"value": boss}}}))
    assert changed.document[ENTERPRISE] == {"manager": {"value": boss}}
    assert not store.change(scope, USER, ada, ChangeSet({ENTERPRISE: {"manager": {"value": boss}}})).changed
    found = store.search(scope, Query(USER, filters.parse(f'{ENTERPRISE}:manager.value eq "{boss}"'))).documents
    assert [each["id"] for each in found] == [ada]
    store.delete(scope, USER, boss)
    assert ENTERPRISE not in store.get(scope, USER, ada)


BARE: dict[str, Any] = {"version": None, "modified": None, "created": None}
UNCOUNTED = (replace(AGENTS, **BARE), replace(TEAMS, **BARE))


def test_versions_without_a_column(database: str, scope: Scope) -> None:
    """Without a version column, every change of the row or its members changes the version."""
    store = helpdesk_of(database, UNCOUNTED)
    ada = store.create(scope, USER, user("ada")).document
    assert set(ada["meta"]) == {"resourceType", "version"}
    assert ada["meta"]["version"].startswith('W/"')
    with sessions_of(database).begin() as session:
        session.execute(sa.update(Agent).where(Agent.account == scope.tenant).values(title="x"))
    with pytest.raises(PreconditionFailed):
        store.change(scope, USER, ada["id"], ChangeSet({"title": "y"}), ada["meta"]["version"])
    team = store.create(scope, GROUP, group("team")).document
    changes = ChangeSet(references={"members": ReferenceChanges(({"value": ada["id"]},))})
    joined = store.change(scope, GROUP, team["id"], changes).document
    assert joined["meta"]["version"] != team["meta"]["version"]
    assert store.get(scope, GROUP, team["id"], "displayName".__eq__)["meta"] == joined["meta"]
    with pytest.raises(PreconditionFailed):
        store.delete(scope, GROUP, team["id"], team["meta"]["version"])
    store.delete(scope, GROUP, team["id"], joined["meta"]["version"])


def test_expected_version_without_a_version_column(database: str, scope: Scope) -> None:
    """If many writes expect the same version, exactly one succeeds."""
    store = helpdesk_of(database, UNCOUNTED)
    ada = store.create(scope, USER, user("ada")).document

    def swap(number: int) -> bool:
        try:
            store.change(scope, USER, ada["id"], ChangeSet({"title": f"{number}"}), ada["meta"]["version"])
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(swap, range(12))) == 1


def test_row_numbers_as_ids(database: str, scope: Scope) -> None:
    """With prefixes, the helpdesk's row numbers serve as ids. A malformed id is not found."""
    store = helpdesk_of(database, [replace(AGENTS, id=Agent.id, prefix="a-"), replace(TEAMS, id=Team.id, prefix="t-")])
    id = store.create(scope, USER, user("ada")).document["id"]
    team = store.create(scope, GROUP, group("team", id, id.replace("a", "t"), "a-0", "x")).document
    assert [each["value"] for each in team["members"]] == [id]
    number = id.removeprefix("a-")
    assert number.isdigit()
    for other in (number, f"a-0{number}", f"a- {number}", f"a-{number}.0", f"t-{number}x", "a-", "a-9" + "9" * 30):
        with pytest.raises(NotFound):
            store.get(scope, USER, other)
        assert store.search(scope, Query(USER, filters.parse(f'id eq "{other}"'))).total == 0
    assert store.search(scope, Query(GROUP, filters.parse(f'members eq "{id}"'))).total == 1


def test_computed_and_read_only(scope: Scope) -> None:
    """A `Computed` entry is read, written and filtered by its functions. A `ReadOnly` entry keeps its value."""

    def rename(agent: Agent, value: str | None) -> None:
        agent.first_name, _, agent.last_name = (value or "").partition(" ")

    attributes = {
        "userName": Agent.login,
        "displayName": Computed(
            read=lambda agent: f"{agent.first_name} {agent.last_name or ''}".strip() or None,
            write=rename,
            expression=Agent.first_name + " " + sa.func.coalesce(Agent.last_name, ""),
        ),
        "title": ReadOnly(Agent.title),
        "active": IsNull(Agent.disabled_at, otherwise=now),
    }
    mapped = ResourceMapping(USER, Agent, id=Agent.public_id, tenant=Agent.account, attributes=attributes)
    store = helpdesk_of("sqlite", [mapped])
    ada = store.create(scope, USER, user("ada", displayName="Ada King", title="x")).document
    assert ada["displayName"] == "Ada King"
    assert "title" not in ada
    assert (row("sqlite", ada["id"]).first_name, row("sqlite", ada["id"]).last_name) == ("Ada", "King")
    assert store.search(scope, Query(USER, filters.parse('displayName eq "ADA KING"'))).total == 1
    assert store.search(scope, Query(USER, filters.parse("title pr or active eq false"))).total == 0


def test_rows_of_the_application_are_in_the_transaction(database: str, scope: Scope) -> None:
    """Rows that the application writes through `session` belong to the transaction of the store."""
    store = helpdesk_of(database)

    def work(inner: Any, fails: bool) -> str:
        id = str(inner.create(scope, USER, user(f"ada{fails}")).document["id"])
        session = inner.session
        agent = session.scalars(sa.select(Agent).where(Agent.account == scope.tenant).order_by(Agent.id.desc())).first()
        session.add(Ticket(agent_id=agent.id))
        if fails:
            raise RuntimeError
        return id

    assert store.session is None
    id = store.transaction(scope, lambda inner: work(inner, False))
    with pytest.raises(RuntimeError):
        store.transaction(scope, lambda inner: work(inner, True))
    assert [each["id"] for each in store.search(scope, Query(USER)).documents] == [id]
    with sessions_of(database)() as session:
        mine = sa.select(Agent.id).where(Agent.account == scope.tenant)
        assert session.scalar(sa.select(sa.func.count()).where(Ticket.agent_id.in_(mine))) == 1


def test_one_tenant_when_there_is_no_column() -> None:
    """Without a tenant column, only the default tenant has resources, and other tenants cannot create any."""
    mapped = replace(AGENTS, tenant=None, where=Agent.account == "nobody's", new=lambda: Agent(account="nobody's"))
    store = helpdesk_of("sqlite", [mapped])
    assert "tenants" in store.unsupported
    id = store.create(Scope(), USER, user(account())).document["id"]
    assert store.get(Scope(), USER, id)["id"] == id
    with pytest.raises(NotFound):
        store.get(Scope("other"), USER, id)
    with pytest.raises(NotFound, match="tenant"):
        store.create(Scope("other"), USER, user("bob"))


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    """An engine of the application."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
    yield engine
    engine.dispose()


def test_an_engine_or_a_sessionmaker(engine: sa.Engine) -> None:
    """The store accepts an engine or a sessionmaker, and uses the engine unchanged."""
    Agent.metadata.create_all(engine)
    store = MappedStore(engine, [AGENTS, TEAMS])
    id = store.create(Scope(), USER, user("ada")).document["id"]
    assert store.search(Scope(), Query(USER)).documents == [store.get(Scope(), USER, id)]
    with pytest.raises(Uniqueness):
        store.create(Scope(), USER, user("ADA"))


class Strict(DeclarativeBase):
    """The base of models without nullable columns."""


class Customer(Strict):
    """A model without nullable columns."""

    __tablename__ = "customer"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    login: orm.Mapped[str]
    title: orm.Mapped[str]
    locale: orm.Mapped[str] = orm.mapped_column(server_default="en")
    enabled: orm.Mapped[bool] = orm.mapped_column(default=True)
    extra: orm.Mapped[dict[str, Any]] = orm.mapped_column(sa.JSON)


def test_columns_that_are_never_null(engine: sa.Engine) -> None:
    """In a column that is not nullable, unassigned is the empty text or the default. Filters treat it as unassigned."""
    Strict.metadata.create_all(engine)
    attributes = {
        "userName": Customer.login, "title": Customer.title, "locale": Customer.locale, "active": Customer.enabled,
    }  # fmt: skip
    mapped = ResourceMapping(USER, Customer, id=Customer.id, attributes=attributes, rest=Customer.extra)
    store = MappedStore(engine, [mapped])
    ada = store.create(Scope(), USER, user("ada")).document
    assert (ada["active"], ada["locale"], "title" in ada) == (True, "en", False)
    with orm.Session(engine) as session:
        found = session.scalars(sa.select(Customer)).one()
        assert (found.title, found.extra) == ("", {})
    for text, total in (("title pr", 0), ("title eq null", 1), ('title ne "x"', 1), ('title lt "x"', 0)):
        assert store.search(Scope(), Query(USER, filters.parse(text))).total == total
    store.change(Scope(), USER, ada["id"], ChangeSet({"title": "x", "active": False}))
    changed = store.change(Scope(), USER, ada["id"], ChangeSet({}, frozenset({"title", "active"}))).document
    assert (changed["active"], "title" in changed) == (True, False)
    path = USER.resolve("title")
    assert path is not None
    store.create(Scope(), USER, user("bob", title="b"))
    page = store.search(Scope(), Query(USER, sort=Sort(path)))
    assert [each["userName"] for each in page.documents] == ["bob", "ada"]
