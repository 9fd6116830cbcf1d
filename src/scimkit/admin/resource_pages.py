"""The pages of resources as provisioned, such as users and groups. They only read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from scimkit.admin.page_requests import Answer, Page, PageRequest
from scimkit.admin.ports import Ports
from scimkit.documents import Document
from scimkit.errors import InvalidFilter, NotFound
from scimkit.filters import parse
from scimkit.filters.filter import Filter
from scimkit.provisioning import LogEntry, LogQuery
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import GROUPS, MEMBERS, META, MemberPages, Query

_PAGE: Final = 25
_MEMBERS: Final = 100
_ENTRIES: Final = 50
_MAX_SEARCH: Final = 200
_MAX_PAGES: Final = 1_000_000
_MAX_ID: Final = 255
_NAMES: Final = ("userName", "displayName", "agentUserName")
_LISTED: Final = frozenset(
    {"id", "userName", "displayName", "agentUserName", "name", "active", "externalId", "emails", META}
)
_NOT_SHOWN: Final = frozenset({"schemas", MEMBERS, GROUPS})


class ResourcePages:
    """The handlers of the pages of resources."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def search(self, call: PageRequest, type_name: str) -> Answer:
        """Show one page of the resources of a type."""
        resource_type = self._ports.resource_type(type_name)
        text = call.query.get("search", "").strip()[:_MAX_SEARCH]
        number = _page_number(call.query.get("page", ""))
        query = Query(
            resource_type, _search_filter(resource_type, text), start_index=(number - 1) * _PAGE + 1, count=_PAGE,
            requested=_LISTED.__contains__,
        )  # fmt: skip
        problem, total = "", 0
        documents: Sequence[Document] = ()
        try:
            page = await self._ports.store.search(self._ports.scope(call.tenant), query)
            documents, total = page.documents, page.total
        except InvalidFilter:
            problem = "resources.problem.search"
        values = {
            "resource_type": resource_type, "documents": documents, "total": total, "search": text, "number": number,
            "problem": problem, "is_user": resource_type.attributes.find("userName") is not None,
            "has_active": resource_type.attributes.find("active") is not None,
            "previous": _page_query(text, number - 1) if number > 1 else "",
            "next": _page_query(text, number + 1) if number * _PAGE < total else "",
        }  # fmt: skip
        return Page("resources.html", values)

    async def show(self, call: PageRequest, type_name: str, id: str) -> Answer:
        """Show a resource, and everything that happened to it. A deleted resource has its entries only."""
        resource_type = self._ports.resource_type(type_name)
        if not id or len(id) > _MAX_ID:
            raise NotFound("There is no such resource.")
        document = await self._document(call, resource_type, id)
        entries = await self._entries(call, resource_type, document, id)
        if document is None and not entries:
            raise NotFound("There is no such resource.")
        after = _page_number(call.query.get("after", ""), 0)
        members, more = await self._members(call, resource_type, id, after) if document is not None else ((), None)
        values = {
            "resource_type": resource_type, "id": id, "document": document, "entries": entries,
            "attributes": {} if document is None else _shown(document), "members": members, "more": more,
            "label": _label(document, entries, id), "groups": () if document is None else document.get(GROUPS, ()),
            "is_protected": document is not None and self._ports.service.protects(resource_type, document),
            "type_names": {each.name for each in self._ports.service.resource_types},
        }  # fmt: skip
        return Page("resource.html", values)

    async def _document(self, call: PageRequest, resource_type: ResourceType, id: str) -> Document | None:
        """Return a resource without its members, or None if it does not exist."""
        scope = self._ports.scope(call.tenant)
        try:
            return await self._ports.store.get(scope, resource_type, id, lambda name: name != MEMBERS)
        except NotFound:
            return None

    async def _members(
        self, call: PageRequest, resource_type: ResourceType, id: str, after: int
    ) -> tuple[Sequence[Document], int | None]:
        """Return some members of a group, and the position of the next ones."""
        if resource_type.attributes.find(MEMBERS) is None:
            return (), None
        scope, store = self._ports.scope(call.tenant), self._ports.store
        if "member_pages" not in store.unsupported:
            pages: MemberPages = store  # type: ignore[assignment]
            page = await pages.members(scope, resource_type, id, after, _MEMBERS)
            return page.entries, page.next
        members = (await store.get(scope, resource_type, id, MEMBERS.__eq__)).get(MEMBERS, ())
        end = after + _MEMBERS
        return members[after:end], end if end < len(members) else None

    async def _entries(
        self, call: PageRequest, resource_type: ResourceType, document: Document | None, id: str
    ) -> Sequence[LogEntry]:
        """Return the last entries about a resource, with those of attempts to create it that failed."""
        found = list((await self._ports.entries(LogQuery(tenant=call.tenant, resource_id=id, limit=_ENTRIES))).entries)
        label = _label(document, found, "")
        if label:
            query = LogQuery(tenant=call.tenant, label_prefix=label, result="Failure", limit=_ENTRIES)
            attempts = (await self._ports.entries(query)).entries
            found += [
                each for each in attempts
                if not each.resource_id and each.resource_type == resource_type.name and each.label == label
            ]  # fmt: skip
        return sorted(found, key=lambda each: each.id, reverse=True)


def _search_filter(resource_type: ResourceType, text: str) -> Filter | None:
    """Return the filter of a search, or None for an empty text."""
    if not text:
        return None
    quoted = json.dumps(text)
    names = [each for each in _NAMES if resource_type.attributes.find(each) is not None]
    names = names[:1] if "userName" in names else names
    return parse(" or ".join([*(f"{each} sw {quoted}" for each in names), f"externalId eq {quoted}"]))


def _page_number(text: str, default: int = 1) -> int:
    """Return a number of the query, or the default if the text is not a number within the limit."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= 9
    return min(max(int(text), default), _MAX_PAGES) if is_number else default


def _page_query(text: str, number: int) -> str:
    return urlencode({"search": text, "page": number} if text else {"page": number})


def _label(document: Document | None, entries: Sequence[LogEntry], default: str) -> str:
    """Return the name of a resource: from the resource, or from its entries."""
    names = [document.get(each) for each in _NAMES] if document is not None else [each.label for each in entries]
    return next((str(each) for each in names if each), default)


def _shown(document: Document) -> Mapping[str, Any]:
    """Return the values to show by path. Extensions and singular complex values become several rows."""
    rows: dict[str, Any] = {}
    for name, value in document.items():
        if name in _NOT_SHOWN:
            continue
        if isinstance(value, Mapping):
            separator = ":" if name.startswith("urn:") else "."
            rows |= {f"{name}{separator}{key}": inner for key, inner in value.items()}
        else:
            rows[name] = value
    return rows
