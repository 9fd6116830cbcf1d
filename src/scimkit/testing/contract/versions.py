"""Contract tests for writes that expect a version (RFC 7644 section 3.14)."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit.errors import PreconditionFailed
from scimkit.patch.changes import ChangeSet
from scimkit.stores.protocol import SyncStore
from scimkit.testing.contract.base import ContractBase


class VersionsContract(ContractBase):
    """A write that expects a version succeeds only if the resource has that version."""

    def test_another_version_is_refused(self, store: SyncStore) -> None:
        """A write that expects another version than the current one changes nothing."""
        ada = self.user(store, "ada")
        first = self.version(store, self.user_type, ada)
        document = self.document(self.user_type, "king")
        written = store.replace(self.one, self.user_type, ada, document, first)
        second = written.document["meta"]["version"]
        assert second == self.version(store, self.user_type, ada) != first
        before = store.get(self.one, self.user_type, ada)
        for expected in (first, 'W/"0"', "", "x"):
            for write in (
                lambda version=expected: store.replace(self.one, self.user_type, ada, document, version),
                lambda version=expected: store.change(
                    self.one, self.user_type, ada, ChangeSet({self.spare: "x"}), version
                ),
                lambda version=expected: store.change(self.one, self.user_type, ada, ChangeSet(), version),
                lambda version=expected: store.delete(self.one, self.user_type, ada, version),
            ):
                with pytest.raises(PreconditionFailed):
                    write()
        assert store.get(self.one, self.user_type, ada) == before
        store.delete(self.one, self.user_type, ada, second)

    def test_a_change_returns_the_next_version(self, store: SyncStore) -> None:
        """The version that a change returns is the version that the next write can expect."""
        ada = self.user(store, "ada")
        version = self.version(store, self.user_type, ada)
        for number in range(3):
            changes = ChangeSet({self.spare: f"x{number}"})
            version = store.change(self.one, self.user_type, ada, changes, version).document["meta"]["version"]
        assert version == self.version(store, self.user_type, ada)

    def test_one_of_many_concurrent_writes_succeeds(self, store: SyncStore) -> None:
        """Exactly one of many concurrent writes that expect the same version succeeds."""
        ada = self.user(store, "ada")
        version = self.version(store, self.user_type, ada)

        def swap(number: int) -> bool:
            try:
                store.change(self.one, self.user_type, ada, ChangeSet({self.spare: f"x{number}"}), version)
            except PreconditionFailed:
                return False
            return True

        happened = self.at_once(swap)
        assert sum(happened) == 1
        assert store.get(self.one, self.user_type, ada)[self.spare] == f"x{happened.index(True)}"

    def test_retried_writes_lose_no_update(self, store: SyncStore) -> None:
        """No update is lost if concurrent writers read, change and retry."""
        ada = self.user(store, "ada", also={self.spare: "0"})

        def add(_: int) -> None:
            while True:
                old: Any = store.get(self.one, self.user_type, ada)
                changes = ChangeSet({self.spare: str(int(old[self.spare]) + 1)})
                try:
                    store.change(self.one, self.user_type, ada, changes, old["meta"]["version"])
                except PreconditionFailed:
                    continue
                return

        times = len(self.at_once(add))
        assert store.get(self.one, self.user_type, ada)[self.spare] == str(times)
