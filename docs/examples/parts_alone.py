from scimkit import USER, filters, patch

ada = {"userName": "ada", "active": True, "emails": [{"type": "work", "value": "ada@example.org"}]}

work_address = filters.parse('emails[type eq "work" and value ew "@example.org"]')
assert work_address.matches(ada, USER)

body = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "path": "active", "value": False}],
}
result = patch.apply(USER, ada, body)
assert result.document["active"] is False
assert ada["active"] is True
