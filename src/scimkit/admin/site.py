"""`AdminSite`: the admin page of a service, from a request value to a response value.

Like `ScimService`, it awaits only its ports, so that a host without an event loop can run it with `run_sync`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from scimkit.admin.administrators import Administrator, Authorize
from scimkit.admin.attribute_pages import AttributePages
from scimkit.admin.client_pages import ClientPages
from scimkit.admin.form_tokens import FormTokens, WrongOrigin
from scimkit.admin.log_pages import LogPages
from scimkit.admin.one_time_links import OneTimeLinks, session_cookie
from scimkit.admin.page_requests import (
    NOT_STORED,
    SECURITY_HEADERS,
    Answer,
    Page,
    PageRequest,
    Redirect,
    html_response,
    path_below,
    read_form,
    read_parameters,
    without_controls,
)
from scimkit.admin.ports import Ports
from scimkit.admin.rendering import STATIC_FILES, STATIC_VERSION, Renderer
from scimkit.admin.resource_pages import ResourcePages
from scimkit.admin.safeguard_pages import SafeguardPages
from scimkit.admin.token_pages import TokenPages
from scimkit.errors import InternalError, MethodNotAllowed, NotFound, ScimError
from scimkit.runner import result_of
from scimkit.service import Request, Response, ScimService
from scimkit.tokens import AsyncTokenRegistry, TokenRegistry

if TYPE_CHECKING:  # the token endpoint is an extra
    from scimkit.oauth import AsyncClientRegistry, ClientRegistry

_log: Final = logging.getLogger("scimkit.admin")
_ANY: Final = "*"
_READS: Final = ("GET", "HEAD")
_CACHED: Final = ("Cache-Control", "private, max-age=31536000, immutable")


class AdminSite:
    """The admin page of a `ScimService`. Serve it with `scimkit.admin.asgi`, `scimkit.admin.wsgi` or `admin_urls`.

    Args:
        service: The service.
        tokens: The registry of the tokens of the service.
        endpoint: The URL of the SCIM endpoint, such as `https://help.example.org/scim/v2`, or its path on the host of
            the page.
        clients: The registry of the OAuth clients of a `TokenEndpoint`. Without it, the page shows no clients.
        token_endpoint: The URL of the token endpoint, or its path on the host of the page.
        authorize: A function of the request of the host that returns the `Administrator`, or None for a person who may
            not enter. `OneTimeLinks` may stand for it.
        development: True to answer every request with a page that explains `authorize`, while there is none yet.
        name: The name of your application, in the header of each page.
        words: Words that replace those of `scimkit.admin.ENGLISH`, by key.
        key: A secret of 32 random bytes for the tokens in forms. Processes that serve the same page must share it.

    Raises:
        ValueError: `authorize` is missing and `development` is False, or the service, its tokens and its clients cannot
            be called in the same way.
        ModuleNotFoundError: Jinja2 is not installed.
    """

    def __init__(
        self,
        service: ScimService,
        tokens: TokenRegistry | AsyncTokenRegistry,
        *,
        endpoint: str,
        clients: ClientRegistry | AsyncClientRegistry | None = None,
        token_endpoint: str = "/oauth/token",
        authorize: Authorize | OneTimeLinks | None = None,
        development: bool = False,
        name: str = "SCIM",
        words: Mapping[str, str] = {},  # the mapping is only read
        key: bytes | None = None,
    ) -> None:
        if authorize is None and not development:
            raise ValueError("the admin page needs authorize=, a function that says who may enter")
        _check_kind(service, tokens, "TokenRegistry")
        if clients is not None:
            _check_kind(service, clients, "ClientRegistry")
        registries = (tokens,) if clients is None else (tokens, clients)
        self.service = service
        self.is_async: bool = service.store.is_async or any(each.is_async for each in registries)
        """True if the page needs an event loop, because its store or one of its registries is async."""
        self._links = authorize if isinstance(authorize, OneTimeLinks) else None
        self._authorize = authorize.authorize if isinstance(authorize, OneTimeLinks) else authorize
        self._renderer = Renderer(words, name)
        self._forms = FormTokens(key)
        self.ports: Ports = Ports(service, tokens, endpoint, clients, token_endpoint)
        self._routes = self._make_routes()

    async def administrator(self, host_request: Any) -> Administrator | None:
        """Return the administrator of a request of the host, or None if the person may not enter.

        Raises:
            InternalError: `authorize` failed.
        """
        if self._authorize is None:
            return None
        try:
            return await result_of(self._authorize(host_request))
        except Exception:
            _log.exception("authorize of the admin page failed")
            raise InternalError() from None

    async def handle(self, request: Request, administrator: Administrator | None) -> Response:
        """Return the response to a request. Never raises: every failure becomes a page.

        Args:
            request: The request. `path` is relative to the page, and `base_url` is the URL of the page.
            administrator: The result of `administrator`.
        """
        call: PageRequest | None = None
        try:
            segments = _segments(request.path)
            if segments[0] == "static":
                return _static_response(request.method, segments)
            if segments[0] == "enter" and self._links is not None:
                return self._enter(request, segments)
            if administrator is None:
                return self._closed(request)
            call = PageRequest(request, administrator, read_parameters(request.query))
            handler, names = self._route(request.method, segments)
            if request.method == "POST":
                call = PageRequest(request, administrator, call.query, read_form(request))
                self._forms.check(call.field("form_token"), administrator, request)
            return self._answer(await handler(call, *names), call)
        except ScimError as error:
            return self._error(error.status, error, call, request, error.headers)
        except Exception:
            _log.exception("the admin page failed")
            return self._error(500, None, call, request)

    def refuse(self, request: Request, error: ScimError) -> Response:
        """Return the page for a request that the host cannot pass to `handle`."""
        return self._error(error.status, error, None, request)

    def _answer(self, answer: Answer, call: PageRequest) -> Response:
        """Return the response for a page or a redirect."""
        if isinstance(answer, Redirect):
            location = path_below(call.root, *answer.segments) + (f"?{answer.query}" if answer.query else "")
            return Response(303, b"", (("Location", location), NOT_STORED, *SECURITY_HEADERS))
        return html_response(answer.status, self._html(answer, call))

    def _html(self, page: Page, call: PageRequest) -> str:
        shared = {
            "form_token": self._forms.issue(call.administrator), "now": self.ports.clock(), "is_open": True,
            "resource_types": self.service.resource_types, "has_log": self.ports.log is not None,
            "has_clients": self.ports.clients is not None,
            "has_safeguards": self.service.breaker is not None or bool(self.service.protection),
            "done": call.query.get("done", ""),
        }  # fmt: skip
        return self._renderer.render(page.template, {**shared, **page.values}, call, call.root)

    def _error(
        self,
        status: int,
        error: ScimError | None,
        call: PageRequest | None,
        request: Request,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Response:
        """Return the page of an error. Only an administrator sees the detail of the error."""
        detail = error.detail if error is not None and call is not None else ""
        word = "origin" if isinstance(error, WrongOrigin) else str(status)
        values = {
            "status": status, "phrase": HTTPStatus(status).phrase, "detail": detail, "word": word,
            "address": request.base_url,
        }  # fmt: skip
        kept = tuple(each for each in headers if each[0] in ("Allow", "Retry-After"))
        if call is not None:
            return html_response(status, self._html(Page("error.html", values), call), *kept)
        return html_response(status, self._bare("error.html", values, request), *kept)

    def _closed(self, request: Request) -> Response:
        """Return the page for a person who may not enter."""
        template = "development.html" if self._authorize is None else "closed.html"
        return html_response(403, self._bare(template, {"by_link": self._links is not None}, request))

    def _bare(self, template: str, values: Mapping[str, Any], request: Request) -> str:
        """Return the HTML of a page without navigation."""
        call = PageRequest(request, Administrator("", ""))
        shared = {"is_open": False, "done": "", "now": self.ports.clock()}
        return self._renderer.render(template, {**shared, **values}, None, call.root)

    def _enter(self, request: Request, segments: list[str]) -> Response:
        """Redeem a one-time link. A new session gets a new id, whatever cookie the browser sent."""
        if request.method != "GET" or len(segments) != 2 or self._links is None:
            raise NotFound("There is no such page.")
        value = self._links.redeem(segments[1])
        if value is None:
            return self._closed(request)
        root = PageRequest(request, Administrator("", "")).root
        cookie = session_cookie(value, root or "/", is_secure=request.base_url.startswith("https:"))
        return html_response(200, self._bare("enter.html", {}, request), ("Set-Cookie", cookie))

    def _route(self, method: str, segments: list[str]) -> tuple[Any, list[str]]:
        """Return the handler of a path, and the names in the path.

        Raises:
            NotFound: There is no such page.
            MethodNotAllowed: The page does not have the method.
        """
        for pattern, methods in self._routes.items():
            if len(pattern) == len(segments) and all(
                part in (_ANY, segment) for part, segment in zip(pattern, segments, strict=True)
            ):
                handler = methods.get("GET" if method == "HEAD" else method)
                if handler is None:
                    raise MethodNotAllowed(tuple(methods))
                return handler, [each for part, each in zip(pattern, segments, strict=True) if part == _ANY]
        raise NotFound("There is no such page.")

    def _make_routes(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """Map each path to handlers by method. `*` stands for any segment; the first path that fits is used."""
        tokens, log, attributes = TokenPages(self.ports), LogPages(self.ports), AttributePages(self.ports)
        resources, safeguards = ResourcePages(self.ports), SafeguardPages(self.ports)
        routes: dict[tuple[str, ...], dict[str, Any]] = {
            ("",): {"GET": tokens.list},
            ("tokens",): {"GET": tokens.list},
            ("tokens", "new"): {"GET": tokens.new, "POST": tokens.create},
            ("tokens", _ANY): {"GET": tokens.show, "POST": tokens.update},
            ("tokens", _ANY, "status"): {"POST": tokens.set_status},
            ("tokens", _ANY, "rotate"): {"GET": tokens.confirm_rotation, "POST": tokens.rotate},
            ("tokens", _ANY, "revoke"): {"GET": tokens.confirm_revocation, "POST": tokens.revoke},
            ("log",): {"GET": log.search},
            ("log", _ANY): {"GET": log.show},
            ("resources", _ANY): {"GET": resources.search},
            ("resources", _ANY, _ANY): {"GET": resources.show},
            ("attributes",): {"GET": attributes.show},
            ("safeguards",): {"GET": safeguards.show},
            ("safeguards", "release"): {"POST": safeguards.release},
        }
        return routes if self.ports.clients is None else routes | ClientPages(self.ports, self.ports.clients).routes()


def _check_kind(
    service: ScimService, registry: TokenRegistry | AsyncTokenRegistry | ClientRegistry | AsyncClientRegistry, name: str
) -> None:
    """Check that a registry can be called as the store of a service is. Raises ValueError."""
    if service.blocking and registry.is_async:
        raise ValueError(f"the admin page of a sync store needs a {name}, not an Async{name}")
    if service.store.is_async and registry.is_async is False and registry.blocking:
        raise ValueError(f"the admin page of an async store needs an Async{name}, which does not block")


def _segments(path: str) -> list[str]:
    """Return the segments of a path.

    Raises:
        NotFound: The path has control characters.
    """
    if without_controls(path) != path or "\n" in path or "\t" in path:
        raise NotFound("There is no such page.")
    return path.removeprefix("/").split("/")


def _static_response(method: str, segments: list[str]) -> Response:
    """Return a static file. The path has the version of the files, so that browsers may keep them.

    Raises:
        NotFound: There is no such file.
        MethodNotAllowed: The method does not read.
    """
    if method not in _READS:
        raise MethodNotAllowed(_READS)
    found = STATIC_FILES.get(segments[2]) if len(segments) == 3 and segments[1] == STATIC_VERSION else None
    if found is None:
        raise NotFound("There is no such file.")
    return Response(200, found[0], (("Content-Type", found[1]), _CACHED, *SECURITY_HEADERS))
