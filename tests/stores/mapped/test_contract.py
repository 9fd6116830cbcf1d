"""The mapped store passes the store contract on every database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from sqlalchemy.orm import InstrumentedAttribute

from scimkit.schema.attributes import AttributePath
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.sql.async_store import async_engine
from scimkit.stores.sqlalchemy import MappedStore
from scimkit.testing import strategies
from scimkit.testing.contract import StoreContract
from tests.stores.databases import DATABASES, url_of
from tests.stores.mapped.helpdesk import (
    AGENTS,
    ATTRIBUTES,
    PLAIN_AGENTS,
    PLAIN_TEAMS,
    TEAMS,
    Agent,
    helpdesk,
    helpdesk_awaited,
    sessions_of,
)

_COLUMNS = {"User": {**ATTRIBUTES, "meta.created": Agent.created_at}, "Group": TEAMS.attributes}


class TestMappedStore(StoreContract):
    """The store contract for the helpdesk's tables, with a `rest` column."""

    texts = ("a", "A", "b", "work", "Work", "home", "ada@example.org", "a b", 'q"\\', "x" * 40)
    examples = 4
    histories = 2
    database: str

    @pytest.fixture(autouse=True, params=DATABASES)
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.database = request.param

    def make_store(self) -> Any:
        return helpdesk(self.database)

    def keeps(self, resource_type: ResourceType, path: str) -> bool:
        """Report whether the store keeps an attribute. `name.formatted` is computed, and a manager must exist."""
        return path != "name.formatted" and ":manager." not in path

    def documents(self, resource_type: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
        """Return a strategy for users that the helpdesk can store."""
        whole = strategies.documents(resource_type, texts=self.texts).map(lambda each: self.kept(resource_type, each))
        if resource_type is not self.user_type:
            return whole
        text = st.sampled_from(self.texts)
        work = st.builds(lambda value: {"value": value, "type": "work", "primary": True}, text)
        home = st.builds(lambda value: {"value": value, "type": "home", "display": "x"}, text)
        other = st.builds(lambda value: {"value": value, "type": "other"}, text)
        emails = st.lists(st.one_of(work, home, other), unique_by=lambda each: str(each["type"]), min_size=1)
        more = st.fixed_dictionaries(
            {"active": st.booleans()},
            optional={"userType": st.sampled_from(["Employee", "Contractor"]), "emails": emails},
        )
        plain = whole.map(lambda each: {name: each[name] for name in each if name not in ("userType", "emails")})
        return st.builds(lambda one, two: {**one, **two}, plain, more)

    def paths(self, resource_type: ResourceType) -> st.SearchStrategy[AttributePath]:
        """Return a strategy for paths with a column, which the store can sort by."""
        columns = _COLUMNS[resource_type.name]
        return (
            super().paths(resource_type).filter(lambda path: isinstance(columns.get(path.text), InstrumentedAttribute))
        )


class TestAsyncMappedStore(TestMappedStore):
    """The store contract for the async store over the helpdesk's tables."""

    examples = 2  # the sync store runs the same statements
    histories = 1
    mapped: Any = (AGENTS, TEAMS)

    def make_store(self) -> Any:
        sessions_of(self.database)  # creates the tables
        self.engine = async_engine(url_of(self.database))
        return helpdesk_awaited(self.engine, self.mapped)

    async def close(self, store: Any) -> None:
        await self.engine.dispose()


class TestRecords(TestAsyncMappedStore):
    """The store contract for models without validators, which the store reads and writes without instances."""

    mapped = (PLAIN_AGENTS, PLAIN_TEAMS)

    def test_no_instances(self) -> None:
        """Reads and writes create no instance."""
        store = MappedStore(sessions_of(self.database), self.mapped)
        assert all(
            store._records.are_enough(layout, use)
            for layout in store._plan.layouts.values() for use in ("read", "change", "create")
        )  # fmt: skip
