"""The resource types that a service announces, and the attributes that a mapping does not keep."""

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
    """Return a client of a service over some of the helpdesk's tables."""
    return Client(store=helpdesk_of("sqlite", mapped), tenant=account(), **options)


class TestAnnounced:
    """A service serves the resource types that its store maps."""

    def test_users_only(self) -> None:
        """If the store maps users only, the service neither announces nor serves groups."""
        client = client_of(AGENTS)
        kinds = client.get("/ResourceTypes").body["Resources"]
        assert [each["name"] for each in kinds] == ["User"]
        assert client.get("/Groups").status == 404
        assert client.post("/Groups", {"displayName": "x"}).status == 404
        assert client.get("/Users").status == 200

    def test_a_type_that_the_store_does_not_map_is_refused(self) -> None:
        """A resource type that the store does not map is refused with a ValueError that names the type."""
        store = helpdesk_of("sqlite", (AGENTS,))
        for each in (store, as_async_store(store)):
            with pytest.raises(ValueError, match="no ResourceMapping for Group: give it one, or leave Group out"):
                ScimService(each, tokens=TokenRegistry(), resource_types=(USER, GROUP))

    def test_fewer_types_than_the_store_maps(self) -> None:
        """A service may announce fewer resource types than its store maps."""
        assert client_of(AGENTS, TEAMS, resource_types=(USER,)).get("/Groups").status == 404

    def test_a_store_of_any_type(self) -> None:
        """With a store that serves any type, a service serves users and groups by default."""
        assert ScimService(MemoryStore(), tokens=TokenRegistry()).resource_types == (USER, GROUP)


class TestSources:
    """The sources of sessions that a store accepts."""

    @pytest.mark.parametrize("source", [
        lambda engine: engine,
        async_sessionmaker,
        lambda engine: orm.sessionmaker(engine, class_=AsyncSession),  # type: ignore[type-var]
        orm.sessionmaker,
        lambda engine: "sqlite://",
    ])  # fmt: skip
    def test_an_async_source(self, source: Any) -> None:
        """`MappedStore` refuses an async source and names the store for it."""
        with pytest.raises(TypeError, match=r"use AsyncMappedStore of scimkit\.stores\.sqlalchemy\.async_store"):
            MappedStore(source(create_async_engine("sqlite+aiosqlite://")), (AGENTS, TEAMS))

    @pytest.mark.parametrize("source", [lambda engine: engine, orm.sessionmaker])
    def test_a_sync_source(self, source: Any) -> None:
        """`AsyncMappedStore` refuses a sync source and names the store for it."""
        with pytest.raises(TypeError, match=r"use MappedStore of scimkit\.stores\.sqlalchemy\.$"):
            AsyncMappedStore(source(sa.create_engine("sqlite://")), (AGENTS, TEAMS))


class TestNotKept:
    """Attributes that a mapping does not keep are accepted and reported."""

    def test_at_start(self, caplog: pytest.LogCaptureFixture) -> None:
        """At the start, the log has one warning for each resource type, with every attribute without an entry."""
        client_of(NARROW, replace(NAMELESS, members=()))
        users, groups = caplog.messages
        assert users.startswith("User: the mapping has no entry for ")
        assert all(f" {each}," in users for each in ("displayName", "name.middleName", "phoneNumbers", "emails[...]"))
        assert f" {ENTERPRISE}:organization," in users
        assert not any(f" {each}," in users for each in ("title", "password", "groups", "meta", "id", "name"))
        assert groups == (
            "Group: the mapping has no entry for externalId, members; values of these attributes are not stored"
        )

    def test_rest_column_keeps_all_attributes(self, caplog: pytest.LogCaptureFixture) -> None:
        """With a `rest` column, nothing is dropped, and there is no warning and no quirk."""
        client = client_of(AGENTS)
        assert caplog.messages == []
        assert client.post("/Users", {**ADA, "nickName": "A"}).quirks == ()

    def test_each_write(self, caplog: pytest.LogCaptureFixture) -> None:
        """The response, the event and the log of a POST, PUT or PATCH name the dropped attributes."""
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
        """Dropped attributes of groups and of bulk operations are reported, too."""
        client = client_of(NARROW, NAMELESS)
        group = client.group("Tier 1")
        external = {"op": "add", "path": "externalId", "value": "x"}
        assert client.patch(f"/Groups/{group}", external).quirks == ("attribute-not-kept:externalId",)
        data = {"schemas": [GROUP.schema], "displayName": "a", "externalId": "b"}
        operation = {"method": "POST", "path": "/Groups", "bulkId": "1", "data": data}
        done = client.post("/Bulk", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                                     "Operations": [operation]})  # fmt: skip
        assert done.quirks == ("attribute-not-kept:externalId",)


def test_sessionmaker_without_engine_is_a_source() -> None:
    """A sessionmaker without an engine is accepted as a source."""
    maker = orm.sessionmaker()
    maker.configure(bind=sessions_of("sqlite").kw["bind"])
    assert Client(store=MappedStore(maker, (AGENTS, TEAMS)), tenant=account()).get("/Users").status == 200
    MappedStore(orm.sessionmaker(), (AGENTS, TEAMS))
