"""Quirks: every deviation from the RFC that scimkit knows, grouped by the part of the request that is rewritten."""

from __future__ import annotations

from typing import Final

from scimkit.dialects.quirks.filters import FILTERS
from scimkit.dialects.quirks.messages import MESSAGES
from scimkit.dialects.quirks.names import NAMES
from scimkit.dialects.quirks.operations import OPERATIONS
from scimkit.dialects.quirks.options import KEEP_OMITTED_MEMBERS, OPTIONS, RESTORE_INACTIVE, SAME_USER_AGAIN
from scimkit.dialects.quirks.paths import PATHS
from scimkit.dialects.quirks.quirk import NOT_APPLICABLE, Quirk, Stage
from scimkit.dialects.quirks.values import VALUES

QUIRKS: Final[tuple[Quirk, ...]] = (*OPERATIONS, *VALUES, *NAMES, *PATHS, *MESSAGES, *FILTERS, SAME_USER_AGAIN)
"""Every quirk except the optional ones. Within a stage, the first quirk in this order that applies is used."""

__all__ = ["KEEP_OMITTED_MEMBERS", "NOT_APPLICABLE", "OPTIONS", "QUIRKS", "RESTORE_INACTIVE", "Quirk", "Stage"]
