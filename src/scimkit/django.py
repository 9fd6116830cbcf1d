"""The Django adapter serves a `ScimService` as Django views.

    urlpatterns = [path("scim/v2/", include(scim_urls(service)))]

It verifies the token, reads a body up to the limit, calls the service and sends the response. Django determines scheme,
host and mount path (`SECURE_PROXY_SSL_HEADER`, `USE_X_FORWARDED_HOST`, `FORCE_SCRIPT_NAME`). This module uses no
models.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

try:
    from django.core.exceptions import DisallowedHost
    from django.db import connections, transaction
    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse, UnreadablePostError
    from django.http.response import HttpResponseBase
    from django.urls import path, re_path
    from django.views.decorators.csrf import csrf_exempt
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("the URLs need Django: pip install 'scimkit[django]'") from _missing

from scimkit.admin.page_requests import MAX_FORM
from scimkit.errors import InvalidSyntax, PayloadTooLarge, ScimError
from scimkit.loop import awaited_health, loop_service
from scimkit.runner import run_sync
from scimkit.service import Request, Response, ScimService
from scimkit.service.health import health, live
from scimkit.service.http import WITH_BODY
from scimkit.service.locations import base_url, check_proxies
from scimkit.service.request_headers import check_headers, declared_length
from scimkit.service.sources import client_source

if TYPE_CHECKING:
    from scimkit.admin import AdminSite
    from scimkit.oauth import TokenEndpoint

View = Callable[..., Any]


def scim_urls(service: ScimService, *, trust_forwarded: int = 0) -> list[Any]:
    """Return the URL patterns of a service, to `include` at a path that ends with a slash.

    A service with an async store or an async token verifier gets an async view. The view needs no session, no user and
    no CSRF token, because the bearer token authenticates the client.

    `reverse("scim")` returns the path of the endpoint. `reverse("scim", args=["Users"])` returns the path of a resource
    type.

    Args:
        service: The service to serve.
        trust_forwarded: The number of proxies in front of the project that append the client to `X-Forwarded-For`.
            Failed attempts are counted for the address that the outermost of them saw.

    Raises:
        ValueError: `trust_forwarded` is not a number of proxies.
    """
    proxies = check_proxies(trust_forwarded)
    view = _without_form_checks(_async_view(service, proxies) if service.is_async else _view(service, proxies))
    # `[\s\S]` matches a line feed too, as `.` does with `(?s)`. With `(?s)`, Django could not reverse any URL.
    return [path("", view, name="scim"), re_path(r"^(?P<path>[\s\S]+)\Z", view, name="scim")]


def health_urls(service: ScimService) -> list[Any]:
    """Return URL patterns for health probes.

    `healthz` reports that the process answers. `readyz` reports whether the service can serve requests.
    """

    def healthz(request: HttpRequest) -> HttpResponseBase:
        return _django_response(request, live())

    def readyz(request: HttpRequest) -> HttpResponseBase:
        return _django_response(request, health(service).response())

    async def awaited_readyz(request: HttpRequest) -> HttpResponseBase:
        return _django_response(request, (await awaited_health(service)).response())

    ready = awaited_readyz if service.store.is_async else readyz
    return [re_path(r"^healthz$", _without_form_checks(healthz)), re_path(r"^readyz$", _without_form_checks(ready))]


def admin_urls(site: AdminSite) -> list[Any]:
    """Return the URL patterns of an admin page, to `include` at a path that ends with a slash.

    `authorize` of the page receives the `HttpRequest`, with its user and session. The page checks its forms itself.

    `reverse("scim-admin")` returns the path of the page.
    """
    view = _without_form_checks(_async_admin_view(site) if site.is_async else _admin_view(site))
    return [path("", view, name="scim-admin"), re_path(r"^(?P<path>[\s\S]+)\Z", view, name="scim-admin")]


def token_urls(endpoint: TokenEndpoint, *, trust_forwarded: int = 0) -> list[Any]:
    """Return the URL patterns of a token endpoint, to `include` at a path such as `oauth/`.

    `reverse("scim-token")` returns the path of the endpoint, such as `/oauth/token`.

    Args:
        endpoint: The token endpoint.
        trust_forwarded: The number of proxies in front of the project, as for `scim_urls`.

    Raises:
        ValueError: `trust_forwarded` is not a number of proxies.
    """
    proxies = check_proxies(trust_forwarded)
    view = _async_token_view(endpoint, proxies) if endpoint.is_async else _token_view(endpoint, proxies)
    return [path("token", _without_form_checks(view), name="scim-token")]


def _token_view(endpoint: TokenEndpoint, proxies: int) -> View:
    """Return the view of a token endpoint with sync stores."""

    def token(request: HttpRequest) -> HttpResponseBase:
        asked = Request(request.method or "", "/token", request.META.get("QUERY_STRING", ""))
        try:
            _read_token_request(request, asked, endpoint, proxies)
            response = run_sync(endpoint.handle(asked))
        except ScimError as error:
            response = endpoint.refuse(asked, error)
        return _django_response(request, response)

    return token


def _async_token_view(endpoint: TokenEndpoint, proxies: int) -> View:
    """Return the view of a token endpoint that needs an event loop."""

    async def token(request: HttpRequest) -> HttpResponseBase:
        asked = Request(request.method or "", "/token", request.META.get("QUERY_STRING", ""))
        try:
            _read_token_request(request, asked, endpoint, proxies)
            response = await endpoint.handle(asked)
        except ScimError as error:
            response = endpoint.refuse(asked, error)
        return _django_response(request, response)

    return token


def _read_token_request(request: HttpRequest, asked: Request, endpoint: TokenEndpoint, proxies: int) -> None:
    """Read the headers and the form. Raises ScimError if a header is ambiguous or the form is too large."""
    from scimkit.oauth.token_requests import MAX_BODY

    _read_headers(request, "token", asked, endpoint.service, proxies)
    asked.body = _read_body(request, asked, MAX_BODY)


def _admin_view(site: AdminSite) -> View:
    """Return the view of an admin page with a sync store."""

    def admin(request: HttpRequest, path: str = "") -> HttpResponseBase:
        asked = Request(request.method or "", f"/{path}", request.META.get("QUERY_STRING", ""))
        try:
            _read_form(request, path, asked, site)
            response = run_sync(site.handle(asked, run_sync(site.administrator(request))))
        except ScimError as error:
            response = site.refuse(asked, error)
        return _django_response(request, response)

    return admin


def _async_admin_view(site: AdminSite) -> View:
    """Return the view of an admin page that needs an event loop."""
    on_loop = loop_service(site.service)

    async def admin(request: HttpRequest, path: str = "") -> HttpResponseBase:
        asked = Request(request.method or "", f"/{path}", request.META.get("QUERY_STRING", ""))
        try:
            _read_form(request, path, asked, site)
            administrator = await site.administrator(request)
            response = await on_loop.run(lambda: site.handle(asked, administrator))
        except ScimError as error:
            response = site.refuse(asked, error)
        return _django_response(request, response)

    return admin


def _read_form(request: HttpRequest, path: str, asked: Request, site: AdminSite) -> None:
    """Read the headers and the form. Raises ScimError if a header is ambiguous or the form is too large."""
    _read_headers(request, path, asked, site.service, 0)
    if asked.method == "POST":
        asked.body = _read_body(request, asked, MAX_FORM)


def _view(service: ScimService, proxies: int) -> View:
    """Return the view of a service with a sync store."""

    def scim(request: HttpRequest, path: str = "") -> HttpResponseBase:
        asked = Request(request.method or "", f"/{path}", request.META.get("QUERY_STRING", ""))
        try:
            _read_headers(request, path, asked, service, proxies)
            response = None
            if asked.method in WITH_BODY:
                response = run_sync(service.authenticate(asked, recalls=True))
            if response is None:
                asked.body = _read_body(request, asked, service.limits.body)
                response = run_sync(service.handle(asked))
        except ScimError as error:
            response = service.refuse(asked, error)
        return _django_response(request, response, response.parts())

    return scim


def _async_view(service: ScimService, proxies: int) -> View:
    """Return the view of a service that needs an event loop."""
    on_loop = loop_service(service)

    async def scim(request: HttpRequest, path: str = "") -> HttpResponseBase:
        asked = Request(request.method or "", f"/{path}", request.META.get("QUERY_STRING", ""))
        try:
            _read_headers(request, path, asked, service, proxies)
            response = None
            if asked.method in WITH_BODY:
                response = await on_loop.authenticated(asked)
            if response is None:
                asked.body = _read_body(request, asked, service.limits.body)
                response = await on_loop.handled(asked)
        except ScimError as error:
            response = service.refuse(asked, error)
        return _django_response(request, response, response.awaited_parts())

    return scim


def _without_form_checks(view: View) -> View:
    """Return the view without CSRF protection, login and transaction.

    The store begins and ends its own transactions.
    """
    for alias in connections:
        view = transaction.non_atomic_requests(alias)(view)
    exempt: Any = csrf_exempt(view)
    exempt.login_required = False
    return exempt  # type: ignore[no-any-return]


def _read_headers(request: HttpRequest, path: str, asked: Request, service: ScimService, proxies: int) -> None:
    """Read the headers into the SCIM request. Raises BadRequest if a header is ambiguous or Django refuses the host."""
    asked.deadline = monotonic() + service.limits.deadline
    asked.headers = check_headers({name.lower(): value for name, value in request.headers.items()})
    asked.source = client_source(request.META.get("REMOTE_ADDR"), asked.headers, proxies)
    root = request.path.removesuffix(path).rstrip("/")
    try:
        host = request.get_host()
    except DisallowedHost:
        raise InvalidSyntax("This service does not serve the host in the Host header.") from None
    asked.base_url = base_url(scheme=request.scheme or "http", host=host, root=root, headers={})


def _read_body(request: HttpRequest, asked: Request, limit: int) -> bytes:
    """Return the body of a POST, PUT or PATCH.

    Raises PayloadTooLarge, or InvalidSyntax if the body ends before its length.
    """
    if asked.method not in WITH_BODY:
        return b""
    length = declared_length(asked.headers)
    too_large = PayloadTooLarge(f"The request body is larger than {limit} bytes.")
    if length is not None and length > limit:
        raise too_large
    try:
        body = request.read(limit + 1)
    except UnreadablePostError:
        raise InvalidSyntax("The request body ended too early.") from None
    if len(body) > limit:
        raise too_large
    if length is not None and len(body) < length:
        raise InvalidSyntax("The request body ended too early.")
    return body


def _django_response(request: HttpRequest, response: Response, parts: Any = None) -> HttpResponseBase:
    """Return the Django response for a SCIM response."""
    answer: HttpResponseBase
    if request.method == "HEAD" or response.more is None:
        answer = HttpResponse(b"" if request.method == "HEAD" else response.body, status=response.status)
    else:
        answer = StreamingHttpResponse(parts, status=response.status)
    del answer["Content-Type"]  # Django's default is HTML
    for name, value in response.headers:
        answer[name] = value
    if response.status != 204 and response.more is None:
        answer["Content-Length"] = str(len(response.body))
    return answer
