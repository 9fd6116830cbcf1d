"""Tokens in the database of the SQL store, with the sync and the async registry."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from scimkit import Request, ScimService, TokenRegistry
from scimkit.errors import NotFound
from scimkit.stores.sql import AsyncSqlStore, AsyncSqlTokenStore, SqlStore, SqlTokenStore
from scimkit.tokens import AsyncTokenRegistry, InvalidToken
from tests.client import BASE_URL
from tests.stores.databases import DATABASES, url_of


@pytest.mark.parametrize("database", DATABASES)
def test_sync_and_async_registries_share_tokens(database: str) -> None:
    """A token that one registry issued is verified, rotated, revoked and listed by the other registry."""
    sync = SqlStore(url_of(database))

    async def live() -> None:
        store = AsyncSqlStore(url_of(database))
        registry, twin = AsyncTokenRegistry(AsyncSqlTokenStore(store.engine)), TokenRegistry(SqlTokenStore(sync.engine))
        issued = await registry.issue("Entra", tenant=f"t-{database}", dialect="entra")
        assert (await registry.verify(issued.token)) == twin.verify(issued.token)
        assert (await registry.verify(issued.token)).dialect == "entra"
        rotated = await registry.rotate(issued.record.id, tenant=f"t-{database}")
        await registry.revoke(issued.record.id, tenant=f"t-{database}")
        for verify in (registry.verify, twin.verify):
            with pytest.raises(InvalidToken) as caught:
                answer = verify(issued.token)
                _ = answer if not asyncio.iscoroutine(answer) else await answer
            assert (caught.value.reason, caught.value.token_id) == ("the token is revoked", issued.record.id)
        assert twin.verify(rotated.token).token_id == rotated.record.id
        listed = await registry.list(f"t-{database}")
        assert {issued.record.id, rotated.record.id} <= {each.id for each in listed}
        expired = await registry.issue("short", tenant=f"t-{database}", expires_in=timedelta(seconds=-1))
        with pytest.raises(InvalidToken):
            await registry.verify(expired.token)
        with pytest.raises(NotFound):
            await registry.revoke(issued.record.id, tenant="another")
        service = ScimService(store, tokens=registry)
        headers = {"authorization": f"Bearer {rotated.token}"}
        assert (await service.handle(Request("GET", "/Users", "count=0", headers, b"", BASE_URL))).status == 200
        await store.engine.dispose()

    asyncio.run(live())
    sync.engine.dispose()


@pytest.mark.parametrize("database", DATABASES)
def test_health_of_a_store(database: str, tmp_path: Any) -> None:
    """A store with current tables is ready. A store without tables names the command that creates them."""
    store = SqlStore(url_of(database))
    assert store.check_health(None).ready
    assert (store.pool_size or 0) > 0
    store.engine.dispose()

    async def check() -> None:
        awaited = AsyncSqlStore(url_of(database))
        assert (await awaited.check_health(None)).ready
        assert (awaited.pool_size or 0) > 0
        await awaited.engine.dispose()

    asyncio.run(check())
    empty = SqlStore(f"sqlite:///{tmp_path}/empty.db", upgrade=False)
    found = empty.check_health(None)
    assert not found.ready
    assert "scimkit migrate" in found.detail
    empty.engine.dispose()
