"""Roles and entitlements that an application offers (draft-ietf-scim-roles-entitlements-01, experimental).

service = ScimService(
    store,
    tokens=tokens,
    roles_and_entitlements=RolesAndEntitlements(
        roles=[Offer("agent", "Agent"), Offer("admin", "Administrator", contains=["agent"])],
        entitlements=lambda tenant: [Offer("voice", "Voice channel", type="License")],
    ),
)
"""

from scimkit.entitlements.offers import Offer, OfferedType, Offers, RolesAndEntitlements
from scimkit.schema.role_schemas import RoleAttribute, RoleSchemas

__all__ = ["Offer", "OfferedType", "Offers", "RoleAttribute", "RoleSchemas", "RolesAndEntitlements"]
