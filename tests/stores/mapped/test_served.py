"""What a service over mapped tables announces, what it refuses when built, and what it reports as not kept."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from scimkit import GROUP, USER, MemoryStore, ScimService, TokenRegistry
from scimkit.stores.protocol import as_async_store
from scimkit.stores.sqlalchemy import MappedStore
from scimkit.stores.sqlalchemy.async_store import AsyncMappedStore
from tests.client import ENTERPRISE, Client
from tests.stores.mapped.helpdesk import AGENTS, TEAMS, account, helpdesk_of, sessions_of

ADA = {"schemas": [USER.schema], "userName": "ada"}
NARROW = replace(AGENTS, rest=None)
NAMELESS = replace(TEAMS, attributes={"displayName": TEAMS.attributes["displayName"]})


def client_of(*mapped: Any, **options: Any) -> Client:
    """A client of a service over some of the helpdesk's tables."""
    return Client(store=helpdesk_of("sqlite", mapped), tenant=account(), **options)


class TestAnnounced:
    """The resource types of a service are those that its store maps."""

    def test_users_only(self) -> None:
        """A store that maps users only makes a service without groups: they are neither announced nor served."""
        client = client_of(AGENTS)
        kinds = client.get("/ResourceTypes").body["Resources"]
        assert [each["name"] for each in kinds] == ["User"]
        assert client.get("/Groups").status == 404
        assert client.post("/Groups", {"displayName": "x"}).status == 404
        assert client.get("/Users").status == 200

    def test_a_type_that_the_store_does_not_map_is_refused(self) -> None:
        """A resource type that is asked for and that the store cannot serve is a ValueError that names it."""
        store = helpdesk_of("sqlite", (AGENTS,))
        for each in (store, as_async_store(store)):
            with pytest.raises(ValueError, match="no ResourceMapping for Group: give it one, or leave Group out"):
                ScimService(each, tokens=TokenRegistry(), resource_types=(USER, GROUP))

    def test_fewer_types_than_the_store_maps(self) -> None:
        """A host may announce fewer types than its store maps."""
        assert client_of(AGENTS, TEAMS, resource_types=(USER,)).get("/Groups").status == 404

    def test_a_store_of_any_type(self) -> None:
        """A store that says nothing serves what it is given, users and groups by default."""
        assert ScimService(MemoryStore(), tokens=TokenRegistry()).resource_types == (USER, GROUP)


class TestSources:
    """A store is made of a source of sessions that it can use."""

    @pytest.mark.parametrize("source", [
        lambda engine: engine,
        async_sessionmaker,
        lambda engine: orm.sessionmaker(engine, class_=AsyncSession),  # type: ignore[type-var]
        orm.sessionmaker,
        lambda engine: "sqlite://",
    ])  # fmt: skip
    def test_an_async_source(self, source: Any) -> None:
        """MappedStore refuses an async source, and says which store takes it."""
        with pytest.raises(TypeError, match=r"to AsyncMappedStore of scimkit\.stores\.sqlalchemy\.async_store"):
            MappedStore(source(create_async_engine("sqlite+aiosqlite://")), (AGENTS, TEAMS))

    @pytest.mark.parametrize("source", [lambda engine: engine, orm.sessionmaker])
    def test_a_sync_source(self, source: Any) -> None:
        """AsyncMappedStore refuses a source that is not async, and says which store takes it."""
        with pytest.raises(TypeError, match=r"to MappedStore of scimkit\.stores\.sqlalchemy$"):
            AsyncMappedStore(source(sa.create_engine("sqlite://")), (AGENTS, TEAMS))


class TestNotKept:
    """What a mapping has no place for is accepted, and reported."""

    def test_at_start(self, caplog: pytest.LogCaptureFixture) -> None:
        """The log has one warning a resource type, with every attribute that has no entry."""
        client_of(NARROW, replace(NAMELESS, members=()))
        users, groups = caplog.messages
        assert users.startswith("User: the mapping has no entry for ")
        assert all(f" {each}," in users for each in ("displayName", "name.middleName", "phoneNumbers", "emails[...]"))
        assert f" {ENTERPRISE}:organization," in users
        assert not any(f" {each}," in users for each in ("title", "password", "groups", "meta", "id", "name"))
        assert groups == (
            "Group: the mapping has no entry for externalId, members; values of these attributes are not stored"
        )

    def test_a_rest_keeps_all(self, caplog: pytest.LogCaptureFixture) -> None:
        """A mapping with `rest` drops nothing, and there is no warning and no quirk."""
        client = client_of(AGENTS)
        assert caplog.messages == []
        assert client.post("/Users", {**ADA, "nickName": "A"}).quirks == ()

    def test_each_write(self, caplog: pytest.LogCaptureFixture) -> None:
        """The response, the event and the log of a POST, PUT and PATCH name what was given and is not kept."""
        events: list[Any] = []
        client = client_of(NARROW, NAMELESS, on_request_completed=events.append)
        caplog.set_level(logging.INFO, "scimkit")
        caplog.clear()
        body = {
            **ADA, "title": "Lead", "nickName": "Countess", "name": {"givenName": "A", "middleName": "B"},
            "emails": [{"type": "work", "value": "a@b.example", "display": "A"}, {"type": "x", "value": "b@b.example"}],
        }  # fmt: skip
        paths = ("nickName", "name.middleName", "emails.display", "emails")
        expected = [f"attribute-not-kept:{each}" for each in paths]
        created = client.post("/Users", body)
        assert created.status == 201
        assert sorted(created.quirks) == sorted(expected)
        assert events[-1].quirks == created.quirks
        assert all(each in caplog.text for each in expected)
        assert "Countess" not in caplog.text
        assert client.put(f"/Users/{created.id}", {**ADA, "nickName": "x"}).quirks == (expected[0],)
        work = {"op": "add", "path": f"{ENTERPRISE}:division", "value": "x"}
        assert client.patch(f"/Users/{created.id}", work).quirks == (f"attribute-not-kept:{ENTERPRISE}:division",)
        assert client.patch(f"/Users/{created.id}", {"op": "replace", "path": "title", "value": "x"}).quirks == ()

    def test_groups_and_bulk(self) -> None:
        """So do those of a group, and of a bulk."""
        client = client_of(NARROW, NAMELESS)
        group = client.group("Tier 1")
        external = {"op": "add", "path": "externalId", "value": "x"}
        assert client.patch(f"/Groups/{group}", external).quirks == ("attribute-not-kept:externalId",)
        data = {"schemas": [GROUP.schema], "displayName": "a", "externalId": "b"}
        operation = {"method": "POST", "path": "/Groups", "bulkId": "1", "data": data}
        done = client.post("/Bulk", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                                     "Operations": [operation]})  # fmt: skip
        assert done.quirks == ("attribute-not-kept:externalId",)


def test_a_maker_of_sessions_is_a_source() -> None:
    """A sessionmaker that gets its engine later is taken."""
    maker = orm.sessionmaker()
    maker.configure(bind=sessions_of("sqlite").kw["bind"])
    assert Client(store=MappedStore(maker, (AGENTS, TEAMS)), tenant=account()).get("/Users").status == 200
    MappedStore(orm.sessionmaker(), (AGENTS, TEAMS))
