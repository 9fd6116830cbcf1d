import os

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.service import Cursors

key = os.environ.get("SCIM_CURSOR_KEY", "0" * 64)  # 32 random bytes in hexadecimal, the same for every process
cursors = Cursors(bytes.fromhex(key), timeout=3600)
service = ScimService(MemoryStore(), tokens=TokenRegistry(), cursors=cursors)
