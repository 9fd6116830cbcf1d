"""A program that adds each user to a group with a PATCH of its own.

Usage: `python -m tests.stores.joiner URL TENANT GROUP ID...`
"""

from __future__ import annotations

import sys

from scimkit import GROUP, Scope
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.sql import SqlStore


def main(url: str, tenant: str, group: str, *ids: str) -> None:
    """Wait for a line on standard input, so that several processes start at once, and then add the members."""
    store = SqlStore(url, upgrade=False)
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    for id in ids:
        change = ChangeSet(references={"members": ReferenceChanges(({"value": id},))})
        assert store.change(Scope(tenant), GROUP, group, change).changed


if __name__ == "__main__":
    main(*sys.argv[1:])
