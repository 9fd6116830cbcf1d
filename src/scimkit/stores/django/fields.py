"""Fields and associations of Django models, as the core of mapped stores sees them.

A host names a field, as it does everywhere in Django. This module never runs a query.
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
"""Values of a field by what Django calls its internal type; of others, whole numbers and texts."""

_LARGEST: Final = BaseDatabaseOperations.integer_field_ranges
_RANGE: Final = _LARGEST["BigIntegerField"]


@dataclass(frozen=True, slots=True)
class Association:
    """A link from groups to members by two foreign keys of one model: `Association(Membership, "team", "agent")`.

    For a model that no ManyToManyField of the group's goes through.
    """

    model: Any
    group: str
    member: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """The rows of a link: their model, its foreign keys, and the name of the manager that a group has of them."""

    model: Any
    group: Any
    member: Any
    manager: str | None = None


class ModelFields:
    """The `Fields` of one model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def field(self, column: Any) -> Field:
        """As `Fields.field`. An expression has no name, and can be asked but not read or written."""
        if not isinstance(column, str):
            return self._expression(column)
        name = self._model.__name__
        try:
            found = self._model._meta.get_field(column)
        except FieldDoesNotExist:
            raise ValueError(f"{column} is no field of the model {name}") from None
        if not found.concrete or found.many_to_many:
            raise ValueError(f"{column} is no column of the model {name}")
        kind = type_of(found)
        if kind is datetime and not settings.USE_TZ and settings.TIME_ZONE != "UTC":
            raise ValueError(f"{column} has local times, which USE_TZ = False keeps without their offset")
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
        """Return the model of a row beside, and a column of it. Raises: ValueError when there is no such row."""
        found = next((each for each in self._model._meta.related_objects if each.name == relation), None)
        if found is None or not found.one_to_one:
            raise ValueError(f"no OneToOneField leads from {relation} to the model {self._model.__name__}")
        return found.related_model, ModelFields(found.related_model).field(column)

    def relation(self, given: Any) -> Relation:
        """As `Fields.relation`; `given` is the name of a foreign key."""
        found = next((each for each in self._model._meta.concrete_fields if each.name == given), None)
        if not isinstance(found, models.ForeignKey):
            raise ValueError("a Reference needs the name of a foreign key of the model")
        return Relation(found.name, found.related_model, _related, found)

    def _expression(self, given: Any) -> Field:
        try:
            found = self._model._base_manager.annotate(scim_value=given).query.annotations["scim_value"].output_field
        except (AttributeError, FieldError, TypeError):
            raise ValueError("this is neither the name of a field nor an expression whose type is known") from None
        return Field("", type_of(found), source=models.ExpressionWrapper(given, output_field=found))


def _related(instance: Any, target: Layout, tenant: Any, value: Any) -> Any:
    """As `Relation.find`."""
    wanted = {target.id.field.name: value} if target.tenant is None else {
        target.id.field.name: value, target.tenant.name: tenant,
    }  # fmt: skip
    rows = target.mapped.model._default_manager.using(instance._state.db)
    return rows.filter(target.mapped.where or models.Q(), **wanted).first()


def type_of(field: Any) -> type:
    """What a value of a field is in Python."""
    field = plain(field)
    kind = field.get_internal_type()
    return _TYPES.get(kind) or (int if isinstance(field, models.IntegerField) else str)


def plain(field: Any) -> Any:
    """The field that a foreign key has its values of, or the field itself."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return field


def association(model: Any, given: Any) -> tuple[Any, Pairs]:
    """The model of the members, and the rows of the link, that a group model is linked by.

    `given` is the name by which the model has them: of a ManyToManyField, or of what leads back along one; or an
    `Association`. Raises: ValueError when it is no link that can be read and written row by row.
    """
    if isinstance(given, Association):
        pairs = Pairs(given.model, _key(given.model, given.group), _key(given.model, given.member))
        return pairs.member.related_model, _checked(pairs, model)
    name = f"{given} of the model {model.__name__}"
    for field in model._meta.many_to_many:
        if field.name == given:
            if field.remote_field.symmetrical:
                raise ValueError(f"{name} goes both ways, so that nobody could say which is the group")
            through, near, far = field.remote_field.through, field.m2m_field_name(), field.m2m_reverse_field_name()
            return field.related_model, _checked(Pairs(through, _key(through, near), _key(through, far), given), model)
    for relation in model._meta.related_objects:
        if relation.many_to_many and relation.get_accessor_name() == given:
            field, through = relation.field, relation.through
            near, far = field.m2m_reverse_field_name(), field.m2m_field_name()
            return field.model, _checked(Pairs(through, _key(through, near), _key(through, far), given), model)
    raise ValueError(f"{name} is no link to many: name one, or give an Association")


def place_of(field: Field) -> tuple[str | None, str, str]:
    """Return the schema, the table and the name of the column of a field; the schema is that of the connection."""
    found = field.source
    return None, str(found.model._meta.db_table), str(found.column)


def _key(model: Any, name: str) -> Any:
    try:
        key = model._meta.get_field(name)
    except FieldDoesNotExist:
        raise ValueError(f"{name} is no field of the model {model.__name__}") from None
    if not isinstance(key, models.ForeignKey) or not key.target_field.primary_key:
        raise ValueError(f"{name} of the model {model.__name__} must be a foreign key to a primary key")
    return key


def _checked(pairs: Pairs, model: Any) -> Pairs:
    if pairs.group.related_model._meta.concrete_model is not model._meta.concrete_model:
        raise ValueError(f"{pairs.group.name} of the model {pairs.model.__name__} leads to another model")
    return pairs
