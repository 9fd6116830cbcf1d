"""The base class of the tests of a provisioning log: entries with and without personal data, and reading a log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from scimkit.provisioning import LogEntry, LogQuery, QuirkUse
from scimkit.testing.contract.base import ContractBase
from scimkit.uuid7 import new_uuid7

SECRET: Final = "s\u00e4cret"
"""A text in every personal field of an entry."""


class LogContractBase(ContractBase):
    """The base class of the tests of a provisioning log."""

    examples: ClassVar[int] = 10

    def raw_rows(self, store: Any) -> Iterable[bytes] | None:
        """Return the bytes of each row of the log, as the database has them. None if the log has no rows."""
        return None

    def entry(self, **fields: Any) -> LogEntry:
        """Return an entry of a new id."""
        made: dict[str, Any] = {"id": new_uuid7(), "tenant": "default", "action": "Update", "result": "Success",
                                "started": datetime(2026, 3, 1, tzinfo=UTC)} | fields  # fmt: skip
        return LogEntry(**made)

    def all(self, store: Any, tenant: str = "default", **conditions: Any) -> list[LogEntry]:
        """Return all entries that match, by pages of a thousand."""
        query = LogQuery(tenant=tenant, limit=1000, **conditions)
        found: list[LogEntry] = []
        while True:
            page = store.provisioning_log.search(query)
            found += page.entries
            if page.next is None:
                return found
            query = replace(query, cursor=page.next)

    def personal(self, **fields: Any) -> LogEntry:
        """Return an entry with personal data in each field that may have some."""
        return self.entry(
            **{
                "external_id": SECRET, "label": SECRET, "detail": f"{SECRET} is taken",
                "changes": {"userName": {"before": None, "after": SECRET}, "emails": {"added": [{"value": SECRET}]}},
                "quirks": (QuirkUse("a-quirk", "active", SECRET, SECRET), QuirkUse("another")), "method": "PATCH",
            } | fields
        )  # fmt: skip
