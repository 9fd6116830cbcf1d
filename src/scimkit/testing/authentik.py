"""authentik: discovery first, POST before any look-up, PUT of users, groups in operations of one user each.

Source: goauthentik/authentik, authentik/providers/scim/clients (base, users, groups) and its tests.
"""

from __future__ import annotations

from typing import Any, ClassVar

from scimkit.testing import provider_rules as rules
from scimkit.testing.directory import Person, Team
from scimkit.testing.mapping import BASIC, GROUP, PATCH_OP
from scimkit.testing.provider import ProviderSimulator
from scimkit.testing.provider_profile import ProviderProfile


class Authentik(ProviderSimulator):
    """authentik's SCIM provider. It deletes who leaves, and sends as many operations as the service allows."""

    profile: ClassVar[ProviderProfile] = ProviderProfile(
        name="authentik",
        mapping={**BASIC, "name.formatted": "display_name", 'emails[type eq "other"].value': "email"},
        on_leave="delete",
        renames="pathless",
        an_operation_each=True,
        quotes=False,
    )
    _at_once: int | None = None

    def test_connection(self) -> bool:
        """The ServiceProviderConfig; 404 is taken for the defaults."""
        step = self._talk.step("Discover", "GET", "/ServiceProviderConfig", [rules.found_or_absent])
        if step.passed and step.status == 200:
            bulk = step.exchange.received.get("bulk") or {}
            self._at_once = bulk.get("maxOperations") or None
        return step.passed & super().test_connection()

    def _find_user(self, person: Person) -> str | None:
        return None  # a create comes first; what exists answers 409

    def _create_user(self, person: Person, wanted: dict[str, Any]) -> None:
        title = f"Create {person.display_name}"
        step = self._talk.step(title, "POST", "/Users", [rules.created_or_conflict], self._user(wanted))
        if step.passed and step.status == 409:
            id = super()._find_user(person)
            if id is not None:
                self._know_user(person, id, {})
                self._provision_person(person)
        elif step.passed:
            self._know_user(person, step.exchange.received["id"], wanted)

    def _find_group(self, team: Team) -> str | None:
        return None

    def _discover_group(self, team: Team) -> str | None:
        """All groups, in pages as large as the service likes."""
        seen: dict[str, str] = {}
        while True:
            path = f"/Groups?startIndex={len(seen) + 1}" if seen else "/Groups"
            step = self._talk.step(f"Discover groups for {team.name}", "GET", path, [rules.listed])
            found = step.exchange.received.get("Resources", ()) if step.passed else ()
            fresh = {each["id"]: each.get("displayName", "") for each in found if each["id"] not in seen}
            seen |= fresh
            if not fresh or len(seen) >= step.exchange.received["totalResults"]:
                return next((id for id, name in seen.items() if name.casefold() == team.name.casefold()), None)

    def _create_group(self, team: Team) -> str | None:
        step = self._talk.step(
            f"Create {team.name}", "POST", "/Groups", [rules.created_or_conflict], self._group(team)
        )  # fmt: skip
        if not step.passed:
            return None
        if step.status == 409:
            id = self._discover_group(team)
            if id is not None:
                self._adopt_group(team, id)
            return id
        created: str = step.exchange.received["id"]
        self._know_group(team, created, set())
        return created

    def _put_user(self, title: str, key: str, wanted: dict[str, Any], changed: dict[str, Any]) -> bool:
        body = {**self._user(wanted), "id": self._ids[key]}
        return self._talk.step(title, "PUT", self._user_path(key), [rules.replaced], body).passed

    def _group(self, team: Team) -> dict[str, Any]:
        return {**super()._group(team), "externalId": team.key}

    def _rename_value(self, team: Team) -> dict[str, Any]:
        return {"schemas": [GROUP], "id": self._ids[team.key], "externalId": team.key}

    def _patch(self, title: str, path: str, operations: list[dict[str, Any]]) -> bool:
        size = self._at_once or len(operations)
        done = True
        for start in range(0, len(operations), size):
            body = {"schemas": [PATCH_OP], "Operations": operations[start : start + size]}
            done &= self._talk.step(title, "PATCH", path, [rules.patched], body).passed
        return done
