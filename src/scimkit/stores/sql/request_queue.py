"""`SqlRequestQueue`: the requests that a service accepted, in a table of a SQL database."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa

from scimkit.events.outbox import milliseconds
from scimkit.events.pending_requests import PendingRequest
from scimkit.stores.sql.database import Database
from scimkit.stores.sql.tables import PENDING_REQUESTS
from scimkit.stores.sql.timeouts import soon

_CANDIDATES: Final = 8
"""The number of requests that a worker tries to claim, because other workers may claim some."""


class SqlRequestQueue:
    """A `RequestQueue` in a SQL database, for a `SqlStore` or for tables of an application.

    Args:
        engine: A sync engine of the database.
        table: The table that `request_queue_table` added to the metadata of an application. The default is the table
            that the migrations of `SqlStore` create.
    """

    blocking: bool = True

    def __init__(self, engine: sa.Engine, table: sa.Table = PENDING_REQUESTS) -> None:
        self._database = Database(engine)
        self._table = table

    def add(self, request: PendingRequest, most: int) -> bool:
        table = self._table
        key = sha256(request.tenant.encode()).hexdigest()
        count = sa.select(sa.func.count()).select_from(table).where(table.c.tenant_key == key)
        row = {
            "txn": request.txn, "tenant_key": key, "tenant": request.tenant.encode(), "payload": request.payload,
            "attempts": 0, "due": milliseconds(), "claim": "",
        }  # fmt: skip
        known = sa.select(table.c.txn).where(table.c.txn == request.txn)

        def run(connection: sa.Connection) -> bool:
            if connection.scalar(known) is not None:  # an earlier attempt was committed, and its answer was lost
                return True
            if (connection.scalar(count) or 0) >= most:
                return False
            connection.execute(sa.insert(table), row)
            return True

        return self._database.write(run, soon())

    def claim(self, lease: float) -> PendingRequest | None:
        """Claim a request by an update that succeeds for one worker only."""
        table, token = self._table, uuid4().hex

        def candidates(connection: sa.Connection) -> list[tuple[str, int]]:
            due = sa.select(table.c.txn, table.c.due).where(table.c.due <= milliseconds())
            return [(row[0], row[1]) for row in connection.execute(due.order_by(table.c.due).limit(_CANDIDATES))]

        def take(connection: sa.Connection, txn: str, due: int) -> PendingRequest | None:
            mine = sa.update(table).where(table.c.txn == txn, table.c.due == due)
            values: dict[str, Any] = {"claim": token, "attempts": table.c.attempts + 1}
            taken = connection.execute(mine.values(due=milliseconds() + int(lease * 1000), **values)).rowcount == 1
            row = connection.execute(sa.select(table).where(table.c.txn == txn)).mappings().one() if taken else None
            return None if row is None else _request(row)

        for txn, due in self._database.read(candidates, soon()):
            found = self._database.write(lambda connection, txn=txn, due=due: take(connection, txn, due), soon())  # type: ignore[misc]
            if found is not None:
                return found
        return None

    def note(self, request: PendingRequest, results: bytes) -> bool:
        """Store the outcomes in the row of a claimed request."""
        return self._update(request, {"results": results})

    def release(self, request: PendingRequest, delay: float) -> None:
        self._update(request, {"claim": "", "due": milliseconds() + int(delay * 1000)})

    def finish(self, request: PendingRequest) -> None:
        """Delete the row of a claimed request."""
        mine = sa.delete(self._table).where(self._table.c.txn == request.txn, self._table.c.claim == request.claim)
        self._database.write(lambda connection: connection.execute(mine), soon())

    def _update(self, request: PendingRequest, values: dict[str, Any]) -> bool:
        columns = self._table.c
        mine = sa.update(self._table).where(columns.txn == request.txn, columns.claim == request.claim).values(**values)
        return self._database.write(lambda connection: connection.execute(mine).rowcount == 1, soon())


def _request(row: sa.RowMapping) -> PendingRequest:
    """Return the request of a row."""
    return PendingRequest(
        txn=row["txn"],
        tenant=bytes(row["tenant"]).decode(),
        payload=bytes(row["payload"]),
        attempts=row["attempts"],
        results=None if row["results"] is None else bytes(row["results"]),
        claim=row["claim"],
    )
