"""Limits of what a service takes and gives. This module reads no request; it checks values against limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scimkit.errors import HeadersTooLarge, InvalidValue, UriTooLong
from scimkit.filters.parser import MAX_COMPARISONS, MAX_LENGTH
from scimkit.patch.operations import MAX_OPERATIONS
from scimkit.schema.resource_types import ResourceType

_MOST_HEADERS: Final = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a service. Every limit has a safe default, and exceeding one is a clear SCIM error."""

    body: int = 5 * 1024 * 1024
    """Bytes of a request body. Beyond: 413. Announced as `bulk.maxPayloadSize`."""
    headers: int = 64 * 1024
    """Characters of all header values together; a request has at most 200 headers. Beyond: 431."""
    query: int = 64 * 1024
    """Characters of a query string. Beyond: 414. `POST .search` takes the same parameters in a body."""
    string_length: int = 65_536
    """Characters of one string in the body of a resource or a PATCH. Beyond: 400 `invalidValue`."""
    values: int = 1000
    """Values of a multi-valued attribute, except references such as `members`. Beyond: 400 `invalidValue`."""
    filter_length: int = MAX_LENGTH
    """Characters of a filter. Beyond: 400 `invalidFilter`."""
    filter_comparisons: int = MAX_COMPARISONS
    """Comparisons and presence tests of a filter. Beyond: 400 `invalidFilter`."""
    patch_operations: int = MAX_OPERATIONS
    """Operations of a PATCH. Beyond: 400 `invalidSyntax`."""
    bulk_operations: int = 1000
    """Operations of a bulk request. Beyond: 413. Announced as `bulk.maxOperations`."""
    page: int = 1000
    """Resources of a page. A larger `count` is lowered to it. Announced as `filter.maxResults`."""
    default_page: int = 100
    """Resources of a page if the client names no `count`."""
    sorted_window: int = 10_000
    """Resources up to the end of a page by `startIndex`, if a search over several resource types is sorted.
    Beyond: 400 `tooMany`. Pages by cursor have no such limit."""
    members_at_once: int = 5000
    """Members that are read at once. A group with more members is sent while it is read."""
    attempts: int = 20
    """Attempts at a PATCH or PUT that loses races against other writes. Then: 503 with Retry-After."""
    deadline: float = 25.0
    """Seconds within which a request is answered. Every wait ends by then, and the answer is 503 with Retry-After.
    The default leaves room to Okta, which gives up after 60 seconds."""
    sensitive: Collection[str] = ()
    """Attributes, such as `emails.value`, that a filter in a URI may not name (RFC 7644 section 7.5.2). Then: 403.
    There are none by default, because identity providers look users up by name in URIs."""

    def check_request(self, headers: Mapping[str, str], query: str) -> None:
        """Check the size of the headers and of the query string.

        Raises:
            HeadersTooLarge: The headers are larger than `headers`.
            UriTooLong: The query string is longer than `query`.
        """
        if sum(map(len, headers.values())) > self.headers or len(headers) > _MOST_HEADERS:
            raise HeadersTooLarge(f"The headers are larger than {self.headers} characters.")
        if len(query) > self.query:
            raise UriTooLong(f"The query string is longer than {self.query} characters.")

    def check_strings(self, body: Any) -> None:
        """Check the length of every string in a body. The service asks only if the body is longer than one may be.

        Raises:
            InvalidValue: A string is longer than `string_length`.
        """
        if type(body) is str:
            if len(body) > self.string_length:
                raise InvalidValue(f"A string is longer than {self.string_length} characters.")
        elif type(body) is dict:
            for name, value in body.items():
                self.check_strings(name)
                self.check_strings(value)
        elif type(body) is list:
            for value in body:
                self.check_strings(value)


class ValueLimit:
    """Checks how many values the multi-valued attributes of a resource type have."""

    __slots__ = ("_limit", "_paths")

    def __init__(self, resource_type: ResourceType, limit: int) -> None:
        self._limit = limit
        tables = [((), resource_type.attributes), *(((each.name,), each.children) for each in resource_type.extensions)]
        self._paths = [
            (each.path, (*above, each.name))
            for above, table in tables
            for each in table.values()
            if each.multi_valued and not each.keyed and not each.is_ignored
        ]

    def check(self, document: Mapping[str, Any]) -> None:
        """Check a document, or the attributes of one.

        Raises:
            InvalidValue: An attribute has more values than the limit.
        """
        for path, names in self._paths:
            value: Any = document
            for name in names:
                value = value.get(name, ())
                if not value:
                    break
            if isinstance(value, Sequence) and len(value) > self._limit:
                raise InvalidValue(f"{path} may have at most {self._limit} values.")
