"""Checks of required and immutable attributes in canonical documents (RFC 7643 section 2.2).

This module never reads a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scimkit.errors import InvalidValue, MutabilityViolation
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType


def require(resource_type: ResourceType, document: Mapping[str, Any]) -> None:
    """Check that every required attribute has a value (RFC 7643 section 2.2).

    Raises:
        InvalidValue: A required attribute has no value.
    """
    for attribute in resource_type.required:
        value = document.get(attribute.name)
        if value is None or (value == "" and attribute.type == "string"):
            raise InvalidValue(f"{attribute.path} is required.")


def require_within(attribute: Attribute, value: Any) -> None:
    """Check that each complex value of an attribute has its required sub-attributes.

    Raises:
        InvalidValue: A required sub-attribute has no value.
    """
    for each in value if attribute.multi_valued else (value,):
        for child in attribute.required_children:
            if child.name not in each:
                raise InvalidValue(f"{child.path} is required.")
        for child in attribute.requiring_children:
            if child.name in each:
                require_within(child, each[child.name])


def check_immutable(resource_type: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Check that no immutable attribute changes after it has a value (RFC 7644 section 3.5.1).

    Raises:
        MutabilityViolation: An immutable attribute has another value in the new document.
    """
    for attribute in resource_type.attributes.values():
        check_unchanged(attribute, old.get(attribute.name), new.get(attribute.name))


def check_unchanged(attribute: Attribute, old: Any, new: Any) -> None:
    """Check that an immutable attribute keeps its value.

    Immutable sub-attributes of a singular complex attribute are checked too. Sub-attributes of a multi-valued
    attribute are not checked, because this function cannot match the old elements to the new ones.

    Raises:
        MutabilityViolation: An immutable attribute has another value in `new`.
    """
    if not attribute.has_immutable or old is None or old is new:
        return
    if attribute.mutability == "immutable":
        if old != new:
            raise MutabilityViolation(f"{attribute.path} is immutable and already has a value.")
    else:
        for child in attribute.children.values():
            check_unchanged(child, old.get(child.name), new.get(child.name) if type(new) is dict else None)
