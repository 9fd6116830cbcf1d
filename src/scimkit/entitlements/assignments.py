"""Check of the roles and entitlements that a client assigns to a user. This module does no I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from scimkit.documents import Document
from scimkit.entitlements.offers import Offer, OfferedType, RolesAndEntitlements, type_of
from scimkit.errors import InvalidValue
from scimkit.schema.role_schemas import RoleAttribute


class Assignments:
    """The offers of one tenant, with which the values of one request are compared."""

    def __init__(
        self, declared: RolesAndEntitlements, offered: Mapping[RoleAttribute, Sequence[tuple[OfferedType, Offer]]]
    ) -> None:
        self._declared = declared
        self._offered: dict[RoleAttribute, _Index] = {attribute: _Index(pairs) for attribute, pairs in offered.items()}

    @staticmethod
    async def of(declared: RolesAndEntitlements, tenant: str, names: Collection[str]) -> Assignments | None:
        """Return the offers of a tenant, or None if a request writes no attribute whose values are offered.

        Args:
            declared: The declaration of the host.
            tenant: The tenant.
            names: The top-level attributes that the request writes.
        """
        written: list[RoleAttribute] = [each for each in declared.attributes if names.__contains__(each)]
        if not written:
            return None
        offered: dict[RoleAttribute, list[tuple[OfferedType, Offer]]] = {each: [] for each in written}
        for each in declared.types:
            if each.attribute in offered:
                offered[each.attribute] += [(each, one) for one in await declared.offers(each, tenant)]
        return Assignments(declared, offered)

    async def check(self, assigned: Document, held: Callable[[], Awaitable[Document]] | None = None) -> tuple[str, ...]:
        """Check the values that a request assigns, and return the paths of those that are kept without an offer.

        Args:
            assigned: The attributes that the request assigns, with all their values.
            held: Returns the user before the request. The user keeps values that it has. None for a new user.

        Raises:
            InvalidValue: A value is not offered or not supported, or an attribute has more than one value.
        """
        if not self._problems(assigned, {}):
            return ()
        problems = self._problems(assigned, {} if held is None else await held())
        for _, error, is_kept in problems:
            if not is_kept:
                raise error
        return tuple(dict.fromkeys(path for path, _, _ in problems))

    def _problems(self, assigned: Document, held: Document) -> list[tuple[str, InvalidValue, bool]]:
        """Return the path, the error and the treatment of each value that is not in order: True if it is kept."""
        found: list[tuple[str, InvalidValue, bool]] = []
        for name, offered in self._offered.items():
            values = assigned.get(name) or ()
            present = {_folded(each) for each in held.get(name) or ()}
            if name in self._declared.single and len(values) > max(len(held.get(name) or ()), 1):
                found.append((name, InvalidValue(f"{name} must have at most one value."), False))
            for number, each in enumerate(values):
                if _folded(each) in present:
                    continue
                path, matches = f"{name}[{number}]", offered.matching(each)
                if not matches:
                    endpoints = " or ".join(self._endpoints(name))
                    error = InvalidValue(f"{path}.value must be a value that this application offers. See {endpoints}.")
                    found.append((f"{name}.value", error, self._declared.keeps_unknown))
                elif not any(one.supported for one in matches):
                    error = InvalidValue(
                        f"{path}.value is offered, but not supported at present. Choose another value."
                    )
                    found.append((f"{name}.value", error, False))
        return found

    def _endpoints(self, attribute: RoleAttribute) -> list[str]:
        types = self._declared.resource_types(self._declared.forms[0])
        return [
            compiled.endpoint
            for each, compiled in zip(self._declared.types, types, strict=True)
            if each.attribute == attribute
        ]


def _folded(element: Mapping[str, Any]) -> tuple[str, str]:
    """Return the value and the type of an element for a comparison. Upper and lower case are the same."""
    return str(element.get("value") or "").casefold(), str(element.get("type") or "").casefold()


class _Index:
    """The offers for one attribute of a user, by value, and the types of all offers."""

    def __init__(self, pairs: Sequence[tuple[OfferedType, Offer]]) -> None:
        self._by_value: dict[str, list[tuple[OfferedType, Offer]]] = {}
        self._types: set[str] = set()
        for kind, offer in pairs:
            self._by_value.setdefault(offer.value.casefold(), []).append((kind, offer))
            self._types.update(_types(kind, offer))

    def matching(self, element: Mapping[str, Any]) -> list[Offer]:
        """Return the offers that an element of the attribute means.

        The `type` of the element counts only if it is a type of offers, because Entra sends a type of its own.
        """
        value, wanted = _folded(element)
        any_type = wanted not in self._types
        return [one for kind, one in self._by_value.get(value, ()) if any_type or wanted in _types(kind, one)]


def _types(kind: OfferedType, offer: Offer) -> tuple[str, ...]:
    """Return the types that an element may name for an offer."""
    return tuple(each.casefold() for each in (type_of(offer, kind), kind.name) if each)
