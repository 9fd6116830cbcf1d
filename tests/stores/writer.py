"""`python -m tests.stores.writer URL TENANT COLOR`: writes without end, to be killed at any moment.

COLOR is `sync` or `async`. What was answered is printed, a JSON object a line, and what is about to be deleted.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Any

from scimkit import GROUP, USER, Scope, as_async_store
from scimkit.errors import ScimError
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.protocol import Store
from scimkit.stores.sql import AsyncSqlStore, SqlStore


async def write(store: Store, scope: Scope) -> None:
    """Create, rename, disable, join, leave and delete, in no order."""
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
    """Write with a store of that color."""
    if color == "async":
        store: Store = AsyncSqlStore(url)
    else:
        store = as_async_store(SqlStore(url, upgrade=False))
    asyncio.run(write(store, Scope(tenant)))


if __name__ == "__main__":
    main(*sys.argv[1:])
