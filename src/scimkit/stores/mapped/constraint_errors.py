"""Errors of the database about rows of the application's models, as `ScimError`.

Details name the attribute, and contain no text of the database and no personal data. This module never runs a
statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Final

from scimkit.errors import InvalidValue, PayloadTooLarge, ScimError, Uniqueness
from scimkit.stores.database_error_kinds import codes_of, kind_of
from scimkit.stores.mapped.attribute_mappings import field_of, shown_by
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout

STILL_NEEDED: Final = "Another record of this service still refers to this resource, so the resource cannot be deleted."


def constraint_error(
    error: BaseException | None,
    layout: Layout,
    column_of: Callable[[Field], str],
    constraints: Iterable[tuple[str, Collection[str]]],
) -> ScimError:
    """Return the `ScimError` for a row that the database refused.

    Args:
        error: The error of the driver.
        layout: The layout of the row.
        column_of: Returns the name of the column of a field.
        constraints: The names of the table's constraints, each with its columns.
    """
    kind = kind_of(error)
    if kind.name in ("value", "charset", "size"):
        column = column_said(error)
        path = named(layout, () if column is None else (column,), column_of)
        reason = "has a character that this service cannot store." if _is_of_charset(error) else _REASONS[kind.name]
        detail = f"{path or 'An attribute'} {reason}"
        return PayloadTooLarge(detail) if kind.answer is PayloadTooLarge else InvalidValue(detail)
    text = str(error)
    name = getattr(getattr(error, "diag", None), "constraint_name", None)
    columns = {column for each, some in constraints if each == name or each in text for column in some}
    path = named(layout, columns, column_of, text)
    if kind.name == "duplicate":
        return Uniqueness(path)
    if kind.name == "too-complex":  # the value is too long for the index of its column
        return InvalidValue(f"{path or 'An attribute'} {_REASONS['value']}")
    return InvalidValue(f"{path or 'A value'} violates a constraint of this service. Send another value.")


_REASONS: Final = {
    "value": "has a value that this service cannot store. The value may be too long or out of range.",
    "size": "is larger than this service can store.",
    "charset": "has a character that this service cannot store.",
}


def column_said(error: BaseException | None) -> str | None:
    """Return the column that a driver's error names, or None.

    MariaDB and MySQL name the column at the end of the message, after the value. The value may look like a name.
    """
    diagnosed: str | None = getattr(getattr(error, "diag", None), "column_name", None)
    if diagnosed is not None:
        return diagnosed
    found = re.findall(r"for column (?:`[^`]*`\.)*['`]([^'`]+)['`]", str(error))
    return found[-1] if found else None


def _is_of_charset(error: BaseException | None) -> bool:
    """Report whether a column's charset lacks a character of a text, or the text has the character NUL."""
    return 1366 in codes_of(error) or not {"22021", "22P05"}.isdisjoint(codes_of(error)) or "NUL (0x00)" in str(error)


def named(layout: Layout, columns: Collection[str], column_of: Callable[[Field], str], text: str = "") -> str | None:
    """Return the attribute whose column is among some columns or occurs in a database message, or None."""
    plain = text.partition("DETAIL")[0]
    for leaf in layout.every_leaf():
        fields = (shown_by(leaf.entry), field_of(leaf.entry))
        for column in (column_of(each) for each in fields if each is not None and each.name):
            if column in columns or re.search(rf"\b{re.escape(column)}\b", plain):
                return leaf.attribute.path
    return None
