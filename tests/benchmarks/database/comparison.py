"""`python -m tests.benchmarks --sql [URL] [--database NAME]`: requests to a database, with scimkit and by hand.

`wrk` sends the requests on eight connections to one process of uvicorn. The CPU time of the server and of the backends
of the database is read from the kernel. Compare the ratios to the floor of the same run, not the times.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import sqlalchemy as sa
from pydantic_core import to_json

from scimkit import GROUP, USER, Scope, TokenRegistry
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.protocol import SyncStore
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.stores.sqlalchemy import MappedStore

URLS: Final = {
    "postgresql": "postgresql+psycopg://root@127.0.0.1:5432/postgres",
    "mariadb": os.environ.get("SCIMKIT_TEST_MYSQL_URL", "mysql+pymysql://root@127.0.0.1:3306/test"),
    "sqlite": "sqlite://",
}
"""The URLs of the databases that can be compared. SQLite uses a file in a temporary folder."""
FEW: Final = 2_000
STEPS: Final = ("GET", "filter", "PATCH", "nested", "POST", "page", "member")
"""The kinds of requests. The last two read and write among many users."""
_LARGE: Final = ("page", "member")
_SMALL: Final = tuple(each for each in STEPS if each not in _LARGE)
_WRITES: Final = ("PATCH", "POST")
_TITLES: Final = {
    "GET": "GET by id", "filter": "filter `userName eq`", "PATCH": "PATCH active",
    "nested": "PATCH name.givenName", "POST": "POST",
    "page": "page of 100 of {:,}", "member": "PATCH of one member of {:,}",
}  # fmt: skip
_SCRIPT: Final = (Path(__file__).parent / "requests.lua").read_text()
_RESULT: Final = re.compile(r"RESULT (\d+) (\d+) (\d+) ([\d.]+)")


@dataclass(frozen=True, slots=True)
class Figures:
    """The measurement of one step on one server: microseconds of CPU a request, p99 in milliseconds, and errors."""

    server: float
    database: float
    p99: float
    rate: float
    errors: int


@dataclass(frozen=True, slots=True)
class Account:
    """The data of one server: a token for few users and one for many, the ids of the users, and a large group."""

    tokens: tuple[str, str]
    ids: tuple[Sequence[str], Sequence[str]]
    group: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the comparison."""

    name: str
    target: str
    prefix: str
    account: Account
    steps: Sequence[str] = STEPS


def missing(url: str) -> str:
    """Return the reason why the comparison cannot run, or an empty text."""
    if shutil.which("wrk") is None:
        return "wrk is not installed (apt-get install wrk)"
    backend = sa.make_url(url).get_backend_name()
    if backend == "postgresql" and importlib.util.find_spec("psycopg_pool") is None:
        return "psycopg-pool is not installed"
    engine = sa.create_engine(url)
    try:
        engine.connect().close()
    except sa.exc.DBAPIError as error:
        return f"no database answers at {sa.make_url(url).render_as_string()}: {type(error.orig).__name__}"
    finally:
        engine.dispose()
    return ""


def person(number: int | str) -> dict[str, Any]:
    """Return the document of a user."""
    name = f"user{number}@example.org"
    return {
        "schemas": [USER.schema], "userName": name, "externalId": f"x{number}", "displayName": f"Person {number}",
        "active": True, "name": {"givenName": "Per", "familyName": f"Son{number}"},
        "emails": [{"value": name, "type": "work", "primary": True}],
    }  # fmt: skip


@contextmanager
def new_database(url: str) -> Iterator[sa.URL]:
    """Create a database for the comparison, and drop it at the end."""
    name = f"scimkit_benchmark_{os.getpid()}"
    if url.startswith("sqlite"):
        with TemporaryDirectory(prefix="scimkit-benchmark-") as folder:
            yield sa.make_url(f"sqlite:///{folder}/{name}.db")
        return
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield engine.url.set(database=name)
    finally:
        force = " WITH (FORCE)" if engine.dialect.name == "postgresql" else ""
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}{force}")
        engine.dispose()


def account_of_scimkit(url: str, people: int) -> Account:
    """Fill the tables of scimkit, and return the account."""
    store = SqlStore(url)
    tokens = TokenRegistry(SqlTokenStore(store.engine))
    issued = [tokens.issue("benchmark", tenant=name).token for name in ("few", "many")]
    ids = [_filled(store, Scope(name), count) for name, count in (("few", FEW), ("many", people))]
    group = store.create(Scope("many"), GROUP, {"schemas": [GROUP.schema], "displayName": "All"}).document["id"]
    for start in range(0, people, 1000):
        members = tuple({"value": id} for id in ids[1][start : start + 1000])
        store.change(Scope("many"), GROUP, group, ChangeSet(references={"members": ReferenceChanges(members)}))
    store.engine.dispose()
    return Account((issued[0], issued[1]), (ids[0], ids[1]), group)


def _filled(store: SyncStore, scope: Scope, people: int) -> list[str]:
    """Create users, and return their ids."""
    ids: list[str] = []
    for start in range(0, people, 500):
        some = range(start + 1, min(start + 500, people) + 1)
        work: Callable[[Any], list[str]] = lambda inner, some=some: [  # noqa: E731
            inner.create(scope, USER, person(number)).document["id"] for number in some
        ]
        ids += store.transaction(scope, work)
    return ids


def account_of_own_tables(url: str) -> Account:
    """Fill the tables of the application whose models scimkit serves, and return its account."""
    from tests.benchmarks.database.own_tables import AGENTS, TOKENS, Base

    engine = sa.create_engine(url)
    Base.metadata.create_all(engine)
    store = MappedStore(engine, [AGENTS])
    issued = TokenRegistry(SqlTokenStore(engine, table=TOKENS)).issue("benchmark", tenant="few")
    ids = _filled(store, Scope("few"), FEW)
    engine.dispose()
    return Account((issued.token, issued.token), (ids, ids), "")


def account_by_hand(url: str, people: int) -> Account:
    """Fill the tables of the floor, and on PostgreSQL of the hand-written application, and return their account."""
    from tests.benchmarks.database.blocking_floor import METADATA
    from tests.benchmarks.database.by_hand import Base
    from tests.benchmarks.database.floor import TABLES

    engine = sa.create_engine(url)
    is_postgresql = engine.dialect.name == "postgresql"
    hashed = hashlib.sha256(b"s")
    ids = [
        [f"{tenant}-{number}" for number in range(1, count + 1)] for tenant, count in (("few", FEW), ("many", people))
    ]

    def add(db: sa.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        sql = f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})"
        db.exec_driver_sql(sql.replace("%s", "?") if engine.dialect.name == "sqlite" else sql, list(rows))

    with engine.begin() as db:
        if is_postgresql:
            db.exec_driver_sql(TABLES)
            Base.metadata.create_all(db)
            users = sa.insert(Base.metadata.tables["hand_user"])
            db.execute(users, [_row_by_hand(number, id) for number, id in enumerate(ids[0], 1)])
        else:
            METADATA.create_all(db)
        for tenant, those in zip(("few", "many"), ids, strict=True):
            add(db, "floor_token", [(tenant, tenant, hashed.digest())])
            if is_postgresql:
                add(db, "hand_token", [(tenant, tenant, hashed.hexdigest())])
            add(db, "floor_user (tenant, id, name, doc)", [
                (tenant, id, f"user{number}@example.org", to_json({**person(number), "id": id}))
                for number, id in enumerate(those, 1)
            ])  # fmt: skip
        add(db, "floor_group", [("many", "group", 1)])
        db.exec_driver_sql("INSERT INTO floor_member SELECT tenant, 'group', id FROM floor_user WHERE tenant = 'many'")
    engine.dispose()
    return Account(("few.s", "many.s"), (ids[0], ids[1]), "group")


def _row_by_hand(number: int, id: str) -> dict[str, Any]:
    """Return the row of a user of the hand-written application."""
    it = person(number)
    return {
        "id": id, "tenant": "few", "user_name": it["userName"], "external_id": it["externalId"],
        "display_name": it["displayName"], "active": True, "name": it["name"], "emails": it["emails"],
    }  # fmt: skip


@contextmanager
def _running(server: Server, url: str) -> Iterator[tuple[int, str]]:
    """Start a server, and yield its process id and its base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    driver_url = url.replace("+psycopg", "") if server.name.startswith("floor") else url
    command = [sys.executable, "-m", "tests.benchmarks.database.served", server.target, str(port)]
    process = subprocess.Popen(command, env={**os.environ, "BENCHMARK_URL": driver_url})
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield process.pid, f"http://127.0.0.1:{port}{server.prefix}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _cpu(pids: Sequence[int]) -> dict[int, float]:
    """Return the seconds of CPU that each process has used."""
    used: dict[int, float] = {}
    for pid in pids:
        try:
            threads = list(Path(f"/proc/{pid}/task").iterdir())
            used[pid] = sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9
        except OSError:  # the process has ended
            continue
    return used


def _spent(before: dict[int, float], after: dict[int, float]) -> float:
    """Return the seconds of CPU that processes have used between two readings. A process may end between."""
    return sum(max(seconds - before.get(pid, 0.0), 0.0) for pid, seconds in after.items())


def _backends(url: sa.URL) -> list[int]:
    """Return the processes of PostgreSQL that serve connections to a database, or of MariaDB. SQLite has none."""
    found: list[int] = []
    if url.get_backend_name() == "sqlite":
        return found
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().replace(b"\0", b" ").decode(errors="replace").split()
        except OSError:
            continue
        if url.get_backend_name() == "postgresql":
            mine = len(words) > 2 and words[0] == "postgres:" and url.database in words
        else:
            mine = bool(words) and words[0].endswith(("mariadbd", "mysqld"))
        if mine:
            found.append(int(each.parent.name))
    return found


def _script(server: Server, step: str, folder: Path) -> Path:
    """Write the script of wrk for one step on a server."""
    large = step in _LARGE
    ids, script = folder / f"{server.name}-{step}.ids", folder / f"{server.name}-{step}.lua"
    ids.write_text("".join(f"{id}\n" for id in server.account.ids[large]))
    values = {
        "ids": ids, "kind": step, "token": server.account.tokens[large], "prefix": server.prefix,
        "group": server.account.group, "nonce": time.time_ns(), "schema": USER.schema,
    }  # fmt: skip
    script.write_text(re.sub(r"@(\w+)@", lambda match: str(values[match[1]]), _SCRIPT))
    return script


def _measured(pid: int, base: str, script: Path, url: sa.URL, seconds: int) -> Figures:
    """Measure one step on a server."""
    before = _cpu([pid]), _cpu(_backends(url))
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "-s", str(script), base]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    after = _cpu([pid]), _cpu(_backends(url))
    found = _RESULT.search(said)
    assert found is not None, said
    count, micros, errors = (int(each) for each in found.groups()[:3])
    server, database = (_spent(*each) / max(count, 1) * 1e6 for each in zip(before, after, strict=True))
    return Figures(server, database, float(found[4]) / 1000, count / micros * 1e6, errors)


def _better(one: Figures | None, other: Figures) -> Figures:
    """Return the lower times of two measurements, and the number of errors of both."""
    if one is None:
        return other
    database = min(filter(None, (one.database, other.database)), default=0.0)  # 0: the processes were not found
    return Figures(
        min(one.server, other.server), database, min(one.p99, other.p99),
        max(one.rate, other.rate), one.errors + other.errors,
    )  # fmt: skip


def compared(url: str, people: int, seconds: int, say: Callable[[str], None]) -> dict[tuple[str, str], Figures]:
    """Measure every step on every server in turns, and return the best figures by step and server."""
    figures: dict[tuple[str, str], Figures] = {}
    with ExitStack() as stack:
        database = stack.enter_context(new_database(url))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="scimkit-benchmark-")))
        text = database.render_as_string(hide_password=False)
        servers = _servers(text, people)
        running = {each.name: stack.enter_context(_running(each, text)) for each in servers}
        for step in STEPS:
            scripts = {each.name: _script(each, step, folder) for each in servers if step in each.steps}
            for duration in (1, seconds, seconds, seconds):
                for name, script in scripts.items():
                    measured = _measured(*running[name], script, database, duration)
                    say(f"{step} {name}: {measured}")
                    if duration == seconds:
                        figures[step, name] = _better(figures.get((step, name)), measured)
    return figures


def _servers(url: str, people: int) -> list[Server]:
    """Fill the tables of a database, and return the servers to compare."""
    ours = account_of_scimkit(url, people)
    servers = [
        Server(name, f"tests.benchmarks.database.hosts:{host}()", "", ours, steps)
        for name, host, steps in (
            ("SqlStore", "sync_host", STEPS), ("AsyncSqlStore", "async_host", STEPS),
            ("SqlStore, log, listener", "logged_host", _WRITES),
            ("AsyncSqlStore, log, listener", "logged_async_host", _WRITES),
        )
    ]  # fmt: skip
    theirs, own = account_by_hand(url, people), account_of_own_tables(url)
    mapped = [
        Server(name, f"tests.benchmarks.database.own_tables:{host}()", "", own, _SMALL)
        for name, host in (("MappedStore", "sync_host"), ("AsyncMappedStore", "async_host"))
    ]
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    is_postgresql = engine.dialect.name == "postgresql"
    floor = Server("floor", f"tests.benchmarks.database.{'' if is_postgresql else 'blocking_'}floor:app", "", theirs)
    if is_postgresql:
        logged = Server("floor, log", "tests.benchmarks.database.floor:logged_app", "", theirs, _WRITES)
        hand = Server("by hand, ORM", "tests.benchmarks.database.by_hand:app", "", theirs, _SMALL)
        servers[:0] = [logged, hand]
    with engine.connect() as connection:
        if engine.dialect.name != "mysql":
            connection.exec_driver_sql("VACUUM ANALYZE" if is_postgresql else "ANALYZE")
    engine.dispose()
    return [floor, *servers, *mapped]


COLUMNS: Final = (
    "step", "server", "server CPU us", "x floor", "database CPU us", "x floor", "p99 ms", "x floor", "rate", "errors",
)  # fmt: skip


def rows(figures: dict[tuple[str, str], Figures], people: int) -> list[tuple[str, ...]]:
    """Return the figures as rows of a table."""
    shown = []
    for step in STEPS:
        floor = figures.get((step, "floor"))
        for (kind, name), each in figures.items():
            if kind == step:
                values = (each.server, each.database, each.p99)
                least = (math.nan,) * 3 if floor is None else (floor.server, floor.database, floor.p99)
                pairs = [
                    (f"{value:,.0f}" if place < 2 else f"{value:,.1f}", f"{value / low:.2f}" if low > 0 else "")
                    for place, (value, low) in enumerate(zip(values, least, strict=True))
                ]
                if not each.database:
                    pairs[1] = ("", "")  # SQLite runs in the server
                cells = [cell for pair in pairs for cell in pair]
                shown.append((_TITLES[step].format(people), name, *cells, f"{each.rate:,.0f}", str(each.errors)))
    return shown
