import tempfile

from scimkit import ScimService, TokenRegistry
from scimkit.stores.sql import SqlStore, SqlTokenStore

folder = tempfile.mkdtemp()
store = SqlStore(f"sqlite:///{folder}/helpdesk.db", outbox=True)
tokens = TokenRegistry(SqlTokenStore(store.engine))
service = ScimService(store, tokens=tokens)
