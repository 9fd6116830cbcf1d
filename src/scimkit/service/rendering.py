"""Document to response body: projection, `meta.location`, `$ref`.

The document is never changed: what gets a location or a reference is built anew, the rest is shared.
Source: RFC 7643 sections 2.3.7 and 3.1, RFC 7644 section 3.4.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scimkit.documents import Document
from scimkit.schema.attributes import Attribute
from scimkit.schema.projection import Projection
from scimkit.schema.resource_types import ResourceType

LIST_RESPONSE_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


class Renderer:
    """Renders the documents of one resource type among the types of a service."""

    __slots__ = ("_endpoint", "_endpoints", "_references")

    def __init__(self, resource_type: ResourceType, resource_types: Sequence[ResourceType]) -> None:
        self._endpoint = resource_type.endpoint
        self._endpoints = {each.name: each.endpoint for each in resource_types}
        tops = [((), attribute) for attribute in resource_type.attributes.values()]
        inner = [((each.name,), child) for each in resource_type.extensions for child in each.children.values()]
        self._references = [(above, attribute) for above, attribute in [*tops, *inner] if attribute.is_reference]

    def location(self, id: str, base_url: str) -> str:
        """The URL of a resource (RFC 7644 section 3.1)."""
        return f"{base_url}{self._endpoint}/{id}"

    def render(self, document: Document, projection: Projection, base_url: str) -> dict[str, Any]:
        """The JSON object to send."""
        rendered = dict(projection.apply(document))
        if projection.wants_location:
            rendered["meta"] = {**rendered.get("meta", {}), "location": self.location(document["id"], base_url)}
        for above, attribute in self._references:
            if above:
                extension = rendered.get(above[0])
                if extension is not None and attribute.name in extension:
                    value = self._referenced(attribute, extension[attribute.name], base_url)
                    rendered[above[0]] = {**extension, attribute.name: value}
            elif attribute.name in rendered:
                rendered[attribute.name] = self._referenced(attribute, rendered[attribute.name], base_url)
        return rendered

    def _referenced(self, attribute: Attribute, value: Any, base_url: str) -> Any:
        if attribute.multi_valued:
            return [self._with_reference(attribute, each, base_url) for each in value]
        return self._with_reference(attribute, value, base_url)

    def _with_reference(self, attribute: Attribute, value: Mapping[str, Any], base_url: str) -> Mapping[str, Any]:
        """The value with its `$ref`, when it is known which type it points at."""
        types = attribute.children["$ref"].reference_types
        name = types[0] if len(types) == 1 else value.get("type")
        endpoint = self._endpoints.get(name) if name else None
        if endpoint is None or "value" not in value:
            return value
        return {**value, "$ref": f"{base_url}{endpoint}/{value['value']}"}


def list_response(resources: Sequence[Mapping[str, Any]], total: int, start_index: int | None) -> dict[str, Any]:
    """A ListResponse (RFC 7644 section 3.4.2); `Resources` is always there. A page by cursor has no index."""
    body: dict[str, Any] = {"schemas": [LIST_RESPONSE_SCHEMA], "totalResults": total}
    if start_index is not None:
        body["startIndex"] = start_index
    return {**body, "itemsPerPage": len(resources), "Resources": resources}
