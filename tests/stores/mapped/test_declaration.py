"""A wrong mapping is refused when the store is created, and the message names the entry."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.orm import Mapped as Typed

from scimkit import GROUP, USER
from scimkit.stores.sqlalchemy import (
    Association,
    Column,
    Constant,
    IsNull,
    Json,
    MappedStore,
    ReadOnly,
    Reference,
    ResourceMapping,
)
from tests.stores.mapped.helpdesk import AGENTS, TEAMS, Agent, Membership, Team, Ticket, now

ENGINE = sa.create_engine("sqlite://")

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such attribute": ({"userNam": Agent.login}, "User: the entry 'userNam': the resource type has no"),
    "no such sub-attribute": ({"name.first": Agent.login}, "'name.first': the resource type has no such attribute"),
    "not a path": ({"emails[": Agent.email}, "'emails[':"),
    "another model's column": ({"title": Team.name}, "'title': name is not a column of the model Agent"),
    "not a column": ({"title": "title"}, "'title': expected a column of the model or an SQL expression"),
    "an expression": ({"title": sa.func.lower(Agent.title)}, "an expression cannot be written; use Computed"),
    "a relationship": ({"title": Agent.manager}, "'title': manager is not a column of the model Agent"),
    "a complex attribute": ({"name": Agent.login}, "'name': a column contains one value"),
    "many values": ({"emails": Agent.email}, "'emails': a column contains one value"),
    "an element": ({'emails[type eq "work"]': Agent.email}, "name a sub-attribute after the brackets"),
    "not equalities": ({'emails[type ne "work"].value': Agent.email}, "equalities joined by and"),
    "a constant again": ({'emails[type eq "work"].type': Constant("work")}, "another entry maps the same attribute"),
    "brackets and none": (
        {'emails[type eq "work"].value': Agent.email, "emails.value": Agent.home_email}, "use brackets in all entries",
    ),
    "twice": ({"title": Agent.title, "TITLE": Agent.kind}, "'TITLE': another entry maps the same attribute"),
    "part and whole": (
        {"name.givenName": Agent.first_name, "name": Json(Agent.profile, "name")}, "another entry maps the same",
    ),
    "id": ({"id": Agent.id}, "'id': use id of the ResourceMapping instead"),
    "meta": ({"meta.created": Agent.created_at}, "use version, created and modified of the ResourceMapping"),
    "groups": ({"groups": Json(Agent.profile, "groups")}, "use members of the ResourceMapping of groups instead"),
    "password": ({"password": Agent.title}, "an attribute that is never returned is not stored"),
    "never NULL": ({"active": IsNull(Agent.created_at, otherwise=now)}, "the column created_at must be nullable"),
    "no key": ({"locale": Json(Agent.profile)}, "a Json entry needs the key of the value"),
    "not to one row": ({"title": Reference(Team.agents)}, "needs a relationship of the model that leads to one row"),
    "brackets on one value": ({'name[givenName eq "x"].familyName': Agent.login}, "brackets need a multi-valued"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_entry_is_named(case: str) -> None:
    """The message contains the resource type, the entry as written in the mapping, and the mistake."""
    attributes, message = WRONG[case]
    mapped = ResourceMapping(USER, Agent, id=Agent.public_id, attributes={"userName": Agent.login, **attributes})
    with pytest.raises(ValueError) as refused:
        MappedStore(ENGINE, [mapped])
    assert message in str(refused.value)
    assert str(refused.value).startswith("User: the entry ")


class Base(DeclarativeBase):
    """The base of models that a store cannot serve."""


class Numbered(Base):
    """A model whose row numbers are also ids of another model."""

    __tablename__ = "numbered"
    id: Typed[int] = mapped_column(primary_key=True)
    login: Typed[str]
    code: Typed[str]


class Pair(Base):
    """A model with a primary key of two columns."""

    __tablename__ = "pair"
    one: Typed[int] = mapped_column(primary_key=True)
    two: Typed[int] = mapped_column(primary_key=True)
    login: Typed[str]


def _users(model: Any, **more: Any) -> ResourceMapping:
    return ResourceMapping(USER, model, **{"id": model.id, "attributes": {"userName": model.login}, **more})


def _teams(**more: Any) -> ResourceMapping:
    return ResourceMapping(GROUP, Team, **{"id": Team.public_id, "attributes": {"displayName": Team.name}, **more})


DECLARATIONS: dict[str, tuple[list[ResourceMapping], str]] = {
    "a required attribute": ([_users(Numbered, attributes={"title": Numbered.code})], "User: userName needs an entry"),
    "a unique attribute": ([_teams(attributes={"externalId": Team.external_id})], "Group: displayName needs an entry"),
    "a version of texts": ([_users(Numbered, version=Numbered.code)], "User: version: the column must contain"),
    "a tenant of another model": ([_users(Numbered, tenant=Agent.account)], "User: tenant: account is not a column"),
    "two of a type": ([AGENTS, AGENTS], "Two ResourceMappings have the same resource type"),
    "ids alike": ([_users(Numbered), _teams(id=Team.id)], "Give each ResourceMapping a prefix"),
    "members of nobody": ([TEAMS], "Group: members: the model of the members needs a ResourceMapping"),
    "members of a user": ([_users(Agent, members=[Team.agents])], "User: members: the resource type has no attribute"),
    "members by a column": ([AGENTS, _teams(members=[Team.name])], "members must list relationships with secondary"),
    "members by no foreign key": (
        [AGENTS, _teams(members=[Association(Membership.team_id, Membership.since)])], "must be a foreign key",
    ),
    "a key of two columns": (
        [ResourceMapping(USER, Pair, id=Pair.one, attributes={"userName": Pair.login})],
        "must have a primary key of one column",
    ),
    "a reference by a column": (
        [_users(Agent, attributes={"userName": Agent.login, "title": Reference(Agent.manager_id)})], "to one row",
    ),
    "a reference to nobody": (
        [
            ResourceMapping(
                USER, Ticket, id=Ticket.id,
                attributes={"userName": Ticket.subject, "title": ReadOnly(Reference(Ticket.agent))},
            )
        ],
        "the model of agent needs a ResourceMapping",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DECLARATIONS)
def test_a_wrong_declaration_is_refused(case: str) -> None:
    """A mapping that would break a guarantee of the store is refused when the store is created."""
    declared, message = DECLARATIONS[case]
    with pytest.raises(ValueError, match=message):
        MappedStore(ENGINE, declared)


def test_ids_of_two_models_may_have_prefixes() -> None:
    """Two models that number their rows can be served with different prefixes."""
    store = MappedStore(ENGINE, [_users(Numbered, prefix="agent-"), _teams(id=Team.id, prefix="team-")])
    assert store.unsupported == {"filters", "member_pages", "tenants"}


def test_a_column_may_have_a_key_that_folds() -> None:
    """The key of a `Column` is a column with the folded text, or the column itself if its collation ignores case."""
    for key in (Numbered.code, Numbered.login, sa.func.lower(Numbered.login)):
        MappedStore(ENGINE, [_users(Numbered, attributes={"userName": Column(Numbered.login, key=key)})])
