"""The simulators of Okta. A custom app (AIW) sends PUT, and a catalog integration (OIN) sends PATCH.

Sources: okta/okta-developer-docs, reference/scim/scim-20, concepts/scim/faqs and guides/scim-with-entitlements;
lightdash/lightdash#22402.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from secrets import token_hex
from typing import Any, ClassVar, Final

from scimkit.testing import okta_entitlements as governance
from scimkit.testing import provider_rules as rules
from scimkit.testing.directory import Team
from scimkit.testing.mapping import FULL, put_at
from scimkit.testing.provider import PAGE, ProviderSimulator
from scimkit.testing.provider_profile import ProviderProfile

_ASSIGNED: Final = ("roles", "entitlements")


class OktaCustomApp(ProviderSimulator):
    """An app from the App Integration Wizard. It sends PUT for all changes, including groups and activation."""

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
        """Read a page of two users and a page of groups, then search for a user, as *Test Connector* does."""
        before = len(self.report.failures)
        self._talk.step("Test connector: users", "GET", "/Users?startIndex=1&count=2", [rules.page(2)])
        self._talk.step("Test connector: groups", "GET", f"/Groups?startIndex=1&count={PAGE}", [rules.page(PAGE)])
        return super().test_connection() and len(self.report.failures) == before

    def import_all(self) -> dict[str, dict[str, Any]]:
        """Read all users in pages of 100, as *Import now* does, and return them by id."""
        paging = rules.Paging(PAGE)
        while not paging.finished:
            path = f"/Users?startIndex={paging.start}&count={PAGE}"
            if not self._talk.step(f"Import from {paging.start}", "GET", path, [paging]).passed:
                break
        return paging.seen

    def push_now(self, key: str) -> bool:
        """Send all members of a group in one `replace` operation, as *Push now* does."""
        team = self.directory.teams[key]
        there = {each for each in team.members if each in self._ids}
        values = [{"value": self._ids[each]} for each in sorted(there)]
        operations = [{"op": "replace", "path": "members", "value": values}]
        if not self._patch(f"Push {team.name}", self._group_path(key), operations):
            return False
        self._members[key] = there
        return True

    def discover_entitlements(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Read the resource types, the schemas of their extensions, and all roles and entitlements.

        Okta Identity Governance does so when an administrator enables provisioning. The order of the requests is that
        of Okta's guide.

        Returns:
            The resources by id, by the name of their resource type.
        """
        step = self._talk.step("Discover types", "GET", "/ResourceTypes", [governance.offered_types])
        types = governance.types_of(step.exchange.received) if step.passed else []
        unknown = governance.unknown_extensions(types)
        if unknown:
            self._talk.step("Discover extensions", "GET", "/Schemas", [governance.schemas(unknown)])
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for each in types:
            paging = rules.Paging(PAGE)
            while not paging.finished:
                path = f"{each['endpoint']}?startIndex={paging.start}&count={PAGE}"
                judged = [governance.offers(paging, each["schema"])]
                if not self._talk.step(f"Read {each['endpoint']} from {paging.start}", "GET", path, judged).passed:
                    break
            found[each["name"]] = paging.seen
        return found

    def assign(
        self, key: str, *, roles: Sequence[Mapping[str, Any]] = (), entitlements: Sequence[Mapping[str, Any]] = ()
    ) -> bool:
        """Give a user exactly these roles and entitlements, and read the user again.

        Args:
            key: The key of the user.
            roles: Resources that `discover_entitlements` returned.
            entitlements: Resources that `discover_entitlements` returned.
        """
        chosen = dict(zip(_ASSIGNED, (roles, entitlements), strict=True))
        changed = {
            name: [
                {
                    "value": each["id"],
                    "display": each["displayName"],
                    **({"type": each["type"]} if "type" in each else {}),
                }
                for each in resources
            ]
            for name, resources in chosen.items()
        }
        wanted = {name: [each["value"] for each in values] for name, values in changed.items()}
        title = f"Assign {self._names[key]}"
        return self._write_assigned(title, key, changed) and self._read_assigned(title, key, wanted)

    def _write_assigned(self, title: str, key: str, changed: dict[str, Any]) -> bool:
        return self._put_user(title, key, {}, changed)

    def _read_assigned(self, title: str, key: str, wanted: Mapping[str, Collection[str]]) -> bool:
        judged = [rules.read, governance.assigned(wanted)]
        return self._talk.step(f"{title}: verify", "GET", self._user_path(key), judged).passed

    def _user(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**super()._user(values), "locale": "en-US", "groups": [], "password": token_hex(8)}

    def _group(self, team: Team) -> dict[str, Any]:
        return {**super()._group(team), "members": []}

    def _put_user(self, title: str, key: str, wanted: dict[str, Any], changed: dict[str, Any]) -> bool:
        """Read the user, change its attributes, and send the complete user in a PUT, with an empty `groups`."""
        path = self._user_path(key)
        step = self._talk.step(f"Read {self._names[key]}", "GET", path, [rules.read])
        if not step.passed:
            return False
        body = {**step.exchange.received, "groups": []}
        for changed_path, value in changed.items():
            put_at(body, changed_path, value)
        return self._talk.step(title, "PUT", path, [rules.replaced], body).passed


class OktaCatalogApp(OktaCustomApp):
    """An integration from the catalog of Okta. It sends PATCH for users, activation and groups.

    Okta documents no PATCH of a user. The simulator sends one operation for each path.
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

    def _write_assigned(self, title: str, key: str, changed: dict[str, Any]) -> bool:
        operations = [{"op": "replace", "path": name, "value": values} for name, values in changed.items()]
        return self._patch(title, self._user_path(key), operations)
