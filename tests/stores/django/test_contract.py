"""The store over Django models keeps the contract, on every database."""

from __future__ import annotations

from typing import Any

from scimkit.schema.resource_types import ResourceType
from tests.stores.databases import MARKS
from tests.stores.django.declared import AGENTS, TEAMS, helpdesk
from tests.stores.mapped.test_contract import HelpdeskContract

_NAMED = {
    each.resource_type.name: {path for path, column in each.attributes.items() if isinstance(column, str)}
    for each in (AGENTS, TEAMS)
}


class DjangoContract(HelpdeskContract):
    """The same helpdesk, of Django models."""

    def make_store(self) -> Any:
        return helpdesk(self.database)

    def paths(self, resource_type: ResourceType) -> Any:
        """What is in a column can be sorted by."""
        named = _NAMED[resource_type.name]
        return super(HelpdeskContract, self).paths(resource_type).filter(lambda path: path.text in named)


class TestSqlite(DjangoContract):
    """SQLite."""

    database = "sqlite"
    pytestmark = MARKS["sqlite"]


class TestPostgresql(DjangoContract):
    """PostgreSQL."""

    database = "postgresql"
    pytestmark = MARKS["postgresql"]


class TestMysql(DjangoContract):
    """MariaDB or MySQL."""

    database = "mysql"
    pytestmark = MARKS["mysql"]
