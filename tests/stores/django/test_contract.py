"""The Django store passes the store contract on every database."""

from __future__ import annotations

from typing import Any

from scimkit.schema.resource_types import ResourceType
from scimkit.testing.contract import StoreContract
from tests.stores.django.declared import AGENTS, TEAMS, helpdesk
from tests.stores.mapped import test_contract as mapped

_NAMED = {
    each.resource_type.name: {path for path, column in each.attributes.items() if isinstance(column, str)}
    for each in (AGENTS, TEAMS)
}


class TestDjangoStore(mapped.TestMappedStore):
    """The store contract for the helpdesk's Django models."""

    examples = 2  # the tests of the mapped store cover the shared code
    histories = 1

    def make_store(self) -> Any:
        return helpdesk(self.database)

    def paths(self, resource_type: ResourceType) -> Any:
        """Return a strategy for paths with a column, which the store can sort by."""
        named = _NAMED[resource_type.name]
        return StoreContract.paths(self, resource_type).filter(lambda path: path.text in named)
