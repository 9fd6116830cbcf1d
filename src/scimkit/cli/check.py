"""`scimkit check`: simulated identity providers, or the clauses of a profile, test a SCIM endpoint.

Each failure is explained.

The command deletes the users and groups that it created, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from scimkit.cli.readiness import report_readiness

if TYPE_CHECKING:
    from scimkit.testing.directory_history import DirectoryEvent
    from scimkit.testing.report import Report, Step


def check(
    url: Annotated[str, typer.Argument(help="The SCIM endpoint, such as https://help.example.org/scim/v2.")],
    token: Annotated[str, typer.Option(envvar="SCIM_TOKEN", help="A bearer token that the endpoint accepts.")],
    idp: Annotated[
        list[str] | None,
        typer.Option(
            help="An identity provider to simulate, such as entra or okta. Repeat the option for more. Default: all."
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Play a random history of the directory instead of the standard one. A seed repeats a history."
        ),
    ] = None,
    events: Annotated[int, typer.Option(help="The number of events in a random history.", min=1)] = 30,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ATTRIBUTE",
            help="An attribute that the application does not keep, such as title. Repeat the option for more. "
            "Identity providers send the attribute, and do not expect it back.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="Check the clauses of a profile instead of identity providers: interop or ipsie. "
            "The report lists what conforms, what does not, and what the application must ensure."
        ),
    ] = None,
    revokers: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:NAME",
            help="With --profile: the list of revokers that the application declares, such as access:revokers.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --profile: print JSON for programs, one object in each line.")
    ] = False,
) -> None:
    """Test a SCIM endpoint with simulated identity providers or a profile. Explain what fails, why, and how to fix it.

    The command creates users and groups with names that no existing resource has. It plays a history of directory
    changes on them, and deletes them at the end. The exit status is 1 if anything fails. With --profile, the exit
    status is 1 if a mandatory clause fails.
    """
    from scimkit.testing.directory_history import full_history, random_history
    from scimkit.testing.providers import PROVIDERS
    from scimkit.testing.without import Without

    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("the endpoint must be a URL that starts with https:// or http://", param_hint="URL")
    if profile is not None:
        _check_profile_options(profile, mixed=bool(idp or without) or seed is not None)
        if not report_readiness(profile, url, token, revokers, as_json=as_json):
            raise typer.Exit(1)
        return
    if revokers is not None or as_json:
        raise typer.BadParameter("needs --profile", param_hint="--revokers" if revokers is not None else "--json")
    unknown = set(idp or ()) - PROVIDERS.keys()
    if unknown:
        raise typer.BadParameter(f"choose from {', '.join(PROVIDERS)}", param_hint="--idp")
    try:
        not_kept = Without(without or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--without") from None
    console = Console(highlight=False)
    if not_kept:
        _print_paragraph(console, f"Not compared: {escape(', '.join(not_kept.names))}.", 0)
    history = full_history() if seed is None else random_history(seed, length=events)[1]
    passed = [_play(console, name, url, token, history, not_kept.names) for name in idp or PROVIDERS]
    if not all(passed):
        console.print(f"\n[red]{passed.count(False)} of {len(passed)} identity providers would fail.[/red]")
        raise typer.Exit(1)
    console.print(f"\n[green]All {len(passed)} identity providers would succeed.[/green]")


def _check_profile_options(profile: str, *, mixed: bool) -> None:
    """Refuse an unknown profile, and options of simulated identity providers. Raises BadParameter."""
    from scimkit.testing.profiles import PROFILES

    if profile not in PROFILES:
        raise typer.BadParameter(f"choose from {', '.join(PROFILES)}", param_hint="--profile")
    if mixed:
        raise typer.BadParameter("cannot be used with --idp, --without or --seed", param_hint="--profile")


def _play(
    console: Console, name: str, url: str, token: str, history: list[DirectoryEvent], without: tuple[str, ...]
) -> bool:
    """Play the history with one identity provider, and report whether everything succeeded and was deleted."""
    from scimkit.testing.directory import sample_directory
    from scimkit.testing.directory_history import marked, play
    from scimkit.testing.providers import provider

    mark = f"check-{token_hex(4)}"
    with console.status(f"{name}: connecting") as status:
        simulator = provider(name, url, token, marked(sample_directory(), mark), without=without)
        try:
            report = play(
                simulator,
                [event.marked(mark) for event in history],
                on_event=_progress(status.update, name, len(history)),
            )
        finally:
            status.update(f"{name}: cleaning up")
            left = simulator.clean_up()
            simulator.close()
    color, mark = ("green", "✓") if report.passed else ("red", "✗")
    count = f"{len(report.steps)} requests, {len(report.failures)} failed, {report.seconds:.1f} s"
    console.print(f"[{color}]{mark}[/{color}] {name}  [dim]{count}[/dim]")
    _print_failures(console, report)
    for path in left:
        console.print(f"  [yellow]Not deleted: {escape(path)}; delete it by hand.[/yellow]", soft_wrap=True)
    return report.passed and not left


def _progress(show: Callable[[str], None], name: str, total: int) -> Callable[[DirectoryEvent | None], None]:
    """Return a function that shows the progress of the history."""
    done = 0

    def on_event(event: DirectoryEvent | None) -> None:
        nonlocal done
        show(escape(f"{name}: {done}/{total} {event.title if event else 'All users are provisioned'}"))
        done += 1

    return on_event


def _print_failures(console: Console, report: Report) -> None:
    """Print each distinct failure once, with the number of times that it occurred."""
    from scimkit.testing.report import distinct

    for step, times in distinct(report.failures):
        more = f"  [dim](and {times - 1} more)[/dim]" if times > 1 else ""
        request = f"{escape(step.request)} -> {step.status}"
        _print_paragraph(console, f"[red]✗[/red] {escape(step.title)}  [dim]{request}[/dim]{more}", 2)
        for label, text in (
            ("why", step.reason),
            ("fix", step.fix),
            ("expected", step.expected),
            ("sent", _sent(step)),
        ):
            if text is not None:
                _print_paragraph(console, f"[bold]{label}:[/bold] {escape(str(text))}", 6)


def _print_paragraph(console: Console, text: str, indent: int) -> None:
    """Print an indented paragraph. In a file, a paragraph is one line, so that a search finds it."""
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, indent)))
    else:
        console.print(f"{' ' * indent}{text}", soft_wrap=True)


def _sent(step: Step) -> str | None:
    """Return the body of the request as JSON, without the generated password."""
    body = step.exchange.sent
    if body is None:
        return None
    return json.dumps({name: value for name, value in body.items() if name != "password"}, ensure_ascii=False)
