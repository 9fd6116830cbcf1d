"""The dialect of Microsoft Entra ID. It has every quirk, as `tolerant` has, and tells the log which provider is served.

Source: learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes.
"""

from __future__ import annotations

from typing import Final

from scimkit.dialects.dialect import Dialect
from scimkit.dialects.quirks import QUIRKS

ENTRA: Final = Dialect("entra", QUIRKS)
