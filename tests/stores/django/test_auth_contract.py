"""The store over Django's own users and groups keeps the contract.

Only on SQLite: Django's table of users has no constraint on names that differ by case. Two creates at once may both
succeed where two transactions write at once. `docs/how-to/django.md` says how to add the constraint.
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
    """Users and groups of `django.contrib.auth`, with the table of external ids beside them."""

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
        """What Django has a column for, and `externalId`."""
        return path in KEPT[resource_type.name]

    def documents(self, resource_type: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
        """Users as Django can have them: active or not, with one address at work or none."""
        whole = super().documents(resource_type)
        if resource_type is not self.user_type:
            return whole
        address = st.builds(
            lambda value: [{"value": value, "type": "work", "primary": True}], st.sampled_from(self.texts)
        )
        more = st.fixed_dictionaries({"active": st.booleans()}, optional={"emails": address})
        return st.builds(lambda one, two: {**one, **two}, whole.map(_without_emails), more)

    def test_meta(self, store: SyncStore) -> None:
        """`meta` has the type, a version, and for users the instant of creation: Django has no other column."""
        id = self.user(store, "ada")
        meta = store.get(self.one, self.user_type, id)["meta"]
        assert meta.keys() == {"resourceType", "created", "version"}

    def paths(self, resource_type: ResourceType) -> st.SearchStrategy[AttributePath]:
        """What is in a column can be sorted by, and so can `externalId`."""
        return super().paths(resource_type).filter(lambda path: path.text in SORTED[resource_type.name])


def _without_emails(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "emails"}
