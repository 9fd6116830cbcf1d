"""A program that writes without end, so that a test can kill it at any moment.

The program prints each answer, and each resource that it is about to delete, as a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from scimkit import GROUP, USER, Scope, as_async_store
from scimkit.errors import ScimError
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.protocol import Store
from scimkit.stores.sql import AsyncSqlStore, SqlStore


async def write(store: Store, scope: Scope) -> None:
    """Create, rename, disable and delete users, and add and remove members, in random order."""
    people: list[str] = []
    teams: list[str] = []
    _say(ready=True)
    for count in range(10**9):
        number = random.randrange(200)
        emails = [{"value": f"u{number}@example.org", "type": "work", "primary": True}]
        person = {"schemas": [USER.schema], "userName": f"u{number}", "emails": emails, "active": True}
        try:
            people.append((await store.create(scope, USER, person)).document["id"])
            _say(kept=people[-1])
            members = [{"value": each} for each in random.sample(people, min(5, len(people)))]
            team = {"schemas": [GROUP.schema], "displayName": f"g{random.random()}", "members": members}
            teams.append((await store.create(scope, GROUP, team)).document["id"])
            _say(kept=teams[-1])
            id, title = random.choice(people), f"{count:09}"
            changed = ChangeSet({"userName": f"v{random.randrange(200)}", "title": title}, frozenset({"emails"}))
            await store.change(scope, USER, id, changed)
            _say(of=id, title=title)
            joins = ReferenceChanges(({"value": random.choice(people)},), frozenset({random.choice(people)}))
            await store.change(scope, GROUP, random.choice(teams), ChangeSet(references={"members": joins}))
            if len(people) > 50:
                gone = people.pop(random.randrange(len(people)))
                _say(going=gone)
                await store.delete(scope, USER, gone)
                _say(gone=gone)
        except ScimError:
            continue


def _say(**said: Any) -> None:
    print(json.dumps(said), flush=True)  # noqa: T201


def main(url: str, tenant: str, color: str) -> None:
    """Write with a store that is `sync` or `async`."""
    if color == "async":
        store: Store = AsyncSqlStore(url)
    else:
        store = as_async_store(SqlStore(url, upgrade=False))
    asyncio.run(write(store, Scope(tenant)))
