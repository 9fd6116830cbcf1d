"""Checks of tokens that a store makes with its first statement: a change of a token counts at the next request."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from scimkit import USER, Request, ScimService, Scope, TokenRegistry, run_sync
from scimkit.errors import Unauthorized
from scimkit.events import ResourceEvent, in_transaction
from scimkit.provisioning import LogQuery
from scimkit.stores.sql import AsyncSqlStore, AsyncSqlTokenStore, SqlStore, SqlTokenStore
from scimkit.stores.sql.tables import TOKENS
from scimkit.stores.sqlalchemy.async_store import AsyncMappedStore
from scimkit.tokens import AsyncTokenRegistry
from tests.client import BASE_URL, PATCH_OP
from tests.client import USER as USER_SCHEMA
from tests.stores.databases import DATABASES, store_of, url_of
from tests.stores.mapped.helpdesk import AGENTS, PLAIN_AGENTS, PLAIN_TEAMS, TEAMS, helpdesk_of, sessions_of
from tests.stores.postgresql_messages import sent_messages

on_postgresql = pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])

Change = Callable[[TokenRegistry, str, str], object]
"""A change of a token, by the registry of another process, the id of the token, and its tenant."""


def _body(value: Any) -> bytes:
    return json.dumps(value).encode()


def _user(name: str) -> bytes:
    return _body({"schemas": [USER_SCHEMA], "userName": name})


def _patch(*operations: Any) -> bytes:
    return _body({"schemas": [PATCH_OP], "Operations": list(operations)})


REQUESTS: dict[str, tuple[str, str, str, bytes]] = {
    "GET": ("GET", "/Users/{id}", "", b""),
    "HEAD": ("HEAD", "/Users/{id}", "", b""),
    "GET of nobody": ("GET", "/Users/nobody", "", b""),
    "filter": ("GET", "/Users", "filter=userName%20eq%20%22ada%22", b""),
    "filter without a match": ("GET", "/Users", "filter=userName%20eq%20%22nobody%22", b""),
    "any filter": ("GET", "/Users", "filter=userName%20sw%20%22a%22&sortBy=userName", b""),
    "page": ("GET", "/Users", "count=2", b""),
    "total": ("GET", "/Users", "count=0", b""),
    "groups": ("GET", "/Groups", "", b""),
    "group with members": ("GET", "/Groups/{group}", "", b""),
    "root": ("GET", "/", "count=1", b""),
    "search": ("POST", "/Users/.search", "", _body({"count": 1})),
    "wrong filter": ("GET", "/Users", "filter=userName%20xx%20%22ada%22", b""),
    "wrong query": ("GET", "/Users", "count=2&count=3", b""),
    "unknown path": ("GET", "/Users/a/b", "", b""),
    "wrong method": ("PATCH", "/Users", "", _patch()),
    "POST": ("POST", "/Users", "", _user("new")),
    "POST of a taken name": ("POST", "/Users", "", _user("ada")),
    "POST without a name": ("POST", "/Users", "", _body({"schemas": [USER_SCHEMA]})),
    "POST of no JSON": ("POST", "/Users", "", b"{"),
    "PUT": ("PUT", "/Users/{id}", "", _user("other")),
    "PATCH": ("PATCH", "/Users/{id}", "", _patch({"op": "replace", "path": "active", "value": False})),
    "PATCH of a filter": (
        "PATCH", "/Users/{id}", "",
        _patch({"op": "replace", "path": 'emails[type eq "work"].value', "value": "a@example.org"}),
    ),
    "PATCH of nothing": ("PATCH", "/Users/{id}", "", _patch({"op": "replace", "path": "userName", "value": "ada"})),
    "PATCH of members": (
        "PATCH", "/Groups/{group}", "", _patch({"op": "remove", "path": 'members[value eq "{id}"]'}),
    ),
    "DELETE": ("DELETE", "/Users/{id}", "", b""),
    "bulk": ("POST", "/Bulk", "", _body({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "DELETE", "path": "/Users/{id}"}],
    })),
    "configuration": ("GET", "/ServiceProviderConfig", "", b""),
}  # fmt: skip

CHANGES: dict[str, Change] = {
    "revoked": lambda registry, id, tenant: registry.revoke(id, tenant=tenant),
    "deactivated": lambda registry, id, tenant: registry.deactivate(id, tenant=tenant),
    "expired": lambda registry, id, tenant: registry.update(
        id, tenant=tenant, expires=datetime.now(UTC) - timedelta(seconds=1)
    ),
}


MAPPINGS: dict[str, Any] = {
    "tables of scimkit": None, "records": (PLAIN_AGENTS, PLAIN_TEAMS), "instances": (AGENTS, TEAMS),
}  # fmt: skip
"""The mappings of the stores. The store of the models of `records` needs no instances."""


class Served:
    """A service with a token, over an own tenant of a database. The store is sync or awaited."""

    def __init__(self, database: str, *, is_async: bool = False, tables: str = "tables of scimkit") -> None:
        mapping = MAPPINGS[tables]
        self.own = store_of(database)
        self.plain: Any = self.own if mapping is None else helpdesk_of(database, mapping)
        self.table = "scim_resource" if mapping is None else "hd_agent"
        self.tenant = f"checks-{os.urandom(6).hex()}"
        self.elsewhere = TokenRegistry(SqlTokenStore(self.own.engine))
        self.ids = {}
        user = self.plain.create(Scope(self.tenant), USER, {"schemas": [USER_SCHEMA], "userName": "ada"})
        self.ids["id"] = user.document["id"]
        self._loop = asyncio.new_event_loop() if is_async else None
        self.store: Any = AsyncSqlStore(url_of(database)) if is_async else self.plain
        if mapping is not None and is_async:
            self.store = AsyncMappedStore(self.store.engine, mapping)
        elif mapping is not None:
            self.store.engine = sessions_of(database).kw["bind"]
        self.tokens: Any = (
            AsyncTokenRegistry(AsyncSqlTokenStore(self.store.engine))
            if is_async
            else TokenRegistry(SqlTokenStore(self.store.engine))
        )
        self.service = ScimService(self.store, tokens=self.tokens)
        assert self.service._token_checks is not None
        self.new_token()
        group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "All"}
        made = self._sent("POST", "/Groups", "", _body({**group, "members": [{"value": self.ids["id"]}]}))
        self.ids["group"] = json.loads(made.body)["id"]

    def new_token(self) -> None:
        """Issue a token, and let the service verify it."""
        issued = self.elsewhere.issue("test", tenant=self.tenant)
        self.token, self.token_id = issued.token, issued.record.id
        for _ in range(2):  # the first request writes the time of the last use
            assert self._sent("GET", f"/Users/{self.ids['id']}", "", b"").status == 200

    def sent(self, name: str) -> Any:
        """Send a request by its name, and return the response."""
        method, path, query, body = REQUESTS[name]
        text = body.decode()
        for key, id in self.ids.items():
            path, text = path.replace(f"{{{key}}}", id), text.replace(f"{{{key}}}", id)
        return self._sent(method, path, query, text.encode())

    def _sent(self, method: str, path: str, query: str, body: bytes) -> Any:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/scim+json"}
        handled = self.service.handle(Request(method, path, query, headers, body, BASE_URL))
        return self.run(handled)

    def run(self, work: Any) -> Any:
        return run_sync(work) if self._loop is None else self._loop.run_until_complete(work)

    def content(self) -> Any:
        """Return what the database has of the tenant."""
        with self.own.engine.connect() as connection:
            if self.table == "scim_resource":
                sql, own = (
                    "SELECT id, version FROM scim_resource WHERE tenant = :tenant ORDER BY id",
                    self.tenant.encode(),
                )
            else:
                sql, own = "SELECT id, scim_version FROM hd_agent WHERE account = :tenant ORDER BY id", self.tenant
            return [tuple(row) for row in connection.execute(sa.text(sql), {"tenant": own})]

    def close(self) -> None:
        if self._loop is not None:
            self.run(self.store.engine.dispose())
            self._loop.close()


colors = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "awaited"])


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("tables", MAPPINGS)
@colors
def test_a_token_that_another_process_ended_is_refused_by_the_next_request(
    database: str, tables: str, is_async: bool
) -> None:
    """Every kind of request is answered with 401 after the change, and nothing is written."""
    changes = itertools.cycle(CHANGES)
    with closing(Served(database, is_async=is_async, tables=tables)) as host:
        for name in REQUESTS:
            host.new_token()
            before = host.content()
            CHANGES[next(changes)](host.elsewhere, host.token_id, host.tenant)
            response = host.sent(name)
            assert (name, response.status) == (name, 401)
            assert host.content() == before
            assert b"not valid" in response.body or name == "HEAD"


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("tables", MAPPINGS)
@colors
def test_a_valid_token_gets_the_answers_of_a_token_that_is_read(database: str, tables: str, is_async: bool) -> None:
    """Each request has the same answer with a token that is remembered and with one that is read."""
    hosts = [Served(database, is_async=is_async, tables=tables) for _ in range(2)]
    with closing(hosts[0]) as host, closing(hosts[1]) as reading:
        for name in REQUESTS:
            reading.tokens._verified_tokens.clear()
            ours, theirs = host.sent(name), reading.sent(name)
            assert (name, ours.status) == (name, theirs.status)
            assert [each for each, _ in ours.headers] == [each for each, _ in theirs.headers]
            assert len(ours.body) == len(theirs.body)


def _with_scopes(scopes: str) -> Change:
    def change(registry: TokenRegistry, id: str, tenant: str) -> None:
        engine = registry.token_store.engine  # type: ignore[attr-defined]
        with engine.begin() as connection:
            connection.execute(sa.update(TOKENS).where(TOKENS.c.id == id.encode()).values(scopes=scopes))

    return change


ALL_CHANGES: dict[str, Change] = CHANGES | {
    "activated": lambda registry, id, tenant: registry.activate(id, tenant=tenant),
    "extended": lambda registry, id, tenant: registry.update(id, tenant=tenant, expires=None),
    "described": lambda registry, id, tenant: registry.update(id, tenant=tenant, description=os.urandom(4).hex()),
    "read only": _with_scopes("read"),
    "all scopes": _with_scopes("read write"),
    "nothing": lambda *_: None,
}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("tables", MAPPINGS)
@settings(max_examples=10, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from([*ALL_CHANGES]), st.sampled_from([*REQUESTS])), min_size=3, max_size=12)
)
def test_any_changes_count_at_once(database: str, tables: str, steps: list[tuple[str, str]]) -> None:
    """A registry that remembers records and one that forgets them answer all requests alike, whatever changes."""
    with closing(Served(database, tables=tables)) as host, closing(Served(database, tables=tables)) as reading:
        for change, name in steps:
            for each in (host, reading):
                try:
                    ALL_CHANGES[change](each.elsewhere, each.token_id, each.tenant)
                except ValueError:  # a revoked token can no longer change
                    continue
            reading.tokens._verified_tokens.clear()
            assert host.sent(name).status == reading.sent(name).status
            assert len(host.content()) == len(reading.content())


@on_postgresql
def test_a_remembered_token_costs_no_statement(database: str) -> None:
    """A GET, a filter, a page and a POST take one statement, and a PATCH takes two."""
    store = SqlStore(url_of(database))
    with closing(Served(database)) as host, sent_messages(store.engine) as sent:
        host.store = store
        host.tokens = TokenRegistry(SqlTokenStore(store.engine))
        host.service = ScimService(store, tokens=host.tokens)
        host.new_token()
        statements = {}
        for name in ("GET", "GET of nobody", "filter", "filter without a match", "page", "POST", "PATCH", "PUT"):
            sent.count()
            host.sent(name)
            messages, statements[name] = sent.count()
            assert messages == statements[name]
        assert statements == {
            "GET": 1, "GET of nobody": 1, "filter": 1, "filter without a match": 1, "page": 1, "POST": 1,
            "PATCH": 2, "PUT": 2,
        }  # fmt: skip
    store.engine.dispose()


@pytest.mark.parametrize("database", DATABASES)
def test_who_authenticates_alone_reads_the_record(database: str) -> None:
    """`authenticate` and `explain` never rely on the record in memory, because no request of a store follows."""
    with closing(Served(database)) as host:
        host.elsewhere.revoke(host.token_id, tenant=host.tenant)
        headers = {"authorization": f"Bearer {host.token}"}
        request = Request("GET", "/Users", "", headers, b"", BASE_URL)
        refused = run_sync(host.service.authenticate(request))
        assert refused is not None and refused.status == 401
        with pytest.raises(Unauthorized):
            run_sync(host.service.explain(Request("GET", "/Users", "", headers, b"", BASE_URL)))
        with pytest.raises(Unauthorized):
            host.tokens.verify(host.token)


@pytest.mark.parametrize("database", DATABASES)
def test_listeners_and_log_see_nothing_of_an_ended_token(database: str) -> None:
    """A write with a token that ended reaches no listener, and leaves only its refusal in the provisioning log."""
    heard: list[ResourceEvent] = []
    store = SqlStore(url_of(database), provisioning_log=True)
    with closing(Served(database)) as host:
        host.store = store
        host.tokens = TokenRegistry(SqlTokenStore(store.engine))
        listener = in_transaction(ResourceEvent, lambda event, transaction: heard.append(event))
        host.service = ScimService(store, tokens=host.tokens, listeners=[listener])
        host.new_token()
        log = store.provisioning_log
        assert log is not None
        host.sent("PATCH")
        before = len(heard)
        assert before
        host.elsewhere.revoke(host.token_id, tenant=host.tenant)
        for name in ("PATCH", "POST", "PUT", "DELETE", "GET"):
            assert host.sent(name).status == 401
        assert len(heard) == before
        found = log.search(LogQuery(tenant=host.tenant)).entries
        assert [each.result for each in found if each.error_code] == ["Failure"] * 5
        assert len([each for each in found if not each.error_code]) == 1
    store.engine.dispose()


def test_stores_on_different_engines_check_apart() -> None:
    """A store makes the checks only of tokens on the same engine, and not of tokens in memory."""
    store = store_of("sqlite")
    other = SqlStore("sqlite://")
    assert store.confirms_tokens_of(SqlTokenStore(store.engine))
    assert not store.confirms_tokens_of(SqlTokenStore(other.engine))
    assert not store.confirms_tokens_of(TokenRegistry().token_store)
    other.engine.dispose()
