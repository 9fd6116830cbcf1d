"""A running server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.testing.server import running


@dataclass(frozen=True)
class Server:
    """A running server and a token for it."""

    url: str
    token: str

    @property
    def endpoint(self) -> str:
        return f"{self.url}/scim/v2"


@pytest.fixture
def server() -> Iterator[Server]:
    """Yield a uvicorn server over a memory store."""
    tokens = TokenRegistry()
    service = ScimService(MemoryStore(), tokens=tokens)
    with running(ScimApp(service, prefix="/scim/v2")) as url:
        yield Server(url, tokens.issue("test").token)
