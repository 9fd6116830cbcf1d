"""The floor: SCIM requests on PostgreSQL, coded by hand for these requests, without any rule of SCIM.

Run `uvicorn tests.benchmarks.database.floor:app` with the URL in `BENCHMARK_URL`. Each request looks its token up, as
scimkit does. `logged_app` also does what a log and a listener in the transaction need: each PATCH and POST of a user is
a transaction, in which it inserts an entry into a table with the indexes of the provisioning log.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext
from time import time_ns
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
import psycopg
from psycopg_pool import AsyncConnectionPool

from scimkit.stores.sql.log_tables import INDEXES

_LOG_COLUMNS: Final = (
    "tenant", "token_id", "cycle_id", "resource_id", "external_id", "label_key", "action", "result", "error_code",
)  # fmt: skip

TABLES: Final = f"""
CREATE TABLE floor_token (id text PRIMARY KEY, tenant text, hash bytea);
CREATE TABLE floor_user (number bigserial UNIQUE, tenant text, id text, name text, doc bytea,
                         PRIMARY KEY (tenant, id), UNIQUE (tenant, name));
CREATE INDEX ON floor_user (tenant, number);
CREATE TABLE floor_group (tenant text, id text, version bigint, PRIMARY KEY (tenant, id));
CREATE TABLE floor_member (tenant text, group_id text, user_id text, PRIMARY KEY (tenant, group_id, user_id));
CREATE TABLE floor_log (id bytea PRIMARY KEY, {" text, ".join(_LOG_COLUMNS)} text, started bigint, payload bytea);
{"".join(f"CREATE INDEX ON floor_log ({', '.join(columns)});" for columns in INDEXES.values())}
"""
_LOG: Final = f"INSERT INTO floor_log VALUES ({', '.join(['%s'] * (len(_LOG_COLUMNS) + 3))})"

_FILTER: Final = re.compile(r'userName eq "([^"]*)"')
_JSON: Final = (b"content-type", b"application/scim+json")
_pool: Final = AsyncConnectionPool(
    os.environ.get("BENCHMARK_URL", ""), open=False, min_size=4, max_size=10, kwargs={"autocommit": True}
)
Scope = MutableMapping[str, Any]


async def app(
    scope: Scope, receive: Callable[[], Awaitable[Scope]], send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    """Serve one ASGI connection."""
    await _serve(scope, receive, send, logs=False)


async def logged_app(
    scope: Scope, receive: Callable[[], Awaitable[Scope]], send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    """Serve one ASGI connection, and log each write of a user in its transaction."""
    await _serve(scope, receive, send, logs=True)


async def _serve(scope: Scope, receive: Any, send: Any, *, logs: bool) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    name, _, secret = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ").partition(".")
    async with _pool.connection() as db:
        row = await (await db.execute("SELECT tenant, hash FROM floor_token WHERE id = %s", (name,))).fetchone()
        status, body = 401, b""
        if row and row[1] == hashlib.sha256(secret.encode()).digest():
            status, body = await _ANSWERS[scope["method"]](db, row[0], scope, receive, logs)
    headers = [_JSON, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        if kind == "lifespan.startup":
            await _pool.open()
        else:
            await _pool.close()
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _get(db: psycopg.AsyncConnection, tenant: str, scope: Scope, _: Any, logs: bool) -> tuple[int, bytes]:
    if scope["path"] != "/Users":
        found = await db.execute(
            "SELECT doc FROM floor_user WHERE tenant = %s AND id = %s", (tenant, scope["path"].rpartition("/")[2])
        )
        return 200, orjson.dumps(orjson.loads((await found.fetchone() or [b"null"])[0]))
    query = parse_qs(scope["query_string"].decode())
    if "filter" in query:
        match = _FILTER.fullmatch(query["filter"][0])
        wanted = "" if match is None else match[1].lower()
        found = await db.execute("SELECT doc FROM floor_user WHERE tenant = %s AND name = %s", (tenant, wanted))
        rows = await found.fetchall()
        total = len(rows)
    else:
        page = (tenant, int(query["count"][0]), int(query["startIndex"][0]) - 1)
        found = await db.execute(
            "SELECT doc FROM floor_user WHERE tenant = %s ORDER BY number LIMIT %s OFFSET %s", page
        )
        rows = await found.fetchall()
        counted = await db.execute("SELECT count(*) FROM floor_user WHERE tenant = %s", (tenant,))
        total = (await counted.fetchone() or [0])[0]
    return 200, orjson.dumps({"totalResults": total, "Resources": [orjson.loads(row[0]) for row in rows]})


async def _post(db: psycopg.AsyncConnection, tenant: str, scope: Scope, receive: Any, logs: bool) -> tuple[int, bytes]:
    body = orjson.loads((await receive()).get("body", b"{}"))
    body["id"] = str(uuid.uuid4())
    text = orjson.dumps(body)
    values = (tenant, body["id"], body["userName"].lower(), text)
    async with db.transaction() if logs else nullcontext():
        await db.execute("INSERT INTO floor_user (tenant, id, name, doc) VALUES (%s, %s, %s, %s)", values)
        if logs:
            await _log(db, tenant, body, "Create")
    return 201, text


async def _patch(db: psycopg.AsyncConnection, tenant: str, scope: Scope, receive: Any, logs: bool) -> tuple[int, bytes]:
    operations = orjson.loads((await receive())["body"])["Operations"]
    id = scope["path"].rpartition("/")[2]
    async with db.transaction():
        if scope["path"].startswith("/Groups"):
            await _change_member(db, (tenant, id), operations[0])
            return 204, b""
        found = await db.execute("SELECT doc FROM floor_user WHERE tenant = %s AND id = %s FOR UPDATE", (tenant, id))
        document = orjson.loads((await found.fetchone() or [b"null"])[0])
        for each in operations:
            name, _, part = each["path"].partition(".")
            document[name] = {**document[name], part: each["value"]} if part else each["value"]
        text = orjson.dumps(document)
        await db.execute("UPDATE floor_user SET doc = %s WHERE tenant = %s AND id = %s", (text, tenant, id))
        if logs:
            await _log(db, tenant, document, "Disable")
    return 200, text


async def _log(db: psycopg.AsyncConnection, tenant: str, document: dict[str, Any], action: str) -> None:
    started = time_ns() // 1_000_000
    id = started.to_bytes(6, "big") + os.urandom(10)
    keys = (tenant, "token", "cycle", document["id"], document["externalId"], document["userName"].lower())
    payload = orjson.dumps({"method": action, "label": document["userName"], "active": document["active"]})
    await db.execute(_LOG, (id, *keys, action, "Success", "", started, payload))


async def _change_member(db: psycopg.AsyncConnection, group: tuple[str, str], operation: dict[str, Any]) -> None:
    await db.execute("SELECT version FROM floor_group WHERE tenant = %s AND id = %s FOR UPDATE", group)
    user = operation["value"][0]["value"]
    if operation["op"] == "add":
        await db.execute("SELECT 1 FROM floor_user WHERE tenant = %s AND id = %s", (group[0], user))
        await db.execute("INSERT INTO floor_member VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (*group, user))
    else:
        await db.execute(
            "DELETE FROM floor_member WHERE tenant = %s AND group_id = %s AND user_id = %s", (*group, user)
        )
    await db.execute("UPDATE floor_group SET version = version + 1 WHERE tenant = %s AND id = %s", group)


_ANSWERS: Final = {"GET": _get, "POST": _post, "PATCH": _patch}
