"""What a request has written, which is then returned though it is returned on request only (RFC 7643 section 7).

This module never reads a store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from scimkit.patch.operations import Operation
from scimkit.schema.attributes import AttributePath

WrittenByRequest: TypeAlias = Callable[[AttributePath], bool]
"""Whether a request has written to an attribute."""


def nothing_written(path: AttributePath) -> bool:
    """What a read has written."""
    return False


def written_in_document(document: Mapping[str, Any]) -> WrittenByRequest:
    """What a create or a replace has written."""
    return lambda path: _has(document, path.names)


def written_by_operations(operations: Sequence[Operation]) -> WrittenByRequest:
    """What a PATCH has written."""
    return lambda path: any(_writes(each, path) for each in operations)


def _has(value: Any, names: Sequence[str]) -> bool:
    """Whether there is a value at a path, in any of the values of a multi-valued attribute."""
    if type(value) is list:
        return any(_has(each, names) for each in value)
    return not names or (type(value) is dict and names[0] in value and _has(value[names[0]], names[1:]))


def _writes(operation: Operation, path: AttributePath) -> bool:
    """Whether an operation writes to an attribute, or to what it is a part of."""
    target = operation.path
    is_there = target.attribute is path.attribute and target.extension is path.extension
    return is_there and operation.op != "remove" and target.sub_attribute in (None, path.sub_attribute)
