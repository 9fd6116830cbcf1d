"""Columns and associations of SQLAlchemy models, in the form that mapped stores use. This module never runs a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.references import Relation
from scimkit.stores.sqlalchemy.records import InstanceNeeded, Record


@dataclass(frozen=True, slots=True)
class Association:
    """A link from groups to members by two foreign keys of one model or table.

    Use an association if the group model has no relationship with `secondary`: `Association(Membership.team_id,
    Membership.agent_id)`.
    """

    group: Any
    """The foreign key to the group."""
    member: Any
    """The foreign key to the member."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The table of an association, with the foreign keys to the group and to the member."""

    table: Any
    group: sa.ColumnElement[Any]
    member: sa.ColumnElement[Any]


class Columns:
    """The implementation of `scimkit.stores.mapped.fields.Fields` for one SQLAlchemy model.

    Raises:
        ValueError: The model has no primary key of one column.
    """

    def __init__(self, model: Any) -> None:
        self.mapper: orm.Mapper[Any] = sa.inspect(model)
        if len(self.mapper.primary_key) != 1:
            raise ValueError(f"The model {self.mapper.class_.__name__} must have a primary key of one column.")
        self.key: Field = self.field(self.mapper.get_property_by_column(self.mapper.primary_key[0]).class_attribute)

    def field(self, column: Any) -> Field:
        """Return the field of a column or of an expression, as `Fields.field` does.

        The field of an expression has no name. Such a field can be filtered, but not read or written.
        """
        if not isinstance(column, orm.InstrumentedAttribute):
            if not isinstance(column, sa.ColumnElement):
                raise ValueError("expected a column of the model or an SQL expression")
            return Field("", _python_type(column.type), source=column)
        if not self.mapper.isa(column.parent.mapper) or not isinstance(column.property, orm.ColumnProperty):
            raise ValueError(f"{column.key} is not a column of the model {self.mapper.class_.__name__}")
        plain = column.property.columns[0]
        if not isinstance(plain, sa.Column):
            return Field(column.key, _python_type(plain.type), source=column)
        return Field(
            column.key,
            _python_type(plain.type),
            nullable=bool(plain.nullable),
            default=_default(plain),
            made=plain.default is not None or plain.server_default is not None,
            longest=plain.type.length if isinstance(plain.type, sa.String) else None,
            largest=_largest(plain.type),
            aware=bool(getattr(plain.type, "timezone", False)),
            source=column,
        )

    def relation(self, given: Any) -> Relation:
        """Return the relation of a relationship, as `Fields.relation` does."""
        found = getattr(given, "property", None)
        if not isinstance(found, orm.RelationshipProperty) or found.uselist or not self.mapper.isa(found.parent):
            raise ValueError("a Reference needs a relationship of the model that leads to one row")
        if found.direction is not orm.RelationshipDirection.MANYTOONE or len(found.local_remote_pairs or ()) != 1:
            raise ValueError("a Reference needs a relationship with exactly one foreign key in the model")
        return Relation(given.key, found.mapper.class_, self._related, given)

    def _related(self, instance: Any, target: Layout, tenant: Any, value: Any) -> Any:
        """Return the instance that a reference names, as `Relation.find` does.

        Raises:
            InstanceNeeded: The row is a record, which cannot refer to another instance.
        """
        if isinstance(instance, Record):
            raise InstanceNeeded
        model: Any = target.mapped.model
        query = sa.select(model).where(getattr(model, target.id.field.name) == value)
        if target.mapped.where is not None:
            query = query.where(target.mapped.where)
        session = orm.object_session(instance)
        found = [] if session is None else session.scalars(query).all()
        within = target.tenant
        return next((each for each in found if within is None or getattr(each, within.name) == tenant), None)


def association(model: Any, given: Any) -> tuple[Any, Pairs]:
    """Return the model of the members of a group model, and the columns of the association.

    Args:
        model: The group model.
        given: A relationship with `secondary`, or an `Association`.

    Raises:
        ValueError: The association does not consist of one foreign key to each primary key.
    """
    if isinstance(given, Association):
        group, member = _plain(given.group), _plain(given.member)
        far = next(
            (each for each in sa.inspect(model).registry.mappers if each.local_table is _referred(member).table), None
        )
        if far is None:
            raise ValueError(f"the foreign key {member.name} must refer to the table of a model")
        _check_key(_referred(group), _referred(member))
        return far.class_, Pairs(group.table, group, member)
    relation = getattr(given, "property", None)
    if not isinstance(relation, orm.RelationshipProperty) or relation.secondary is None:
        raise ValueError("members must list relationships with secondary, or an Association")
    groups, members = list(relation.synchronize_pairs), list(relation.secondary_synchronize_pairs or ())
    if len(groups) != 1 or len(members) != 1:
        raise ValueError(f"{given.key} must link each side by exactly one column")
    _check_key(groups[0][0], members[0][0])
    return relation.mapper.class_, Pairs(relation.secondary, groups[0][1], members[0][1])


def place_of(field: Field) -> tuple[str | None, str, str] | None:
    """Return the schema, the table and the name of a field's column, or None if the field is not a plain column."""
    column = field.source.property.columns[0]
    if not isinstance(column, sa.Column) or not isinstance(column.table, sa.Table):
        return None
    return column.table.schema, str(column.table.name), str(column.name)


def _check_key(*columns: Any) -> None:
    if not all(each.primary_key for each in columns):
        raise ValueError("an association must refer to the primary keys of its models")


def _plain(attribute: Any) -> Any:
    """Return the column of a model attribute."""
    found = attribute.property.columns[0] if isinstance(attribute, orm.InstrumentedAttribute) else attribute
    if not isinstance(found, sa.Column):
        raise ValueError("an Association is made of two columns")
    return found


def _referred(column: Any) -> Any:
    """Return the column that a foreign key refers to."""
    keys = list(column.foreign_keys)
    if len(keys) != 1:
        raise ValueError(f"the column {column.name} must be a foreign key")
    return keys[0].column


def _python_type(kind: Any) -> type:
    """Return the Python type of the values of a column."""
    if isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl_instance
    try:
        found: type = kind.python_type
    except NotImplementedError:
        return object
    return found


def _largest(kind: Any) -> int | None:
    """Return the largest integer of an integer column, or None."""
    sizes = ((sa.SmallInteger, 15), (sa.BigInteger, 63), (sa.Integer, 31))
    return next((2**bits - 1 for each, bits in sizes if isinstance(kind, each)), None)


def _default(column: sa.Column[Any]) -> Any:
    """Return the default of a column if the default is a plain value, or None."""
    default: Any = column.default
    return default.arg if default is not None and default.is_scalar else None
