"""Storage of OAuth clients in a table of a SQL database. This module never sees a secret, only its hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import sqlalchemy as sa

from scimkit.stores.sql.database import Database, Work
from scimkit.stores.sql.tables import CLIENTS
from scimkit.stores.sql.timeouts import soon
from scimkit.tokens import Client
from scimkit.tokens.clients import client_from_json, client_to_json


class ClientStatements:
    """The statements of a store of clients on its table."""

    def __init__(self, table: sa.Table) -> None:
        self._table = table

    def add(self, client: Client) -> Work[object]:
        """Return the work that inserts a client."""
        statement = sa.insert(self._table).values(
            id=_encoded(client.id), tenant=_encoded(client.tenant), version=client.version,
            created=client.created.astimezone(UTC).isoformat(), document=client_to_json(client).encode(),
        )  # fmt: skip
        return lambda connection: connection.execute(statement)

    def find(self, id: str) -> Work[Client | None]:
        """Return the work that finds a client by its id."""
        query = sa.select(self._table.c.document).where(self._table.c.id == _encoded(id))

        def run(connection: sa.Connection) -> Client | None:
            text = connection.scalar(query)
            return None if text is None else client_from_json(bytes(text).decode())

        return run

    def list(self, tenant: str) -> Work[Sequence[Client]]:
        """Return the work that lists the clients of a tenant."""
        columns = self._table.c
        query = (
            sa.select(columns.document).where(columns.tenant == _encoded(tenant)).order_by(columns.created, columns.id)
        )
        return lambda connection: [client_from_json(bytes(each).decode()) for each in connection.scalars(query)]

    def update(self, old: Client, new: Client) -> Work[bool]:
        """Return the work that replaces a client if its stored version is that of `old`."""
        columns = self._table.c
        statement = (
            sa.update(self._table)
            .where(columns.id == _encoded(old.id), columns.version == old.version)
            .values(version=new.version, document=client_to_json(new).encode())
        )
        return lambda connection: connection.execute(statement).rowcount == 1


class SqlClientStore:
    """A `ClientStore` in a SQL database, for a `SqlStore` or for tables of an application.

    Args:
        engine: The engine of the database.
        table: The table that `client_table` added to the metadata of an application. The default is the table that the
            migrations of `SqlStore` create.
    """

    blocking = True

    def __init__(self, engine: sa.Engine, table: sa.Table = CLIENTS) -> None:
        self._database = Database(engine)
        self._statements = ClientStatements(table)

    def add(self, client: Client) -> None:
        self._database.write(self._statements.add(client), soon())

    def find(self, id: str) -> Client | None:
        return self._database.read(self._statements.find(id), soon())

    def list(self, tenant: str) -> Sequence[Client]:
        return self._database.read(self._statements.list(tenant), soon())

    def update(self, old: Client, new: Client) -> bool:
        return self._database.write(self._statements.update(old, new), soon())


def _encoded(text: str) -> bytes:
    """Return a text as UTF-8. A text that is not valid Unicode becomes bytes that no row has."""
    return text.encode("utf-8", "surrogatepass")
