"""Storage of OAuth clients in a database of the Django project. This module never sees a secret, only its hash."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Literal

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from scimkit.stores.django.transactions import Transactions
from scimkit.tokens import Client
from scimkit.tokens.clients import client_from_json, client_to_json


class DjangoClientStore:
    """A `ClientStore` in the table of the app `scimkit.stores.django`: `ClientRegistry(tokens, DjangoClientStore())`.

    Args:
        using: The alias of the database in `DATABASES`.
    """

    blocking: Literal[True] = True

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self._transactions = Transactions(using)

    def add(self, client: Client) -> None:
        keys = {"key": _key(client.id), "tenant_key": _key(client.tenant), "created": client.created}
        self._transactions.write(lambda: self._rows.create(**keys, **_values(client)))

    def find(self, id: str) -> Client | None:
        row = self._transactions.read(lambda: self._rows.filter(key=_key(id)).first())
        return None if row is None else client_from_json(row.document)

    def list(self, tenant: str) -> Sequence[Client]:
        rows = self._transactions.read(lambda: list(self._rows.filter(tenant_key=_key(tenant))))
        return sorted((client_from_json(each.document) for each in rows), key=lambda each: (each.created, each.id))

    def update(self, old: Client, new: Client) -> bool:
        present = {"key": _key(old.id), "version": old.version}
        changed: int = self._transactions.write(lambda: self._rows.filter(**present).update(**_values(new)))
        return changed == 1

    @property
    def _rows(self) -> Any:
        """The rows of the table of clients."""
        return apps.get_model("scimkit", "ScimClient").objects.using(self._transactions.using)


def _key(text: str) -> str:
    """Return the SHA-256 of an id or a tenant, because collations of MariaDB ignore case."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _values(client: Client) -> dict[str, Any]:
    """Return the values of the fields that a change of a client may change."""
    return {"version": client.version, "document": client_to_json(client)}
