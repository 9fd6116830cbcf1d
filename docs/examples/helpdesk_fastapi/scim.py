from sqlalchemy import orm

from scimkit import GROUP, USER, ScimService, TokenRegistry
from scimkit.stores.sqlalchemy import Column, Constant, IsNull, MappedStore, ReadOnly, Reference, ResourceMapping

from .listeners import listeners
from .models import Agent, Team, now, outbox

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

agents = ResourceMapping(
    USER,
    Agent,
    id=Agent.public_id,
    tenant=Agent.account,
    version=Agent.scim_version,
    rest=Agent.scim_rest,
    complete=["emails"],
    where=Agent.archived_at.is_(None),
    delete=Agent.archive,
    attributes={
        "userName": Column(Agent.login, key=Agent.login_key),
        "externalId": Agent.external_id,
        "name.givenName": Agent.first_name,
        "name.familyName": Agent.last_name,
        'emails[type eq "work"].value': Agent.email,
        'emails[type eq "work"].primary': Constant(True),
        'emails[type eq "other"].value': Agent.other_email,
        "userType": ReadOnly(Agent.user_type),
        "active": IsNull(Agent.disabled_at, otherwise=now),
        f"{ENTERPRISE}:manager.value": Reference(Agent.manager),
    },
)
teams = ResourceMapping(
    GROUP,
    Team,
    id=Team.public_id,
    tenant=Team.account,
    version=Team.scim_version,
    attributes={"displayName": Team.name, "externalId": Team.external_id},
    members=[Team.agents],
)


def make_store(sessions: orm.sessionmaker[orm.Session]) -> MappedStore:
    return MappedStore(sessions, [agents, teams], outbox=outbox)


def make_service(sessions: orm.sessionmaker[orm.Session], tokens: TokenRegistry) -> ScimService:
    store = make_store(sessions)
    return ScimService(store, tokens=tokens, listeners=listeners, protect='userType eq "Owner"')
