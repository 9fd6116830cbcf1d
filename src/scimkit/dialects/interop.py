"""The dialect of the SCIM 2.0 Interoperability Profile.

The dialect has no quirks. It refuses what the profile says a service provider MUST refuse. Rules for clients only, such
as the operators that a client may use in a filter, refuse nothing: the dialect serves such requests as the RFC says.

Source: draft-zollner-scim-interop-profile-01 of 15 April 2026, read in full in github.com/Zollnerd/scim-interop-profile
at commit 03d035f. Of version 02 of 2 November 2026, only the abstract could be read. It does not say what changed.
"""

from __future__ import annotations

from typing import Final

from scimkit.dialects.dialect import Dialect
from scimkit.dialects.restrictions import INTEROP_RESTRICTIONS

_MUST_REFUSE: Final = ("unknown", "name", "path", "schemas")
"""The stages of quirks that accept attributes and schemas that no schema defines (section 5.3 of the profile)."""

INTEROP: Final = Dialect("interop", restrictions=INTEROP_RESTRICTIONS)


def follows_interop_profile(dialect: Dialect) -> bool:
    """Report whether a dialect has the restrictions of the profile, and no quirk that accepts unknown attributes."""
    return set(INTEROP_RESTRICTIONS) <= set(dialect.restrictions) and not any(
        dialect.at(stage) for stage in _MUST_REFUSE
    )
