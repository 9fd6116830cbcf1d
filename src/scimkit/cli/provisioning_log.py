"""`scimkit log`, `scimkit cycles` and `scimkit forget`: what identity providers did, and why something failed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, cast, get_args

import typer
from rich.console import Console
from rich.markup import escape

from scimkit.cli.stores import StoreOption, one_line_errors, sql_store
from scimkit.cli.tables import plain_table, wide_console
from scimkit.provisioning import (
    Action,
    Cycle,
    LogEntry,
    LogQuery,
    LogResult,
    QuirkUse,
    SyncProvisioningLog,
    entry_to_json,
)

TenantOption = Annotated[str, typer.Option(help="The tenant whose log is shown.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs: one object in each line.")]

_RESULTS: Final[tuple[str, ...]] = get_args(LogResult)
_ACTIONS: Final[tuple[str, ...]] = get_args(Action)
_COLORS: Final = {"Success": "green", "Warning": "yellow", "Skipped": "dim", "Failure": "red"}
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SHOWN_NAMES: Final = 4
_FOLLOW_SECONDS: Final = 1.0
_FOLLOWED_AT_ONCE: Final = 1_000


def log(
    store: StoreOption,
    entry: Annotated[str | None, typer.Argument(help="The id of an entry, to show it in full.")] = None,
    tenant: TenantOption = "default",
    person: Annotated[
        str | None,
        typer.Option(help="The id or externalId of a user or group, or the beginning of its userName or displayName."),
    ] = None,
    failures: Annotated[bool, typer.Option("--failures", help="Only failures, as with --result Failure.")] = False,
    result: Annotated[str | None, typer.Option(help=f"Only this result: {', '.join(_RESULTS)}.")] = None,
    action: Annotated[str | None, typer.Option(help=f"Only this action: {', '.join(_ACTIONS)}.")] = None,
    token: Annotated[str | None, typer.Option(metavar="ID", help="Only requests with this token.")] = None,
    cycle: Annotated[str | None, typer.Option(metavar="ID", help="Only entries of this cycle.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only entries since then: 30m, 2h, 7d, or a time such as 2026-11-30T08:00.")
    ] = None,
    limit: Annotated[int, typer.Option(help="The largest number of entries.", min=1, max=10_000)] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new entries until Ctrl+C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the provisioning log of a store, the newest entry last. `scimkit serve` writes it.

    With the id of an entry, the command shows the entry in full: the changes before and after, the quirks, and the
    request id.
    """
    for option, given, choices in (("--result", result, _RESULTS), ("--action", action, _ACTIONS)):
        if given is not None and given not in choices:
            raise typer.BadParameter(f"choose from {', '.join(choices)}", param_hint=option)
    query = LogQuery(
        tenant=tenant,
        person=person,
        result=cast("LogResult | None", "Failure" if failures else result),
        action=cast("Action | None", action),
        token_id=token,
        cycle_id=cycle,
        since=None if since is None else read_time(since),
        limit=limit,
    )
    opened = open_log(store)
    console = wide_console()
    with one_line_errors():
        if entry is not None:
            _show_one(console, opened, tenant, entry, as_json=as_json)
            return
        found = list(reversed(opened.search(query).entries))
        if not found and not follow and not as_json:
            typer.echo("No entries.")
        _print_entries(console, found, as_json=as_json)
        if follow:
            for more in _new_entries(opened, query, found[-1].id if found else None):
                _print_entries(console, more, as_json=as_json)


def cycles(
    store: StoreOption,
    tenant: TenantOption = "default",
    token: Annotated[str | None, typer.Option(metavar="ID", help="Only cycles of this token.")] = None,
    limit: Annotated[int, typer.Option(help="The largest number of cycles.", min=1, max=1_000)] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the cycles of identity providers: bursts of requests, with counts and errors, the newest first."""
    with one_line_errors():
        found = open_log(store).cycles(tenant, token, limit=limit)
    if as_json:
        for each in found:
            typer.echo(json.dumps(cycle_to_json(each), ensure_ascii=False))
        return
    table = plain_table("Start", "End", "Token", "Reads", "Writes", "Skipped", "Failures", "Errors", "Cycle")
    for each in found:
        errors = ", ".join(f"{code} ({count})" for code, count in _most_frequent(each.errors))
        table.add_row(
            _time(each.start), "running" if each.is_running(datetime.now(UTC)) else _time(each.end), each.token_id,
            str(each.reads), str(each.writes - each.count(result="Skipped")), str(each.count(result="Skipped")),
            f"[red]{each.failures}[/red]" if each.failures else "0", escape(errors), each.id,
        )  # fmt: skip
    wide_console().print(table)


def forget(
    resource_id: Annotated[str, typer.Argument(help="The id of the user or group.")],
    store: StoreOption,
    tenant: TenantOption = "default",
) -> None:
    """Erase what the provisioning log keeps about a person: names, ids of the identity provider and values."""
    with one_line_errors():
        count = open_log(store).forget(tenant, resource_id)
    typer.echo(f"Erased the personal data of {count} entries.")


def open_log(url: str) -> SyncProvisioningLog:
    """Open the provisioning log at a URL. Refuse memory://, which has no log of another process."""
    if url == "memory://":
        raise typer.BadParameter("memory:// has no log of another process; use a database", param_hint="--store")
    found = sql_store(url, provisioning_log=True).provisioning_log
    assert found is not None
    return found


def read_time(text: str) -> datetime:
    """Return the time of a text such as `2h`, which counts back from now, or of an ISO 8601 time.

    Raises:
        typer.BadParameter: The text is neither.
    """
    number, unit = text[:-1], _UNITS.get(text[-1:])
    try:
        if unit is not None and number.isdigit():
            return datetime.now(UTC) - timedelta(**{unit: int(number)})
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter("give a time such as 30m, 2h, 7d or 2026-11-30T08:00", param_hint="--since") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def print_entries(console: Console, entries: Sequence[LogEntry], *, with_ids: bool = True) -> None:
    """Print one line for each entry. On a terminal, long lines are wrapped below their beginning."""
    for each in entries:
        color = _COLORS[each.result]
        head = f"{_time(each.started)}  [{color}]{each.result:<7}[/{color}]  {each.action:<13}"
        words = escape(f"  {resource_of(each)}  {what_happened(each)}".rstrip())
        id = f"  [dim]{each.id}[/dim]" if with_ids else ""
        console.print(f"{head}{words}{id}", soft_wrap=True)


def resource_of(entry: LogEntry) -> str:
    """Return the resource of an entry, by its name if the log has the name."""
    name = entry.label or entry.external_id or entry.resource_id
    return f"{entry.resource_type} {name}".strip()


def what_happened(entry: LogEntry) -> str:
    """Return an entry's error, or the changes that it made, in one line."""
    if entry.result == "Failure":
        return f"{entry.error_code}: {entry.detail}"
    if entry.action == "EndAccess":
        return entry.detail
    parts = [_listed([path.rpartition(":")[2] for path in entry.changes])] if entry.action != "Delete" else []
    parts += [f"{entry.added_count} members added"] if entry.added_count else []
    parts += [f"{entry.removed_count} members removed"] if entry.removed_count else []
    parts += [f"{entry.missing_count} members do not exist"] if entry.missing_count else []
    parts += [f"not kept: {', '.join(entry.dropped)}"] if entry.dropped else []
    parts += [f"quirks: {', '.join(each.name for each in entry.quirks)}"] if entry.quirks else []
    return "; ".join(part for part in parts if part)


def cycle_to_json(cycle: Cycle) -> dict[str, Any]:
    """Return a cycle as a JSON object."""
    return {
        "id": cycle.id,
        "tokenId": cycle.token_id,
        "start": cycle.start.isoformat(),
        "end": cycle.end.isoformat(),
        "reads": cycle.reads,
        "failures": cycle.failures,
        "counts": [{"action": key[0], "result": key[1], "count": count} for key, count in cycle.counts.items()],
        "errors": dict(cycle.errors),
    }


def _show_one(console: Console, opened: SyncProvisioningLog, tenant: str, id: str, *, as_json: bool) -> None:
    """Print one entry in full."""
    found = opened.find(tenant, id)
    if found is None:
        raise typer.BadParameter("the tenant has no entry with this id", param_hint="ENTRY")
    document = entry_to_json(found)
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    table = plain_table("Field", "Value")
    for name, value in document.items():
        if name not in ("changes", "quirks"):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            table.add_row(name, escape(shown))
    console.print(table)
    if found.changes:
        print_changes(console, found)
    print_quirks(console, found.quirks)


def print_changes(console: Console, entry: LogEntry) -> None:
    """Print the changed attributes with their values before and after."""
    table = plain_table("Attribute", "Before", "After")
    for path, change in entry.changes.items():
        if "redacted" in change:
            table.add_row(escape(path), "[dim]not kept[/dim]", "[dim]not kept[/dim]")
        else:
            before, after = change.get("before", change.get("removed")), change.get("after", change.get("added"))
            table.add_row(escape(path), escape(_shown(before)), escape(_shown(after)))
    console.print(table)


def print_quirks(console: Console, quirks: Sequence[QuirkUse]) -> None:
    """Print the quirks that a request needed, with what they rewrote."""
    if not quirks:
        return
    table = plain_table("Quirk", "Attribute", "Sent", "Read as")
    for each in quirks:
        table.add_row(*(escape(value or "") for value in (each.name, each.attribute, each.before, each.after)))
    console.print(table)


def _new_entries(opened: SyncProvisioningLog, query: LogQuery, last: str | None) -> Iterator[list[LogEntry]]:
    """Yield entries that come after an id, until Ctrl+C."""
    began = datetime.now(UTC) - timedelta(seconds=_FOLLOW_SECONDS)
    try:
        while True:
            time.sleep(_FOLLOW_SECONDS)
            page = opened.search(replace(query, since=began, limit=_FOLLOWED_AT_ONCE))
            new = [each for each in reversed(page.entries) if last is None or each.id > last]
            if new:
                last, began = new[-1].id, new[-1].started
                yield new
    except KeyboardInterrupt:
        return


def _print_entries(console: Console, entries: Sequence[LogEntry], *, as_json: bool, with_header: bool = True) -> None:
    if as_json:
        for each in entries:
            typer.echo(json.dumps(entry_to_json(each), ensure_ascii=False))
    else:
        print_entries(console, entries)


def _listed(names: Sequence[str]) -> str:
    """Return some names, and the number of the others."""
    shown = ", ".join(names[:_SHOWN_NAMES])
    return shown if len(names) <= _SHOWN_NAMES else f"{shown} and {len(names) - _SHOWN_NAMES} more"


def _most_frequent(errors: Any) -> list[tuple[str, int]]:
    return sorted(errors.items(), key=lambda each: (-each[1], each[0]))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"
