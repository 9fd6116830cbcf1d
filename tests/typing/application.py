"""An application as its author types it: a service, hooks, a filter, a PATCH and a response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_type

from scimkit import (
    USER,
    Document,
    Limits,
    MemoryStore,
    Page,
    Query,
    Request,
    RequestCompleted,
    Response,
    ScimService,
    Scope,
    Store,
    TokenRegistry,
    Written,
    as_async_store,
    filters,
    patch,
    run_sync,
)
from scimkit.asgi import ScimApp
from scimkit.events import Access
from scimkit.filters import Filter
from scimkit.tokens import IssuedToken


def log(event: RequestCompleted) -> None:
    """Take an event apart."""
    assert_type(event.status, int)
    assert_type(event.quirks, tuple[str, ...])


def allow(access: Access) -> bool:
    """Allow an operation by its tenant."""
    return access.tenant == "acme"


store = MemoryStore()
tokens = TokenRegistry()
service = ScimService(store, tokens=tokens, limits=Limits(page=50), on_request_completed=log, authorize=allow)
application = ScimApp(service, prefix="/scim/v2")

issued = tokens.issue("Entra")
assert_type(issued, IssuedToken)
assert_type(issued.token, str)

response = run_sync(service.handle(Request("GET", "/Users", headers={"authorization": f"Bearer {issued.token}"})))
assert_type(response, Response)
assert_type(response.status, int)

parsed = filters.parse('userName eq "ada"')
assert_type(parsed, Filter)

page = store.search(Scope("acme"), Query(USER, parsed))
assert_type(page, Page)
assert_type(page.documents, Sequence[Document])

written = store.create(Scope("acme"), USER, {"userName": "ada"})
assert_type(written, Written)

patched = patch.apply(USER, written.document, {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": []})
assert_type(patched.document, Document)

awaited: Store = as_async_store(store)
