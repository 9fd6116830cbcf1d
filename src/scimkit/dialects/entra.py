"""The dialect of Microsoft Entra ID. It has the same quirks as `tolerant`; its name shows the provider in the log.

Source: learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes.
"""

from __future__ import annotations

from typing import Final

from scimkit.dialects.dialect import Dialect
from scimkit.dialects.quirks import QUIRKS

ENTRA: Final = Dialect("entra", QUIRKS)
