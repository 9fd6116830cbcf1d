"""The endpoints of a service: which handler serves which path and method (RFC 7644 section 3.2).

This module does not verify tokens and does not serve requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from scimkit.entitlements.offers import RolesAndEntitlements
from scimkit.entitlements.store import OfferStore
from scimkit.errors import MethodNotAllowed, NotFound
from scimkit.schema.role_schemas import RoleSchemas
from scimkit.service.async_requests import Acceptance
from scimkit.service.cursors import Cursors
from scimkit.service.discovery import Discovery
from scimkit.service.http import Request, Response
from scimkit.service.limits import Limits
from scimkit.service.operations import ResourceOperations
from scimkit.service.permissions import Permissions
from scimkit.service.request_context import Handler, RequestContext
from scimkit.service.search import Search, Searchable
from scimkit.stores.protocol import Store

Methods: TypeAlias = Mapping[str, Handler]
"""The handlers of an endpoint by HTTP method."""

_ID: Final = "{id}"
_MAX_ID_LENGTH: Final = 255
_NO_ID: Final = frozenset({"", ".search"})


class Routes:
    """The handlers of a service by endpoint.

    Args:
        table: The handlers by the first segment of the path and its rest, which is empty, `.search` or `{id}`.
        resource_names: The first segments that name a resource type.
    """

    def __init__(self, table: Mapping[tuple[str, str], Methods], resource_names: frozenset[str]) -> None:
        self._table = table
        self._names = frozenset(first for first, _ in table)
        self._by_lower_case = {first.lower(): first for first, _ in table}
        self._resource_names = resource_names

    def handler_of(self, call: RequestContext) -> Handler:
        """Return the handler of a request, and keep the id of its path.

        HEAD is served as GET, and the adapters omit the body (RFC 9110 section 9.3.2).

        Raises:
            NotFound: There is no such endpoint, or no resource can have the id.
            MethodNotAllowed: The endpoint does not serve the method.
        """
        request = call.request
        first, _, rest = request.path.strip("/").partition("/")
        if first not in self._names:
            request = self.at_endpoint(call)
            first, _, rest = request.path.strip("/").partition("/")
        id = "" if rest in _NO_ID else rest
        methods = self._table.get((first, _ID if id else rest))
        if methods is None or "/" in rest:
            raise NotFound("There is no such endpoint.")
        if id and (len(id) > _MAX_ID_LENGTH or not id.isprintable()):
            raise NotFound("No resource has this id.")
        handler = methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            if request.method == "OPTIONS":
                return lambda _: _options(methods)
            raise MethodNotAllowed(tuple(methods))
        call.id = id
        return handler

    def at_endpoint(self, call: RequestContext) -> Request:
        """Return the request with the endpoint's name in the right case.

        Raises NotFound if the dialect does not allow another case.
        """
        first, slash, rest = call.request.path.strip("/").partition("/")
        name = self._by_lower_case.get(first.lower())
        if name is not None and name != first:
            call.deviations.endpoint()
            call.request = replace(call.request, path=f"/{name}{slash}{rest}")
        return call.request

    def check_resource(self, call: RequestContext) -> None:
        """Check that a request is for a resource type. Raises NotFound otherwise."""
        if self.at_endpoint(call).path.strip("/").partition("/")[0] not in self._resource_names:
            raise NotFound("There is no such resource type.")

    def pattern_of(self, path: str) -> str | None:
        """Return the route of a path, such as `/Users/{id}`, or None if the service has no such endpoint."""
        first, _, rest = path.strip("/").partition("/")
        name, kind = self._by_lower_case.get(first.lower()), rest if rest in _NO_ID else _ID
        if name is None or "/" in rest or (name, kind) not in self._table:
            return None
        return f"/{name}/{kind}" if name and kind else f"/{name or kind}"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The parts of a service that its endpoints serve.

    Args:
        store: The store of the resources.
        limits: The limits of requests and responses.
        permissions: The permissions that guard each operation.
        cursors: The object that seals page cursors.
        acceptance: The acceptance of requests for later, or None.
        resources: The operations of each resource type, by the name of its endpoint.
        declared: The roles and entitlements that the application offers, or None.
        offers: The store of these offers, or None.
        offered: The operations of each type of offer, by form and by the name of its endpoint.
    """

    store: Store
    limits: Limits
    permissions: Permissions
    cursors: Cursors
    acceptance: Acceptance | None
    resources: Mapping[str, ResourceOperations]
    declared: RolesAndEntitlements | None
    offers: OfferStore | None
    offered: Mapping[RoleSchemas, Mapping[str, ResourceOperations]]

    def routes(self, discovery: Discovery, bulk: Handler, me: Handler) -> Routes:
        """Return the routes of the service.

        Args:
            discovery: The endpoints that describe the service.
            bulk: The handler of bulk requests.
            me: The handler of `/Me`.
        """
        table: dict[tuple[str, str], Methods] = {
            ("ServiceProviderConfig", ""): {"GET": discovery.service_provider_config},
            ("ResourceTypes", ""): {"GET": discovery.list_resource_types},
            ("ResourceTypes", _ID): {"GET": discovery.read_resource_type},
            ("Schemas", ""): {"GET": discovery.list_schemas},
            ("Schemas", _ID): {"GET": discovery.read_schema},
        }
        root_get, root_post = self._root_search()
        table["Bulk", ""] = {"POST": self._later(bulk)}
        table["Me", ""] = dict.fromkeys(("GET", "PUT", "PATCH", "DELETE", "POST"), me)
        table["", ""] = {"GET": root_get}
        table[".search", ""] = {"POST": root_post}
        guarded = self.permissions.guarded
        for name, each in self.resources.items():
            search, kind = self._search(self.store, each.searchable), each.resource_type
            table[name, ""] = {
                "GET": guarded(search.get, "search", kind),
                "POST": guarded(each.create, "create", kind),
            }
            table[name, ".search"] = {"POST": guarded(search.post, "search", kind)}
            table[name, _ID] = {
                "GET": guarded(each.read, "read", kind),
                "PUT": guarded(self._later(each.replace), "replace", kind),
                "PATCH": guarded(each.patch, "patch", kind),
                "DELETE": guarded(each.delete, "delete", kind),
            }
        offer_names = {name: None for served in self.offered.values() for name in served}
        for name in offer_names:
            self._add_offered(table, name)
        return Routes(table, frozenset((*self.resources, *offer_names)))

    def _search(self, store: Store, *kinds: Searchable) -> Search:
        """Return the search over some resource types."""
        return Search(kinds, store, self.limits, self.permissions, self.cursors)

    def _later(self, handler: Handler) -> Handler:
        """Return a handler that accepts a request for later if the client prefers that (RFC 9967)."""
        acceptance = self.acceptance
        if acceptance is None:
            return handler

        async def accepted(call: RequestContext) -> Response:
            """Accept the request, or serve it now."""
            if call.is_rehearsal or not acceptance.wants(call.request):
                return await handler(call)
            return acceptance.accept(call) or await handler(call)

        return accepted

    def _root_search(self) -> tuple[Handler, Handler]:
        """Return the handlers of a search over all resource types, by GET and by POST."""
        searchable = [each.searchable for each in self.resources.values()]
        if self.offers is None:
            root = self._search(self.store, *searchable)
            return root.get, root.post
        gets: dict[RoleSchemas, Handler] = {}
        posts: dict[RoleSchemas, Handler] = {}
        for form, served in self.offered.items():
            each = self._search(self.offers, *searchable, *(one.searchable for one in served.values()))
            gets[form], posts[form] = each.get, each.post
        return self._by_form(gets), self._by_form(posts)

    def _add_offered(self, table: dict[tuple[str, str], Methods], name: str) -> None:
        """Add an endpoint of roles or entitlements, which can only be read."""
        assert self.offers is not None
        guarded = self.permissions.guarded
        lists: dict[RoleSchemas, Handler] = {}
        searches: dict[RoleSchemas, Handler] = {}
        reads: dict[RoleSchemas, Handler] = {}
        for form, served in self.offered.items():
            each = served[name]
            search = self._search(self.offers, each.searchable)
            lists[form] = guarded(search.get, "search", each.resource_type)
            searches[form] = guarded(search.post, "search", each.resource_type)
            reads[form] = guarded(each.read, "read", each.resource_type)
        table[name, ""] = {"GET": self._by_form(lists)}
        table[name, ".search"] = {"POST": self._by_form(searches)}
        table[name, _ID] = {"GET": self._by_form(reads)}

    def _by_form(self, handlers: Mapping[RoleSchemas, Handler]) -> Handler:
        """Return a handler that serves offers in the form of the tenant."""
        declared = self.declared
        if declared is None or len(handlers) == 1:
            return next(iter(handlers.values()))
        return lambda call: handlers[declared.form(call.scope.tenant)](call)


async def _options(methods: Methods) -> Response:
    """Return the response to OPTIONS."""
    return Response(204, headers=(("Allow", ", ".join(methods)),))
