"""`LogRows`: the tables of a provisioning log in an open transaction, and the values that its methods take.

`scimkit.stores.log_operations` is the log on top of these rows. This module does no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from scimkit.provisioning import LogEntry

INDEXED: Final = ("resource_id", "external_id", "cycle_id", "action", "token_id", "result")
"""The columns with an index that begins with the tenant. The first ones lead to the fewest rows."""
MOST_SORTED: Final = 10_000
"""The largest number of rows of a label prefix that a search sorts."""
NO_KEY: Final = b"\xff"
"""Bytes that are no UTF-8 text, so that no column has them. Stands for NULL in comparisons that use no index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Entries of one tenant to read, newest first."""

    tenant: bytes
    """The key of the tenant."""
    equal: tuple[tuple[str, Any], ...] = ()
    """Columns and the values that they must have. The index of the first column leads to the rows."""
    labels: tuple[bytes, bytes | None] | None = None
    """The smallest key of a label, and the smallest key that is too large."""
    by_label: bool = False
    """True if the index of the labels leads to the rows. They are then at most `MOST_SORTED`."""
    since: str | None = None
    """The smallest id."""
    before: str | None = None
    """The smallest id that is too large."""
    limit: int
    """The largest number of rows."""

    @property
    def index(self) -> str:
        """The column whose index leads to the rows; `id` if all rows of the tenant are read."""
        return "label_key" if self.by_label else self.equal[0][0] if self.equal else "id"


@dataclass(frozen=True, slots=True)
class Activity:
    """The requests of a token in one minute, or in all minutes of a cycle. Times are milliseconds since 1970."""

    cycle_id: str
    token_id: str
    first: int
    last: int
    reads: int


@dataclass(frozen=True, slots=True)
class Minute:
    """The key of the activity of a token in a minute."""

    tenant: bytes
    token_id: bytes
    minute: int


class LogRows(Protocol):
    """The tables of a provisioning log, in an open transaction."""

    def insert(self, entries: Sequence[LogEntry]) -> None:
        """Insert entries. An entry whose id exists is left out."""
        ...

    def find(self, id: str) -> LogEntry | None:
        """Return the entry with an id."""
        ...

    def entries(self, scan: Scan) -> Sequence[LogEntry]:
        """Return the entries of a scan, newest first."""
        ...

    def count_labels(self, scan: Scan) -> int:
        """Return the number of rows of a tenant with labels in the range of a scan, but at most `MOST_SORTED + 1`."""
        ...

    def update(self, entries: Sequence[LogEntry]) -> None:
        """Write the payload, the external id and the label of entries."""
        ...

    def delete_older(self, before: str, limit: int) -> int:
        """Delete the oldest entries with smaller ids, and return their number."""
        ...

    def add_activity(self, key: Minute, at: int, reads: int) -> str | None:
        """Add to the activity of a minute and return the id of its cycle. Return None if there is no such activity."""
        ...

    def latest_activity(self, key: Minute) -> Activity | None:
        """Return the newest activity of a token, and lock its row if the database has locks of rows."""
        ...

    def insert_activity(self, key: Minute, activity: Activity) -> bool:
        """Insert the activity of a minute. Return False if another transaction has inserted one."""
        ...

    def activity_of_cycles(
        self, tenant: bytes, token_id: bytes | None, cycle_id: bytes | None, before: bytes | None, limit: int
    ) -> Sequence[Activity]:
        """Return the activity of each cycle, the newest first."""
        ...

    def counts(self, tenant: bytes, cycles: Sequence[bytes]) -> Sequence[tuple[str, str, str, str, int]]:
        """Return cycle id, action, result, error code and the number of entries with them."""
        ...

    def delete_older_activity(self, minute: int, limit: int) -> None:
        """Delete the activity of some minutes before a minute, the oldest ones first."""
        ...
