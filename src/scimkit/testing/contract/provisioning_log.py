"""The tests that every store with a provisioning log must pass. Subclass `ProvisioningLogContract` for your store.

    class TestMyLog(ProvisioningLogContract):
        def make_store(self):
            return MyStore(provisioning_log=True)

The log of the store must be empty, and nothing else may use it during the test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import strategies as st

from scimkit.errors import PreconditionFailed, Uniqueness
from scimkit.patch.changes import ChangeSet, ReferenceChanges
from scimkit.provisioning import CYCLE_GAP, REDACTED, Cycle, HealthStatus, LogEntry, LogQuery, connection_health
from scimkit.schema.core import GROUP, USER
from scimkit.stores.protocol import Written
from scimkit.testing.contract.base import RACERS
from scimkit.testing.contract.log_entries import ENTRIES, QUERIES, SIMPLE_QUERIES, START, expected, numbered
from scimkit.testing.contract.log_retention import LogRetentionContract
from scimkit.uuid7 import new_id_at, new_uuid7

MINUTE: Final = timedelta(minutes=1)


def _names(written: Written) -> dict[str, Any]:
    """Return the change of the displayName that a store reports, as an entry has it."""
    if written.changes is None:
        return {}
    return {"displayName": {"before": written.changes.before.get("displayName"),
                            "after": written.changes.after.get("displayName")}}  # fmt: skip


class Undone(Exception):
    """The exception that a transaction raises to be rolled back."""


class ProvisioningLogContract(LogRetentionContract):
    """All tests of a provisioning log. A subclass implements `make_store`."""

    def test_an_entry_is_kept_whole(self, store: Any) -> None:
        """An entry comes out of the log as it went in, with any character and texts of any length."""
        entries = [
            self.entry(),
            self.personal(resource_id="r", label="\U0001f600" * 300, external_id="x" * 300, resource_type="User",
                          added_members=("m",), added_count=5, removed_members=("n",), removed_count=1,
                          missing_members=("o",), missing_count=2, dropped=("urn:x:y",), duration=1.5,
                          request_id="q", user_agent="agent", identity_provider="Okta", is_forgotten=False),
            self.entry(action="EndAccess", revoker="devices \u00e9", within=300.5),
            self.entry(action="EndAccess", revoker="devices", begun="0195d5f2-0000-7000-8000-000000000000"),
            self.entry(result="Failure", error_code="uniqueness", resource_id="r" * 300, token_id="t" * 300,
                       cycle_id="c" * 300, changes={"a": REDACTED}),
        ]  # fmt: skip
        store.record_log(entries)
        assert self.all(store) == entries[::-1]
        for each in entries:
            assert store.provisioning_log.find("default", each.id) == each
            assert store.provisioning_log.find("other", each.id) is None
        assert store.provisioning_log.find("default", new_uuid7()) is None

    def test_ids_that_are_no_ids_find_nothing(self, store: Any) -> None:
        """An id of another form finds no entry and no cycle."""
        store.record_log([self.entry()])
        for each in ("", "no-id", "\u00e4", "0" * 400):
            assert store.provisioning_log.find("default", each) is None
            assert store.provisioning_log.cycle("default", each) is None

    def test_an_entry_is_added_once(self, store: Any) -> None:
        """`add` leaves out an entry whose id the log has."""
        entries = [self.entry(label=str(number)) for number in range(3)]
        store.provisioning_log.add(entries[:2])
        store.provisioning_log.add([])
        store.provisioning_log.add([replace(entries[0], label="again"), entries[2], entries[2]])
        assert self.all(store) == entries[::-1]

    def test_entries_of_a_failed_transaction_are_gone(self, store: Any) -> None:
        """Entries are in the log if and only if their transaction is committed, also in a part of a transaction."""
        kept, inner, undone = (self.entry(label=each) for each in ("kept", "inner", "undone"))

        def fail(inside: Any, entry: LogEntry) -> None:
            inside.record_log([entry])
            raise Undone

        def work(inside: Any) -> None:
            inside.record_log([kept])
            with pytest.raises(Undone):
                inside.transaction(self.one, lambda deeper: fail(deeper, inner))

        with pytest.raises(Undone):
            store.transaction(self.one, lambda inside: fail(inside, undone))
        assert not self.all(store)
        store.transaction(self.one, work)
        assert self.all(store) == [kept]

    def test_a_write_and_its_entry_are_one(self, store: Any) -> None:
        """A store that logs writes itself adds the entry of each write, and no entry of a refused or undone write."""
        if not getattr(store, "logs_writes", False):
            pytest.skip("the store leaves the entries of writes to the service")
        made: list[LogEntry] = []

        def entry_of(written: Written) -> LogEntry:
            made.append(self.entry(resource_id=written.document["id"], label=str(len(made)), changes=_names(written)))
            return made[-1]

        def undo(inside: Any) -> None:
            assert inside.change(scope, USER, id, ChangeSet({"displayName": "Undone"})).is_logged
            raise Undone

        scope = replace(self.one, report_changes=True, log_entry=entry_of)
        name, other = new_uuid7(), new_uuid7()  # a store may have users of earlier tests
        ada = {"schemas": [USER.schema], "userName": name, "displayName": "Ada"}
        created = store.create(scope, USER, ada)
        id = created.document["id"]
        written = [
            created,
            store.change(scope, USER, id, ChangeSet({"displayName": "A. King"})),
            store.change(scope, USER, id, ChangeSet({"displayName": "A. King"})),
            store.replace(scope, USER, id, {**ada, "userName": other}),
            store.create(scope, GROUP, {"schemas": [GROUP.schema], "displayName": name, "members": [{"value": id}]}),
        ]
        added = ChangeSet(references={"members": ReferenceChanges(removed=frozenset([id]))})
        written.append(store.change(scope, GROUP, written[-1].document["id"], added))
        assert all(each.is_logged for each in written)
        assert [each.changed for each in written] == [True, True, False, True, True, True]
        kept = made[::-1]
        assert self.all(store) == kept
        assert [dict(each.changes) for each in kept[::-1][:2]] == [_names(each) for each in written[:2]]
        with pytest.raises(Undone):
            store.transaction(self.one, undo)
        with pytest.raises(Uniqueness):
            store.create(scope, USER, {**ada, "userName": other})
        with pytest.raises(PreconditionFailed):
            store.change(scope, USER, id, ChangeSet({"displayName": "Stale"}), 'W/"1"')
        assert self.all(store) == kept

    def test_queries_agree_with_a_list(self) -> None:
        """Any query finds what a filter over a list finds, page by page, newest first."""

        def run(data: st.DataObject) -> None:
            entries = numbered(data.draw(st.lists(ENTRIES, min_size=1, max_size=12)))
            with self.opened() as opened:
                store: Any = opened
                store.record_log(entries)
                queries = st.lists(st.one_of(SIMPLE_QUERIES, QUERIES), min_size=5, max_size=15)
                for query in data.draw(queries):
                    self._compare(store, query, expected(entries, query))

        self.often(run)

    def _compare(self, store: Any, query: LogQuery, wanted: Sequence[LogEntry]) -> None:
        cursor = None
        for start in range(0, max(len(wanted), 1), query.limit):
            page = store.provisioning_log.search(replace(query, cursor=cursor))
            assert page.entries == wanted[start : start + query.limit], query
            is_last = start + query.limit >= len(wanted)
            assert (page.next is None) is is_last
            cursor = page.next

    def test_a_cursor_survives_new_and_purged_entries(self, store: Any) -> None:
        """New entries do not move a page, and the entry that a cursor names may be gone."""
        entries = [self.entry(id=new_id_at(START + number * MINUTE), label=str(number)) for number in range(4)]
        store.record_log(entries)
        page = store.provisioning_log.search(LogQuery(tenant="default", limit=2))
        assert (page.entries, page.next) == (entries[:1:-1], entries[2].id)
        store.record_log([self.entry(id=new_id_at(START + 9 * MINUTE))])
        rest = store.provisioning_log.search(LogQuery(tenant="default", limit=2, cursor=page.next))
        assert (rest.entries, rest.next) == (entries[1::-1], None)
        assert self.all(store, cursor=new_id_at(START + 2 * MINUTE - timedelta(seconds=1))) == entries[1::-1]

    def test_a_person_is_found_once(self, store: Any) -> None:
        """An entry whose id, external id and label all name the person is found once."""
        entries = [self.entry(resource_id="ada", external_id="ada", label="Ada"),
                   self.entry(external_id="ada", label="x"), self.entry(label="ADAM"),
                   self.entry(label="x")]  # fmt: skip
        store.record_log(entries)
        assert self.all(store, person="ada") == entries[2::-1]

    def test_activity_makes_cycles(self, store: Any) -> None:
        """Requests of one token belong to one cycle until a pause. Each token and tenant has cycles of its own."""
        log = store.provisioning_log
        first = log.note_activity("default", "t1", START, 2)
        assert log.note_activity("default", "t1", START + timedelta(seconds=30), 1) == first
        assert log.note_activity("default", "t1", START + CYCLE_GAP, 0) == first
        end = START + 2 * CYCLE_GAP - timedelta(seconds=1)
        assert log.note_activity("default", "t1", end, 3) == first
        other = log.note_activity("default", "t2", START + 3 * MINUTE, 1)
        foreign = log.note_activity("other", "t1", START + 4 * MINUTE, 1)
        second = log.note_activity("default", "t1", end + CYCLE_GAP, 1)
        assert len({first, second, other, foreign}) == 4
        found = log.cycles("default")
        assert [each.id for each in found] == [second, other, first]
        assert found[2] == Cycle(id=first, tenant="default", token_id="t1", start=START, end=end, reads=6)
        assert [each.id for each in log.cycles("default", "t1")] == [second, first]
        assert [each.id for each in log.cycles("default", "t1", limit=1)] == [second]
        assert [each.id for each in log.cycles("default", before=START + 3 * MINUTE)] == [first]
        assert [each.id for each in log.cycles("other")] == [foreign]
        assert log.cycle("default", first) == found[2]
        assert log.cycle("other", first) is None
        assert log.cycles("default", "no token") == log.cycles("no tenant") == []

    def test_time_that_goes_back_stays_in_the_cycle(self, store: Any) -> None:
        """A request that another process noted late belongs to the cycle, and does not move its end."""
        log = store.provisioning_log
        first = log.note_activity("default", "t", START + 2 * MINUTE, 1)
        assert log.note_activity("default", "t", START + MINUTE, 1) == first
        assert log.note_activity("default", "t", START + 2 * MINUTE - timedelta(seconds=1), 1) == first
        found = log.cycle("default", first)
        assert (found.end, found.reads) == (START + 2 * MINUTE, 3)

    def test_cycles_count_their_entries(self, store: Any) -> None:
        """A cycle counts its entries by action and result, and its failures by error code."""
        log = store.provisioning_log
        cycle = log.note_activity("default", "t", START, 0)
        empty = log.note_activity("default", "u", START + MINUTE, 0)
        kinds = [("Create", "Success", "")] * 3 + [("Create", "Failure", "uniqueness"), ("Other", "Failure", "404")] + [
            ("Update", "Failure", "uniqueness"), ("Update", "Warning", "")]  # fmt: skip
        store.record_log(
            [
                self.entry(cycle_id=cycle, action=action, result=result, error_code=code)
                for action, result, code in kinds
            ]
        )
        store.record_log([self.entry(cycle_id=cycle, tenant="other"), self.entry(cycle_id="no cycle")])
        found = log.cycle("default", cycle)
        assert found.counts == Counter((action, result) for action, result, _ in kinds)
        assert found.errors == {"uniqueness": 2, "404": 1}
        assert (found.writes, found.failures) == (4, 3)
        assert log.cycles("default")[1] == found
        assert log.cycle("default", empty).counts == {}

    def test_health_of_a_connection(self, store: Any) -> None:
        """The health of a token follows from its cycles and failures."""
        log = store.provisioning_log

        def status(at: datetime) -> HealthStatus:
            return connection_health(log, "default", "t", at).status

        assert status(START) == "Waiting"
        cycle = log.note_activity("default", "t", START, 1)
        assert status(START) == "Connected"
        store.record_log([self.entry(cycle_id=cycle)])
        assert status(START) == "Provisioning"
        store.record_log([self.entry(cycle_id=cycle, result="Failure", error_code="uniqueness", label="ada")])
        failing = connection_health(log, "default", "t", START)
        assert (failing.status, failing.error_code, failing.affected) == ("Failing", "uniqueness", ("ada",))
        assert status(START + timedelta(days=2)) == "Silent"

    def test_activity_of_many_processes_is_one_cycle(self, store: Any) -> None:
        """Processes that note a token's first or next minute at once count all reads, in one cycle."""
        log = store.provisioning_log
        later = START + timedelta(hours=1)
        for at in (START, later, later + MINUTE):
            found = self.at_once(lambda number, at=at: log.note_activity("default", "t", at, number))  # type: ignore[misc]
            assert len(set(found)) == 1
        reads = sum(range(3 * RACERS))
        assert [each.reads for each in log.cycles("default")] == [2 * reads, reads]

    def test_a_new_cycle_at_the_turn_of_a_minute(self, store: Any) -> None:
        """Processes that begin a cycle at once have the same cycle, even if their clocks show different minutes."""
        log = store.provisioning_log
        log.note_activity("default", "t", START, 1)
        turn = START + timedelta(hours=1)
        ids = self.at_once(lambda n: log.note_activity("default", "t", turn + (n % 2) * timedelta(seconds=59.5), 1), 8)
        ids += self.at_once(lambda n: log.note_activity("default", "t", turn + (n % 3) * MINUTE, 1), 8)
        assert len(set(ids)) == 1
