"""`Breaker`: stop a mass deactivation until an administrator has looked at it.

The breaker counts deactivations and deletions of users for each tenant, in the transaction of each write.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from scimkit.errors import Forbidden
from scimkit.events import Transaction
from scimkit.filters.filter import Filter
from scimkit.safeguards.active_resources import and_active
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.breaker import AsyncBreakerStore, BreakerState, BreakerStore, StateChange
from scimkit.stores.protocol import Query, Scope, Store

_PERIODS: Final = 60
"""The number of periods in a window. A deactivation is forgotten when its period has left the window."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class BreakerOpen(Forbidden):
    """403: a breaker refuses a deactivation or deletion.

    Args:
        deactivations: The number of deactivations and deletions in the window, with the refused one.
        limit: The number that the breaker allows in the window, or None if the breaker had tripped before.
    """

    def __init__(self, deactivations: int, limit: int | None) -> None:
        super().__init__(
            "Too many users were deactivated or deleted in a short time, so this change was refused. "
            "Check which users are in the scope of provisioning. "
            "Then ask an administrator of the application to release the breaker."
        )
        self.deactivations = deactivations
        self.limit = limit


class Breaker:
    """Refuses deactivations and deletions of users past a limit, until an administrator releases the tenant.

    The breaker trips at the first limit that a tenant exceeds: the number of users, or their percentage.

    Args:
        deactivations: The number of deactivations and deletions that a window allows, or None for no such limit.
        percent: The percentage of the active users that a window allows, or None for no such limit.
        window: The length of the window, which moves with the time.
        minimum: The number that `percent` always allows, so that a small tenant can lose a few users.
        store: The store of the counts. The default is the database of the service's store.
        clock: A function that returns the present time.

    Raises:
        ValueError: Both limits are None, a limit is negative, or the window is shorter than a minute.
    """

    def __init__(
        self,
        deactivations: int | None = 50,
        percent: float | None = 20,
        window: timedelta = timedelta(hours=1),
        *,
        minimum: int = 5,
        store: BreakerStore | AsyncBreakerStore | None = None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        if deactivations is None and percent is None:
            raise ValueError("a breaker needs a limit: deactivations, percent or both")
        if any(each is not None and each < 0 for each in (deactivations, percent, minimum)):
            raise ValueError("the limits of a breaker must not be negative")
        if window < timedelta(minutes=1):
            raise ValueError("the window of a breaker must be at least one minute")
        self.deactivations = deactivations
        self.percent = percent
        self.window = window
        self.minimum = minimum
        self._store = store
        self._clock = clock
        self._period = int(window.total_seconds()) // _PERIODS

    def bind(self, store: Any) -> None:
        """Use the database of a service's store, unless the breaker has a store of its own.

        Raises:
            ValueError: The store does not say where breaker states can be kept.
            TypeError: The breaker store is async, but the store is not.
        """
        if self._store is None:
            make = getattr(store, "breaker_store", None)
            if make is None:
                raise ValueError(f"a breaker over {type(store).__name__} needs store=, such as SqlBreakerStore(engine)")
            self._store = make()
        if self._store.is_async and not store.is_async:
            raise TypeError("an async breaker store needs an async store of resources")

    def status(self, tenant: str) -> BreakerState:
        """Return the state of a tenant.

        Raises:
            TypeError: The breaker store is async. Await `status_async` instead.
        """
        return self._sync_store("status_async").read(tenant)

    async def status_async(self, tenant: str) -> BreakerState:
        """Return the state of a tenant."""
        state: BreakerState = await _result(self._bound.read(tenant))
        return state

    def release(self, tenant: str, *, pause: timedelta | None = None) -> BreakerState:
        """Allow deactivations of a tenant again, and count from zero.

        Args:
            tenant: The tenant.
            pause: The time in which nothing is counted, for a large deactivation that is intended.

        Raises:
            TypeError: The breaker store is async. Await `release_async` instead.
        """
        return self._sync_store("release_async").update(tenant, self._released(pause))

    async def release_async(self, tenant: str, *, pause: timedelta | None = None) -> BreakerState:
        """Allow deactivations of a tenant again, as `release` does."""
        state: BreakerState = await _result(self._bound.update(tenant, self._released(pause)))
        return state

    async def count(self, store: Store, scope: Scope, resource_type: ResourceType, transaction: Transaction) -> None:
        """Count a deactivation or deletion in its transaction.

        Args:
            store: The store within the transaction.
            scope: The scope of the request.
            resource_type: The type of the user.
            transaction: The transaction.

        Raises:
            BreakerOpen: The limit is exceeded, or the breaker has tripped before.
        """
        now = self._clock()
        state: BreakerState = await _result(self._bound.update(scope.tenant, self._counted(now), transaction))
        if _is_paused(state, now):
            return
        total = state.deactivations
        if state.tripped is not None:
            raise BreakerOpen(total, None)
        if self.deactivations is not None and total > self.deactivations:
            raise BreakerOpen(total, self.deactivations)
        if self.percent is None or total <= self.minimum:
            return
        node = and_active(None, resource_type, store)
        query = Query(resource_type, None if node is None else Filter(node), count=0)
        users = (await store.search(scope, query)).total + total
        limit = max(self.minimum, int(users * self.percent / 100))
        if total > limit:
            raise BreakerOpen(total, limit)

    async def trip(self, tenant: str) -> bool:
        """Refuse deactivations of a tenant from now on. Returns False if the breaker had tripped before."""
        now = self._clock()
        before = BreakerState()

        def tripped(state: BreakerState) -> BreakerState:
            nonlocal before
            before = state
            return state if state.tripped is not None or _is_paused(state, now) else replace(state, tripped=now)

        after: BreakerState = await _result(self._bound.update(tenant, tripped))
        return before.tripped is None and after.tripped is not None

    def _counted(self, now: datetime) -> StateChange:
        """Return the change that counts one more, and forgets the periods that have left the window."""
        second = int(now.timestamp())
        current, oldest = second - second % self._period, second - int(self.window.total_seconds()) - self._period

        def change(state: BreakerState) -> BreakerState:
            if state.tripped is not None or _is_paused(state, now):
                return state
            counts = {start: count for start, count in state.counts if start > oldest}
            counts[current] = counts.get(current, 0) + 1
            return BreakerState(tuple(sorted(counts.items())))

        return change

    def _released(self, pause: timedelta | None) -> StateChange:
        until = None if pause is None else self._clock() + pause
        return lambda _: BreakerState(paused_until=until)

    @property
    def _bound(self) -> BreakerStore | AsyncBreakerStore:
        if self._store is None:
            raise ValueError("this breaker has no store yet; give it to a ScimService, or give it store=")
        return self._store

    def _sync_store(self, instead: str) -> BreakerStore:
        store = self._bound
        if store.is_async is True:
            raise TypeError(f"the store of this breaker is async; await {instead}")
        return store


def _is_paused(state: BreakerState, now: datetime) -> bool:
    return state.paused_until is not None and now < state.paused_until


async def _result(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer
