"""`scimkit serve`: serve the SCIM endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scimkit.cli.logs import FORMATS, LEVELS
from scimkit.cli.server import ServerApp, Settings, prepare, serve_many, serve_one
from scimkit.cli.stores import STORE_URLS, open_store, read_store_url
from scimkit.dialects import DIALECTS


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
    url = read_store_url(store, store_file)
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
    serve_one(ServerApp(settings, opened, tokens), settings, token)
