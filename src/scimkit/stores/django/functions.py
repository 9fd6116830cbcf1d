"""SQL functions of conditions, compiled for each database. This module contains no rule of SCIM."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Func
from django.db.models.lookups import Exact


class Utf8(Func):
    """The UTF-8 bytes of a text. Bytes compare independently of collations."""

    template = "CAST(%(expressions)s AS BLOB)"
    arity: int | None = 1
    output_field: Any = models.BinaryField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Compile the function for PostgreSQL."""
        return self.as_sql(compiler, connection, template="convert_to((%(expressions)s)::text, 'UTF8')", **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Compile the function for MariaDB and MySQL."""
        template = "CAST(CONVERT(%(expressions)s USING utf8mb4) AS BINARY)"
        return self.as_sql(compiler, connection, template=template, **context)


class SameForUnique(Exact):
    """The condition that two texts are equal for a unique index.

    MariaDB and MySQL compare by the collation. The other databases compare bytes.
    """

    def as_mysql(self, compiler: Any, connection: Any) -> Any:
        """Compile the condition as a comparison by collation."""
        (column,), (given,) = (each.get_source_expressions() for each in (self.lhs, self.rhs))
        return Exact(column, given).as_sql(compiler, connection)


class Length(Func):
    """The number of bytes."""

    function: str | None = "LENGTH"
    arity: int | None = 1
    output_field: Any = models.IntegerField()


class Part(Func):
    """Some of the bytes, by the one-based position of the first byte and the number of bytes."""

    function: str | None = "SUBSTR"
    output_field: Any = models.BinaryField()


class Place(Func):
    """The one-based position of bytes within bytes, or 0 if they do not occur."""

    function: str | None = "INSTR"
    arity: int | None = 2
    output_field: Any = models.IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Compile the function as `position` for PostgreSQL."""
        turned = self.copy()
        turned.set_source_expressions(self.get_source_expressions()[::-1])
        return turned.as_sql(compiler, connection, function="position", arg_joiner=" in ", **context)


class JsonText(Func):
    """The text, number or boolean at some keys of a JSON column, as a text. NULL if there is none."""

    arity: int | None = 1
    output_field: Any = models.TextField()
    template = (
        "CASE JSON_TYPE(%(expressions)s, %%s) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "
        "ELSE CAST(JSON_EXTRACT(%(expressions)s, %%s) AS TEXT) END"
    )

    def __init__(self, column: Any, keys: Sequence[str]) -> None:
        super().__init__(column)
        self._keys = list(keys)

    def as_sql(self, compiler: Any, connection: Any, *given: Any, **context: Any) -> Any:
        """Compile the function for SQLite."""
        path = "$" + "".join(f".{json.dumps(key)}" for key in self._keys)
        return self._with(path, super().as_sql(compiler, connection, *given, **context))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Compile the function for PostgreSQL."""
        sql, parameters = super().as_sql(compiler, connection, template="(%(expressions)s #>> %%s)", **context)
        return sql, (*parameters, self._keys)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Compile the function for MariaDB and MySQL."""
        template = (
            "CASE JSON_TYPE(JSON_EXTRACT(%(expressions)s, %%s)) WHEN 'NULL' THEN NULL "
            "ELSE JSON_UNQUOTE(JSON_EXTRACT(%(expressions)s, %%s)) END"
        )
        return self.as_sql(compiler, connection, template=template, **context)

    @staticmethod
    def _with(path: str, compiled: Any) -> Any:
        """Return the SQL with the path as the parameter of each placeholder. The column itself has no parameters."""
        sql, parameters = compiled
        return sql, (*parameters, *[path] * (sql.count("%s") - len(parameters)))
