"""HTTP requests and responses as values, independent of any web framework.

This module reads query strings and headers, and writes bodies. It makes no decisions about resources.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import unquote_to_bytes

from scimkit.documents import write_json
from scimkit.errors import InvalidSyntax, InvalidValue, ScimError, UnsupportedContentEncoding, UnsupportedMediaType
from scimkit.runner import run_sync
from scimkit.tokens import Principal, TokenCheck

SCIM_JSON: Final = "application/scim+json"
CONTENT_TYPE: Final = ("Content-Type", SCIM_JSON)
"""The `Content-Type` header of a response with a body."""
JSON: Final = "application/json"
LISTS: Final = frozenset({"attributes", "excludedattributes"})
NUMBERS: Final = frozenset({"startindex", "count"})
TEXTS: Final = frozenset({"filter", "sortby", "sortorder", "cursor"})
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""The methods whose body is read. A body of any other method has no meaning (RFC 9110 section 9.3.1)."""
_PARAMETERS: Final = LISTS | NUMBERS | TEXTS
READ_WHEN_EMPTY: Final = frozenset({"cursor", "filter"})
"""Parameters that have a meaning when empty.

An empty cursor asks for the first page (RFC 9865 section 2). An empty filter is a mistake that the dialect handles; it
must not silently return the whole list.
"""
_MAX_PARAMETERS: Final = 50
_QUALITY: Final = re.compile(r"(?:^|;)\s*q\s*=\s*([01](?:\.\d*)?)\s*(?:;|\Z)")
_LARGEST_NUMBER: Final = 10**18
"""The largest number that is read, because databases count only a little further. Larger numbers are lowered to it."""
_MAX_DIGITS: Final = 18
_WHOLE_NUMBER: Final = re.compile(r"\s*([+-]?)[0-9]+\s*")


@dataclass(slots=True)
class Request:
    """An HTTP request, as an adapter passes it to the service. The repr shows no token, no body and no query.

    Attributes:
        method: The HTTP method, such as `GET`.
        path: The path relative to the SCIM endpoint, percent-decoded, such as `/Users/2819c223`.
        query: The query string as it was sent.
        headers: The headers by lower-case name.
        body: The body; empty unless the method is POST, PUT or PATCH.
        base_url: The URL of the SCIM endpoint as the client sees it, without a slash at its end.
        deadline: The reading of `time.monotonic()` by which the request must be answered. An adapter sets it if
            requests may wait in a queue. By default, the service starts counting when `handle` is called.
        principal: The result of `ScimService.authenticate`. If it is set, `handle` does not verify the token again.
        id: The request id. If it is empty, the service reads it from a header or creates one.
        source: The address of the client, as `scimkit.service.sources.client_source` returns it. Failed attempts are
            counted for each source. They are not counted if the source is empty.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    base_url: str = ""
    deadline: float | None = None
    principal: Principal | None = None
    id: str = ""
    refused: Principal | None = field(default=None, repr=False)
    """The principal of a token that was issued but is not valid now. Only events of the host use it."""
    token_check: TokenCheck | None = field(default=None, repr=False)
    """The check of a token that was verified by the record in memory. None if the record was read."""
    source: str = ""
    observation: object = field(default=None, repr=False)
    """What an observer of the service keeps about the request."""
    transaction_id: str = ""
    """The id of an accepted request that is processed now (RFC 9967). Its events have the same id."""


@dataclass(slots=True)
class Response:
    """An HTTP response.

    Attributes:
        status: The HTTP status code.
        body: The body, or its first part if `more` is set.
        headers: The headers, as pairs of name and value.
        quirks: The names of the quirks that the request needed. They are never sent to the client.
        more: A function that returns the next part of the body. Await its result repeatedly, until a part is empty.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    quirks: tuple[str, ...] = ()
    more: Callable[[], Coroutine[Any, Any, bytes]] | None = None
    results: Sequence[Mapping[str, Any] | None] = field(default=(), repr=False)
    """The result of each operation of a bulk request, in the order of the request. None if it was not performed."""

    def parts(self) -> Iterator[bytes]:
        """Yield the parts of the body, for a host without an event loop."""
        yield self.body
        while self.more is not None and (part := run_sync(self.more())):
            yield part

    async def awaited_parts(self) -> AsyncIterator[bytes]:
        """Yield the parts of the body on an event loop."""
        yield self.body
        while self.more is not None and (part := await self.more()):
            yield part


def json_response(status: int, document: object, *headers: tuple[str, str]) -> Response:
    """Return a response with a JSON body."""
    return Response(status, write_json(document), (CONTENT_TYPE, *headers))


def json_text_response(body: bytes) -> Response:
    """Return a response for a JSON text."""
    return Response(200, body, (CONTENT_TYPE,))


def error_response(error: ScimError) -> Response:
    """Return the response for an error (RFC 7644 section 3.12)."""
    return json_response(error.status, error.to_document(), *error.headers)


def read_query(query: str) -> dict[str, str]:
    """Return the known query parameters by lower-case name. Unknown parameters are ignored (RFC 7644 section 3.4.2).

    A `+` means a space, unless the value encodes spaces as `%20`.

    Raises:
        InvalidSyntax: The query is not UTF-8, has too many parameters, or has one parameter with two different values.
    """
    if not query:
        return {}
    fields = query.split("&")
    if len(fields) > _MAX_PARAMETERS:
        raise InvalidSyntax(f"The query string may have at most {_MAX_PARAMETERS} parameters.")
    parameters: dict[str, str] = {}
    for each in fields:
        name, _, text = each.partition("=")
        if name not in _PARAMETERS:
            name = _decoded(name).lower()
            if name not in _PARAMETERS:
                continue
        value = _decoded(text)
        if parameters.setdefault(name, value) != value:
            raise InvalidSyntax("The query string has the same parameter twice. Send each parameter once.")
    return parameters


def _decoded(text: str) -> str:
    """Decode a name or value of `application/x-www-form-urlencoded`, four times as fast as `parse_qsl`."""
    space = "%20" if "%20" in text else "+"  # a client that encodes a space as %20 means + literally (RFC 3986)
    text = text.replace(space, " ").replace("%22", '"')  # neither replacement can create a new percent escape
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except ValueError:
        raise InvalidSyntax("The query string must be UTF-8 with percent encoding.") from None


Parameters: TypeAlias = Mapping[str, str | int]
"""Query parameters, or the members of a SearchRequest, by lower-case name."""


def integer(parameters: Parameters, name: str, default: int) -> int:
    """Return an integer parameter, or the default if the parameter is absent.

    Raises:
        InvalidValue: The value is not an integer.
    """
    value = parameters.get(name.lower())
    if value is None:
        return default
    if type(value) is str and len(value) > _MAX_DIGITS:
        whole = _WHOLE_NUMBER.fullmatch(value)
        value = None if whole is None else -_LARGEST_NUMBER if whole[1] == "-" else _LARGEST_NUMBER
    try:
        number = int(value) if value is not None else None
    except ValueError:
        number = None
    if number is None:
        raise InvalidValue(f"The parameter {name} must be a whole number.")
    return max(-_LARGEST_NUMBER, min(number, _LARGEST_NUMBER))


class AcceptDeviationHandler(Protocol):
    """Dialects implement this protocol to answer clients that accept neither SCIM nor JSON."""

    def unacceptable(self) -> None:
        """Return if the response may be sent as SCIM anyway; raise NotAcceptable otherwise."""
        ...


def accepted_type(accept: str | None, deviations: AcceptDeviationHandler) -> str:
    """Return the media type of the response: `application/scim+json`, or plain JSON for clients that prefer JSON.

    The most specific media range determines the quality of a type (RFC 9110 section 12.5.1).

    Args:
        accept: The Accept header, or None.
        deviations: The dialect of the request. It decides if the client accepts neither type.

    Raises:
        NotAcceptable: The client accepts neither type, and the dialect does not allow that.
    """
    if not accept or accept == SCIM_JSON:
        return SCIM_JSON
    qualities: dict[str, float] = {}
    for each in accept.lower().split(","):
        name, _, parameters = each.partition(";")
        given = _QUALITY.search(parameters)
        qualities.setdefault(name.strip(), float(given[1]) if given else 1.0)

    def quality(media_type: str) -> float:
        ranges = (media_type, "application/*", "*/*")
        return next((qualities[each] for each in ranges if each in qualities), 0.0)

    preferred = max(SCIM_JSON, JSON, key=quality)
    if quality(preferred) > 0:
        return preferred
    deviations.unacceptable()
    return SCIM_JSON


def as_media_type(response: Response, media_type: str) -> Response:
    """Return the response with another `Content-Type` for its JSON body."""
    headers = [
        (name, media_type if (name, value) == ("Content-Type", SCIM_JSON) else value)
        for name, value in response.headers
    ]
    return replace(response, headers=tuple(headers))


class MediaTypeDeviationHandler(Protocol):
    """Dialects implement this protocol to accept bodies of other media types."""

    def media_type(self, name: str) -> bool:
        """Report whether to read a body of this media type as JSON."""
        ...


def check_encoding(content_encoding: str | None) -> None:
    """Check that the body is not compressed.

    Raises:
        UnsupportedContentEncoding: The body has a content coding other than `identity`.
    """
    if content_encoding and content_encoding.strip().lower() != "identity":
        raise UnsupportedContentEncoding()


def check_media_type(content_type: str | None, deviations: MediaTypeDeviationHandler) -> None:
    """Check that the body is JSON in UTF-8. A missing `Content-Type` header counts as JSON.

    Args:
        content_type: The Content-Type header, or None.
        deviations: The dialect of the request. It decides whether to read other media types as JSON.

    Raises:
        UnsupportedMediaType: The media type is not JSON, or the charset is not UTF-8.
    """
    if not content_type or content_type in (SCIM_JSON, JSON):
        return
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media_type not in (SCIM_JSON, JSON) and not deviations.media_type(media_type):
        raise UnsupportedMediaType()
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType()
