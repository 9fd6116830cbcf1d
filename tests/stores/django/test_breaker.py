"""The breaker and the protected users over Django models."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.stores.django.project import Hosted, alias

from scimkit.safeguards import Breaker, keep_last  # isort: skip
from scimkit.stores.django import DjangoBreakerStore, DjangoStore  # isort: skip
from scimkit.testing.breaker_contract import BreakerStoreContract  # isort: skip
from tests.client import Client  # isort: skip
from tests.stores.databases import DATABASES  # isort: skip
from tests.stores.django.declared import AGENTS, TEAMS  # isort: skip

OFF = {"op": "replace", "path": "active", "value": False}


class ThreadedBreakerStore(DjangoBreakerStore):
    """A store whose threads close their connections after an update without a transaction."""

    def update(self, tenant: str, change: Any, transaction: Any = None) -> Any:
        outer = super() if transaction is not None else Hosted(super(), self._using)
        return outer.update(tenant, change, transaction)


@pytest.mark.parametrize("database", DATABASES)
class TestDjangoBreakerStore(BreakerStoreContract):
    """States in a table of the app `scimkit.stores.django`."""

    @pytest.fixture(autouse=True)
    def _on(self, database: str) -> None:
        self.database = alias(database)

    def make_stores(self) -> Any:
        store = Hosted(DjangoStore((AGENTS, TEAMS), using=self.database), self.database)
        return store, ThreadedBreakerStore(self.database)


@pytest.mark.parametrize("database", DATABASES)
def test_requests_at_once_leave_an_administrator(database: str) -> None:
    """Two requests that each remove one of the last two administrators cannot both succeed."""
    using = alias(database)
    tenant = f"d{os.urandom(6).hex()}"
    store = Hosted(DjangoStore((AGENTS, TEAMS), using=using), using)
    client = Client(store, tenant=tenant, protect=keep_last('title eq "Admin"'))
    for attempt in range(5):
        ids = [client.user(f"u{attempt}-{each}", title="Admin", active=True) for each in range(2)]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda id: client.patch(f"/Users/{id}", OFF), ids))
        assert sorted(each.status for each in answers) == [200, 403]
        plain = Client(store, tenant=tenant)
        for id in ids:
            plain.delete(f"/Users/{id}")


@pytest.mark.parametrize("database", DATABASES)
def test_a_breaker_counts_in_the_database_of_the_store(database: str) -> None:
    """Without `store=`, a breaker uses the database of the `DjangoStore`."""
    tenant = f"d{os.urandom(6).hex()}"
    breaker = Breaker(deactivations=1, percent=None)
    client = Client(DjangoStore((AGENTS, TEAMS), using=alias(database)), tenant=tenant, breaker=breaker)
    ada, bob = client.user("ada", active=True), client.user("bob", active=True)
    assert client.patch(f"/Users/{ada}", OFF).status == 200
    assert client.patch(f"/Users/{bob}", OFF).status == 403
    assert breaker.status(tenant).tripped
    breaker.release(tenant)
    assert client.patch(f"/Users/{bob}", OFF).status == 200
    assert client.delete(f"/Users/{ada}").status == 403
