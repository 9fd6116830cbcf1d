"""A helpdesk with a token endpoint for tests, with sync or async stores, and the requests of its clients."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from typing import Any
from urllib.parse import quote_plus, urlencode

from joserfc import jwt

from scimkit import MemoryStore, Request, Response, ScimService, TokenRegistry, run_sync
from scimkit.oauth import AsyncClientRegistry, ClientRegistry, TokenEndpoint
from scimkit.stores.protocol import as_async_store
from scimkit.tokens import AsyncTokenRegistry, Client, MemoryClientStore, MemoryTokenStore
from tests.oauth.issuer import Key, key, key_set

FORM = "application/x-www-form-urlencoded"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_URL = "https://help.example.org/oauth/token"
ENTRA = "https://login.microsoftonline.com/ce5f061f-abe6-4e40-9615-301f87bcb7f0/v2.0"
SUBJECT = "d2f8ee76-c549-45b8-a143-f5b640669704"
AUDIENCE = "api://b5ba7a93-4452-4522-aeb4-a2b5da870c16"


class Awaited:
    """A store in memory with async methods."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any) -> Any:
            return getattr(self._store, name)(*arguments)

        return call


class Desk:
    """A service with a token endpoint and one client.

    Args:
        is_async: Whether all ports are async.
        provisioning_log: Whether the service has a provisioning log.
        options: The options of the endpoint.
    """

    def __init__(self, *, is_async: bool = False, provisioning_log: bool = False, **options: Any) -> None:
        self.moment = datetime.now(UTC)
        self.tokens: Any
        self.clients: Any
        store: Any = MemoryStore(provisioning_log=provisioning_log)
        log = store.provisioning_log
        if is_async:
            store = as_async_store(store)
            self.tokens = AsyncTokenRegistry(Awaited(MemoryTokenStore()), clock=self.now)
            self.clients = AsyncClientRegistry(
                self.tokens, Awaited(MemoryClientStore()), clock=self.now, allow_http=True
            )
        else:
            self.tokens = TokenRegistry(clock=self.now)
            self.clients = ClientRegistry(self.tokens, clock=self.now, allow_http=True)
        self.service = ScimService(store, tokens=self.tokens, provisioning_log=log)
        self.endpoint = TokenEndpoint(self.service, self.clients, allow_http=True, **options)
        self.client: Client = self.run(self.clients.add("Entra"))

    def now(self) -> datetime:
        """Return the time of the test."""
        return self.moment

    def wait(self, time: timedelta) -> None:
        """Let time pass."""
        self.moment += time

    def run(self, answer: Any) -> Any:
        """Return the answer of a sync or an async port."""
        return asyncio.run(answer) if isawaitable(answer) else answer

    def secret(self, **options: Any) -> str:
        """Return a new secret of the client."""
        text: str = self.run(self.clients.add_secret(self.client.id, **options)).secret
        return text

    def trust_own(self, signer: Key | None = None) -> Any:
        """Register a key for `private_key_jwt`."""
        return self.trust(issuer=self.client.id, subject=self.client.id, audience=TOKEN_URL,
                          jwks=key_set(signer or key("one")))  # fmt: skip

    def trust(self, **changed: Any) -> Any:
        """Register a trust in the issuer of the customer's Entra ID."""
        usual = {"issuer": ENTRA, "subject": SUBJECT, "audience": AUDIENCE, "jwks": key_set(key("one"))}
        return self.run(self.clients.add_trust(self.client.id, **(usual | changed)))

    def respond(self, request: Request) -> Response:
        """Return the response of the endpoint, which is never stored by a cache."""
        answer = self.endpoint.handle(request)
        response = asyncio.run(answer) if self.endpoint.is_async else run_sync(answer)
        assert dict(response.headers)["Cache-Control"] == "no-store"
        return response

    def post(self, form: Any, *, source: str = "192.0.2.1", query: str = "", **headers: str) -> Response:
        """Return the response to a form."""
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        usual = {"content-type": FORM} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.respond(Request("POST", "/token", query, usual, body, source=source))

    def ask(self, secret: str, *, source: str = "192.0.2.1", **changed: str) -> Response:
        """Return the response to a request with `client_secret_post`."""
        return self.post(self.form(client_secret=secret) | changed, source=source)

    def assert_(self, assertion: str, **changed: str) -> Response:
        """Return the response to a request with an assertion."""
        return self.post(self.form(client_assertion_type=JWT_BEARER, client_assertion=assertion) | changed)

    def form(self, **more: str) -> dict[str, str]:
        """Return the parameters of a request."""
        return {"grant_type": "client_credentials", "client_id": self.client.id} | more

    def own_assertion(self, signer: Key | None = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
        """Return an assertion of `private_key_jwt`."""
        usual = {
            "iss": self.client.id, "sub": self.client.id, "aud": TOKEN_URL, "jti": str(time.monotonic_ns()),
            "exp": int(time.time()) + 600,
        }  # fmt: skip
        return assertion(signer, header, **(usual | changed))


def assertion(signer: Key | None = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """Return an assertion of Entra ID. A claim that is None is left out."""
    signer, now = signer or key("one"), int(time.time())
    usual = {"iss": ENTRA, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 3900}
    kept = {name: value for name, value in (usual | changed).items() if value is not None}
    headers = {"alg": "ES256", "kid": signer.kid, "typ": "JWT"} | (header or {})
    merged = {name: value for name, value in headers.items() if value is not None}
    return jwt.encode(merged, kept, signer, algorithms=["ES256", "RS256"], default_type=None)


def basic(id: str, secret: str) -> str:
    """Return the Authorization header of `client_secret_basic`."""
    return "Basic " + b64encode(f"{quote_plus(id)}:{quote_plus(secret)}".encode()).decode()


def document(response: Response) -> dict[str, Any]:
    """Return the JSON object of a response."""
    found: dict[str, Any] = json.loads(response.body)
    return found


def error(response: Response) -> tuple[int, str]:
    """Return the status and the code of an error, whose text has only the characters of RFC 6749 section 5.2."""
    found = document(response)
    assert found.keys() == {"error", "error_description"}
    assert all(" " <= each <= "~" and each not in '"\\' for each in found["error_description"])
    return response.status, found["error"]
