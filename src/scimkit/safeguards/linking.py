"""Linking: a POST takes over an account that the application had before provisioning.

This module finds the account and the changes. The service writes them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scimkit.documents import Document
from scimkit.errors import InvalidFilter
from scimkit.filters.ast import And, Comparison, Node, ValuePath, disjunction
from scimkit.filters.filter import Filter
from scimkit.patch.changes import ChangeSet
from scimkit.safeguards.active_resources import unmapped_paths
from scimkit.schema.attributes import AttributePath
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import Query, Scope, Store

_log: Final = logging.getLogger("scimkit")
_EXTERNAL_ID: Final = "externalId"
_NOT_LINKED: Final = frozenset({"id", "meta", "schemas", "userName", "emails", "groups", "members"})
"""The attributes that a link never changes."""
_MOST_VALUES: Final = 10
"""The largest number of values that an account is looked for by. A POST with more values is not linked."""


@dataclass(frozen=True, slots=True)
class LinkRule:
    """The attribute by which a POST finds an existing account. Made by `link_by`."""

    path: str


def link_by(path: str) -> LinkRule:
    """Let a POST that collides take over the one account with the same value, if no identity provider has it yet.

    Args:
        path: The path of an attribute, such as `emails.value`.
    """
    return LinkRule(path)


@dataclass(frozen=True, slots=True)
class _Comparisons:
    """The comparisons with one value of a POST."""

    plain: Node
    with_type: Node | None
    """The comparison for a store that has a column for each type, such as the work address."""


class AccountLinks:
    """Finds the account that a POST may take over, among the resources of one type."""

    def __init__(self, path: AttributePath, resource_type: ResourceType) -> None:
        self._path = path
        self._type = resource_type
        self._kept = _NOT_LINKED | {path.names[0]} | {each.partition(".")[0] for each in resource_type.unique}

    async def account(self, store: Store, scope: Scope, document: Document) -> Document | None:
        """Return the account that a POST may take over, or None.

        The account is the only one with the same value, has no `externalId`, and has every unique value that collides.
        No other account may have the `externalId` of the POST.
        """
        external_id = document.get(_EXTERNAL_ID)
        comparisons = list(self._comparisons(document))
        if not external_id or not 0 < len(comparisons) <= _MOST_VALUES:
            return None
        try:
            return await self._only_free_account(store, scope, document, external_id, comparisons)
        except InvalidFilter as error:
            _log.warning("on_conflict links nobody, because the store refuses a filter: %s", error.detail)
            return None

    async def _only_free_account(
        self, store: Store, scope: Scope, document: Document, external_id: str, comparisons: Sequence[_Comparisons]
    ) -> Document | None:
        """Return the only account with a value of the POST, unless another account has a value that must be unique."""
        try:
            found = await self._found(store, scope, [each.plain for each in comparisons])
        except InvalidFilter:
            typed = [each.with_type for each in comparisons if each.with_type is not None]
            if not typed:
                raise
            found = await self._found(store, scope, typed)
        if len(found) != 1 or found[0].get(_EXTERNAL_ID):
            return None
        for name, value in [(_EXTERNAL_ID, external_id), *((each, document.get(each)) for each in self._type.unique)]:
            if value is not None:
                holders = await self._found(store, scope, [Comparison(name, "eq", value)])
                if any(each["id"] != found[0]["id"] for each in holders):
                    return None
        return found[0]

    async def _found(self, store: Store, scope: Scope, nodes: Sequence[Node]) -> Sequence[Document]:
        """Return at most two of the resources that match one of some filters."""
        query = Query(self._type, Filter(disjunction(list(nodes))), count=2)
        return (await store.search(scope, query)).documents

    def _comparisons(self, document: Document) -> Iterator[_Comparisons]:
        """Yield the comparisons with each value of the POST."""
        path = self._path
        value: Any = document
        for name in path.names[:-1]:
            value = value.get(name, {}) if isinstance(value, dict) else value
        elements = value if isinstance(value, list) else [value]
        for each in elements:
            found = each.get(path.names[-1])
            for text in found if isinstance(found, list) else [found]:
                if text is not None:
                    yield _Comparisons(Comparison(path.text, "eq", text), self._with_type(each, text))

    def _with_type(self, element: Mapping[str, Any], value: Any) -> Node | None:
        """Return the comparison with an element of the same type, or None if the element has no type."""
        path = self._path
        if path.sub_attribute is None or not path.attribute.multi_valued or "type" not in element:
            return None
        same = And((Comparison("type", "eq", element["type"]), Comparison(path.sub_attribute.name, "eq", value)))
        return ValuePath(path.attribute.path, same)

    def changes(self, account: Document, document: Document) -> ChangeSet:
        """Return the changes of the first contact: the values of the POST, without user name and email addresses."""
        assigned: dict[str, Any] = {}
        for name, value in document.items():
            if name not in self._kept:
                old = account.get(name)
                assigned[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        schemas = [*account["schemas"], *(each for each in document["schemas"] if each not in account["schemas"])]
        if schemas != account["schemas"]:
            assigned["schemas"] = schemas
        return ChangeSet(assigned)


def account_links(rule: LinkRule, resource_types: tuple[ResourceType, ...], store: Any) -> dict[str, AccountLinks]:
    """Return the links of each resource type that has the attribute of a rule, by the name of the type.

    Raises:
        ValueError: No resource type has the attribute, or the store does not keep it or `externalId`.
    """
    links: dict[str, AccountLinks] = {}
    for each in resource_types:
        path = each.resolve(rule.path)
        if (
            path is None
            or not path.is_searchable
            or path.leaf.type == "complex"
            or each.attributes.find("userName") is None
        ):
            continue
        unmapped = unmapped_paths(each, store)
        for name in (path.text, path.names[0], _EXTERNAL_ID):
            if name in unmapped:
                raise ValueError(f"on_conflict needs {name}, which the store does not keep")
        links[each.name] = AccountLinks(path, each)
    if not links:
        raise ValueError(f"on_conflict names {rule.path}, which is a searchable attribute of no user type")
    return links
