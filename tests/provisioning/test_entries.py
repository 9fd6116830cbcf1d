"""The ids of entries, and their form in a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from scimkit.provisioning import LogEntry, QuirkUse
from scimkit.provisioning.serialization import entry_to_row, forgotten, id_bytes, id_text, label_key, row_to_entry
from scimkit.uuid7 import first_id_at, new_uuid7, time_of_id, to_milliseconds

TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))
JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(), st.lists, max_leaves=5)
TEXTS = st.none() | st.text()
IDS = st.lists(st.text(), max_size=3).map(tuple)
ENTRIES = st.builds(
    LogEntry,
    id=st.builds(new_uuid7),
    tenant=st.text(max_size=20),
    action=st.sampled_from(["Create", "Delete"]),
    result=st.sampled_from(["Success", "Failure"]),
    started=TIMES.map(lambda each: each.replace(microsecond=each.microsecond // 1000 * 1000)),
    detail=st.text(),
    label=st.none() | st.text(),
    external_id=st.none() | st.text(),
    changes=st.dictionaries(st.text(), st.fixed_dictionaries({"before": JSON, "after": JSON}), max_size=3),
    added_members=IDS,
    missing_members=IDS,
    quirks=st.lists(st.builds(QuirkUse, st.text(), st.none() | st.text(), st.none() | st.text()), max_size=2).map(
        tuple
    ),
)


def test_ids_rise() -> None:
    """Each id sorts after all earlier ids of the process, as text and as bytes."""
    ids = [new_uuid7() for _ in range(20_000)]
    assert ids == sorted(ids)
    assert [id_bytes(each) for each in ids] == sorted(id_bytes(each) for each in ids)
    assert len(set(ids)) == len(ids)
    assert {UUID(each).version for each in ids} == {7}
    assert {UUID(each).variant for each in ids} == {"specified in RFC 4122"}


@given(TIMES)
def test_an_id_has_its_time(instant: datetime) -> None:
    """`first_id_at` is the smallest id of its millisecond."""
    id = first_id_at(instant)
    assert abs(time_of_id(id) - instant) <= timedelta(milliseconds=1)
    assert first_id_at(instant + timedelta(milliseconds=2)) > id
    assert id_text(id_bytes(id)) == id


@given(TIMES)
@example(datetime(2038, 1, 20, 0, 0, 0, 15_000, UTC))
def test_a_time_keeps_its_millisecond(instant: datetime) -> None:
    """A time is its whole milliseconds. As a float, the time of the example would lose one."""
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert datetime.fromtimestamp(to_milliseconds(instant) / 1000, UTC) == whole


def test_a_time_without_an_offset_is_local() -> None:
    """A time without an offset, as `datetime.now()` returns it, is taken as local time."""
    instant = datetime(2026, 11, 30, 12, 0, 0, 7_000)  # without an offset on purpose
    assert to_milliseconds(instant) == to_milliseconds(instant.astimezone())


@given(st.text())
def test_a_wrong_id_is_no_entry(text: str) -> None:
    """A text that is no UUID becomes an id that no entry has."""
    found = id_bytes(text)
    assert len(found) == 16


@given(ENTRIES)
def test_an_entry_survives_its_row(entry: LogEntry) -> None:
    """An entry comes back from its row as it was."""
    assert row_to_entry(entry_to_row(entry)) == entry


@given(ENTRIES)
def test_a_forgotten_entry_has_no_values(entry: LogEntry) -> None:
    """Nothing that names a person is left in the row of a forgotten entry."""
    secret = "zq9x"
    marked = replace(
        entry, label=secret, external_id=secret, detail=secret, changes={"title": {"before": secret, "after": 1}},
        quirks=(QuirkUse("q", "title", secret, secret),),
    )  # fmt: skip
    row: dict[str, Any] = entry_to_row(forgotten(marked))
    assert not any(secret.encode() in value for value in row.values() if isinstance(value, bytes))
    assert (row["external_id"], row["label_key"]) == (None, None)
    assert row_to_entry(row).is_forgotten


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_prefix_of_a_label_is_a_prefix_of_its_key(label: str, rest: str) -> None:
    """A search by the beginning of a label finds the label, without regard to case."""
    assert label_key(label + rest).startswith(label_key(label)[:255])
