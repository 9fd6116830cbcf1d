"""What a document must have, and what of it must stay as it is (RFC 7643 section 2.2).

This module reads no request: documents are canonical already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scimkit.errors import InvalidValue, MutabilityViolation
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType


def require(resource_type: ResourceType, document: Mapping[str, Any]) -> None:
    """Check that every required attribute has a value (RFC 7643 section 2.2). Raises: InvalidValue."""
    for attribute in resource_type.required:
        value = document.get(attribute.name)
        if value is None or (value == "" and attribute.type == "string"):
            raise InvalidValue(f"{attribute.path} is required.")


def require_within(attribute: Attribute, value: Any) -> None:
    """Check that each complex value of an attribute has its required sub-attributes. Raises: InvalidValue."""
    for each in value if attribute.multi_valued else (value,):
        for child in attribute.required_children:
            if child.name not in each:
                raise InvalidValue(f"{child.path} is required.")
        for child in attribute.requiring_children:
            if child.name in each:
                require_within(child, each[child.name])


def check_immutable(resource_type: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Check that no immutable attribute with a value gets another one (RFC 7644 section 3.5.1).

    Raises: MutabilityViolation.
    """
    for attribute in resource_type.attributes.values():
        check_unchanged(attribute, old.get(attribute.name), new.get(attribute.name))


def check_unchanged(attribute: Attribute, old: Any, new: Any) -> None:
    """Check that an immutable attribute keeps the value it has, and so do those within a singular complex one.

    Which values of a multi-valued attribute belong together is not known here. Raises: MutabilityViolation.
    """
    if not attribute.has_immutable or old is None or old is new:
        return
    if attribute.mutability == "immutable":
        if old != new:
            raise MutabilityViolation(f"{attribute.path} is immutable and already has a value.")
    else:
        for child in attribute.children.values():
            check_unchanged(child, old.get(child.name), new.get(child.name) if type(new) is dict else None)
