"""The pages of the provisioning log: the search, and one entry in full."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, get_args
from urllib.parse import urlencode

from scimkit.admin.page_requests import Answer, Page, PageRequest
from scimkit.admin.ports import SHOWN_OVERDUE, Ports
from scimkit.errors import NotFound
from scimkit.provisioning import REDACTED, Action, LogEntry, LogQuery, LogResult

PERIODS: Final[Mapping[str, timedelta]] = {
    "1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30),
}  # fmt: skip
"""The choices for the age of entries."""
_PAGE: Final = 50
_MAX_PERSON: Final = 255
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_FILTERS: Final = ("person", "result", "action", "token", "cycle", "since")


@dataclass(frozen=True, slots=True)
class Change:
    """A changed attribute, with the lines to show on each side."""

    path: str
    before: Any
    after: Any
    is_redacted: bool


class LogPages:
    """The handlers of the pages of the log."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def search(self, call: PageRequest) -> Answer:
        """Show the entries that match, newest first."""
        asked = {name: call.query.get(name, "").strip() for name in _FILTERS}
        page = await self._ports.entries(self._query(call, asked))
        records = await self._ports.token_records(call.tenant)
        clients = await self._ports.client_list(call.tenant)
        chosen = {name: value for name, value in asked.items() if value}
        values = {
            "entries": page.entries, "asked": asked, "is_filtered": bool(chosen), "periods": PERIODS,
            "results": get_args(LogResult), "actions": get_args(Action), "records": records, "clients": clients,
            "overdue": await self._ports.overdue(call.tenant), "shown": SHOWN_OVERDUE,
            "next": urlencode({**chosen, "cursor": page.next}) if page.next else "",
            "is_first": "cursor" not in call.query, "here": urlencode(chosen),
        }  # fmt: skip
        return Page("log.html", values)

    async def show(self, call: PageRequest, id: str) -> Answer:
        """Show one entry in full."""
        if not _ID.match(id):
            raise NotFound("There is no such entry.")
        entry = await self._ports.entry(call.tenant, id)
        values = {
            "entry": entry, "changes": list(changes_of(entry)), "quirks": self._ports.quirk_summaries,
            "descriptions": await self._ports.descriptions(call.tenant),
        }  # fmt: skip
        return Page("entry.html", values)

    def _query(self, call: PageRequest, asked: Mapping[str, str]) -> LogQuery:
        """Return the query of a search. Values that no filter offers are ignored."""
        period = PERIODS.get(asked["since"])
        cursor = call.query.get("cursor", "")
        result: LogResult | None = next((each for each in get_args(LogResult) if each == asked["result"]), None)
        action: Action | None = next((each for each in get_args(Action) if each == asked["action"]), None)
        return LogQuery(
            tenant=call.tenant,
            person=asked["person"][:_MAX_PERSON] or None,
            result=result,
            action=action,
            token_id=asked["token"][:_MAX_PERSON] or None,
            cycle_id=asked["cycle"] if _ID.match(asked["cycle"]) else None,
            since=None if period is None else self._ports.clock() - period,
            cursor=cursor if _ID.match(cursor) else None,
            limit=_PAGE,
        )


def changes_of(entry: LogEntry) -> Iterator[Change]:
    """Yield the changed attributes of an entry."""
    for path, change in entry.changes.items():
        before = change.get("before", change.get("removed"))
        after = change.get("after", change.get("added"))
        yield Change(path, before, after, change == REDACTED)
