"""The SQL store stays consistent if a process is killed while it writes."""

from __future__ import annotations

import json
import os
import random
import time
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic_core import from_json

from scimkit import GROUP, USER, Query, Scope
from scimkit.stores.sql.index_entries import index_entries
from scimkit.stores.sql.rows import Rows
from scimkit.stores.sql.tables import CLAIMS, MEMBERSHIPS, RESOURCES, VALUES
from tests.programs import Program
from tests.stores.databases import DATABASES, store_of, url_of


def inconsistencies(connection: sa.Connection, tenant: str) -> list[str]:
    """Return the inconsistencies: index entries or unique values that differ from the document, and missing members."""
    found = []
    rows = connection.execute(sa.select(RESOURCES).where(RESOURCES.c.tenant == tenant)).all()
    for row in rows:
        kind = USER if row.type == "User" else GROUP
        document = from_json(row.document)
        expected = {(each.slot, each.element, each.place, each.head) for each in index_entries(tenant, kind, document)}
        columns = (VALUES.c.slot, VALUES.c.element, VALUES.c.place, VALUES.c.head)
        there = connection.execute(sa.select(*columns).where(VALUES.c.resource == row.sequence))
        if {(*each[:3], bytes(each[3])) for each in there} != expected:
            found.append("values")
        claims = connection.execute(sa.select(CLAIMS.c.slot, CLAIMS.c.digest).where(CLAIMS.c.resource == row.sequence))
        wanted = Rows(connection, Scope(tenant), kind)._unique_values(document)
        if {(each[0], bytes(each[1])) for each in claims} != wanted.keys():
            found.append("claims")
    numbers = {row.sequence for row in rows}
    groups = {row.sequence for row in rows if row.type == "Group"}
    for group, member in connection.execute(sa.select(MEMBERSHIPS.c.group, MEMBERSHIPS.c.member)):
        if (group in groups or member in numbers) and not (group in groups and member in numbers):
            found.append("membership")
    return found


def losses(connection: sa.Connection, tenant: str, said: list[dict[str, Any]]) -> list[str]:
    """Return the answered writes that were lost, and the deleted resources that exist again."""
    query = sa.select(RESOURCES.c.id, RESOURCES.c.document).where(RESOURCES.c.tenant == tenant)
    documents = {row.id: from_json(row.document) for row in connection.execute(query)}
    going = {each["going"] for each in said if "going" in each}
    lost = [each["kept"] for each in said if "kept" in each and each["kept"] not in documents.keys() | going]
    lost += [each["gone"] for each in said if "gone" in each and each["gone"] in documents]
    titles = {each["of"]: each["title"] for each in said if "of" in each}
    # The writer may have written a resource and been killed before it printed the answer.
    return lost + [
        id for id, title in titles.items() if id in documents.keys() - going and documents[id].get("title", "") < title
    ]


@pytest.mark.parametrize("color", ["sync", "async"])
@pytest.mark.parametrize("database", DATABASES)
def test_killed_at_any_moment(database: str, color: str) -> None:
    """After two writers were killed repeatedly, every answered write is complete and no write is partial."""
    store = store_of(database)
    tenant = f"killed-{os.getpid()}-{os.urandom(4).hex()}"
    said: list[dict[str, Any]] = []
    for _ in range(3):
        writers = [Program("tests.stores.writer", "main", url_of(database), tenant, color) for _ in range(2)]
        try:
            for each in writers:
                assert each.stdout.readline() == b'{"ready": true}\n'
            time.sleep(random.uniform(0.2, 0.6))
        finally:
            for each in writers:
                each.kill()
            told = [each.rest() for each in writers]
        said += [json.loads(line) for output in told for line in output.splitlines(keepends=True) if line[-1:] == b"\n"]
        with store.engine.connect() as connection:
            assert inconsistencies(connection, tenant) == []
            assert losses(connection, tenant, said) == []
    names = [each["userName"].lower() for each in store.search(Scope(tenant), Query(USER, count=1000)).documents]
    assert names
    assert len(names) == len(set(names))
