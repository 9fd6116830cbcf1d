"""`scimkit health`: the state of each connection, usable in monitoring."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from scimkit.cli.provisioning_log import JsonOption, TenantOption, open_log
from scimkit.cli.stores import StoreOption, one_line_errors, open_store
from scimkit.cli.tables import plain_table, wide_console
from scimkit.provisioning import ConnectionHealth, connection_health
from scimkit.tokens import TokenRecord

_COLORS: Final = {
    "Waiting": "dim", "Connected": "green", "Provisioning": "green", "Failing": "red", "Silent": "yellow"
}  # fmt: skip
_COLUMNS: Final = (
    "Token", "Description", "Token status", "Health", "Last request", "Next expected", "Failing since", "Error",
)  # fmt: skip
_BAD: Final = frozenset({"Failing", "Silent"})


def health(
    store: StoreOption,
    tenant: TenantOption = "default",
    token: Annotated[str | None, typer.Option(metavar="ID", help="Only the connection of this token.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the health of each connection: Waiting, Connected, Provisioning, Failing or Silent.

    The exit status is 1 if a connection of an active token is failing or silent.
    """
    log, now = open_log(store), datetime.now(UTC)
    with one_line_errors():
        records = [each for each in open_store(store)[1].list(tenant) if token in (None, each.id)]
        found = [(each, connection_health(log, tenant, each.id, now)) for each in records if each.revoked is None]
    if token is not None and not found:
        raise typer.BadParameter("the tenant has no token with this id that is not revoked", param_hint="--token")
    if as_json:
        for record, each in found:
            typer.echo(json.dumps(health_to_json(record, each, now), ensure_ascii=False))
    else:
        _print_table(found, now)
    if any(each.status in _BAD and record.status(now) == "Active" for record, each in found):
        raise typer.Exit(1)


def health_to_json(record: TokenRecord, health: ConnectionHealth, now: datetime) -> dict[str, Any]:
    """Return the health of a connection as a JSON object."""
    return {
        "tokenId": record.id,
        "description": record.description,
        "tokenStatus": record.status(now),
        "status": health.status,
        "lastRequest": _iso(health.last_request),
        "nextExpected": _iso(health.next_expected),
        "failingSince": _iso(health.failing_since),
        "failures": health.failures,
        "errorCode": health.error_code,
        "errorDetail": health.error_detail,
        "affected": list(health.affected),
    }


def _print_table(found: list[tuple[TokenRecord, ConnectionHealth]], now: datetime) -> None:
    table = plain_table(*_COLUMNS)
    for record, each in found:
        color = _COLORS[each.status]
        error = f"{each.error_code} ({each.failures})" if each.failures else ""
        error += f": {', '.join(each.affected)}" if each.affected else ""
        table.add_row(
            record.id, escape(record.description), record.status(now), f"[{color}]{each.status}[/{color}]",
            *map(_time, (each.last_request, each.next_expected, each.failing_since)), escape(error),
        )  # fmt: skip
    wide_console().print(table)


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _time(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M}"
