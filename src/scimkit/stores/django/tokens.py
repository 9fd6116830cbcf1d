"""Storage of token records in a database of the Django project. This module never sees a token, only its hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from time import monotonic
from typing import Any, Final

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q

from scimkit.stores.django.transactions import Transactions
from scimkit.tokens import TokenRecord

_TOUCH_TIMEOUT: Final = 1.0
"""Seconds that a request waits at most until the time of last use is written."""


class DjangoTokenStore:
    """A `TokenStore` in the table of the app `scimkit.stores.django`: `TokenRegistry(DjangoTokenStore())`.

    Args:
        using: The alias of the database in `DATABASES`.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self._transactions = Transactions(using)

    def add(self, record: TokenRecord) -> None:
        self._transactions.write(lambda: self._rows.create(**_values(record)))

    def find(self, id: str) -> TokenRecord | None:
        row = self._transactions.read(lambda: self._rows.filter(id=id).first())
        return None if row is None or row.id != id else row.record()

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        rows = self._transactions.read(lambda: list(self._rows.filter(tenant=tenant)))
        return [each.record() for each in rows if each.tenant == tenant]  # a collation may ignore case

    def update(self, old: TokenRecord, new: TokenRecord) -> bool:
        values = _values(new)
        for name in ("id", "last_used"):
            del values[name]
        state = {"active": old.active, "expires": old.expires, "revoked": old.revoked}
        changed: int = self._transactions.write(lambda: self._rows.filter(id=old.id, **state).update(**values))
        return changed == 1

    def touch(self, id: str, instant: datetime) -> None:
        earlier = Q(last_used=None) | Q(last_used__lt=instant)
        self._transactions.write(
            lambda: self._rows.filter(earlier, id=id).update(last_used=instant), monotonic() + _TOUCH_TIMEOUT
        )

    def remove_expired(self, tenant: str, created_by: str, before: datetime) -> None:
        """Delete the records of a tenant with this `created_by` that expired before a time."""
        ended = {"tenant": tenant, "created_by": created_by, "expires__lt": before}
        self._transactions.write(lambda: self._rows.filter(**ended).delete())

    @property
    def _rows(self) -> Any:
        """The rows of the table of tokens."""
        return apps.get_model("scimkit", "ScimToken").objects.using(self._transactions.using)


def _values(record: TokenRecord) -> dict[str, Any]:
    """Return the values of the fields for a token record."""
    return asdict(record) | {"scopes": " ".join(record.scopes)}
