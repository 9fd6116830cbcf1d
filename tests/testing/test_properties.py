"""The ready properties, run on our own types and stores as a host would."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from scimkit import GROUP, USER, MemoryStore
from scimkit.stores.sql import SqlStore
from scimkit.testing.properties import ResourceTypeProperties, StoreProperties
from tests.resource_types import DEVICE


class TestUser(ResourceTypeProperties):
    """Users."""

    resource_type = USER


class TestGroup(ResourceTypeProperties):
    """Groups."""

    resource_type = GROUP


class TestDevice(ResourceTypeProperties):
    """A host's own type, with every kind of attribute."""

    resource_type = DEVICE


class TestMemoryStore(StoreProperties):
    """The memory store, whose indexes and scans must agree."""

    resource_types = (USER, GROUP, DEVICE)

    def make_store(self) -> MemoryStore:
        return MemoryStore()


class TestSqlStore(StoreProperties):
    """The SQL store."""

    resource_types = (USER, GROUP, DEVICE)

    def make_store(self) -> SqlStore:
        self.folder = tempfile.TemporaryDirectory()
        return SqlStore(f"sqlite:///{Path(self.folder.name) / 'scim.db'}")

    def close(self, store: Any) -> None:
        store.engine.dispose()
        self.folder.cleanup()
