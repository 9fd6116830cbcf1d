"""Rendering of documents as response bodies: projection, `meta.location` and `$ref`.

A document is never changed. Objects that get a location or a reference are copied; all others are shared.
Source: RFC 7643 sections 2.3.7 and 3.1, RFC 7644 section 3.4.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scimkit.documents import Document
from scimkit.schema.attributes import Attribute
from scimkit.schema.projection import Projection
from scimkit.schema.resource_types import ResourceType
from scimkit.service.locations import path_segment

LIST_RESPONSE_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_NO_META: Final[Mapping[str, Any]] = {}


class Renderer:
    """Renders the documents of one resource type."""

    __slots__ = ("_endpoint", "_endpoints", "_references", "name", "references")

    def __init__(self, resource_type: ResourceType, resource_types: Sequence[ResourceType]) -> None:
        self.name: str = resource_type.name
        """The name of the resource type."""
        self._endpoint = resource_type.endpoint
        self._endpoints = {each.name: each.endpoint for each in resource_types}
        tops = [(None, attribute) for attribute in resource_type.attributes.values()]
        inner = [(each.name, child) for each in resource_type.extensions for child in each.children.values()]
        self._references = [
            (extension, attribute.name, attribute.multi_valued, self._only_endpoint(attribute))
            for extension, attribute in [*tops, *inner]
            if attribute.is_reference
        ]
        self.references: Sequence[str] = [name for _, name, _, _ in self._references]
        """The names of the attributes that refer to resources, in the schema and its extensions."""

    def _only_endpoint(self, attribute: Attribute) -> str | None:
        """Return the endpoint of a reference attribute that can refer to one resource type only, else None."""
        types = attribute.children["$ref"].reference_types
        return self._endpoints.get(types[0], "") if len(types) == 1 else None

    def location(self, id: str, base_url: str) -> str:
        """Return the URL of a resource (RFC 7644 section 3.1)."""
        return f"{base_url}{self._endpoint}/{path_segment(id)}"

    def render(self, document: Document, projection: Projection, base_url: str) -> dict[str, Any]:
        """Return the document as a JSON object for the response."""
        rendered = {**projection.apply(document)}
        if projection.wants_location:
            location = self.location(document["id"], base_url)
            rendered["meta"] = {**rendered.get("meta", _NO_META), "location": location}
        self.add_references(rendered, base_url)
        return rendered

    def add_references(self, rendered: dict[str, Any], base_url: str) -> None:
        """Replace the values that refer to resources by values with `$ref`."""
        for extension, name, multi_valued, endpoint in self._references:
            holder = rendered if extension is None else rendered.get(extension)
            if holder is None or name not in holder:
                continue
            if extension is not None:
                holder = rendered[extension] = {**holder}
            value = holder[name]
            if multi_valued:
                holder[name] = [self._with_reference(each, endpoint, base_url) for each in value]
            else:
                holder[name] = self._with_reference(value, endpoint, base_url)

    def _with_reference(self, value: Mapping[str, Any], endpoint: str | None, base_url: str) -> Mapping[str, Any]:
        """Return a reference value with its `$ref`, if the resource type to which it refers is known."""
        if endpoint is None:
            endpoint = self._endpoints.get(value.get("type", ""))
        if not endpoint or "value" not in value:
            return value
        return {**value, "$ref": f"{base_url}{endpoint}/{path_segment(value['value'])}"}


def list_response(resources: Sequence[Mapping[str, Any]], total: int, start_index: int | None) -> dict[str, Any]:
    """Return a ListResponse (RFC 7644 section 3.4.2).

    `Resources` is always present; a page by cursor has no `startIndex`.
    """
    body: dict[str, Any] = {"schemas": [LIST_RESPONSE_SCHEMA], "totalResults": total}
    if start_index is not None:
        body["startIndex"] = start_index
    body["itemsPerPage"] = len(resources)
    body["Resources"] = resources
    return body
