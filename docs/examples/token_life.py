from datetime import UTC, datetime, timedelta

from scimkit import TokenRegistry

tokens = TokenRegistry()  # keeps records in memory; pass a token store to keep them in a database

issued = tokens.issue("Microsoft Entra ID", tenant="acme", created_by="ada@example.org")
print(issued.token)  # show it once, then forget it
id = issued.record.id

tokens.deactivate(id, tenant="acme")  # requests get 401 until activate
tokens.activate(id, tenant="acme")
tokens.update(id, tenant="acme", description="Entra ID, production")

successor = tokens.rotate(id, tenant="acme", overlap=timedelta(days=1))  # both work for one day
tokens.revoke(id, tenant="acme")  # final

auditor = tokens.issue("Audit", tenant="acme", scopes=["read"], expires_in=timedelta(days=30))

for record in tokens.list("acme"):
    print(record.id, record.status(datetime.now(UTC)), record.description, record.hint, record.last_used)
