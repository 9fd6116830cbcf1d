"""Dialects rewrite requests of identity providers that deviate from the RFC before the service reads them."""

from typing import Final

from scimkit.dialects.dialect import STRICT, TOLERANT, Dialect, RequestDeviations
from scimkit.dialects.entra import ENTRA
from scimkit.dialects.interop import INTEROP, follows_interop_profile
from scimkit.dialects.quirks import KEEP_OMITTED_MEMBERS, NOT_APPLICABLE, OPTIONS, QUIRKS, RESTORE_INACTIVE, Quirk
from scimkit.dialects.restrictions import Restriction

DIALECTS: Final = {dialect.name: dialect for dialect in (TOLERANT, STRICT, ENTRA, INTEROP)}
"""The dialects that come with scimkit, by name."""

__all__ = [
    "DIALECTS", "ENTRA", "INTEROP", "KEEP_OMITTED_MEMBERS", "NOT_APPLICABLE", "OPTIONS", "QUIRKS", "RESTORE_INACTIVE",
    "STRICT", "TOLERANT", "Dialect", "Quirk", "RequestDeviations", "Restriction", "follows_interop_profile",
]  # fmt: skip
