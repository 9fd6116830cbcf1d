"""JumpCloud: a test user and group come and go on activation, then one `replace` a path.

Source: JumpCloud's support article on custom SCIM; the bodies of PATCH come from a third party's fixtures.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from scimkit.testing import provider_rules as rules
from scimkit.testing.mapping import FULL, GROUP, USER
from scimkit.testing.provider import ProviderSimulator
from scimkit.testing.provider_profile import ProviderProfile


class JumpCloud(ProviderSimulator):
    """JumpCloud's custom SCIM. It creates no empty group, takes over one of the same name, deactivates who leaves."""

    profile: ClassVar[ProviderProfile] = ProviderProfile(
        name="JumpCloud", mapping=FULL, updates="PATCH", removes_members="by value", empty_groups=False
    )  # fmt: skip

    def test_connection(self) -> bool:
        """*Activate*: a test user and a test group are created and deleted; a user that stays is deactivated."""
        passed, mark = super().test_connection(), uuid4().hex
        user: dict[str, Any] = {"schemas": [USER], "userName": f"test-{mark}@example.org", "active": True}
        user |= {"name": {"givenName": "Test", "familyName": "User"}}
        group = {"schemas": [GROUP], "displayName": f"Test {mark}"}
        return passed & self._come_and_go("user", "/Users", user) & self._come_and_go("group", "/Groups", group)

    def _come_and_go(self, what: str, endpoint: str, body: dict[str, Any]) -> bool:
        step = self._talk.step(f"Activate: create a {what}", "POST", endpoint, [rules.created], body)
        if not step.passed:
            return False
        path = f"{endpoint}/{step.exchange.received['id']}"
        if self._talk.step(f"Activate: delete the {what}", "DELETE", path, [rules.deleted]).passed:
            return True
        if what == "user":
            self._patch("Activate: deactivate the user", path, self._assignments({"active": False}, body))
        return False
