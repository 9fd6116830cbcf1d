"""The tests that every store with references must pass. Subclass `ReferencesContract`, and pytest runs the tests.

    class TestMyReferences(ReferencesContract):
        def make_store(self):
            return MyStore()

Such a store has the attribute `holds_references`. The tests use the experimental resource type Agent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest

from scimkit.errors import InvalidValue, NotFound
from scimkit.filters import parse
from scimkit.patch.changes import ChangeSet, ReferenceChanges
from scimkit.schema.agents import AGENT, GROUP_WITH_AGENTS
from scimkit.schema.core import USER
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import Query, Scope, SyncStore, Written, holds_references
from scimkit.testing.contract.base import ContractBase

OWNERS = "owners"


class ReferencesContract(ContractBase):
    """All tests of references. A subclass implements `make_store`."""

    resource_types: ClassVar[Sequence[ResourceType]] = (USER, GROUP_WITH_AGENTS, AGENT)

    def person(self, store: SyncStore, name: str) -> str:
        """Create a user, and return its id."""
        document = {"schemas": [USER.schema], "userName": name}
        return str(store.create(self.one, USER, document).document["id"])

    def agent(self, store: SyncStore, name: str, *owners: str, **attributes: Any) -> str:
        """Create an agent with owners, and return its id."""
        return str(self.made(store, name, *owners, **attributes).document["id"])

    def made(self, store: SyncStore, name: str, *owners: str, **attributes: Any) -> Written:
        """Create an agent with owners."""
        document = {"schemas": [AGENT.schema], "agentUserName": name, **attributes}
        if owners:
            document[OWNERS] = [{"value": each} for each in owners]
        return store.create(self.one, AGENT, document)

    def owned(self, store: SyncStore, id: str, name: str = OWNERS) -> list[str]:
        """Return the ids that an attribute of an agent names."""
        return [each["value"] for each in store.get(self.one, AGENT, id).get(name, ())]

    def own(self, store: SyncStore, id: str, *owners: str, removed: Sequence[str] = ()) -> Written:
        """Add and remove owners."""
        changes = ReferenceChanges(tuple({"value": each} for each in owners), frozenset(removed))
        return store.change(self.one, AGENT, id, ChangeSet(references={OWNERS: changes}))

    def matching(self, store: SyncStore, text: str) -> list[str]:
        """Return the names of the agents that match a filter."""
        page = store.search(self.one, Query(AGENT, parse(text)))
        return [each["agentUserName"] for each in page.documents]

    def test_the_store_says_that_it_holds_references(self, store: SyncStore) -> None:
        """A service asks the store before it announces a type with references."""
        assert holds_references(store)

    def test_references_have_the_type_of_their_resource(self, store: SyncStore) -> None:
        """The `type` of a reference is that of the resource, whatever the request said. Each resource counts once."""
        ada = self.person(store, "ada")
        team = store.create(self.one, GROUP_WITH_AGENTS, self.document(GROUP_WITH_AGENTS, "team")).document["id"]
        given = [{"value": ada, "type": "Group"}, {"value": team, "display": "Team"}, {"value": ada}]
        bot = self.agent(store, "bot", owners=given)
        found = store.get(self.one, AGENT, bot)[OWNERS]
        assert found == [{"value": ada, "type": "User"}, {"value": team, "display": "Team", "type": "Group"}]
        written = store.replace(
            self.one, AGENT, bot, {"schemas": [AGENT.schema], "agentUserName": "bot", OWNERS: given}
        )
        assert not written.changed

    def test_unknown_references_are_refused(self, store: SyncStore) -> None:
        """A reference to nothing, to a deleted resource, to another type or to another tenant changes nothing."""
        ada, eve = self.person(store, "ada"), self.person(store, "eve")
        store.delete(self.one, USER, eve)
        bot = self.agent(store, "bot", ada)
        other = Scope(f"{self.one.tenant}-other")
        unknown = ["nobody", eve, bot]
        if "tenants" not in store.unsupported:
            unknown.append(store.create(other, USER, self.document(USER, "zoe")).document["id"])
        before = store.get(self.one, AGENT, bot)
        for id in unknown:
            for write in self._writes(store, bot, ada, id):
                with pytest.raises(InvalidValue):
                    write()
        assert store.get(self.one, AGENT, bot) == before
        assert self.matching(store, "agentUserName pr") == ["bot"]

    def _writes(self, store: SyncStore, bot: str, known: str, unknown: str) -> list[Callable[[], Written]]:
        """Return writes that name an unknown resource, in every kind of write."""
        element = {"value": unknown}
        document = {"schemas": [AGENT.schema], "agentUserName": "bot", OWNERS: [element]}
        return [
            lambda: self.made(store, "new", unknown),
            lambda: self.made(store, "new", known, unknown),
            lambda: self.made(store, "new", sponsors=[element]),
            lambda: self.made(store, "new", owners=[{"display": "x"}]),
            lambda: self.own(store, bot, unknown),
            lambda: store.replace(self.one, AGENT, bot, document),
            lambda: store.change(self.one, AGENT, bot, ChangeSet({OWNERS: [element]})),
        ]

    def test_references_are_added_and_removed(self, store: SyncStore) -> None:
        """A change set adds and removes references, and a filter finds the present ones only."""
        ada, bo = self.person(store, "ada"), self.person(store, "bo")
        bot = self.agent(store, "bot", ada)
        assert self.own(store, bot, bo).changed
        assert not self.own(store, bot, bo).changed
        assert self.owned(store, bot) == [ada, bo]
        assert self.own(store, bot, removed=[ada]).changed
        assert self.owned(store, bot) == [bo]
        assert self.matching(store, f'owners.value eq "{bo}"') == ["bot"]
        assert self.matching(store, f'owners.value eq "{ada}"') == []

    def test_a_deleted_resource_is_forgotten(self, store: SyncStore) -> None:
        """The deletion of a user removes it from the references of every agent, and from those of no other tenant."""
        ada, bo, cy = (self.person(store, each) for each in ("ada", "bo", "cy"))
        sponsors = [{"value": cy, "display": "Cy"}, {"value": ada}]
        both = self.agent(store, "both", ada, bo, cy, sponsors=sponsors)
        alone = self.agent(store, "alone", ada)
        apart = self.agent(store, "apart", bo)
        versions = {each: store.get(self.one, AGENT, each)["meta"] for each in (both, alone, apart)}
        scope = Scope(self.one.tenant, report_changes="changes" not in store.unsupported)
        changes = store.delete(scope, USER, ada)
        assert (self.owned(store, both), self.owned(store, both, "sponsors")) == ([bo, cy], [cy])
        assert OWNERS not in store.get(self.one, AGENT, alone)
        metas = {each: store.get(self.one, AGENT, each)["meta"] for each in versions}
        assert [metas[each] == versions[each] for each in versions] == [False, False, True]
        assert self.matching(store, f'owners.value eq "{ada}" or sponsors.value eq "{ada}"') == []
        assert self.matching(store, f'owners[value eq "{cy}" and type eq "user"]') == ["both"]
        assert self.matching(store, 'sponsors.display eq "cy"') == ["both"]
        assert self.matching(store, "owners pr") == ["both", "apart"]
        if changes is not None:
            lost = {after["id"]: (kind, before, after) for kind, before, after in changes.lost_references}
            assert lost.keys() == {both, alone}
            kind, before, after = lost[alone]
            assert (kind, [each["value"] for each in before[OWNERS]], OWNERS in after) == ("Agent", [ada], False)
        assert self.own(store, both, removed=[bo]).changed
        store.delete(self.one, USER, cy)
        assert self.matching(store, "owners pr or sponsors pr") == ["apart"]
        store.delete(self.one, AGENT, both)
        store.delete(self.one, USER, bo)
        assert self.owned(store, apart) == []

    def test_a_deletion_that_is_undone(self, store: SyncStore) -> None:
        """A deletion that is rolled back leaves the references as they were."""
        ada = self.person(store, "ada")
        bot = self.agent(store, "bot", ada)
        before = store.get(self.one, AGENT, bot)

        def work(inside: SyncStore) -> None:
            inside.delete(self.one, USER, ada)
            raise NotFound

        with pytest.raises(NotFound):
            store.transaction(self.one, work)
        assert store.get(self.one, AGENT, bot) == before
        assert self.matching(store, f'owners.value eq "{ada}"') == ["bot"]

    def test_agents_are_members_of_groups(self, store: SyncStore) -> None:
        """An agent can be a member of a group, knows its groups, and leaves them when it is deleted."""
        bot = self.agent(store, "bot")
        document = {**self.document(GROUP_WITH_AGENTS, "team"), "members": [{"value": bot}]}
        team = store.create(self.one, GROUP_WITH_AGENTS, document).document["id"]
        assert store.get(self.one, GROUP_WITH_AGENTS, team)["members"] == [{"value": bot, "type": "Agent"}]
        assert [each["value"] for each in store.get(self.one, AGENT, bot)["groups"]] == [team]
        store.delete(self.one, AGENT, bot)
        assert "members" not in store.get(self.one, GROUP_WITH_AGENTS, team)

    def test_a_resource_deleted_while_it_is_named(self, store: SyncStore) -> None:
        """No agent names a missing user after users were deleted and named concurrently."""
        people = [self.person(store, f"user{number}") for number in range(8)]
        bots = [self.agent(store, f"bot{number}") for number in range(4)]

        def act(number: int) -> None:
            person, kind = people[number // 3], number % 3
            try:
                if kind == 0:
                    store.delete(self.one, USER, person)
                elif kind == 1:
                    self.own(store, bots[number % 4], person)
                else:
                    self.agent(store, f"new{number}", person)
            except InvalidValue:
                return

        self.at_once(act, 3 * len(people))
        agents = store.search(self.one, Query(AGENT, count=100)).documents
        assert {id for each in agents for id in self.owned(store, each["id"])} == set()
        assert self.matching(store, "owners pr") == []
