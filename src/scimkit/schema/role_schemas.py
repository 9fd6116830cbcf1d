"""Schemas of roles and entitlements, in the form of the draft and in the form of Okta.

The draft is draft-ietf-scim-roles-entitlements-01, which is not an RFC. Okta reads resources of its own schemas instead
(okta/okta-developer-docs, guides/scim-with-entitlements).
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from scimkit.schema.resource_types import SchemaDocument

RoleSchemas: TypeAlias = Literal["draft", "okta"]
"""The form in which roles and entitlements are served."""

RoleAttribute: TypeAlias = Literal["roles", "entitlements"]
"""The attribute of a user whose values are offered."""

_NOUNS: Final = {"roles": "role", "entitlements": "entitlement"}
_NAMES: Final = {"roles": "Role", "entitlements": "Entitlement"}


def role_schema(attribute: RoleAttribute, schemas: RoleSchemas) -> SchemaDocument:
    """Return the Schema document of roles or of entitlements. All attributes are readOnly."""
    name, noun = _NAMES[attribute], _NOUNS[attribute]
    if schemas == "okta":
        return {
            "id": f"urn:okta:scim:schemas:core:1.0:{name}",
            "name": name,
            "description": f"{name} in the form of Okta",
            "attributes": [
                _attribute("displayName", f"The name of the {noun} for people.", required=True),
                _attribute("type", f"The kind of the {noun}."),
                _attribute("description", f"A description of the {noun}."),
            ],
        }
    return {
        "id": f"urn:ietf:params:scim:schemas:core:2.0:{name}",
        "name": name,
        "description": f"{name} of draft-ietf-scim-roles-entitlements-01",
        "attributes": [
            _attribute("value", f"The value of the {noun} in the attribute {attribute} of a user.", required=True),
            _attribute("display", f"The name of the {noun} for people."),
            _attribute("type", f"A label for the function of the {noun}."),
            _attribute("supported", f"True if users can get the {noun}.", type="boolean"),
            _attribute(
                "limitedAssignmentsPermitted", f"True if a limited number of users can have the {noun}.", type="boolean"
            ),
            _attribute("totalAssignmentsPermitted", f"Number of users that can have the {noun}.", type="integer"),
            _attribute("totalAssignmentsUsed", f"Number of users that have the {noun}.", type="integer"),
            _attribute("containedBy", f"Values that contain the {noun}.", multiValued=True),
            _attribute("contains", f"Values that the {noun} contains.", multiValued=True),
        ],
    }  # fmt: skip


def announced_roles_schema() -> dict[str, Any]:
    """Return the definition of `RolesAndEntitlements` in the ServiceProviderConfig (section 3.1 of the draft)."""
    return _attribute(
        "RolesAndEntitlements",
        "Roles and entitlements.",
        type="complex",
        subAttributes=[
            _attribute(
                attribute,
                f"The attribute {attribute} of a user.",
                type="complex",
                required=True,
                subAttributes=[
                    _attribute("supported", "True if the endpoint exists.", type="boolean", required=True),
                    _attribute(f"multiple{name}sSupported", "True if a user can have several.", type="boolean"),
                    _attribute("primarySupported", "True if `primary` is supported.", type="boolean"),
                    _attribute("typeSupported", "True if `type` is supported.", type="boolean"),
                    _attribute("types", "The types that exist.", multiValued=True),
                ],
            )
            for attribute, name in _NAMES.items()
        ],
    )


def _attribute(name: str, description: str, **characteristics: Any) -> dict[str, Any]:
    """Return the definition of a readOnly attribute, by default a string."""
    return {"name": name, "type": "string", "description": description, "mutability": "readOnly", **characteristics}
