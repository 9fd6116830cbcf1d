"""The Django adapter: reads a bounded body, calls the service, writes the response. The URLs of a `ScimService`.

    urlpatterns = [path("scim/v2/", include(scim_urls(service)))]

Scheme, host and mount path are what Django says they are (`SECURE_PROXY_SSL_HEADER`, `USE_X_FORWARDED_HOST`,
`FORCE_SCRIPT_NAME`). This module knows no model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from django.core.exceptions import DisallowedHost
    from django.db import connections, transaction
    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse, UnreadablePostError
    from django.http.response import HttpResponseBase
    from django.urls import path, re_path
    from django.views.decorators.csrf import csrf_exempt
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("the URLs need Django: pip install 'scimkit[django]'") from missing

from scimkit.errors import InvalidSyntax, PayloadTooLarge, ScimError
from scimkit.runner import run_sync
from scimkit.service import Request, Response, ScimService
from scimkit.service.http import error_response
from scimkit.service.locations import base_url

View = Callable[..., Any]


def scim_urls(service: ScimService) -> list[Any]:
    """Return the URL patterns of a service, to `include` at a path that ends with a slash.

    A service over an async store, or with an async token verifier, gets an async view. The view needs no session,
    no user and no CSRF token: the bearer token authenticates the client. `reverse("scim")` returns the path of the
    endpoint, and `reverse("scim", args=["Users"])` the path of a resource type.
    """
    view = _open_to_tokens(_async_view(service) if service.is_async else _view(service))
    # `[\s\S]` takes a line feed too, as `(?s)` does. Django cannot reverse any URL of a project that has a `(?s)`.
    return [path("", view, name="scim"), re_path(r"^(?P<path>[\s\S]+)\Z", view, name="scim")]


def _view(service: ScimService) -> View:
    def scim(request: HttpRequest, path: str = "") -> HttpResponseBase:
        asked = _read(request, path, service.limits.body)
        response = run_sync(service.handle(asked)) if isinstance(asked, Request) else asked
        return _written(request, response, response.parts())

    return scim


def _async_view(service: ScimService) -> View:
    async def scim(request: HttpRequest, path: str = "") -> HttpResponseBase:
        asked = _read(request, path, service.limits.body)
        response = await service.handle(asked) if isinstance(asked, Request) else asked
        return _written(request, response, response.awaited_parts())

    return scim


def _open_to_tokens(view: View) -> View:
    """The view, without what Django asks of people at forms; a store begins and ends its transactions itself."""
    for alias in connections:
        view = transaction.non_atomic_requests(alias)(view)
    exempt: Any = csrf_exempt(view)
    exempt.login_required = False
    return exempt  # type: ignore[no-any-return]


def _read(request: HttpRequest, path: str, limit: int) -> Request | Response:
    """The request as the service takes it, or the answer to one that cannot be read."""
    try:
        body = request.read(limit + 1)
        root = request.path.removesuffix(path).rstrip("/")
        where = base_url(scheme=request.scheme or "http", host=request.get_host(), root=root, headers={})
    except UnreadablePostError:
        return error_response(InvalidSyntax("The request body ended too early."))
    except DisallowedHost:
        return error_response(InvalidSyntax("This service is not at the host that the request names."))
    if len(body) > limit:
        too_large: ScimError = PayloadTooLarge(f"The request body is larger than {limit} bytes.")
        return error_response(too_large)
    return Request(
        method=request.method or "",
        path=f"/{path}",
        query=request.META.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        base_url=where,
    )


def _written(request: HttpRequest, response: Response, parts: Any) -> HttpResponseBase:
    answer: HttpResponseBase
    if request.method == "HEAD" or response.more is None:
        answer = HttpResponse(b"" if request.method == "HEAD" else response.body, status=response.status)
    else:
        answer = StreamingHttpResponse(parts, status=response.status)
    del answer["Content-Type"]  # of HTML, unless the response says another
    for name, value in response.headers:
        answer[name] = value
    if response.status != 204 and response.more is None:
        answer["Content-Length"] = str(len(response.body))
    return answer
