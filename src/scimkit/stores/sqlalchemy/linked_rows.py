"""Statements on the links of a model's rows, and on the rows at the far ends.

Memberships may be very many, and are written by statements. This module never begins or ends a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache, partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.exc import IntegrityError

from scimkit.errors import NotFound
from scimkit.schema.attributes import Attribute
from scimkit.stores.database_error_kinds import is_kind, lost
from scimkit.stores.database_errors import batches, unavailable
from scimkit.stores.mapped.attribute_mappings import shown_by
from scimkit.stores.mapped.fields import converted, moment_in
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.memberships import End
from scimkit.stores.mapped.rows import Far
from scimkit.stores.protocol import Scope
from scimkit.stores.sqlalchemy.conditions import ModelConditions, among, equal, key_of, sides
from scimkit.stores.sqlalchemy.constraint_errors import constraint_error

TENANT: Final = Attribute("tenant", path="tenant")
_KEYS: Final = "scimkit_keys"
_OWN_TENANT: Final = "scimkit_tenant"


class LinkedRows:
    """The part of `scimkit.stores.mapped.rows.Rows` that needs no instances.

    Args:
        executor: The session or the connection of the transaction.
        layout: The layout of the rows.
        scope: The tenant.
        by_bytes: Compare texts by their bytes only, as `ModelConditions` does.
    """

    def __init__(
        self, executor: orm.Session | sa.Connection, layout: Layout, scope: Scope, *, by_bytes: bool = False
    ) -> None:
        self.layout: Layout = layout
        self._executor: Any = executor
        self._scope = scope
        self._model: Any = layout.mapped.model
        self._by_bytes = by_bytes
        # No bound method, because the rows would then refer to themselves and wait for the garbage collection.
        self._own: Callable[[Layout, Any], sa.ColumnElement[bool]] = partial(_own, scope, by_bytes)
        self.conditions: ModelConditions = ModelConditions(self._model, self._own, by_bytes=by_bytes)

    @cached_property
    def _key(self) -> Any:
        """The attribute of the primary key."""
        return key_of(self._model)

    def others(self, condition: Any, instance: Any) -> bool:
        """Report whether another row meets a condition, as `Rows.others` does."""
        query = sa.select(sa.literal(1)).select_from(self._model).where(self._own(self.layout, self._model))
        if condition is not True:
            query = query.where(condition)
        if instance is not None:
            query = query.where(self._key != self.key(instance))
        return self._executor.scalar(query.limit(1)) is not None

    def key(self, instance: Any) -> Any:
        """Return the primary key of an instance, as `Rows.key` does."""
        return getattr(instance, self._key.key)

    def far(self, end: End, keys: Sequence[Any]) -> Mapping[Any, list[Far]]:
        """Return the linked rows by the keys of the near rows, as `Rows.far` does."""
        tenant = tenant_of(self._scope, end.other)
        if tenant is None or (type(tenant) is str and "\0" in tenant):
            return {}
        parameters = {} if end.other.tenant is None else {_OWN_TENANT: tenant}
        query = _far_query(end, self._by_bytes)
        entries: dict[Any, list[Far]] = {}
        for some in batches(keys):
            for key, id, text in self._executor.execute(query, {_KEYS: some, **parameters}):
                entries.setdefault(key, []).append(Far(end.other.id.of(id), text or None))
        return entries

    def known(self, end: End, ids: Iterable[str], *, lock: bool = False) -> Mapping[str, Any]:
        """Return the keys of the far rows with some ids, as `Rows.known` does."""
        identity, model = end.other.id, end.other.mapped.model
        wanted = {identity.value(id): id for id in ids}
        wanted.pop(None, None)
        known: dict[str, Any] = {}
        for some in batches(wanted):
            query = sa.select(getattr(model, identity.field.name), key_of(model))
            column = getattr(model, identity.field.name)
            query = query.where(among(column, some, by_bytes=self._by_bytes), self._own(end.other, model))
            if lock:
                query = query.with_for_update(read=True, key_share=True)
            known.update((wanted[value], key) for value, key in self._executor.execute(query) if value in wanted)
        return known

    def ids(self, layout: Layout, keys: Collection[Any]) -> Mapping[Any, str]:
        """Return the ids of rows by their primary keys, as `Rows.ids` does."""
        model = layout.mapped.model
        found: dict[Any, str] = {}
        for some in batches(keys):
            query = sa.select(key_of(model), getattr(model, layout.id.field.name)).where(key_of(model).in_(some))
            found.update((key, layout.id.of(value)) for key, value in self._executor.execute(query))
        return found

    def linked(self, end: End, instance: Any, keys: Collection[Any] | None = None) -> set[Any]:
        """Return the keys of the far rows that are linked to an instance, as `Rows.linked` does."""
        rows, near, far = sides(end)
        other = end.other.mapped.model
        query = sa.select(far).select_from(rows).join(other, far == key_of(other))
        query = query.where(near == self.key(instance), self._own(end.other, other))
        if keys is None:
            return set(self._executor.scalars(query))
        found: set[Any] = set()
        for some in batches(keys):
            found.update(self._executor.scalars(query.where(far.in_(some))))
        return found

    def link(self, end: End, instance: Any, keys: Collection[Any]) -> None:
        """Link an instance to further rows, as `Rows.link` does."""
        table, near, far = _columns(end)
        try:
            for some in batches(keys):
                rows = [{near.key: self.key(instance), far.key: key} for key in some]
                self._executor.execute(sa.insert(table), rows)
        except IntegrityError as error:
            if lost(error.orig):
                raise
            if is_kind(error.orig, "duplicate"):  # another transaction added the same member
                raise unavailable(error.orig) from None
            raise constraint_error(error, self.layout) from None

    def unlink(self, end: End, instance: Any, keys: Collection[Any] | None = None) -> bool:
        """Remove links of an instance, as `Rows.unlink` does."""
        table, near, far = _columns(end)
        query = sa.delete(table).where(near == self.key(instance))
        if keys is None:
            return self._removed(query) > 0
        return sum(self._removed(query.where(far.in_(some))) for some in batches(keys)) > 0

    def touch(self, layout: Layout, keys: Collection[Any]) -> None:
        """Increment the version of rows, as `Rows.touch` does."""
        changed: dict[str, Any] = {}
        model = layout.mapped.model
        if layout.version is not None:
            changed[layout.version.name] = getattr(model, layout.version.name) + 1
        if layout.modified is not None:
            column, moment = getattr(model, layout.modified.name), moment_in(layout.modified, datetime.now(UTC))
            changed[layout.modified.name] = sa.case((column > moment, column), else_=moment)
        for some in batches(sorted(keys)) if changed else ():
            query = sa.update(model).where(key_of(model).in_(some), self._own(layout, model))
            self._executor.execute(query.values(changed), execution_options={"synchronize_session": False})

    def _removed(self, query: Any) -> int:
        """Run a DELETE statement and return the number of deleted rows."""
        result: Any = self._executor.execute(query)
        return int(result.rowcount)

    def _tenant_of_new_row(self) -> Any:
        """Return the value of the tenant column for a new row.

        Raises:
            NotFound: The tenant cannot have rows.
        """
        tenant = tenant_of(self._scope, self.layout)
        if tenant is None:
            raise NotFound("This service does not serve the tenant of the token.")
        return tenant


def served(layout: Layout, entity: Any, tenant: Any, *, by_bytes: bool) -> sa.ColumnElement[bool]:
    """Build the condition that every served row meets: the tenant, and the condition of the mapping.

    Args:
        layout: The layout of the rows.
        entity: The model of the layout, or an alias of the model.
        tenant: The value of the tenant column, or a parameter for the value. None means that there are no rows.
        by_bytes: Compare texts by their bytes only.
    """
    conditions: list[Any] = [sa.true()]
    if tenant is None:
        conditions.append(sa.false())
    elif layout.tenant is not None:
        conditions.append(equal(getattr(entity, layout.tenant.name), tenant, by_bytes=by_bytes))
    where, model = layout.mapped.where, layout.mapped.model
    if where is not None:
        rows = sa.select(key_of(model)).where(where).correlate(None)
        conditions.append(where if entity is model else key_of(entity).in_(rows))
    return sa.and_(*conditions)


@lru_cache(256)
def _far_query(end: End, by_bytes: bool) -> Any:
    """Build the query for the rows at the far end of a link, with the parameters `_KEYS` and `_OWN_TENANT`.

    The query is built once for a link. Every look-up of a resource with members or groups runs it.
    """
    rows, near, far = sides(end)
    other = orm.aliased(end.other.mapped.model)
    leaf = end.other.leaves.get("displayName")
    display = None if leaf is None else shown_by(leaf.entry)
    shown = sa.null() if display is None else getattr(other, display.name)
    column = None if end.other.tenant is None else getattr(other, end.other.tenant.name)
    tenant: Any = "" if column is None else sa.bindparam(_OWN_TENANT, type_=column.type)
    query = sa.select(near, getattr(other, end.other.id.field.name), shown).select_from(rows)
    query = query.join(other, far == key_of(other)).where(near.in_(sa.bindparam(_KEYS, expanding=True)))
    return query.where(served(end.other, other, tenant, by_bytes=by_bytes)).order_by(key_of(other))


def _columns(end: End) -> tuple[Any, Any, Any]:
    """Return the table of a link, with its columns for the near row and for the far row."""
    pairs = end.link.source
    return (pairs.table, pairs.group, pairs.member) if end.from_group else (pairs.table, pairs.member, pairs.group)


def _own(scope: Scope, by_bytes: bool, layout: Layout, entity: Any) -> sa.ColumnElement[bool]:
    """Build the condition that every served row of a tenant meets."""
    return served(layout, entity, tenant_of(scope, layout), by_bytes=by_bytes)


def tenant_of(scope: Scope, layout: Layout) -> Any:
    """Return the value of the tenant column, or None if the tenant cannot have rows.

    Without a tenant column, only the default tenant has rows.
    """
    if layout.tenant is None:
        return scope.tenant if scope == Scope() else None
    return converted(TENANT, layout.tenant, scope.tenant)
