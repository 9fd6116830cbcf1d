"""The floor on SQLite and MariaDB: SCIM requests coded by hand on `sqlite3` and PyMySQL, without any rule of SCIM.

Run `uvicorn tests.benchmarks.database.blocking_floor:app` with the URL of SQLAlchemy in `BENCHMARK_URL`. Each request
runs in a thread with a connection of its own, and looks its token up, as scimkit does.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import sqlite3
import threading
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
import sqlalchemy as sa

METADATA: Final = sa.MetaData()
_TEXT: Final = sa.String(100)
sa.Table(
    "floor_token", METADATA, sa.Column("id", _TEXT, primary_key=True), sa.Column("tenant", _TEXT),
    sa.Column("hash", sa.LargeBinary),
)  # fmt: skip
sa.Table(
    "floor_user", METADATA, sa.Column("number", sa.Integer, primary_key=True), sa.Column("tenant", _TEXT),
    sa.Column("id", _TEXT), sa.Column("name", _TEXT), sa.Column("doc", sa.LargeBinary),
    sa.Index("floor_user_id", "tenant", "id", unique=True), sa.Index("floor_user_name", "tenant", "name", unique=True),
    sa.Index("floor_user_order", "tenant", "number"),
)  # fmt: skip
sa.Table(
    "floor_group", METADATA, sa.Column("tenant", _TEXT, primary_key=True), sa.Column("id", _TEXT, primary_key=True),
    sa.Column("version", sa.Integer),
)  # fmt: skip
sa.Table("floor_member", METADATA, *(sa.Column(each, _TEXT, primary_key=True) for each in ("tenant", "grp", "usr")))

_URL: Final = sa.make_url(os.environ.get("BENCHMARK_URL", "sqlite://"))
_IS_SQLITE: Final = _URL.get_backend_name() == "sqlite"
_FILTER: Final = re.compile(r'userName eq "([^"]*)"')
_JSON: Final = (b"content-type", b"application/scim+json")
_local = threading.local()
Scope = MutableMapping[str, Any]


class _Database:
    """A connection of one thread."""

    def __init__(self) -> None:
        if _IS_SQLITE:
            self._connection: Any = sqlite3.connect(str(_URL.database), timeout=5, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
        else:
            import pymysql

            self._connection = pymysql.connect(
                host=_URL.host, port=_URL.port or 3306, user=_URL.username, password=_URL.password or "",
                database=_URL.database, autocommit=True, charset="utf8mb4",
            )  # fmt: skip
        self._cursor = self._connection.cursor()

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Run a statement, and return its rows."""
        self._cursor.execute(sql.replace("%s", "?") if _IS_SQLITE else sql, values)
        return list(self._cursor.fetchall())

    def in_transaction(self, work: Callable[[], Any]) -> Any:
        """Run work in a transaction."""
        self._cursor.execute("BEGIN IMMEDIATE" if _IS_SQLITE else "BEGIN")
        try:
            result = work()
        except BaseException:
            self._cursor.execute("ROLLBACK")
            raise
        self._cursor.execute("COMMIT")
        return result


async def app(
    scope: Scope, receive: Callable[[], Awaitable[Scope]], send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    """Serve one ASGI connection."""
    if scope["type"] == "lifespan":
        while (kind := (await receive())["type"]) != "lifespan.shutdown":
            await send({"type": f"{kind}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    sent = b"" if scope["method"] == "GET" else (await receive()).get("body", b"")
    status, body = await asyncio.to_thread(_answer, scope, sent)
    headers = [_JSON, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _answer(scope: Scope, sent: bytes) -> tuple[int, bytes]:
    """Answer a request in a thread."""
    if not hasattr(_local, "database"):
        _local.database = _Database()
    db: _Database = _local.database
    name, _, secret = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ").partition(".")
    rows = db.rows("SELECT tenant, hash FROM floor_token WHERE id = %s", name)
    if not rows or rows[0][1] != hashlib.sha256(secret.encode()).digest():
        return 401, b""
    return _ANSWERS[scope["method"]](db, rows[0][0], scope, sent)


def _get(db: _Database, tenant: str, scope: Scope, _: bytes) -> tuple[int, bytes]:
    if scope["path"] != "/Users":
        id = scope["path"].rpartition("/")[2]
        rows = db.rows("SELECT doc FROM floor_user WHERE tenant = %s AND id = %s", tenant, id)
        return 200, orjson.dumps(orjson.loads(rows[0][0]))
    query = parse_qs(scope["query_string"].decode())
    if "filter" in query:
        match = _FILTER.fullmatch(query["filter"][0])
        wanted = "" if match is None else match[1].lower()
        rows = db.rows("SELECT doc FROM floor_user WHERE tenant = %s AND name = %s", tenant, wanted)
        total = len(rows)
    else:
        count, start = int(query["count"][0]), int(query["startIndex"][0]) - 1
        page = "SELECT doc FROM floor_user WHERE tenant = %s ORDER BY number LIMIT %s OFFSET %s"
        rows = db.rows(page, tenant, count, start)
        total = db.rows("SELECT count(*) FROM floor_user WHERE tenant = %s", tenant)[0][0]
    return 200, orjson.dumps({"totalResults": total, "Resources": [orjson.loads(row[0]) for row in rows]})


def _post(db: _Database, tenant: str, scope: Scope, sent: bytes) -> tuple[int, bytes]:
    body = orjson.loads(sent)
    body["id"] = str(uuid.uuid4())
    text = orjson.dumps(body)
    insert = "INSERT INTO floor_user (tenant, id, name, doc) VALUES (%s, %s, %s, %s)"
    db.rows(insert, tenant, body["id"], body["userName"].lower(), text)
    return 201, text


def _patch(db: _Database, tenant: str, scope: Scope, sent: bytes) -> tuple[int, bytes]:
    operations = orjson.loads(sent)["Operations"]
    id, lock = scope["path"].rpartition("/")[2], "" if _IS_SQLITE else " FOR UPDATE"

    def change_member() -> tuple[int, bytes]:
        db.rows(f"SELECT version FROM floor_group WHERE tenant = %s AND id = %s{lock}", tenant, id)
        user = operations[0]["value"][0]["value"]
        if operations[0]["op"] == "add":
            db.rows("SELECT 1 FROM floor_user WHERE tenant = %s AND id = %s", tenant, user)
            ignore = "OR IGNORE" if _IS_SQLITE else "IGNORE"
            db.rows(f"INSERT {ignore} INTO floor_member VALUES (%s, %s, %s)", tenant, id, user)
        else:
            db.rows("DELETE FROM floor_member WHERE tenant = %s AND grp = %s AND usr = %s", tenant, id, user)
        db.rows("UPDATE floor_group SET version = version + 1 WHERE tenant = %s AND id = %s", tenant, id)
        return 204, b""

    def change_user() -> tuple[int, bytes]:
        rows = db.rows(f"SELECT doc FROM floor_user WHERE tenant = %s AND id = %s{lock}", tenant, id)
        document = orjson.loads(rows[0][0])
        for each in operations:
            name, _, part = each["path"].partition(".")
            document[name] = {**document[name], part: each["value"]} if part else each["value"]
        text = orjson.dumps(document)
        db.rows("UPDATE floor_user SET doc = %s WHERE tenant = %s AND id = %s", text, tenant, id)
        return 200, text

    answer: tuple[int, bytes] = db.in_transaction(change_member if "/Groups" in scope["path"] else change_user)
    return answer


_ANSWERS: Final = {"GET": _get, "POST": _post, "PATCH": _patch}
