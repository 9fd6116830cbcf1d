"""`python -m tests.stores.writer URL TENANT`: writes without end, to be killed at any moment."""

from __future__ import annotations

import random
import sys

from scimkit import GROUP, USER, Scope
from scimkit.errors import ScimError
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.sql import SqlStore


def main(url: str, tenant: str) -> None:
    """Create, rename, disable, join, leave and delete, in no order."""
    store, scope = SqlStore(url, upgrade=False), Scope(tenant)
    people: list[str] = []
    teams: list[str] = []
    print("ready", flush=True)  # noqa: T201
    while True:
        number = random.randrange(200)
        emails = [{"value": f"u{number}@example.org", "type": "work", "primary": True}]
        person = {"schemas": [USER.schema], "userName": f"u{number}", "emails": emails, "active": True}
        try:
            people.append(store.create(scope, USER, person).document["id"])
            members = [{"value": each} for each in random.sample(people, min(5, len(people)))]
            team = {"schemas": [GROUP.schema], "displayName": f"g{random.random()}", "members": members}
            teams.append(store.create(scope, GROUP, team).document["id"])
            changed = ChangeSet({"userName": f"v{random.randrange(200)}", "title": "x"}, frozenset({"emails"}))
            store.change(scope, USER, random.choice(people), changed)
            joins = ReferenceChanges(({"value": random.choice(people)},), frozenset({random.choice(people)}))
            store.change(scope, GROUP, random.choice(teams), ChangeSet(references={"members": joins}))
            if len(people) > 50:
                store.delete(scope, USER, people.pop(random.randrange(len(people))))
        except ScimError:
            continue


if __name__ == "__main__":
    main(*sys.argv[1:])
