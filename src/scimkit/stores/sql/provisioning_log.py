"""`SqlProvisioningLog`: the provisioning log of a store in a SQL database. The statements are in `log_statements`."""

from __future__ import annotations

from collections.abc import Callable

from scimkit.stores.log_rows import LogRows
from scimkit.stores.row_log import RowLog
from scimkit.stores.sql.database import Result
from scimkit.stores.sql.log_statements import on_rows
from scimkit.stores.sql.log_tables import LogTables
from scimkit.stores.sql.outbox import Runner
from scimkit.stores.sql.timeouts import soon


class SqlProvisioningLog(RowLog):
    """A `SyncProvisioningLog` in two tables. A store makes it: `SqlStore(url, provisioning_log=True).provisioning_log`.

    Args:
        database: Runs the statements in transactions of their own.
        tables: The tables, from `provisioning_log_tables`.
    """

    def __init__(self, database: Runner, tables: LogTables) -> None:
        self.tables: LogTables = tables
        self._database = database

    def _read(self, work: Callable[[LogRows], Result]) -> Result:
        return self._database.read(on_rows(self.tables, work), soon())

    def _write(self, work: Callable[[LogRows], Result]) -> Result:
        return self._database.write(on_rows(self.tables, work), soon())
