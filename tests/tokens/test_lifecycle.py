"""The life of a token: scopes, activation, rotation, expiry and last use."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scimkit.errors import Conflict, NotFound
from scimkit.tokens import (
    AsyncTokenRegistry,
    InvalidToken,
    MemoryTokenStore,
    TokenRecord,
    TokenRegistry,
    TokenStateError,
    TokenStatus,
    check_scopes,
)
from scimkit.tokens.records import OVERLAP
from tests.tokens.test_tokens import NOW, Clock

HOUR = timedelta(hours=1)


class CountingStore(MemoryTokenStore):
    """A store that counts writes of the last use."""

    def __init__(self) -> None:
        super().__init__()
        self.touches: list[tuple[str, datetime]] = []

    def touch(self, id: str, instant: datetime) -> None:
        self.touches.append((id, instant))
        super().touch(id, instant)


class RacingStore(MemoryTokenStore):
    """A store in which another process does something before each update."""

    def __init__(self, interfere: Any) -> None:
        super().__init__()
        self.interfere = interfere

    def update(self, old: TokenRecord, new: TokenRecord) -> bool:
        self.interfere(self, old)
        return super().update(old, new)


class AwaitedStore:
    """An async store over a memory store."""

    def __init__(self, store: MemoryTokenStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        async def awaited(*arguments: Any) -> Any:
            return getattr(self._store, name)(*arguments)

        return awaited


def test_values_of_a_new_token() -> None:
    """A token has the scopes, the creator and the status of its issue, and a hint with its last four characters."""
    registry = TokenRegistry(clock=Clock())
    issued = registry.issue("Entra", scopes=["write:Group", "read", "read"], created_by="ada", active=False)
    record = issued.record
    assert (record.scopes, record.created_by, record.active) == (("write:Group", "read"), "ada", False)
    assert record.hint == issued.token[-4:]
    assert (record.last_used, record.rotated_from, record.status(NOW)) == (None, None, "Inactive")
    assert registry.find(record.id) == record
    plain = registry.issue("Okta").record
    assert (plain.scopes, plain.created_by, plain.status(NOW)) == (("read", "write"), None, "Active")


@pytest.mark.parametrize(
    "scopes", ["", "reed", "read:", "read:User:x", "READ", "read write", "read:Us er", "read\n", (), (1,), ("read", "")]
)
def test_unknown_scopes_are_refused(scopes: Any) -> None:
    """A scope of an unknown form, or no scope at all, is a ValueError, and no token is issued."""
    registry = TokenRegistry()
    with pytest.raises(ValueError, match=r"[Ss]cope"):
        registry.issue("x", scopes=scopes)
    assert registry.list() == []


def test_scopes_have_a_maximum_length() -> None:
    """Scopes that no table could hold are refused. One scope as a text is one scope."""
    assert check_scopes("read") == ("read",)
    assert check_scopes("write:Agent_2-x") == ("write:Agent_2-x",)
    with pytest.raises(ValueError, match="1000"):
        check_scopes(f"read:T{number}" for number in range(200))


def test_scopes_of_the_principal() -> None:
    """A token with both plain scopes is not limited. Any other token is limited to its scopes."""
    registry = TokenRegistry()

    def scopes_of(*scopes: str) -> frozenset[str] | None:
        return registry.verify(registry.issue("x", scopes=scopes).token).scopes

    assert scopes_of("write", "read") is None
    assert scopes_of("read", "write", "read:User") is None
    assert scopes_of("read") == {"read"}
    assert scopes_of("read", "write:Group") == {"read", "write:Group"}


def test_a_deactivated_token_is_refused_until_it_is_activated() -> None:
    """Deactivation holds with the next request in every registry over the store, and activation undoes it."""
    records = MemoryTokenStore()
    registry, other = TokenRegistry(records), TokenRegistry(records)
    issued = registry.issue("Entra")
    id = issued.record.id
    other.verify(issued.token)
    assert registry.deactivate(id).active is False
    with pytest.raises(InvalidToken) as caught:
        other.verify(issued.token)
    assert (caught.value.reason, caught.value.token_id) == ("the token is inactive", id)
    assert registry.activate(id).status(datetime.now(UTC)) == "Active"
    assert other.verify(issued.token).token_id == id


def test_revocation_is_final() -> None:
    """A revoked token cannot be changed. A second revocation keeps the time of the first one."""
    clock = Clock()
    registry = TokenRegistry(clock=clock)
    id = registry.issue("Entra").record.id
    first = registry.revoke(id)
    clock.now += HOUR
    assert registry.revoke(id) == first
    changes: list[Any] = [
        registry.activate, registry.deactivate, registry.rotate, lambda id: registry.update(id, description="x"),
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(TokenStateError, match="revoked"):
            change(id)
    assert registry.list() == [first]


def test_an_update_changes_what_is_given() -> None:
    """An update changes the description, the expiry, or both. An expiry needs a time zone."""
    registry = TokenRegistry(clock=Clock())
    issued = registry.issue("Entra", expires_in=HOUR)
    id = issued.record.id
    assert registry.update(id, description="Okta") == replace(issued.record, description="Okta")
    assert registry.update(id, expires=None).expires is None
    assert registry.update(id, expires=NOW).status(NOW) == "Expired"
    assert registry.update(id).description == "Okta"
    with pytest.raises(ValueError, match="time zone"):
        registry.update(id, expires=datetime(2030, 1, 1))
    assert registry.verify(registry.rotate(registry.issue("x").record.id).token).description == "x"


def test_rotation_lets_the_old_token_expire() -> None:
    """The successor has the values of the old token, which expires after one day by default."""
    clock = Clock()
    registry = TokenRegistry(clock=clock)
    old = registry.issue("Entra", tenant="acme", scopes=("read",), dialect="entra", created_by="ada")
    new = registry.rotate(old.record.id, tenant="acme", expires_in=timedelta(days=90), created_by="bo")
    record = new.record
    assert (record.description, record.tenant, record.scopes, record.dialect, record.created_by) == (
        "Entra", "acme", ("read",), "entra", "bo",
    )  # fmt: skip
    assert (record.rotated_from, record.expires) == (old.record.id, NOW + timedelta(days=90))
    assert registry.find(old.record.id, tenant="acme").expires == NOW + OVERLAP == NOW + timedelta(days=1)
    clock.now += OVERLAP - timedelta(seconds=1)
    registry.verify(old.token)
    clock.now += timedelta(seconds=1)
    registry.verify(new.token)
    with pytest.raises(InvalidToken) as caught:
        registry.verify(old.token)
    assert caught.value.reason == "the token is expired"


def test_rotation_never_extends_a_token() -> None:
    """The old token keeps an expiry before the end of the overlap. The successor of an inactive token is inactive."""
    registry = TokenRegistry(clock=Clock())
    id = registry.issue("Entra", expires_in=HOUR, active=False).record.id
    assert registry.rotate(id).record.active is False
    assert registry.find(id).expires == NOW + HOUR
    registry.rotate(id, overlap=timedelta())
    assert registry.find(id).status(NOW) == "Expired"
    with pytest.raises(TokenStateError, match="expired"):
        registry.rotate(id)
    other = registry.issue("Okta").record.id
    with pytest.raises(ValueError, match="negative"):
        registry.rotate(other, overlap=-HOUR)
    assert len(registry.list()) == 4


def test_a_revocation_during_a_change_wins() -> None:
    """A token that another process revokes during a change stays revoked. A rotation then leaves no active token."""
    store = RacingStore(lambda store, old: MemoryTokenStore.update(store, old, replace(old, revoked=NOW)))
    registry = TokenRegistry(store, clock=Clock())
    id = registry.issue("Entra").record.id
    with pytest.raises(TokenStateError):
        registry.deactivate(id)
    other = registry.issue("Okta").record.id
    with pytest.raises(TokenStateError):
        registry.rotate(other)
    assert {each.status(NOW) for each in registry.list()} == {"Revoked"}


def test_a_change_gives_up_after_many_races() -> None:
    """A change that always loses against other processes ends with an error."""
    moments = iter(NOW + HOUR * number for number in range(10_000))

    def interfere(store: Any, old: TokenRecord) -> None:
        MemoryTokenStore.update(store, old, replace(old, expires=next(moments)))

    registry = TokenRegistry(RacingStore(interfere), clock=Clock())
    id = registry.issue("Entra").record.id
    with pytest.raises(Conflict):
        registry.deactivate(id)


def test_changes_of_another_tenant_are_not_found() -> None:
    """Every method refuses the id of another tenant's token, and of no token."""
    registry = TokenRegistry()
    id = registry.issue("a", tenant="acme").record.id
    methods: list[Any] = [registry.find, registry.activate, registry.deactivate, registry.update, registry.rotate]
    for method in methods:
        for wrong, tenant in ((id, "other"), ("x", "acme")):
            with pytest.raises(NotFound):
                method(wrong, tenant=tenant)


def test_the_last_use_is_written_once_a_minute() -> None:
    """Two registries over one store write the last use once a minute together, and it is the minute of the use."""
    store, clock = CountingStore(), Clock()
    first, second = TokenRegistry(store, clock=clock), TokenRegistry(store, clock=clock)
    issued = first.issue("Entra")
    for _ in range(6):
        for registry in (first, second, first):
            registry.verify(issued.token)
        clock.now += timedelta(seconds=30)
    assert store.touches == [(issued.record.id, NOW + timedelta(minutes=each)) for each in range(3)]
    assert first.find(issued.record.id).last_used == NOW + timedelta(minutes=2)


def test_a_failed_write_of_the_last_use_is_forgiven() -> None:
    """A verification succeeds although the last use cannot be written. The next attempt is a minute later."""

    class Broken(CountingStore):
        def touch(self, id: str, instant: datetime) -> None:
            self.touches.append((id, instant))
            raise RuntimeError("read only")

    clock = Clock()
    store = Broken()
    registry = TokenRegistry(store, clock=clock)
    waiting = AsyncTokenRegistry(AwaitedStore(store), clock=clock)
    issued = registry.issue("Entra")
    for _ in range(4):
        assert registry.verify(issued.token).token_id == issued.record.id
        assert asyncio.run(waiting.verify(issued.token)).token_id == issued.record.id
        clock.now += timedelta(seconds=30)
    assert len(store.touches) == 4


def test_a_refused_token_was_not_used() -> None:
    """A request with a token that is not valid leaves no trace in the store."""
    store = CountingStore()
    registry = TokenRegistry(store)
    issued = registry.issue("Entra")
    registry.deactivate(issued.record.id)
    with pytest.raises(InvalidToken):
        registry.verify(issued.token)
    assert store.touches == []


def test_known_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry remembers the tokens that it issued or verified. The memory is bounded, and keeps the last ones."""
    monkeypatch.setattr("scimkit.tokens.seen._MAX_OF_A_GENERATION", 10)
    store = MemoryTokenStore()
    registry, other = TokenRegistry(store), TokenRegistry(store)
    tokens = [registry.issue(str(number)).token for number in range(40)]
    assert registry.is_known(tokens[-1])
    assert not registry.is_known(tokens[0])
    assert sum(map(registry.is_known, tokens)) <= 20
    assert not other.is_known(tokens[-1])
    other.verify(tokens[-1])
    assert other.is_known(tokens[-1])
    assert other.is_well_formed(tokens[0])
    assert not other.is_well_formed(tokens[0][:-1])


class Life(RuleBasedStateMachine):
    """Tokens of a registry beside a simple model of their status. Each change is made by a sync or async registry."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = MemoryTokenStore()
        self.sync = TokenRegistry(self.store, clock=self.clock)
        self.awaited = AsyncTokenRegistry(AwaitedStore(self.store), clock=self.clock)
        self.tokens: list[tuple[str, str]] = []
        self.active: dict[str, bool] = {}
        self.expires: dict[str, datetime | None] = {}
        self.revoked: set[str] = set()

    def call(self, is_async: bool, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of one of the two registries."""
        if is_async:
            return asyncio.run(getattr(self.awaited, method)(*arguments, **named))
        return getattr(self.sync, method)(*arguments, **named)

    def status(self, id: str) -> TokenStatus:
        """Return the status of a token by the model."""
        expires = self.expires[id]
        if id in self.revoked:
            return "Revoked"
        if expires is not None and expires <= self.clock.now:
            return "Expired"
        return "Active" if self.active[id] else "Inactive"

    def add(self, issued: Any, active: bool, expires_in: timedelta | None) -> None:
        """Add a token to the model."""
        id = issued.record.id
        self.tokens.append((id, issued.token))
        self.active[id] = active
        self.expires[id] = None if expires_in is None else self.clock.now + expires_in

    hours = st.integers(0, 4).map(lambda number: HOUR * number)
    expiry = st.none() | st.integers(1, 4).map(lambda number: HOUR * number)

    @rule(is_async=st.booleans(), active=st.booleans(), expires_in=expiry)
    def issue(self, is_async: bool, active: bool, expires_in: timedelta | None) -> None:
        self.add(self.call(is_async, "issue", "x", active=active, expires_in=expires_in), active, expires_in)

    @rule(seconds=st.sampled_from([1, 1800, 3600]))
    def wait(self, seconds: int) -> None:
        self.clock.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), is_async=st.booleans(), active=st.booleans())
    def switch(self, data: st.DataObject, is_async: bool, active: bool) -> None:
        id, _ = data.draw(st.sampled_from(self.tokens))
        method = "activate" if active else "deactivate"
        if id in self.revoked:
            with pytest.raises(TokenStateError):
                self.call(is_async, method, id)
        else:
            self.call(is_async, method, id)
            self.active[id] = active

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), is_async=st.booleans())
    def revoke(self, data: st.DataObject, is_async: bool) -> None:
        id, _ = data.draw(st.sampled_from(self.tokens))
        self.call(is_async, "revoke", id)
        self.revoked.add(id)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), is_async=st.booleans(), hours=hours)
    def set_expiry(self, data: st.DataObject, is_async: bool, hours: timedelta) -> None:
        id, _ = data.draw(st.sampled_from(self.tokens))
        expires = self.clock.now + hours if hours else None
        if id in self.revoked:
            with pytest.raises(TokenStateError):
                self.call(is_async, "update", id, expires=expires)
        else:
            self.call(is_async, "update", id, expires=expires)
            self.expires[id] = expires

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), is_async=st.booleans(), overlap=hours, expires_in=expiry)
    def rotate(self, data: st.DataObject, is_async: bool, overlap: timedelta, expires_in: timedelta | None) -> None:
        id, _ = data.draw(st.sampled_from(self.tokens))
        if self.status(id) in ("Revoked", "Expired"):
            with pytest.raises(TokenStateError):
                self.call(is_async, "rotate", id, overlap=overlap, expires_in=expires_in)
            return
        issued = self.call(is_async, "rotate", id, overlap=overlap, expires_in=expires_in)
        assert issued.record.rotated_from == id
        self.add(issued, self.active[id], expires_in)
        end, before = self.clock.now + overlap, self.expires[id]
        self.expires[id] = end if before is None else min(before, end)

    @invariant()
    def every_token_has_its_status(self) -> None:
        records = {each.id: each for each in self.sync.list()}
        assert records.keys() == self.active.keys()
        for id, token in self.tokens:
            assert records[id].status(self.clock.now) == self.status(id)
            try:
                accepted = self.sync.verify(token).token_id == id
            except InvalidToken:
                accepted = False
            assert accepted is (self.status(id) == "Active")


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


class CountedReads(MemoryTokenStore):
    """A store that counts reads of records."""

    reads = 0

    def find(self, id: str) -> TokenRecord | None:
        self.reads += 1
        return super().find(id)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_cache_reads_a_record_once_within_its_time(is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cache, another process's revocation holds when the time is over, and an expiry holds at once."""
    time, clock = [100.0], Clock()
    monkeypatch.setattr("scimkit.tokens.verification.monotonic", lambda: time[0])
    store = CountedReads()
    cached = timedelta(seconds=5)
    registry: Any = (
        AsyncTokenRegistry(AwaitedStore(store), clock=clock, cache=cached)
        if is_async
        else TokenRegistry(store, clock=clock, cache=cached)
    )

    def call(name: str, *arguments: Any, **options: Any) -> Any:
        answer = getattr(registry, name)(*arguments, **options)
        return asyncio.run(answer) if is_async else answer

    issued, other = call("issue", "one"), call("issue", "two", expires_in=timedelta(seconds=1))
    for _ in range(3):
        assert call("verify", issued.token).token_id == issued.record.id
    assert store.reads == 1
    TokenRegistry(store, clock=clock).revoke(issued.record.id)
    assert call("verify", issued.token).token_id == issued.record.id
    time[0] += 5
    with pytest.raises(InvalidToken):
        call("verify", issued.token)
    call("verify", other.token)
    clock.now += timedelta(seconds=2)
    with pytest.raises(InvalidToken):
        call("verify", other.token)


def test_a_change_holds_at_once_in_its_own_process() -> None:
    """A registry with a cache refuses a token that it revoked itself. Without a cache, it reads each record."""
    store = CountedReads()
    registry = TokenRegistry(store, cache=timedelta(minutes=5))
    issued = registry.issue("one")
    registry.verify(issued.token)
    registry.revoke(issued.record.id)
    with pytest.raises(InvalidToken):
        registry.verify(issued.token)
    plain = TokenRegistry(store)
    token = plain.issue("two").token
    before = store.reads
    for _ in range(3):
        plain.verify(token)
    assert store.reads == before + 3


@pytest.mark.parametrize("cache", [timedelta(0), timedelta(seconds=-1), timedelta(minutes=6)])
def test_the_time_of_a_cache_is_bounded(cache: timedelta) -> None:
    """A cache of more than five minutes would accept revoked tokens for too long."""
    with pytest.raises(ValueError, match="5 minutes"):
        TokenRegistry(cache=cache)


def test_the_cache_of_records_is_bounded() -> None:
    """The cache starts anew instead of growing beyond its size."""
    registry = TokenRegistry(cache=timedelta(minutes=5))
    for number in range(1100):
        registry.verify(registry.issue(str(number)).token)
    assert len(registry._recent) <= 1024
