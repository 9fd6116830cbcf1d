"""Fields and associations of Django models, in the form that mapped stores use.

Mappings refer to a field by its name, as Django does everywhere. This module never runs a query.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations

from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.references import Relation

_TYPES: Final[dict[str, type]] = {
    "BooleanField": bool, "BinaryField": bytes, "DateField": date, "DateTimeField": datetime, "DecimalField": Decimal,
    "FloatField": float, "JSONField": object, "UUIDField": UUID,
}  # fmt: skip
"""Python types by Django's internal type of a field. Other fields contain integers or texts."""

_LARGEST: Final = BaseDatabaseOperations.integer_field_ranges
_RANGE: Final = _LARGEST["BigIntegerField"]


@dataclass(frozen=True, slots=True)
class Association:
    """A link from groups to members by two foreign keys of one model: `Association(Membership, "team", "agent")`.

    Use an association if no ManyToManyField of the group model uses the model as `through`.
    """

    model: Any
    """The model between groups and members."""
    group: str
    """The name of the foreign key to the group."""
    member: str
    """The name of the foreign key to the member."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The model of a link's rows, its foreign keys, and the name of the related manager of a group."""

    model: Any
    group: Any
    member: Any
    manager: str | None = None


class ModelFields:
    """The implementation of `scimkit.stores.mapped.fields.Fields` for one Django model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def field(self, column: Any) -> Field:
        """Return the field for the name of a field or for an expression, as `Fields.field` does.

        The field of an expression has no name. Such a field can be filtered, but not read or written.
        """
        if not isinstance(column, str):
            return self._expression(column)
        name = self._model.__name__
        try:
            found = self._model._meta.get_field(column)
        except FieldDoesNotExist:
            raise ValueError(f"{column} is not a field of the model {name}") from None
        if not found.concrete or found.many_to_many:
            raise ValueError(f"{column} is not a column of the model {name}")
        kind = type_of(found)
        if kind is datetime and not settings.USE_TZ and settings.TIME_ZONE != "UTC":
            raise ValueError(f"{column} stores local times without an offset; set USE_TZ = True or TIME_ZONE = 'UTC'")
        return Field(
            found.attname,
            kind,
            nullable=found.null,
            default=found.default if found.has_default() and not callable(found.default) else None,
            longest=found.max_length if kind is str else None,
            largest=_LARGEST.get(plain(found).get_internal_type(), _RANGE)[1] if kind is int else None,
            aware=settings.USE_TZ,
            source=found,
        )

    def beside(self, relation: str, column: str) -> tuple[Any, Field]:
        """Return the related model of a reverse one-to-one relation, and one of its columns.

        Raises:
            ValueError: The model has no such relation, or the related model has no such column.
        """
        found = next((each for each in self._model._meta.related_objects if each.name == relation), None)
        if found is None or not found.one_to_one:
            raise ValueError(
                f"{relation} must be the related name of a OneToOneField to the model {self._model.__name__}"
            )
        return found.related_model, ModelFields(found.related_model).field(column)

    def relation(self, given: Any) -> Relation:
        """Return the relation of a foreign key, by the name of the key, as `Fields.relation` does."""
        found = next((each for each in self._model._meta.concrete_fields if each.name == given), None)
        if not isinstance(found, models.ForeignKey):
            raise ValueError("a Reference needs the name of a foreign key of the model")
        return Relation(found.name, found.related_model, _related, found)

    def _expression(self, given: Any) -> Field:
        """Return the field of an expression."""
        try:
            found = self._model._base_manager.annotate(scim_value=given).query.annotations["scim_value"].output_field
        except (AttributeError, FieldError, TypeError):
            raise ValueError("expected the name of a field, or an expression with a known output_field") from None
        return Field("", type_of(found), source=models.ExpressionWrapper(given, output_field=found))


def _related(instance: Any, target: Layout, tenant: Any, value: Any) -> Any:
    """Return the instance that a reference names, as `Relation.find` does."""
    wanted = {target.id.field.name: value} if target.tenant is None else {
        target.id.field.name: value, target.tenant.name: tenant,
    }  # fmt: skip
    rows = target.mapped.model._default_manager.using(instance._state.db)
    return rows.filter(target.mapped.where or models.Q(), **wanted).first()


def type_of(field: Any) -> type:
    """Return the Python type of a field's values."""
    field = plain(field)
    kind = field.get_internal_type()
    return _TYPES.get(kind) or (int if isinstance(field, models.IntegerField) else str)


def plain(field: Any) -> Any:
    """Return the field that a foreign key refers to, or the field itself."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return field


def association(model: Any, given: Any) -> tuple[Any, Pairs]:
    """Return the model of the members of a group model, and the rows of the link.

    Args:
        model: The group model.
        given: The name of a ManyToManyField or of its reverse relation, or an `Association`.

    Raises:
        ValueError: The link does not consist of one foreign key to each primary key.
    """
    if isinstance(given, Association):
        pairs = Pairs(given.model, _key(given.model, given.group), _key(given.model, given.member))
        return pairs.member.related_model, _checked(pairs, model)
    name = f"{given} of the model {model.__name__}"
    for field in model._meta.many_to_many:
        if field.name == given:
            if field.remote_field.symmetrical:
                raise ValueError(
                    f"{name} must not be symmetrical, because groups and members are different ends of the link"
                )
            through, near, far = field.remote_field.through, field.m2m_field_name(), field.m2m_reverse_field_name()
            return field.related_model, _checked(Pairs(through, _key(through, near), _key(through, far), given), model)
    for relation in model._meta.related_objects:
        if relation.many_to_many and relation.get_accessor_name() == given:
            field, through = relation.field, relation.through
            near, far = field.m2m_reverse_field_name(), field.m2m_field_name()
            return field.model, _checked(Pairs(through, _key(through, near), _key(through, far), given), model)
    raise ValueError(f"{name} must be a many-to-many relation; name such a relation, or use an Association")


def place_of(field: Field) -> tuple[str | None, str, str]:
    """Return the schema, the table and the name of a field's column.

    The schema is always None, which means the schema of the connection.
    """
    found = field.source
    return None, str(found.model._meta.db_table), str(found.column)


def _key(model: Any, name: str) -> Any:
    """Return a foreign key of a model by its name.

    Raises:
        ValueError: The model has no such foreign key to a primary key.
    """
    try:
        key = model._meta.get_field(name)
    except FieldDoesNotExist:
        raise ValueError(f"{name} is not a field of the model {model.__name__}") from None
    if not isinstance(key, models.ForeignKey) or not key.target_field.primary_key:
        raise ValueError(f"{name} of the model {model.__name__} must be a foreign key to a primary key")
    return key


def _checked(pairs: Pairs, model: Any) -> Pairs:
    """Return the rows of a link after checking that they refer to the group model."""
    if pairs.group.related_model._meta.concrete_model is not model._meta.concrete_model:
        raise ValueError(f"{pairs.group.name} of the model {pairs.model.__name__} must refer to the group model")
    return pairs
