"""The Django store: signals and rules of the application, numbers of statements, and violated constraints."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.stores.django.declared import AGENTS, ATTRIBUTES, ENTERPRISE, TEAMS, helpdesk_of
from tests.stores.django.project import alias

from django.db import connections, transaction  # isort: skip
from django.db.models import F, Q  # isort: skip
from django.db.models.signals import m2m_changed, post_save  # isort: skip
from django.test.utils import CaptureQueriesContext  # isort: skip

from scimkit import GROUP, USER, Query, ScimError, Scope, filters
from scimkit.errors import InvalidFilter, InvalidValue, MutabilityViolation, NotFound, Unavailable, Uniqueness
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.django import Association, Column, Computed, DjangoStore, Json, Reference, ResourceMapping
from tests.stores.databases import DATABASES
from tests.stores.django.helpdesk.models import Agent, Membership, Team
from tests.stores.mapped.helpdesk import account

SCOPE = Scope()


@pytest.fixture(params=DATABASES)
def using(request: pytest.FixtureRequest) -> str:
    """The alias of each database."""
    return alias(request.param)


@pytest.fixture
def scope() -> Scope:
    """A tenant that no other test uses."""
    return Scope(account())


def user(login: str, **attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": login, **attributes}


def group(name: str, *members: str) -> dict[str, Any]:
    return {"schemas": [GROUP.schema], "displayName": name, "members": [{"value": each} for each in members]}


def member(id: str) -> ChangeSet:
    return ChangeSet(references={"members": ReferenceChanges(({"value": id},))})


def without(id: str) -> ChangeSet:
    return ChangeSet(references={"members": ReferenceChanges(removed=frozenset({id}))})


def found(store: Any, scope: Scope, text: str, resource_type: Any = USER) -> list[str]:
    page = store.search(scope, Query(resource_type, filters.parse(text)))
    return [each.get("userName") or each["displayName"] for each in page.documents]


class Statements(CaptureQueriesContext):
    """The statements of a block, without those that begin and end transactions."""

    def all(self) -> list[str]:
        words = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
        return [each["sql"] for each in self.captured_queries if not each["sql"].startswith(words)]


@pytest.fixture
def saved() -> Iterator[list[Any]]:
    """Yield the `update_fields` of each agent that is saved; None for a new agent."""
    fields: list[Any] = []

    def told(instance: Any, update_fields: Any, **_: Any) -> None:
        fields.append(update_fields if update_fields is None else set(update_fields))

    post_save.connect(told, sender=Agent)
    yield fields
    post_save.disconnect(told, sender=Agent)


def test_signals_have_the_changed_fields(using: str, scope: Scope, saved: list[Any]) -> None:
    """An agent is saved through the model, with the changed fields and the fields that every save sets."""
    store = helpdesk_of(using)
    id = store.create(scope, USER, user("ada", title="Agent")).document["id"]
    store.change(scope, USER, id, ChangeSet({"title": "Lead", "active": False}))
    store.change(scope, USER, id, ChangeSet({"title": "Lead"}))
    assert saved == [None, {"title", "disabled_at", "scim_version", "updated_at", "saved_at"}]


def test_value_refused_by_save_is_invalid_value(using: str, scope: Scope) -> None:
    """A value that the model's `save` method refuses is 400 with the SCIM attribute, and nothing is written."""
    store = helpdesk_of(using)
    emails = [{"type": "work", "value": "ada@forbidden.example"}]
    with pytest.raises(InvalidValue) as refused:
        store.create(scope, USER, user("ada", emails=emails))
    assert str(refused.value) == "emails.value has a value that this service refuses. Send another value."
    id = store.create(scope, USER, user("ada")).document["id"]
    with pytest.raises(InvalidValue):
        store.change(scope, USER, id, ChangeSet({"emails": emails, "title": "Lead"}))
    assert "title" not in store.get(scope, USER, id)


def test_members_are_changed_by_the_related_manager(using: str, scope: Scope) -> None:
    """A ManyToManyField sends signals for members, and the rows between groups and members get their defaults."""
    store, told = helpdesk_of(using), []

    def listen(action: str, pk_set: Any, **_: Any) -> None:
        told.append((action, pk_set and len(pk_set)))

    ids = [store.create(scope, USER, user(name)).document["id"] for name in ("ada", "bo")]
    team = store.create(scope, GROUP, group("tier1", ids[0])).document["id"]
    assert Membership.objects.using(using).get(team__public_id=team).since is not None
    m2m_changed.connect(listen, sender=Membership)
    try:
        store.change(scope, GROUP, team, member(ids[1]))
        store.change(scope, GROUP, team, without(ids[0]))
        store.change(scope, GROUP, team, ChangeSet(references={"members": ReferenceChanges(cleared=True)}))
    finally:
        m2m_changed.disconnect(listen, sender=Membership)
    after = [each for each in told if each[0].startswith("post")]
    assert after == [("post_add", 1), ("post_remove", 1), ("post_clear", None)]


def test_a_member_is_one_row(using: str, scope: Scope) -> None:
    """Adding one member inserts one row and reads no other member."""
    store = helpdesk_of(using)
    ids = [store.create(scope, USER, user(f"user{number}")).document["id"] for number in range(12)]
    team = store.create(scope, GROUP, group("tier1", *ids[:10])).document["id"]
    with Statements(connections[using]) as made:
        written = store.change(scope, GROUP, team, member(ids[10]))
    assert written.changed
    inserts = [each for each in made.all() if each.startswith("INSERT")]
    assert len(inserts) == 1
    assert inserts[0].upper().count("VALUES (") + inserts[0].upper().count("SELECT * FROM UNNEST") == 1
    reads = [each for each in made.all() if each.startswith("SELECT") and "membership" in each]
    own = Agent.objects.using(using).get(public_id=ids[10]).pk
    assert all(f"IN ({own})" in each for each in reads), reads
    with Statements(connections[using]) as made:
        assert not store.change(scope, GROUP, team, member(ids[10])).changed
    assert not [each for each in made.all() if not each.startswith("SELECT")]
    assert {each["value"] for each in store.get(scope, GROUP, team)["members"]} == set(ids[:11])


def test_an_association_without_a_field(using: str, scope: Scope) -> None:
    """A model with two foreign keys can link groups and members."""
    teams = ResourceMapping(
        GROUP, Team, id="public_id", tenant="account", version="scim_version",
        attributes={"displayName": "name"}, members=[Association(Membership, "team", "agent")],
    )  # fmt: skip
    store = helpdesk_of(using, (AGENTS, teams))
    ids = [store.create(scope, USER, user(name)).document["id"] for name in ("ada", "bo")]
    team = store.create(scope, GROUP, group("tier1", *ids)).document["id"]
    store.change(scope, GROUP, team, without(ids[0]))
    assert found(store, scope, 'groups.display eq "Tier1"') == ["bo"]
    store.delete(scope, USER, ids[1])
    assert "members" not in store.get(scope, GROUP, team)


def test_filters_on_every_kind_of_entry(using: str, scope: Scope) -> None:
    """Filters work on every kind of entry: columns, JSON, choices, expressions, references and columns without NULL."""
    store = helpdesk_of(using)
    mia = store.create(scope, USER, user("mia")).document["id"]
    store.create(scope, USER, user(
        "ada", name={"givenName": "Ada", "familyName": "King"}, locale="nb-NO", userType="Contractor", active=False,
        **{ENTERPRISE: {"costCenter": "null", "department": "IT", "manager": {"value": mia}}},
    ))  # fmt: skip
    for text, names in {
        'name.formatted eq "ada KING"': ["ada"],
        'name.formatted ew "king" and name.givenName co "D"': ["ada"],
        'locale sw "NB"': ["ada"],
        "locale pr": ["ada"],
        'locale ne "en"': ["mia", "ada"],
        "not (locale pr)": ["mia"],
        'userType eq "contractor"': ["ada"],
        "active eq true": ["mia"],
        f'{ENTERPRISE}:costCenter eq "null"': ["ada"],
        f'{ENTERPRISE}:manager.value eq "{mia}"': ["ada"],
        f"not ({ENTERPRISE}:manager.value pr)": ["mia"],
        'userName eq "a\\u0000b"': [],
        'userName ne "a\\u0000b"': ["mia", "ada"],
        'userName gt "A\\u0000b" and userName lt "b"': ["ada"],
        f'id eq "{mia}" or id eq "x"': ["mia"],
        'meta.created gt "2020-01-01T00:00:00Z"': ["mia", "ada"],
    }.items():
        assert found(store, scope, text) == names, text
    with pytest.raises(InvalidFilter):
        found(store, scope, 'nickName eq "x"')


def test_json_null_is_unassigned(using: str, scope: Scope) -> None:
    """In JSON, null and a value of another shape are unassigned. The text "null" is a value."""
    store = helpdesk_of(using)
    for name, profile in (("ada", {"ui": {"locale": None}}), ("bo", {"ui": {"locale": "null"}}), ("cy", [1])):
        Agent(account=scope.tenant, login=name, profile=profile).save(using=using)
    assert found(store, scope, "locale pr") == ["bo"]
    assert found(store, scope, "locale eq null") == ["ada", "cy"]


def test_constraints_name_the_attribute(using: str, scope: Scope) -> None:
    """A duplicate value is 409 `uniqueness` with the attribute, even if only the database detects it."""
    hidden = ResourceMapping(USER, Agent, id="public_id", tenant="account", attributes=ATTRIBUTES, where=Q(kind="emp"))
    store = helpdesk_of(using, (hidden, TEAMS))
    Agent(account=scope.tenant, login="Ada", kind="ext").save(using=using)
    assert found(store, scope, "userName pr") == []
    with pytest.raises(Uniqueness) as taken:
        store.create(scope, USER, user("ada", userType="Employee"))
    assert taken.value.attribute == "userName"
    with pytest.raises(InvalidValue, match="100 characters"):
        store.create(scope, USER, user("x" * 101))


def test_rows_outside_where_are_hidden(using: str, scope: Scope) -> None:
    """A row that does not meet `where` is no resource, no member and no manager."""
    hidden = ResourceMapping(
        USER, Agent, id="public_id", tenant="account", attributes=ATTRIBUTES, version="scim_version",
        where=~Q(title="Bot") | Q(title=None),
    )  # fmt: skip
    store, whole = helpdesk_of(using, (hidden, TEAMS)), helpdesk_of(using)
    bot = whole.create(scope, USER, user("bot", title="Bot")).document["id"]
    team = whole.create(scope, GROUP, group("tier1", bot)).document["id"]
    with pytest.raises(NotFound):
        store.get(scope, USER, bot)
    assert "members" not in store.get(scope, GROUP, team)
    assert found(store, scope, f'members eq "{bot}"', GROUP) == []
    assert store.change(scope, GROUP, team, member(bot)).skipped_members == (bot,)
    with pytest.raises(InvalidValue):
        store.create(scope, USER, user("ada", **{ENTERPRISE: {"manager": {"value": bot}}}))


def test_one_of_many_concurrent_creates_succeeds(using: str, scope: Scope) -> None:
    """Of concurrent requests for one user name in any case, one succeeds and the others are 409 `uniqueness`."""
    store = helpdesk_of(using)

    def create(name: str) -> str:
        try:
            return str(store.create(scope, USER, user(name)).document["userName"])
        except ScimError as error:
            return str(error.scim_type)

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(create, ["ada", "Ada", "ADA", "aDa"] * 2))
    assert outcomes.count("uniqueness") == 7
    assert store.search(scope, Query(USER)).total == 1


def test_within_a_transaction_of_the_application(using: str, scope: Scope) -> None:
    """A rollback of the application undoes the store's writes. A failed write undoes only itself."""
    store = helpdesk_of(using)
    with transaction.atomic(using=using):
        store.create(scope, USER, user("ada"))
        with pytest.raises(Uniqueness):
            store.create(scope, USER, user("ADA"))
        Agent(account=scope.tenant, login="bo").save(using=using)
        transaction.set_rollback(False, using=using)
    assert found(store, scope, "userName pr") == ["ada", "bo"]
    with transaction.atomic(using=using):
        store.create(scope, USER, user("cy"))
        transaction.set_rollback(True, using=using)
    assert found(store, scope, "userName pr") == ["ada", "bo"]


def test_a_protected_row_is_not_deleted(using: str, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """A protected row is not deleted, and the client receives an error."""
    from django.db.models import ProtectedError

    def delete(self: Any, *_: Any, **__: Any) -> None:
        raise ProtectedError("tickets of ada", set())

    monkeypatch.setattr(Agent, "delete", delete)
    store = helpdesk_of(using)
    id = store.create(scope, USER, user("ada")).document["id"]
    with pytest.raises(MutabilityViolation) as refused:
        store.delete(scope, USER, id)
    assert "ada" not in str(refused.value)
    assert store.get(scope, USER, id)["userName"] == "ada"


def test_a_lost_database_is_unavailable(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of the database is 503, without the text of the database."""
    connections.settings["lost"] = {**connections.settings["sqlite"], "NAME": "/nowhere/scim.db"}
    store = DjangoStore((AGENTS, TEAMS), using="lost")
    try:
        for ask in (lambda: store.search(scope, Query(USER)), lambda: store.create(scope, USER, user("ada"))):
            with pytest.raises(Unavailable) as failed:
                ask()
            assert "nowhere" not in str(failed.value)
    finally:
        del connections.settings["lost"]


def test_key_column_is_never_returned(using: str, scope: Scope) -> None:
    """A column that is only used as a key for comparisons is never returned."""
    teams = ResourceMapping(
        GROUP, Team, id="public_id", tenant="account", version="scim_version",
        attributes={"displayName": Column("name", key="external_id")}, members=["agents"],
    )  # fmt: skip
    store = helpdesk_of(using, (AGENTS, teams))
    ada = store.create(scope, USER, user("ada")).document["id"]
    team = Team.objects.using(using).create(account=scope.tenant, name="Tier 1", external_id="tier 1")
    team.agents.add(Agent.objects.using(using).get(public_id=ada))
    assert store.get(scope, USER, ada)["groups"][0]["display"] == "Tier 1"
    assert found(store, scope, 'displayName eq "TIER 1"', GROUP) == ["Tier 1"]


WRONG = [
    ({"id": "nobody"}, "id: nobody is not a field of the model Agent"),
    ({"id": "teams"}, "id: teams is not a column of the model Agent"),
    ({"attributes": {"userName": object()}}, "userName.*expected the name of a field, or an expression"),
    ({"attributes": {"userName": "login", "locale": Json("profile")}}, "locale.*needs the key"),
    ({"attributes": {"userName": "login", "title": Computed(str, expression=F("nothing"))}}, "title"),
    ({"attributes": {"userName": "login", f"{ENTERPRISE}:manager.value": Reference("login")}}, "Reference"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), WRONG)
def test_a_wrong_declaration(changed: dict[str, Any], message: str) -> None:
    """A mapping that does not fit its model is refused when the store is created, with the name of the entry."""
    given: dict[str, Any] = {"id": "public_id", "tenant": "account", "attributes": ATTRIBUTES, **changed}
    with pytest.raises(ValueError, match=message):
        DjangoStore([ResourceMapping(USER, Agent, **given)])


LINKS = ["name", "parents_of", Association(Membership, "agent", "team"), Association(Team, "x", "y")]


@pytest.mark.parametrize("link", LINKS)
def test_a_wrong_link(link: Any) -> None:
    """Members must be a many-to-many relation, or an `Association` whose first foreign key refers to the group."""
    names = {"displayName": "name"}
    teams = ResourceMapping(GROUP, Team, id="public_id", tenant="account", attributes=names, members=[link])
    with pytest.raises(ValueError, match=r"Team|Membership"):
        DjangoStore([AGENTS, teams])


def test_a_link_from_its_other_side() -> None:
    """A link is declared by its name in the group model, even if the member model has the ManyToManyField."""
    store = helpdesk_of("sqlite", (AGENTS, ResourceMapping(
        GROUP, Team, id="public_id", tenant="account", attributes={"displayName": "name"}, members=["parents"],
    )))  # fmt: skip
    scope = Scope(account())
    inner = store.create(scope, GROUP, group("inner")).document["id"]
    outer = store.create(scope, GROUP, group("outer", inner)).document["id"]
    assert Team.objects.using("sqlite").get(public_id=inner).subteams.get().public_id.__str__() == outer
