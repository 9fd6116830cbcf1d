"""`SqlStore`: the store port on SQLite, PostgreSQL, MariaDB and MySQL. Each method is one transaction."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from scimkit.documents import Document
from scimkit.patch.changes import ChangeSet
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import Page, Query, Scope, UnknownMembers, Wants, Written, everything
from scimkit.stores.sql import migrations, work
from scimkit.stores.sql.database import Database, prepared, sync_engine


class SqlStore:
    """A `SyncStore` in a SQL database: `sqlite:///FILE`, `postgresql+psycopg://...`, `mysql+pymysql://...`.

    Takes an engine of the host's own too. Its tables are made or upgraded unless `upgrade` is False.
    Raises: ValueError for another database, Unavailable when it cannot be reached.
    """

    is_async: Literal[False] = False
    blocking = True

    def __init__(self, url: str | sa.Engine, *, unknown_members: UnknownMembers = "skip", upgrade: bool = True) -> None:
        self.engine = sync_engine(url) if isinstance(url, str) else prepared(url)
        self._database = Database(self.engine)
        self._unknown_members: UnknownMembers = unknown_members
        if upgrade:
            self.upgrade()

    def upgrade(self) -> None:
        """Bring the tables to the newest schema. Raises: Unavailable."""
        self._database.write(migrations.upgrade)

    def get(self, scope: Scope, resource_type: ResourceType, id: str, wants: Wants = everything) -> Document:
        return self._database.read(work.get(scope, resource_type, id, wants))

    def search(self, scope: Scope, query: Query) -> Page:
        return self._database.read(work.search(scope, query))

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        return self._database.write(work.create(scope, resource_type, document, self._unknown_members))

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        return self._database.write(
            work.replace(scope, resource_type, id, document, expected_version, self._unknown_members)
        )

    def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        return self._database.write(
            work.change(scope, resource_type, id, changes, expected_version, self._unknown_members)
        )

    def delete(self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None) -> None:
        self._database.write(work.delete(scope, resource_type, id, expected_version))
