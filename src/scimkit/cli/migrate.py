"""`scimkit migrate`: bring the tables of a database to the version of this scimkit."""

from __future__ import annotations

from typing import Annotated

import typer

from scimkit.cli.stores import StoreOption, one_line_errors, sql_store


def migrate(
    store: StoreOption,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit status 1 when there is something to do.")
    ] = False,
) -> None:
    """Bring the tables of a database to the version of this scimkit, from whichever they have.

    `serve` does so too when it starts. Any number of processes may do it at once.
    """
    if store == "memory://":
        raise typer.BadParameter("memory:// has no tables; use a database", param_hint="--store")
    from scimkit.stores.sql import migrations

    with one_line_errors():
        opened = sql_store(store)
        before = opened.schema_version
        behind = (before or "") < migrations.HEAD
        if behind and not check:
            opened.upgrade()
    said = "to upgrade" if check else "upgraded"
    typer.echo(f"{said} from {before or 'nothing'} to {migrations.HEAD}" if behind else f"at {before}, nothing to do")
    raise typer.Exit(1 if behind and check else 0)
