"""Own tokens and access tokens of an issuer at one endpoint: `first_of`, the announcement, and a real server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from scimkit import Limits, MemoryStore, Request, ScimService, TokenRegistry, run_sync
from scimkit.asgi import ScimApp
from scimkit.events import RequestCompleted
from scimkit.oauth import AsyncJwtVerifier, JwtVerifier, first_of
from scimkit.provisioning import LogQuery
from scimkit.stores.memory_log import MemoryProvisioningLog
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.testing.server import running
from scimkit.tokens import AsyncTokenRegistry, InvalidToken
from tests.client import USER
from tests.oauth.issuer import AUDIENCE, CLIENT, key, key_set, serving, token
from tests.oauth.test_jwt import ATTACKER, verifier

OTHER_ISSUER = "https://other.example.org"


def test_each_token_goes_to_its_verifier() -> None:
    """A token goes to the verifier that knows its form, and is refused for the reason of that verifier."""
    registry = TokenRegistry()
    own = registry.issue("own", tenant="acme")
    one, two = verifier(), verifier(issuer=OTHER_ISSUER, jwks=key_set(key("two")), dialect="okta")
    tokens = first_of(registry, one, two)
    assert tokens.is_async is False
    assert tokens.verify(own.token).tenant == "acme"
    assert tokens.verify(token()).token_id == CLIENT
    assert tokens.verify(token(key("two"), iss=OTHER_ISSUER)).dialect == "okta"
    for text, expected in (
        (own.token[:-1], "mistyped"), (token(key("two")), "no key"), (token(iss="https://evil"), "issuer"),
        ("other", "not a signed"),
    ):  # fmt: skip
        with pytest.raises(InvalidToken) as refused:
            tokens.verify(text)
        assert expected in refused.value.reason


def test_sync_and_async_verifiers() -> None:
    """Sync verifiers that never wait can join async ones. A verifier that blocks is refused, and so is none at all."""
    assert first_of(AsyncTokenRegistry(None), verifier(AsyncJwtVerifier)).is_async
    registry = TokenRegistry()
    own = registry.issue("own").token
    mixed = first_of(registry, verifier(AsyncJwtVerifier))
    service = ScimService(MemoryStore(), tokens=mixed)
    for text in (own, token()):
        request = Request("GET", "/Users", "", {"authorization": f"Bearer {text}"}, b"", AUDIENCE)
        assert asyncio.run(service.handle(request)).status == 200
    blocking = JwtVerifier(issuer="https://i.example", audience="a", jwks="https://i.example/keys")
    assert first_of(registry, blocking).blocking and not first_of(registry, verifier()).blocking
    for wrong in ((), (blocking, verifier(AsyncJwtVerifier))):
        with pytest.raises(ValueError):
            first_of(*wrong)


def _config(tokens: Any) -> list[dict[str, Any]]:
    service = ScimService(MemoryStore(), tokens=tokens)
    body = run_sync(service.handle(Request("GET", "/ServiceProviderConfig", "", {}, b"", AUDIENCE))).body
    return json.loads(body)["authenticationSchemes"]


@pytest.mark.rfc("7643-5-1", "7643-5-3")
def test_what_is_accepted_is_announced() -> None:
    """The ServiceProviderConfig announces bearer tokens, access tokens of an issuer, or both. One is primary."""
    assert [(each["type"], each["primary"]) for each in _config(TokenRegistry())] == [("oauthbearertoken", True)]
    assert [(each["type"], each["primary"]) for each in _config(verifier())] == [("oauth2", True)]
    both = _config(first_of(TokenRegistry(), verifier(), verifier(issuer=OTHER_ISSUER)))
    assert [(each["type"], each["primary"]) for each in both] == [("oauthbearertoken", True), ("oauth2", False)]
    assert all(each["name"] and each["description"] and each["specUri"] for each in both)


def test_failed_attempts() -> None:
    """After failed attempts of a source, an access token that was seen still works, and one of the issuer soon."""
    service = ScimService(MemoryStore(), tokens=first_of(TokenRegistry(), verifier()), limits=Limits(failed_attempts=3))

    def status(text: str) -> int:
        headers = {"authorization": f"Bearer {text}"}
        return run_sync(service.handle(Request("GET", "/Users", "", headers, b"", AUDIENCE, source="192.0.2.1"))).status

    seen = token()
    assert status(seen) == 200
    assert [status(token(ATTACKER, {"kid": "one"})) for _ in range(5)] == [401, 401, 401, 429, 429]
    assert [status(seen), status("guess"), status(token(iss=OTHER_ISSUER)), status(token(jti="2"))] == [
        200, 429, 429, 429,
    ]  # fmt: skip


def test_on_a_real_server(tmp_path: Any) -> None:
    """A client of an issuer and a client with an own token provision two tenants of one server over SQL and HTTP."""
    store = SqlStore(f"sqlite:///{tmp_path / 'users.db'}")
    store.upgrade()
    registry, log = TokenRegistry(SqlTokenStore(store.engine)), MemoryProvisioningLog()
    own, events = registry.issue("own", tenant="own").token, list[RequestCompleted]()
    with serving(key_set(key("one"))) as issuer:
        jwt = JwtVerifier(
            issuer="https://login.example.org", audience=AUDIENCE, jwks=issuer.url, allow_http=True, timeout=20.0,
            tenant="org", scopes={"Scim.All": ("read", "write"), "Scim.Read": ("read",)},
        )  # fmt: skip
        service = ScimService(
            store, tokens=first_of(registry, jwt), provisioning_log=log, on_request_completed=events.append
        )
        with running(ScimApp(service, prefix="/scim/v2")) as url, httpx.Client(base_url=f"{url}/scim/v2") as client:

            def send(text: str, method: str = "POST") -> httpx.Response:
                body = {"schemas": [USER], "userName": "ada"} if method == "POST" else None
                return client.request(method, "/Users", json=body, headers={"authorization": f"Bearer {text}"})

            full, read = token(org="acme", roles=["Scim.All"]), token(org="acme", roles=["Scim.Read"])
            assert [send(own).status_code, send(full).status_code, send(full).status_code] == [201, 201, 409]
            refused = send(read)
            assert refused.status_code == 403
            assert refused.json()["detail"] == "This token may not create a User: it lacks the scope write."
            assert send(read, "GET").json()["totalResults"] == 1
            failed = send(token(ATTACKER, {"kid": "one"}, org="acme"))
            assert failed.status_code == 401 and 'error="invalid_token"' in failed.headers["www-authenticate"]
        assert issuer.requests == ["/keys"]
    assert {(each.tenant, each.token_id) for each in events} == {("own", own[8:20]), ("acme", CLIENT), (None, None)}
    entries = log.search(LogQuery(tenant="acme")).entries
    assert {each.token_id for each in entries} == {CLIENT}
    store.engine.dispose()
