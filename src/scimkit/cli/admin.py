"""The admin page of `scimkit serve --admin` and `scimkit demo --admin`, and the link that opens it once."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

import typer

from scimkit.admin import AdminSite, OneTimeLinks
from scimkit.admin.asgi import AdminApp
from scimkit.service import ScimService
from scimkit.tokens import AsyncTokenRegistry, TokenRegistry

if TYPE_CHECKING:  # the token endpoint is an extra
    from scimkit.oauth import AsyncClientRegistry, ClientRegistry

ADMIN: Final = "/admin"
"""The path of the admin page on the server of a command."""
_NAME: Final = "administrator"


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """The settings of the admin page, which all processes of a server share."""

    tenant: str
    secret: str = field(repr=False)
    folder: str
    """A folder of this server. A file in it records the use of a link, so that no process accepts the link again."""

    def links(self) -> OneTimeLinks:
        """Return the links to the page."""
        return OneTimeLinks(bytes.fromhex(self.secret), claim=self._claim)

    def announcement(self, endpoint: str, tenant: str | None = None) -> str:
        """Return a line with a new link to the page.

        Args:
            endpoint: The URL of the SCIM endpoint on the same host.
            tenant: The tenant of the link. The default is the tenant of the settings.
        """
        code = self.links().issue(_NAME, tenant=tenant or self.tenant)
        return f"Admin page (the link works once, for one hour): {urljoin(endpoint, f'{ADMIN}/enter/{code}')}"

    def _claim(self, digest: str) -> bool:
        """Record the use of a link, and return False if it was used before. Processes exclude each other."""
        try:
            (Path(self.folder) / digest).touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            return False
        return True


def new_admin_settings(tenant: str) -> AdminSettings:
    """Return the settings of a new server, whose folder is removed when this process ends.

    Raises:
        typer.BadParameter: Jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: F401
    except ModuleNotFoundError:
        raise typer.BadParameter("the admin page needs pip install 'scimkit[admin]'", param_hint="--admin") from None
    folder = tempfile.mkdtemp(prefix="scimkit-admin-")
    owner = os.getpid()
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == owner else None)
    return AdminSettings(tenant, secrets.token_hex(32), folder)


def admin_app(
    service: ScimService,
    tokens: TokenRegistry | AsyncTokenRegistry,
    settings: AdminSettings,
    *,
    endpoint: str,
    clients: ClientRegistry | AsyncClientRegistry | None = None,
    token_endpoint: str = "",
) -> AdminApp:
    """Return the application of the admin page.

    Args:
        service: The service.
        tokens: The registry of its tokens.
        settings: The settings.
        endpoint: The URL or the path of the SCIM endpoint.
        clients: The registry of the OAuth clients, if the server has a token endpoint.
        token_endpoint: The path of the token endpoint.
    """
    key = bytes.fromhex(settings.secret)
    site = AdminSite(
        service, tokens, endpoint=endpoint, clients=clients, token_endpoint=urljoin(endpoint, token_endpoint),
        authorize=settings.links(), name="scimkit", key=key,
    )  # fmt: skip
    public_url = urljoin(endpoint, ADMIN) if "://" in endpoint else None
    return AdminApp(site, prefix=ADMIN, public_url=public_url)


def is_admin_path(path: str) -> bool:
    """Report whether the admin page serves a path."""
    return path == ADMIN or path.startswith(f"{ADMIN}/")
