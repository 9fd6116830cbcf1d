"""The store over Django models keeps the contract, on every database."""

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
    """The same helpdesk, of Django models."""

    examples = 2  # what is shared with the other mapped stores is shown there
    histories = 1

    def make_store(self) -> Any:
        return helpdesk(self.database)

    def paths(self, resource_type: ResourceType) -> Any:
        """What is in a column can be sorted by."""
        named = _NAMED[resource_type.name]
        return StoreContract.paths(self, resource_type).filter(lambda path: path.text in named)
