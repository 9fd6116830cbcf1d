"""Django's own users and groups behind a SCIM endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.stores.django.project import alias, alone

from django.contrib.auth.models import Group, User  # isort: skip
from django.db.models import Q  # isort: skip
from django.test import override_settings  # isort: skip

from scimkit import GROUP, USER, Query, Scope, filters
from scimkit.errors import NotFound, Uniqueness
from scimkit.stores.django import DjangoStore
from scimkit.stores.django.auth import auth_models, set_password
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


def test_a_user_of_djangos(client: Client, using: str) -> None:
    """A user comes, changes and goes as Django has it: names, address, whether it is active."""
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


def test_a_password_that_may_not_be(client: Client, using: str) -> None:
    """A password that the validators refuse is 400, and its user is not created; without one it is unusable."""
    rules = [{"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"}]
    with override_settings(AUTH_PASSWORD_VALIDATORS=rules):
        refused = client.post("/Users", {**ADA, "password": "1234567890"})
    assert (refused.status, refused.body["scimType"]) == (400, "invalidValue")
    assert "1234567890" not in str(refused.body)
    assert not User.objects.using(using).exists()
    client.post("/Users", ADA)
    assert not User.objects.using(using).get().has_usable_password()


def test_groups_of_djangos(client: Client, using: str) -> None:
    """Groups have their users by the table between them; who is in a group can be asked from both sides."""
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


def test_some_users_are_not_served(using: str) -> None:
    """`where` leaves out whom an identity provider shall not touch."""
    boss = User.objects.using(using).create(username="boss", is_superuser=True)
    store = DjangoStore(auth_models(where=Q(is_superuser=False)), using=using)
    with pytest.raises(NotFound):
        store.get(SCOPE, USER, f"u{boss.pk}")
    document: Any = {"schemas": [USER.schema], "userName": "boss"}
    with pytest.raises(Uniqueness):
        store.create(SCOPE, USER, document)
