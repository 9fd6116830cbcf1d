from typing import Annotated

from scim2_models import URN, Extension, Required, Resource, User

from scimkit import GROUP, MemoryStore, ScimService, TokenRegistry
from scimkit.schema.models import as_model, resource_type


class Helpdesk(Extension):
    """Attributes of an agent of the helpdesk."""

    __schema__ = URN("urn:example:params:scim:schemas:extension:helpdesk:1.0:User")

    signature: str | None = None
    languages: list[str] | None = None


class Queue(Resource):
    """A queue of tickets."""

    __schema__ = URN("urn:example:params:scim:schemas:1.0:Queue")

    name: Annotated[str | None, Required.true] = None


agent = resource_type(User[Helpdesk])
queue = resource_type(Queue, unique=["name"])
service = ScimService(MemoryStore(), tokens=TokenRegistry(), resource_types=(agent, GROUP, queue))

document = {"schemas": [agent.schema], "id": "1", "userName": "ada"}
assert as_model(User[Helpdesk], document).user_name == "ada"
