"""What a store keeps, as its author says it to the contract: types, texts, attributes.

This module never calls a store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final

import pytest
from hypothesis import strategies as st

from scimkit.documents import Document
from scimkit.filters.ast import Node
from scimkit.schema.attributes import Attribute, AttributePath
from scimkit.schema.core import GROUP, USER
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.metadata import has_members
from scimkit.stores.protocol import MEMBERS, META
from scimkit.testing import strategies

_ALWAYS_KEPT: Final = frozenset({"schemas", "id", META})
_NOT_COMPARED: Final = frozenset({"id", META})


class StoreCapabilities:
    """What the contract may ask of a store. The defaults are a store that keeps every document as it is given."""

    resource_types: ClassVar[Sequence[ResourceType]] = (USER, GROUP)
    """The types it is tried with. The first without members stands for users; without one that has members,
    what is about groups is skipped."""

    texts: ClassVar[Sequence[str]] = strategies.TEXTS
    """The strings of generated documents and filters. A store whose database has its own idea of case or order says
    here which texts it compares as SCIM does, such as ASCII letters only; at least two that differ in more than case.
    """

    nested_groups: ClassVar[bool] = True
    """Whether a group may be a member of a group. If not, a group among the members is an unknown member."""

    def keeps(self, resource_type: ResourceType, path: str) -> bool:
        """Whether a written attribute is read again. `path` is canonical and of an attribute that is not complex,
        such as `userName`, `name.givenName`, `emails.value`, or the URN of an extension, `:` and a name."""
        return True

    def document(self, resource_type: ResourceType, name: str) -> dict[str, Any]:
        """The smallest document that the store takes, by its `userName` or `displayName`."""
        return {"schemas": [resource_type.schema], _naming(resource_type): name}

    def documents(self, resource_type: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
        """Documents that are read as they are written; here any of the type, less what the store does not keep.

        They have no `id`, `meta`, members or groups. A store that keeps some *values* only overrides this.
        """
        return strategies.documents(resource_type, texts=self.texts).map(lambda each: self.kept(resource_type, each))

    def filters(self, resource_type: ResourceType) -> st.SearchStrategy[Node]:
        """Filters on what the store keeps."""

        def keeps(path: AttributePath) -> bool:
            return self._keeps(resource_type, path.leaf)

        return strategies.filters(resource_type, depth=2, texts=self.texts, keeps=keeps)

    def paths(self, resource_type: ResourceType) -> st.SearchStrategy[AttributePath]:
        """What can be sorted by: attributes that the store keeps and a client sees, none complex."""
        return strategies.attribute_paths(resource_type).filter(
            lambda path: path.leaf.type != "complex" and self._keeps(resource_type, path.leaf)
        )

    @cached_property
    def generated(self) -> Mapping[ResourceType, st.SearchStrategy[dict[str, Any]]]:
        """The `documents` of each type, made once."""
        return {each: self.documents(each) for each in self.resource_types}

    @cached_property
    def asked(self) -> Mapping[ResourceType, st.SearchStrategy[Node]]:
        """The `filters` of each type, made once."""
        return {each: self.filters(each) for each in self.resource_types}

    @cached_property
    def sortable(self) -> Mapping[ResourceType, st.SearchStrategy[AttributePath]]:
        """The `paths` of each type, made once."""
        return {each: self.paths(each) for each in self.resource_types}

    def kept(self, resource_type: ResourceType, document: Document) -> dict[str, Any]:
        """A document less what is not compared: what the store sets, computes, does not keep, or never shows."""
        found: dict[str, Any] = {}
        for name, value in document.items():
            attribute = resource_type.attributes[name]
            if name not in _NOT_COMPARED and not attribute.keyed:
                part = self._part(resource_type, attribute, value)
                if part is not None:
                    found[name] = part
        return {**found, "schemas": resource_type.schemas_of(found)}

    def _part(self, resource_type: ResourceType, attribute: Attribute, value: Any) -> Any:
        if attribute.type != "complex":
            return value if self._keeps(resource_type, attribute) else None
        parts: list[dict[str, Any]] = []
        for element in value if attribute.multi_valued else [value]:
            part = self._element(resource_type, attribute, element)
            if part and part not in parts:
                parts.append(part)
        if not parts:
            return None
        return parts if attribute.multi_valued else parts[0]

    def _element(self, resource_type: ResourceType, attribute: Attribute, value: Mapping[str, Any]) -> dict[str, Any]:
        parts = {name: self._part(resource_type, attribute.children[name], item) for name, item in value.items()}
        return {name: part for name, part in parts.items() if part is not None}

    def _keeps(self, resource_type: ResourceType, attribute: Attribute) -> bool:
        """Whether an attribute is kept; a complex one is if something in it is."""
        if attribute.returned == "never":
            return False
        if attribute.path.partition(".")[0] in _ALWAYS_KEPT:
            return True
        if attribute.type == "complex":
            return any(self._keeps(resource_type, each) for each in attribute.children.values())
        return self.keeps(resource_type, attribute.path)

    @property
    def user_type(self) -> ResourceType:
        """The type that stands for users."""
        return next(each for each in self.resource_types if not has_members(each))

    @property
    def group_type(self) -> ResourceType:
        """The type that stands for groups; without one the test is skipped."""
        for each in self.resource_types:
            if has_members(each):
                return each
        pytest.skip("the store is not tried with a type that has members")

    @property
    def spare(self) -> str:
        """A plain attribute of users that a test may change; without one the test is skipped."""
        for each in self.user_type.attributes.values():
            plain = each.type == "string" and not each.multi_valued and each.mutability == "readWrite"
            free = not each.required and each.path not in self.user_type.unique and each.name != "externalId"
            if plain and free and self._keeps(self.user_type, each):
                return each.name
        pytest.skip("the store keeps no plain attribute that can be changed")


def _naming(resource_type: ResourceType) -> str:
    """The attribute that tells the resources of a type apart for people."""
    return "displayName" if MEMBERS in resource_type.attributes else "userName"
