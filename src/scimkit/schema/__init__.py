"""Resource types compiled from Schema documents, and what follows from them alone.

`scimkit.schema.models` joins this package to `scim2_models`; nothing here imports it.
"""

from scimkit.schema.attributes import Attribute, AttributePath, AttributeTable
from scimkit.schema.resource_types import ResourceType, SchemaDocument, SchemaExtension

__all__ = ["Attribute", "AttributePath", "AttributeTable", "ResourceType", "SchemaDocument", "SchemaExtension"]
