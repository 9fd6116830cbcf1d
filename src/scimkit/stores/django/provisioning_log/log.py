"""`DjangoProvisioningLog`: the provisioning log of a `DjangoStore`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from django.db import DEFAULT_DB_ALIAS

from scimkit.provisioning import LogEntry
from scimkit.stores.django.provisioning_log.rows import DjangoLogRows
from scimkit.stores.django.transactions import Result, Transactions
from scimkit.stores.log_rows import LogRows
from scimkit.stores.row_log import RowLog

_PATIENCE: Final = 10.0


class DjangoProvisioningLog(RowLog):
    """A `SyncProvisioningLog` in the tables of the app `scimkit.stores.django.provisioning_log`.

    Args:
        using: The alias of the database.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self._transactions = Transactions(using)
        self._rows = DjangoLogRows(using)

    def insert(self, entries: Sequence[LogEntry]) -> None:
        """Add entries in the transaction that is open."""
        self._rows.insert(entries)

    def _read(self, work: Callable[[LogRows], Result]) -> Result:
        return self._transactions.read(lambda: work(self._rows), monotonic() + _PATIENCE)

    def _write(self, work: Callable[[LogRows], Result]) -> Result:
        return self._transactions.write(lambda: work(self._rows), monotonic() + _PATIENCE)
