"""The operations on resources: create, read, replace, patch, delete (RFC 7644 sections 3.3 to 3.6).

One coroutine each, that awaits nothing but the store and the hooks. This module never sees HTTP
routing or tokens, and never does I/O of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Final, TypeAlias, cast

from scimkit.dialects.soft_deletion import may_be_marked, unmarked
from scimkit.documents import Document, parse_object, write_json
from scimkit.errors import NotFound, PreconditionFailed, Unavailable, Uniqueness
from scimkit.events import PasswordHook
from scimkit.filters.ast import Comparison
from scimkit.filters.filter import Filter
from scimkit.patch.apply import apply_operations
from scimkit.patch.changes import ChangeSet, changes_between
from scimkit.patch.direct import direct_changes
from scimkit.patch.operations import Operation, read_operations
from scimkit.schema.constraints import check_immutable
from scimkit.schema.projection import Projection, Projections
from scimkit.schema.reading import read_resource
from scimkit.schema.resource_types import ResourceType
from scimkit.service import preconditions
from scimkit.service.http import CONTENT_TYPE, Response
from scimkit.service.limits import Limits, ValueLimit
from scimkit.service.member_stream import MemberStream
from scimkit.service.parameters import filter_of, fitted, projection_of
from scimkit.service.permissions import Permissions
from scimkit.service.rendering import Renderer
from scimkit.service.request_context import RequestContext
from scimkit.service.request_projection import (
    WrittenByRequest,
    nothing_written,
    written_by_operations,
    written_in_document,
)
from scimkit.service.search import Searchable
from scimkit.stores.index_lookup import requested_by
from scimkit.stores.metadata import has_members
from scimkit.stores.protocol import MEMBERS, MemberPages, Members, Query, Scope, Store, Written

PASSWORD: Final = "password"
NOT_KEPT: Final = "attribute-not-kept"
"""What stands before the path of a given attribute that the store does not keep, in `Response.quirks`."""

Write: TypeAlias = Callable[[Store], Awaitable[Written]]
"""A write on a store, or on a transaction of it."""


class ResourceOperations:
    """The operations on the resources of one type."""

    def __init__(
        self,
        resource_type: ResourceType,
        resource_types: Sequence[ResourceType],
        store: Store,
        limits: Limits,
        set_password: PasswordHook | None,
        permissions: Permissions,
        *,
        hooks_wait_inside: bool,
    ) -> None:
        self.resource_type = resource_type
        self._store = store
        self._limits = limits
        self._value_limit = ValueLimit(resource_type, limits.values)
        self._set_password = set_password
        self._hooks_wait_inside = hooks_wait_inside
        self._permissions = permissions
        self._projections = Projections(resource_type)
        self._renderer = Renderer(resource_type, resource_types)
        self.searchable: Searchable = Searchable(resource_type, self._projections, self._renderer)
        self._has_members = has_members(resource_type)
        self._member_pages: MemberPages | None = None
        if self._has_members and "member_pages" not in store.unsupported:
            self._member_pages = cast(MemberPages, store)
        self._write_only = [
            each.name for each in resource_type.attributes.values()
            if each.mutability == "writeOnly" and each.name != PASSWORD
        ]  # fmt: skip
        self._has_immutable = any(each.has_immutable for each in resource_type.attributes.values())

    async def create(self, call: RequestContext) -> Response:
        """`POST /Users` (section 3.3): 201 with the resource and its location."""
        document = self._document(call, self._body(call))
        projection = self._projection(call, written_in_document(document))
        call.password = document.pop(PASSWORD, None)
        written = await self._written(
            call,
            lambda store: self._created(store, call, document),
            has_password=call.password is not None,
        )
        self._note(call, written)
        response = self._response(call, 201, written.document, projection)
        location = self._renderer.location(written.document["id"], call.request.base_url)
        response.headers += (("Location", location),)
        return response

    def _body(self, call: RequestContext) -> dict[str, Any]:
        """Read the JSON object of a body. A body that is short enough has no string that is too long."""
        data = call.request.body
        body = parse_object(data)
        if len(data) > self._limits.string_length:
            self._limits.check_strings(body)
        return body

    def _document(self, call: RequestContext, body: Mapping[str, Any]) -> dict[str, Any]:
        """Read the resource in a body. A body that is short enough has no attribute with too many values."""
        document = read_resource(self.resource_type, body, call.deviations)
        if len(call.request.body) > 2 * self._limits.values:
            self._value_limit.check(document)
        return document

    async def _created(self, store: Store, call: RequestContext, document: dict[str, Any]) -> Written:
        try:
            return await store.create(call.scope, self.resource_type, document)
        except Uniqueness:
            holder = await self._holder(store, call, document) if call.deviations.may_restore else None
            if holder is None or not call.deviations.restores(holder, document):
                raise
        await self._permissions.require(call, "replace", self.resource_type)
        return await store.replace(call.scope, self.resource_type, holder["id"], document, holder["meta"]["version"])

    async def _holder(self, store: Store, call: RequestContext, document: dict[str, Any]) -> Document | None:
        """The resource that has a value which no other may have."""
        for name in self.resource_type.unique:
            if name in document:
                same = Filter(Comparison(name, "eq", document[name]))
                for each in (await store.search(call.scope, Query(self.resource_type, same, count=1))).documents:
                    return each
        return None

    def read(self, call: RequestContext) -> Awaitable[Response]:
        """`GET /Users/{id}` (section 3.4.1); 304 when the client has this version already.

        A filter is heeded here too: a resource that does not match it is 404 (section 3.4.2.2).
        """
        projection = self._projection(call)
        filtered = filter_of(call.parameters, call, self._limits)
        if filtered is not None:
            return self._read_matching(call, projection, filtered)
        return self._read(call, projection, conditional=preconditions.is_conditional(call.request.headers))

    async def _read_matching(self, call: RequestContext, projection: Projection, filtered: Filter) -> Response:
        wanted = fitted(filtered, self.resource_type, call, self._limits)
        read = requested_by(wanted.node, self.resource_type)
        document = await self._store.get(call.scope, self.resource_type, call.id, read)
        if not wanted.matches(document, self.resource_type):
            raise NotFound("The resource does not match the filter.")
        return await self._read(call, projection, conditional=preconditions.is_conditional(call.request.headers))

    def _read(self, call: RequestContext, projection: Projection, *, conditional: bool) -> Awaitable[Response]:
        pages = self._member_pages
        if pages is not None and projection.requested(MEMBERS):
            return self._read_in_parts(call, projection, pages, conditional=conditional)
        return self._read_whole(call, projection, conditional=conditional)

    async def _read_whole(self, call: RequestContext, projection: Projection, *, conditional: bool) -> Response:
        document = await self._store.get(call.scope, self.resource_type, call.id, projection.requested)
        if conditional and preconditions.is_unchanged(call.request.headers, document["meta"]["version"]):
            return _not_modified(document)
        return self._response(call, 200, document, projection)

    async def _read_in_parts(
        self, call: RequestContext, projection: Projection, pages: MemberPages, *, conditional: bool
    ) -> Response:
        """A group of any size is sent while its members are read; one that is small enough, at once."""
        id, resource_type = call.id, self.resource_type
        document = await self._store.get(
            call.scope, resource_type, id, lambda name: name != MEMBERS and projection.requested(name)
        )
        if conditional and preconditions.is_unchanged(call.request.headers, document["meta"]["version"]):
            return _not_modified(document)

        def scope_now() -> Scope:
            """Each part of a stream has a deadline of its own; a slow client makes no read late."""
            return Scope(call.scope.tenant, monotonic() + self._limits.deadline)

        def read(after: int) -> Awaitable[Members]:
            return pages.members(scope_now(), resource_type, id, after, self._limits.members_at_once)

        first = await read(0)
        if first.next is None:
            whole = {**document, MEMBERS: first.entries} if first.entries else document
            return self._response(call, 200, whole, projection)
        render, base_url = self._renderer.render, call.request.base_url
        stream = MemberStream(
            read,
            lambda some: render({"id": id, MEMBERS: some}, projection, base_url).get(MEMBERS, ()),
            first,
            lambda: self._store.get(scope_now(), resource_type, id, _nothing),
        )
        body = stream.begin(render(document, projection, base_url))
        return Response(200, body, (CONTENT_TYPE, ("ETag", document["meta"]["version"])), more=stream.more)

    async def replace(self, call: RequestContext) -> Response:
        """`PUT /Users/{id}` (section 3.5.1): what is not given is cleared, memberships of a user stay."""
        id, body = call.id, self._body(call)
        document = self._document(call, body)
        projection = self._projection(call, written_in_document(document))
        call.password = document.pop(PASSWORD, None)
        kept = [*self._write_only, *self._kept_members(call, body)]
        written = await self._written(
            call, lambda store: self._replaced(store, call, id, document, kept), has_password=call.password is not None
        )
        self._note(call, written)
        return self._response(call, 200, written.document, projection)

    def _kept_members(self, call: RequestContext, body: Mapping[str, Any]) -> tuple[str, ...]:
        """The members of a group that a PUT does not name, where the dialect keeps them."""
        if not self._has_members or any(name.lower().endswith(MEMBERS) for name in body):
            return ()
        return (MEMBERS,) if call.deviations.keeps_omitted(self.resource_type.attributes[MEMBERS]) else ()

    async def _replaced(
        self, store: Store, call: RequestContext, id: str, document: dict[str, Any], kept: Sequence[str]
    ) -> Written:
        headers = call.request.headers
        plain = not self._has_immutable and not kept and not may_be_marked(document)
        if plain and not preconditions.is_conditional(headers):
            return await store.replace(call.scope, self.resource_type, id, document)
        for _ in range(self._limits.attempts):
            old = await store.get(call.scope, self.resource_type, id)
            preconditions.check(headers, old["meta"]["version"])
            check_immutable(self.resource_type, old, document)
            same = {name: old[name] for name in kept if name in old and name not in document}
            same |= unmarked(old, document, call.deviations)
            try:
                return await store.replace(
                    call.scope, self.resource_type, id, {**document, **same}, old["meta"]["version"]
                )
            except PreconditionFailed:
                continue
        raise Unavailable()

    async def patch(self, call: RequestContext) -> Response:
        """`PATCH /Users/{id}` (section 3.5.2): 200 with the resource, 204 for a group unless attributes are named."""
        id, body = call.id, self._body(call)
        operations = read_operations(self.resource_type, body, call.deviations, self._limits.patch_operations)
        projection = self._projection(call, written_by_operations(operations))
        changes = direct_changes(operations)
        if changes is not None and (self._has_members or not changes.references) and not _needs_old(changes):
            conditional = preconditions.is_conditional(call.request.headers)
            version = await self._version(call) if conditional else None
            written = await self._store.change(call.scope, self.resource_type, id, changes, version)
        else:
            written = await self._written(
                call,
                lambda store: self._patched(store, call, id, operations),
                has_password=any([each.path.top == PASSWORD for each in operations]),  # noqa: C419  # a list is quicker
            )
        self._note(call, written)
        if not self._has_members:
            return self._response(call, 200, written.document, projection)
        if projection.chosen:
            return await self._read(call, projection, conditional=False)
        return Response(204, headers=(("ETag", written.document["meta"]["version"]),))

    async def _patched(self, store: Store, call: RequestContext, id: str, operations: Sequence[Operation]) -> Written:
        """Read, apply, compare and swap; again from the start when another write came between."""
        for _ in range(self._limits.attempts):
            old = await store.get(call.scope, self.resource_type, id)
            preconditions.check(call.request.headers, old["meta"]["version"])
            result = apply_operations(self.resource_type, old, operations, call.deviations)
            changes = result.changes
            kept = unmarked(old, result.document, call.deviations)
            if kept:
                changes = changes_between(self.resource_type, old, {**result.document, **kept})
            self._value_limit.check(changes.assigned)
            call.password = changes.assigned.get(PASSWORD)
            if call.password is not None:
                changes = _without_password(changes)
            if not changes:
                return Written(old, changed=False)
            try:
                return await store.change(call.scope, self.resource_type, id, changes, old["meta"]["version"])
            except PreconditionFailed:
                continue
        raise Unavailable()

    async def delete(self, call: RequestContext) -> Response:
        """`DELETE /Users/{id}` (section 3.6): 204, then 404 for ever."""
        version = await self._version(call) if preconditions.is_conditional(call.request.headers) else None
        await self._store.delete(call.scope, self.resource_type, call.id, version)
        call.changed = True
        return Response(204)

    async def _version(self, call: RequestContext) -> str:
        """The version that a conditional write is bound to. Raises: NotFound, PreconditionFailed."""
        document = await self._store.get(call.scope, self.resource_type, call.id, _nothing)
        version = document["meta"]["version"]
        preconditions.check(call.request.headers, version)
        return str(version)

    def _projection(self, call: RequestContext, has_written: WrittenByRequest = nothing_written) -> Projection:
        """What to return; of what is returned on request also what the request has written (RFC 7643 section 7)."""
        on_request = self._projections.on_request
        written = ",".join(each.text for each in on_request if has_written(each)) if on_request else ""
        return projection_of(self._projections, call.parameters, written)

    def _response(self, call: RequestContext, status: int, document: Document, projection: Projection) -> Response:
        body = write_json(self._renderer.render(document, projection, call.request.base_url))
        return Response(status, body, (CONTENT_TYPE, ("ETag", document["meta"]["version"])))

    def _note(self, call: RequestContext, written: Written) -> None:
        call.id = written.document["id"]
        call.changed = written.changed
        call.skipped_members = written.skipped_members
        for path in written.dropped:
            call.deviations.fired[f"{NOT_KEPT}:{path}"] = None

    def _written(self, call: RequestContext, write: Write, *, has_password: bool) -> Awaitable[Written]:
        """Write, and give a password to the host's hook in the same transaction; without a hook it is dropped."""
        if self._set_password is None or not has_password:
            return write(self._store)
        return self._written_with_password(call, write, self._set_password)

    async def _written_with_password(self, call: RequestContext, write: Write, hook: PasswordHook) -> Written:
        """Over a sync store a hook that is a coroutine is awaited after the transaction, which cannot wait for it."""

        async def work(store: Store) -> tuple[Written, Awaitable[None] | None]:
            written = await write(store)
            if call.password is None:
                return written, None
            waiting = hook(call.scope.tenant, written.document["id"], call.password)
            if waiting is not None and self._hooks_wait_inside:
                await waiting
                waiting = None
            return written, waiting

        written, waiting = await self._store.transaction(call.scope, work)
        self._note(call, written)
        if waiting is not None:
            await waiting
        return written


def _not_modified(document: Document) -> Response:
    return Response(304, headers=(("ETag", document["meta"]["version"]),))


def _needs_old(changes: ChangeSet) -> bool:
    """Report whether a change means something else on some resources than it says."""
    return may_be_marked(changes.assigned)


def _nothing(name: str) -> bool:
    """The `RequestedAttributes` of a read that needs the version only."""
    return False


def _without_password(changes: Any) -> Any:
    assigned = {name: value for name, value in changes.assigned.items() if name != PASSWORD}
    return type(changes)(assigned, changes.unassigned, changes.references)
