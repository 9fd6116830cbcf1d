from scimkit import USER, ScimService, TokenRegistry
from scimkit.stores.sql import SqlTokenStore
from scimkit.stores.sqlalchemy import IsNull, MappedStore, ReadOnly, ResourceMapping

from .models import Agent, engine, now, scim_tokens, sessions

agents = ResourceMapping(
    USER,
    Agent,
    id=Agent.id,
    prefix="agent-",
    where=Agent.archived_at.is_(None),
    delete=Agent.archive,
    attributes={
        "userName": Agent.login,
        "name.givenName": Agent.first_name,
        "name.familyName": Agent.last_name,
        'emails[type eq "work"].value': Agent.email,
        "userType": ReadOnly(Agent.role),
        "active": IsNull(Agent.disabled_at, otherwise=now),
    },
)

store = MappedStore(sessions, [agents])
tokens = TokenRegistry(SqlTokenStore(engine, table=scim_tokens))
service = ScimService(store, tokens=tokens)
