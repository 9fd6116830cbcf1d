"""`scimkit client`: the OAuth clients of the token endpoint, their secrets and their trusts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from scimkit.asgi import ScimApp
from scimkit.cli.stores import StoreOption, one_line_errors, open_store
from scimkit.cli.tables import plain_table, wide_console
from scimkit.cli.token_columns import print_json
from scimkit.dialects import DIALECTS
from scimkit.errors import NotFound
from scimkit.service import ScimService
from scimkit.tokens import AsyncTokenRegistry, Client, TokenRegistry

if TYPE_CHECKING:
    from scimkit.oauth import AsyncClientRegistry, ClientRegistry, IssuedSecret

client_app: typer.Typer = typer.Typer(
    no_args_is_help=True, help="Register, list, rotate and revoke the OAuth clients of the token endpoint."
)

TenantOption = Annotated[str, typer.Option(help="The tenant of the client. Its tokens give access to one tenant only.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
IdArgument = Annotated[str, typer.Argument(help="The id of the client, from `scimkit client list`.")]
YearsOption = Annotated[float, typer.Option(help="Years until the new secret expires.", min=1, max=3)]

_YEARS: Final = 2
_DAYS_OF_YEAR: Final = 365


@client_app.command("add")
def add_client(
    store: StoreOption,
    description: Annotated[
        str, typer.Option(help="The purpose of the client, such as the name of the identity provider.")
    ],
    tenant: TenantOption = "default",
    minutes: Annotated[int, typer.Option(help="Minutes until an access token expires.", min=60, max=360)] = 60,
    years: YearsOption = _YEARS,
    dialect: Annotated[
        str | None, typer.Option(help=f"The dialect of requests of the client: {', '.join(DIALECTS)}.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="`read`, `write`, or one with a resource type, as `write:Group`. Default: both. Repeatable."),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="The person or program that registers the client.")] = None,
    no_secret: Annotated[
        bool, typer.Option("--no-secret", help="Make no secret, for a client that authenticates with assertions.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Register a client and print its id and its secret. The secret cannot be shown again."""
    if dialect is not None and dialect not in DIALECTS:
        raise typer.BadParameter(f"choose from {', '.join(DIALECTS)}", param_hint="--dialect")
    with _explained(store) as clients:
        client = clients.add(
            description, tenant=tenant, scopes=scope or ("read", "write"), lifetime=timedelta(minutes=minutes),
            dialect=dialect, created_by=by,
        )  # fmt: skip
        issued = None if no_secret else clients.add_secret(client.id, tenant=tenant, expires_in=_time(years))
    _print_issued(client.id, issued, as_json)


@client_app.command("list")
def list_clients(store: StoreOption, tenant: TenantOption = "default", as_json: JsonOption = False) -> None:
    """List the clients of a tenant with the last four characters and the expiry of their secrets, and their trusts."""
    with _explained(store) as clients:
        found = clients.list(tenant)
    if as_json:
        print_json([_json_values(each) for each in found])
        return
    table = plain_table()
    for title in ("Id", "Status", "Description", "Scopes", "Secrets", "Trusts"):
        table.add_column(title, no_wrap=title in ("Id", "Status"), overflow="fold")
    for each in found:
        table.add_row(*(Text("".join(c if c.isprintable() or c == "\n" else " " for c in v)) for v in _row(each)))
    wide_console().print(table)


@client_app.command("rotate")
def rotate_secret(
    id: IdArgument,
    store: StoreOption,
    tenant: TenantOption = "default",
    overlap_days: Annotated[float, typer.Option(help="Days for which the earlier secrets stay valid.", min=0)] = 30,
    years: YearsOption = _YEARS,
    as_json: JsonOption = False,
) -> None:
    """Make a secret that replaces the earlier ones after the overlap, and print it. It cannot be shown again."""
    with _explained(store) as clients:
        issued = clients.rotate_secret(
            id, tenant=tenant, overlap=timedelta(days=min(overlap_days, 9999)), expires_in=_time(years)
        )
    _print_issued(id, issued, as_json)


@client_app.command("trust")
def add_trust(
    id: IdArgument,
    store: StoreOption,
    issuer: Annotated[str, typer.Option(help="The issuer (iss) of the assertions.")],
    subject: Annotated[str, typer.Option(help="The subject (sub) of the assertions.")],
    audience: Annotated[str, typer.Option(help="The audience (aud) of the assertions.")],
    jwks: Annotated[str, typer.Option(help="The https URL of the key set of the issuer, or a file with a key set.")],
    tenant: TenantOption = "default",
) -> None:
    """Accept signed assertions of an issuer for a client, and print the id of the trust."""
    path = Path(jwks)
    try:
        keys = jwks if "://" in jwks else path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise typer.BadParameter("the file cannot be read", param_hint="--jwks") from None
    with _explained(store) as clients:
        trust = clients.add_trust(id, issuer=issuer, subject=subject, audience=audience, jwks=keys, tenant=tenant)
    typer.echo(trust.id)


@client_app.command("revoke")
def revoke_client(
    id: IdArgument,
    store: StoreOption,
    tenant: TenantOption = "default",
    secret: Annotated[str | None, typer.Option(help="Refuse only the secret with this id.")] = None,
    trust: Annotated[str | None, typer.Option(help="Refuse only the trust with this id.")] = None,
) -> None:
    """Revoke a client permanently, or one of its secrets or trusts. The client's access tokens are revoked too."""
    with _explained(store) as clients:
        if secret is not None:
            clients.remove_secret(id, secret, tenant=tenant)
        if trust is not None:
            clients.remove_trust(id, trust, tenant=tenant)
        if secret is None and trust is None:
            clients.revoke(id, tenant=tenant)
    typer.echo(f"Revoked {secret or trust or id}.")


def token_app(service: ScimService, clients: ClientRegistry | AsyncClientRegistry, prefix: str) -> ScimApp:
    """Return the application of the token endpoint."""
    from scimkit.oauth import TokenEndpoint
    from scimkit.oauth.asgi import TokenApp

    return TokenApp(TokenEndpoint(service, clients), prefix=prefix)


def client_registry(store: Any, tokens: TokenRegistry) -> ClientRegistry:
    """Return the registry of the clients in the database of a store.

    Raises:
        typer.BadParameter: The extra `oauth` is not installed.
    """
    _check_extra()
    from scimkit.oauth import ClientRegistry
    from scimkit.stores.sql import SqlClientStore

    return ClientRegistry(tokens, SqlClientStore(store.engine))


def served_clients(store: Any, tokens: TokenRegistry | AsyncTokenRegistry) -> ClientRegistry | AsyncClientRegistry:
    """Return the registry of the clients for a server, which is async if the registry of the tokens is async.

    Raises:
        typer.BadParameter: The extra `oauth` is not installed.
    """
    if isinstance(tokens, TokenRegistry):
        return client_registry(store, tokens)
    _check_extra()
    from scimkit.oauth import AsyncClientRegistry
    from scimkit.stores.sql import AsyncSqlClientStore

    return AsyncClientRegistry(tokens, AsyncSqlClientStore(store.engine))


def _check_extra() -> None:
    """Import `scimkit.oauth`. Raises BadParameter if its extra is not installed."""
    try:
        import scimkit.oauth  # noqa: F401
    except ModuleNotFoundError as missing:
        raise typer.BadParameter(str(missing)) from None


@contextmanager
def _explained(url: str) -> Iterator[ClientRegistry]:
    """Open the registry at a URL. Explain an unknown id, or a value that is not valid, as a wrong argument."""
    if url == "memory://":
        raise typer.BadParameter(
            "memory:// loses the client when this command ends; use a database", param_hint="--store"
        )
    registry = client_registry(*open_store(url))
    with one_line_errors():
        try:
            yield registry
        except NotFound as error:
            raise typer.BadParameter(error.detail) from None
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None


def _print_issued(id: str, issued: IssuedSecret | None, as_json: bool) -> None:
    """Print the id of a client and its new secret, on lines of their own or as JSON."""
    if as_json:
        values = {"clientId": id, "clientSecret": issued.secret if issued else None,
                  "expires": issued.record.expires.isoformat() if issued else None}  # fmt: skip
        print_json(values)
        return
    typer.echo(f"Client id: {id}")
    if issued is not None:
        typer.echo(f"Client secret: {issued.secret}")
        typer.echo(f"The secret expires at {issued.record.expires:%Y-%m-%d} and cannot be shown again.", err=True)


def _row(client: Client) -> tuple[str, ...]:
    """Return the cells of a client in the list."""
    now = datetime.now(UTC)
    secrets = [
        f"{each.id} (...{each.hint}) until {each.expires:%Y-%m-%d}{' (expired)' if each.expires <= now else ''}"
        for each in client.secrets
    ]
    trusts = [f"{each.id}: {each.issuer}" for each in client.trusts]
    status = "Active" if client.revoked is None else "Revoked"
    return client.id, status, client.description, ", ".join(client.scopes), "\n".join(secrets), "\n".join(trusts)


def _json_values(client: Client) -> dict[str, Any]:
    """Return a client as JSON, without the hashes of its secrets."""
    return {
        "id": client.id,
        "status": "Active" if client.revoked is None else "Revoked",
        "description": client.description,
        "scopes": list(client.scopes),
        "created": client.created.isoformat(),
        "createdBy": client.created_by,
        "secrets": [{"id": each.id, "hint": each.hint, "expires": each.expires.isoformat()} for each in client.secrets],
        "trusts": [
            {"id": each.id, "issuer": each.issuer, "subject": each.subject, "audience": each.audience}
            for each in client.trusts
        ],
    }


def _time(years: float) -> timedelta:
    """Return the time of some years."""
    return timedelta(days=round(years * _DAYS_OF_YEAR))
