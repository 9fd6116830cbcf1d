"""The dialect of Microsoft Entra ID: `tolerant`, and JSON texts in roles read as the roles they are.

Source: learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes.
"""

from __future__ import annotations

from typing import Final

from scimkit.dialects.dialect import Dialect
from scimkit.dialects.quirks import QUIRKS

ENTRA: Final = Dialect("entra", QUIRKS)
