"""The page of the attribute map: what the service stores, for the mapping page of an identity provider."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from scimkit.admin.page_requests import Answer, Page, PageRequest
from scimkit.admin.ports import Ports
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import META, ServedType, served_by

PASSWORD: Final = "password"
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
    is_only_element: bool
    """True if the store keeps the elements of this path only, and drops the other elements of the attribute."""
    description: str


class AttributePages:
    """The handler of the attribute map."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def show(self, call: PageRequest) -> Answer:
        """Show the attributes of every resource type."""
        service = self._ports.service
        served = {each.resource_type.name: each for each in served_by(service.store) or ()}
        dropped = () if service.accepts_passwords else (PASSWORD,)
        rows: Mapping[str, list[AttributeRow]] = {
            each.name: list(attribute_rows(each, served.get(each.name, ServedType(each)), dropped))
            for each in service.resource_types
        }
        return Page("attributes.html", {"rows": rows})


def attribute_rows(
    resource_type: ResourceType, served: ServedType, dropped: Collection[str] = ()
) -> Iterator[AttributeRow]:
    """Yield the attributes of a resource type, with the sub-attributes of complex attributes in their place.

    Args:
        resource_type: The resource type.
        served: What the store keeps of the resource type.
        dropped: Paths of more attributes that the service does not keep.
    """
    unmapped = {*served.unmapped, *dropped}
    for attribute in resource_type.attributes.values():
        if attribute.name in _HIDDEN:
            continue
        inner = attribute.children.values() if attribute.is_extension else (attribute,)
        for each in inner:
            yield from _rows(each, resource_type, served, unmapped)


def _rows(
    attribute: Attribute, resource_type: ResourceType, served: ServedType, unmapped: Collection[str]
) -> Iterator[AttributeRow]:
    parts = [each for each in attribute.children.values() if each.name != "$ref"]
    elements = [each for each in served.elements if _is_of(each, attribute)]
    for each in parts or (attribute,):
        chosen = [path for path in elements if path.rpartition(".")[2] == each.name]
        is_kept = {attribute.path, each.path}.isdisjoint(unmapped) and bool(chosen or not elements)
        for path in chosen or (_mapping_path(attribute, each),):
            yield AttributeRow(
                path=path,
                type=each.type,
                is_multi_valued=attribute.multi_valued,
                is_required=each.required and (each is attribute or attribute.required),
                is_unique=each.path in resource_type.unique,
                is_read_only="readOnly" in (attribute.mutability, each.mutability)
                or not {attribute.path, each.path, path}.isdisjoint(served.read_only),
                is_kept=is_kept,
                is_only_element=path in elements,
                description=each.description,
            )


def _is_of(element: str, attribute: Attribute) -> bool:
    """Report whether the path of a sub-attribute of an element belongs to a multi-valued attribute."""
    return element.startswith((f"{attribute.path}[", f"{attribute.path}."))


def _mapping_path(attribute: Attribute, part: Attribute) -> str:
    """Return the path of an attribute. An element of several is selected by its type, as Entra writes it."""
    kind = attribute.children.find("type")
    if part is attribute or not attribute.multi_valued or kind is None or part is kind or attribute.keyed:
        return part.path
    chosen = kind.canonical_values[0] if kind.canonical_values else "work"
    return f'{attribute.path}[type eq "{chosen}"].{part.name}'
