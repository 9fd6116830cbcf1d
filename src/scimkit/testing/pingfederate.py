"""PingFederate: users by PUT, groups by PATCH, filters without quotes, groups matched by reading them all.

Source: docs.pingidentity.com/integrations/scim, and the page of the GitHub EMU provisioner for the probe.
"""

from __future__ import annotations

from typing import ClassVar

from scimkit.testing import provider_rules as rules
from scimkit.testing.directory import Team
from scimkit.testing.mapping import FULL
from scimkit.testing.provider import PAGE, ProviderSimulator
from scimkit.testing.provider_profile import ProviderProfile


class PingFederate(ProviderSimulator):
    """PingFederate's SCIM provisioner, set to disable who leaves."""

    profile: ClassVar[ProviderProfile] = ProviderProfile(name="PingFederate", mapping=FULL, quotes=False)

    def test_connection(self) -> bool:
        """A user that cannot be there, by id, and a look-up of nobody by name and by e-mail address."""
        missing = self._talk.step("Probe", "GET", "/Users/0", [rules.gone]).passed
        return super().test_connection() & missing & self._look_up_email()

    def _look_up_email(self) -> bool:
        """Look up nobody by e-mail address, unless the application keeps no e-mail address."""
        if self._without.covers("emails.value"):
            return True
        query = self._equals("emails", "nobody@nowhere.example")
        return self._talk.step("Look up an e-mail address", "GET", f"/Users?{query}", [rules.empty]).passed

    def _find_group(self, team: Team) -> str | None:
        paging = rules.Paging(PAGE)
        while not paging.finished:
            path = f"/Groups?startIndex={paging.start}&count={PAGE}"
            if not self._talk.step(f"Read all groups for {team.name}", "GET", path, [paging]).passed:
                return None
        return next((id for id, each in paging.seen.items() if each.get("displayName") == team.name), None)
