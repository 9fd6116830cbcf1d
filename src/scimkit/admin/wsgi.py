"""The WSGI form of the admin page. Mount `AdminApp` under any path of a Flask or Django application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scimkit.admin.page_requests import MAX_FORM
from scimkit.admin.site import AdminSite
from scimkit.errors import ScimError
from scimkit.runner import run_sync
from scimkit.service import Request, Response
from scimkit.service.locations import relative_path
from scimkit.wsgi import ScimApp, decoded_path, read_body

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


class AdminApp(ScimApp):
    """A WSGI application that serves an `AdminSite` over a sync store.

    Args:
        site: The admin page.
        prefix: The path of the page inside this application, if no framework mounts the application under a path.
        public_url: The URL of the page as browsers see it. It takes precedence over the headers of requests.
        trust_forwarded: The number of proxies in front of the page, as for `ScimApp`.

    Raises:
        ValueError: The page needs an event loop, or `trust_forwarded` is not a number of proxies.
    """

    def __init__(
        self, site: AdminSite, *, prefix: str = "", public_url: str | None = None, trust_forwarded: int = 0
    ) -> None:
        super().__init__(site.service, prefix=prefix, public_url=public_url, trust_forwarded=trust_forwarded)
        self.site = site

    def _respond(self, environ: WSGIEnvironment) -> Response:
        """Return the page for a request."""
        site = self.site
        path = relative_path(decoded_path(environ.get("PATH_INFO", "")), self._prefix)
        request = Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""))
        try:
            self._read_headers(environ, request)
            if request.method == "POST":
                request.body = read_body(environ, request, MAX_FORM)
            return run_sync(site.handle(request, run_sync(site.administrator(environ))))
        except ScimError as error:
            return site.refuse(request, error)
