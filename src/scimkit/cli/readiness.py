"""The readiness report of `scimkit check --profile`, for people and for programs."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from scimkit.safeguards.revokers import Revoker
    from scimkit.testing.profiles import ClauseResult, Outcome, ReadinessReport

_HEADINGS: Final[dict[Outcome, str]] = {
    "conforms": "Conforms, as requests showed",
    "not-applicable": "Does not apply to this endpoint",
    "host": "The application must ensure; no request can show it",
    "fails": "Does not conform",
}
_SIGNS: Final = {
    "conforms": "[green]✓[/green]",
    "fails": "[red]✗[/red]",
    "host": "[yellow]![/yellow]",
    "not-applicable": "-",
}


def report_readiness(name: str, url: str, token: str, revokers: str | None, *, as_json: bool) -> bool:
    """Check an endpoint against a profile, print the report, and report whether the endpoint conforms."""
    from scimkit.testing.profiles import PROFILES, check_profile

    declared = () if revokers is None else declared_revokers(revokers)
    console = Console(highlight=False)
    if as_json:
        report = check_profile(PROFILES[name], url, token, revokers=declared)
        _print_json(report)
        return report.passed
    with console.status(f"{name}: connecting") as status:
        report = check_profile(
            PROFILES[name], url, token, revokers=declared,
            on_clause=lambda clause: status.update(escape(f"{clause.section}: {clause.title}")),
        )  # fmt: skip
    _print_report(console, report)
    return report.passed


def declared_revokers(text: str) -> tuple[Revoker, ...]:
    """Return the revokers that `MODULE:NAME` names, imported as from the present folder.

    Raises:
        typer.BadParameter: The module or the name does not exist, or is no list of revokers.
    """
    from scimkit.safeguards.revokers import Revoker

    module, _, name = text.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found = getattr(importlib.import_module(module), name)
        revokers = tuple(found)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise typer.BadParameter(f"MODULE:NAME must be a list of revokers: {error}", param_hint="--revokers") from None
    if not all(isinstance(each, Revoker) for each in revokers):
        raise typer.BadParameter("MODULE:NAME must be a list of revokers", param_hint="--revokers")
    return revokers


def _print_json(report: ReadinessReport) -> None:
    """Print one object for each clause, and one for each resource that could not be deleted."""
    lines: list[dict[str, Any]] = [{"profile": report.profile.name, **each.to_json()} for each in report.results]
    lines += [{"profile": report.profile.name, "left": path} for path in report.left]
    for line in lines:
        typer.echo(json.dumps(line, ensure_ascii=False))


def _print_report(console: Console, report: ReadinessReport) -> None:
    """Print the clauses by outcome, the failures with their request and remedy."""
    for text in report.profile.texts:
        console.print(f"[dim]After {escape(text)}.[/dim]", soft_wrap=True)
    for outcome, heading in _HEADINGS.items():
        found = report.of(outcome)
        if found:
            console.print(f"\n[bold]{heading}[/bold]")
        for each in found:
            _print_result(console, each)
    for path in report.left:
        console.print(f"\n[yellow]Not deleted: {escape(path)}; delete it by hand.[/yellow]", soft_wrap=True)
    breaches = [each for each in report.results if each.is_breach]
    name = report.profile.name
    if breaches:
        console.print(f"\n[red]{len(breaches)} mandatory clauses of the profile {name} fail.[/red]")
    else:
        left = len(report.of("host"))
        console.print(f"\n[green]No mandatory clause of the profile {name} fails.[/green] {left} depend on you.")


def _print_result(console: Console, each: ClauseResult) -> None:
    clause = each.clause
    sign = "[yellow]✗[/yellow]" if each.outcome == "fails" and clause.level == "SHOULD" else _SIGNS[each.outcome]
    where = f"[dim]{escape(clause.section)}, {clause.level}, {clause.name}[/dim]"
    console.print(f"{sign} {escape(clause.title)}  {where}", soft_wrap=True)
    lines: list[tuple[str, str]] = []
    if each.reason is not None:
        lines.append(("why" if each.outcome == "fails" else "note", each.reason))
    for label, exchange in (("after", each.after), ("request", each.exchange)):
        if exchange is not None:
            lines.append((label, f"{exchange.request} -> {exchange.status}"))
            if exchange.sent is not None:
                lines.append(("sent", json.dumps(exchange.sent, ensure_ascii=False)))
    if each.outcome == "fails":
        lines.append(("fix", clause.remedy))
    for label, text in lines:
        console.print(f"    [bold]{label}:[/bold] {escape(text)}", soft_wrap=True)
