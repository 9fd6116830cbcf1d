"""A measurement of one huge group. Its members are written with SQL, then changed and read over HTTP."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from scimkit import GROUP, USER, Scope
from scimkit.stores.sql import SqlStore
from scimkit.stores.sql.tables import MEMBERSHIPS, RESOURCES
from tests.scale.client import Client, adding, removing, run
from tests.scale.served import ServedProcess, token


def fill(store: SqlStore, scope: Scope, size: int) -> tuple[str, str]:
    """Create a group with a number of members, and return its id and the id of a user who is not a member."""
    model = store.create(scope, USER, {"schemas": [USER.schema], "userName": "model"}).document["id"]
    group = store.create(scope, GROUP, {"schemas": [GROUP.schema], "displayName": "Everyone"}).document["id"]
    names = [each.name for each in RESOURCES.c if each.name not in ("sequence", "id")]
    people = sa.and_(RESOURCES.c.tenant == scope.tenant, RESOURCES.c.type == "User")
    with store.engine.begin() as connection:
        count = 1
        for turn in range(64):  # each turn copies all existing users until there are enough
            id = sa.cast(sa.type_coerce(RESOURCES.c.id, sa.LargeBinary).concat(bytes([48 + turn])), sa.LargeBinary)
            copies = sa.select(id, *(RESOURCES.c[name] for name in names)).where(people).limit(size + 1 - count)
            connection.execute(sa.insert(RESOURCES).from_select(["id", *names], copies, include_defaults=False))
            count = min(count * 2, size + 1)
            if count > size:
                break
        number = connection.scalar(sa.select(RESOURCES.c.sequence).where(RESOURCES.c.id == group))
        members = sa.select(sa.literal(number), RESOURCES.c.sequence).where(people, RESOURCES.c.id != model)
        connection.execute(sa.insert(MEMBERSHIPS).from_select(["group", "member"], members))
    return group, model


def written(engine: sa.Engine) -> dict[str, int]:
    """Return the number of rows that PostgreSQL has written to each table since its statistics began."""
    count = "n_tup_ins + n_tup_upd + n_tup_del"
    query = sa.text(f"SELECT relname, {count} FROM pg_stat_user_tables WHERE relname LIKE 'scim%'")
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
        return dict(connection.execute(query).all())


def measure_huge(url: str, served: ServedProcess, size: int) -> None:
    """Print the costs of changing and reading a group with a number of members."""
    store, scope = SqlStore(url, statement_timeout=600), Scope(f"huge-{os.urandom(4).hex()}")
    start = time.perf_counter()
    group, person = fill(store, scope, size)
    print(f"a group of {size:,} members, written with SQL in {time.perf_counter() - start:.0f} s", flush=True)
    client = Client(served.endpoint, token(url, scope.tenant))

    def changes(count: int) -> Iterator[Any]:
        for number in range(count):
            body = removing([person]) if number % 2 else adding([person])
            yield lambda body=body: client.send("PATCH", f"/Groups/{group}", body, expected=204)

    run(changes(20), 1)
    time.sleep(12)  # PostgreSQL updates its statistics with a delay
    before = written(store.engine) if store.engine.dialect.name == "postgresql" else {}
    timed = run(changes(200), 1)
    time.sleep(12)
    after = written(store.engine) if before else {}
    rows = {name: (after[name] - before[name]) / 200 for name in before if after[name] != before[name]}
    print(f"  PATCH of one member: p50 {timed.percentile(0.5):.1f} ms, p99 {timed.percentile(0.99):.1f} ms", flush=True)
    print(f"  rows written by one of them: {rows or 'not counted'}", flush=True)
    for title, rest in (("without members", "?excludedAttributes=members"), ("whole", "")):
        before_memory, start = served.memory(), time.perf_counter()
        served.forget_peak()
        length = client.size_of(f"/Groups/{group}{rest}")
        seconds = time.perf_counter() - start
        grown = (served.peak - before_memory) / 2**20
        print(f"  GET {title}: {length:,} bytes in {seconds:.2f} s; the server grew by {grown:.0f} MB", flush=True)
