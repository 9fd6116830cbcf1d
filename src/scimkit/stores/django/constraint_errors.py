"""Errors of Django and of the database about rows of Django models, as `ScimError`. This module never runs a query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, Error, IntegrityError, models

from scimkit.errors import InvalidValue, ScimError
from scimkit.stores.mapped import constraint_errors
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout

REFUSED = (IntegrityError, DataError, ValidationError, ValueError, OverflowError)
"""Exceptions of Django, of the database or of the application for a row that is refused."""


def constraint_error(error: Exception, layout: Layout) -> ScimError:
    """Return the `ScimError` for a row that the database or the application refused."""
    if not isinstance(error, Error) or error.__cause__ is None:
        path = constraint_errors.named(layout, getattr(error, "error_dict", ()), lambda field: str(field.source.name))
        return InvalidValue(f"{path or 'An attribute'} has a value that this service refuses. Send another value.")
    return constraint_errors.constraint_error(error.__cause__, layout, _column, _constraints(layout.mapped.model))


def _column(field: Field) -> str:
    """Return the name of the column of a field."""
    return str(field.source.column)


def _constraints(model: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each unique constraint of a model, with the names of its columns."""
    meta = model._meta
    for each in meta.constraints:
        if isinstance(each, models.UniqueConstraint):
            yield each.name, [meta.get_field(name).column for name in (*each.fields, *_within(each))]
    for field in meta.concrete_fields:
        if field.unique:
            yield f"{meta.db_table}_{field.column}_key", [field.column]


def _within(constraint: Any) -> Iterator[str]:
    """Yield the names of the fields in the expressions of a constraint."""
    for each in constraint.expressions:
        parts = list(each.flatten()) if hasattr(each, "flatten") else [each]
        named: list[Any] = [part for part in parts if isinstance(part, models.F)]
        yield from (part.name for part in named)
