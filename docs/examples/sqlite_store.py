import tempfile

from scimkit import ScimService, TokenRegistry
from scimkit.stores.sql import SqlStore, SqlTokenStore

folder = tempfile.mkdtemp()
store = SqlStore(f"sqlite:///{folder}/helpdesk.db")
tokens = TokenRegistry(SqlTokenStore(store.engine))
service = ScimService(store, tokens=tokens)

issued = tokens.issue("Microsoft Entra ID")
assert tokens.verify(issued.token).description == "Microsoft Entra ID"
store.engine.dispose()
