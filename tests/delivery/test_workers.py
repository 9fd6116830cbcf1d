"""Workers deliver the events of an outbox, and try again, stop and give up as they are told."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit import MemoryStore
from scimkit.delivery import DeliveryFailed, RetryPolicy, Undeliverable, async_deliver, deliver
from scimkit.errors import Unavailable
from scimkit.events import ResourceCreated, ResourceEvent

AT_ONCE = RetryPolicy(tries=3, first_delay=0)


class AwaitedOutbox:
    """An async outbox over the outbox of a memory store."""

    is_async = True

    def __init__(self, outbox: Any) -> None:
        self._outbox = outbox

    def __getattr__(self, name: str) -> Any:
        async def called(*arguments: Any, **named: Any) -> Any:
            return getattr(self._outbox, name)(*arguments, **named)

        return called


@pytest.fixture
def store() -> MemoryStore:
    """An empty store with an outbox."""
    return MemoryStore(outbox=True)


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Callable[..., int]:
    """A worker of each kind that returns when no event is due."""

    def run_sync(outbox: Any, handler: Any, **options: Any) -> int:
        return deliver(outbox, handler, until_empty=True, **options)

    def run_async(outbox: Any, handler: Any, **options: Any) -> int:
        async def awaited(event: ResourceEvent) -> None:
            handler(event)

        return asyncio.run(async_deliver(AwaitedOutbox(outbox), awaited, until_empty=True, **options))  # type: ignore[arg-type]

    return run_sync if request.param == "sync" else run_async


def record(store: MemoryStore, *resources: str) -> list[ResourceEvent]:
    """Record an event for each resource."""
    events: list[ResourceEvent] = [ResourceCreated(resource_type="User", id=each, tenant="t") for each in resources]
    store.record_events(events)
    return events


def listed(store: MemoryStore) -> list[tuple[str, int, str]]:
    """Return status, attempts and error of each entry."""
    assert store.outbox is not None
    return [(each.status, each.attempts, each.error) for each in store.outbox.list()]


def test_events_are_delivered_in_order(store: MemoryStore, run: Callable[..., int]) -> None:
    """The handler receives each event once, and the events of a resource in order."""
    events, received = record(store, "a", "b", "a", "a"), list[ResourceEvent]()
    assert run(store.outbox, received.append) == 4
    assert [each for each in received if each.id == "a"] == [each for each in events if each.id == "a"]
    assert sorted(each.event_id for each in received) == sorted(each.event_id for each in events)
    assert run(store.outbox, received.append) == 0


def test_a_failed_event_is_tried_again(store: MemoryStore, run: Callable[..., int]) -> None:
    """A handler that raises gets the event again before later events of the resource."""
    first, second = record(store, "a", "a")
    received: list[ResourceEvent] = []

    def handler(event: ResourceEvent) -> None:
        received.append(event)
        if len(received) < 3:
            raise DeliveryFailed("HTTP 500")

    assert run(store.outbox, handler, retry=AT_ONCE) == 2
    assert received == [first, first, first, second]


def test_an_event_that_fails_too_often_is_a_dead_letter(store: MemoryStore, run: Callable[..., int]) -> None:
    """After the last try, the event is a dead letter, and later events of the resource are delivered."""
    first, _ = record(store, "a", "a")

    def handler(event: ResourceEvent) -> None:
        if event == first:
            raise DeliveryFailed("HTTP 500")

    assert run(store.outbox, handler, retry=AT_ONCE) == 1
    assert listed(store) == [("dead", 3, "HTTP 500"), ("delivered", 0, "")]


def test_an_undeliverable_event_is_a_dead_letter_at_once(store: MemoryStore, run: Callable[..., int]) -> None:
    """`Undeliverable` makes a dead letter at the first attempt."""
    record(store, "a")

    def handler(event: ResourceEvent) -> None:
        raise Undeliverable("The receiver has no such account.")

    assert run(store.outbox, handler) == 0
    assert listed(store) == [("dead", 1, "The receiver has no such account.")]


def test_the_text_of_an_exception_is_not_stored(
    store: MemoryStore, run: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    """The outbox has the class of an unknown exception only, because its text may contain a secret."""
    record(store, "a")

    def handler(event: ResourceEvent) -> None:
        raise RuntimeError("secret")

    assert run(store.outbox, handler) == 0
    assert listed(store) == [("pending", 1, "RuntimeError")]
    assert caplog.records


def test_delivered_events_are_purged(store: MemoryStore, run: Callable[..., int]) -> None:
    """A worker with a retention deletes events that were delivered before."""
    record(store, "a")
    run(store.outbox, lambda event: None)
    run(store.outbox, lambda event: None, retention=timedelta(hours=1))
    assert len(listed(store)) == 1
    run(store.outbox, lambda event: None, retention=timedelta(hours=-1))
    assert listed(store) == []


def test_a_stopped_worker_gives_its_events_back(store: MemoryStore) -> None:
    """A worker ends after the current event, and other workers can claim the rest at once."""
    record(store, "a", "b", "c")
    stop = threading.Event()
    assert deliver(store.outbox, lambda event: stop.set(), stop=stop) == 1  # type: ignore[arg-type]
    assert deliver(store.outbox, lambda event: None, until_empty=True) == 2  # type: ignore[arg-type]


def test_an_interrupted_worker_gives_its_events_back(store: MemoryStore) -> None:
    """KeyboardInterrupt in a handler ends the worker, and its event can be claimed at once."""
    record(store, "a", "b")

    def handler(event: ResourceEvent) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(store.outbox, handler)  # type: ignore[arg-type]
    assert deliver(store.outbox, lambda event: None, until_empty=True) == 2  # type: ignore[arg-type]


def test_a_cancelled_async_worker_gives_its_events_back(store: MemoryStore) -> None:
    """A task that is cancelled gives back the events whose handlers have not ended."""
    record(store, "a", "b")

    async def scene() -> None:
        started = asyncio.Event()

        async def handler(event: ResourceEvent) -> None:
            started.set()
            await asyncio.sleep(3600)

        task = asyncio.create_task(async_deliver(AwaitedOutbox(store.outbox), handler))  # type: ignore[arg-type]
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    assert deliver(store.outbox, lambda event: None, until_empty=True) == 2  # type: ignore[arg-type]


def test_an_async_worker_stops(store: MemoryStore) -> None:
    """A worker without events ends when its signal is set."""

    async def scene() -> int:
        stop = asyncio.Event()
        task = asyncio.create_task(
            async_deliver(AwaitedOutbox(store.outbox), None, stop=stop, poll=3600)  # type: ignore[arg-type]
        )
        await asyncio.sleep(0)
        stop.set()
        return await task

    assert asyncio.run(scene()) == 0


def test_an_async_handler_is_cancelled_before_its_lease_ends(store: MemoryStore) -> None:
    """A handler that does not end is cancelled, and the event is tried again."""
    record(store, "a")

    async def handler(event: ResourceEvent) -> None:
        await asyncio.sleep(3600)

    asyncio.run(async_deliver(AwaitedOutbox(store.outbox), handler, lease=0.05, until_empty=True))  # type: ignore[arg-type]
    assert listed(store) == [("pending", 1, "The handler took longer than half of the lease.")]


class BrokenOutbox:
    """An outbox whose database fails at some calls."""

    is_async = False

    def __init__(self, outbox: Any, failing: Iterator[bool]) -> None:
        self._outbox = outbox
        self._failing = failing

    def __getattr__(self, name: str) -> Any:
        def called(*arguments: Any, **named: Any) -> Any:
            if next(self._failing, False):
                raise Unavailable()
            return getattr(self._outbox, name)(*arguments, **named)

        return called


@pytest.mark.parametrize("color", ["sync", "async"])
def test_a_worker_survives_a_failing_database(store: MemoryStore, color: str, caplog: pytest.LogCaptureFixture) -> None:
    """A worker logs that the database failed, and goes on. Every event comes at least once."""
    events = record(store, "a", "b", "a")
    received: set[str] = set()
    stop = threading.Event()
    outbox = BrokenOutbox(store.outbox, iter([True, False, True, True, False, True]))

    def handler(event: ResourceEvent) -> None:
        received.add(event.event_id)
        if received == {each.event_id for each in events}:
            stop.set()

    with caplog.at_level(logging.CRITICAL):
        if color == "sync":
            deliver(outbox, handler, stop=stop, poll=0.01, lease=0.2)  # type: ignore[arg-type]
        else:
            asyncio.run(_until(AwaitedOutbox(outbox), handler, stop))
    assert received == {each.event_id for each in events}


async def _until(outbox: Any, handler: Callable[[ResourceEvent], None], stop: threading.Event) -> None:
    ended = asyncio.Event()

    async def awaited(event: ResourceEvent) -> None:
        handler(event)
        if stop.is_set():
            ended.set()

    await async_deliver(outbox, awaited, stop=ended, poll=0.01, lease=0.2)


@given(
    st.builds(RetryPolicy, tries=st.integers(1, 20), first_delay=st.floats(0, 100), factor=st.floats(1, 10),
              longest_delay=st.floats(0, 10_000)),
    st.integers(1, 2000),
)  # fmt: skip
def test_delays_grow_up_to_a_limit(policy: RetryPolicy, attempts: int) -> None:
    """A delay is between half of the backoff and all of it, and never longer than the longest delay."""
    assert 0 <= policy.delay(attempts) <= policy.longest_delay
    backoff = min(policy.first_delay * policy.factor ** min(attempts - 1, 50), policy.longest_delay)
    if attempts <= 50:
        assert backoff * 0.499 <= policy.delay(attempts) <= backoff * 1.001


@pytest.mark.parametrize("options", [{"tries": 0}, {"first_delay": -1}, {"factor": 0.5}, {"longest_delay": -1}])
def test_a_policy_without_sense_is_refused(options: dict[str, Any]) -> None:
    """A policy needs a try, a growing delay and no negative delay."""
    with pytest.raises(ValueError, match="retry policy"):
        RetryPolicy(**options)


@pytest.mark.parametrize("options", [{"batch": 0}, {"lease": 0}, {"poll": 0}])
def test_a_worker_without_sense_is_refused(store: MemoryStore, options: dict[str, Any]) -> None:
    """A worker needs a batch, a lease and a delay between looks."""
    with pytest.raises(ValueError, match="batch must be"):
        deliver(store.outbox, lambda event: None, **options)  # type: ignore[arg-type]
