from scimkit import GROUP, USER, ScimService, TokenRegistry
from scimkit.stores.sql import SqlTokenStore
from scimkit.stores.sqlalchemy import Constant, IsNull, MappedStore, ReadOnly, Reference, ResourceMapping

from .models import Agent, Team, engine, now, scim_tokens, sessions

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

agents = ResourceMapping(
    USER,
    Agent,
    id=Agent.id,
    prefix="agent-",
    where=Agent.archived_at.is_(None),
    delete=Agent.archive,
    version=Agent.scim_version,
    rest=Agent.scim_rest,
    complete=["emails"],
    attributes={
        "userName": Agent.login,
        "externalId": Agent.external_id,
        "name.givenName": Agent.first_name,
        "name.familyName": Agent.last_name,
        'emails[type eq "work"].value': Agent.email,
        'emails[type eq "work"].primary': Constant(True),
        "title": Agent.title,
        "userType": ReadOnly(Agent.role),
        "active": IsNull(Agent.disabled_at, otherwise=now),
        f"{ENTERPRISE}:manager.value": Reference(Agent.manager),
    },
)
teams = ResourceMapping(
    GROUP,
    Team,
    id=Team.id,
    prefix="team-",
    version=Team.scim_version,
    attributes={"displayName": Team.name, "externalId": Team.external_id},
    members=[Team.agents],
)

store = MappedStore(sessions, [agents, teams])
tokens = TokenRegistry(SqlTokenStore(engine, table=scim_tokens))
service = ScimService(store, tokens=tokens)
