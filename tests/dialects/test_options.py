"""Quirks on request: a host adds them to a dialect; without them the RFC's own words hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scimkit import TOLERANT, USER, MemoryStore, ResourceType
from scimkit.dialects import DIALECTS, KEEP_OMITTED_MEMBERS, OPTIONS, RESTORE_INACTIVE
from scimkit.schema.core import GROUP_SCHEMA
from scimkit.stores.sql import SqlStore
from tests.client import GROUP, Client
from tests.client import USER as USER_URN

OURS = TOLERANT.extended("ours", *OPTIONS)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
    else:
        kept = SqlStore(f"sqlite:///{tmp_path}/scim.db")
        yield kept
        kept.engine.dispose()


def test_no_dialect_has_them() -> None:
    """They are nobody's default."""
    assert not any(quirk in dialect.quirks for dialect in DIALECTS.values() for quirk in OPTIONS)


BODY = {"schemas": [USER_URN], "userName": "ADA", "externalId": "2", "active": True}


class TestRestoreInactive:
    """`restore-inactive`: a POST of somebody who is there and inactive."""

    def test_the_same_user_is_written_anew(self, store: Any) -> None:
        """201 with the id, the memberships and the creation time that it had, and the values of the request."""
        client = Client(store, dialect=OURS)
        ada = client.user("ada", active=False, title="Countess")
        group = client.group("Staff", ada)
        created = client.get(f"/Users/{ada}").body["meta"]["created"]
        answer = client.post("/Users", BODY)
        assert (answer.status, answer.id, answer.quirks) == (201, ada, ("restore-inactive",))
        assert answer.headers["Location"].endswith(f"/Users/{ada}")
        assert (answer.body["userName"], answer.body["active"], answer.body["meta"]["created"]) == (
            "ADA",
            True,
            created,
        )
        assert "title" not in answer.body
        assert client.members(group) == {ada}
        assert client.get("/Users").body["totalResults"] == 1

    def test_an_active_user_is_a_conflict(self, store: Any) -> None:
        """Somebody who is active, or of whom it is not known, is in the way; no quirk is named."""
        for active in ({"active": True}, {}):
            client = Client(store, dialect=OURS, tenant=str(active))
            ada = client.user("ada", **active)
            answer = client.post("/Users", BODY)
            assert (answer.status, answer.body["scimType"], answer.quirks) == (409, "uniqueness", ())
            assert "externalId" not in client.get(f"/Users/{ada}").body

    def test_without_it_409(self, store: Any) -> None:
        """The default is a conflict, and the inactive user stays."""
        client = Client(store)
        ada = client.user("ada", active=False)
        assert client.post("/Users", BODY).status == 409
        assert client.get(f"/Users/{ada}").body["active"] is False

    def test_who_may_not_replace_may_not_restore(self) -> None:
        """The host is asked whether the token may replace."""
        client = Client(dialect=OURS, authorize=lambda access: access.operation != "replace")
        client.user("ada", active=False)
        assert client.post("/Users", BODY).status == 403

    def test_groups_are_never_restored(self) -> None:
        """A group is not active or inactive."""
        client = Client(dialect=TOLERANT.extended("ours", RESTORE_INACTIVE))
        client.group("Staff")
        assert client.post("/Groups", {"schemas": [GROUP], "displayName": "staff"}).status == 409


class TestKeepOmittedMembers:
    """`keep-omitted-members`: a PUT of a group that does not name its members."""

    @pytest.mark.parametrize("members", [{}, {"members": []}, {"Members": None}, {f"{GROUP}:members": []}])
    def test_they_stay_unless_named(self, store: Any, members: Any) -> None:
        """Members that are not named stay; an empty array or null still empties the group."""
        client = Client(store, dialect=TOLERANT.extended("ours", KEEP_OMITTED_MEMBERS))
        ada = client.user("ada")
        group = client.group("Staff", ada, externalId="1")
        answer = client.put(f"/Groups/{group}", {"schemas": [GROUP], "displayName": "Crew", **members})
        assert (answer.status, answer.body["displayName"], "externalId" in answer.body) == (200, "Crew", False)
        assert client.members(group) == (set() if members else {ada})
        assert ("keep-omitted-members" in answer.quirks) is not bool(members)

    def test_without_it_they_go(self, store: Any) -> None:
        """The default is the RFC's: what a PUT does not name is cleared."""
        client = Client(store)
        group = client.group("Staff", client.user("ada"))
        client.put(f"/Groups/{group}", {"schemas": [GROUP], "displayName": "Crew"})
        assert client.members(group) == set()

    def test_a_user_is_cleared_all_the_same(self) -> None:
        """It is about references alone: a PUT of a user clears what it does not name."""
        client = Client(dialect=OURS)
        ada = client.user("ada", title="Countess")
        assert "title" not in client.put(f"/Users/{ada}", {"schemas": [USER_URN], "userName": "ada"}).body


def test_group_names_need_not_be_unique(store: Any) -> None:
    """A host that declares its groups without the uniqueness has several of one name."""
    groups = ResourceType(GROUP_SCHEMA, endpoint="/Groups")
    client = Client(store, resource_types=(USER, groups))
    assert client.group("Staff") != client.group("staff")
    schema = client.get(f"/Schemas/{GROUP}").body
    assert next(each for each in schema["attributes"] if each["name"] == "displayName")["uniqueness"] == "none"
