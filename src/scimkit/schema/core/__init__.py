"""The resource types of RFC 7643 section 4: `USER` (with the enterprise extension) and `GROUP`.

The Schema documents are JSON files in this folder, so that the service needs no other package to serve them. The
folder also has the Schema documents of the discovery documents (RFC 7643 section 8.7.2).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic_core import from_json

from scimkit.schema.resource_types import ResourceType, SchemaExtension


def _load(name: str) -> dict[str, Any]:
    document = from_json(files("scimkit.schema.core").joinpath(f"{name}.json").read_bytes())
    assert isinstance(document, dict)
    return document


USER_SCHEMA: Final = _load("user")
GROUP_SCHEMA: Final = _load("group")
ENTERPRISE_USER_SCHEMA: Final = _load("enterprise_user")


@cache
def discovery_schemas() -> tuple[dict[str, Any], ...]:
    """Return the Schema documents of ServiceProviderConfig, ResourceType and Schema."""
    return _load("service_provider_config"), _load("resource_type"), _load("schema")


USER: Final = ResourceType(
    USER_SCHEMA, extensions=(SchemaExtension(ENTERPRISE_USER_SCHEMA),), endpoint="/Users", description="User Account"
)
"""The resource type User with the enterprise extension (RFC 7643 sections 4.1 and 4.3)."""

GROUP: Final = ResourceType(GROUP_SCHEMA, endpoint="/Groups", description="Group", unique=("displayName",))
"""The resource type Group (RFC 7643 section 4.2).

`displayName` is unique within a tenant, because identity providers expect that.
"""
