"""Errors of the database about rows of SQLAlchemy models, as `ScimError`. This module never runs a statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, StatementError

from scimkit.errors import InvalidValue, ScimError, Unavailable
from scimkit.stores.database_error_kinds import kind_of
from scimkit.stores.database_errors import UNSTORABLE
from scimkit.stores.mapped import constraint_errors
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout


def constraint_error(error: Exception, layout: Layout) -> ScimError:
    """Return the `ScimError` for a row that the database refused."""
    if not isinstance(error, DBAPIError):
        return InvalidValue(UNSTORABLE)
    return constraint_errors.constraint_error(error.orig, layout, _column, _constraints(layout.mapped.model))


@contextmanager
def rows_refused(layout: Layout) -> Iterator[None]:
    """Raise the `ScimError` for a row that the database refuses.

    Failures of the database itself pass unchanged.
    """
    try:
        yield
    except StatementError as error:
        if isinstance(error, DBAPIError) and kind_of(error.orig).answer is Unavailable:
            raise
        raise constraint_error(error, layout) from None


def _column(field: Field) -> str:
    """Return the name of the column of a field."""
    return str(field.source.property.columns[0].name)


def _constraints(model: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each index and constraint of a model's table, with the names of its columns."""
    table: Any = sa.inspect(model).local_table
    for each in (*table.indexes, *table.constraints):
        if each.name is not None:
            made_of = " ".join(map(str, getattr(each, "expressions", ())))
            yield str(each.name), [*(column.name for column in each.columns), *re.findall(r"\w+", made_of)]
