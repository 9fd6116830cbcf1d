"""A test suite for stores of OAuth clients. Subclass `ClientStoreContract` for your store, and pytest runs the tests.

    class TestMyClientStore(ClientStoreContract):
        def make_store(self):
            return MyClientStore()

The store is sync or async. A test uses a tenant of its own, so the store may contain other clients.
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
    raise ModuleNotFoundError("The client contract needs pytest: pip install 'scimkit[testing]'") from _missing

from scimkit.testing.contract.async_driver import LoopThread
from scimkit.tokens import AsyncClientStore, Client, ClientSecret, ClientStore, Trust

_RACERS: Final = 8
_NOW: Final = datetime(2030, 1, 2, 3, 4, 5, 678901, UTC)


@pytest.mark.usefixtures("_made")
class ClientStoreContract:
    """Tests that every `ClientStore` and `AsyncClientStore` must pass. A subclass implements `make_store`."""

    def make_store(self) -> ClientStore | AsyncClientStore | Awaitable[AsyncClientStore]:
        """Return the store. May be `async def`."""
        raise NotImplementedError

    def close(self, store: Any) -> Awaitable[None] | None:
        """Close the store after a test. May be `async def`."""
        return None

    _loop: LoopThread
    _store: Any
    _tenant: str

    @pytest.fixture
    def _made(self) -> Iterator[None]:
        self._loop = LoopThread()
        self._tenant = f"{os.getpid()}-{os.urandom(6).hex()}"
        self._store = self._run(self.make_store)
        yield
        self._run(lambda: self.close(self._store))
        self._loop.close()

    def _run(self, work: Callable[[], Any]) -> Any:
        answer = work()
        return self._loop.run(answer) if inspect.isawaitable(answer) else answer

    def _client(self, **values: Any) -> Client:
        """Return a client that no other test has, with some values."""
        fields: dict[str, Any] = {
            "id": os.urandom(6).hex(), "tenant": self._tenant, "description": "Entra \N{BUTTERFLY}", "created": _NOW,
        }  # fmt: skip
        return Client(**(fields | values))

    def _added(self, **values: Any) -> Client:
        client = self._client(**values)
        self._run(lambda: self._store.add(client))
        return client

    def _found(self, id: str) -> Any:
        return self._run(lambda: self._store.find(id))

    def test_a_client_is_found_as_it_was_added(self) -> None:
        """`find` returns every value of a client, and None for an id that no client has."""
        full = self._added(
            scopes=("read", "write:User"), lifetime=7200, dialect="entra", created_by="Zoë", version=3,
            revoked=_NOW + timedelta(days=1),
            secrets=(
                ClientSecret("s1", os.urandom(32), "abcd", _NOW, _NOW + timedelta(days=400)),
                ClientSecret("s2", os.urandom(32), "efgh", _NOW, _NOW + timedelta(days=800)),
            ),
            trusts=(Trust("t1", "https://login.example.org/v2.0", "sub", "api://x", '{"keys":[]}', _NOW),),
        )  # fmt: skip
        assert self._found(full.id) == full
        plain = self._added()
        assert self._found(plain.id) == plain
        for unknown in ("nobody", plain.id.upper() + "X", "", "\x00", "\ud800", "%"):
            assert self._found(unknown) is None

    def test_ids_and_tenants_are_compared_exactly(self) -> None:
        """An id or a tenant in another case is another one."""
        lower, upper = self._added(id=f"{self._tenant[-12:]}x"), self._added(id=f"{self._tenant[-12:]}X")
        assert self._found(lower.id) == lower and self._found(upper.id) == upper
        assert self._run(lambda: self._store.list(self._tenant.upper() + "x")) == []

    def test_a_tenant_lists_its_clients_in_order(self) -> None:
        """`list` returns the clients of one tenant, in the order in which they were created."""
        later = self._added(created=_NOW + timedelta(seconds=1))
        earlier = self._added()
        self._added(tenant=f"{self._tenant}-other")
        assert list(self._run(lambda: self._store.list(self._tenant))) == [earlier, later]

    def test_an_update_needs_the_version_that_was_read(self) -> None:
        """`update` replaces a client of the version that was read. Otherwise it changes nothing and returns False."""
        old = self._added()
        new = replace(old, revoked=_NOW, version=2)
        assert self._run(lambda: self._store.update(old, new)) is True
        assert self._run(lambda: self._store.update(old, replace(old, description="lost", version=2))) is False
        assert self._found(old.id) == new
        absent = self._client()
        assert self._run(lambda: self._store.update(absent, replace(absent, version=2))) is False

    def test_one_of_concurrent_updates_wins(self) -> None:
        """If several calls update one version at the same time, exactly one succeeds."""
        old = self._added()
        news = [replace(old, description=str(number), version=2) for number in range(_RACERS)]
        with ThreadPoolExecutor(_RACERS) as pool:
            results = list(pool.map(lambda new: self._run(lambda: self._store.update(old, new)), news))
        assert sorted(results) == [False] * (_RACERS - 1) + [True]
        assert self._found(old.id) == news[results.index(True)]
