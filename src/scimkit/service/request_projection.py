"""The attributes that a request wrote. The response includes them even if they are returned on request only.

Source: RFC 7643 section 7. This module does not call the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from scimkit.patch.operations import Operation
from scimkit.schema.attributes import AttributePath

WrittenByRequest: TypeAlias = Callable[[AttributePath], bool]
"""A function that reports whether a request has written to an attribute."""


def written_in_document(document: Mapping[str, Any]) -> WrittenByRequest:
    """Return a function that reports whether a create or a replace has written to an attribute."""
    return lambda path: _has_value(document, path.names)


def written_by_operations(operations: Sequence[Operation]) -> WrittenByRequest:
    """Return a function that reports whether a PATCH has written to an attribute."""
    return lambda path: any(_writes(each, path) for each in operations)


def _has_value(value: Any, names: Sequence[str]) -> bool:
    """Report whether a value exists at a path, in any element of a multi-valued attribute."""
    if type(value) is list:
        return any(_has_value(each, names) for each in value)
    return not names or (type(value) is dict and names[0] in value and _has_value(value[names[0]], names[1:]))


def _writes(operation: Operation, path: AttributePath) -> bool:
    """Report whether an operation writes to an attribute, or to the complex attribute that contains it."""
    target = operation.path
    is_same = target.attribute is path.attribute and target.extension is path.extension
    return is_same and operation.op != "remove" and target.sub_attribute in (None, path.sub_attribute)
