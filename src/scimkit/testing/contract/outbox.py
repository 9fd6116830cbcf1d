"""The tests that every store with an outbox must pass. Subclass `OutboxContract`, and pytest runs the tests.

    class TestMyOutbox(OutboxContract):
        def make_store(self):
            return MyStore(outbox=True)

The outbox of the store must be empty, and nothing else may use it during the test.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

import pytest
from hypothesis import strategies as st

from scimkit.events.outbox import OutboxBacklog, OutboxEntry, OutboxStatus
from scimkit.events.resource_events import (
    AttributeChange,
    MembersAdded,
    ResourceCreated,
    ResourceEvent,
    UserDeactivated,
    ValuesChange,
)
from scimkit.testing.contract.base import RACERS, ContractBase
from scimkit.testing.contract.outbox_model import OutboxModel

LONG: Final = 3600.0
"""A lease or delay that does not end during a test."""
SOON: Final = 0.0
"""A lease or delay that ends at once."""


class Undone(Exception):
    """The exception that a transaction raises to be rolled back."""


class OutboxContract(ContractBase):
    """All tests of an outbox. A subclass implements `make_store`."""

    examples: ClassVar[int] = 10
    resources: ClassVar[Sequence[str]] = ("a", "b", "c")

    def event(self, resource: str, kind: type[ResourceEvent] = ResourceCreated, **fields: Any) -> ResourceEvent:
        """Return an event of a resource."""
        return kind(resource_type="User", id=resource, tenant="default", **fields)

    def record(self, store: Any, *resources: str, undone: bool = False) -> list[ResourceEvent]:
        """Record an event for each resource in one transaction, and return the events. The transaction may fail."""
        events = [self.event(each) for each in resources]

        def work(inside: Any) -> None:
            inside.record_events(events)
            if undone:
                raise Undone

        if undone:
            with pytest.raises(Undone):
                store.transaction(self.one, work)
        else:
            store.transaction(self.one, work)
        return events

    def claimed(self, store: Any, count: int = 100, lease: float = LONG) -> dict[str, OutboxEntry]:
        """Claim entries and return them by the id of their resource."""
        entries = store.outbox.claim(count, lease)
        found = {each.event.id: each for each in entries}
        assert len(found) == len(entries), "two entries of one resource were claimed at once"
        return found

    def test_an_event_is_kept_whole(self, store: Any) -> None:
        """An event comes out of the outbox as it went in, with changes, members and any character."""
        events = [
            self.event("a", UserDeactivated, label="ad\u00e4 \U0001f600",
                       changes={"active": AttributeChange(None, False)}, quirks=("q",), external_id="x",
                       document={"id": "a", "userName": "ad\u00e4"}, request_id="r"),
            self.event("b", MembersAdded, members=tuple(map(str, range(1000))),
                       changes={"emails": ValuesChange(({"value": "a"},))}),
        ]  # fmt: skip
        store.transaction(self.one, lambda inside: inside.record_events(events))
        assert [each.event for each in store.outbox.list()] == events
        assert [each.event for each in self.claimed(store).values()] == events

    def test_events_of_a_failed_transaction_are_gone(self, store: Any) -> None:
        """Events are in the outbox if and only if their transaction is committed."""
        self.record(store, "a", undone=True)
        assert not store.outbox.list()
        kept = self.record(store, "b")
        assert [each.event for each in store.outbox.list()] == kept

    def test_events_of_a_failed_part_of_a_transaction_are_gone(self, store: Any) -> None:
        """A transaction within a transaction that fails takes its events with it."""

        def work(inside: Any) -> None:
            self.record(inside, "a", undone=True)
            self.record(inside, "b")

        store.transaction(self.one, work)
        assert set(self.claimed(store)) == {"b"}

    def test_a_claimed_entry_is_claimed_once(self, store: Any) -> None:
        """No other worker gets a claimed entry before its lease ends."""
        self.record(store, "a", "b")
        assert set(self.claimed(store)) == {"a", "b"}
        assert not self.claimed(store)

    def test_a_claim_has_at_most_the_count(self, store: Any) -> None:
        """A worker gets as many entries as it asks for, and other workers get the rest."""
        self.record(store, "a", "b", "c")
        first = self.claimed(store, 2)
        assert len(first) == 2
        assert first.keys() | self.claimed(store).keys() == {"a", "b", "c"}

    def test_events_of_a_resource_come_in_order(self, store: Any) -> None:
        """A later event of a resource waits until the earlier one is delivered or dead."""
        first, second, third = self.record(store, "a", "a", "a")
        entry = self.claimed(store)["a"]
        assert entry.event == first
        assert not self.claimed(store)
        assert store.outbox.succeed(entry)
        entry = self.claimed(store)["a"]
        assert entry.event == second
        assert store.outbox.dead_letter(entry, "refused")
        assert self.claimed(store)["a"].event == third

    def test_the_same_id_in_another_tenant_is_another_resource(self, store: Any) -> None:
        """Events of resources in two tenants do not wait for each other."""
        events = [ResourceCreated(resource_type="User", id="a", tenant=each) for each in ("one", "two")]
        store.transaction(self.one, lambda inside: inside.record_events(events))
        assert len(store.outbox.claim(10, LONG)) == 2

    def test_a_failed_entry_waits(self, store: Any) -> None:
        """An entry that failed waits, and so do later entries of its resource. Other resources do not wait."""
        self.record(store, "a", "a")
        assert store.outbox.fail(self.claimed(store)["a"], "HTTP 500", LONG)
        self.record(store, "a", "b")
        assert set(self.claimed(store)) == {"b"}
        failed = store.outbox.list()[0]
        assert (failed.status, failed.attempts, failed.error) == ("pending", 1, "HTTP 500")

    def test_a_failed_entry_is_claimed_again(self, store: Any) -> None:
        """An entry can be claimed again after its delay, before later entries of its resource."""
        first, second = self.record(store, "a", "a")
        for attempts in range(3):
            entry = self.claimed(store)["a"]
            assert (entry.event, entry.attempts) == (first, attempts)
            assert store.outbox.fail(entry, "\u00e4" * 1000, SOON)
        assert store.outbox.succeed(self.claimed(store)["a"])
        assert self.claimed(store)["a"].event == second

    def test_a_claim_ends(self, store: Any) -> None:
        """After its lease, another worker can claim the entry, and the first worker cannot change it any more."""
        self.record(store, "a")
        lost = self.claimed(store, lease=SOON)["a"]
        held = self.claimed(store)["a"]
        assert held.event == lost.event
        assert not store.outbox.succeed(lost)
        assert not store.outbox.fail(lost, "late", SOON)
        assert not store.outbox.dead_letter(lost, "late")
        store.outbox.release([lost])
        assert not self.claimed(store)
        assert store.outbox.succeed(held)
        assert not store.outbox.succeed(held)

    def test_a_released_entry_is_free(self, store: Any) -> None:
        """An entry that a worker gives back can be claimed at once, and no attempt is counted."""
        self.record(store, "a", "b")
        store.outbox.release(list(self.claimed(store).values()))
        again = self.claimed(store)
        assert {each.attempts for each in again.values()} == {0}
        assert set(again) == {"a", "b"}

    def test_a_dead_letter_is_replayed(self, store: Any) -> None:
        """`replay` makes a dead letter, a delivered entry and a waiting entry due, with no attempt counted."""
        self.record(store, "a", "b", "c", "c")
        entries = self.claimed(store)
        store.outbox.dead_letter(entries["a"], "refused")
        store.outbox.succeed(entries["b"])
        store.outbox.fail(entries["c"], "HTTP 500", LONG)
        assert not self.claimed(store)
        for each in entries.values():
            assert store.outbox.replay(each.event_id)
        again = self.claimed(store)
        assert {each.attempts for each in again.values()} == {0}
        assert set(again) == {"a", "b", "c"}
        store.outbox.succeed(again["c"])
        assert set(self.claimed(store)) == {"c"}, "entries that waited for a replayed entry are due with it"

    def test_a_claimed_entry_is_not_replayed_twice(self, store: Any) -> None:
        """`replay` leaves an entry to the worker that has it. It reports an id that no entry has."""
        self.record(store, "a")
        entry = self.claimed(store)["a"]
        assert store.outbox.replay(entry.event_id)
        assert not self.claimed(store)
        assert store.outbox.succeed(entry)
        assert not store.outbox.replay("no such id")

    def test_entries_are_listed(self, store: Any) -> None:
        """`list` returns entries in their order, by status, and page by page."""
        events = self.record(store, "a", "b", "a")
        store.outbox.succeed(self.claimed(store)["b"])
        listed = store.outbox.list()
        assert [each.event for each in listed] == events
        assert [each.status for each in listed] == ["pending", "delivered", "pending"]
        assert [each.event for each in store.outbox.list("delivered")] == events[1:2]
        assert [each.event for each in store.outbox.list(limit=2)] == events[:2]
        assert [each.event for each in store.outbox.list(after=listed[1].sequence)] == events[2:]

    def test_the_backlog(self, store: Any) -> None:
        """`backlog` counts pending entries and dead letters, and has the time of the first pending entry."""
        assert store.outbox.backlog() == OutboxBacklog(0, 0, None)
        before = datetime.now(UTC) - timedelta(milliseconds=1)
        self.record(store, "a", "b", "b", "c", "d")
        entries = self.claimed(store)
        store.outbox.succeed(entries["a"])
        store.outbox.dead_letter(entries["b"], "refused")
        store.outbox.fail(entries["c"], "HTTP 500", LONG)
        found = store.outbox.backlog()
        assert (found.pending, found.dead) == (3, 1)
        assert before <= found.oldest <= datetime.now(UTC)

    def test_finished_entries_are_purged(self, store: Any) -> None:
        """`purge` deletes delivered entries, and dead letters if it is told so. Pending entries stay."""
        self.record(store, "a", "a", "b", "c")
        entries = self.claimed(store)
        store.outbox.succeed(entries["a"])
        store.outbox.dead_letter(entries["b"], "refused")
        past, future = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))
        assert store.outbox.purge(past, dead_letters=True) == 0
        assert store.outbox.purge(future) == 1
        assert self.statuses(store) == ["pending", "dead", "pending"]
        assert store.outbox.purge(future, dead_letters=True) == 1
        assert self.statuses(store) == ["pending", "pending"]

    def statuses(self, store: Any) -> list[OutboxStatus]:
        """Return the status of each entry."""
        return [each.status for each in store.outbox.list(limit=1000)]

    def test_workers_share_the_entries(self, store: Any) -> None:
        """Workers at once deliver each entry once, and the entries of each resource in order."""
        resources = [f"r{number}" for number in range(12)]
        for _ in range(4):
            self.record(store, *resources)
        delivered: list[tuple[str, int]] = []

        def work(number: int) -> None:
            while any(each == "pending" for each in self.statuses(store)):
                for entry in store.outbox.claim(1 + number % 3, LONG):
                    delivered.append((entry.event.id, entry.sequence))
                    assert store.outbox.succeed(entry)

        self.at_once(work, RACERS)
        assert len(delivered) == len(set(delivered)) == 4 * len(resources)
        for each in resources:
            sequences = [sequence for resource, sequence in delivered if resource == each]
            assert sequences == sorted(sequences)

    def test_writers_and_workers_at_once(self, store: Any) -> None:
        """Workers that run while events are recorded miss none and keep the order of each writer's resource."""
        delivered: list[ResourceEvent] = []
        recorded: list[list[ResourceEvent]] = []

        def work(number: int) -> None:
            if number % 2:
                recorded.append([self.record(store, f"w{number}")[0] for _ in range(5)])
                self.record(store, f"w{number}", undone=True)
            for _ in range(5):
                for entry in store.outbox.claim(5, LONG):
                    delivered.append(entry.event)
                    store.outbox.succeed(entry)

        self.at_once(work, RACERS)
        while entries := store.outbox.claim(100, LONG):
            for entry in entries:
                delivered.append(entry.event)
                store.outbox.succeed(entry)
        for events in recorded:
            assert [each for each in delivered if each.id == events[0].id] == events

    def test_agrees_with_a_model(self) -> None:
        """Any sequence of calls has the effect that it has on a simple model."""

        def run(data: st.DataObject) -> None:
            with self.opened() as opened:
                self._compare(opened, data)

        self.often(run)

    def _compare(self, store: Any, data: st.DataObject) -> None:
        model = OutboxModel()
        held: list[OutboxEntry] = []
        times = st.sampled_from([SOON, LONG])
        for _ in range(data.draw(st.integers(1, 25))):
            step = data.draw(st.sampled_from(["record", "record", "claim", "claim", "finish", "replay", "purge"]))
            if step == "record":
                resources = data.draw(st.lists(st.sampled_from(self.resources), min_size=1, max_size=3))
                undone = data.draw(st.booleans())
                events = self.record(store, *resources, undone=undone)
                if not undone:
                    model.record(events)
            elif step == "claim":
                count, lease = data.draw(st.integers(1, 4)), data.draw(times)
                entries = store.outbox.claim(count, lease)
                model.claim([each.event_id for each in entries], count, lease)
                for each in entries:
                    model.owners[each.event_id] = each.claim
                held += entries
            elif step == "finish" and held:
                entry = held.pop(data.draw(st.integers(0, len(held) - 1)))
                self._finish(store, model, entry, data)
            elif step == "replay" and model.rows:
                event_id = data.draw(st.sampled_from([each.event.event_id for each in model.rows]))
                assert store.outbox.replay(event_id)
                model.replay(event_id)
            elif step == "purge":
                dead = data.draw(st.booleans())
                gone = store.outbox.purge(datetime.now(UTC) + timedelta(hours=1), dead_letters=dead)
                assert gone == model.purge(dead_letters=dead)
            listed = [(each.event, each.status, each.attempts) for each in store.outbox.list(limit=1000)]
            assert listed == [(each.event, each.status, each.attempts) for each in model.rows]

    def _finish(self, store: Any, model: OutboxModel, entry: OutboxEntry, data: st.DataObject) -> None:
        how = data.draw(st.sampled_from(["succeed", "fail", "dead_letter", "release"]))
        delay = data.draw(st.sampled_from([SOON, LONG])) if how == "fail" else SOON
        if how == "succeed":
            answer = store.outbox.succeed(entry)
        elif how == "fail":
            answer = store.outbox.fail(entry, "error", delay)
        elif how == "dead_letter":
            answer = store.outbox.dead_letter(entry, "error")
        else:
            answer = store.outbox.release([entry])
        assert answer is (None if how == "release" else model.holds(entry))
        model.finish(entry, how, delay)
