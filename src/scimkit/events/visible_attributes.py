"""The attributes of a resource that an event may show: not those that are never returned, writeOnly or sensitive."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from scimkit.documents import Document
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType


class VisibleAttributes:
    """Selects the attributes of one resource type that events may show.

    Args:
        resource_type: The resource type.
        sensitive: Paths of attributes to hide, besides those that are never returned or writeOnly.
    """

    def __init__(self, resource_type: ResourceType, sensitive: Collection[str] = ()) -> None:
        self._resource_type = resource_type
        self._hidden = frozenset(path.text for path in map(resource_type.resolve, sensitive) if path is not None)
        self._hiding = frozenset(
            name for name, attribute in resource_type.attributes.items() if self._hides_any(attribute)
        )

    def of(self, document: Document) -> Document:
        """Return the attributes of a document that an event may show. Return the same object if all are shown."""
        if self._hiding.isdisjoint(document):
            return document
        return self._shown(self._resource_type.attributes, document)

    def shows(self, path: str) -> bool:
        """Report whether an event may show the attribute of a path. Unknown attributes are not shown."""
        found = self._resource_type.resolve(path)
        if found is None:
            return False
        parts = (found.extension, found.attribute, found.sub_attribute)
        return not any(each is not None and self._is_hidden(each) for each in parts)

    def _hides_any(self, attribute: Attribute) -> bool:
        return self._is_hidden(attribute) or any(map(self._hides_any, attribute.children.values()))

    def _is_hidden(self, attribute: Attribute) -> bool:
        return attribute.returned == "never" or attribute.mutability == "writeOnly" or attribute.path in self._hidden

    def _shown(self, table: Mapping[str, Attribute], values: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for name, value in values.items():
            attribute = table.get(name)
            if attribute is None or attribute.type != "complex":
                if attribute is None or not self._is_hidden(attribute):
                    shown[name] = value
            elif not self._is_hidden(attribute):
                if attribute.multi_valued:
                    shown[name] = [self._shown(attribute.children, each) for each in value]
                else:
                    shown[name] = self._shown(attribute.children, value)
        return shown
