"""Django's own users and groups behind a SCIM endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from tests.stores.django.project import alias, alone

from django.contrib.auth.models import Group, User  # isort: skip
from django.db.models import Q  # isort: skip
from django.apps import apps  # isort: skip
from django.core.management import call_command  # isort: skip
from django.db import connections  # isort: skip
from django.test import override_settings  # isort: skip
from django.test.utils import CaptureQueriesContext  # isort: skip

from scimkit import GROUP, USER, Query, Scope, filters
from scimkit.errors import NotFound, Uniqueness
from scimkit.stores.django import DjangoStore
from scimkit.stores.django.auth import auth_models, set_password
from scimkit.stores.django.external_ids.models import GroupExternalId, UserExternalId
from scimkit.stores.django.separate_values import SeparateValue
from tests.client import Client
from tests.stores.databases import DATABASES

SCOPE = Scope()


@pytest.fixture(params=DATABASES)
def using(request: pytest.FixtureRequest) -> Iterator[str]:
    """The alias of each database, without users."""
    using = alias(request.param)
    with alone(using):
        User.objects.using(using).all().delete()
        Group.objects.using(using).all().delete()
        yield using


@pytest.fixture
def client(using: str) -> Client:
    """A client of a service over Django's users."""
    return Client(store=DjangoStore(auth_models(), using=using), set_password=partial(set_password, using=using))


ADA = {
    "userName": "ada@example.org", "name": {"givenName": "Ada", "familyName": "King"},
    "emails": [{"type": "work", "value": "ada@example.org", "primary": True}], "active": True,
}  # fmt: skip


def test_user_is_created_changed_and_deleted(client: Client, using: str) -> None:
    """A user is created, changed and deleted in Django's table, with names, e-mail address and `active`."""
    created = client.post("/Users", {**ADA, "password": "correct horse battery"})
    assert created.status == 201
    assert {name: created.body[name] for name in ADA} == ADA
    user = User.objects.using(using).get()
    assert created.id == f"u{user.pk}"
    assert (user.username, user.first_name, user.last_name, user.email) == (
        "ada@example.org", "Ada", "King", "ada@example.org",
    )  # fmt: skip
    assert user.check_password("correct horse battery")
    off = {"op": "replace", "path": "active", "value": False}
    mail = {"op": "replace", "path": 'emails[type eq "work"].value', "value": "ada@new.example"}
    changed = client.patch(f"/Users/u{user.pk}", off, mail)
    assert (changed.body["active"], changed.body["emails"][0]["value"]) == (False, "ada@new.example")
    user.refresh_from_db()
    assert (user.is_active, user.email) == (False, "ada@new.example")
    assert client.delete(f"/Users/u{user.pk}").status == 204
    assert not User.objects.using(using).exists()


def test_refused_password(client: Client, using: str) -> None:
    """A password that the validators refuse is 400, and the user is not created. Without a password, it is unusable."""
    rules = [{"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"}]
    with override_settings(AUTH_PASSWORD_VALIDATORS=rules):
        refused = client.post("/Users", {**ADA, "password": "1234567890"})
    assert (refused.status, refused.body["scimType"]) == (400, "invalidValue")
    assert "1234567890" not in str(refused.body)
    assert not User.objects.using(using).exists()
    client.post("/Users", ADA)
    assert not User.objects.using(using).get().has_usable_password()


def test_groups_and_their_members(client: Client, using: str) -> None:
    """The members of a group and the groups of a user come from Django's tables."""
    store = DjangoStore(auth_models(), using=using)
    ids = [client.post("/Users", {"userName": name}).id for name in ("ada", "bo")]
    group = client.post("/Groups", {"displayName": "agents", "members": [{"value": each} for each in ids]}).id
    assert group.startswith("g")
    assert [each.username for each in Group.objects.using(using).get().user_set.order_by("pk")] == ["ada", "bo"]
    gone = {"op": "remove", "path": f'members[value eq "{ids[0]}"]'}
    assert client.patch(f"/Groups/{group}", gone).status == 204
    assert User.objects.using(using).get(groups__name="agents").username == "bo"
    page = store.search(SCOPE, Query(USER, filters.parse(f'groups.value eq "{group}"')))
    assert [each["userName"] for each in page.documents] == ["bo"]
    page = store.search(SCOPE, Query(GROUP, filters.parse(f'displayName eq "Agents" and members eq "{ids[1]}"')))
    assert page.total == 1
    with pytest.raises(Uniqueness):
        store.create(SCOPE, USER, {"schemas": [USER.schema], "userName": "ADA"})


def test_users_outside_where_are_not_served(using: str) -> None:
    """Users that do not meet `where` are not served."""
    boss = User.objects.using(using).create(username="boss", is_superuser=True)
    store = DjangoStore(auth_models(where=Q(is_superuser=False)), using=using)
    with pytest.raises(NotFound):
        store.get(SCOPE, USER, f"u{boss.pk}")
    document: Any = {"schemas": [USER.schema], "userName": "boss"}
    with pytest.raises(Uniqueness):
        store.create(SCOPE, USER, document)


class TestExternalIds:
    """`externalId` in the table of the app `external_ids` behaves like any other attribute."""

    def test_external_id_is_written_and_removed(self, client: Client, using: str) -> None:
        """POST, PUT and PATCH write `externalId`. Removing the attribute or deleting the user deletes the row."""
        created = client.post("/Users", {**ADA, "schemas": [USER.schema], "externalId": "E-1"})
        assert (created.body["externalId"], created.quirks) == ("E-1", ())
        rows = UserExternalId.objects.using(using)
        assert rows.get().value == "E-1"
        path = f"/Users/{created.id}"
        changed = client.patch(path, {"op": "replace", "path": "externalId", "value": "E-2"})
        assert changed.body["externalId"] == "E-2"
        assert changed.body["meta"]["version"] != created.body["meta"]["version"]
        assert rows.get().value == "E-2"
        assert "externalId" not in client.patch(path, {"op": "remove", "path": "externalId"}).body
        assert not rows.exists()
        assert client.put(path, {"userName": "ada", "externalId": "E-3"}).body["externalId"] == "E-3"
        assert "externalId" not in client.put(path, {"userName": "ada"}).body
        client.put(path, {"userName": "ada", "externalId": "E-4"})
        assert client.delete(path).status == 204
        assert not rows.exists()

    def test_groups_have_external_ids(self, client: Client, using: str) -> None:
        """A group has an `externalId` of its own, independent of a user with the same number."""
        user = client.post("/Users", {**ADA, "externalId": "X"})
        group = client.post("/Groups", {"displayName": "agents", "externalId": "Y"})
        assert group.body["externalId"] == "Y"
        assert client.get(f"/Users/{user.id}").body["externalId"] == "X"
        Group.objects.using(using).get().delete()
        assert not GroupExternalId.objects.using(using).exists()

    @pytest.mark.parametrize(("text", "names"), [
        ('externalId eq "E-1"', "a"), ('externalId eq "e-1"', ""), ('externalId ne "E-1"', "bcd"),
        ("externalId pr", "ab"), ('externalId sw "E"', "a"), ('externalId co "-2"', "b"),
        ('not (externalId eq "E-1")', "bcd"),
        ("externalId eq null", "cd"), ('externalId eq "E-1" or userName eq "d"', "ad"), ('externalId gt "E-1"', "b"),
    ])  # fmt: skip
    def test_filters(self, client: Client, text: str, names: str) -> None:
        """Every operator compares `externalId` with regard to case, and treats users without one as unassigned."""
        for name, external in (("a", "E-1"), ("b", "e-2"), ("c", None), ("d", None)):
            client.post("/Users", {"userName": name, "externalId": external})
        found = client.get(f"/Users?filter={quote(text)}")
        assert "".join(each["userName"] for each in found.body["Resources"]) == names

    def test_sorting_and_paging(self, client: Client) -> None:
        """Users are sorted by `externalId` across pages, and users without one come last."""
        for name, external in (("a", None), ("b", "2"), ("c", "1"), ("d", "3")):
            client.post("/Users", {"userName": name, "externalId": external})
        pages, query = [], "/Users?sortBy=externalId&count=2&cursor"
        while query:
            body = client.get(query).body
            pages.append("".join(each["userName"] for each in body["Resources"]))
            query = body.get("nextCursor") and f"/Users?sortBy=externalId&count=2&cursor={body['nextCursor']}"
        assert pages == ["cb", "da"]

    def test_a_page_costs_as_many_statements_as_a_row(self, client: Client, using: str) -> None:
        """The rows with `externalId` are read with the users in the same statement."""
        client.post("/Users", {"userName": "a", "externalId": "1"})
        with CaptureQueriesContext(connections[using]) as first:
            client.get("/Users")
        for number in range(5):
            client.post("/Users", {"userName": f"b{number}", "externalId": str(number)})
        with CaptureQueriesContext(connections[using]) as second:
            assert client.get("/Users").body["totalResults"] == 6
        assert len(second) == len(first)

    def test_external_id_that_is_too_long(self, client: Client, using: str) -> None:
        """An `externalId` that is too long for the column is 400, and nothing is written."""
        refused = client.post("/Users", {**ADA, "externalId": "x" * 256})
        assert (refused.status, refused.body["scimType"]) == (400, "invalidValue")
        assert refused.body["detail"] == "externalId must have at most 255 characters."
        assert not User.objects.using(using).exists()

    def test_without_the_app(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """Without the app, `externalId` is dropped. The log warns at the start, and each write reports it."""
        monkeypatch.setattr(apps, "is_installed", lambda name: False)
        client = Client(store=DjangoStore(auth_models()))
        assert all("externalId" in each for each in caplog.messages)
        assert len(caplog.messages) == 2
        assert client.service.resource_types == (USER, GROUP)


def test_unknown_relation_is_refused() -> None:
    """The name of a relation that does not exist is refused when the store is created."""
    for relation in ("nothing", "logentry"):
        users, groups = auth_models()
        wrong = replace(users, attributes={**users.attributes, "externalId": SeparateValue(relation, "value")})
        with pytest.raises(
            ValueError, match=f"{relation} must be the related name of a OneToOneField to the model User"
        ):
            DjangoStore([wrong, groups])


def test_no_migration_is_missing() -> None:
    """Django finds no missing migrations in the apps of scimkit."""
    call_command("makemigrations", "scimkit", "scimkit_external_ids", check=True, dry_run=True, verbosity=0)
