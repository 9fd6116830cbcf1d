"""A browser without a browser: requests to an `AdminSite` in process."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.admin import Administrator, AdminSite
from scimkit.oauth import ClientRegistry
from scimkit.runner import run_sync
from scimkit.service import Request, Response

ROOT = "https://help.example.org/admin"
ADA = Administrator("ada@example.org", session="s1")


def made_site(*, clients: bool = False, **options: Any) -> AdminSite:
    """Return an admin page over a service in memory, with OAuth clients or without them."""
    tokens = options.pop("tokens", None) or TokenRegistry()
    store = options.pop("store", None) or MemoryStore(provisioning_log=True)
    service = ScimService(store, tokens=tokens, **options)
    registry = ClientRegistry(tokens) if clients else None
    return AdminSite(service, tokens, endpoint="/scim/v2", clients=registry, authorize=lambda _: ADA)


class Visitor:
    """An administrator who reads pages and sends forms."""

    def __init__(self, site: AdminSite, administrator: Administrator | None = ADA) -> None:
        self.site = site
        self.administrator = administrator

    def send(self, method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Response:
        """Return the response to a request."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method, path, query, headers=given, body=body, base_url=ROOT)
        return run_sync(self.site.handle(request, self.administrator))

    def get(self, path: str, query: str = "") -> str:
        """Return the HTML of a page that is found."""
        response = self.send("GET", path, query)
        assert response.status == 200, (path, response.status)
        return response.body.decode()

    def form_token(self) -> str:
        """Return the token of a form."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.get("/tokens/new"))
        assert found is not None
        return unescape(found[1])

    def post(self, path: str, form_token: str | None = None, **fields: Any) -> Response:
        """Send a form as a page of the site does."""
        body = urlencode({"form_token": self.form_token() if form_token is None else form_token, **fields}, doseq=True)
        return self.send("POST", path, "", body.encode(), content_type="application/x-www-form-urlencoded")

    def new_token(self, description: str = "Entra", **fields: Any) -> tuple[str, str]:
        """Create a token by the form, and return its id and its text."""
        values = {"description": description, "scopes": ["read", "write"], "expires": "never", **fields}
        html = self.post("/tokens/new", **values).body.decode()
        text = re.search(r"scimkit_\w+", html)
        assert text is not None, html
        return next(each.id for each in self.site.ports.tokens.list(ADA.tenant) if each.id in text[0]), text[0]

    def new_client(self, description: str = "Entra", **fields: Any) -> tuple[str, str]:
        """Create a client with a secret by the form, and return its id and its secret."""
        values = {"description": description, "scopes": ["read", "write"], "lifetime": "60", "method": "secret",
                  "expires": "730", **fields}  # fmt: skip
        html = self.post("/clients/new", **values).body.decode()
        id, secret = re.search(r'id="client-id" value="([^"]+)"', html), re.search(r"scimkit_secret_\w+", html)
        assert id is not None and secret is not None, html
        return id[1], secret[0]


def location_of(response: Response) -> str:
    """Return the Location header."""
    return dict(response.headers)["Location"]
