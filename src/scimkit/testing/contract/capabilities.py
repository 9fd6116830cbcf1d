"""The resource types, strings and attributes that a store keeps, as its author declares them to the contract."""

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
    """The data with which the contract tests a store. By default, the store keeps every attribute unchanged."""

    resource_types: ClassVar[Sequence[ResourceType]] = (USER, GROUP)
    """The resource types of the tests.

    The first type without `members` is used for users, and the first type with `members` is used for groups. Tests of
    groups are skipped if no type has `members`.
    """

    texts: ClassVar[Sequence[str]] = strategies.TEXTS
    """The strings in generated documents and filters.

    If the database compares or sorts strings differently from SCIM, list strings that it compares as SCIM does, such as
    ASCII letters. At least two strings must differ in more than case.
    """

    nested_groups: ClassVar[bool] = True
    """True if a group can be a member of a group. If False, a group in `members` counts as an unknown member."""

    def keeps(self, resource_type: ResourceType, path: str) -> bool:
        """Report whether the store returns a written attribute.

        Args:
            resource_type: The resource type.
            path: The canonical path of an attribute that is not complex, such as `userName`, `name.givenName` or
                `emails.value`. The path of an extension attribute is the URN, `:` and the name.
        """
        return True

    def document(self, resource_type: ResourceType, name: str) -> dict[str, Any]:
        """Return the smallest valid document with this `userName` or `displayName`."""
        return {"schemas": [resource_type.schema], _naming(resource_type): name}

    def documents(self, resource_type: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
        """Generate documents that the store returns unchanged, without `id`, `meta`, `members` and `groups`.

        The default strategy generates documents with any attribute that the store keeps. Override this method if the
        store keeps only some values of an attribute.
        """
        return strategies.documents(resource_type, texts=self.texts).map(lambda each: self.kept(resource_type, each))

    def filters(self, resource_type: ResourceType) -> st.SearchStrategy[Node]:
        """Generate filters on the attributes that the store keeps."""

        def keeps(path: AttributePath) -> bool:
            return self._keeps(resource_type, path.leaf)

        return strategies.filters(resource_type, depth=2, texts=self.texts, keeps=keeps)

    def paths(self, resource_type: ResourceType) -> st.SearchStrategy[AttributePath]:
        """Generate paths to sort by: visible attributes that the store keeps and that are not complex."""
        return strategies.attribute_paths(resource_type).filter(
            lambda path: path.leaf.type != "complex" and self._keeps(resource_type, path.leaf)
        )

    @cached_property
    def generated(self) -> Mapping[ResourceType, st.SearchStrategy[dict[str, Any]]]:
        """The strategies of `documents`, by resource type. They are built once."""
        return {each: self.documents(each) for each in self.resource_types}

    @cached_property
    def asked(self) -> Mapping[ResourceType, st.SearchStrategy[Node]]:
        """The strategies of `filters`, by resource type. They are built once."""
        return {each: self.filters(each) for each in self.resource_types}

    @cached_property
    def sortable(self) -> Mapping[ResourceType, st.SearchStrategy[AttributePath]]:
        """The strategies of `paths`, by resource type. They are built once."""
        return {each: self.paths(each) for each in self.resource_types}

    def kept(self, resource_type: ResourceType, document: Document) -> dict[str, Any]:
        """Return a document without the attributes that are not compared.

        These are the attributes that the store sets, computes, does not keep, or never returns.
        """
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
        """Report whether the store keeps an attribute. For a complex attribute, one kept sub-attribute is enough."""
        if attribute.returned == "never":
            return False
        if attribute.path.partition(".")[0] in _ALWAYS_KEPT:
            return True
        if attribute.type == "complex":
            return any(self._keeps(resource_type, each) for each in attribute.children.values())
        return self.keeps(resource_type, attribute.path)

    @property
    def user_type(self) -> ResourceType:
        """The resource type for users."""
        return next(each for each in self.resource_types if not has_members(each))

    @property
    def group_type(self) -> ResourceType:
        """The resource type for groups. The test is skipped if there is none."""
        for each in self.resource_types:
            if has_members(each):
                return each
        pytest.skip("the store is tested without a resource type that has members")

    @property
    def spare(self) -> str:
        """The name of a simple user attribute that a test may change. The test is skipped if there is none."""
        for each in self.user_type.attributes.values():
            plain = each.type == "string" and not each.multi_valued and each.mutability == "readWrite"
            free = not each.required and each.path not in self.user_type.unique and each.name != "externalId"
            if plain and free and self._keeps(self.user_type, each):
                return each.name
        pytest.skip("the store keeps no simple attribute that can be changed")


def _naming(resource_type: ResourceType) -> str:
    """Return the attribute that names a resource of this type."""
    return "displayName" if MEMBERS in resource_type.attributes else "userName"
