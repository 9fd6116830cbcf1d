"""Values on instances of a host's models: read, and written where they change.

This module never talks to a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from scimkit.errors import InvalidValue
from scimkit.schema.attributes import Attribute
from scimkit.stores.mapped.fields import Field

Instance: TypeAlias = Any
"""A row as the host's own model has it."""


def value_of(instance: Instance, field: Field) -> Any:
    """What a column has; within JSON, what is where the keys lead, or None."""
    value = getattr(instance, field.name)
    for key in field.keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def with_value(whole: Any, keys: tuple[str, ...], value: Any) -> Any:
    """The JSON with a value put where the keys lead, or taken away; the JSON that was there is not changed."""
    first, *rest = keys
    changed = dict(whole) if isinstance(whole, Mapping) else {}
    below = with_value(changed.get(first), tuple(rest), value) if rest else value
    if below is None:
        changed.pop(first, None)
    else:
        changed[first] = below
    return changed


def assign(instance: Instance, field: Field, value: Any, attribute: Attribute) -> bool:
    """Give a column a value; whether it had another one. Raises: InvalidValue."""
    if getattr(instance, field.name) == value:
        return False
    put(instance, field.name, value, attribute)
    return True


def put(instance: Instance, name: str, value: Any, attribute: Attribute) -> None:
    """Set an attribute of an instance. Raises: InvalidValue when the host's own code refuses."""
    try:
        setattr(instance, name, value)
    except ValueError:  # of the host's own validators
        raise refused(attribute) from None


def refused(attribute: Attribute) -> InvalidValue:
    """What a client is told when the host's own code raises a ValueError."""
    return InvalidValue(f"{attribute.path} has a value that this service does not take.")
