"""Compiled resource types, and the functions that need only a resource type and a document.

No module of this package except `scimkit.schema.models` imports `scim2_models`.
"""

from scimkit.schema.attributes import Attribute, AttributePath, AttributeTable
from scimkit.schema.resource_types import ResourceType, SchemaDocument, SchemaExtension

__all__ = ["Attribute", "AttributePath", "AttributeTable", "ResourceType", "SchemaDocument", "SchemaExtension"]
