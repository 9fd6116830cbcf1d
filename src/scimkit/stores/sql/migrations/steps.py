"""Steps of migrations that do nothing if they were already done. This module never changes a row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op


def add_table(name: str, *parts: Any, **options: Any) -> None:
    """Create a table without its indexes, unless the table exists."""
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *parts, **options)


def add_index(name: str, table: str, *columns: str) -> None:
    """Create an index, unless the index exists."""
    if name not in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, list(columns))


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column to a table, unless the column exists."""
    if column.name not in {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)
