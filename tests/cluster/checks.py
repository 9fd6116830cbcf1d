"""Checks after the writes: lost acknowledged writes, and differences between nodes. This module only reads."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json

from scimkit.stores.sql.tables import CLAIMS, MEMBERSHIPS, RESOURCES, TOKENS, VALUES

_UNKNOWN = (0, 409, 503)
"""The statuses after which a write may still have happened: no response, retries exhausted, unavailable."""


def losses(connection: sa.Connection, tenant: str, told: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the acknowledged writes that the rows do not contain."""
    query = sa.select(RESOURCES.c.sequence, RESOURCES.c.id, RESOURCES.c.version, RESOURCES.c.document)
    rows = {row.id: row for row in connection.execute(query.where(RESOURCES.c.tenant == tenant))}
    documents = {id: from_json(row.document) for id, row in rows.items()}
    of = defaultdict(list)
    for each in told:
        of[each["what"]].append(each)
    gone = {each["id"] for each in of["delete"]}
    yield from _users(documents, of, gone)
    yield from _races(documents, of["race"])
    yield from _titles(documents, of["change"], gone)
    numbers = {row.sequence: id for id, row in rows.items()}
    pairs = connection.execute(sa.select(MEMBERSHIPS.c.group, MEMBERSHIPS.c.member))
    members = {(numbers.get(group), numbers.get(member)) for group, member in pairs}
    acknowledged: dict[str, int] = defaultdict(int)
    for each in of["join"]:
        if each["status"] == 204:
            acknowledged[each["group"]] += 1
            if each["id"] not in gone and (each["group"], each["id"]) not in members:
                yield f"a member was lost: {each}"
    for group, count in acknowledged.items():
        if rows[group].version - 1 < count:
            yield f"a group has version {rows[group].version} after {count} changes"


def _users(documents: dict[str, Any], of: dict[str, list[dict[str, Any]]], gone: set[str]) -> Iterator[str]:
    for each in of["create"]:
        if each["status"] == 201 and each["id"] not in gone and each["id"] not in documents:
            yield f"a user was lost: {each}"
    for each in of["delete"]:
        if each["status"] == 204 and each["id"] in documents:
            yield f"a deleted user exists: {each}"


def _races(documents: dict[str, Any], races: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the names that were not given to exactly one user. A lost response may be the one that succeeded."""
    there: dict[str, int] = defaultdict(int)
    for document in documents.values():
        there[document.get("userName", "")] += 1
    by_name = defaultdict(list)
    for each in races:
        by_name[each["name"]].append(each["status"])
    for name, statuses in by_name.items():
        won, lost = statuses.count(201), set(statuses) & {0, 503}
        if there[name] != 1 or won > 1 or (won == 0 and not lost):
            yield f"{there[name]} users have the name {name}, and {won} creates succeeded; statuses {sorted(statuses)}"


def _titles(documents: dict[str, Any], changes: list[dict[str, Any]], gone: set[str]) -> Iterator[str]:
    """Yield the users whose title is neither that of the last acknowledged change nor of one without a response."""
    by_person = defaultdict(list)
    for each in changes:
        by_person[each["id"]].append(each)
    for id, said in by_person.items():
        done = [place for place, each in enumerate(said) if each["status"] == 200]
        if id in gone or not done:
            continue
        allowed = {said[done[-1]]["title"], *(each["title"] for each in said if each["status"] in _UNKNOWN)}
        if documents.get(id, {}).get("title") not in allowed:
            yield f"a change was lost: {said[done[-1]]}"


def differences(engines: list[sa.Engine]) -> Iterator[str]:
    """Yield the tables that differ between nodes."""
    for table in (RESOURCES, VALUES, CLAIMS, MEMBERSHIPS, TOKENS):
        digests = []
        for engine in engines:
            with engine.connect() as connection:
                rows = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
                digests.append(hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest())
        if len(set(digests)) != 1:
            yield f"the nodes differ in {table.name}"
