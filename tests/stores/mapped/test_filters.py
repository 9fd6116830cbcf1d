"""Filters on the helpdesk's columns have the standard meaning, or are refused."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimkit import GROUP, USER, Query, Scope, filters
from scimkit.errors import InvalidFilter, InvalidPath
from scimkit.filters.filter import Filter
from scimkit.schema.attributes import AttributePath
from scimkit.stores.sorting import Sort
from scimkit.stores.sqlalchemy import Column, MappedStore, ResourceMapping
from scimkit.testing import reference, strategies
from tests.client import Client
from tests.stores.databases import DATABASES, MYSQL_URL
from tests.stores.mapped.helpdesk import (
    ATTRIBUTES,
    ENTERPRISE,
    Agent,
    Membership,
    Team,
    account,
    helpdesk,
    helpdesk_of,
    sessions_of,
)

TEXTS = ("a", "A", "b", "work", "home", "ab", "a b", 'q"\\', "%", "_", "Employee", "contractor")
MAPPED = {path.partition("[")[0] for path in ATTRIBUTES} - {"name.formatted"} | {"emails.value", "emails.type"}
TEXT = st.sampled_from(TEXTS)
NO = st.none()

AGENTS = st.builds(
    dict, first_name=st.just("") | TEXT, last_name=NO | TEXT, email=NO | TEXT, home_email=NO | TEXT, title=NO | TEXT,
    external_id=NO | TEXT, kind=st.sampled_from([None, "emp", "ext", "tmp", "unheard of"]), department=NO | TEXT,
    disabled_at=st.sampled_from([None, sa.func.now()]),
    profile=st.sampled_from([None, {}, {"ui": 5}, {"ui": {"locale": "a"}}, {"ui": {}, "cost_center": "A"}]),
    scim_extra=st.sampled_from([None, {}, {"emails": [{"value": "a", "type": "other"}]}, {"nickName": "a"}]),
)  # fmt: skip
"""Rows in forms that the helpdesk itself may have written."""


def keeps(path: AttributePath) -> bool:
    """Report whether filters on an attribute are tested. Only mapped attributes are."""
    return path.text in MAPPED or path.text in ("id", "emails") or path.text.startswith(("groups", "meta."))


@pytest.mark.parametrize("database", DATABASES)
def test_generated_filters_agree_with_the_reference(database: str) -> None:
    """A filter finds the same rows as the reference model, or is refused."""
    store, asked, refused = helpdesk_of(database), [0], [0]

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(st.lists(AGENTS, min_size=1, max_size=6), st.data())
    def agree(agents: list[dict[str, Any]], data: st.DataObject) -> None:
        scope = Scope(account())
        with sessions_of(database).begin() as session:
            rows = [Agent(account=scope.tenant, login=f"a{n}", **each) for n, each in enumerate(agents)]
            team = Team(account=scope.tenant, name=data.draw(TEXT))
            session.add_all([*rows, team])
            session.flush()
            rows[0].manager_id = rows[-1].id
            session.add(Membership(team_id=team.id, agent_id=rows[0].id))
        documents = store.search(scope, Query(USER)).documents
        for node in data.draw(st.lists(strategies.filters(USER, depth=1, texts=TEXTS, keeps=keeps), min_size=12)):
            asked[0] += 1
            try:
                page = store.search(scope, Query(USER, Filter(node)))
            except InvalidFilter:
                refused[0] += 1
                continue
            expected = [each["id"] for each in documents if reference.matches(USER, dict(each), node)]
            assert [each["id"] for each in page.documents] == expected, str(node)

    agree()
    assert refused[0] < asked[0] / 2


SERVED = [
    'userName eq "A0"', 'userName sw "a"', "active eq true", "active ne true", "not (active eq false)", "active pr",
    'emails[type eq "work" and value eq "X@e.org"]', 'emails[type eq "home" and value pr]', 'emails[type eq "Work"]',
    'emails[type eq "work" and primary eq true]', 'emails[(type eq "work" or type eq "home") and value co "e"]',
    'userType eq "Contractor"', 'userType ne "Employee"', "userType pr", 'locale eq "en"', "not (locale pr)",
    f'{ENTERPRISE}:department co "SUP"', f"{ENTERPRISE}:manager pr", f'{ENTERPRISE}:manager.value ne "x"',
    'meta.created gt "2020-01-01T00:00:00.1234567+01:00"', 'meta.created le "2020-01-01T00:00:00Z"',
    'meta.lastModified ne "2020-01-01T00:00:00.1234567Z"', 'meta.version eq "W/\\"1\\""', 'meta.version ne "x"',
    'groups.display eq "TIER 1"', 'groups[type eq "direct" and display sw "tier"]', "groups pr", "id pr", 'id eq "x"',
    'externalId eq "E1" or title eq null', "id ne null",
]  # fmt: skip


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("text", SERVED)
def test_filter_on_a_column_is_answered(text: str, database: str) -> None:
    """A filter on mapped attributes is never refused, and finds the same rows as the reference model."""
    store, scope = helpdesk_of(database), Scope(account())
    with sessions_of(database).begin() as session:
        one = Agent(account=scope.tenant, login="a0", email="x@e.org", kind="ext", department="Support",
                    external_id="e1")  # fmt: skip
        two = Agent(account=scope.tenant, login="b0", home_email="y@e.org", kind="emp", manager=one,
                    disabled_at=one.created_at, profile={"ui": {"locale": "EN"}})  # fmt: skip
        team = Team(account=scope.tenant, name="Tier 1")
        session.add_all([one, two, team, Agent(account=scope.tenant, login="c0", title="x")])
        session.flush()
        session.add(Membership(team_id=team.id, agent_id=two.id))
    wanted = filters.parse(text)
    documents = store.search(scope, Query(USER)).documents
    expected = [each["id"] for each in documents if reference.matches(USER, dict(each), wanted.node)]
    assert [each["id"] for each in store.search(scope, Query(USER, wanted)).documents] == expected


REFUSED = [
    ("nickName pr", "nickName"), ('name.middleName eq "x"', "name.middleName"), ("name pr", "name.formatted"),
    ('name.formatted eq "x"', "name.formatted"), ('emails eq "x"', 'emails[type eq "work"]'), ("emails pr", "emails"),
    ('emails.value ne "x"', "emails"), ('emails[type eq "other"]', "emails"), ('emails[not (type pr)]', "emails"),
    ('emails[type eq "work" or value eq "x"]', "emails"), ('emails[type eq "work" and display pr]', "emails.display"),
    ('phoneNumbers eq "1"', "phoneNumbers"), (f"{ENTERPRISE}:division pr", "division"), (f"{ENTERPRISE} pr", "User"),
    ('userName eq "a" or nickName eq "b"', "nickName"), ('not (nickName eq "b")', "nickName"), ('id sw "a"', "id"),
    ('meta.version sw "W"', "meta.version"), ('meta.created co "20"', "meta.created"), ('locale gt null', "null"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "named"), REFUSED)
def test_filter_without_a_column_is_refused(text: str, named: str) -> None:
    """A filter without a column is refused with 400 `invalidFilter`, and the detail names the attribute."""
    with pytest.raises(InvalidFilter) as refused:
        helpdesk_of("sqlite").search(Scope(account()), Query(USER, filters.parse(text)))
    assert named in str(refused.value)


def _statements(store: MappedStore, query: Query, database: str = "sqlite", tenant: str = "") -> list[tuple[str, Any]]:
    """Return the statements that a search sends to the database."""
    sent: list[tuple[str, Any]] = []
    engine = sessions_of(database).kw["bind"]

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        store.search(Scope(tenant), query)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return [(text, given) for text, given in sent if text.startswith("SELECT")]


def test_equality_uses_the_index() -> None:
    """`userName eq` uses the helpdesk's index on the tenant and the folded login."""
    (statement, given), *_ = _statements(helpdesk_of("sqlite"), Query(USER, filters.parse('userName eq "ADA"')))
    with sessions_of("sqlite")() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
    assert "USING INDEX hd_agent_login (account=? AND <expr>=?)" in str(plan)


def test_constants_are_bound() -> None:
    """Values of a filter are bound parameters, and never part of a statement."""
    text = "'; DROP TABLE hd_agent; --"
    for statement, _ in _statements(helpdesk_of("sqlite"), Query(USER, filters.parse(f'userName co "{text}"'))):
        assert "DROP" not in statement


def plain(attributes: dict[str, Any]) -> list[ResourceMapping]:
    """Return a mapping of agents without a `rest` column."""
    return [ResourceMapping(USER, Agent, id=Agent.public_id, tenant=Agent.account, attributes=attributes)]


@pytest.mark.parametrize(
    "text", ['emails[type eq "fax"]', 'emails[type eq "work" and primary eq false]', 'id eq "x" and userName pr']
)
def test_filter_on_constants_needs_no_statement(text: str) -> None:
    """A filter on constants is answered without a statement."""
    store = helpdesk_of("sqlite", plain(ATTRIBUTES))
    assert _statements(store, Query(USER, filters.parse(text))) == []


def test_every_element_is_filtered_without_rest() -> None:
    """Without a `rest` column, a multi-valued attribute can be filtered without brackets."""
    store, scope = helpdesk_of("sqlite", plain(ATTRIBUTES)), Scope(account())
    for name, kind in (("a", "work"), ("b", "home"), ("c", "other")):
        email = {"value": f"{name}@e.org", "type": kind}
        store.create(scope, USER, {"schemas": [USER.schema], "userName": name, "emails": [email]})
    for text, expected in (
        ('emails eq "A@e.org"', "a"), ("emails pr", "ab"), ('emails ne "a@e.org"', "bc"), ("not (emails pr)", "c"),
        ('emails[type ne "work"]', "b"), ('emails.type eq "home"', "b"), ("emails.value eq null", "c"),
    ):  # fmt: skip
        page = store.search(scope, Query(USER, filters.parse(text)))
        assert "".join(each["userName"] for each in page.documents) == expected, text


def test_entry_without_brackets_maps_the_only_element() -> None:
    """An entry such as `emails.value` without brackets maps the primary or the first element to one column."""
    store = helpdesk_of("sqlite", plain({"userName": Agent.login, "emails.value": Agent.email}))
    scope = Scope(account())
    emails = [{"value": "a@e.org", "type": "home"}, {"value": "b@e.org", "type": "work", "primary": True}]
    document = {"schemas": [USER.schema], "userName": "ada", "emails": emails}
    assert store.create(scope, USER, document).document["emails"] == [{"value": "b@e.org"}]
    assert store.search(scope, Query(USER, filters.parse('emails eq "B@e.org"'))).total == 1


@pytest.mark.parametrize("database", DATABASES)
def test_key_column_is_compared_ignoring_case(database: str) -> None:
    """A comparison that ignores case uses the key column with the folded text."""
    attributes = {"userName": Agent.login, "title": Column(Agent.title, key=Agent.department)}
    store, scope = helpdesk_of(database, plain(attributes)), Scope(account())
    with sessions_of(database).begin() as session:
        session.add(Agent(account=scope.tenant, login="a", title="ÄRGER", department="ärger"))
    for text, total in (('title eq "Ärger"', 1), ('title sw "Ä"', 1), ('title ne "ÄRGER"', 0), ('title eq "Arger"', 0)):
        assert store.search(scope, Query(USER, filters.parse(text))).total == total


def test_sort_without_a_single_column_is_refused() -> None:
    """Sorting by an attribute without exactly one column is refused."""
    store = helpdesk_of("sqlite")
    for text in ("nickName", "active", "locale", "emails.value", "name.formatted", "userType", "groups.value"):
        path = USER.resolve(text)
        assert path is not None
        with pytest.raises(InvalidPath, match="cannot sort by"):
            store.search(Scope(account()), Query(USER, sort=Sort(path)))
    members = GROUP.resolve("members.value")
    assert members is not None
    with pytest.raises(InvalidPath, match=r"cannot sort by members\.value"):
        store.search(Scope(account()), Query(GROUP, sort=Sort(members)))


@pytest.mark.skipif(MYSQL_URL is None, reason="SCIMKIT_TEST_MYSQL_URL names no MariaDB or MySQL")
def test_column_with_itself_as_key_uses_its_index() -> None:
    """A column that is its own key is compared by its collation, so that the database uses its index."""
    store, scope = helpdesk_of("mysql", plain({"userName": Column(Agent.login, key=Agent.login)})), Scope(account())
    with sessions_of("mysql").begin() as session:
        session.add(Agent(account=scope.tenant, login="Müller"))
    for text, total in (("MÜLLER", 1), ("müller", 1), ("muller", 1), ("müller ", 1), ("moller", 0)):
        assert store.search(scope, Query(USER, filters.parse(f'userName eq "{text}"'))).total == total
    wanted = filters.parse('userName eq "MÜLLER"')
    (statement, given), *_ = _statements(store, Query(USER, wanted), "mysql", scope.tenant)
    with sessions_of("mysql")() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", given).mappings().one()
    assert (plan["key"], plan["ref"]) == ("hd_agent_login_as_it_folds", "const,const")


@pytest.mark.parametrize("wanted", ['userName eq "a\\u0000b"', 'userName co "a\\u0000b"', 'id eq "a\\u0000b"'])
@pytest.mark.parametrize("database", DATABASES)
def test_filter_with_a_null_character_matches_nothing(database: str, wanted: str) -> None:
    """A filter with the character NUL matches nothing and is not answered with 503."""
    client = Client(helpdesk(database))
    client.user("ada")
    answer = client.post("/Users/.search", {"filter": wanted})
    assert (answer.status, answer.body["totalResults"]) == (200, 0), answer.body
