"""`scimkit migrate`: upgrade the tables of a database to the version of this scimkit."""

from __future__ import annotations

from typing import Annotated

import typer

from scimkit.cli.stores import StoreOption, one_line_errors, sql_store


def migrate(
    store: StoreOption,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing. The exit status is 1 if an upgrade is needed.")
    ] = False,
) -> None:
    """Upgrade the tables of a database to the version of this scimkit, from any earlier version.

    `serve` upgrades the tables too when it starts. Several processes may run an upgrade at the same time.
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
    verb = "to upgrade" if check else "upgraded"
    typer.echo(f"{verb} from {before or 'nothing'} to {migrations.HEAD}" if behind else f"at {before}, nothing to do")
    raise typer.Exit(1 if behind and check else 0)
