"""Requests and responses of the admin page as values, and the headers of every response. This module does no I/O."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from scimkit.admin.administrators import Administrator
from scimkit.errors import BadRequest
from scimkit.service import Request, Response

MAX_FORM: Final = 65_536
"""The largest number of bytes of a form."""
_MAX_FIELDS: Final = 200
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
SECURITY_HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""The headers of every response, static files included."""
NOT_STORED: Final = ("Cache-Control", "no-store")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request of an administrator, as the handlers of pages receive it."""

    request: Request = field(repr=False)
    """The HTTP request."""
    administrator: Administrator
    """The administrator."""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The parameters of the query, each once."""
    form: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """The fields of the form."""

    @property
    def tenant(self) -> str:
        """The tenant of the administrator."""
        return self.administrator.tenant

    @property
    def root(self) -> str:
        """The path at which the page is mounted, without a slash at its end."""
        return urlsplit(self.request.base_url).path.rstrip("/")

    @property
    def origin(self) -> str:
        """The scheme and host of the page."""
        parts = urlsplit(self.request.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    def absolute(self, endpoint: str) -> str:
        """Return the URL of an endpoint on the host of the page, as the identity provider needs it."""
        return urljoin(f"{self.origin}/", endpoint)

    def field(self, name: str) -> str:
        """Return the first value of a field of the form, without spaces around it, or an empty text."""
        values = self.form.get(name, ())
        return values[0].strip() if values else ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to render: the name of its template, and the values that the template shows."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect to another page after a form was handled."""

    segments: tuple[str, ...]
    """The segments of the path below the mount path."""
    query: str = ""


Answer: TypeAlias = Page | Redirect
PageHandler: TypeAlias = Callable[[PageRequest], Awaitable[Answer]]


def path_below(root: str, *segments: str) -> str:
    """Return the path of a page, with its segments percent-encoded."""
    return f"{root}/{'/'.join(quote(each, safe='') for each in segments)}"


def without_controls(text: str) -> str:
    """Return a text without control characters, except tabs and line feeds. Databases refuse some of them."""
    return _CONTROLS.sub("", text)


def read_parameters(query: str) -> dict[str, str]:
    """Return the parameters of a query. The last value of a repeated parameter is used.

    Raises:
        BadRequest: The query has too many parameters.
    """
    return dict(_pairs(query))


def read_form(request: Request) -> dict[str, tuple[str, ...]]:
    """Return the fields of the form of a POST.

    Raises:
        BadRequest: The body is too large, has another media type, or has too many fields.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM_TYPE or len(request.body) > MAX_FORM:
        raise BadRequest("The body must be a form.")
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in _pairs(request.body.decode("utf-8", "replace")):
        fields[name] = (*fields.get(name, ()), value)
    return fields


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise BadRequest("The request has too many parameters.") from None
    return [(without_controls(name), without_controls(value)) for name, value in pairs]


def html_response(status: int, html: str, *headers: tuple[str, str]) -> Response:
    """Return a response with an HTML page that no cache keeps."""
    content_type = ("Content-Type", "text/html; charset=utf-8")
    return Response(status, html.encode("utf-8", "replace"), (content_type, NOT_STORED, *SECURITY_HEADERS, *headers))
