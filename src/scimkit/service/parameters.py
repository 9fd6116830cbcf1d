"""What the parameters of a request ask for: a filter, a projection, a SearchRequest.

This module never asks a store. Source: RFC 7644 sections 3.4.2, 3.4.3 and 3.9.
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
    """The filter of a request, if it has one (section 3.4.2.2). Raises: InvalidFilter."""
    text = parameters.get("filter")
    if text == "":
        call.deviations.empty_filter()
        return None
    if text is None:
        return None
    return parse(str(text), call.deviations, max_length=limits.filter_length, max_comparisons=limits.filter_comparisons)


def fitted(wanted: Filter, resource_type: ResourceType, call: RequestContext, limits: Limits) -> Filter:
    """The filter as it fits a resource type. Raises: InvalidFilter, and Sensitive for one that a URI may not have."""
    fitting = call.deviations.fitted(wanted, resource_type)
    if limits.sensitive and call.request.method != "POST":
        for text in paths_of(fitting.node):
            path = resource_type.resolve(text)
            if path is not None and any(_overlap(path, resource_type.resolve(each)) for each in limits.sensitive):
                raise Sensitive(f"A filter on {path.text} may not be sent in a URI; send it with POST to .search.")
    return fitting


def _overlap(path: AttributePath, other: AttributePath | None) -> bool:
    """Whether one path names the other, or what it is a part of."""
    return other is not None and all(one == two for one, two in zip(path.names, other.names, strict=False))


def projection_of(projections: Projections, parameters: Parameters, written: str = "") -> Projection:
    """The projection that `attributes` and `excludedAttributes` ask for (section 3.9), after a write of `written`."""
    attributes, excluded = parameters.get("attributes"), parameters.get("excludedattributes")
    if attributes is None and excluded is None and not written:
        return projections.whole
    return projections.plan(
        None if attributes is None else str(attributes), None if excluded is None else str(excluded), written
    )


def read_search_request(body: Mapping[str, Any], call: RequestContext) -> dict[str, str | int]:
    """The parameters of a SearchRequest, as those of a query string.

    Raises: InvalidSyntax when it is not one, InvalidValue when a member does not have its type.
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
            raise InvalidValue("A member of the search request does not have its type.")
        else:
            call.deviations.extra_member(name)
    return parameters
