"""The tests of a provisioning log that forgets persons and deletes old entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from scimkit.provisioning import REDACTED, QuirkUse
from scimkit.provisioning.log import PURGED_AT_ONCE
from scimkit.testing.contract.base import RACERS
from scimkit.testing.contract.log_base import SECRET, LogContractBase
from scimkit.testing.contract.log_entries import START
from scimkit.uuid7 import new_id_at


class LogRetentionContract(LogContractBase):
    """The tests of `forget` and `purge`."""

    def test_forget_erases_a_person(self, store: Any) -> None:
        """`forget` erases the values of a person everywhere, and keeps what the cycles count."""
        log = store.provisioning_log
        own = [self.personal(resource_id="r", cycle_id="c"), self.personal(resource_id="r", label="Old name")]
        posts = [self.personal(result="Failure", error_code="uniqueness"),
                 self.personal(result="Failure", external_id=None, label="OLD NAME", detail=SECRET),
                 self.personal(result="Failure", external_id=None, label=None, detail="", changes={},
                               quirks=())]  # fmt: skip
        kept = [self.entry(resource_id="s", label="ada"), self.entry(label="Old names", external_id="x")]
        foreign = self.entry(tenant="other", resource_id="r", label="ada")
        store.record_log([*own, *posts, *kept, foreign])
        assert log.forget("default", "r") == 4
        for each in (*own, *posts[:2]):
            found = log.find("default", each.id)
            assert found == replace(
                each, external_id=None, label=None, detail="", changes=dict.fromkeys(each.changes, REDACTED),
                quirks=(QuirkUse("a-quirk", "active"), QuirkUse("another")), is_forgotten=True,
            )  # fmt: skip
        assert self.all(store)[:3] == [*kept[::-1], posts[2]]
        assert log.find("other", foreign.id) == foreign
        for condition in ({"external_id": SECRET}, {"label_prefix": SECRET}, {"label_prefix": "old name"}):
            assert [each for each in self.all(store, **condition) if each not in kept] == []
        raw = self.raw_rows(store)
        assert raw is None or not [
            each for each in raw if SECRET.encode() in each or SECRET.casefold().encode() in each
        ]
        assert len(self.all(store, resource_id="r")) == 2
        assert log.forget("default", "r") == log.forget("default", "unknown") == 0

    def test_forget_erases_long_names(self, store: Any) -> None:
        """Names that differ only after the length of a column are different persons."""
        name = "\u00e4" * 200
        mine = [self.personal(resource_id="r", label=name + "1", external_id=name + "1"),
                self.personal(label=name + "1", external_id=None),
                self.personal(label=None, external_id=name + "1")]  # fmt: skip
        kept = [self.personal(label=name + "2", external_id=None), self.personal(label=None, external_id=name + "2")]
        store.record_log([*mine, *kept])
        assert store.provisioning_log.forget("default", "r") == 3
        assert self.all(store)[:2] == kept[::-1]

    def test_forget_erases_many_entries(self, store: Any) -> None:
        """`forget` erases any number of entries."""
        store.record_log([self.personal(resource_id="r") for _ in range(450)])
        store.record_log([self.personal() for _ in range(450)])
        assert store.provisioning_log.forget("default", "r") == 900
        assert all(each.is_forgotten for each in self.all(store))

    def test_old_entries_are_purged(self, store: Any) -> None:
        """`purge` deletes the oldest entries of all tenants, some at a time, and cycles that ended before."""
        log = store.provisioning_log
        times = [START + timedelta(milliseconds=number) for number in range(PURGED_AT_ONCE + 50)]
        old = [self.entry(id=new_id_at(at), tenant=("default", "other")[at.microsecond // 1000 % 2]) for at in times]
        fresh = self.entry(id=new_id_at(START + timedelta(days=1)))
        store.record_log([fresh, *old])
        log.note_activity("default", "t", START, 1)
        new = log.note_activity("default", "t", START + timedelta(days=1), 1)
        assert log.purge(START) == 0
        assert len(log.cycles("default")) == 2
        limit = START + timedelta(hours=1)
        assert log.purge(limit) == PURGED_AT_ONCE
        assert log.find(old[0].tenant, old[0].id) is None
        assert log.find(old[-1].tenant, old[-1].id) == old[-1]
        assert log.purge(limit) == 50
        assert log.purge(limit) == 0
        assert self.all(store) == [fresh]
        assert [each.id for each in log.cycles("default")] == [new]

    def test_processes_purge_and_write_at_once(self, store: Any) -> None:
        """Processes that purge at once delete each entry once, and delete nothing that is added meanwhile."""
        log = store.provisioning_log
        store.record_log([self.entry(id=new_id_at(START + timedelta(minutes=number))) for number in range(100)])

        def work(number: int) -> int:
            store.record_log([self.entry(label=str(number))])
            return int(log.purge(START + timedelta(days=1)))

        assert sum(self.at_once(work, RACERS)) == 100
        assert {each.label for each in self.all(store)} == {str(number) for number in range(RACERS)}
