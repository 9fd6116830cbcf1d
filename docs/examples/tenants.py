import json

from scimkit import MemoryStore, Request, ScimService, TokenRegistry, run_sync

tokens = TokenRegistry()
service = ScimService(MemoryStore(), tokens=tokens, tenant_dialects={"acme": "strict"})

acme = tokens.issue("Microsoft Entra ID", tenant="acme").token
globex = tokens.issue("Okta", tenant="globex").token


def send(token, method, path, body=None):
    """Send a request to the service, and return the status and the body of the response."""
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token}"}
    response = run_sync(service.handle(Request(method, path, headers=headers, body=data)))
    return response.status, json.loads(response.body)


user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}
status, created = send(acme, "POST", "/Users", user)
assert status == 201
assert send(globex, "POST", "/Users", user)[0] == 201  # each tenant may have its own "ada"
assert send(globex, "GET", f"/Users/{created['id']}")[0] == 404
assert send(globex, "GET", "/Users")[1]["totalResults"] == 1
