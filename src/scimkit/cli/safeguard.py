"""`scimkit safeguard`: show and release the breaker that stops mass deactivations."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from scimkit.cli.stores import StoreOption, one_line_errors, sql_store
from scimkit.safeguards import Breaker

if TYPE_CHECKING:
    from scimkit.stores.sql import SqlBreakerStore

safeguard_app: typer.Typer = typer.Typer(
    no_args_is_help=True, help="Show and release the breaker that stops mass deactivations."
)

TenantOption = Annotated[str, typer.Option(help="The tenant whose users the breaker watches.")]


@safeguard_app.command("status")
def show_status(store: StoreOption, tenant: TenantOption = "default") -> None:
    """Print the state of a tenant's breaker. The exit status is 1 if the breaker has tripped."""
    with one_line_errors():
        state = _breaker_store(store).read(tenant)
    if state.tripped is not None:
        typer.echo(f"Tripped at {state.tripped:%Y-%m-%d %H:%M} UTC. Deactivations and deletions are refused.")
        raise typer.Exit(1)
    if state.paused_until is not None:
        typer.echo(f"Not counting before {state.paused_until:%Y-%m-%d %H:%M} UTC.")
    typer.echo(f"Not tripped. Deactivations and deletions counted: {state.deactivations}.")


@safeguard_app.command("release")
def release(
    store: StoreOption,
    tenant: TenantOption = "default",
    pause_hours: Annotated[
        float | None,
        typer.Option(help="Hours in which nothing is counted, for a large deactivation that is intended.", min=0),
    ] = None,
) -> None:
    """Allow deactivations and deletions of a tenant again. Check the scope of provisioning first."""
    pause = None if pause_hours is None else timedelta(hours=pause_hours)
    with one_line_errors():
        Breaker(store=_breaker_store(store)).release(tenant, pause=pause)
    typer.echo("Released. Deactivations and deletions are counted from zero.")


def _breaker_store(url: str) -> SqlBreakerStore:
    """Open the breaker states at a URL. Refuse memory://, which has no states of other processes."""
    if url == "memory://":
        raise typer.BadParameter("memory:// has no breaker of another process; use a database", param_hint="--store")
    return sql_store(url).breaker_store()
