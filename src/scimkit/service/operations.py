"""The operations on single resources: create, read, replace, patch and delete (RFC 7644 sections 3.3 to 3.6).

Each operation is a coroutine that awaits only the store and the hooks. This module does not route requests, verify
tokens or do I/O.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any, Final, TypeAlias, cast

from scimkit.dialects.soft_deletion import may_be_marked, unmarked
from scimkit.documents import Document, parse_object, write_json
from scimkit.entitlements.assignments import Assignments
from scimkit.entitlements.offers import RolesAndEntitlements
from scimkit.errors import NotFound, PreconditionFailed, Unavailable, Uniqueness
from scimkit.events import PasswordHook, ResourceEvent
from scimkit.filters.ast import Comparison
from scimkit.filters.filter import Filter
from scimkit.patch.apply import apply_operations
from scimkit.patch.changes import ChangeSet, changes_between
from scimkit.patch.direct import direct_changes
from scimkit.patch.operations import Operation, read_operations
from scimkit.safeguards.breaker import BreakerOpen
from scimkit.safeguards.linking import AccountLinks
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
from scimkit.service.provisioning_recorder import ProvisioningRecorder
from scimkit.service.rendering import Renderer
from scimkit.service.request_context import RequestContext
from scimkit.service.request_projection import (
    WrittenByRequest,
    written_by_operations,
    written_in_document,
)
from scimkit.service.search import Searchable
from scimkit.service.write_listeners import WriteListeners
from scimkit.service.write_safeguards import WriteSafeguards
from scimkit.stores.index_lookup import requested_by
from scimkit.stores.metadata import has_members
from scimkit.stores.protocol import MEMBERS, MemberPages, Members, Query, Scope, Store, Written

PASSWORD: Final = "password"
NOT_KEPT: Final = "attribute-not-kept"
"""The name in `Response.quirks` before the path of an attribute that the client sent and the store does not keep."""
NOT_OFFERED: Final = "value-not-offered"
"""The name in `Response.quirks` before the path of a role or entitlement that is kept although it is not offered."""

Write: TypeAlias = Callable[[Store], Awaitable[Written]]
"""A function that writes to a store, or to a transaction of a store."""


class ResourceOperations:
    """The operations on the resources of one resource type."""

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
        listeners: WriteListeners | None = None,
        safeguards: WriteSafeguards | None = None,
        recorder: ProvisioningRecorder | None = None,
        links: AccountLinks | None = None,
        declared: RolesAndEntitlements | None = None,
    ) -> None:
        self.resource_type = resource_type
        self._store = store
        self._limits = limits
        self._value_limit = ValueLimit(resource_type, limits.values)
        self._set_password = set_password
        self._hooks_wait_inside = hooks_wait_inside
        self._listeners = listeners
        self._safeguards = safeguards
        self._recorder = recorder
        self._log_in_transaction = recorder if recorder is not None and recorder.is_in_transaction else None
        self._log_afterwards = None if self._log_in_transaction else recorder
        self._links = links
        self._declared = declared
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
        """Serve `POST /Users` (RFC 7644 section 3.3) with 201, the resource and its location."""
        document = call.document = self._document(call, self._body(call))
        projection = self._projection(call, written_in_document(document))
        call.password = document.pop(PASSWORD, None)
        if self._declared is not None:
            assignments = await Assignments.of(self._declared, call.scope.tenant, document)
            await _check_assignments(call, assignments, document)
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
        """Parse the JSON object of a body and check its strings. A body shorter than the limit needs no check."""
        data = call.request.body
        body = parse_object(data)
        if len(data) > self._limits.string_length:
            self._limits.check_strings(body)
        return body

    def _document(self, call: RequestContext, body: Mapping[str, Any]) -> dict[str, Any]:
        """Read the resource in a body and check the number of elements.

        A body too short to exceed the limit needs no check.
        """
        document = read_resource(self.resource_type, body, call.deviations)
        if len(call.request.body) > 2 * self._limits.values:
            self._value_limit.check(document)
        return document

    async def _created(self, store: Store, call: RequestContext, document: dict[str, Any]) -> Written:
        """Create a resource.

        If a unique value is taken, restore the resource that has the value if the dialect does so, or link the account
        that `on_conflict` finds.
        """
        call.is_linked = False
        try:
            return await store.create(call.write_scope, self.resource_type, document)
        except Uniqueness:
            holder = await self._conflicting_resource(store, call, document) if call.deviations.may_restore else None
            if holder is None or not call.deviations.restores(holder, document):
                linked = None if self._links is None else await self._linked(store, call, document, self._links)
                if linked is None:
                    raise
                return linked
        await self._permissions.require(call, "replace", self.resource_type)
        return await store.replace(
            call.write_scope, self.resource_type, holder["id"], document, holder["meta"]["version"]
        )

    async def _linked(
        self, store: Store, call: RequestContext, document: dict[str, Any], links: AccountLinks
    ) -> Written | None:
        """Take over the account that a POST may be linked with, or return None if there is no such account.

        The account must be at the version that was read. A password of the POST is dropped.
        """
        for _ in range(self._limits.attempts):
            account = await links.account(store, call.scope, document)
            if account is None or (self._safeguards and self._safeguards.protects(self.resource_type, account)):
                return None
            await self._permissions.require(call, "replace", self.resource_type)
            try:
                written = await store.change(
                    call.write_scope,
                    self.resource_type,
                    account["id"],
                    links.changes(account, document),
                    account["meta"]["version"],
                )
            except (PreconditionFailed, NotFound):
                continue
            call.is_linked, call.password = True, None
            return written
        return None

    async def _conflicting_resource(
        self, store: Store, call: RequestContext, document: dict[str, Any]
    ) -> Document | None:
        """Return the stored resource that has the same unique value as a new document, or None."""
        for name in self.resource_type.unique:
            if name in document:
                same = Filter(Comparison(name, "eq", document[name]))
                for each in (await store.search(call.scope, Query(self.resource_type, same, count=1))).documents:
                    return each
        return None

    def read(self, call: RequestContext) -> Awaitable[Response]:
        """Serve `GET /Users/{id}` (RFC 7644 section 3.4.1); answer 304 if the client already has this version.

        A filter applies here too: a resource that does not match the filter is answered with 404 (section 3.4.2.2).
        """
        projection = projection_of(self._projections, call.parameters)
        if "filter" in call.parameters:
            filtered = filter_of(call.parameters, call, self._limits)
            if filtered is not None:
                return self._read_matching(call, projection, filtered)
        return self._read(call, projection, conditional=preconditions.is_conditional(call.request.headers))

    async def _read_matching(self, call: RequestContext, projection: Projection, filtered: Filter) -> Response:
        """Read a resource that must match a filter. Raises NotFound if the resource does not match."""
        wanted = fitted(filtered, self.resource_type, call, self._limits)
        read = requested_by(wanted.node, self.resource_type)
        document = await self._store.get(call.scope, self.resource_type, call.id, read)
        if not wanted.matches(document, self.resource_type):
            raise NotFound("The resource does not match the filter.")
        return await self._read(call, projection, conditional=preconditions.is_conditional(call.request.headers))

    def _read(self, call: RequestContext, projection: Projection, *, conditional: bool) -> Awaitable[Response]:
        """Read a resource. If the store pages members, read a group's members page by page."""
        pages = self._member_pages
        if pages is not None and projection.requested(MEMBERS):
            return self._read_streamed(call, projection, pages, conditional=conditional)
        return self._read_at_once(call, projection, conditional=conditional)

    async def _read_at_once(self, call: RequestContext, projection: Projection, *, conditional: bool) -> Response:
        """Read a resource in one call of the store."""
        document = await self._store.get(call.scope, self.resource_type, call.id, projection.requested)
        if conditional and preconditions.is_unchanged(call.request.headers, document["meta"]["version"]):
            return _not_modified(document)
        return self._response(call, 200, document, projection)

    async def _read_streamed(
        self, call: RequestContext, projection: Projection, pages: MemberPages, *, conditional: bool
    ) -> Response:
        """Return a group with its members. A group with more members than one read returns is streamed."""
        id, resource_type = call.id, self.resource_type
        document = await self._store.get(
            call.scope, resource_type, id, lambda name: name != MEMBERS and projection.requested(name)
        )
        if conditional and preconditions.is_unchanged(call.request.headers, document["meta"]["version"]):
            return _not_modified(document)

        def scope_now() -> Scope:
            """Return a scope with a new deadline.

            Each part of the stream has its own, because the client may read slowly.
            """
            return Scope(call.scope.tenant, monotonic() + self._limits.deadline)

        def read(after: int) -> Awaitable[Members]:
            """Read the members that follow a position."""
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
            lambda: self._store.get(scope_now(), resource_type, id, _no_attributes),
        )
        body = stream.begin(render(document, projection, base_url))
        return Response(200, body, (CONTENT_TYPE, ("ETag", document["meta"]["version"])), more=stream.more)

    async def replace(self, call: RequestContext) -> Response:
        """Serve `PUT /Users/{id}` (RFC 7644 section 3.5.1).

        The PUT clears attributes that the body does not contain. The group memberships of a user stay.
        """
        id, body = call.id, self._body(call)
        document = call.document = self._document(call, body)
        projection = self._projection(call, written_in_document(document))
        call.password = document.pop(PASSWORD, None)
        kept = [*self._write_only, *self._kept_members(call, body)]
        if self._declared is not None:
            assignments = await Assignments.of(self._declared, call.scope.tenant, document)
            await _check_assignments(
                call, assignments, document, lambda: self._store.get(call.scope, self.resource_type, id)
            )
        written = await self._written(
            call, lambda store: self._replaced(store, call, id, document, kept), has_password=call.password is not None
        )
        self._note(call, written)
        return self._response(call, 200, written.document, projection)

    def _kept_members(self, call: RequestContext, body: Mapping[str, Any]) -> tuple[str, ...]:
        """Return `members` if the PUT of a group omits them and the dialect keeps omitted members; else nothing."""
        if not self._has_members or any(name.lower().endswith(MEMBERS) for name in body):
            return ()
        return (MEMBERS,) if call.deviations.keeps_omitted(self.resource_type.attributes[MEMBERS]) else ()

    async def _replaced(
        self, store: Store, call: RequestContext, id: str, document: dict[str, Any], kept: Sequence[str]
    ) -> Written:
        """Replace a resource.

        If the result depends on the stored document, read that first, and retry if another write came between.
        """
        headers = call.request.headers
        plain = not self._has_immutable and not kept and not may_be_marked(document)
        if plain and not preconditions.is_conditional(headers):
            return await store.replace(call.write_scope, self.resource_type, id, document)
        for _ in range(self._limits.attempts):
            old = await store.get(call.scope, self.resource_type, id)
            preconditions.check(headers, old["meta"]["version"])
            check_immutable(self.resource_type, old, document)
            same = {name: old[name] for name in kept if name in old and name not in document}
            same |= unmarked(old, document, call.deviations)
            try:
                return await store.replace(
                    call.write_scope, self.resource_type, id, {**document, **same}, old["meta"]["version"]
                )
            except PreconditionFailed:
                continue
        raise Unavailable()

    async def patch(self, call: RequestContext) -> Response:
        """Serve `PATCH /Users/{id}` (RFC 7644 section 3.5.2) with 200 and the resource.

        A PATCH of a group is answered with 204, unless the request names attributes to return.
        """
        id, body = call.id, self._body(call)
        operations = call.operations = read_operations(
            self.resource_type, body, call.deviations, self._limits.patch_operations
        )
        projection = self._projection(call, written_by_operations(operations))
        changes = direct_changes(operations)
        assignments: Assignments | None = None
        if self._declared is not None:
            names = {each.path.top for each in operations}
            assignments = await Assignments.of(self._declared, call.scope.tenant, names)
            changes = changes if assignments is None else None
        if changes is not None and (self._has_members or not changes.references) and not _depends_on_stored(changes):
            conditional = preconditions.is_conditional(call.request.headers)
            version = await self._version(call) if conditional else None
            written = await self._written(
                call,
                lambda store: store.change(call.write_scope, self.resource_type, id, changes, version),
                has_password=False,
            )
        else:
            written = await self._written(
                call,
                lambda store: self._patched(store, call, id, operations, assignments),
                has_password=any([each.path.top == PASSWORD for each in operations]),  # noqa: C419  # a list is faster
            )
        self._note(call, written)
        if not self._has_members:
            return self._response(call, 200, written.document, projection)
        if projection.chosen:
            return await self._read(call, projection, conditional=False)
        return Response(204, headers=(("ETag", written.document["meta"]["version"]),))

    async def _patched(
        self,
        store: Store,
        call: RequestContext,
        id: str,
        operations: Sequence[Operation],
        assignments: Assignments | None = None,
    ) -> Written:
        """Read the resource, apply the operations, and write if the version is unchanged. Otherwise retry."""
        call.scope = replace(call.scope, reads={})
        for _ in range(self._limits.attempts):
            old = await store.get(call.scope, self.resource_type, id)
            preconditions.check(call.request.headers, old["meta"]["version"])
            result = apply_operations(self.resource_type, old, operations, call.deviations)
            changes = result.changes
            kept = unmarked(old, result.document, call.deviations)
            if kept:
                changes = changes_between(self.resource_type, old, {**result.document, **kept})
            self._value_limit.check(changes.assigned)
            if assignments is not None:
                await _check_assignments(call, assignments, changes.assigned, _held(old))
            call.password = changes.assigned.get(PASSWORD)
            if call.password is not None:
                changes = _without_password(changes)
            if not changes:
                return Written(old, changed=False)
            try:
                return await store.change(call.write_scope, self.resource_type, id, changes, old["meta"]["version"])
            except PreconditionFailed:
                continue
        raise Unavailable()

    async def delete(self, call: RequestContext) -> Response:
        """Serve `DELETE /Users/{id}` (RFC 7644 section 3.6) with 204. Later requests for this id get 404."""
        version = await self._version(call) if preconditions.is_conditional(call.request.headers) else None
        await self._written(
            call, lambda store: self._deleted(store, call, version), has_password=False, is_deletion=True
        )
        call.changed = True
        return Response(204)

    async def _deleted(self, store: Store, call: RequestContext, version: str | None) -> Written:
        """Delete a resource, and return the changes that the store reports."""
        changes = await store.delete(call.scope, self.resource_type, call.id, version)
        return Written({"id": call.id}, changes=changes)

    async def _version(self, call: RequestContext) -> str:
        """Check the preconditions and return the version that a write requires.

        Raises NotFound or PreconditionFailed.
        """
        document = await self._store.get(call.scope, self.resource_type, call.id, _no_attributes)
        version = document["meta"]["version"]
        preconditions.check(call.request.headers, version)
        return str(version)

    def _projection(self, call: RequestContext, has_written: WrittenByRequest) -> Projection:
        """Return the projection of the response to a write.

        Attributes that are returned on request only are included if the request has written them (RFC 7643 section 7).
        """
        on_request = self._projections.on_request
        written = ",".join(each.text for each in on_request if has_written(each)) if on_request else ""
        return projection_of(self._projections, call.parameters, written)

    def _response(self, call: RequestContext, status: int, document: Document, projection: Projection) -> Response:
        """Return the response with a resource as its body and the version as its ETag."""
        body = write_json(self._renderer.render(document, projection, call.request.base_url))
        return Response(status, body, (CONTENT_TYPE, ("ETag", document["meta"]["version"])))

    def _note(self, call: RequestContext, written: Written) -> None:
        """Copy the outcome of a write to the request context, for events and logs."""
        call.id = written.document["id"]
        call.changed = written.changed
        call.skipped_members = written.skipped_members
        call.dropped = written.dropped
        for path in written.dropped:
            call.deviations.fired[f"{NOT_KEPT}:{path}"] = None

    def _written(
        self, call: RequestContext, write: Write, *, has_password: bool, is_deletion: bool = False
    ) -> Awaitable[Written]:
        """Write, and pass the password to the `set_password` hook in the same transaction.

        Without the hook, the password is dropped. No transaction is needed without a password, listeners and
        safeguards.
        """
        if call.is_rehearsal:
            return self._rehearse(call, write)
        recorder = self._log_in_transaction
        if recorder is not None and recorder.is_with_write:
            call.log_entry = recorder.entries_of(self.resource_type)
        hook = self._set_password if has_password else None
        if hook is None and self._listeners is None and self._safeguards is None:
            if self._recorder is None:
                return write(self._store)
            if self._log_afterwards is not None or (call.log_entry is not None and not is_deletion):
                return self._write_and_log(call, write, self._recorder)
        return self._write_in_transaction(call, write, hook)

    async def _rehearse(self, call: RequestContext, write: Write) -> Written:
        """Write in a transaction that is rolled back, with safeguards and listeners but without the password hook."""
        resource_type, listeners, safeguards = self.resource_type, self._listeners, self._safeguards

        async def work(store: Store) -> None:
            checked = write if safeguards is None else safeguards.checked(write, store, call, resource_type)
            if listeners is None:
                raise _Rehearsed(await checked(store))
            written, _ = await listeners.write(store, call, resource_type, checked, may_recover=True)
            raise _Rehearsed(written)

        try:
            await self._store.transaction(call.scope, work)
        except _Rehearsed as done:
            call.rehearsed = done.written
        assert call.rehearsed is not None
        return call.rehearsed

    async def _write_and_log(self, call: RequestContext, write: Write, recorder: ProvisioningRecorder) -> Written:
        """Write without a transaction, and add the entry of the provisioning log unless the store has added it."""
        written = await write(self._store)
        if not written.is_logged:
            await recorder.add(recorder.entries_of(self.resource_type)(call, written))
        return written

    async def _write_in_transaction(self, call: RequestContext, write: Write, hook: PasswordHook | None) -> Written:
        """Write, and call the safeguards, the listeners and the `set_password` hook in the same transaction.

        The transaction of a sync store cannot await a hook that is a coroutine. Such a hook is awaited after the
        transaction.
        """
        listeners, safeguards = self._listeners, self._safeguards
        # Only a create that may restore or link a resource catches an error of the store.
        may_recover = call.request.method == "POST" and (call.deviations.may_restore or self._links is not None)

        async def work(store: Store) -> tuple[Written, Sequence[ResourceEvent], Awaitable[None] | None]:
            events: Sequence[ResourceEvent] = ()
            checked = write if safeguards is None else safeguards.checked(write, store, call, self.resource_type)
            if listeners is None:
                written = await checked(store if may_recover else getattr(store, "without_savepoints", store))
            else:
                written, events = await listeners.write(
                    store, call, self.resource_type, checked, may_recover=may_recover
                )
            if self._log_in_transaction is not None and not written.is_logged:
                entry = self._log_in_transaction.entries_of(self.resource_type)(call, written)
                await self._log_in_transaction.record(store, entry)
            if call.password is None or hook is None:
                return written, events, None
            waiting = hook(call.scope.tenant, written.document["id"], call.password)
            if waiting is not None and self._hooks_wait_inside:
                await waiting
                waiting = None
            return written, events, waiting

        try:
            written, events, waiting = await self._store.transaction(call.scope, work)
        except BreakerOpen as error:
            if safeguards is not None:
                await safeguards.refused(error, call, self.resource_type, listeners)
            raise
        if waiting is not None:
            self._note(call, written)
            await waiting
        if self._log_afterwards is not None:
            await self._log_afterwards.add(self._log_afterwards.entries_of(self.resource_type)(call, written))
        if listeners is not None and events:
            await listeners.committed(events)
        return written


async def _check_assignments(
    call: RequestContext,
    assignments: Assignments | None,
    assigned: Document,
    held: Callable[[], Awaitable[Document]] | None = None,
) -> None:
    """Check the roles and entitlements that a request assigns. Raises InvalidValue.

    A value that is kept although it is not offered is reported like a quirk.
    """
    if assignments is not None:
        for path in await assignments.check(assigned, held):
            call.deviations.fired[f"{NOT_OFFERED}:{path}"] = None


def _held(document: Document) -> Callable[[], Awaitable[Document]]:
    """Return a coroutine function that returns a document."""

    async def held() -> Document:
        return document

    return held


class _Rehearsed(Exception):
    """Ends the transaction of a write that must be rolled back."""

    def __init__(self, written: Written) -> None:
        super().__init__()
        self.written = written


def _not_modified(document: Document) -> Response:
    """Return a 304 response with the version as its ETag."""
    return Response(304, headers=(("ETag", document["meta"]["version"]),))


def _depends_on_stored(changes: ChangeSet) -> bool:
    """Report whether the effect of a change set depends on the stored document, as a soft delete of Entra does."""
    return may_be_marked(changes.assigned)


def _no_attributes(name: str) -> bool:
    """Request no attributes, for a read that needs only the version."""
    return False


def _without_password(changes: Any) -> Any:
    """Return a change set without the password."""
    assigned = {name: value for name, value in changes.assigned.items() if name != PASSWORD}
    return type(changes)(assigned, changes.unassigned, changes.references)
