"""A helpdesk with a SCIM endpoint and the admin page on one server, for the browser tests and the screenshots."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.admin import Administrator, AdminSite
from scimkit.admin.asgi import AdminApp
from scimkit.asgi import ScimApp
from scimkit.oauth import ClientRegistry, TokenEndpoint
from scimkit.oauth.asgi import TokenApp
from scimkit.safeguards import Breaker, keep_last
from scimkit.testing.directory import Directory, sample_directory
from scimkit.testing.entra import EntraSimulator
from scimkit.testing.server import running
from scimkit.tokens.verification import utc_now

CHROMIUM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The browser of the system, or None."""
DESKTOP: Final = {"width": 1200, "height": 800}
PHONE: Final = {"width": 360, "height": 740}
AGENT: Final = "AzureAD-SCIM-Client/1.0"


@dataclass
class Helpdesk:
    """A running helpdesk. `person` is the administrator whom the page admits."""

    url: str
    service: ScimService
    tokens: TokenRegistry
    clients: ClientRegistry
    person: Administrator | None

    @property
    def endpoint(self) -> str:
        return f"{self.url}/scim/v2"

    @property
    def admin(self) -> str:
        return f"{self.url}/admin"

    def entra(self, token: str, directory: Directory | None = None) -> EntraSimulator:
        """Return the simulator of Entra with a token."""
        client = httpx.Client(headers={"User-Agent": AGENT}, timeout=20)
        return EntraSimulator(self.endpoint, token, directory or sample_directory(), client=client)


@contextmanager
def helpdesk(clock: Callable[[], datetime] = utc_now, **options: Any) -> Iterator[Helpdesk]:
    """Serve a helpdesk while the block runs. `clock` is that of its OAuth clients."""
    tokens = TokenRegistry()
    service = ScimService(
        MemoryStore(provisioning_log=True), tokens=tokens, breaker=Breaker(deactivations=2, percent=None),
        protect=['userName eq "mia.boss@example.org"', keep_last('roles[value eq "admin"]')],
    )  # fmt: skip
    made: list[Helpdesk] = []
    clients = ClientRegistry(tokens, clock=clock)
    site = AdminSite(
        service, tokens, endpoint="/scim/v2", clients=clients, authorize=lambda scope: made[0].person,
        name="Example Helpdesk", **options,
    )  # fmt: skip
    scim, admin = ScimApp(service, prefix="/scim/v2"), AdminApp(site, prefix="/admin")
    token = TokenApp(TokenEndpoint(service, clients), prefix="/oauth")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        await (admin if path.startswith("/admin") else token if path.startswith("/oauth") else scim)(
            scope, receive, send
        )

    with running(app) as url:
        made.append(Helpdesk(url, service, tokens, clients, Administrator("ada@example.org")))
        yield made[0]


@contextmanager
def chromium() -> Iterator[Any]:
    """Run the browser of the system while the block runs, and yield it."""
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        try:
            yield browser
        finally:
            browser.close()


def fail_a_person(directory: Directory) -> None:
    """Give Sam the user name of another person, so that the next cycle fails for Sam."""
    sam = next(each for each in directory.people.values() if each.given_name == "Sam")
    directory.change(sam.key, user_name="ada.king@example.org")
