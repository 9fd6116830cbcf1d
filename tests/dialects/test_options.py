"""Optional quirks: an application adds them to a dialect. Without them, the text of the RFC applies."""

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
    """Yield a store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
    else:
        kept = SqlStore(f"sqlite:///{tmp_path}/scim.db")
        yield kept
        kept.engine.dispose()


def test_no_dialect_has_optional_quirks() -> None:
    """No dialect of scimkit includes an optional quirk."""
    assert not any(quirk in dialect.quirks for dialect in DIALECTS.values() for quirk in OPTIONS)


BODY = {"schemas": [USER_URN], "userName": "ADA", "externalId": "2", "active": True}


class TestRestoreInactive:
    """`restore-inactive`: a POST of a user that exists and is inactive."""

    def test_an_inactive_user_is_restored(self, store: Any) -> None:
        """The POST returns 201 with the same id, memberships and creation time, and the values of the request."""
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
        """A user who is active, or has no `active` value, is a conflict, and no quirk is named."""
        for active in ({"active": True}, {}):
            client = Client(store, dialect=OURS, tenant=str(active))
            ada = client.user("ada", **active)
            answer = client.post("/Users", BODY)
            assert (answer.status, answer.body["scimType"], answer.quirks) == (409, "uniqueness", ())
            assert "externalId" not in client.get(f"/Users/{ada}").body

    def test_the_default_is_a_conflict(self, store: Any) -> None:
        """Without the quirk, the POST gets 409, and the inactive user stays unchanged."""
        client = Client(store)
        ada = client.user("ada", active=False)
        assert client.post("/Users", BODY).status == 409
        assert client.get(f"/Users/{ada}").body["active"] is False

    def test_restoring_needs_permission_to_replace(self) -> None:
        """The `authorize` hook is asked whether the token may replace the user."""
        client = Client(dialect=OURS, authorize=lambda access: access.operation != "replace")
        client.user("ada", active=False)
        assert client.post("/Users", BODY).status == 403

    def test_groups_are_never_restored(self) -> None:
        """A group has no `active` attribute, so it is never restored."""
        client = Client(dialect=TOLERANT.extended("ours", RESTORE_INACTIVE))
        client.group("Staff")
        assert client.post("/Groups", {"schemas": [GROUP], "displayName": "staff"}).status == 409


class TestKeepOmittedMembers:
    """`keep-omitted-members`: a PUT of a group without `members`."""

    @pytest.mark.parametrize("members", [{}, {"members": []}, {"Members": None}, {f"{GROUP}:members": []}])
    def test_omitted_members_stay(self, store: Any, members: Any) -> None:
        """Omitted members stay. An empty array or null removes all members."""
        client = Client(store, dialect=TOLERANT.extended("ours", KEEP_OMITTED_MEMBERS))
        ada = client.user("ada")
        group = client.group("Staff", ada, externalId="1")
        answer = client.put(f"/Groups/{group}", {"schemas": [GROUP], "displayName": "Crew", **members})
        assert (answer.status, answer.body["displayName"], "externalId" in answer.body) == (200, "Crew", False)
        assert client.members(group) == (set() if members else {ada})
        assert ("keep-omitted-members" in answer.quirks) is not bool(members)

    def test_the_default_removes_omitted_members(self, store: Any) -> None:
        """Without the quirk, a PUT without members removes all members."""
        client = Client(store)
        group = client.group("Staff", client.user("ada"))
        client.put(f"/Groups/{group}", {"schemas": [GROUP], "displayName": "Crew"})
        assert client.members(group) == set()

    def test_omitted_attributes_of_a_user_are_cleared(self) -> None:
        """The quirk applies only to references: a PUT of a user still clears omitted attributes."""
        client = Client(dialect=OURS)
        ada = client.user("ada", title="Countess")
        assert "title" not in client.put(f"/Users/{ada}", {"schemas": [USER_URN], "userName": "ada"}).body


def test_group_names_need_not_be_unique(store: Any) -> None:
    """An application that declares group names as not unique may have several groups with one name."""
    groups = ResourceType(GROUP_SCHEMA, endpoint="/Groups")
    client = Client(store, resource_types=(USER, groups))
    assert client.group("Staff") != client.group("staff")
    schema = client.get(f"/Schemas/{GROUP}").body
    assert next(each for each in schema["attributes"] if each["name"] == "displayName")["uniqueness"] == "none"
