"""Spans and durations of SQL statements, also of the hot statements that bypass SQLAlchemy otherwise."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from opentelemetry.trace import SpanKind, StatusCode

from scimkit import Request, ScimService
from scimkit.stores.sql import AsyncSqlStore, AsyncSqlTokenStore, SqlStore
from scimkit.telemetry import instrument, instrument_database
from scimkit.tokens import AsyncTokenRegistry
from tests.client import BASE_URL, Client
from tests.stores.databases import DATABASES, url_of
from tests.telemetry.recorded import Recorded

SYSTEMS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mariadb"}


@pytest.mark.parametrize("database", DATABASES)
def test_statements_of_a_request(database: str) -> None:
    """Each statement of a request is a child of its span, with its duration and without its text."""
    store, recorded = SqlStore(url_of(database)), Recorded()
    client = Client(store, tenant="telemetry")
    instrument(client.service, **recorded.options)
    instrument_database(store.engine, **recorded.options)
    client.send("POST", "/Users", {"schemas": [], "userName": "nobody"})
    assert client.get("/Users/nobody").status == 404
    spans = recorded.spans()
    found = next(each for each in spans if each.name == "GET /Users/{id}")
    statements = [each for each in spans if each.parent and each.parent.span_id == found.context.span_id]
    assert statements
    for each in statements:
        assert each.kind is SpanKind.CLIENT
        assert each.attributes["db.system.name"] == SYSTEMS[database]
        assert set(each.attributes) <= {"db.system.name", "db.operation.name", "db.namespace"}
    assert sum(recorded.values("db.client.operation.duration", "db.operation.name").values()) >= len(statements)
    store.engine.dispose()


def test_a_statement_that_fails() -> None:
    """A statement that fails has the class of its error, and not the message, which may have values."""
    engine, recorded = sa.create_engine("sqlite://"), Recorded()
    instrument_database(engine, **recorded.options)
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError):
        connection.exec_driver_sql("SELECT secret FROM nowhere")
    span = recorded.span()
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes) == {
        "db.system.name": "sqlite", "db.operation.name": "SELECT", "error.type": "OperationalError",
    }  # fmt: skip
    assert span.events == ()
    assert span.status.description is None
    engine.dispose()


def test_an_async_engine(tmp_path: Path) -> None:
    """The statements of an async store are children of the span of their request too."""
    url, recorded = f"sqlite:///{tmp_path}/scim.db", Recorded()
    SqlStore(url).engine.dispose()

    async def run() -> int:
        store = AsyncSqlStore(url)
        tokens = AsyncTokenRegistry(AsyncSqlTokenStore(store.engine))
        service = ScimService(store, tokens=tokens)
        instrument(service, **recorded.options)
        instrument_database(store.engine, **recorded.options)
        headers = {"authorization": f"Bearer {(await tokens.issue('test')).token}"}
        recorded.spans()
        response = await service.handle(Request("GET", "/Users", "", headers, b"", BASE_URL))
        await store.engine.dispose()
        return response.status

    assert asyncio.run(run()) == 200
    *statements, request = recorded.spans()
    assert statements
    assert {each.parent.span_id for each in statements} == {request.context.span_id}
