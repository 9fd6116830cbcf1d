"""Attributes whose elements name resources that exist, such as the owners of an agent.

A resource type names these attributes in `ResourceType.references`. This module has the rules; the stores keep them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from scimkit.documents import Document
from scimkit.errors import InvalidValue
from scimkit.schema.resource_types import ResourceType


def refers(resource_type: ResourceType, written: Collection[str]) -> bool:
    """Report whether a write touches an attribute of references.

    Args:
        resource_type: The resource type.
        written: The top-level attributes that the write assigns or changes.
    """
    return bool(resource_type.references) and any(each in written for each in resource_type.references)


def named_ids(resource_type: ResourceType, document: Document) -> Iterator[str]:
    """Yield the ids that the references of a document name."""
    for name in resource_type.references:
        for each in document.get(name, ()):
            if "value" in each:
                yield each["value"]


def checked_references(resource_type: ResourceType, document: Document, types: Mapping[str, str]) -> dict[str, Any]:
    """Return a document whose references have the type of the resource that they name, each resource once.

    Args:
        resource_type: The resource type of the document.
        document: The document.
        types: The resource types of the ids that exist.

    Raises:
        InvalidValue: A reference names no resource, or a resource of a type to which the attribute does not refer.
    """
    checked = dict(document)
    for name in resource_type.references:
        if name not in document:
            continue
        allowed = resource_type.attributes[name].children["$ref"].reference_types
        kinds = " or a ".join(allowed)
        elements: dict[str, dict[str, Any]] = {}
        for each in document[name]:
            kind = types.get(each.get("value", ""))
            if kind not in allowed:
                raise InvalidValue(
                    f"A value in {name} is not the id of a {kinds}. Create the resource before you refer to it."
                )
            elements.setdefault(each["value"], {**each, "type": kind})
        checked[name] = list(elements.values())
    return checked


def without_references(names: Collection[str], document: Document, id: str) -> dict[str, Any]:
    """Return a document without the references to a resource.

    Args:
        names: The attributes of references.
        document: The document.
        id: The id of the resource.
    """
    kept = dict(document)
    for name in names:
        if name in document:
            elements = [each for each in document[name] if each["value"] != id]
            if elements:
                kept[name] = elements
            else:
                del kept[name]
    return kept
