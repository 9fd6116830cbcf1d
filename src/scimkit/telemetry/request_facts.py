"""The attributes of a request, for spans and metrics.

An attribute never has a value that a client chose freely: no id, no name, no query string, no filter, no token. Each
attribute has few possible values. This module never does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opentelemetry.util.types import AttributeValue

from scimkit.errors import ScimError
from scimkit.service import Request, Response, ScimService
from scimkit.service.request_context import RequestContext
from scimkit.telemetry.instruments import (
    DIALECT,
    ERROR_TYPE,
    METHOD,
    OPERATION,
    QUIRKS,
    RESOURCE_TYPE,
    ROUTE,
    SCHEME,
    SCIM_TYPE,
    STATUS,
)

Attributes = dict[str, AttributeValue]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})
_OTHER: Final = "_OTHER"
"""The method of a request whose method is not well known, as the conventions say."""
_DISCOVERY: Final = frozenset({"/ServiceProviderConfig", "/ResourceTypes", "/Schemas"})
_ONE_RESOURCE: Final = {
    "GET": "read", "HEAD": "read", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"
}  # fmt: skip
_ALL_RESOURCES: Final = {"GET": "search", "HEAD": "search", "POST": "create"}


def method_of(request: Request) -> str:
    """Return the method of a request, or `_OTHER`."""
    return request.method if request.method in _METHODS else _OTHER


def operation_of(method: str, route: str | None) -> str | None:
    """Return the SCIM operation of a request, such as `patch`, or None if the request asks for none."""
    if route is None:
        return None
    if route.removesuffix("/{id}") in _DISCOVERY:
        return "discover"
    if route == "/Bulk":
        return "bulk"
    if route.endswith("/.search"):
        return "search"
    return (_ONE_RESOURCE if route.endswith("{id}") or route == "/Me" else _ALL_RESOURCES).get(method)


def first_attributes(service: ScimService, request: Request, prefix: str) -> Attributes:
    """Return the attributes that are known when a request begins. A sampler of the SDK sees them."""
    found: Attributes = {METHOD: method_of(request), SCHEME: scheme_of(request)}
    route = service.route_of(request.path)
    if route is not None:
        found[ROUTE] = f"{prefix}{route}"
    return found


def scheme_of(request: Request) -> str:
    """Return the scheme of the URL of a request."""
    return "https" if request.base_url.startswith("https:") else "http"


def response_attributes(response: Response) -> Attributes:
    """Return the status of a response, and the error type of a response with a status of 500 or more."""
    found: Attributes = {STATUS: response.status}
    if response.status >= 500:
        found[ERROR_TYPE] = str(response.status)
    return found


def scim_attributes(
    service: ScimService, request: Request, call: RequestContext | None, error: ScimError | None
) -> Attributes:
    """Return the SCIM facts of a request, or of an operation of a bulk request."""
    found: Attributes = {}
    operation = operation_of(request.method, service.route_of(request.path))
    if operation is not None:
        found[OPERATION] = operation
    resource_type = service.resource_type_of((request if call is None else call.request).path)
    if resource_type is not None:
        found[RESOURCE_TYPE] = resource_type.name
    if call is not None:
        found[DIALECT] = call.deviations.dialect.name
    if error is not None and error.scim_type is not None:
        found[SCIM_TYPE] = error.scim_type
    return found


def quirks_of(response: Response) -> tuple[str, ...]:
    """Return the names of the quirks of a response, without the paths of attributes."""
    return tuple(dict.fromkeys(name.partition(":")[0] for name in response.quirks))


def metric_attributes(attributes: Mapping[str, AttributeValue]) -> Attributes:
    """Return the attributes of a span that a metric may have: all except the list of quirks."""
    return {name: value for name, value in attributes.items() if name != QUIRKS}
