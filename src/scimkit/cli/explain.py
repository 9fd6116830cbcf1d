"""`scimkit explain`: what a request would do, without doing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape

from scimkit.cli.provisioning_log import print_changes, print_quirks, resource_of, what_happened
from scimkit.cli.stores import StoreOption, one_line_errors, open_store
from scimkit.cli.tables import plain_table, wide_console
from scimkit.dialects import DIALECTS
from scimkit.provisioning import entry_to_json
from scimkit.service import Explanation, Request, ScimService, explain
from scimkit.tokens import Principal

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_FORM: Final = 'a JSON object such as {"method": "PATCH", "path": "/Users/1", "body": {...}}, or lines of such objects'


def explain_request(
    file: Annotated[
        Path,
        typer.Argument(help="A file with the request as JSON (method, path, query, body), or a recorder's file."),
    ],
    store: StoreOption,
    tenant: Annotated[str, typer.Option(help="The tenant for which the request is handled.")] = "default",
    dialect: Annotated[str, typer.Option(help=f"The dialect of the request: {', '.join(DIALECTS)}.")] = "tolerant",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs, one object in each line.")] = False,
) -> None:
    """Explain what a request would do: its quirks, its operations, its changes, or the clause that refuses it.

    The request runs in a transaction that is rolled back. The exit status is 1 if a request would be refused.
    """
    if dialect not in DIALECTS:
        raise typer.BadParameter(f"choose from {', '.join(DIALECTS)}", param_hint="--dialect")
    requests = read_requests(file)
    with one_line_errors():
        opened, tokens = open_store(store)
        service = ScimService(opened, tokens=tokens, dialect=DIALECTS[dialect])
        console, refused = wide_console(), False
        for each in requests:
            each.principal = Principal(tenant, "")
            try:
                found = explain(service, each)
            except ValueError as error:
                raise typer.BadParameter(str(error), param_hint="FILE") from None
            refused = refused or found.status >= 400
            if as_json:
                typer.echo(json.dumps(explanation_to_json(each, found), ensure_ascii=False))
            else:
                _print_explanation(console, each, found)
    raise typer.Exit(1 if refused else 0)


def read_requests(file: Path) -> list[Request]:
    """Return the requests in a file: one JSON object, or one in each line as a recorder writes them.

    Raises:
        typer.BadParameter: The file cannot be read or has another form.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter("the file cannot be read as UTF-8 text", param_hint="FILE") from None
    try:
        found = [json.loads(text)]
    except ValueError:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            found = []
    if not found or not all(_is_request(each) for each in found):
        raise typer.BadParameter(f"the file must contain {_FORM}", param_hint="FILE")
    return [_request(each) for each in found]


def _is_request(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("method") in _METHODS
        and isinstance(value.get("path"), str)
        and isinstance(value.get("query") or "", str)
    )


def _request(value: dict[str, Any]) -> Request:
    path, _, query = value["path"].partition("?")
    body = value.get("body")
    content = b"" if body is None else json.dumps(body).encode()
    return Request(value["method"], f"/{path.strip('/')}", value.get("query") or query, {}, content)


def explanation_to_json(request: Request, found: Explanation) -> dict[str, Any]:
    """Return an explanation as a JSON object."""
    return {
        "method": request.method,
        "path": request.path,
        "status": found.status,
        "detail": found.detail,
        "clause": found.clause,
        "operations": [{"op": each.op, "path": each.path, "value": each.value} for each in found.operations],
        "entry": None if found.entry is None else entry_to_json(found.entry),
    }


def _print_explanation(console: Console, request: Request, found: Explanation) -> None:
    color = "red" if found.status >= 400 else "green"
    console.print(f"[bold]{request.method} {escape(request.path)}[/bold] [{color}]{found.status}[/{color}]")
    if found.detail is not None:
        clause = f" ({found.clause})" if found.clause and found.clause not in found.detail else ""
        console.print(f"  refused: {escape(found.detail)}{clause}", soft_wrap=True)
    elif found.entry is not None:
        entry = found.entry
        words = f"  {entry.action}, {entry.result}: {resource_of(entry)}  {what_happened(entry)}"
        console.print(escape(words), soft_wrap=True)
    if found.operations:
        table = plain_table("Operation", "Path", "Value")
        for each in found.operations:
            value = "" if each.value is None else json.dumps(each.value, ensure_ascii=False)
            table.add_row(each.op, escape(each.path), escape(value))
        console.print(table)
    print_quirks(console, found.quirks)
    if found.entry is not None and found.entry.changes:
        print_changes(console, found.entry)
