"""Requests and responses as values, free of any web framework.

This module never decides anything; it reads query strings and headers, and writes bodies.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import unquote_to_bytes

from scimkit.documents import write_json
from scimkit.errors import InvalidSyntax, InvalidValue, ScimError, UnsupportedContentEncoding, UnsupportedMediaType
from scimkit.runner import run_sync
from scimkit.tokens import Principal

SCIM_JSON: Final = "application/scim+json"
CONTENT_TYPE: Final = ("Content-Type", SCIM_JSON)
"""The header of a body."""
JSON: Final = "application/json"
LISTS: Final = frozenset({"attributes", "excludedattributes"})
NUMBERS: Final = frozenset({"startindex", "count"})
TEXTS: Final = frozenset({"filter", "sortby", "sortorder", "cursor"})
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""The methods whose body is read; that of any other means nothing (RFC 9110 section 9.3.1)."""
_KNOWN: Final = LISTS | NUMBERS | TEXTS
READ_WHEN_EMPTY: Final = frozenset({"cursor", "filter"})
"""An empty cursor asks for the first page (RFC 9865 section 2); an empty filter is none, and not the whole list."""
_MAX_PARAMETERS: Final = 50
_QUALITY: Final = re.compile(r"(?:^|;)\s*q\s*=\s*([01](?:\.\d*)?)\s*(?:;|\Z)")
_BEYOND_COUNTING: Final = 10**18
"""Databases count to a little more. A larger number is read as this one."""
_LONGEST_NUMBER: Final = 18
_WHOLE_NUMBER: Final = re.compile(r"\s*([+-]?)[0-9]+\s*")


@dataclass(slots=True)
class Request:
    """An HTTP request, as an adapter hands it to the service.

    `path` is relative to the SCIM endpoint and percent-decoded, such as `/Users/2819c223`. `query` is
    raw. `headers` has lower-case names. `base_url` is that of the SCIM endpoint as the client sees it,
    without a slash at its end. `deadline` is the reading of `time.monotonic()` by which the request must be answered;
    an adapter sets it when requests may wait in a queue. Without it, the service counts from its first step.
    `principal` is the result of `ScimService.authenticate`; `handle` does not verify the token again. `id` is the
    request id; the service reads it from a header or makes one. The repr shows no token, no body and no query.
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
    """Whose the token was, if it was issued once and is not valid now. For the host's events only."""


@dataclass(slots=True)
class Response:
    """An HTTP response. `quirks` names the rewrites that the request needed; it is never sent.

    With `more` the body goes on: it is awaited again and again for the next part, until that is empty.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    quirks: tuple[str, ...] = ()
    more: Callable[[], Coroutine[Any, Any, bytes]] | None = None

    def parts(self) -> Iterator[bytes]:
        """The body in parts, for a host without an event loop."""
        yield self.body
        while self.more is not None and (part := run_sync(self.more())):
            yield part

    async def awaited_parts(self) -> AsyncIterator[bytes]:
        """The body in parts, on an event loop."""
        yield self.body
        while self.more is not None and (part := await self.more()):
            yield part


def json_response(status: int, document: object, *headers: tuple[str, str]) -> Response:
    """A response with a JSON body."""
    return Response(status, write_json(document), (CONTENT_TYPE, *headers))


def error_response(error: ScimError) -> Response:
    """The response of an error (RFC 7644 section 3.12)."""
    return json_response(error.status, error.to_document(), *error.headers)


def read_query(query: str) -> dict[str, str]:
    """The query parameters by lower-case name; `+` is a space unless spaces are `%20`. Unknown ones are passed over
    (RFC 7644 section 3.4.2).

    Raises: InvalidSyntax when the query is not UTF-8, has too many parameters, or has one twice.
    """
    if not query:
        return {}
    fields = query.split("&")
    if len(fields) > _MAX_PARAMETERS:
        raise InvalidSyntax("The query string is not valid.")
    parameters: dict[str, str] = {}
    for each in fields:
        name, _, text = each.partition("=")
        if name not in _KNOWN:
            name = _decoded(name).lower()
            if name not in _KNOWN:
                continue
        value = _decoded(text)
        if parameters.setdefault(name, value) != value:
            raise InvalidSyntax("The query string has the same parameter twice.")
    return parameters


def _decoded(text: str) -> str:
    """A name or a value of `application/x-www-form-urlencoded` (`parse_qsl` takes four times as long)."""
    space = "%20" if "%20" in text else "+"  # where a space is %20, a plus is a plus (RFC 3986 section 2.1)
    text = text.replace(space, " ").replace("%22", '"')  # nothing that is made of these can be taken for an escape
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except ValueError:
        raise InvalidSyntax("The query string is not valid.") from None


Parameters: TypeAlias = Mapping[str, str | int]
"""Query parameters, or the members of a SearchRequest, by lower-case name."""


def integer(parameters: Parameters, name: str, default: int) -> int:
    """An integer parameter. Raises: InvalidValue when it is not one."""
    value = parameters.get(name.lower())
    if value is None:
        return default
    if type(value) is str and len(value) > _LONGEST_NUMBER:
        whole = _WHOLE_NUMBER.fullmatch(value)
        value = None if whole is None else -_BEYOND_COUNTING if whole[1] == "-" else _BEYOND_COUNTING
    try:
        number = int(value) if value is not None else None
    except ValueError:
        number = None
    if number is None:
        raise InvalidValue(f"The parameter {name} must be a whole number.")
    return max(-_BEYOND_COUNTING, min(number, _BEYOND_COUNTING))


class AcceptDeviationHandler(Protocol):
    """What negotiation asks when a client accepts nothing that SCIM answers have."""

    def unacceptable(self) -> None:
        """Answers with SCIM all the same, or raises NotAcceptable."""
        ...


def accepted_type(accept: str | None, repair: AcceptDeviationHandler) -> str:
    """The media type to answer in: SCIM's own, or plain JSON for who prefers that (RFC 7644 section 3.8).

    The most specific range gives a type its quality (RFC 9110 section 12.5.1).
    Raises: NotAcceptable when the client accepts neither and the repair refuses.
    """
    if not accept or accept == SCIM_JSON:
        return SCIM_JSON
    qualities: dict[str, float] = {}
    for each in accept.lower().split(","):
        name, _, parameters = each.partition(";")
        said = _QUALITY.search(parameters)
        qualities.setdefault(name.strip(), float(said[1]) if said else 1.0)

    def quality(media_type: str) -> float:
        ranges = (media_type, "application/*", "*/*")
        return next((qualities[each] for each in ranges if each in qualities), 0.0)

    preferred = max(SCIM_JSON, JSON, key=quality)
    if quality(preferred) > 0:
        return preferred
    repair.unacceptable()
    return SCIM_JSON


def as_media_type(response: Response, media_type: str) -> Response:
    """The response with another `Content-Type` for its JSON body."""
    headers = [
        (name, media_type if (name, value) == ("Content-Type", SCIM_JSON) else value)
        for name, value in response.headers
    ]
    return replace(response, headers=tuple(headers))


class MediaTypeDeviationHandler(Protocol):
    """What the check of a media type asks when it is not JSON's."""

    def media_type(self, name: str) -> bool:
        """Report whether a body of that type is read as JSON."""
        ...


def check_encoding(content_encoding: str | None) -> None:
    """Check that a body is not compressed. Raises: UnsupportedContentEncoding."""
    if content_encoding and content_encoding.strip().lower() != "identity":
        raise UnsupportedContentEncoding()


def check_media_type(content_type: str | None, repair: MediaTypeDeviationHandler) -> None:
    """Check that a body is JSON in UTF-8; no header at all is taken as that. Raises: UnsupportedMediaType."""
    if not content_type or content_type in (SCIM_JSON, JSON):
        return
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media_type not in (SCIM_JSON, JSON) and not repair.media_type(media_type):
        raise UnsupportedMediaType()
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType()
