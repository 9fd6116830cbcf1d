"""`scimkit events`: list, deliver, replay and purge the events in the outbox of a store."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, cast, get_args

import typer
from rich.table import Table

from scimkit.cli.logs import configure_logging
from scimkit.cli.stores import StoreOption, one_line_errors, sql_store
from scimkit.cli.tables import wide_console
from scimkit.events.outbox import OutboxStatus, SyncOutbox

STATUSES: Final[tuple[str, ...]] = get_args(OutboxStatus)
SECRET_VARIABLE: Final = "SCIMKIT_WEBHOOK_SECRET"
"""The environment variable with the secrets of the webhook, separated by spaces."""

event_app: typer.Typer = typer.Typer(
    no_args_is_help=True,
    help="List and deliver the events in the outbox of a store. `scimkit serve --outbox` records them.",
)


@event_app.command("list")
def list_events(
    store: StoreOption,
    status: Annotated[str | None, typer.Option(help=f"Only events with this status: {', '.join(STATUSES)}.")] = None,
    after: Annotated[int, typer.Option(help="Only events after this number, for the next page.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="The largest number of events.", min=1)] = 100,
) -> None:
    """List events in their order, with id, type, resource, status, failed attempts and the last error."""
    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"choose from {', '.join(STATUSES)}", param_hint="--status")
    table = Table("Number", "Id", "Type", "Tenant", "Resource", "Status", "Failed", "Due", "Error")
    with one_line_errors():
        found = _outbox(store).list(cast("OutboxStatus | None", status), after, limit)
    for each in found:
        resource = f"{each.payload.get('resourceType')} {each.payload.get('resourceId')}"
        due = f"{each.due:%Y-%m-%d %H:%M:%S}" if each.status == "pending" else ""
        table.add_row(
            str(each.sequence), each.event_id, each.event_type, str(each.payload.get("tenant")), resource, each.status,
            str(each.attempts), due, each.error,
        )  # fmt: skip
    wide_console().print(table)


@event_app.command("deliver")
def deliver_events(
    store: StoreOption,
    webhook: Annotated[str, typer.Option(metavar="URL", help="The https URL that receives the events.")],
    secret_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"A file with the secret of the webhook, one in each line. Default: the variable {SECRET_VARIABLE}.",
        ),
    ] = None,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Accept a URL with http.")] = False,
    allow_network: Annotated[
        list[str] | None,
        typer.Option(metavar="NETWORK", help="A network that is not public and may be reached, such as 10.0.0.0/8."),
    ] = None,
    tries: Annotated[int, typer.Option(help="Attempts until an event becomes a dead letter.", min=1)] = 12,
    keep_days: Annotated[int, typer.Option(help="Days for which delivered events are kept.", min=0)] = 7,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End as soon as no event is due.")] = False,
) -> None:
    """Deliver events to a webhook until SIGTERM or SIGINT. Several processes may deliver at the same time."""
    from scimkit.delivery import RetryPolicy, Webhook, deliver

    secrets = _secrets(secret_file)
    try:
        handler = Webhook(webhook, secrets, allow_http=allow_http, allowed_networks=allow_network or [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    configure_logging("text", "info", access_log=False)
    stop = _Signals()
    with handler, one_line_errors():
        delivered = deliver(
            _outbox(store), handler, retry=RetryPolicy(tries=tries), retention=timedelta(days=keep_days), stop=stop,
            until_empty=until_empty,
        )  # fmt: skip
    typer.echo(f"Delivered {delivered} events.")


@event_app.command("replay")
def replay_event(
    id: Annotated[str, typer.Argument(help="The id of the event, from `scimkit events list`.")], store: StoreOption
) -> None:
    """Deliver an event again, such as a dead letter. It comes after later events that were delivered already."""
    with one_line_errors():
        is_found = _outbox(store).replay(id)
    if not is_found:
        raise typer.BadParameter("the outbox has no event with this id", param_hint="ID")
    typer.echo(f"{id} is due now.")


@event_app.command("purge")
def purge_events(
    store: StoreOption,
    days: Annotated[int, typer.Option(help="Delete events that were delivered before so many days.", min=0)],
    dead_letters: Annotated[bool, typer.Option("--dead-letters", help="Delete dead letters too.")] = False,
) -> None:
    """Delete delivered events. Pending events are kept."""
    with one_line_errors():
        deleted = _outbox(store).purge(datetime.now(UTC) - timedelta(days=days), dead_letters=dead_letters)
    typer.echo(f"Deleted {deleted} events.")


class _Signals:
    """A stop signal that SIGTERM and SIGINT set."""

    def __init__(self) -> None:
        self._is_set = False
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._set)

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, timeout: float) -> None:
        """Wait in short steps, because a signal does not end a sleep."""
        ends = time.monotonic() + timeout
        while not self._is_set and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))

    def _set(self, *_: Any) -> None:
        self._is_set = True


def _secrets(file: Path | None) -> list[str]:
    """Return the secrets of the webhook. Secrets are no option, because other users of the machine see options."""
    try:
        text = os.environ.get(SECRET_VARIABLE, "") if file is None else file.read_text("utf-8")
    except OSError as error:
        raise typer.BadParameter(f"the file cannot be read: {error.strerror}", param_hint="--secret-file") from None
    if not text.split():
        raise typer.BadParameter(f"give a file with a secret, or set {SECRET_VARIABLE}", param_hint="--secret-file")
    return text.split()


def _outbox(url: str) -> SyncOutbox:
    """Return the outbox of the store at a URL. Refuse memory://, which has no events of other processes."""
    if url == "memory://":
        raise typer.BadParameter("memory:// has no events of other processes; use a database", param_hint="--store")
    store = sql_store(url, outbox=True)
    store.upgrade()
    assert store.outbox is not None
    return store.outbox
