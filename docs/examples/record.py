import json
import tempfile
from pathlib import Path

from scimkit import MemoryStore, Request, ScimService, TokenRegistry, run_sync
from scimkit.testing.recorder import Recorder, replay

file = Path(tempfile.mkdtemp()) / "exchanges.jsonl"
tokens = TokenRegistry()
token = tokens.issue("Microsoft Entra ID").token
scim = ScimService(MemoryStore(), tokens=tokens, on_exchange=Recorder(file))

body = json.dumps({"userName": "ada@lovelace.example", "active": "True"}).encode()
run_sync(scim.handle(Request("POST", "/Users", headers={"authorization": f"Bearer {token}"}, body=body)))

assert "lovelace" not in file.read_text()
assert token not in file.read_text()

fresh = ScimService(MemoryStore(), tokens=tokens)
assert replay(file, fresh, token) == []
