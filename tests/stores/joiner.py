"""`python -m tests.stores.joiner URL TENANT GROUP ID...`: makes each person a member, with a PATCH of its own."""

from __future__ import annotations

import sys

from scimkit import GROUP, Scope
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.sql import SqlStore


def main(url: str, tenant: str, group: str, *ids: str) -> None:
    """Wait for a line, so that several start at once."""
    store = SqlStore(url, upgrade=False)
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    for id in ids:
        change = ChangeSet(references={"members": ReferenceChanges(({"value": id},))})
        assert store.change(Scope(tenant), GROUP, group, change).changed


if __name__ == "__main__":
    main(*sys.argv[1:])
