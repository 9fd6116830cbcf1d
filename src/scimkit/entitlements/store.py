"""A store in which roles and entitlements can be read and searched beside the resources of another store.

The offers are not stored: each read asks the declaration of the host. Offers come in the order of their ids, so that
pages stay correct if the host changes the offers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

from scimkit.documents import Document, write_json
from scimkit.entitlements.offers import Offer, OfferedType, RolesAndEntitlements, type_of
from scimkit.errors import NotFound
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.schema.role_schemas import RoleSchemas
from scimkit.stores.paging import Position, by_index, by_position
from scimkit.stores.protocol import (
    Capability,
    Page,
    Query,
    RequestedAttributes,
    Result,
    Scope,
    Store,
    Written,
    all_attributes,
)
from scimkit.stores.sorting import sort_key


class OfferStore:
    """A `Store` that serves the offers, and passes every other call to the store of the service.

    Args:
        store: The store of the service.
        declared: The declaration of the host.
    """

    is_async: Literal[True] = True

    def __init__(self, store: Store, declared: RolesAndEntitlements) -> None:
        self.unsupported: Collection[Capability] = store.unsupported
        self._store = store
        self._declared = declared
        self._kinds: dict[ResourceType, tuple[OfferedType, RoleSchemas]] = {
            compiled: (kind, form)
            for form in declared.forms
            for kind, compiled in zip(declared.types, declared.resource_types(form), strict=True)
        }

    async def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        """Return one resource. Raises NotFound if the tenant has no resource of this type with this id."""
        if resource_type not in self._kinds:
            return await self._store.get(scope, resource_type, id, requested)
        kind, form = self._kinds[resource_type]
        offers = await self._declared.offers(kind, scope.tenant)
        for each in offers:
            if _id(each, form) == id:
                return _document(each, _containing(offers), kind, resource_type, form)
        raise NotFound()

    async def search(self, scope: Scope, query: Query) -> Page:
        """Return one page of the resources that match a filter."""
        if query.resource_type not in self._kinds:
            return await self._store.search(scope, query)
        found = await self._documents(scope, query.resource_type)
        if query.filter is not None:
            found = list(filter(query.filter.compile(query.resource_type), found))
        positions: list[Position] = [(each["id"],) for each in found]
        if query.sort is not None:
            key_of = sort_key(query.sort)
            pairs = sorted(((key_of(each), each) for each in found), key=_key, reverse=query.sort.descending)
            found, positions = [each for _, each in pairs], [(*key, each["id"]) for key, each in pairs]
        page = by_index(query.start_index, query.count)
        if query.after is not None or query.before is not None:
            page = by_position(len(found), positions.__getitem__, query.sort, query.after, query.before, query.count)
        return Page(found[page], len(found), positions[page])

    async def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        """Store a new resource in the store of the service."""
        return await self._store.create(scope, resource_type, document)

    async def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        """Replace a resource of the store of the service."""
        return await self._store.replace(scope, resource_type, id, document, expected_version)

    async def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        """Change a resource of the store of the service."""
        return await self._store.change(scope, resource_type, id, changes, expected_version)

    async def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        """Delete a resource of the store of the service."""
        return await self._store.delete(scope, resource_type, id, expected_version)

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result:
        """Run a function in one transaction of the store of the service."""
        return await self._store.transaction(scope, work)

    async def _documents(self, scope: Scope, resource_type: ResourceType) -> list[Document]:
        """Return the documents of all offers of a type, in the order of their ids."""
        kind, form = self._kinds[resource_type]
        offers = await self._declared.offers(kind, scope.tenant)
        containing = _containing(offers)
        ordered = sorted(offers, key=lambda each: _id(each, form))
        return [_document(each, containing, kind, resource_type, form) for each in ordered]


def _key(pair: tuple[Any, Document]) -> Any:
    return pair[0]


def _id(offer: Offer, form: RoleSchemas) -> str:
    """Return the id of an offer. Okta assigns ids to users, so the id in the form of Okta is the value."""
    return offer.value if form == "okta" else offer.id or offer.value


def _containing(offers: Sequence[Offer]) -> dict[str, list[str]]:
    """Return the values of the offers that contain an offer, by the value of the contained offer."""
    found: dict[str, list[str]] = {}
    for each in offers:
        for value in each.contains:
            found.setdefault(value, []).append(each.value)
    return found


def _document(
    offer: Offer,
    containing: Mapping[str, list[str]],
    kind: OfferedType,
    resource_type: ResourceType,
    form: RoleSchemas,
) -> Document:
    """Return the document of an offer."""
    if form == "okta":
        document: dict[str, Any] = {
            "id": _id(offer, form),
            "displayName": offer.display or offer.value,
            "type": type_of(offer, kind) or kind.name,
            "description": offer.description,
        }
    else:
        document = {
            "id": _id(offer, form),
            "value": offer.value,
            "display": offer.display or offer.value,
            "type": type_of(offer, kind),
            "supported": offer.supported,
            "limitedAssignmentsPermitted": offer.assignments_permitted is not None,
            "totalAssignmentsPermitted": offer.assignments_permitted,
            "totalAssignmentsUsed": offer.assignments_used,
            "contains": list(offer.contains) or None,
            "containedBy": containing.get(offer.value),
        }
    document |= {each.name: dict(offer.extensions[each.name]) for each in resource_type.extensions
                 if each.name in offer.extensions}  # fmt: skip
    document = {name: value for name, value in document.items() if value is not None}
    version = sha256(write_json(document)).hexdigest()[:16]
    document = {"schemas": resource_type.schemas_of(document), **document}
    document["meta"] = {"resourceType": kind.name, "version": f'W/"{version}"'}
    return document
