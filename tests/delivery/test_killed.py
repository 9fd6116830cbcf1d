"""A writer or worker that is killed loses no event, and delivers none of a write that was rolled back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.delivery.killed import broken, trial
from tests.delivery.programs import UNDONE
from tests.stores.databases import DATABASES
from tests.stores.outboxes import own_url, sql_store

KILLS = 3
"""The number of kills. `python -m tests.delivery.killed` runs 100."""


@pytest.mark.parametrize("database", DATABASES)
def test_killed_at_any_moment(database: str, tmp_path: Path) -> None:
    """The delivered events of each resource tell its history, however often writers and workers are killed."""
    found, count = trial(sql_store(database), own_url(database), KILLS, tmp_path)
    assert found == []
    assert count > KILLS


def test_the_check_finds_broken_histories() -> None:
    """A missing event, a wrong order, an undone write and a late repetition are found."""

    def updated(id: str, before: str | None, after: str) -> dict[str, object]:
        return {"id": id, "type": "ResourceUpdated", "changes": {"title": {"before": before, "after": after}}}

    created = {"id": "0", "type": "ResourceCreated", "changes": {}}
    first, second = updated("1", None, "a"), updated("2", "a", "b")
    assert broken([created, first, second], {"title": "b"}) == []
    for history in ([created, second], [created, second, first], [first, second], [created, first],
                    [created, first, second, first], [created, first, second, updated("3", "b", UNDONE)]):  # fmt: skip
        assert broken(history, {"title": "b"})
