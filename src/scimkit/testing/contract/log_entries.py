"""Generated entries and queries of a provisioning log, and the slow, obvious meaning of a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args

from hypothesis import strategies as st

from scimkit.provisioning import REDACTED, Action, LogEntry, LogQuery, LogResult, QuirkUse
from scimkit.uuid7 import first_id_at, new_id_at

START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""The time of the first entry of a test."""

_LONG: Final = "\u00e4" * 127 + "x"
_NAMES: Final = (
    "ada", "Ada.Lovelace", "ADAM", "stra\u00dfe", "STRASSE", "\U0001f600", "", "a%", "a_", "\u0130", _LONG, _LONG + "1",
    _LONG + "2", "\u00e4" * 128,
)  # fmt: skip
_IDS: Final = ("", "r1", "R1", "r2", "ada", _LONG, _LONG + "1", _LONG + "2")
_TENANTS: Final = ("default", "other", "Default")


def _some(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


_QUIRKS: Final = st.builds(QuirkUse, _some(("a-quirk", "another")), _some((None, "active")),
                           _some((None, '"False"')), _some((None, "false")))  # fmt: skip
_CHANGES: Final = st.dictionaries(
    _some(("userName", "emails", "urn:x:User:y")),
    _some(({"before": None, "after": "\u00e4"}, {"added": [{"value": "a"}], "removed": []}, REDACTED)),
    max_size=2,
)

ENTRIES: Final[st.SearchStrategy[LogEntry]] = st.builds(
    LogEntry, id=st.just(""), started=st.just(START), tenant=_some(_TENANTS), action=_some(get_args(Action)),
    result=_some(get_args(LogResult)), token_id=_some(("", "t1", "t2")), cycle_id=_some(("", "c1", "c2")),
    error_code=_some(("", "uniqueness", "503")), detail=_some(("", "userName is taken")),
    duration=_some((0.0, 12.5)), request_id=_some(("", "q")), user_agent=_some(("", "Entra")),
    method=_some(("", "PUT")),
    resource_type=_some(("", "User")), resource_id=_some(_IDS), external_id=_some((None, *_IDS)),
    label=_some((None, *_NAMES)), changes=_CHANGES, added_members=_some(((), ("m1", "m2"))), added_count=_some((0, 2)),
    missing_members=_some(((), ("m3",))), missing_count=_some((0, 1)), quirks=st.lists(_QUIRKS, max_size=2).map(tuple),
    dropped=_some(((), ("urn:x:User:z",))), revoker=_some(("", "devices")), within=_some((0.0, 300.0)),
)  # fmt: skip
"""Entries without an id."""

QUERIES: Final[st.SearchStrategy[LogQuery]] = st.builds(
    LogQuery, tenant=_some(_TENANTS), limit=st.integers(1, 5),
    person=_some((None, None, None, None, *_IDS, *_NAMES, "ad", "STRA", "\u00e4" * 100)),
    label_prefix=_some((None, None, None, None, *_NAMES, "a", "Stra", "\u00e4" * 100)),
    resource_id=_some((None, None, None, *_IDS)), external_id=_some((None, None, None, None, *_IDS)),
    result=_some((None, None, *get_args(LogResult))), action=_some((None, None, None, *get_args(Action))),
    token_id=_some((None, None, "t1", "t2")), cycle_id=_some((None, None, None, "c1")),
    since=_some((None, None, START + timedelta(seconds=2))), until=_some((None, None, START + timedelta(seconds=5))),
)  # fmt: skip
"""Queries with random conditions."""

SIMPLE_QUERIES: Final[st.SearchStrategy[LogQuery]] = st.builds(
    lambda query, name: LogQuery(tenant=query.tenant, limit=query.limit, **{name: getattr(query, name)}), QUERIES,
    _some(("person", "label_prefix", "resource_id", "external_id", "result", "action", "token_id", "since")),
)  # fmt: skip
"""Queries with one condition, which match more entries."""


def numbered(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Return entries with ids, one second after the other."""
    times = [START + timedelta(seconds=number) for number in range(len(entries))]
    return [replace(each, id=new_id_at(at), started=at) for each, at in zip(entries, times, strict=True)]


def expected(entries: Sequence[LogEntry], query: LogQuery) -> list[LogEntry]:
    """Return all entries that a query means, newest first, without regard to the cursor and the limit."""
    found = [each for each in entries if each.tenant == query.tenant]
    for name in ("resource_id", "external_id", "result", "action", "token_id", "cycle_id"):
        wanted = getattr(query, name)
        if wanted is not None:
            found = [each for each in found if getattr(each, name) == wanted]
    if query.label_prefix is not None:
        found = [each for each in found if _begins(each, query.label_prefix)]
    if query.person is not None:
        found = [
            each for each in found
            if query.person in (each.resource_id, each.external_id) or _begins(each, query.person)
        ]  # fmt: skip
    if query.since is not None:
        found = [each for each in found if each.id >= first_id_at(query.since)]
    if query.until is not None:
        found = [each for each in found if each.id < first_id_at(query.until)]
    return sorted(found, key=lambda each: each.id, reverse=True)


def _begins(entry: LogEntry, prefix: str) -> bool:
    return bool(entry.label) and (entry.label or "").casefold().startswith(prefix.casefold())
