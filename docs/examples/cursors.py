import os

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.service.cursors import Cursors

key = os.environ.get("SCIM_CURSOR_KEY", "0" * 64)
cursors = Cursors(bytes.fromhex(key), timeout=3600)
service = ScimService(MemoryStore(), tokens=TokenRegistry(), cursors=cursors)
