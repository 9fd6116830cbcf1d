"""The page of the attribute map: what the service stores, for the mapping page of an identity provider."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from scimkit.admin.page_requests import Answer, Page, PageRequest
from scimkit.admin.ports import Ports
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import META, served_by

_HIDDEN: Final = frozenset({"schemas", META})


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One attribute, as the attribute map shows it."""

    path: str
    """The path, as a mapping page names it."""
    type: str
    is_multi_valued: bool
    is_required: bool
    is_unique: bool
    is_read_only: bool
    is_kept: bool
    description: str


class AttributePages:
    """The handler of the attribute map."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def show(self, call: PageRequest) -> Answer:
        """Show the attributes of every resource type."""
        served = served_by(self._ports.service.store) or ()
        unmapped = {each.resource_type.name: frozenset(each.unmapped) for each in served}
        rows: Mapping[str, list[AttributeRow]] = {
            each.name: list(attribute_rows(each, unmapped.get(each.name, frozenset())))
            for each in self._ports.service.resource_types
        }
        return Page("attributes.html", {"rows": rows})


def attribute_rows(resource_type: ResourceType, unmapped: Collection[str]) -> Iterator[AttributeRow]:
    """Yield the attributes of a resource type, with the sub-attributes of complex attributes in their place."""
    for attribute in resource_type.attributes.values():
        if attribute.name in _HIDDEN:
            continue
        inner = attribute.children.values() if attribute.is_extension else (attribute,)
        for each in inner:
            yield from _rows(each, resource_type, unmapped)


def _rows(attribute: Attribute, resource_type: ResourceType, unmapped: Collection[str]) -> Iterator[AttributeRow]:
    parts = [each for each in attribute.children.values() if each.name != "$ref"]
    for each in parts or (attribute,):
        is_ancestor_lost = attribute.path in unmapped
        yield AttributeRow(
            path=_mapping_path(attribute, each),
            type=each.type,
            is_multi_valued=attribute.multi_valued,
            is_required=each.required and (each is attribute or attribute.required),
            is_unique=each.path in resource_type.unique,
            is_read_only="readOnly" in (attribute.mutability, each.mutability),
            is_kept=not is_ancestor_lost and each.path not in unmapped,
            description=each.description,
        )


def _mapping_path(attribute: Attribute, part: Attribute) -> str:
    """Return the path of an attribute. An element of several is selected by its type, as Entra writes it."""
    kind = attribute.children.find("type")
    if part is attribute or not attribute.multi_valued or kind is None or part is kind or attribute.keyed:
        return part.path
    chosen = kind.canonical_values[0] if kind.canonical_values else "work"
    return f'{attribute.path}[type eq "{chosen}"].{part.name}'
