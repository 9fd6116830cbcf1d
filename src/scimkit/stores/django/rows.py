"""The rows of one Django model and tenant within a transaction that the caller begins and ends.

Resources are written through instances of the project's model, so that its `save` method and its signals run.
Memberships may be very many, and are written through the related manager of the group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final

from django.db import Error, IntegrityError, connections
from django.db.models import Case, F, Q, Value, When

from scimkit.errors import MutabilityViolation, NotFound, Unavailable
from scimkit.schema.attributes import Attribute
from scimkit.stores.database_error_kinds import is_kind, kind_of, lost
from scimkit.stores.database_errors import batches, unavailable
from scimkit.stores.django.conditions import ModelConditions, between, sides
from scimkit.stores.django.constraint_errors import REFUSED, constraint_error
from scimkit.stores.django.pages import Pages
from scimkit.stores.django.separate_values import separate_values_of
from scimkit.stores.mapped.attribute_mappings import shown_by
from scimkit.stores.mapped.constraint_errors import STILL_NEEDED
from scimkit.stores.mapped.fields import converted, moment_in
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.memberships import End
from scimkit.stores.mapped.references import references_of
from scimkit.stores.mapped.rows import Far, Window, check_unique
from scimkit.stores.paging import Position
from scimkit.stores.protocol import Scope

_TENANT: Final = Attribute("tenant", path="tenant")


class ModelRows:
    """The implementation of `scimkit.stores.mapped.rows.Rows` for Django."""

    def __init__(self, using: str, layout: Layout, scope: Scope, *, by_bytes: bool = False) -> None:
        self.layout = layout
        self.conditions: ModelConditions = ModelConditions(self._own, by_bytes=by_bytes)
        self._using = using
        self._scope = scope
        self._model: Any = layout.mapped.model
        self._read: dict[Any, dict[str, Any]] = {}
        self._separate_values = separate_values_of(layout)
        referred = [each.relation.name for each in references_of(layout)]
        self._referred = [*referred, *(each.relation for each in self._separate_values)]

    def find(self, id: str, *, lock: bool = False) -> Any:
        """Return the instance with an id, as `Rows.find` does."""
        value = self.layout.id.value(id)
        missing = NotFound(f"This {self.layout.resource_type.name} does not exist.")
        if value is None:
            raise missing
        rows = self._served(self.layout).filter(self.conditions.named(self.layout.id.field, [value]))
        rows = self._locked(rows) if lock else self._joined(rows)
        found = [each for each in rows if self.layout.id.read(each, _TENANT) == id]
        if not found:
            raise missing
        self._read[found[0].pk] = self._values(found[0])
        return found[0]

    def matching(self, condition: Any, window: Window) -> tuple[int, Sequence[Any], Sequence[Position]]:
        """Return one page of the matching instances, as `Rows.matching` does."""
        rows = self._served(self.layout)
        if condition is not True:
            rows = rows.filter(condition)
        if not window.count:
            return rows.count(), [], []
        pages = Pages(self.conditions, self.layout, window)
        found = pages.of(self._joined(rows))
        total = window.total(len(found))
        return rows.count() if total is None else total, found, [pages.position(row) for row in found]

    def _joined(self, rows: Any) -> Any:
        """Return the query with joins to the referenced rows.

        Without names, `select_related` would join all foreign keys.
        """
        return rows.select_related(*self._referred) if self._referred else rows

    def others(self, condition: Any, instance: Any) -> bool:
        """Report whether another row meets a condition, as `Rows.others` does."""
        rows = self._served(self.layout)
        if condition is not True:
            rows = rows.filter(condition)
        return bool((rows if instance is None else rows.exclude(pk=instance.pk)).exists())

    def new(self) -> Any:
        """Return a new instance with its tenant, as `Rows.new` does."""
        tenant = self._tenant(self.layout)
        if tenant is None:
            raise NotFound("This service does not serve the tenant of the token.")
        instance = (self.layout.mapped.new or self._model)()
        instance._state.db = self._using
        if self.layout.tenant is not None:
            setattr(instance, self.layout.tenant.name, tenant)
        return instance

    def insert(self, instance: Any, taken: Mapping[str, Any]) -> None:
        """Insert the row of a new instance, as `Rows.insert` does."""
        check_unique(self, taken, None)
        self.save(instance)

    def save(self, instance: Any) -> None:
        """Write an instance to its row, as `Rows.save` does."""
        try:
            if instance._state.adding:
                instance.save(using=self._using, force_insert=True)
            else:
                instance.save(using=self._using, update_fields=self._changed(instance))
            for each in self._separate_values:
                each.save(instance, self._using)
            instance.refresh_from_db(using=self._using)
        except REFUSED as error:
            raise constraint_error(error, self.layout) from None
        except Error as error:  # MariaDB reports some constraints as OperationalError
            if kind_of(error.__cause__).answer is Unavailable:
                raise
            raise constraint_error(error, self.layout) from None

    def delete(self, instance: Any) -> None:
        """Delete the row of an instance, as `Rows.delete` does."""
        instead = self.layout.mapped.delete
        try:
            if instead is None:
                instance.delete(using=self._using)
            else:
                instead(instance)
        except IntegrityError:
            raise MutabilityViolation(STILL_NEEDED) from None

    def key(self, instance: Any) -> Any:
        """Return the primary key of an instance, as `Rows.key` does."""
        return instance.pk

    def far(self, end: End, keys: Sequence[Any]) -> Mapping[Any, list[Far]]:
        """Return the linked rows by the keys of the near rows, as `Rows.far` does."""
        near, far = sides(end)
        leaf, identity = end.other.leaves.get("displayName"), end.other.id
        display = None if leaf is None else shown_by(leaf.entry)
        names = [near.attname, f"{far.name}__{identity.field.name}"]
        if display is not None:
            names.append(f"{far.name}__{display.name}")
        entries: dict[Any, list[Far]] = {}
        for some in batches(keys):
            rows = self._linked(end).filter(**{f"{near.attname}__in": some}).order_by(far.attname)
            for key, id, *shown in rows.values_list(*names).iterator():
                entries.setdefault(key, []).append(Far(identity.of(id), (shown[0] or None) if shown else None))
        return entries

    def known(self, end: End, ids: Iterable[str], *, lock: bool = False) -> Mapping[str, Any]:
        """Return the keys of the far rows with some ids, as `Rows.known` does."""
        identity = end.other.id
        wanted = {identity.value(id): id for id in ids}
        wanted.pop(None, None)
        known: dict[str, Any] = {}
        for some in batches(wanted):
            rows = self._served(end.other).filter(self.conditions.named(identity.field, some)).order_by("pk")
            found = (self._locked(rows) if lock else rows).only(identity.field.name)
            values = ((getattr(each, identity.field.name), each.pk) for each in found)
            known.update((wanted[value], key) for value, key in values if value in wanted)
        return known

    def ids(self, layout: Layout, keys: Collection[Any]) -> Mapping[Any, str]:
        """Return the ids of rows by their primary keys, as `Rows.ids` does."""
        rows = self._served(layout)
        found: dict[Any, str] = {}
        for some in batches(keys):
            values = rows.filter(pk__in=some).values_list("pk", layout.id.field.name)
            found.update((key, layout.id.of(value)) for key, value in values)
        return found

    def linked(self, end: End, instance: Any, keys: Collection[Any] | None = None) -> set[Any]:
        """Return the keys of the far rows that are linked to an instance, as `Rows.linked` does."""
        near, far = sides(end)
        rows = self._linked(end).filter(**{near.attname: instance.pk}).values_list(far.attname, flat=True)
        if keys is None:
            return set(rows.iterator())
        found: set[Any] = set()
        for some in batches(keys):
            found.update(rows.filter(**{f"{far.attname}__in": some}))
        return found

    def link(self, end: End, instance: Any, keys: Collection[Any]) -> None:
        """Link an instance to further rows, as `Rows.link` does."""
        near, far = sides(end)
        manager = _manager(end, instance)
        try:
            for some in batches(keys):
                if manager is not None:
                    manager.add(*some)
                    continue
                model = end.link.source.model
                rows = [model(**{near.attname: instance.pk, far.attname: each}) for each in some]
                model._base_manager.using(self._using).bulk_create(rows)
        except IntegrityError as error:
            if lost(error.__cause__):
                raise
            if is_kind(error.__cause__, "duplicate"):  # another transaction added the same member
                raise unavailable(error.__cause__) from None
            raise constraint_error(error, self.layout) from None

    def unlink(self, end: End, instance: Any, keys: Collection[Any] | None = None) -> bool:
        """Remove links of an instance, as `Rows.unlink` does."""
        near, far = sides(end)
        manager = _manager(end, instance)
        every = between(end).using(self._using).filter(**{near.attname: instance.pk})
        gone = False
        for some in [None] if keys is None else batches(keys):
            rows = every if some is None else every.filter(**{f"{far.attname}__in": some})
            if manager is None:
                gone = rows.delete()[0] > 0 or gone
            elif rows.exists():
                gone = True
                manager.clear() if some is None else manager.remove(*some)
        return gone

    def touch(self, layout: Layout, keys: Collection[Any]) -> None:
        """Increment the version of rows, as `Rows.touch` does."""
        changed: dict[str, Any] = {}
        if layout.version is not None:
            changed[layout.version.name] = F(layout.version.name) + 1
        if layout.modified is not None:
            name, moment = layout.modified.name, moment_in(layout.modified, datetime.now(UTC))
            is_later = When(**{f"{name}__gt": moment}, then=F(name))
            changed[name] = Case(is_later, default=Value(moment, output_field=layout.modified.source))
        for some in batches(sorted(keys)) if changed else ():
            self._served(layout).filter(pk__in=some).update(**changed)

    def _served(self, layout: Layout) -> Any:
        """Return the query for the served rows of a layout."""
        rows = layout.mapped.model._default_manager.using(self._using)
        return rows.filter(self._own(layout, self.conditions))

    def _linked(self, end: End) -> Any:
        """Return the query for the rows of a link whose far rows are served."""
        return between(end).using(self._using).filter(self._own(end.other, self.conditions.within(end)))

    def _locked(self, rows: Any) -> Any:
        """Return the query with row locks until the transaction ends.

        SQLite needs no row locks, because only one transaction writes at a time.
        """
        features = connections[self._using].features
        return rows.select_for_update(
            of=("self",) if features.has_select_for_update_of else (), no_key=features.has_select_for_no_key_update
        )

    def _own(self, layout: Layout, on: ModelConditions) -> Q:
        """Build the condition that every served row meets.

        The condition consists of the tenant, the condition of the mapping and the default manager of the model.
        """
        tenant, own = self._tenant(layout), Q()
        if tenant is None:
            return Q(pk__in=[])
        if layout.tenant is not None:
            own = on.compare(layout.tenant, "eq", tenant, folds=False)
        if layout.mapped.where is not None and not on.prefix:
            own &= layout.mapped.where
        if on.prefix:
            far = layout.mapped.model._default_manager.filter(layout.mapped.where or Q())
            if far.query.has_filters():
                own &= Q(**{f"{on.prefix}pk__in": far.order_by().values("pk")})
        return own

    def _tenant(self, layout: Layout) -> Any:
        """Return the value of the tenant column, or None if the tenant cannot have rows.

        Without a tenant column, only the default tenant has rows.
        """
        if layout.tenant is None:
            return self._scope.tenant if self._scope == Scope() else None
        return converted(_TENANT, layout.tenant, self._scope.tenant)

    def _values(self, instance: Any) -> dict[str, Any]:
        """Return the column values of an instance, with copies of lists and objects."""
        values = {each.attname: getattr(instance, each.attname) for each in self._model._meta.concrete_fields}
        return {name: deepcopy(value) if isinstance(value, dict | list) else value for name, value in values.items()}

    def _changed(self, instance: Any) -> list[str]:
        """Return the names of the changed fields, and of the fields that every save sets."""
        before, after = self._read[instance.pk], self._values(instance)
        changed = {name for name, value in after.items() if before[name] != value}
        return [
            each.name for each in self._model._meta.concrete_fields
            if each.attname in changed or (changed and getattr(each, "auto_now", False))
        ]  # fmt: skip


def _manager(end: End, instance: Any) -> Any:
    """Return the related manager of a group's members, or None if the link has a model of its own."""
    name = end.link.source.manager
    return getattr(instance, name) if name is not None and end.from_group else None
