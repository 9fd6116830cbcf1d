import tempfile

from joserfc.jwk import ECKey

from scimkit import ScimService, TokenRegistry
from scimkit.delivery.security_events import EventStream, SecurityEventIssuer, event_uris
from scimkit.stores.sql import SqlStore, SqlTokenStore

folder = tempfile.mkdtemp()
store = SqlStore(f"sqlite:///{folder}/helpdesk.db", outbox=True)
private_key = ECKey.generate_key("P-256", {"kid": "2026-11"}).as_dict(private=True)  # load yours from a secret store

siem = EventStream(id="siem", audience="https://siem.example.com", tenant="acme", mode="full")
payroll = EventStream(
    id="payroll", audience="https://payroll.example.com", tenant="acme", feed={"User": 'userType eq "employee"'}
)

tokens = TokenRegistry(SqlTokenStore(store.engine))
service = ScimService(store, tokens=tokens, security_events=event_uris([siem, payroll]))
issuer = SecurityEventIssuer("https://help.example.org/scim/v2", private_key, resource_types=service.resource_types)
