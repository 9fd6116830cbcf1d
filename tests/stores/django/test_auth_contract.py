"""The store over Django's own users and groups passes the store contract.

The tests run on SQLite only. Django's table of users has no unique constraint on names that differ in case. Two
concurrent transactions could therefore create the same name. `docs/how-to/django.md` describes how to add the
constraint.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.stores.django.project import Hosted, alias, alone  # isort: skip  # sets Django up

from django.contrib.auth.models import Group, User

from scimkit.schema.attributes import AttributePath
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.django import DjangoStore
from scimkit.stores.django.auth import auth_models
from scimkit.stores.protocol import SyncStore
from scimkit.testing.contract import StoreContract

KEPT = {
    "User": {"userName", "externalId", "active", "name.givenName", "name.familyName", "emails.value", "emails.type",
             "emails.primary"},
    "Group": {"displayName", "externalId"},
}  # fmt: skip
SORTED = {
    "User": {"userName", "externalId", "active", "name.givenName", "name.familyName"},
    "Group": {"displayName", "externalId"},
}


class TestDjangosUsers(StoreContract):
    """The store contract for `django.contrib.auth`, with the app `external_ids`."""

    texts = ("a", "A", "b", "work", "ada@example.org", "a b", 'q"\\', "x" * 40)
    nested_groups = False
    examples = 2
    histories = 1
    spare = "externalId"
    database: str

    @pytest.fixture(autouse=True, params=["sqlite"])
    def _on(self, request: pytest.FixtureRequest) -> Iterator[None]:
        self.database = request.param
        with alone(alias(self.database)):
            yield

    def make_store(self) -> Any:
        using = alias(self.database)
        User.objects.using(using).all().delete()
        Group.objects.using(using).all().delete()
        return Hosted(DjangoStore(auth_models(), using=using), using)

    def keeps(self, resource_type: ResourceType, path: str) -> bool:
        """Report whether Django has a column for an attribute."""
        return path in KEPT[resource_type.name]

    def documents(self, resource_type: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
        """Return a strategy for users that Django can store."""
        whole = super().documents(resource_type)
        if resource_type is not self.user_type:
            return whole
        address = st.builds(
            lambda value: [{"value": value, "type": "work", "primary": True}], st.sampled_from(self.texts)
        )
        more = st.fixed_dictionaries({"active": st.booleans()}, optional={"emails": address})
        return st.builds(lambda one, two: {**one, **two}, whole.map(_without_emails), more)

    def test_meta(self, store: SyncStore) -> None:
        """`meta` has the resource type and a version. Users also have `created`, the only time that Django stores."""
        id = self.user(store, "ada")
        meta = store.get(self.one, self.user_type, id)["meta"]
        assert meta.keys() == {"resourceType", "created", "version"}

    def paths(self, resource_type: ResourceType) -> st.SearchStrategy[AttributePath]:
        """Return a strategy for paths with a column, which the store can sort by."""
        return super().paths(resource_type).filter(lambda path: path.text in SORTED[resource_type.name])


def _without_emails(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "emails"}
