"""The ASGI form of the admin page. Mount `AdminApp` under any path of a FastAPI, Starlette or Django application."""

from __future__ import annotations

from scimkit.admin.page_requests import MAX_FORM
from scimkit.admin.site import AdminSite
from scimkit.asgi import AsgiScope, Receive, ScimApp, read_body
from scimkit.errors import PayloadTooLarge, ScimError
from scimkit.service import Response


class AdminApp(ScimApp):
    """An ASGI 3 application that serves an `AdminSite`.

    Args:
        site: The admin page.
        prefix: The path of the page inside this application, if no framework mounts the application under a path.
        public_url: The URL of the page as browsers see it. It takes precedence over the headers of requests.
        trust_forwarded: The number of proxies in front of the page, as for `ScimApp`.

    Raises:
        ValueError: `trust_forwarded` is not a number of proxies.
    """

    def __init__(
        self, site: AdminSite, *, prefix: str = "", public_url: str | None = None, trust_forwarded: int = 0
    ) -> None:
        super().__init__(site.service, prefix=prefix, public_url=public_url, trust_forwarded=trust_forwarded)
        self.site = site

    async def _respond(self, scope: AsgiScope, receive: Receive) -> Response:
        """Return the page for a request."""
        site, request = self.site, self._request_without_headers(scope)
        try:
            self._read_headers(scope, request)
            if request.method == "POST":
                body = await read_body(receive, request, MAX_FORM)
                if body is None:
                    raise PayloadTooLarge(f"The form is larger than {MAX_FORM} bytes.")
                request.body = body
            administrator = await site.administrator(scope)
            key = f"admin {request.path}" if request.method == "POST" else ""
            return await self._on_loop.run(lambda: site.handle(request, administrator), key)
        except ScimError as error:
            return site.refuse(request, error)
