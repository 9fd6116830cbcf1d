"""A test suite for token stores. Subclass `TokenStoreContract` for your store, and pytest runs the tests.

    class TestMyTokenStore(TokenStoreContract):
        def make_store(self):
            return MyTokenStore()

The store is sync or async. A test uses a tenant of its own, so the store may contain other tokens.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

try:
    import pytest
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The token contract needs pytest: pip install 'scimkit[testing]'") from _missing

from scimkit.testing.contract.async_driver import LoopThread
from scimkit.tokens import AsyncTokenRegistry, InvalidToken, TokenRecord, TokenRegistry
from scimkit.tokens.stores import AsyncTokenStore, TokenStore

_RACERS: Final = 8
_NOW: Final = datetime(2030, 1, 2, 3, 4, 5, 678901, UTC)
_MINUTE: Final = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.usefixtures("_made")
class TokenStoreContract:
    """Tests that every `TokenStore` and `AsyncTokenStore` must pass. A subclass implements `make_store`."""

    def make_store(self) -> TokenStore | AsyncTokenStore | Awaitable[AsyncTokenStore]:
        """Return the store. May be `async def`."""
        raise NotImplementedError

    def close(self, store: Any) -> Awaitable[None] | None:
        """Close the store after a test. May be `async def`."""
        return None

    _loop: LoopThread | None = None
    _store: Any = None
    _tenant: str = ""

    @pytest.fixture(autouse=True)
    def _closed(self) -> Iterator[None]:
        yield
        if self._store is not None:
            self._run(lambda: self.close(self._store))
        if self._loop is not None:
            self._loop.close()

    @pytest.fixture
    def _made(self, _closed: None) -> None:
        self._loop = LoopThread()
        self._tenant = f"{os.getpid()}-{os.urandom(6).hex()}"
        made: Any = self._run(self.make_store)
        self._store = made

    def _run(self, work: Callable[[], Any]) -> Any:
        answer = work()
        if not inspect.isawaitable(answer):
            return answer
        assert self._loop is not None
        return self._loop.run(answer)

    def _record(self, **values: Any) -> TokenRecord:
        """Return a record that no other test has, with some values."""
        fields: dict[str, Any] = {
            "id": os.urandom(6).hex(), "tenant": self._tenant, "description": "Entra", "hash": os.urandom(32),
            "created": _NOW,
        }  # fmt: skip
        return TokenRecord(**(fields | values))

    def _added(self, **values: Any) -> TokenRecord:
        """Add a record to the store, and return it."""
        record = self._record(**values)
        self._run(lambda: self._store.add(record))
        return record

    def _find(self, id: str) -> TokenRecord | None:
        found: TokenRecord | None = self._run(lambda: self._store.find(id))
        return found

    def _list(self, tenant: str) -> list[TokenRecord]:
        return list(self._run(lambda: self._store.list(tenant)))

    def _update(self, old: TokenRecord, new: TokenRecord) -> bool:
        done: bool = self._run(lambda: self._store.update(old, new))
        return done

    def _touch(self, id: str, instant: datetime) -> None:
        self._run(lambda: self._store.touch(id, instant))

    def test_a_record_is_kept_complete(self) -> None:
        """The store returns a record with all of its values, and a record without the optional ones."""
        record = self._added(
            description="Entra \N{LATIN SMALL LETTER A WITH DIAERESIS}", expires=_NOW + timedelta(days=1),
            revoked=_NOW + timedelta(hours=1), dialect="entra", created_by="ada@example.org", active=False,
            scopes=("read", "write:User", "write:Group"), last_used=_MINUTE, hint="0aF9", rotated_from="abcdefABCDEF",
        )  # fmt: skip
        plain = self._added(created=_NOW + timedelta(seconds=1))
        assert self._find(record.id) == record
        assert self._find(plain.id) == plain
        assert self._list(self._tenant) == [record, plain]

    def test_a_time_of_another_zone_is_the_same_instant(self) -> None:
        """A time with an offset comes back as the same instant."""
        zone = datetime.fromisoformat("2030-01-02T03:04:05.000001+05:30")
        record = self._added(expires=zone)
        found = self._find(record.id)
        assert found == record
        assert self._update(record, replace(record, description="later"))

    def test_an_unknown_id_has_no_record(self) -> None:
        """An id that no record has is not found, whatever its characters are."""
        record = self._added()
        for id in (record.id[:-1], record.id + " ", "", "x" * 300, "\N{GRINNING FACE}", "'"):
            assert self._find(id) is None

    def test_tenants_are_separate(self) -> None:
        """A list has the records of one tenant, oldest first. Names of tenants are case-sensitive."""
        later = self._added(created=_NOW + timedelta(hours=1))
        first = self._added(created=_NOW)
        other = self._added(tenant=f"{self._tenant}-X")
        assert self._list(self._tenant) == [first, later]
        assert self._list(f"{self._tenant}-X") == [other]
        for unknown in (f"{self._tenant}-x", f"{self._tenant} ", self._tenant[:-1], ""):
            assert not {first.id, later.id, other.id} & {each.id for each in self._list(unknown)}

    def test_an_update_replaces_the_values(self) -> None:
        """An update stores the new values of a token. It leaves the time of last use, and all other tokens."""
        old, other = self._added(), self._added(created=_NOW + timedelta(seconds=1))
        self._touch(old.id, _MINUTE)
        new = replace(old, description="Okta", active=False, expires=_NOW + timedelta(days=1), scopes=("read",))
        assert self._update(old, new)
        assert self._list(self._tenant) == [replace(new, last_used=_MINUTE), other]
        final = replace(new, revoked=_NOW, expires=None)
        assert self._update(new, final)
        assert self._find(old.id) == replace(final, last_used=_MINUTE)

    @pytest.mark.parametrize(
        "change", [{"active": False}, {"expires": _NOW}, {"revoked": _NOW}], ids=["active", "expires", "revoked"]
    )
    def test_an_update_of_another_state_is_refused(self, change: dict[str, Any]) -> None:
        """An update whose `old` has another state than the stored record changes nothing, in both directions."""
        record = self._added()
        changed = replace(record, **change)
        assert not self._update(changed, replace(changed, description="lost"))
        assert self._find(record.id) == record
        assert self._update(record, changed)
        assert not self._update(record, replace(record, description="lost"))
        assert self._find(record.id) == changed

    def test_an_update_of_an_unknown_record_is_refused(self) -> None:
        """An update never adds a record."""
        record = self._record()
        assert not self._update(record, replace(record, active=False))
        assert self._find(record.id) is None

    def test_the_last_use_only_moves_forward(self) -> None:
        """The time of last use is set, is replaced by a later one, and never by an earlier one."""
        record, other = self._added(), self._added()
        for minutes, expected in ((1, 1), (0, 1), (1, 1), (2, 2)):
            self._touch(record.id, _MINUTE + timedelta(minutes=minutes))
            assert self._find(record.id) == replace(record, last_used=_MINUTE + timedelta(minutes=expected))
        self._touch("no such id", _MINUTE)
        assert self._find(other.id) == other

    def test_one_of_many_updates_wins(self) -> None:
        """One of several concurrent updates of a record succeeds. Later uses of the token lose nothing."""
        record = self._added()

        def revoke(number: int) -> bool:
            done = self._update(record, replace(record, revoked=_NOW + timedelta(hours=number)))
            self._touch(record.id, _MINUTE + timedelta(minutes=number))
            return done

        with ThreadPoolExecutor(_RACERS) as threads:
            won = [number for number, done in enumerate(threads.map(revoke, range(_RACERS))) if done]
        assert len(won) == 1
        last_used = _MINUTE + timedelta(minutes=_RACERS - 1)
        assert self._find(record.id) == replace(record, revoked=_NOW + timedelta(hours=won[0]), last_used=last_used)

    def test_only_expired_tokens_of_one_creator_are_removed(self) -> None:
        """`remove_expired` deletes the expired records of one tenant and creator. A store may lack the method."""
        if getattr(self._store, "remove_expired", None) is None:
            return
        early, late = _NOW - timedelta(hours=1), _NOW + timedelta(hours=1)
        ended = self._added(created_by="client a", expires=early)
        kept = [
            self._added(created_by="client a", expires=_NOW), self._added(created_by="client a"),
            self._added(created_by="client b", expires=early), self._added(expires=early),
            self._added(created_by="client a", expires=early, tenant=f"{self._tenant}-other"),
            self._added(created_by="client a", expires=late, revoked=early),
        ]  # fmt: skip
        self._run(lambda: self._store.remove_expired(self._tenant, "client a", _NOW))
        assert self._find(ended.id) is None
        assert [self._find(each.id) for each in kept] == kept

    def test_the_life_of_a_token(self) -> None:
        """A registry over the store issues, verifies, deactivates, rotates and revokes a token."""
        moment = [_NOW]
        is_async = inspect.iscoroutinefunction(self._store.find)
        kind: Any = AsyncTokenRegistry if is_async else TokenRegistry
        registry, other = (kind(self._store, clock=lambda: moment[0]) for _ in range(2))
        call, tenant = self._run, self._tenant
        issued = call(lambda: registry.issue("Entra", tenant=tenant, scopes=("read",), created_by="ada"))
        id = issued.record.id
        assert call(lambda: other.verify(issued.token)).scopes == {"read"}
        assert call(lambda: registry.find(id, tenant=tenant)) == replace(issued.record, last_used=_MINUTE)
        call(lambda: registry.deactivate(id, tenant=tenant))
        with pytest.raises(InvalidToken):
            call(lambda: other.verify(issued.token))
        call(lambda: registry.activate(id, tenant=tenant))
        successor = call(lambda: other.rotate(id, tenant=tenant, overlap=timedelta(hours=1)))
        assert (successor.record.rotated_from, successor.record.scopes) == (id, ("read",))
        principals = [call(lambda: registry.verify(issued.token)), call(lambda: registry.verify(successor.token))]
        assert [each.token_id for each in principals] == [id, successor.record.id]
        moment[0] += timedelta(hours=1)
        with pytest.raises(InvalidToken):
            call(lambda: registry.verify(issued.token))
        assert call(lambda: registry.verify(successor.token)).token_id == successor.record.id
        call(lambda: registry.revoke(successor.record.id, tenant=tenant))
        with pytest.raises(InvalidToken):
            call(lambda: other.verify(successor.token))
        statuses = {each.id: each.status(moment[0]) for each in call(lambda: registry.list(tenant))}
        assert statuses == {id: "Expired", successor.record.id: "Revoked"}
