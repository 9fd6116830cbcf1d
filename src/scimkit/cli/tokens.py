"""`scimkit token`: issue, list and revoke the bearer tokens of a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from scimkit.cli.stores import StoreOption, open_store
from scimkit.dialects import DIALECTS
from scimkit.errors import NotFound
from scimkit.tokens import TokenRegistry

token_app: typer.Typer = typer.Typer(no_args_is_help=True, help="Issue, list and revoke the bearer tokens of a store.")

TenantOption = Annotated[str, typer.Option(help="The tenant of the token. A token gives access to one tenant only.")]


@token_app.command("create")
def create_token(
    store: StoreOption,
    description: Annotated[
        str, typer.Option(help="The purpose of the token, such as the name of the identity provider.")
    ],
    tenant: TenantOption = "default",
    days: Annotated[int | None, typer.Option(help="Days until the token expires. Default: never.", min=1)] = None,
    dialect: Annotated[
        str | None, typer.Option(help=f"The dialect of requests with this token: {', '.join(DIALECTS)}.")
    ] = None,
) -> None:
    """Issue a token and print only the token on standard output. It cannot be shown again."""
    if dialect is not None and dialect not in DIALECTS:
        raise typer.BadParameter(f"choose from {', '.join(DIALECTS)}", param_hint="--dialect")
    expires_in = None if days is None else timedelta(days=days)
    issued = _tokens(store).issue(description, tenant=tenant, expires_in=expires_in, dialect=dialect)
    typer.echo(issued.token)


@token_app.command("list")
def list_tokens(store: StoreOption, tenant: TenantOption = "default") -> None:
    """List the tokens of a tenant with id, status, time of creation, expiry and description."""
    table = Table("Id", "Status", "Created", "Expires", "Description")
    now = datetime.now(UTC)
    for record in _tokens(store).list(tenant):
        expires = "never" if record.expires is None else f"{record.expires:%Y-%m-%d}"
        table.add_row(record.id, record.status(now), f"{record.created:%Y-%m-%d %H:%M}", expires, record.description)
    Console().print(table)


@token_app.command("revoke")
def revoke_token(
    id: Annotated[str, typer.Argument(help="The id of the token, from `scimkit token list`.")],
    store: StoreOption,
    tenant: TenantOption = "default",
) -> None:
    """Revoke a token permanently."""
    try:
        _tokens(store).revoke(id, tenant=tenant)
    except NotFound:
        raise typer.BadParameter("the tenant has no token with this id", param_hint="ID") from None
    typer.echo(f"Revoked {id}.")


def _tokens(url: str) -> TokenRegistry:
    """Open the token registry at a URL. Refuse memory://, which has no tokens of other processes."""
    if url == "memory://":
        raise typer.BadParameter(
            "memory:// loses the token when this command ends; use a database", param_hint="--store"
        )
    return open_store(url)[1]
