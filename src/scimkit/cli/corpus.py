"""`scimkit corpus`: write the corpus of filter and PATCH cases, and test a command with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from scimkit.cli.tables import plain_table, wide_console

if TYPE_CHECKING:
    from scimkit.testing.corpus import Case, Judged, Report

corpus_app: typer.Typer = typer.Typer(
    no_args_is_help=True, help="Test an implementation in any language with the corpus of filter and PATCH cases."
)

_KINDS: Final = ("filter", "patch")


@corpus_app.command("export")
def export_corpus(
    directory: Annotated[
        Path, typer.Argument(help="The directory to write to. The command creates it if it is missing.")
    ] = Path("scim-corpus"),
) -> None:
    """Write the cases as JSON lines, the schemas, and a file with the version and the license."""
    from scimkit.testing.corpus import VERSION, cases, export

    try:
        written = export(directory)
    except OSError:
        raise typer.BadParameter("the directory cannot be written", param_hint="DIRECTORY") from None
    typer.echo(f"Corpus {VERSION}: {len(cases()):,} cases. Wrote {len(written)} files to {directory}.")


@corpus_app.command("run")
def run_corpus(
    command: Annotated[
        list[str],
        typer.Argument(metavar="-- COMMAND...", help="The program to test, with its arguments, after two hyphens."),
    ],
    kind: Annotated[str | None, typer.Option(help="Only the cases of a kind: filter or patch.")] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Only the cases of a rule. Repeat the option for more.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--id", help="Only the case with an id. Repeat the option for more.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="The seconds that the program has for each answer.", min=0.01)] = 5.0,
    show: Annotated[int, typer.Option(help="The number of wrong answers to print.", min=0)] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for programs: one object for each answer that is not right.")
    ] = False,
) -> None:
    """Ask a program the questions of the corpus, and report by clause what it answers.

    The program reads a JSON object from each line of its standard input, and writes an answer in a line. The exit
    status is 1 if an answer to a request in RFC form is wrong, and 2 if the program cannot be started or does not
    answer. Requests of identity providers that deviate from the RFC do not count.
    """
    from scimkit.testing.corpus import CommandError, run

    chosen = _chosen(kind, rule or [], only or [])
    try:
        report = run(command, chosen, timeout=timeout)
    except CommandError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        for each in report.judged:
            if each.verdict != "passed":
                typer.echo(json.dumps(_as_json(each), ensure_ascii=False))
    else:
        _print_report(wide_console(), report, show)
    raise typer.Exit(1 if report.wrong else 0)


def _chosen(kind: str | None, rules: list[str], ids: list[str]) -> list[Case]:
    """Return the cases that the options select. Refuse options that select none."""
    from scimkit.testing.corpus import cases

    if kind is not None and kind not in _KINDS:
        raise typer.BadParameter(f"choose from {', '.join(_KINDS)}", param_hint="--kind")
    known = {each.rule for each in cases()}
    if set(rules) - known:
        raise typer.BadParameter(f"choose from {', '.join(sorted(known))}", param_hint="--rule")
    if set(ids) - {each.id for each in cases()}:
        raise typer.BadParameter("the corpus has no case with this id", param_hint="--id")
    found = [
        each
        for each in cases()
        if kind in (None, each.kind) and (not rules or each.rule in rules) and (not ids or each.id in ids)
    ]
    if not found:
        raise typer.BadParameter("no case has this kind, rule and id", param_hint="--kind, --rule, --id")
    return found


def _as_json(judged: Judged) -> dict[str, object]:
    return {"verdict": judged.verdict, "answer": dict(judged.answer), "case": judged.case.to_json()}


def _print_report(console: Console, report: Report, show: int) -> None:
    table = plain_table("Clause", "Cases", "Passed", "Wrong", "Not supported")
    for clause, counts in report.by_clause().items():
        numbers = (counts.total(), counts["passed"], counts["wrong"], counts["unsupported"])
        table.add_row(clause, *(f"{number:,}" for number in numbers))
    console.print(table)
    for each in report.wrong[:show]:
        _print_wrong(console, each)
    if len(report.wrong) > show:
        console.print(f"{len(report.wrong) - show:,} more wrong answers. --show prints more of them.")
    if report.deviations:
        served = sum(each.verdict == "passed" for each in report.deviations)
        console.print(
            f"Requests of identity providers that deviate from the RFC: {served} of {len(report.deviations)} served as "
            "a lenient service provider does. They do not count.",
            soft_wrap=True,
        )
    right = sum(each.verdict == "passed" for each in report.scored)
    color = "red" if report.wrong else "green"
    console.print(f"[{color}]{right:,} of {right + len(report.wrong):,} answers are right.[/{color}]")


def _print_wrong(console: Console, judged: Judged) -> None:
    case = judged.case
    request = case.request if case.kind == "filter" else json.dumps(case.request, ensure_ascii=False)
    expected = " or ".join(json.dumps(dict(each), ensure_ascii=False) for each in (case.expected, *case.allowed))
    shown = {name: value for name, value in judged.answer.items() if name != "id"}
    lines = [
        f"\n{case.id}  {case.clause}, {case.rule}",
        f"  document: {json.dumps(dict(case.document), ensure_ascii=False)}",
        f"  {case.kind}: {request}",
        f"  expected: {expected}",
        f"  answer: {json.dumps(shown, ensure_ascii=False)}",
    ]
    for line in lines:
        console.print(escape(line), soft_wrap=True)
