"""Which models are linked as groups and members. This module never reads a row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from scimkit.schema.resource_types import ResourceType
from scimkit.stores.mapped.declaration import ResourceMapping
from scimkit.stores.mapped.fields import Fields
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.references import references_of
from scimkit.stores.mapped.unmapped import unmapped_paths
from scimkit.stores.metadata import has_members, is_computed
from scimkit.stores.protocol import GROUPS, MEMBERS, Capability, ServedType


@dataclass(frozen=True, slots=True)
class Membership:
    """A group model whose rows have rows of another model, or of its own, as members."""

    group: Layout
    member: Layout
    source: Any
    """The back end's own: the association."""


@dataclass(frozen=True, slots=True)
class End:
    """A link seen from one of its ends: `other` is what stands at the far end."""

    link: Membership
    from_group: bool

    @property
    def other(self) -> Layout:
        return self.link.member if self.from_group else self.link.group

    @property
    def kind(self) -> str:
        """The `type` of an entry of `members` (RFC 7643 section 4.2), or of `groups` (section 4.1.2)."""
        return self.link.member.resource_type.name if self.from_group else "direct"


class Plan:
    """Every layout of a store, and the links between them.

    `fields_of` makes the `Fields` of a model; `link_of` says, of what a host gave as a link from a group model, the
    model of the members and the back end's own. Raises: ValueError, which names the entry, for a wrong declaration.
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
            raise ValueError("a resource type has two ResourceMappings")
        self.links: list[Membership] = [
            self._link(layout, *link_of(layout.mapped.model, given))
            for layout in self.layouts.values()
            for given in layout.mapped.members
        ]
        self._tie_references()
        self._check_ids()

    @property
    def unsupported(self) -> Collection[Capability]:
        """What a store of these lacks: filters on what no entry maps, and tenants where a model has none."""
        several = all(each.tenant is not None for each in self.layouts.values())
        unsupported = frozenset[Capability]({"filters", "member_pages"})
        return unsupported if several else unsupported | frozenset[Capability]({"tenants"})

    @property
    def serves(self) -> tuple[ServedType, ...]:
        """The resource types that have a ResourceMapping, with what each mapping leaves out."""
        return tuple(ServedType(each.resource_type, self._unmapped(each)) for each in self.layouts.values())

    def _unmapped(self, layout: Layout) -> tuple[str, ...]:
        unlinked = has_members(layout.resource_type) and not self.members_of(layout)
        return (*unmapped_paths(layout), MEMBERS) if unlinked else unmapped_paths(layout)

    def layout(self, resource_type: ResourceType) -> Layout:
        """The layout of a resource type. Raises: ValueError when none was declared."""
        try:
            return self.layouts[resource_type.name]
        except KeyError:
            raise ValueError(f"no ResourceMapping was given for {resource_type.name}") from None

    def members_of(self, layout: Layout) -> list[End]:
        """The ends at which the members of a group are."""
        return [End(each, True) for each in self.links if each.group is layout]

    def groups_of(self, layout: Layout) -> list[End]:
        """The ends at which the groups are that a resource is a member of."""
        return [End(each, False) for each in self.links if each.member is layout]

    def shows_groups(self, layout: Layout) -> bool:
        """Whether resources of the type have the attribute `groups` that is computed (RFC 7643 section 4.1.2)."""
        return is_computed(layout.resource_type, GROUPS) and bool(self.groups_of(layout))

    def _link(self, group: Layout, model: Any, source: Any) -> Membership:
        name = group.resource_type.name
        if not has_members(group.resource_type):
            raise ValueError(f"{name}: members: the resource type has no members")
        member = self._of_model(model)
        if member is None:
            raise ValueError(f"{name}: members: no ResourceMapping was given for the model of the members")
        return Membership(group, member, source)

    def _tie_references(self) -> None:
        for layout in self.layouts.values():
            for reference in references_of(layout):
                reference.owner = layout
                reference.target = self._of_model(reference.relation.model)
                if reference.target is None:
                    name = reference.relation.name
                    owner = layout.resource_type.name
                    raise ValueError(f"{owner}: no ResourceMapping was given for the model of {name}")

    def _of_model(self, model: Any) -> Layout | None:
        return next((each for each in self.layouts.values() if each.mapped.model is model), None)

    def _check_ids(self) -> None:
        """No two resources have one id (RFC 7643 section 3.1), which numbers of two tables cannot keep to."""
        numbered = [each.id.prefix for each in self.layouts.values() if each.id.field.type is int]
        if len(set(numbered)) < len(numbered):
            raise ValueError("two models number their rows alike: give each ResourceMapping a prefix for its ids")
