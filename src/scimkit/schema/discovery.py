"""Functions that build the discovery documents: ServiceProviderConfig, ResourceType and Schema.

The documents contain no null. A list response contains the same documents as the single responses.
Source: RFC 7644 section 4, RFC 7643 sections 5, 6 and 7.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scimkit.schema.core import discovery_schemas
from scimkit.schema.resource_types import ResourceType, SchemaDocument
from scimkit.schema.role_schemas import announced_roles_schema
from scimkit.schema.security_event_schema import SECURITY_EVENTS, security_events_schema

SERVICE_PROVIDER_CONFIG_SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE_SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SCHEMA_SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:Schema"

BEARER_TOKEN: Final[Mapping[str, Any]] = {
    "type": "oauthbearertoken",
    "name": "OAuth Bearer Token",
    "description": "Authentication with a bearer token in the Authorization header.",
    "specUri": "https://www.rfc-editor.org/info/rfc6750",
    "primary": True,
}


@dataclass(frozen=True, slots=True)
class Features:
    """The features that the service announces in its ServiceProviderConfig (RFC 7643 section 5)."""

    max_results: int
    max_payload_size: int
    bulk_operations: int = 0
    sort: bool = False
    etag: bool = False
    change_password: bool = False
    documentation_uri: str | None = None
    default_page: int = 100
    cursor_timeout: int | None = None
    authentication_schemes: Sequence[Mapping[str, Any]] = (BEARER_TOKEN,)
    roles_and_entitlements: Mapping[str, Any] | None = None
    security_events: Mapping[str, Any] | None = None
    interop_profile: bool = False


def service_provider_config(features: Features, base_url: str) -> dict[str, Any]:
    """Return the ServiceProviderConfig resource (RFC 7643 section 5, RFC 9865 section 4)."""
    document: dict[str, Any] = {
        "schemas": [SERVICE_PROVIDER_CONFIG_SCHEMA],
        "patch": {"supported": True},
        "bulk": {
            "supported": features.bulk_operations > 0,
            "maxOperations": features.bulk_operations,
            "maxPayloadSize": features.max_payload_size,
        },
        "filter": {"supported": True, "maxResults": features.max_results},
        "changePassword": {"supported": features.change_password},
        "sort": {"supported": features.sort},
        "etag": {"supported": features.etag},
        "pagination": {
            "cursor": features.cursor_timeout is not None,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": features.default_page,
            "maxPageSize": features.max_results,
        },
        "authenticationSchemes": [dict(each) for each in features.authentication_schemes],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base_url}/ServiceProviderConfig"},
    }
    if features.cursor_timeout is not None:
        document["pagination"]["cursorTimeout"] = features.cursor_timeout
    if features.documentation_uri:
        document["documentationUri"] = features.documentation_uri
    if features.roles_and_entitlements is not None:
        document["RolesAndEntitlements"] = features.roles_and_entitlements
    if features.security_events is not None:
        document[SECURITY_EVENTS] = features.security_events
    if features.interop_profile:
        document["interopProfileConformant"] = True
    return document


def resource_type_document(resource_type: ResourceType, base_url: str) -> dict[str, Any]:
    """Return the ResourceType resource of a resource type (RFC 7643 section 6)."""
    document: dict[str, Any] = {
        "schemas": [RESOURCE_TYPE_SCHEMA],
        "id": resource_type.name,
        "name": resource_type.name,
        "endpoint": resource_type.endpoint,
        "description": resource_type.description,
        "schema": resource_type.schema,
        "schemaExtensions": [
            {"schema": extension.name, "required": extension.required} for extension in resource_type.extensions
        ],
        "meta": {"resourceType": "ResourceType", "location": f"{base_url}/ResourceTypes/{resource_type.name}"},
    }
    return {name: value for name, value in document.items() if value not in ("", [])}


INTEROP_PROFILE_ATTRIBUTE: Final[Mapping[str, Any]] = {
    "name": "interopProfileConformant",
    "type": "boolean",
    "multiValued": False,
    "description": "True if the service provider claims conformance to the SCIM 2.0 Interoperability Profile.",
    "required": False,
    "mutability": "readOnly",
    "returned": "default",
}
"""The attribute that draft-zollner-scim-interop-profile-01 section 4 adds to the ServiceProviderConfig."""


def schema_documents(
    resource_types: Sequence[ResourceType],
    *,
    with_roles: bool = False,
    with_events: bool = False,
    with_interop_profile: bool = False,
) -> dict[str, SchemaDocument]:
    """Return the Schema documents by URN.

    The result has the schemas and extensions of all resource types, and the schemas of the discovery documents.

    Args:
        resource_types: The resource types that the service announces.
        with_roles: True if the ServiceProviderConfig has `RolesAndEntitlements`.
        with_events: True if the ServiceProviderConfig has `securityEvents`.
        with_interop_profile: True if the ServiceProviderConfig has `interopProfileConformant`.
    """
    served = [each for resource_type in resource_types for each in resource_type.schema_documents]
    found: dict[str, SchemaDocument] = {str(each["id"]): each for each in (*served, *discovery_schemas())}
    added = [announced_roles_schema()] if with_roles else []
    added += [security_events_schema()] if with_events else []
    if with_interop_profile:
        added.append(dict(INTEROP_PROFILE_ATTRIBUTE))
    if added:
        config = found[SERVICE_PROVIDER_CONFIG_SCHEMA]
        found[SERVICE_PROVIDER_CONFIG_SCHEMA] = {**config, "attributes": [*config["attributes"], *added]}
    return found


def schema_document(schema: SchemaDocument, base_url: str, unsupported: Container[str] = ()) -> dict[str, Any]:
    """Return the Schema resource of a Schema document (RFC 7643 section 7), with all characteristics written out.

    Args:
        schema: The Schema document.
        base_url: The base URL of the service, used in `meta.location`.
        unsupported: Names of attributes that the service does not support. The result leaves out those whose
            `returned` is `never`.
    """
    document: dict[str, Any] = {
        "schemas": [SCHEMA_SCHEMA],
        "id": schema["id"],
        "name": schema.get("name"),
        "description": schema.get("description"),
        "attributes": [
            _attribute_document(each)
            for each in schema.get("attributes") or ()
            if each["name"] not in unsupported or each.get("returned") != "never"
        ],
        "meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{schema['id']}"},
    }
    return {name: value for name, value in document.items() if value}


_CHARACTERISTICS: Final[Mapping[str, Any]] = {
    "type": "string",
    "multiValued": False,
    "required": False,
    "caseExact": False,
    "mutability": "readWrite",
    "returned": "default",
    "uniqueness": "none",
}


def _attribute_document(source: Mapping[str, Any]) -> dict[str, Any]:
    document = {**_CHARACTERISTICS, **{name: value for name, value in source.items() if value not in (None, [], ())}}
    if source.get("subAttributes"):
        document["subAttributes"] = [_attribute_document(each) for each in source["subAttributes"]]
    return document
