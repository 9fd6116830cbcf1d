from datetime import datetime
from typing import Annotated

from scim2_models import URN, ComplexAttribute, EnterpriseUser, Extension, Reference, Required, Resource, User

from scimkit import GROUP, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.schema.models import as_model, resource_type
from scimkit.stores.sql import SqlStore, SqlTokenStore


class Helpdesk(Extension):
    """Attributes of an agent of the helpdesk."""

    __schema__ = URN("urn:example:params:scim:schemas:extension:helpdesk:1.0:User")

    signature: str | None = None
    languages: list[str] | None = None


class Part(ComplexAttribute):
    """A part of a device."""

    type: str | None = None
    value: str | None = None
    bought: datetime | None = None


class Device(Resource):
    """A computer or a phone that the helpdesk looks after."""

    __schema__ = URN("urn:example:params:scim:schemas:1.0:Device")

    serial_number: Annotated[str | None, Required.true] = None
    price: float | None = None
    owner: Reference[User] | None = None
    parts: list[Part] | None = None


Agent = User[EnterpriseUser | Helpdesk]
agent = resource_type(Agent)
device = resource_type(Device, unique=["serialNumber"])

store = SqlStore("sqlite:///helpdesk.db")  # its tables keep every resource type
tokens = TokenRegistry(SqlTokenStore(store.engine))
service = ScimService(store, tokens=tokens, resource_types=(agent, GROUP, device))
app = ScimApp(service, prefix="/scim/v2")

document = {"schemas": [agent.schema], "id": "1", "userName": "ada"}
assert as_model(Agent, document).user_name == "ada"
