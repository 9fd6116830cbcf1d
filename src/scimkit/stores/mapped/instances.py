"""Reading and writing the attributes of model instances. This module never talks to a database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from scimkit.errors import InvalidValue
from scimkit.schema.attributes import Attribute
from scimkit.stores.mapped.fields import Field

Instance: TypeAlias = Any
"""An instance of the application's model, which represents a row."""


def value_of(instance: Instance, field: Field) -> Any:
    """Return the value of a field. For a field inside JSON, return the value at its keys, or None."""
    value = getattr(instance, field.name)
    for key in field.keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def with_value(whole: Any, keys: tuple[str, ...], value: Any) -> Any:
    """Return a copy of a JSON object with the value at some keys replaced. None removes the value."""
    first, *rest = keys
    changed = dict(whole) if isinstance(whole, Mapping) else {}
    below = with_value(changed.get(first), tuple(rest), value) if rest else value
    if below is None:
        changed.pop(first, None)
    else:
        changed[first] = below
    return changed


def assign(instance: Instance, field: Field, value: Any, attribute: Attribute) -> bool:
    """Set a field to a value, and report whether the value changed.

    Raises:
        InvalidValue: A validator of the application refused the value.
    """
    if getattr(instance, field.name) == value:
        return False
    put(instance, field.name, value, attribute)
    return True


def put(instance: Instance, name: str, value: Any, attribute: Attribute) -> None:
    """Set an attribute of an instance.

    Raises:
        InvalidValue: A validator of the application refused the value.
    """
    try:
        setattr(instance, name, value)
    except ValueError:  # raised by a validator of the application
        raise refused(attribute) from None


def refused(attribute: Attribute) -> InvalidValue:
    """Return the error for a value that a validator of the application refused."""
    return InvalidValue(f"{attribute.path} has a value that this service refuses. Send another value.")
