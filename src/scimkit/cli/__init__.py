"""The command line of scimkit: `scimkit demo | serve | token | log | health | check | explain | ...`.

Each command has its own module. The commands connect a store, tokens and a server; they contain no SCIM logic.
"""

from __future__ import annotations

from typing import Annotated

try:
    import rich  # noqa: F401
    import typer
except ModuleNotFoundError as _missing:
    raise SystemExit("The command line needs its extra: pip install 'scimkit[cli]'") from _missing

from scimkit import __version__
from scimkit.cli.check import check
from scimkit.cli.clients import client_app
from scimkit.cli.corpus import corpus_app
from scimkit.cli.demo import demo
from scimkit.cli.events import event_app
from scimkit.cli.explain import explain_request
from scimkit.cli.health import health
from scimkit.cli.migrate import migrate
from scimkit.cli.provisioning_log import cycles, forget, log
from scimkit.cli.safeguard import safeguard_app
from scimkit.cli.serve import serve
from scimkit.cli.stores import StoreUnavailable, close_stores
from scimkit.cli.tokens import token_app

app: typer.Typer = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False,
    help="A SCIM 2.0 service provider: let identity providers manage your users and groups.",
)  # fmt: skip
for _command in (check, demo, serve, migrate, log, cycles, health, forget):
    app.command()(_command)
app.command("explain")(explain_request)
app.add_typer(token_app, name="token")
app.add_typer(client_app, name="client")
app.add_typer(safeguard_app, name="safeguard")
app.add_typer(event_app, name="events")
app.add_typer(corpus_app, name="corpus")


def main() -> None:
    """Run the `scimkit` command."""
    try:
        app()
    except StoreUnavailable as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from None


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Print the version if the option asks for it."""
    context.call_on_close(close_stores)
    if version:
        typer.echo(f"scimkit {__version__}")
        raise typer.Exit
