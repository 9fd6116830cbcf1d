"""Limits of the requests that a service accepts and of the responses that it returns.

This module does not read requests. It compares values with limits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scimkit.errors import HeadersTooLarge, InvalidValue, UriTooLong
from scimkit.filters.parser import MAX_COMPARISONS, MAX_LENGTH
from scimkit.patch.operations import MAX_OPERATIONS
from scimkit.schema.resource_types import ResourceType

_MAX_HEADERS: Final = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a service. Every limit has a safe default, and a request beyond a limit gets a SCIM error."""

    body: int = 5 * 1024 * 1024
    """Maximum size of a request body in bytes. A larger body is refused with 413. Announced as `bulk.maxPayloadSize`.
    """
    headers: int = 64 * 1024
    """Maximum number of characters of all header values together. Larger headers are refused with 431.

    A request with more than 200 headers is refused with 431 too.
    """
    query: int = 64 * 1024
    """Maximum number of characters of a query string. A longer query string is refused with 414.

    A client can send the same parameters in the body of `POST .search`.
    """
    string_length: int = 65_536
    """Maximum number of characters of a string in a resource or PATCH. A longer string gets 400 `invalidValue`."""
    values: int = 1000
    """Maximum number of elements of a multi-valued attribute. More are refused with 400 `invalidValue`.

    References, such as `members`, have no such limit.
    """
    filter_length: int = MAX_LENGTH
    """Maximum number of characters of a filter. A longer filter is refused with 400 `invalidFilter`."""
    filter_comparisons: int = MAX_COMPARISONS
    """Maximum number of comparisons and presence tests in a filter. More are refused with 400 `invalidFilter`."""
    patch_operations: int = MAX_OPERATIONS
    """Maximum number of operations in a PATCH. More are refused with 400 `invalidSyntax`."""
    bulk_operations: int = 1000
    """Maximum number of operations in a bulk request. More are refused with 413. Announced as `bulk.maxOperations`."""
    page: int = 1000
    """Maximum number of resources in a page. A larger `count` is lowered to it. Announced as `filter.maxResults`."""
    default_page: int = 100
    """Number of resources in a page if the client sends no `count`."""
    sorted_window: int = 10_000
    """Maximum of `startIndex + count - 1` in a sorted search over several resource types.

    A page beyond the limit is refused with 400 `tooMany`. Pages by cursor have no such limit.
    """
    members_at_once: int = 5000
    """Maximum number of members that are read at once. The response of a larger group is streamed."""
    attempts: int = 20
    """Maximum number of attempts of a PATCH or PUT that loses races against other writes.

    After that: 503 with `Retry-After`.
    """
    deadline: float = 25.0
    """Maximum number of seconds until a request is answered. Every wait ends by then, with 503 and `Retry-After`.

    The default is well below 60 seconds, after which Okta gives up.
    """
    failed_attempts: int = 20
    """Maximum number of requests without a valid token from one source within `failed_attempts_window`.

    More are refused with 429 and `Retry-After`, except requests with a token that this process has seen before. 0
    means no limit.
    """
    failed_attempts_window: float = 60.0
    """Number of seconds for which a failed attempt counts."""
    sensitive: Collection[str] = ()
    """Attributes, such as `emails.value`, that a filter in a URI may not name (RFC 7644 section 7.5.2).

    A filter that names one is refused with 403. The default is empty, because identity providers look users up by name
    in URIs.
    """

    def check_request(self, headers: Mapping[str, str], query: str) -> None:
        """Check the size of the headers and of the query string.

        Raises:
            HeadersTooLarge: The headers are larger than `headers`, or there are more than 200.
            UriTooLong: The query string is longer than `query`.
        """
        if sum(map(len, headers.values())) > self.headers or len(headers) > _MAX_HEADERS:
            raise HeadersTooLarge(
                f"The request may have at most {_MAX_HEADERS} headers with {self.headers} characters together."
            )
        if len(query) > self.query:
            raise UriTooLong(f"The query string is longer than {self.query} characters.")

    def check_strings(self, body: Any) -> None:
        """Check the length of every string in a body.

        The service calls this only if the body is longer than `string_length`, since a shorter body has no longer
        string.

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
    """Checks the number of elements in the multi-valued attributes of a resource type."""

    __slots__ = ("_limit", "_limited")

    def __init__(self, resource_type: ResourceType, limit: int) -> None:
        self._limit = limit
        tables = [("", resource_type.attributes), *((each.name, each.children) for each in resource_type.extensions)]
        self._limited: dict[str, dict[str, str]] = {
            extension: {
                each.name: each.path
                for each in table.values()
                if each.multi_valued and not each.keyed and not each.is_ignored
            }
            for extension, table in tables
        }
        """The paths of the limited attributes by name, for each extension and for the attributes outside of them."""

    def check(self, document: Mapping[str, Any], extension: str = "") -> None:
        """Check a document, or some attributes of a document or of an extension.

        Raises:
            InvalidValue: An attribute has more elements than the limit.
        """
        limited = self._limited[extension]
        for name, value in document.items():
            if name in limited:
                if len(value) > self._limit:
                    raise InvalidValue(f"{limited[name]} may have at most {self._limit} values.")
            elif name in self._limited:
                self.check(value, name)
