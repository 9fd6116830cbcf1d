"""The states of a breaker in a database of Django's."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from scimkit.events import Transaction
from scimkit.stores.breaker import BreakerState, StateChange
from scimkit.stores.django.transactions import Joined, Transactions


class DjangoBreakerStore:
    """A `BreakerStore` in the table of the app `scimkit.stores.django`, for a `DjangoStore`."""

    is_async: Literal[False] = False

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self._using = using

    def read(self, tenant: str) -> BreakerState:
        row = Transactions(self._using).read(lambda: self._rows.filter(key=_key(tenant)).first())
        return BreakerState() if row is None else BreakerState.from_text(row.state)

    def update(self, tenant: str, change: StateChange, transaction: Transaction | None = None) -> BreakerState:
        transactions = Transactions(self._using) if transaction is None else Joined(self._using)
        return transactions.write(lambda: self._updated(tenant, change))

    def _updated(self, tenant: str, change: StateChange) -> BreakerState:
        """Lock the row of a tenant and change its state."""
        key, rows = _key(tenant), self._rows
        row = rows.select_for_update().filter(key=key).first()
        if row is None:
            missing = rows.model(key=key, tenant=tenant, state=BreakerState().to_text())
            rows.bulk_create([missing], ignore_conflicts=True)
            row = rows.select_for_update().get(key=key)
        before = BreakerState.from_text(row.state)
        after = change(before)
        if after != before:
            rows.filter(key=key).update(state=after.to_text())
        return after

    @property
    def _rows(self) -> Any:
        return apps.get_model("scimkit", "ScimBreaker").objects.using(self._using)


def _key(tenant: str) -> str:
    return hashlib.sha256(tenant.encode()).hexdigest()
