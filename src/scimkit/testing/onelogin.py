"""OneLogin: PUT of whole users from a template that an admin writes, PATCH of groups, stray `?` and `&`.

Sources: developers.onelogin.com/scim/implement-scim-api; goauthentik/authentik#11249 (captured requests).
"""

from __future__ import annotations

from typing import ClassVar

from scimkit.testing import provider_rules as rules
from scimkit.testing.mapping import FULL
from scimkit.testing.provider import ProviderSimulator
from scimkit.testing.provider_profile import ProviderProfile


class OneLogin(ProviderSimulator):
    """OneLogin's SCIM 2.0 provisioner. It deletes users who leave, and leaves groups where they are."""

    profile: ClassVar[ProviderProfile] = ProviderProfile(
        name="OneLogin",
        mapping=FULL,
        on_leave="delete",
        deletes_groups=False,
        query_end="&",
        path_end="?",
        schemas=("urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0"),
        user_agent="",
    )

    def refresh_entitlements(self) -> bool:
        """*Refresh entitlements*: the groups are read, without any parameter."""
        return self._talk.step("Refresh entitlements", "GET", "/Groups", [rules.listed]).passed

    def synchronize(self) -> bool:
        return self.refresh_entitlements() & super().synchronize()
