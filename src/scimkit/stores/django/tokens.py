"""Storage of token records in a database of the Django project. This module never sees a token, only its hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from scimkit.stores.django.transactions import Transactions
from scimkit.tokens import TokenRecord


class DjangoTokenStore:
    """A `TokenStore` in the table of the app `scimkit.stores.django`: `TokenRegistry(DjangoTokenStore())`.

    Args:
        using: The alias of the database in `DATABASES`.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self._transactions = Transactions(using)

    def add(self, record: TokenRecord) -> None:
        self._transactions.write(lambda: self._rows.create(**asdict(record)))

    def find(self, id: str) -> TokenRecord | None:
        row = self._transactions.read(lambda: self._rows.filter(id=id).first())
        return None if row is None else row.record()

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        return [each.record() for each in self._transactions.read(lambda: list(self._rows.filter(tenant=tenant)))]

    def update(self, record: TokenRecord) -> None:
        self._transactions.write(lambda: self._rows.filter(id=record.id).update(**asdict(record)))

    @property
    def _rows(self) -> Any:
        """The rows of the table of tokens."""
        return apps.get_model("scimkit", "ScimToken").objects.using(self._transactions.using)
