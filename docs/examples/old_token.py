import hashlib
import hmac

from scimkit import MemoryStore, Principal, Request, ScimService, TokenRegistry, run_sync

OLD_TOKEN_SHA256 = hashlib.sha256(b"token-of-the-old-endpoint").hexdigest()  # keep the hash, not the token


class OldAndNewTokens:
    """Accepts the token of the old endpoint beside the tokens of the registry."""

    is_async = False

    def __init__(self, registry: TokenRegistry) -> None:
        self.registry = registry
        self.blocking = registry.blocking

    def verify(self, token: str) -> Principal:
        if hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), OLD_TOKEN_SHA256):
            return Principal("default", "old", "token of the old endpoint")
        return self.registry.verify(token)


tokens = TokenRegistry()
service = ScimService(MemoryStore(), tokens=OldAndNewTokens(tokens))

for token in ("token-of-the-old-endpoint", tokens.issue("Microsoft Entra ID").token):
    request = Request("GET", "/Users", headers={"authorization": f"Bearer {token}"})
    assert run_sync(service.handle(request)).status == 200
