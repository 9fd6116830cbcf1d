"""The discovery endpoints: service provider configuration, resource types and schemas (RFC 7644 section 4).

This module selects documents; `scimkit.schema.discovery` builds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from scimkit.errors import Forbidden, NotFound
from scimkit.schema.discovery import (
    Features,
    resource_type_document,
    schema_document,
    schema_documents,
    service_provider_config,
)
from scimkit.schema.resource_types import ResourceType, SchemaDocument
from scimkit.service.http import Response, json_response
from scimkit.service.operations import PASSWORD
from scimkit.service.rendering import list_response
from scimkit.service.request_context import RequestContext


class Discovery:
    """Serves the discovery endpoints."""

    def __init__(self, resource_types: Callable[[str], Sequence[ResourceType]], features: Features) -> None:
        self._resource_types = resource_types
        self._features = features

    def announce_scheme(self, scheme: Mapping[str, Any]) -> None:
        """Add a scheme to `authenticationSchemes`, unless a scheme with its name is there."""
        schemes = self._features.authentication_schemes
        if all(each["name"] != scheme["name"] for each in schemes):
            self._features = replace(self._features, authentication_schemes=(*schemes, scheme))

    def _types(self, call: RequestContext) -> Sequence[ResourceType]:
        """Return the resource types of the tenant."""
        return self._resource_types(call.scope.tenant)

    def _schemas(self, call: RequestContext) -> dict[str, SchemaDocument]:
        """Return the Schema documents of the tenant by URN."""
        return schema_documents(
            self._types(call),
            with_roles=self._features.roles_and_entitlements is not None,
            with_events=self._features.security_events is not None,
            with_interop_profile=self._features.interop_profile,
        )

    async def service_provider_config(self, call: RequestContext) -> Response:
        """Serve `GET /ServiceProviderConfig` (RFC 7643 section 5)."""
        _check_unfiltered(call)
        return json_response(200, service_provider_config(self._features, call.request.base_url))

    async def list_resource_types(self, call: RequestContext) -> Response:
        """Serve `GET /ResourceTypes` (RFC 7643 section 6)."""
        documents = [resource_type_document(each, call.request.base_url) for each in self._types(call)]
        return _discovered(call, documents)

    async def read_resource_type(self, call: RequestContext) -> Response:
        """Serve `GET /ResourceTypes/{name}`.

        Raises:
            NotFound: No resource type has this name.
        """
        _check_unfiltered(call)
        for each in self._types(call):
            if each.name == call.id:
                return json_response(200, resource_type_document(each, call.request.base_url))
        raise NotFound("There is no such resource type.")

    async def list_schemas(self, call: RequestContext) -> Response:
        """Serve `GET /Schemas` (RFC 7643 section 7)."""
        return _discovered(call, [self._schema(each, call) for each in self._schemas(call).values()])

    def _schema(self, schema: SchemaDocument, call: RequestContext) -> dict[str, Any]:
        """Return a Schema document. It omits `password` if there is no password hook, as Entra's validator requires."""
        unsupported = () if self._features.change_password else (PASSWORD,)
        return schema_document(schema, call.request.base_url, unsupported)

    async def read_schema(self, call: RequestContext) -> Response:
        """Serve `GET /Schemas/{urn}`. The URN is compared without regard to case.

        Raises:
            NotFound: No schema has this URN.
        """
        _check_unfiltered(call)
        for urn, schema in self._schemas(call).items():
            if urn.lower() == str(call.id).lower():
                return json_response(200, self._schema(schema, call))
        raise NotFound("There is no such schema.")


def _discovered(call: RequestContext, documents: list[dict[str, Any]]) -> Response:
    """Return a list response of discovery documents."""
    _check_unfiltered(call)
    return json_response(200, list_response(documents, len(documents), 1))


def _check_unfiltered(call: RequestContext) -> None:
    """Refuse a filter on discovery documents (RFC 7644 section 4). Raises Forbidden."""
    if "filter" in call.parameters:
        raise Forbidden("Discovery documents cannot be filtered. Leave out the filter.")
