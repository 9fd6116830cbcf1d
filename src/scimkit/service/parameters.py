"""Request parameters that every search or read may have: filter, projection and SearchRequest.

This module does not call the store. Source: RFC 7644 sections 3.4.2, 3.4.3 and 3.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scimkit.errors import InvalidValue, Sensitive
from scimkit.filters.ast import paths_of
from scimkit.filters.filter import Filter, parse
from scimkit.schema.attributes import AttributePath
from scimkit.schema.projection import Projection, Projections
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import LISTS, NUMBERS, READ_WHEN_EMPTY, TEXTS, Parameters
from scimkit.service.limits import Limits
from scimkit.service.request_context import RequestContext

SEARCH_REQUEST_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


def filter_of(parameters: Parameters, call: RequestContext, limits: Limits) -> Filter | None:
    """Return the filter of a request, or None if it has none (RFC 7644 section 3.4.2.2). Raises InvalidFilter."""
    text = parameters.get("filter")
    if text == "":
        call.deviations.empty_filter()
        return None
    if text is None:
        return None
    return parse(str(text), call.deviations, max_length=limits.filter_length, max_comparisons=limits.filter_comparisons)


def fitted(wanted: Filter, resource_type: ResourceType, call: RequestContext, limits: Limits) -> Filter:
    """Return the filter with paths and values that fit the resource type.

    Raises:
        InvalidFilter: The filter does not fit the resource type.
        Sensitive: The filter is in a URI and names a sensitive attribute.
    """
    fitting = call.deviations.fitted(wanted, resource_type)
    if limits.sensitive and call.request.method != "POST":
        for text in paths_of(fitting.node):
            path = resource_type.resolve(text)
            if path is not None and any(_overlap(path, resource_type.resolve(each)) for each in limits.sensitive):
                raise Sensitive(f"A filter on {path.text} must not be part of a URI. Send it with POST to .search.")
    return fitting


def _overlap(path: AttributePath, other: AttributePath | None) -> bool:
    """Report whether two paths name the same attribute, or an attribute and one of its sub-attributes."""
    return other is not None and all(one == two for one, two in zip(path.names, other.names, strict=False))


def projection_of(projections: Projections, parameters: Parameters, written: str = "") -> Projection:
    """Return the projection for the parameters `attributes` and `excludedAttributes` (RFC 7644 section 3.9).

    `written` lists attributes, separated by commas, that the request has written and the response therefore includes.
    """
    if not parameters and not written:
        return projections.whole
    attributes, excluded = parameters.get("attributes"), parameters.get("excludedattributes")
    if attributes is None and excluded is None and not written:
        return projections.whole
    return projections.plan(
        None if attributes is None else str(attributes), None if excluded is None else str(excluded), written
    )


def read_search_request(body: Mapping[str, Any], call: RequestContext) -> dict[str, str | int]:
    """Return the parameters of a SearchRequest in the form of query parameters.

    Raises:
        InvalidSyntax: The body is not a SearchRequest.
        InvalidValue: A parameter has the wrong type.
    """
    members = {name.lower(): value for name, value in body.items()}
    schemas = members.pop("schemas", None)
    if type(schemas) is not list or SEARCH_REQUEST_SCHEMA not in schemas:
        call.deviations.message(SEARCH_REQUEST_SCHEMA)
    parameters: dict[str, str | int] = {}
    for name, value in members.items():
        if value is None or (value == "" and name not in READ_WHEN_EMPTY):
            continue
        if name in LISTS and type(value) is list and all(type(each) is str for each in value):
            parameters[name] = ",".join(value)
        elif (name in NUMBERS and type(value) is int) or (name in TEXTS and type(value) is str):
            parameters[name] = value
        elif name in LISTS | NUMBERS:
            parameters[name] = call.deviations.parameter(name, value)
        elif name in TEXTS:
            raise InvalidValue(f"The parameter {name} must be a string.")
        else:
            call.deviations.extra_member(name)
    return parameters
