"""Record spans and metrics of a service and its database."""

from scimkit import ScimService, TokenRegistry
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.telemetry import instrument, instrument_database

store = SqlStore("sqlite:///helpdesk.db", outbox=True, provisioning_log=True)
tokens = TokenRegistry(SqlTokenStore(store.engine))
service = ScimService(store, tokens=tokens)

instrument(service, prefix="/scim/v2", tokens=tokens)
instrument_database(store.engine)
