"""The command line: `scimkit demo | serve | token | migrate | check`.

It joins a store, tokens and a server; it holds no rule of SCIM.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

try:
    import typer
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
except ModuleNotFoundError as missing:
    raise SystemExit("The command line needs its extra: pip install 'scimkit[cli]'") from missing

from scimkit import __version__
from scimkit.asgi import ScimApp
from scimkit.cli_check import check
from scimkit.cli_logs import FORMATS, LEVELS
from scimkit.cli_serve import (
    PREFIX,
    STORE_URLS,
    ServedStore,
    Settings,
    StoreUnavailable,
    explained,
    open_store,
    prepare,
    serve_many,
    serve_one,
    sql_store,
    store_url,
)
from scimkit.dialects import DIALECTS
from scimkit.service import ScimService
from scimkit.tokens import TokenRegistry

if TYPE_CHECKING:
    from scimkit.testing.entra import Report, Step

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False,
    help="A SCIM 2.0 service provider: let identity providers manage your users and groups.",
)  # fmt: skip
token_app = typer.Typer(no_args_is_help=True, help="Issue, list and revoke the bearer tokens of a store.")
app.add_typer(token_app, name="token")
app.command()(check)

StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="SCIMKIT_STORE",
        show_envvar=True,
        help=f"Where users, groups and tokens are kept: {STORE_URLS}.",
    ),
]
TenantOption = Annotated[str, typer.Option(help="The tenant that a token belongs to; tokens of one never see another.")]


def main() -> None:
    """The entry point of the `scimkit` command."""
    try:
        app()
    except StoreUnavailable as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from None


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        typer.echo(f"scimkit {__version__}")
        raise typer.Exit


@app.command()
def demo(
    flavor: Annotated[
        str,
        typer.Option(
            "--flavor", "--flavour", help="How Entra writes its PATCHes: default, aadOptscim062020, or both in turn."
        ),
    ] = "both",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the server running when the story is told.")] = False,
    port: Annotated[int, typer.Option(help="The loopback port to serve on; 0 takes a free one.", min=0, max=65535)] = 0,
) -> None:
    """Watch Microsoft Entra's provisioning story succeed against a real server.

    Starts a server on this machine with a database in a temporary file, issues a token, and plays
    Entra: *Test Connection*, *Provision on demand*, the initial cycle and incremental cycles.
    The exit status is 0 when every step passed.
    """
    from scimkit.testing.entra import FLAVORS
    from scimkit.testing.server import PortTaken, running

    if flavor != "both" and flavor not in FLAVORS:
        raise typer.BadParameter(f"choose from {', '.join((*FLAVORS, 'both'))}", param_hint="--flavor")
    console = Console(highlight=False)
    flavors = FLAVORS if flavor == "both" else (flavor,)
    try:
        with tempfile.TemporaryDirectory(prefix="scimkit-demo-") as folder:
            store, tokens = open_store(f"sqlite:///{Path(folder) / 'helpdesk.db'}")
            service = ScimService(store, tokens=tokens)
            with running(ScimApp(service, prefix=PREFIX), port=port) as url:
                endpoint = url + PREFIX
                outcomes = [_tell(console, endpoint, tokens, name) for name in flavors]
                _point_entra_at(console)
                if keep:
                    _wait(console, endpoint)
    except PortTaken as error:
        raise typer.BadParameter(str(error), param_hint="--port") from None
    raise typer.Exit(0 if all(outcomes) else 1)


def _tell(console: Console, endpoint: str, tokens: TokenRegistry, flavor: str) -> bool:
    """Play the story once, in a tenant of its own, and show each step while it happens."""
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
    report = run_story(endpoint, token, flavor=flavor, on_step=lambda step: _show(console, step))
    _sum_up(console, report)
    return report.passed


def _show(console: Console, step: Step) -> None:
    stage, separator, _ = step.title.partition(": connection")
    if separator:
        console.print(f"\n  [bold]{stage}[/bold]")
    mark = "[green]✓[/green]" if step.passed else "[red]✗[/red]"
    got = f"{step.status}, {step.seconds * 1000:.0f} ms"
    console.print(f"  {mark} {escape(step.title)}  [dim]{escape(step.request)} -> {got}[/dim]", soft_wrap=True)
    if not step.passed:
        console.print(f"      [red]{escape(step.reason or '')}[/red]", soft_wrap=True)


def _sum_up(console: Console, report: Report) -> None:
    failed = len([step for step in report.steps if not step.passed])
    color = "green" if report.passed else "red"
    console.print(
        f"\n  [{color}]{len(report.steps) - failed} steps passed, {failed} failed[/{color}] in {report.seconds:.1f} s"
    )


def _point_entra_at(console: Console) -> None:
    console.print(
        "\n[bold]A real Entra[/bold] needs the endpoint on the Internet over TLS: put a proxy or a tunnel before\n"
        "  scimkit serve --store sqlite:///helpdesk.db\n"
        "issue a token with\n"
        '  scimkit token create --store sqlite:///helpdesk.db --description "Microsoft Entra ID"\n'
        f"and paste https://YOUR-HOST{PREFIX} and the token into Enterprise applications > Provisioning.",
        soft_wrap=True,
    )


def _wait(console: Console, endpoint: str) -> None:
    console.print(f"\nStill serving {endpoint}; press Ctrl+C to stop.")
    try:
        import time

        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopped.")


@app.command()
def serve(
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="SCIMKIT_STORE",
            show_envvar=True,
            help=f"Where users, groups and tokens are kept: {STORE_URLS}. Default: memory://.",
        ),
    ] = None,
    store_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file that has the URL of the store, such as a secret mount.")
    ] = None,
    dialect: Annotated[str, typer.Option(help=f"How forgiving to be: {', '.join(DIALECTS)}.")] = "tolerant",
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8000,
    public_url: Annotated[
        str | None,
        typer.Option(
            help="The endpoint's URL as identity providers see it, such as https://help.example.org/scim/v2. "
            "Without it, URLs in responses follow the Host header, which a client chooses."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that serve, over one database.", min=1, max=256)] = 1,
    cursor_secret: Annotated[
        str | None,
        typer.Option(
            envvar="SCIMKIT_CURSOR_SECRET",
            show_envvar=True,
            help="A text that servers behind one address share, so that a cursor of one is good at the others.",
        ),
    ] = None,
    grace: Annotated[
        int, typer.Option(help="Seconds that requests have to end after SIGTERM; a second SIGTERM ends at once.", min=0)
    ] = 30,
    log_format: Annotated[str, typer.Option(help=f"The format of log lines: {', '.join(FORMATS)}.")] = "text",
    log_level: Annotated[str, typer.Option(help=f"The lowest level that is logged: {', '.join(LEVELS)}.")] = "info",
    access_log: Annotated[bool, typer.Option(help="Log one line for each request.")] = True,
) -> None:
    """Serve SCIM under /scim/v2, with probes at /healthz and /readyz.

    With memory:// a token is issued and printed, since nothing outlives the process.
    """
    if dialect not in DIALECTS:
        raise typer.BadParameter(f"choose from {', '.join(DIALECTS)}", param_hint="--dialect")
    for option, given, choices in (("--log-format", log_format, FORMATS), ("--log-level", log_level, LEVELS)):
        if given not in choices:
            raise typer.BadParameter(f"choose from {', '.join(choices)}", param_hint=option)
    url = store_url(store, store_file)
    settings = Settings(
        url, dialect, host, port, public_url, cursor_secret, grace, log_format, log_level, access_log
    )  # fmt: skip
    prepare(settings)
    if workers > 1:
        if url == "memory://":
            raise typer.BadParameter("processes share no memory; give them a database", param_hint="--store")
        serve_many(settings, workers)
        return
    opened, tokens = open_store(url)
    token = tokens.issue("scimkit serve").token if url == "memory://" else None
    serve_one(ServedStore(settings, opened, tokens), settings, token)


@app.command()
def migrate(
    store: StoreOption,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit status 1 when there is something to do.")
    ] = False,
) -> None:
    """Bring the tables of a database to the version of this scimkit, from whichever they have.

    `serve` does so too when it starts. Any number of processes may do it at once.
    """
    if store == "memory://":
        raise typer.BadParameter("memory:// has no tables; use a database", param_hint="--store")
    from scimkit.stores.sql import migrations

    with explained():
        opened = sql_store(store)
        before = opened.schema_version
        behind = (before or "") < migrations.HEAD
        if behind and not check:
            opened.upgrade()
    said = "to upgrade" if check else "upgraded"
    typer.echo(f"{said} from {before or 'nothing'} to {migrations.HEAD}" if behind else f"at {before}, nothing to do")
    raise typer.Exit(1 if behind and check else 0)


@token_app.command("create")
def create_token(
    store: StoreOption,
    description: Annotated[str, typer.Option(help="What the token is for, such as the identity provider's name.")],
    tenant: TenantOption = "default",
    days: Annotated[int | None, typer.Option(help="Days until it expires; without this it does not.", min=1)] = None,
    dialect: Annotated[str | None, typer.Option(help=f"Read its requests in a dialect: {', '.join(DIALECTS)}.")] = None,
) -> None:
    """Issue a token and print it, and nothing else, on standard output. It is shown this once."""
    if dialect is not None and dialect not in DIALECTS:
        raise typer.BadParameter(f"choose from {', '.join(DIALECTS)}", param_hint="--dialect")
    expires_in = None if days is None else timedelta(days=days)
    issued = _tokens(store).issue(description, tenant=tenant, expires_in=expires_in, dialect=dialect)
    typer.echo(issued.token)


@token_app.command("list")
def list_tokens(store: StoreOption, tenant: TenantOption = "default") -> None:
    """List the tokens of a tenant: id, status, when they were made and expire, description."""
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
    """Make a token invalid for good."""
    from scimkit.errors import NotFound

    try:
        _tokens(store).revoke(id, tenant=tenant)
    except NotFound:
        raise typer.BadParameter("the tenant has no token with this id", param_hint="ID") from None
    typer.echo(f"Revoked {id}.")


def _tokens(url: str) -> TokenRegistry:
    if url == "memory://":
        raise typer.BadParameter("memory:// keeps no token beyond this command; use a database", param_hint="--store")
    return open_store(url)[1]


if __name__ == "__main__":
    main()
