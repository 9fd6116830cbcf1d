"""Dialects rewrite requests of identity providers that deviate from the RFC before the service reads them."""

from typing import Final

from scimkit.dialects.dialect import STRICT, TOLERANT, Dialect, RequestDeviations
from scimkit.dialects.entra import ENTRA
from scimkit.dialects.quirks import KEEP_OMITTED_MEMBERS, NOT_APPLICABLE, OPTIONS, QUIRKS, RESTORE_INACTIVE, Quirk

DIALECTS: Final = {dialect.name: dialect for dialect in (TOLERANT, STRICT, ENTRA)}
"""The dialects that come with scimkit, by name."""

__all__ = [
    "DIALECTS", "ENTRA", "KEEP_OMITTED_MEMBERS", "NOT_APPLICABLE", "OPTIONS", "QUIRKS", "RESTORE_INACTIVE", "STRICT",
    "TOLERANT", "Dialect", "Quirk", "RequestDeviations",
]  # fmt: skip
