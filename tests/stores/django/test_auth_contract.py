"""The store over Django's own users and groups keeps the contract.

The contract runs on SQLite only: what is special to these tables is tried on every database in `test_auth`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.stores.django.project import Hosted, alias  # isort: skip  # sets Django up

from django.contrib.auth.models import Group, User  # isort: skip
from django.db import connections  # isort: skip

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
    lives = 1
    spare = "externalId"

    def make_store(self) -> Any:
        using = alias("sqlite")
        with connections[using].cursor() as cursor:  # Django's own index is by case
            cursor.execute("CREATE UNIQUE INDEX IF NOT EXISTS one_name ON auth_user (lower(username))")
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
