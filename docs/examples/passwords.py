import hashlib
import json
import secrets

from scimkit import MemoryStore, Request, ScimService, TokenRegistry, run_sync
from scimkit.errors import InvalidValue

hashes: dict[tuple[str, str], bytes] = {}  # in your application: a column of the table of accounts


def set_password(tenant: str, user_id: str, password: str) -> None:
    """Hash the password and keep the hash. If this function raises, the user is not written either."""
    if len(password) < 12:
        raise InvalidValue("password must have at least 12 characters.")
    salt = secrets.token_bytes(16)
    hashes[tenant, user_id] = salt + hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


tokens = TokenRegistry()
service = ScimService(MemoryStore(), tokens=tokens, set_password=set_password)

headers = {"authorization": f"Bearer {tokens.issue('Okta').token}"}
user = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "ada",
    "password": "correct horse battery",
}
response = run_sync(service.handle(Request("POST", "/Users", headers=headers, body=json.dumps(user).encode())))
created = json.loads(response.body)
assert "password" not in created
assert ("default", created["id"]) in hashes

user |= {"userName": "bo", "password": "short"}
response = run_sync(service.handle(Request("POST", "/Users", headers=headers, body=json.dumps(user).encode())))
assert response.status == 400
assert len(hashes) == 1
