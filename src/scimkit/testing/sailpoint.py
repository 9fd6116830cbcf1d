"""SailPoint: discovery must be sound, accounts are read page by page, `active` is added without a path.

Sources: documentation.sailpoint.com (SCIM 2.0 connector), developer.sailpoint.com/discuss 7752 and 32455,
jelhub/scimgateway#44.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from scimkit.testing import provider_rules as rules
from scimkit.testing.mapping import FULL, USER
from scimkit.testing.provider import PAGE, ProviderSimulator
from scimkit.testing.provider_profile import ProviderProfile

_DISCOVERY: Final = (
    "/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User", "/ResourceTypes/Group",
)  # fmt: skip


class SailPoint(ProviderSimulator):
    """SailPoint's SCIM 2.0 connector. Read-only attributes, by the published schema, are left out of a PATCH."""

    profile: ClassVar[ProviderProfile] = ProviderProfile(
        name="SailPoint", mapping=FULL, updates="PATCH", activates="add", timeout=60.0
    )
    _read_only: frozenset[str] = frozenset()

    def test_connection(self) -> bool:
        """Every discovery document, then a first page."""
        passed = True
        for path in _DISCOVERY:
            passed &= self._talk.step(f"Discover {path[1:]}", "GET", path, [rules.discovered]).passed
        step = self._talk.step("Discover the schema of users", "GET", f"/Schemas/{USER}", [rules.discovered])
        if step.passed:
            attributes = step.exchange.received.get("attributes") or ()
            self._read_only = frozenset(
                each["name"] for each in attributes if each.get("mutability") == "readOnly" and "name" in each
            )
        return super().test_connection() & passed & step.passed

    def aggregate(self) -> dict[str, dict[str, Any]]:
        """*Account aggregation*: every user, each with its schemas."""
        paging = rules.Paging(PAGE)
        while not paging.finished:
            path = f"/Users?startIndex={paging.start}&count={PAGE}"
            if not self._talk.step(f"Aggregate from {paging.start}", "GET", path, [paging, rules.with_schemas]).passed:
                break
        return paging.seen

    def _assignments(self, changed: dict[str, Any], written: dict[str, Any]) -> list[dict[str, Any]]:
        writable = {path: value for path, value in changed.items() if path.split(".")[0] not in self._read_only}
        return super()._assignments(writable, written)

    def _patch(self, title: str, path: str, operations: list[dict[str, Any]]) -> bool:
        return not operations or super()._patch(title, path, operations)
