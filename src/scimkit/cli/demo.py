"""`scimkit demo`: play the provisioning story of Microsoft Entra ID against a real server."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast, get_args

import typer
from rich.console import Console
from rich.markup import escape

from scimkit.asgi import AsgiScope, Receive, ScimApp, Send
from scimkit.cli.admin import AdminSettings, admin_app, is_admin_path, new_admin_settings
from scimkit.cli.provisioning_log import print_entries
from scimkit.cli.server import PREFIX
from scimkit.cli.stores import open_store
from scimkit.provisioning import Action, LogQuery, SyncProvisioningLog, connection_health
from scimkit.runner import run_sync
from scimkit.service import ScimService
from scimkit.tokens import TokenRegistry

if TYPE_CHECKING:
    from scimkit.testing.entra import Report, Step


_SHOWN_ENTRIES: Final = 5
"""The number of entries of the provisioning log that the demo shows."""


def demo(
    flavor: Annotated[
        str,
        typer.Option(
            "--flavor", "--flavour", help="The PATCH format of Entra: default, aadOptscim062020, or both in turn."
        ),
    ] = "both",
    keep: Annotated[bool, typer.Option("--keep", help="Keep the server running after the story.")] = False,
    admin: Annotated[
        bool, typer.Option("--admin", help="Serve the admin page too, and print a link for each tenant.")
    ] = False,
    port: Annotated[int, typer.Option(help="The loopback port; 0 selects a free port.", min=0, max=65535)] = 0,
) -> None:
    """Watch Microsoft Entra's provisioning story succeed against a real server.

    The command starts a server on this machine with a database in a temporary file, and issues a token. It then plays
    what Entra does: *Test Connection*, *Provision on demand*, the initial cycle and incremental cycles. The exit status
    is 0 if every step passed.
    """
    from scimkit.testing.entra import FLAVORS
    from scimkit.testing.server import PortTaken, running

    if flavor != "both" and flavor not in FLAVORS:
        raise typer.BadParameter(f"choose from {', '.join((*FLAVORS, 'both'))}", param_hint="--flavor")
    console = Console(highlight=False)
    flavors = FLAVORS if flavor == "both" else (flavor,)
    try:
        with tempfile.TemporaryDirectory(prefix="scimkit-demo-") as folder:
            settings = new_admin_settings("default") if admin else None
            store, tokens = open_store(f"sqlite:///{Path(folder) / 'helpdesk.db'}", provisioning_log=True)
            service = ScimService(store, tokens=tokens)
            with running(_app(service, tokens, settings), port=port) as url:
                endpoint = url + PREFIX
                outcomes = [_play_story(console, endpoint, tokens, name) for name in flavors]
                log: SyncProvisioningLog = cast(Any, store).provisioning_log
                run_sync(service.flush_provisioning_log())
                for name in flavors:
                    _print_log(console, log, tokens, f"demo-{name}")
                _print_entra_setup(console)
                if settings is not None:
                    _print_links(console, settings, endpoint, flavors)
                if keep:
                    _wait(console, endpoint)
    except PortTaken as error:
        raise typer.BadParameter(str(error), param_hint="--port") from None
    raise typer.Exit(0 if all(outcomes) else 1)


def _print_links(console: Console, settings: AdminSettings, endpoint: str, flavors: Iterable[str]) -> None:
    """Print a link to the admin page for the tenant of each flavor."""
    for flavor in flavors:
        tenant = f"demo-{flavor}"
        console.print(f"\n[bold]Tenant {tenant}[/bold]\n{settings.announcement(endpoint, tenant)}", soft_wrap=True)


def _app(service: ScimService, tokens: TokenRegistry, settings: AdminSettings | None) -> Callable[..., Any]:
    """Return the ASGI application of the demonstration."""
    scim = ScimApp(service, prefix=PREFIX)
    if settings is None:
        return scim
    page = admin_app(service, tokens, settings, endpoint=PREFIX)

    async def app(scope: AsgiScope, receive: Receive, send: Send) -> None:
        await (page if is_admin_path(scope.get("path", "")) else scim)(scope, receive, send)

    return app


def _play_story(console: Console, endpoint: str, tokens: TokenRegistry, flavor: str) -> bool:
    """Play the story once, in a separate tenant, and print each step when it happens."""
    from scimkit.testing.entra import run_story

    tenant = f"demo-{flavor}"
    token = tokens.issue("Microsoft Entra ID", tenant=tenant).token
    console.print(f"\n[bold]Admin > Apps & Integrations > SCIM Tokens[/bold]  (tenant {tenant})")
    for name, value, use in (
        ("Description", "Microsoft Entra ID", ""),
        ("Status", "[green]Active[/green]", ""),
        ("SCIM endpoint", endpoint, "Tenant URL in Entra"),
        ("Token", token, "Secret Token in Entra; shown once"),
    ):
        console.print(f"  {name:<14} {value}" + (f"  [dim]({use})[/dim]" if use else ""), soft_wrap=True)
    console.print(f"\n[bold]Microsoft Entra ID > Provisioning[/bold]  (flavor {flavor})")
    report = run_story(endpoint, token, flavor=flavor, on_step=lambda step: _print_step(console, step))
    _print_summary(console, report)
    return report.passed


def _print_step(console: Console, step: Step) -> None:
    """Print one step of the story."""
    stage, separator, _ = step.title.partition(": connection")
    if separator:
        console.print(f"\n  [bold]{stage}[/bold]")
    mark = "[green]✓[/green]" if step.passed else "[red]✗[/red]"
    got = f"{step.status}, {step.seconds * 1000:.0f} ms"
    console.print(f"  {mark} {escape(step.title)}  [dim]{escape(step.request)} -> {got}[/dim]", soft_wrap=True)
    if not step.passed:
        console.print(f"      [red]{escape(step.reason or '')}[/red]", soft_wrap=True)


def _print_summary(console: Console, report: Report) -> None:
    """Print how many steps passed and failed."""
    failed = len([step for step in report.steps if not step.passed])
    color = "green" if report.passed else "red"
    console.print(
        f"\n  [{color}]{len(report.steps) - failed} steps passed, {failed} failed[/{color}] in {report.seconds:.1f} s"
    )


def _print_log(console: Console, log: SyncProvisioningLog, tokens: TokenRegistry, tenant: str) -> None:
    """Print what the provisioning log of a tenant has of the story."""
    console.print(f"\n[bold]Admin > Apps & Integrations > Provisioning log[/bold]  (tenant {tenant})")
    [token] = tokens.list(tenant)
    for cycle in log.cycles(tenant):
        counts = {each: cycle.count(action=each) for each in get_args(Action)}
        written = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
        console.print(f"  Cycle: {cycle.reads} reads; {written}; {cycle.failures} failures", soft_wrap=True)
    console.print(f"  Health of the connection: {connection_health(log, tenant, token.id).status}")
    page = log.search(LogQuery(tenant=tenant, limit=_SHOWN_ENTRIES))
    print_entries(console, list(reversed(page.entries)), with_ids=False)


def _print_entra_setup(console: Console) -> None:
    """Print how to connect a real Entra to scimkit."""
    console.print(
        "\n[bold]A real Entra[/bold] must reach the endpoint from the Internet over TLS. Put a proxy or tunnel before\n"
        "  scimkit serve --store sqlite:///helpdesk.db\n"
        "Issue a token with\n"
        '  scimkit token create --store sqlite:///helpdesk.db --description "Microsoft Entra ID"\n'
        f"Paste https://YOUR-HOST{PREFIX} and the token into Enterprise applications > Provisioning.",
        soft_wrap=True,
    )


def _wait(console: Console, endpoint: str) -> None:
    """Wait until the user presses Ctrl+C."""
    console.print(f"\nStill serving {endpoint}; press Ctrl+C to stop.")
    try:
        import time

        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopped.")
