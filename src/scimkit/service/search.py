"""Search of one resource type, or of several types as one collection, with `GET` and `POST .search`.

This module does not route requests or verify tokens. Source: RFC 7644 sections 3.4.2 and 3.4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from scimkit.documents import Document, parse_object
from scimkit.errors import InvalidCount, InvalidFilter, InvalidPath, InvalidValue, NotImplementedByServer, TooMany
from scimkit.filters.ast import paths_of
from scimkit.filters.filter import Filter
from scimkit.filters.type_specialization import specialize
from scimkit.schema.projection import Projection, Projections
from scimkit.schema.resource_types import ResourceType
from scimkit.service.cursor_pages import CursorPage
from scimkit.service.cursors import Cursor, Cursors
from scimkit.service.http import Parameters, Response, integer, json_text_response
from scimkit.service.limits import Limits
from scimkit.service.parameters import filter_of, fitted, projection_of, read_search_request
from scimkit.service.permissions import Permissions, check_scope, missing_scope
from scimkit.service.rendering import Renderer
from scimkit.service.request_context import RequestContext
from scimkit.service.unparsed_rendering import Rendered, list_body, render_page
from scimkit.stores.protocol import Capability, Query, RequestedAttributes, Store
from scimkit.stores.sorting import Sort, sort_key


@dataclass(frozen=True, slots=True)
class Searchable:
    """A resource type with its projections and its renderer."""

    resource_type: ResourceType
    projections: Projections
    renderer: Renderer


class Search:
    """Serves searches over one or several resource types of a service."""

    def __init__(
        self, kinds: Sequence[Searchable], store: Store, limits: Limits, permissions: Permissions, cursors: Cursors
    ) -> None:
        self._types = kinds
        self._store = store
        self._limits = limits
        self._default_count = min(limits.default_page, limits.page)
        self._permissions = permissions
        self._is_authorized = len(kinds) == 1
        """True if a search is authorized before it reaches this object, as a search on one type is."""
        self._cursors = cursors

    async def get(self, call: RequestContext) -> Response:
        """Serve `GET /Users` or `GET /` with query parameters (RFC 7644 section 3.4.2)."""
        parameters = call.parameters
        kinds = self._types if self._is_authorized else await self._allowed(call)
        parts = self._parts(call, parameters, kinds)
        if "cursor" in parameters:
            self._require("cursors", "Pages by cursor are not supported.")
            return await self._by_cursor(call, parameters, parts)
        count, start_index = self._default_count, 1
        if "count" in parameters:
            count = min(max(integer(parameters, "count", count), 0), self._limits.page)
        if "startindex" in parameters:
            start_index = max(integer(parameters, "startIndex", 1), 1)
        first, wanted, total = start_index - 1, count, 0
        resources: list[Rendered] = []
        if len(parts) > 1 and any(each.query.sort is not None for each in parts):
            resources, total = await self._merged(call, parts, first, wanted)
        else:
            for part in parts:
                part.query.start_index, part.query.count = first + 1, wanted
                page = await self._store.search(call.scope, part.query)
                resources += part.render(page.documents, call)
                first, wanted = max(first - page.total, 0), wanted - len(page.documents)
                total += page.total
        return json_text_response(list_body(resources, total, start_index))

    async def post(self, call: RequestContext) -> Response:
        """Serve `POST /Users/.search` or `POST /.search` with a SearchRequest (RFC 7644 section 3.4.3)."""
        call.parameters = read_search_request(parse_object(call.request.body), call)
        return await self.get(call)

    async def _merged(
        self, call: RequestContext, parts: Sequence[_Part], first: int, count: int
    ) -> tuple[list[Rendered], int]:
        """Return a page of several resource types in one order, and the total.

        Each type is read from its first resource to the end of the page. The results are then sorted together.
        """
        totals = [await self._total(call, part) for part in parts]
        total, descending = sum(totals), False
        if first >= total:
            return [], total
        if first + count > self._limits.sorted_window:
            raise TooMany("The page is too far from the beginning. Use a cursor, or search one resource type.")
        found: list[tuple[tuple[bool, Any], Rendered]] = []
        for part in parts:
            part.query.count = first + count
            page = await self._store.search(call.scope, part.query)
            sort = part.query.sort
            key_of = sort_key(sort) if sort is not None else _key_without_value
            descending = descending or (sort is not None and sort.descending)
            rendered = part.render(page.documents, call)
            found += [(key_of(each), one) for each, one in zip(page.documents, rendered, strict=True)]
        found.sort(key=lambda pair: pair[0], reverse=descending)
        return [resource for _, resource in found[first : first + count]], total

    async def _total(self, call: RequestContext, part: _Part) -> int:
        """Return how many resources of a type match."""
        return (await self._store.search(call.scope, replace(part.query, count=0))).total

    def _require(self, capability: Capability, otherwise: str) -> None:
        """Raise NotImplementedByServer with a detail if the store does not support a capability."""
        if capability in self._store.unsupported:
            raise NotImplementedByServer(otherwise)

    async def _allowed(self, call: RequestContext) -> Sequence[Searchable]:
        """Return the resource types that the token may search. Raises Forbidden if its scopes permit no search."""
        scopes = call.principal.scopes
        if scopes is None and self._permissions.allow_all:
            return self._types
        if scopes is not None and all(missing_scope(scopes, "search", each.resource_type) for each in self._types):
            check_scope(scopes, "search", self._types[0].resource_type)
        return [each for each in self._types if await self._permissions.allow(call, "search", each.resource_type)]

    async def _by_cursor(self, call: RequestContext, parameters: Parameters, parts: Sequence[_Part]) -> Response:
        """Return a page by cursor (RFC 9865). A resource that exists during all pages appears exactly once."""
        if "startindex" in parameters:
            raise InvalidValue("Send either cursor or startIndex, not both.")
        query = self._query_key(call, parameters)
        text = str(parameters["cursor"])
        cursor = self._cursors.open(text, query) if text else None
        merged = len(self._types) > 1 and "sortby" in parameters
        count = self._cursor_count(parameters, cursor)
        page = CursorPage(cursor, count, merged=merged, descending=_is_descending(parameters))
        total = 0
        for part in reversed(parts) if page.backward and not merged else parts:
            is_sorted = part.query.sort is not None
            asked = replace(part.query, **page.asked_of(part.number, is_sorted=is_sorted))
            found = await self._store.search(call.scope, asked)
            total += found.total
            page.take(part.number, found, part.render(found.documents, call), is_sorted=is_sorted)
        edges = {"previousCursor": page.previous, "nextCursor": page.next}
        sealed = {name: self._cursors.seal(edge, query) for name, edge in edges.items() if edge is not None}
        return json_text_response(list_body(page.resources, total, None, **sealed))

    def _cursor_count(self, parameters: Parameters, cursor: Cursor | None) -> int:
        """Return the number of resources in a page by cursor. The default is the count of the first page.

        Raises InvalidCount if the request asks for another count, or for more than a page may have (RFC 9865 section
        2.1).
        """
        default = self._default_count if cursor is None else cursor.count
        try:
            count = max(integer(parameters, "count", default), 0)
        except InvalidValue as error:
            raise InvalidCount(error.detail) from None
        if count > self._limits.page:
            raise InvalidCount(f"count must be at most {self._limits.page}.")
        if cursor is not None and count != cursor.count:
            raise InvalidCount("count must be the same as in the request for the first page.")
        return count

    def _query_key(self, call: RequestContext, parameters: Parameters) -> str:
        """Return the text of the query to which a cursor is bound: tenant, resource types, filter and order."""
        values = [parameters.get(name) for name in ("filter", "sortby", "sortorder")]
        return repr((call.scope.tenant, [each.resource_type.name for each in self._types], values))

    def _parts(self, call: RequestContext, parameters: Parameters, kinds: Sequence[Searchable]) -> list[_Part]:
        """Return the store query for each resource type. A type in which nothing can match is left out."""
        wanted = filter_of(parameters, call, self._limits)
        sorts = self._sorts(parameters) if "sortby" in parameters else None
        if len(self._types) == 1:
            return [self._part(call, parameters, 0, wanted, sorts)]
        if wanted is not None:
            self._check_known(wanted)
        parts = []
        for number, each in enumerate(self._types):
            if kinds is not self._types and each not in kinds:
                continue
            narrowed = True if wanted is None else specialize(wanted.node, each.resource_type)
            if narrowed is not False:
                fitting = None if narrowed is True else Filter(narrowed)
                parts.append(self._part(call, parameters, number, fitting, sorts))
        return parts

    def _part(
        self,
        call: RequestContext,
        parameters: Parameters,
        number: int,
        wanted: Filter | None,
        sorts: list[Sort | None] | None,
    ) -> _Part:
        """Return the store query for one resource type."""
        kind = self._types[number]
        if wanted is not None:
            wanted = fitted(wanted, kind.resource_type, call, self._limits)
        projection = projection_of(kind.projections, parameters)
        sort = None if sorts is None else sorts[number]
        requested = projection.requested if sort is None else _requested_with_sort(projection, sort)
        return _Part(number, kind, projection, Query(kind.resource_type, wanted, sort, 1, 0, None, None, requested))

    def _check_known(self, wanted: Filter) -> None:
        """Refuse a filter on an attribute that no resource type has, because such a filter is a mistake."""
        for path in paths_of(wanted.node):
            if not any(each.resource_type.resolve(path) for each in self._types):
                raise InvalidFilter("The filter names an attribute that no resource type has. See /Schemas.")

    def _sorts(self, parameters: Parameters) -> list[Sort | None]:
        """Return the sort order for each resource type (RFC 7644 section 3.4.2.3).

        Raises InvalidPath if no type can be sorted by the path, and InvalidValue if the types of the values differ.
        """
        self._require("sort", "Sorting is not supported.")
        descending = _is_descending(parameters)
        sorts: list[Sort | None] = []
        for each in self._types:
            path = each.resource_type.resolve(str(parameters["sortby"]))
            if path is not None and path.leaf.type == "complex":
                value = path.leaf.value_attribute if path.sub_attribute is None else None
                path = None if value is None else replace(path, sub_attribute=value)
            if path is not None and not path.is_searchable:
                path = None
            sorts.append(None if path is None else Sort(path, descending))
        if not any(sorts):
            raise InvalidPath("sortBy must name an attribute that the service can sort by.")
        if len({each.path.leaf.type for each in sorts if each is not None}) > 1:
            raise InvalidValue("sortBy must name an attribute that has the same type in all resource types.")
        return sorts


@dataclass(slots=True)
class _Part:
    """The search on one resource type.

    `number` is the position of the type among all types of the search, including types that the token may not search.
    The caller sets the page of `query`, the store query.
    """

    number: int
    kind: Searchable
    projection: Projection
    query: Query

    def render(self, documents: Sequence[Document], call: RequestContext) -> list[Rendered]:
        """Return the documents for the response."""
        return render_page(documents, self.kind.renderer, self.projection, call.request.base_url)


def _is_descending(parameters: Parameters) -> bool:
    """Report whether the order is descending. Raises InvalidValue if `sortOrder` is not a direction."""
    order = str(parameters.get("sortorder", "ascending")).lower()
    if order not in ("ascending", "descending"):
        raise InvalidValue("sortOrder must be ascending or descending.")
    return order == "descending"


def _requested_with_sort(projection: Projection, sort: Sort) -> RequestedAttributes:
    """Return the attributes to load: those of the response, and the attribute by which the results are sorted."""
    name = sort.path.names[0]
    return lambda wanted: wanted == name or projection.requested(wanted)


def _key_without_value(document: Document) -> tuple[bool, Any]:
    """Return the sort key of a document without a value to sort by."""
    return (True, "")
