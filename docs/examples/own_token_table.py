from sqlalchemy import create_engine, orm

from scimkit import TokenRegistry
from scimkit.stores.sql import SqlTokenStore, token_table


class Base(orm.DeclarativeBase):
    pass


scim_tokens = token_table(Base.metadata, "helpdesk_scim_token")

engine = create_engine("sqlite:///:memory:")
Base.metadata.create_all(engine)  # or a migration that Alembic writes from Base.metadata

tokens = TokenRegistry(SqlTokenStore(engine, table=scim_tokens))
issued = tokens.issue("Microsoft Entra ID")
