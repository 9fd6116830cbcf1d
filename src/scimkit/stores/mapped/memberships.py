"""The links between groups and members of the mapped models. This module never reads a row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from scimkit.schema.resource_types import ResourceType
from scimkit.stores.mapped.declaration import ResourceMapping
from scimkit.stores.mapped.fields import Fields
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.references import references_of
from scimkit.stores.mapped.unmapped import element_paths, read_only_paths, unmapped_paths
from scimkit.stores.metadata import has_members, is_computed
from scimkit.stores.protocol import GROUPS, MEMBERS, Capability, ServedType


@dataclass(frozen=True, slots=True)
class Membership:
    """A link between a group model and a member model. Both may be the same model."""

    group: Layout
    member: Layout
    source: Any
    """The object of the backend that represents the association."""


@dataclass(frozen=True, slots=True)
class End:
    """An end of a link between groups and members. The layout `other` is at the far end."""

    link: Membership
    from_group: bool

    @property
    def other(self) -> Layout:
        """The layout at the far end."""
        return self.link.member if self.from_group else self.link.group

    @property
    def kind(self) -> str:
        """The `type` of an element of `members` (RFC 7643 section 4.2), or of `groups` (RFC 7643 section 4.1.2)."""
        return self.link.member.resource_type.name if self.from_group else "direct"


class Plan:
    """All layouts of a store, and the links between them.

    Args:
        declared: The mappings of the resource types.
        fields_of: Returns the `Fields` of a model.
        link_of: Returns the member model and the association of the backend, for a group model and a link of a mapping.

    Raises:
        ValueError: A mapping is wrong. The message names the entry.
    """

    def __init__(
        self,
        declared: Sequence[ResourceMapping],
        fields_of: Callable[[Any], Fields],
        link_of: Callable[[Any, Any], tuple[Any, Any]],
    ) -> None:
        self.layouts: dict[str, Layout] = {
            each.resource_type.name: Layout(each, fields_of(each.model)) for each in declared
        }
        if len(self.layouts) < len(declared):
            raise ValueError(
                "Two ResourceMappings have the same resource type. Give each resource type one ResourceMapping."
            )
        self.links: list[Membership] = [
            self._link(layout, *link_of(layout.mapped.model, given))
            for layout in self.layouts.values()
            for given in layout.mapped.members
        ]
        self._tie_references()
        self._check_ids()

    @property
    def unsupported(self) -> Collection[Capability]:
        """The capabilities that a store with these mappings lacks.

        Attributes without an entry cannot be filtered, and a model without a tenant column has one tenant only.
        """
        several = all(each.tenant is not None for each in self.layouts.values())
        unsupported = frozenset[Capability]({"filters", "member_pages"})
        return unsupported if several else unsupported | frozenset[Capability]({"tenants"})

    @property
    def serves(self) -> tuple[ServedType, ...]:
        """The mapped resource types, with the paths that each mapping leaves out, never writes, or keeps in part."""
        return tuple(
            ServedType(each.resource_type, self._unmapped(each), read_only_paths(each), element_paths(each))
            for each in self.layouts.values()
        )

    def _unmapped(self, layout: Layout) -> tuple[str, ...]:
        """Return the paths that a mapping leaves out, including `members` of groups without links."""
        unlinked = has_members(layout.resource_type) and not self.members_of(layout)
        return (*unmapped_paths(layout), MEMBERS) if unlinked else unmapped_paths(layout)

    def layout(self, resource_type: ResourceType) -> Layout:
        """Return the layout of a resource type.

        Raises:
            ValueError: The resource type has no mapping.
        """
        try:
            return self.layouts[resource_type.name]
        except KeyError:
            raise ValueError(f"The store has no ResourceMapping for {resource_type.name}.") from None

    def members_of(self, layout: Layout) -> list[End]:
        """Return the links from a group to its members."""
        return [End(each, True) for each in self.links if each.group is layout]

    def groups_of(self, layout: Layout) -> list[End]:
        """Return the links from a resource to its groups."""
        return [End(each, False) for each in self.links if each.member is layout]

    def shows_groups(self, layout: Layout) -> bool:
        """Report whether resources of the type have the computed attribute `groups` (RFC 7643 section 4.1.2)."""
        return is_computed(layout.resource_type, GROUPS) and bool(self.groups_of(layout))

    def _link(self, group: Layout, model: Any, source: Any) -> Membership:
        """Return the link from a group layout to the model of its members."""
        name = group.resource_type.name
        if not has_members(group.resource_type):
            raise ValueError(f"{name}: members: the resource type has no attribute members")
        member = self._of_model(model)
        if member is None:
            raise ValueError(f"{name}: members: the model of the members needs a ResourceMapping")
        return Membership(group, member, source)

    def _tie_references(self) -> None:
        """Set the layouts of all references."""
        for layout in self.layouts.values():
            for reference in references_of(layout):
                reference.owner = layout
                reference.target = self._of_model(reference.relation.model)
                if reference.target is None:
                    name = reference.relation.name
                    owner = layout.resource_type.name
                    raise ValueError(f"{owner}: the model of {name} needs a ResourceMapping")

    def _of_model(self, model: Any) -> Layout | None:
        """Return the layout of a model, or None."""
        return next((each for each in self.layouts.values() if each.mapped.model is model), None)

    def _check_ids(self) -> None:
        """Check that ids are unique across resource types (RFC 7643 section 3.1).

        Two tables that number their rows need different prefixes.
        """
        numbered = [each.id.prefix for each in self.layouts.values() if each.id.field.type is int]
        if len(set(numbered)) < len(numbered):
            raise ValueError(
                "Two models number their rows, so ids would not be unique. Give each ResourceMapping a prefix."
            )
