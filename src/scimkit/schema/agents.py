"""The resource type Agent for AI agents, and groups that may have agents as members. Experimental.

`AGENT` follows draft-wzdk-scim-agent-resource-00 (June 2026): the schema URN, `agentUserName`, `displayName`,
`description`, `active` and `owners`. The other attributes are those of draft-abbey-scim-agent-extension-00 section 5.1,
and `sponsors` as Microsoft Graph has them for agent identities. The drafts are not RFCs, and this module changes with
them.
"""

from __future__ import annotations

from typing import Any, Final

from scimkit.schema.core import GROUP_SCHEMA, USER_SCHEMA
from scimkit.schema.resource_types import ResourceType, SchemaDocument

DRAFT: Final = "draft-wzdk-scim-agent-resource-00"
"""The draft that `AGENT` follows."""
AGENT_SCHEMA_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:Agent"

_SHARED: Final = ("entitlements", "roles", "x509Certificates", "groups")
"""The attributes whose form is that of a user (RFC 7643 section 4.1.2)."""


def _attribute(name: str, description: str, **characteristics: Any) -> dict[str, Any]:
    """Return the definition of an attribute, by default an optional string without regard to case."""
    usual = {
        "type": "string", "multiValued": False, "required": False, "caseExact": False, "mutability": "readWrite",
        "returned": "default", "uniqueness": "none",
    }  # fmt: skip
    return {"name": name, "description": description, **usual, **characteristics}


def _references(name: str, what: str) -> dict[str, Any]:
    """Return the definition of an attribute that refers to users and groups."""
    types = ["User", "Group"]
    return _attribute(
        name, f"The users and groups that {what} the agent.", type="complex", multiValued=True,
        subAttributes=[
            _attribute("value", "The id of the user or group.", caseExact=True, mutability="immutable"),
            _attribute("$ref", "The URI of the user or group.", type="reference", caseExact=True,
                       mutability="immutable", referenceTypes=types),
            _attribute("display", "The name of the user or group.", mutability="immutable"),
            _attribute("type", "The resource type.", mutability="immutable", canonicalValues=types),
        ],
    )  # fmt: skip


def _agent_schema() -> SchemaDocument:
    """Return the Schema document of agents."""
    of_users = {each["name"]: each for each in USER_SCHEMA["attributes"]}
    return {
        "id": AGENT_SCHEMA_URN,
        "name": "Agent",
        "description": f"AI agent of {DRAFT}. Experimental.",
        "attributes": [
            _attribute("agentUserName", "The unique name of the agent.", required=True, uniqueness="server"),
            _attribute("displayName", "The name of the agent for people."),
            _attribute("description", "A description of the agent."),
            _attribute("active", "True if the agent may act.", type="boolean"),
            _attribute("agentType", "The kind of the agent."),
            _attribute("subject", "The claim sub of tokens of the agent.", caseExact=True),
            _attribute(
                "protocols", "The protocols by which the agent can be reached.", type="complex", multiValued=True,
                subAttributes=[
                    _attribute("type", "The protocol.", canonicalValues=["A2A", "OpenAPI", "MCP-Server"]),
                    _attribute("specificationUrl", "The URL of the specification document.", type="reference",
                               caseExact=True, referenceTypes=["external"]),
                ],
            ),
            _references("owners", "own"),
            _references("sponsors", "are accountable for"),
            *(of_users[name] for name in _SHARED),
        ],
    }  # fmt: skip


AGENT: Final = ResourceType(
    _agent_schema(),
    endpoint="/Agents",
    description="AI agent",
    references=("owners", "sponsors"),
)
"""The resource type Agent (draft-wzdk-scim-agent-resource-00). Experimental.

`agentUserName` is required and unique within a tenant. `owners` and `sponsors` name users and groups that exist.
"""


def _group_schema() -> dict[str, Any]:
    """Return the Schema document of groups whose members may also be agents."""
    attributes = []
    for each in GROUP_SCHEMA["attributes"]:
        children = [
            {**child, **{key: [*child[key], "Agent"] for key in ("referenceTypes", "canonicalValues") if key in child}}
            for child in each.get("subAttributes", ())
        ]
        attributes.append({**each, "subAttributes": children} if children else each)
    return {**GROUP_SCHEMA, "attributes": attributes}


GROUP_WITH_AGENTS: Final = ResourceType(
    _group_schema(), endpoint="/Groups", description="Group", unique=("displayName",)
)
"""The resource type Group, whose schema says that members may be agents too. Use it together with `AGENT`."""
