"""Rules that name protected resources, and the check of a write against them.

The check runs in the transaction of the write, on the changes that the store reports. The write has locked the row of
the resource, so no other write can come between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from scimkit.documents import Document
from scimkit.errors import Forbidden, InvalidFilter, NotFound
from scimkit.filters import parse
from scimkit.filters.ast import paths_of
from scimkit.filters.filter import Filter
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.safeguards.active_resources import and_active, is_active, is_deactivation, unmapped_paths
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.index_lookup import requested_by
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Query, Scope, Store

_COMPUTED: Final = frozenset({GROUPS, MEMBERS, META})
"""The attributes that no rule can name, because the changes of a write do not have them."""
_PAGE: Final = 10
_PAGE_WITHOUT_FILTER: Final = 100
"""The size of a page if the store refuses the filter, so that all resources are read."""


@dataclass(frozen=True, slots=True)
class KeepLast:
    """A rule that keeps the last active resource that matches a filter. Made by `keep_last`."""

    filter: str
    resource_type: str = "User"


Protection: TypeAlias = str | KeepLast | Callable[[str, Document], bool]
"""A filter, `keep_last(...)`, or a function of the name of a resource type and a document."""


def keep_last(filter: str, resource_type: str = "User") -> KeepLast:
    """Protect the last active resource of the tenant that matches a filter, such as the last administrator.

    Two requests at once cannot remove the last two such resources.

    Args:
        filter: A filter, such as `roles[value eq "admin"]`.
        resource_type: The name of the resource type.
    """
    return KeepLast(filter, resource_type)


class ProtectionRules:
    """The rules for the resources of one resource type.

    Args:
        rules: The rules of the service. Rules whose filter does not fit the resource type are left out.
        resource_type: The resource type.
        store: The store of the service.
    """

    def __init__(self, rules: Sequence[Protection], resource_type: ResourceType, store: Any) -> None:
        made = [_rule(each, resource_type, store) for each in rules]
        self._rules = [each for each in made if each is not None]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def protects(self, document: Document) -> bool:
        """Report whether a rule, other than a `keep_last`, names a resource."""
        return any(each.others is None and each.matches(document) for each in self._rules)

    async def check(self, store: Store, scope: Scope, changes: EffectiveChanges) -> None:
        """Check a write within its transaction.

        Raises:
            Forbidden: The write deactivates or deletes a protected resource, or takes the protected value from it.
        """
        removes = not changes.after or is_deactivation(changes)
        for each in self._rules:
            if removes or each.may_change(changes):
                await each.check(store, scope, changes, removes=removes)


def check_rules(rules: Sequence[Protection], resource_types: Sequence[ResourceType], store: Any) -> None:
    """Check the rules of a service.

    Raises:
        ValueError: A filter is malformed, fits no resource type, or names an attribute that the store does not keep.
    """
    for each in rules:
        if callable(each):
            continue
        text = each.filter if isinstance(each, KeepLast) else each
        if not any(_rule(each, kind, store) for kind in resource_types):
            raise ValueError(f"protect names {text}, a filter that fits no resource type of the service")


def _rule(rule: Protection, resource_type: ResourceType, store: Any) -> _Rule | None:
    """Return a rule for a resource type, or None if the filter of the rule does not fit the type."""
    if callable(rule):
        return _Rule(resource_type, _called(rule, resource_type.name), None, None)
    text = rule.filter if isinstance(rule, KeepLast) else rule
    if isinstance(rule, KeepLast) and rule.resource_type != resource_type.name:
        return None
    try:
        parsed = parse(text)
    except InvalidFilter as error:
        raise ValueError(f"protect has a filter that cannot be read: {error.detail}") from None
    try:
        matches = parsed.compile(resource_type)
    except InvalidFilter:
        return None
    paths = [path for path in map(resource_type.resolve, paths_of(parsed.node)) if path is not None]
    names = frozenset(path.names[0] for path in paths)
    if not names.isdisjoint(_COMPUTED):
        raise ValueError(f"protect names {text}; a rule cannot name groups, members or meta. Use an attribute.")
    unmapped = unmapped_paths(resource_type, store)
    if any(path.text in unmapped or path.names[0] in unmapped for path in paths):
        raise ValueError(f"protect names {text}, but the store does not keep an attribute of this filter")
    others = None
    if isinstance(rule, KeepLast):
        node = and_active(parsed.node, resource_type, store)
        assert node is not None
        others = Filter(node)
    return _Rule(resource_type, matches, names, others)


def _called(rule: Callable[[str, Document], bool], name: str) -> Callable[[Document], bool]:
    return lambda document: rule(name, document)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule for one resource type."""

    resource_type: ResourceType
    matches: Callable[[Document], bool]
    names: frozenset[str] | None
    """The top-level attributes that the filter names, or None for a function, which may read any attribute."""
    others: Filter | None
    """The filter for the active resources of which a `keep_last` rule keeps one, or None for another rule."""

    def may_change(self, changes: EffectiveChanges) -> bool:
        """Report whether a write changed an attribute that the rule reads."""
        if self.names is None:
            return True
        before, after = changes.before, changes.after
        return any(before.get(name) != after.get(name) for name in self.names)

    async def check(self, store: Store, scope: Scope, changes: EffectiveChanges, *, removes: bool) -> None:
        """Raise Forbidden if the rule forbids the changes of a write."""
        if not self.matches(changes.before) or not (removes or not self.matches(changes.after)):
            return
        name = self.resource_type.name
        if self.others is None:
            raise Forbidden(
                f"This {name} is protected: provisioning cannot deactivate, delete or demote it. "
                "Remove it from the scope of provisioning, or lift its protection in the application."
            )
        if is_active(changes.before) and not await self._is_another_active(store, scope, self.others, changes):
            raise Forbidden(
                f"This {name} is the last active one with a role that the application needs, such as administrator. "
                f"Give the role to another {name} first."
            )

    async def _is_another_active(self, store: Store, scope: Scope, others: Filter, changes: EffectiveChanges) -> bool:
        """Report whether another active resource matches, and lock the row of that resource.

        Another transaction that removes the locked resource waits until this one ends. If both lock each other's
        resource, the database ends one transaction, and the store runs it again.
        """
        own, start, size = changes.before["id"], 1, _PAGE
        wanted: Filter | None = others
        requested = requested_by(others.node, self.resource_type)
        while True:
            query = Query(self.resource_type, wanted, start_index=start, count=size, requested=requested)
            try:
                found = (await store.search(scope, query)).documents
            except InvalidFilter:
                if wanted is None:
                    raise
                wanted, size = None, _PAGE_WITHOUT_FILTER
                continue
            for each in found:
                is_candidate = each["id"] != own and is_active(each) and self.matches(each)
                if is_candidate and await self._is_locked_match(store, scope, each["id"]):
                    return True
            if len(found) < size:
                return False
            start += size

    async def _is_locked_match(self, store: Store, scope: Scope, id: str) -> bool:
        """Lock the row of a resource by a change that changes nothing, and report whether it matches now.

        The search may have read an older state of the row, or the row may be gone.
        """
        try:
            current = (await store.change(scope, self.resource_type, id, ChangeSet())).document
        except NotFound:
            return False
        return is_active(current) and self.matches(current)
