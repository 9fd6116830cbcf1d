"""Stores that commands open by URL."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from scimkit.errors import ScimError
from scimkit.stores import MemoryStore
from scimkit.tokens import AsyncTokenRegistry, MemoryTokenStore, TokenRegistry

if TYPE_CHECKING:
    from scimkit.stores import SyncStore
    from scimkit.stores.sql import AsyncSqlStore, SqlStore

STORE_URLS: Final = "memory://, sqlite:///FILE, postgresql+psycopg://USER@HOST/NAME or mysql+pymysql://USER@HOST/NAME"

_opened: Final[list[SqlStore]] = []
"""The stores that a command has opened."""

STORE_FILE: Final = "SCIMKIT_STORE_FILE"
"""The variable that names a file with the URL of the store."""


def _chosen_store(context: typer.Context, url: str) -> str:
    """Return the URL of the option or of SCIMKIT_STORE, else the URL in the file that SCIMKIT_STORE_FILE names.

    Raises:
        typer.BadParameter: None of them is given, or the file is empty or cannot be read.
    """
    if url or context.resilient_parsing:
        return url
    file = os.environ.get(STORE_FILE)
    if not file:
        raise typer.BadParameter(f"give the URL of the store, or set SCIMKIT_STORE or {STORE_FILE}")
    return read_store_url(None, Path(file))


StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="SCIMKIT_STORE",
        show_envvar=True,
        default_factory=str,
        show_default=False,
        callback=_chosen_store,
        help=f"Where users, groups and tokens are kept: {STORE_URLS}. Required, unless {STORE_FILE} names a file "
        "that contains the URL.",
    ),
]


def open_store(url: str, *, outbox: bool = False, provisioning_log: bool = False) -> tuple[SyncStore, TokenRegistry]:
    """Open the store at a URL, and the token registry in the same database.

    Args:
        url: The URL of the store.
        outbox: Whether the store records events in its outbox.
        provisioning_log: Whether the store keeps a provisioning log.

    Raises:
        typer.BadParameter: The URL does not name a store.
        StoreUnavailable: The database cannot be opened.
    """
    if url == "memory://":
        return MemoryStore(outbox=outbox, provisioning_log=provisioning_log), TokenRegistry(MemoryTokenStore())
    from scimkit.stores.sql import SqlTokenStore

    with one_line_errors():
        store = sql_store(url, outbox=outbox, provisioning_log=provisioning_log)
        store.upgrade()
    return store, TokenRegistry(SqlTokenStore(store.engine))


def open_served_store(
    url: str, *, outbox: bool = False, provisioning_log: bool = False
) -> tuple[SyncStore | AsyncSqlStore, TokenRegistry | AsyncTokenRegistry]:
    """Open the store and the token registry of a server, as `open_store` does.

    Those of PostgreSQL are async, because a request on the event loop takes less time than one in a thread. The async
    driver of SQLite is slower, that of MariaDB is another package, and psycopg does not know the event loop of Windows.

    Raises:
        typer.BadParameter: The URL does not name a store.
        StoreUnavailable: The database cannot be opened.
    """
    store, tokens = open_store(url, outbox=outbox, provisioning_log=provisioning_log)
    if sys.platform == "win32" or not url.startswith("postgresql"):
        return store, tokens
    from scimkit.stores.sql import AsyncSqlStore, AsyncSqlTokenStore

    close_stores()
    awaited = AsyncSqlStore(url, outbox=outbox, provisioning_log=provisioning_log)
    return awaited, AsyncTokenRegistry(AsyncSqlTokenStore(awaited.engine))


def sql_store(url: str, *, outbox: bool = False, provisioning_log: bool = False) -> SqlStore:
    """Return the SQL store at a URL without upgrading its tables.

    Raises:
        typer.BadParameter: The URL does not name a database.
    """
    from sqlalchemy.exc import ArgumentError

    from scimkit.stores.sql import SqlStore

    try:
        if url == "sqlite:///":
            raise ValueError("the URL names no file")
        store = SqlStore(url, upgrade=False, outbox=outbox, provisioning_log=provisioning_log)
    except (ValueError, ArgumentError):
        raise typer.BadParameter(f"the store must be {STORE_URLS}", param_hint="--store") from None
    except ModuleNotFoundError as missing:
        raise typer.BadParameter(str(missing), param_hint="--store") from None
    _opened.append(store)
    return store


def close_stores() -> None:
    """Close the connections of all stores that a command has opened, at the end of the command."""
    while _opened:
        _opened.pop().engine.dispose()


class StoreUnavailable(Exception):
    """The database of the store cannot be opened. The message is one line, without a password."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Convert an error of the database to StoreUnavailable with a message of one line.

    Raises:
        StoreUnavailable: The database cannot be opened.
    """
    try:
        yield
    except ScimError as error:
        cause: Any = error.__cause__ or error.__context__
        message = str(getattr(cause, "orig", None) or cause or "").strip().partition("\n")[0]
        reason = f": {message}" if message else ""
        raise StoreUnavailable(f"the database cannot be opened{reason}") from None


def read_store_url(store: str | None, store_file: Path | None) -> str:
    """Return the URL of the store from an option, the environment or a file.

    Raises:
        typer.BadParameter: Both options are given, or the file is empty or cannot be read.
    """
    if store_file is None or (store is not None and str(store_file) == os.environ.get(STORE_FILE)):
        return store or "memory://"
    if store is not None:
        raise typer.BadParameter("give either --store or --store-file, not both", param_hint="--store-file")
    try:
        url = store_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise typer.BadParameter(f"the file cannot be read: {error.strerror}", param_hint="--store-file") from None
    if not url:
        raise typer.BadParameter("the file is empty; it must contain the URL of the store", param_hint="--store-file")
    return url
