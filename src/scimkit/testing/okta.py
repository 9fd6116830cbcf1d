"""Okta: PUT of whole objects from a custom app (AIW), PATCH from an integration of its catalog (OIN).

Sources: okta/okta-developer-docs, reference/scim/scim-20 and concepts/scim/faqs; lightdash/lightdash#22402.
"""

from __future__ import annotations

from secrets import token_hex
from typing import Any, ClassVar

from scimkit.testing import provider_rules as rules
from scimkit.testing.directory import Team
from scimkit.testing.mapping import FULL, put_at
from scimkit.testing.provider import PAGE, ProviderSimulator
from scimkit.testing.provider_profile import ProviderProfile


class OktaCustomApp(ProviderSimulator):
    """An app made in the App Integration Wizard: everything is PUT, groups and activation too."""

    profile: ClassVar[ProviderProfile] = ProviderProfile(
        name="Okta (custom app)",
        mapping=FULL,
        groups="PUT",
        renames="pathless",
        query_end=f"&startIndex=1&count={PAGE}",
        user_agent="Okta SCIM Client 1.0.0",
        timeout=60.0,
    )

    def test_connection(self) -> bool:
        """*Test Connector*: a page of two users, and of groups, with constant numbers."""
        before = len(self.report.failures)
        self._talk.step("Test connector: users", "GET", "/Users?startIndex=1&count=2", [rules.page(2)])
        self._talk.step("Test connector: groups", "GET", f"/Groups?startIndex=1&count={PAGE}", [rules.page(PAGE)])
        return super().test_connection() and len(self.report.failures) == before

    def import_all(self) -> dict[str, dict[str, Any]]:
        """*Import now*: every user by id, a hundred a page, `startIndex` a hundred further each time."""
        paging = rules.Paging(PAGE)
        while not paging.finished:
            path = f"/Users?startIndex={paging.start}&count={PAGE}"
            if not self._talk.step(f"Import from {paging.start}", "GET", path, [paging]).passed:
                break
        return paging.seen

    def push_now(self, key: str) -> bool:
        """*Push now* of a group: all members at once, by `replace`."""
        team = self.directory.teams[key]
        there = {each for each in team.members if each in self._ids}
        values = [{"value": self._ids[each]} for each in sorted(there)]
        operations = [{"op": "replace", "path": "members", "value": values}]
        if not self._patch(f"Push {team.name}", self._group_path(key), operations):
            return False
        self._members[key] = there
        return True

    def _user(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**super()._user(values), "locale": "en-US", "groups": [], "password": token_hex(8)}

    def _group(self, team: Team) -> dict[str, Any]:
        return {**super()._group(team), "members": []}

    def _put_user(self, title: str, key: str, wanted: dict[str, Any], changed: dict[str, Any]) -> bool:
        """Read, modify, and put the whole object back, with its id, its meta and no groups."""
        path = self._user_path(key)
        step = self._talk.step(f"Read {self._names[key]}", "GET", path, [rules.read])
        if not step.passed:
            return False
        body = {**step.exchange.received, "groups": []}
        for changed_path, value in changed.items():
            put_at(body, changed_path, value)
        return self._talk.step(title, "PUT", path, [rules.replaced], body).passed


class OktaCatalogApp(OktaCustomApp):
    """An integration of Okta's catalog: PATCH for profiles, activation and groups.

    Okta prints no PATCH of a profile; here it is one operation for each path.
    """

    profile: ClassVar[ProviderProfile] = ProviderProfile(
        name="Okta (catalog app)",
        mapping=FULL,
        updates="PATCH",
        activates="replace",
        renames="pathless",
        query_end=f"&startIndex=1&count={PAGE}",
        user_agent="Okta SCIM Client 1.0.0",
        timeout=60.0,
    )
