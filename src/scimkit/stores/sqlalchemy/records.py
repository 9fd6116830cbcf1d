"""Records: the columns of rows, without instances of the model. This module never runs a query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.mapped.attribute_mappings import Choice, Column, Constant, IsNull, JsonValue, ReadOnly
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.references import Reference, references_of


class InstanceNeeded(Exception):
    """A call on records needs an instance of the model. The store repeats the call with instances."""


class Record:
    """The columns of one row. Entries read and write a record like an instance of the model.

    The first column is the primary key.
    """

    __slots__ = ("__dict__", "_scimkit_stored")

    def __init__(self, names: Sequence[str], values: Sequence[Any]) -> None:
        self.__dict__ = dict(zip(names, values, strict=True))
        self._scimkit_stored = values

    @property
    def has_row(self) -> bool:
        """True if the record was read from a row."""
        return self._scimkit_stored[0] is not None

    def changed(self) -> dict[str, Any]:
        """Return the values that differ from the row, by the name of the attribute."""
        stored = self._scimkit_stored
        return {name: value for (name, value), old in zip(vars(self).items(), stored, strict=True) if value is not old}

    def read_back(self, names: Sequence[str], values: Sequence[Any]) -> None:
        """Take over the values that the database returned for some attributes."""
        vars(self).update(zip(names, values, strict=True))
        self._scimkit_stored = tuple(vars(self).values())


class _Relation:
    """The attribute of a record for a relationship. Only an instance can refer to another row than before."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, record: Any, _: Any = None) -> Any:
        return vars(record)[self._name]

    def __set__(self, record: Any, value: Any) -> None:
        raise InstanceNeeded


class RecordTable:
    """The columns that the records of a layout have.

    Args:
        layout: A layout for which `has_records` is true.
    """

    def __init__(self, layout: Layout) -> None:
        mapper: orm.Mapper[Any] = sa.inspect(layout.mapped.model)
        key = mapper.get_property_by_column(mapper.primary_key[0]).key
        self.key: str = key
        """The attribute of the primary key."""
        self.table: Any = mapper.local_table
        """The table of the model."""
        names = dict.fromkeys([key, *(each.name for each in _every_field(layout) or ())])
        self.columns: dict[str, sa.Column[Any]] = {each: mapper.column_attrs[each].columns[0] for each in names}  # type: ignore[misc]
        """The columns by the name of the attribute."""
        self.attributes: list[Any] = [getattr(layout.mapped.model, each) for each in names]
        """The attributes of the model for the columns."""
        self._references = list({each.relation.name: each for each in references_of(layout)}.values())
        related = [each.relation.name for each in self._references]
        self._names = (*names, *related)
        self._type: Callable[..., Record] = type(
            "Record", (Record,), {"__slots__": (), **{each: _Relation(each) for each in related}}
        )

    def selected(self) -> Iterator[Any]:
        """Yield the columns of a query for records, including the ids of referenced rows."""
        yield from self.attributes
        for each in self._references:
            assert each.target is not None
            other = orm.aliased(each.relation.model)
            ((local, remote),) = each.relation.source.property.local_remote_pairs
            id = getattr(other, each.target.id.field.name)
            far = getattr(other, sa.inspect(other).mapper.get_property_by_column(remote).key)
            yield sa.select(id).where(far == local).scalar_subquery().label(f"scimkit_{each.relation.name}")

    def record(self, row: Sequence[Any]) -> Record:
        """Return the record of a row that begins with the selected columns."""
        values = row[: len(self._names)]
        if self._references:
            plain, ids = values[: len(self.columns)], values[len(self.columns) :]
            values = (*plain, *map(_referred, self._references, ids))
        return self._type(self._names, values)

    def new(self) -> Record:
        """Return a record without a row. Every value is None."""
        return self._type(self._names, (None,) * len(self._names))


def has_records(layout: Layout) -> bool:
    """Report whether records can stand for the instances of a layout.

    `Computed` entries and entries of the application need instances. So do columns outside the table of the model, and
    models that inherit from models.
    """
    mapper: orm.Mapper[Any] = sa.inspect(layout.mapped.model)
    fields = _every_field(layout)
    if fields is None or mapper.inherits is not None or mapper.polymorphic_on is not None:
        return False
    return isinstance(mapper.local_table, sa.Table) and all(_is_in_table(mapper, each) for each in fields)


def _is_in_table(mapper: orm.Mapper[Any], field: Field) -> bool:
    """Report whether a field is a plain column of the model's table."""
    found = mapper.column_attrs.get(field.name)
    column = None if found is None else found.columns[0]
    return isinstance(column, sa.Column) and column.table is mapper.local_table


def _every_field(layout: Layout) -> list[Field] | None:
    """Return the fields that the entries of a layout read and write. None if an entry needs an instance."""
    options = (layout.id.field, layout.tenant, layout.rest, layout.version, layout.created, layout.modified)
    fields = [each for each in (*options, layout.order) if each is not None]
    for leaf in layout.every_leaf():
        found = _fields_of(leaf.entry)
        if found is None:
            return None
        fields += found
    return fields


def _fields_of(entry: Any) -> Iterable[Field] | None:
    """Return the fields that an entry reads and writes. None if the entry needs an instance."""
    find = _FIELDS.get(type(entry))
    return None if find is None else find(entry)


_FIELDS: Final[dict[type, Callable[[Any], Iterable[Field] | None]]] = {
    **dict.fromkeys((Column, JsonValue, IsNull, Choice), lambda entry: [entry.column]),
    **dict.fromkeys((Constant, Reference), lambda _: []),
    ReadOnly: lambda entry: _fields_of(entry.entry),
}


def _referred(reference: Reference, id: Any) -> Record | None:
    """Return a record with the id of the referenced row, or None."""
    assert reference.target is not None
    return None if id is None else Record([reference.target.id.field.name], [id])
