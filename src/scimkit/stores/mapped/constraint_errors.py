"""What a host's constraints and types refuse, in words of SCIM: no text of a database, no value of anyone's.

This module never runs a query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from scimkit.errors import InvalidValue, ScimError, Uniqueness
from scimkit.stores.database_errors import taken
from scimkit.stores.mapped.attribute_mappings import field_of, shown_by
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout


def constraint_error(
    error: BaseException | None,
    layout: Layout,
    column_of: Callable[[Field], str],
    constraints: Iterable[tuple[str, Collection[str]]],
) -> ScimError:
    """What a client is told of a row that a constraint does not let be, by the driver's error.

    `column_of` names the column of a field; `constraints` are those of the table, with the columns of each.
    """
    text = str(error)
    name = getattr(getattr(error, "diag", None), "constraint_name", None)
    columns = {column for each, some in constraints if each == name or each in text for column in some}
    path = named(layout, columns, column_of, text)
    if taken(error):
        return Uniqueness(path)
    return InvalidValue("This service needs another value." if path is None else f"{path} must have another value.")


def named(layout: Layout, columns: Collection[str], column_of: Callable[[Field], str], text: str = "") -> str | None:
    """The attribute whose column is one of some, or is what a database's message is about, if one is."""
    plain = text.partition("DETAIL")[0]
    for leaf in layout.every_leaf():
        fields = (shown_by(leaf.entry), field_of(leaf.entry))
        for column in (column_of(each) for each in fields if each is not None and each.name):
            if column in columns or re.search(rf"\b{re.escape(column)}\b", plain):
                return leaf.attribute.path
    return None
