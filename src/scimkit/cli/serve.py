"""`scimkit serve`: serve the SCIM endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scimkit.cli.admin import new_admin_settings
from scimkit.cli.logs import FORMATS, LEVELS
from scimkit.cli.server import DEFAULT_RATES, ServerApp, Settings, listen, prepare, serve_many, serve_one
from scimkit.cli.stores import STORE_FILE, STORE_URLS, open_served_store, read_store_url
from scimkit.cli.telemetry import check_extra
from scimkit.dialects import DIALECTS
from scimkit.service.request_counts import RequestCounts
from scimkit.tokens import TokenRegistry


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
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar=STORE_FILE,
            show_envvar=True,
            help="A file that contains the URL of the store, such as a mounted secret.",
        ),
    ] = None,
    dialect: Annotated[str, typer.Option(help=f"The dialect of requests: {', '.join(DIALECTS)}.")] = "tolerant",
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 selects a free port.", min=0, max=65535)] = 8000,
    public_url: Annotated[
        str | None,
        typer.Option(
            help="The endpoint's URL as identity providers see it, such as https://help.example.org/scim/v2. "
            "By default, URLs in responses follow the Host header, which the client chooses."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(help="The number of server processes over one database.", min=1, max=256)] = 1,
    cursor_secret: Annotated[
        str | None,
        typer.Option(
            envvar="SCIMKIT_CURSOR_SECRET",
            show_envvar=True,
            help="A secret that all servers behind one address share, so that each accepts the cursors of the others.",
        ),
    ] = None,
    grace: Annotated[
        int,
        typer.Option(
            help="Seconds until running requests must end after SIGTERM. A second SIGTERM exits at once.", min=0
        ),
    ] = 30,
    log_format: Annotated[str, typer.Option(help=f"The format of log lines: {', '.join(FORMATS)}.")] = "text",
    log_level: Annotated[str, typer.Option(help=f"The lowest level that is logged: {', '.join(LEVELS)}.")] = "info",
    access_log: Annotated[bool, typer.Option(help="Log one line for each request.")] = True,
    outbox: Annotated[
        bool, typer.Option("--outbox", help="Record resource events, for `scimkit events deliver`.")
    ] = False,
    admin: Annotated[
        bool, typer.Option("--admin", help="Serve the admin page at /admin, and print a link that works once.")
    ] = False,
    token_endpoint: Annotated[
        bool,
        typer.Option("--token-endpoint", help="Serve OAuth client credentials at /oauth/token. See `scimkit client`."),
    ] = False,
    admin_tenant: Annotated[str, typer.Option(help="The tenant that the admin page shows.")] = "default",
    provisioning_log: Annotated[
        bool,
        typer.Option(
            "--provisioning-log/--no-provisioning-log",
            help="Keep a log of every write and every failure, for `scimkit log`, `cycles` and `health`.",
        ),
    ] = True,
    rate_limits: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="SCIMKIT_RATE_LIMITS",
            show_envvar=True,
            help="Limit the requests of each tenant and token, counted in memory:// or in redis://HOST:6379/0.",
        ),
    ] = None,
    tenant_rate: Annotated[
        float, typer.Option(help="Requests a second of a tenant, with --rate-limits.")
    ] = DEFAULT_RATES.tenant or 0.0,
    token_rate: Annotated[
        float, typer.Option(help="Requests a second of a token, with --rate-limits.")
    ] = DEFAULT_RATES.token or 0.0,
    telemetry: Annotated[
        bool,
        typer.Option(
            "--telemetry",
            envvar="SCIMKIT_TELEMETRY",
            show_envvar=True,
            help="Record OpenTelemetry spans and metrics, for the SDK that opentelemetry-instrument sets up.",
        ),
    ] = False,
) -> None:
    """Serve SCIM under /scim/v2, with health probes at /healthz and /readyz.

    With memory:// the command issues and prints a token, because no token outlives the process.
    """
    if dialect not in DIALECTS:
        raise typer.BadParameter(f"choose from {', '.join(DIALECTS)}", param_hint="--dialect")
    for option, given, choices in (("--log-format", log_format, FORMATS), ("--log-level", log_level, LEVELS)):
        if given not in choices:
            raise typer.BadParameter(f"choose from {', '.join(choices)}", param_hint=option)
    url = read_store_url(store, store_file)
    settings = Settings(
        url, dialect, host, port, public_url, cursor_secret, grace, log_format, log_level, access_log, outbox,
        provisioning_log, new_admin_settings(admin_tenant) if admin else None,
        rate_limits=rate_limits, tenant_rate=tenant_rate, token_rate=token_rate, telemetry=telemetry,
        token_endpoint=token_endpoint,
    )  # fmt: skip
    _check_rate_limits(settings)
    if telemetry:
        _check_telemetry()
    if outbox and url == "memory://":
        raise typer.BadParameter("memory:// cannot deliver events; use a database", param_hint="--outbox")
    if token_endpoint and url == "memory://":
        raise typer.BadParameter("memory:// has no clients of other commands; use a database", param_hint="--store")
    if workers > 1 and url == "memory://":
        raise typer.BadParameter("several processes cannot share memory://; use a database", param_hint="--store")
    prepare(settings)
    with listen(settings) as listener:
        if workers > 1:
            serve_many(settings, listener, workers)
            return
        opened, tokens = open_served_store(url, outbox=outbox, provisioning_log=provisioning_log)
        token = (
            tokens.issue("scimkit serve").token if isinstance(tokens, TokenRegistry) and url == "memory://" else None
        )
        serve_one(ServerApp(settings, opened, tokens), settings, listener, token)


def _check_telemetry() -> None:
    """Check that the extra is installed before the server starts. Raises BadParameter otherwise."""
    try:
        check_extra()
    except ModuleNotFoundError as missing:
        raise typer.BadParameter(str(missing), param_hint="--telemetry") from None


def _check_rate_limits(settings: Settings) -> None:
    """Check the options of the rate limits before the server starts. Raises BadParameter without the URL."""
    try:
        limits = settings.limits()
        if limits is not None:
            RequestCounts(limits.url, limits.prefix, is_async=False)
    except ModuleNotFoundError as missing:
        raise typer.BadParameter(str(missing), param_hint="--rate-limits") from None
    except ValueError as error:
        reason = str(error) if "must" in str(error) else "the URL of Redis cannot be read"
        raise typer.BadParameter(reason, param_hint="--rate-limits") from None
