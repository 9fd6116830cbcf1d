"""`scimkit token`: the life of the bearer tokens of a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Final

import typer

from scimkit.cli.stores import StoreOption, one_line_errors, open_store
from scimkit.cli.token_columns import LIST_COLUMNS, SHOW_COLUMNS, json_values, print_json, print_list, print_record
from scimkit.dialects import DIALECTS
from scimkit.errors import NotFound
from scimkit.tokens import IssuedToken, TokenRecord, TokenRegistry, TokenStateError, check_scopes
from scimkit.tokens.registry import OVERLAP

token_app: typer.Typer = typer.Typer(
    no_args_is_help=True, help="Issue, list, rotate and revoke the bearer tokens of a store."
)

TenantOption = Annotated[str, typer.Option(help="The tenant of the token. A token gives access to one tenant only.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs, with the same columns.")]
IdArgument = Annotated[str, typer.Argument(help="The id of the token, from `scimkit token list`.")]
DaysOption = Annotated[int | None, typer.Option(help="Days until the new token expires. Default: never.", min=1)]
ByOption = Annotated[str | None, typer.Option("--by", help="The person or program that creates the token.")]

_OVERLAP_HOURS: Final = OVERLAP / timedelta(hours=1)


@token_app.command("create")
def create_token(
    store: StoreOption,
    description: Annotated[
        str, typer.Option(help="The purpose of the token, such as the name of the identity provider.")
    ],
    tenant: TenantOption = "default",
    days: DaysOption = None,
    dialect: Annotated[
        str | None, typer.Option(help=f"The dialect of requests with this token: {', '.join(DIALECTS)}.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="`read`, `write`, or one with a resource type, as `write:Group`. Default: both. Repeatable."),
    ] = None,
    by: ByOption = None,
    inactive: Annotated[
        bool, typer.Option("--inactive", help="Refuse the token until `scimkit token activate`.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Issue a token and print only the token on standard output. It cannot be shown again."""
    if dialect is not None and dialect not in DIALECTS:
        raise typer.BadParameter(f"choose from {', '.join(DIALECTS)}", param_hint="--dialect")
    try:
        scopes = check_scopes(scope or ("read", "write"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--scope") from None
    registry = _registry(store)
    with one_line_errors():
        issued = registry.issue(
            description, tenant=tenant, expires_in=_lifetime(days), dialect=dialect, scopes=scopes, created_by=by,
            active=not inactive,
        )  # fmt: skip
    _print_issued(issued, as_json)


@token_app.command("list")
def list_tokens(store: StoreOption, tenant: TenantOption = "default", as_json: JsonOption = False) -> None:
    """List the tokens of a tenant with status, scopes, dates, last use and the last four characters."""
    registry = _registry(store)
    with one_line_errors():
        records = registry.list(tenant)
    if as_json:
        print_json([json_values(each, LIST_COLUMNS) for each in records])
    else:
        print_list(records)


@token_app.command("show")
def show_token(
    id: IdArgument, store: StoreOption, tenant: TenantOption = "default", as_json: JsonOption = False
) -> None:
    """Show everything about a token except the token itself, which nobody can show again."""
    registry = _registry(store)
    with _explained():
        record = registry.find(id, tenant=tenant)
    _print_record(record, as_json)


@token_app.command("activate")
def activate_token(
    id: IdArgument, store: StoreOption, tenant: TenantOption = "default", as_json: JsonOption = False
) -> None:
    """Accept a deactivated token again."""
    registry = _registry(store)
    with _explained():
        record = registry.activate(id, tenant=tenant)
    _print_changed(f"Activated {id}.", record, as_json)


@token_app.command("deactivate")
def deactivate_token(
    id: IdArgument, store: StoreOption, tenant: TenantOption = "default", as_json: JsonOption = False
) -> None:
    """Refuse a token until it is activated again."""
    registry = _registry(store)
    with _explained():
        record = registry.deactivate(id, tenant=tenant)
    _print_changed(f"Deactivated {id}.", record, as_json)


@token_app.command("rotate")
def rotate_token(
    id: IdArgument,
    store: StoreOption,
    tenant: TenantOption = "default",
    overlap_hours: Annotated[
        float, typer.Option(help="Hours for which the old token stays valid.", min=0, max=24 * 365)
    ] = _OVERLAP_HOURS,
    days: DaysOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Issue a successor with the same description, scopes and dialect, and print only the new token."""
    registry = _registry(store)
    with _explained():
        issued = registry.rotate(
            id, tenant=tenant, overlap=timedelta(hours=overlap_hours), expires_in=_lifetime(days), created_by=by
        )
        old = registry.find(id, tenant=tenant)
    _print_issued(issued, as_json)
    if old.expires is not None:
        typer.echo(f"The old token {id} expires at {old.expires:%Y-%m-%d %H:%M} UTC.", err=True)


@token_app.command("revoke")
def revoke_token(
    id: IdArgument, store: StoreOption, tenant: TenantOption = "default", as_json: JsonOption = False
) -> None:
    """Revoke a token permanently."""
    registry = _registry(store)
    with _explained():
        record = registry.revoke(id, tenant=tenant)
    _print_changed(f"Revoked {id}.", record, as_json)


def _print_issued(issued: IssuedToken, as_json: bool) -> None:
    """Print a new token, or its values with the token as JSON."""
    if as_json:
        print_json({"token": issued.token, **json_values(issued.record, SHOW_COLUMNS)})
    else:
        typer.echo(issued.token)


def _print_changed(message: str, record: TokenRecord, as_json: bool) -> None:
    """Print that a token was changed, or its values as JSON."""
    if as_json:
        _print_record(record, as_json)
    else:
        typer.echo(message)


def _print_record(record: TokenRecord, as_json: bool) -> None:
    """Print the values of a token as lines or as JSON."""
    if as_json:
        print_json(json_values(record, SHOW_COLUMNS))
    else:
        print_record(record)


@contextmanager
def _explained() -> Iterator[None]:
    """Explain an unknown id, or a status that does not permit a change, as a wrong argument."""
    with one_line_errors():
        try:
            yield
        except NotFound:
            raise typer.BadParameter("the tenant has no token with this id", param_hint="ID") from None
        except TokenStateError as error:
            raise typer.BadParameter(str(error), param_hint="ID") from None


def _lifetime(days: int | None) -> timedelta | None:
    """Return the time until a token expires, or None if it never does."""
    return None if days is None else timedelta(days=days)


def _registry(url: str) -> TokenRegistry:
    """Open the token registry at a URL. Refuse memory://, which has no tokens of other processes."""
    if url == "memory://":
        raise typer.BadParameter(
            "memory:// loses the token when this command ends; use a database", param_hint="--store"
        )
    return open_store(url)[1]
