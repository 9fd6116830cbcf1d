"""The pages of OAuth clients: what they show, what their forms change, and what they never show."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.admin import Administrator, AdminSite
from scimkit.admin.asgi import AdminApp
from scimkit.admin.client_states import client_state
from scimkit.admin.wsgi import AdminApp as WsgiAdminApp
from scimkit.oauth import AsyncClientRegistry, ClientRegistry, TokenEndpoint
from scimkit.runner import run_sync
from scimkit.service import Request, Response
from scimkit.stores.protocol import as_async_store
from scimkit.tokens import AsyncTokenRegistry, Client, ClientSecret, MemoryClientStore, MemoryTokenStore, Trust
from tests.admin.test_security import HOSTILE, check_harmless
from tests.admin.visitor import ADA, Visitor, location_of, made_site
from tests.oauth.desk import FORM, Awaited

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TRUST = {"issuer": "https://login.example.org/v2.0", "subject": "job-1", "audience": "api://scim",
         "jwks": "https://login.example.org/keys"}  # fmt: skip


@pytest.fixture
def visitor() -> Visitor:
    """Return an administrator of a service with OAuth clients."""
    return Visitor(made_site(clients=True))


def registry(visitor: Visitor) -> Any:
    """Return the registry of the clients of the page."""
    return visitor.site.ports.clients


def ask(visitor: Visitor, id: str, secret: str) -> Response:
    """Send a request to the token endpoint of the same service."""
    endpoint = TokenEndpoint(visitor.site.service, registry(visitor))
    form = {"grant_type": "client_credentials", "client_id": id, "client_secret": secret}
    request = Request("POST", "/token", headers={"content-type": FORM}, body=urlencode(form).encode())
    return run_sync(endpoint.handle(request))


def status_of(visitor: Visitor, id: str) -> list[str]:
    """Return the statuses of the access tokens of a client."""
    tokens: Any = visitor.site.ports.tokens
    return [each.status(datetime.now(UTC)) for each in tokens.list() if each.created_by == f"client {id}"]


def test_pages_of_clients_need_clients() -> None:
    """A page without clients has no menu item for them, and answers 404 at their paths."""
    without = Visitor(made_site())
    assert "/admin/clients" not in without.get("/tokens")
    for path in ("/clients", "/clients/new", "/clients/x"):
        assert without.send("GET", path).status == 404
    with_clients = Visitor(made_site(clients=True))
    assert 'href="/admin/clients"' in with_clients.get("/tokens")
    assert "https://help.example.org/oauth/token" in with_clients.get("/clients")


def test_a_secret_is_shown_once(visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    """The answer of a form has the secret, the id and both endpoints. No other page and no log record has a secret."""
    with caplog.at_level(logging.DEBUG):
        response = visitor.post(
            "/clients/new", description="Entra <1>", scopes=["read", "write"], lifetime="360", method="secret",
            expires="365",
        )  # fmt: skip
    html = response.body.decode()
    (secret,) = re.findall(r"scimkit_secret_\w+", html)
    (client,) = registry(visitor).list()
    for text in (client.id, "https://help.example.org/oauth/token", "https://help.example.org/scim/v2", "&lt;1&gt;"):
        assert text in html
    assert dict(response.headers)["Cache-Control"] == "no-store" and "Set-Cookie" not in dict(response.headers)
    assert (client.lifetime, client.created_by) == (21600, ADA.name)
    assert client.secrets[0].expires - client.secrets[0].created == timedelta(days=365)
    assert ask(visitor, client.id, secret).status == 200
    with caplog.at_level(logging.DEBUG):
        second = visitor.post(f"/clients/{client.id}/secrets", expires="1095", earlier="keep").body.decode()
    found = re.findall(r"scimkit_secret_\w+", second)
    assert len(found) == 1 and found[0] != secret
    for path in ("/clients", f"/clients/{client.id}", f"/clients/{client.id}/secrets", "/log", "/tokens"):
        assert "scimkit_secret_" not in visitor.get(path)
    records = [each for each in caplog.records if each.name == "scimkit.admin"]
    assert [each.client_id for each in records] == [client.id] * 3  # type: ignore[attr-defined]
    assert "scimkit_secret_" not in str([vars(each) for each in caplog.records])


@pytest.mark.parametrize(
    "fields",
    [
        {"description": " "}, {"description": "x" * 201}, {"scopes": []}, {"scopes": ["admin"]}, {"expires": "1"},
        {"expires": "4000"}, {"lifetime": "59"}, {"lifetime": "361"}, {"method": "none"},
    ],
)  # fmt: skip
def test_a_wrong_form_registers_no_client(visitor: Visitor, fields: dict[str, Any]) -> None:
    """A form with a wrong value is shown again with one sentence about it, and registers nothing."""
    values = {"description": "Entra", "scopes": ["read"], "lifetime": "60", "method": "secret", "expires": "730"}
    response = visitor.post("/clients/new", **(values | fields))
    html = response.body.decode()
    assert (response.status, registry(visitor).list()) == (422, [])
    assert len(re.findall(r'role="alert">[^<]+\.</p>', html)) == 1


def test_secrets_overlap_and_are_removed(visitor: Visitor) -> None:
    """A second secret leaves the first one valid for the chosen time. Removing one ends the access tokens."""
    id, first = visitor.new_client()
    html = visitor.post(f"/clients/{id}/secrets", expires="730", earlier="30d").body.decode()
    second = re.findall(r"scimkit_secret_\w+", html)[0]
    older, newer = registry(visitor).find(id).secrets
    assert timedelta(days=29) < older.expires - datetime.now(UTC) <= timedelta(days=30)
    assert [ask(visitor, id, each).status for each in (first, second)] == [200, 200]
    page = visitor.get(f"/clients/{id}")
    assert older.hint in page and newer.hint in page and "in 29 days" in page
    remove = f"/clients/{id}/secrets/{older.id}/remove"
    assert older.hint in visitor.get(remove)
    answer = visitor.post(remove)
    assert (answer.status, location_of(answer)) == (303, f"/admin/clients/{id}?done=secret_removed")
    assert "access tokens of the client have ended" in visitor.get(f"/clients/{id}", "done=secret_removed")
    assert status_of(visitor, id) == ["Revoked", "Revoked"]
    assert [ask(visitor, id, each).status for each in (first, second)] == [401, 200]
    assert visitor.send("GET", remove).status == visitor.post(remove).status == 404
    html = visitor.post(f"/clients/{id}/secrets", expires="730", earlier="none").body.decode()
    assert ask(visitor, id, second).status == 401
    assert ask(visitor, id, re.findall(r"scimkit_secret_\w+", html)[0]).status == 200


def test_trusts_are_added_and_removed(visitor: Visitor) -> None:
    """A client without a secret gets a trust in the values of the issuer. The trust is shown and removed."""
    fields = {"description": "Entra", "scopes": ["read"], "lifetime": "60", "method": "trust", "expires": "730"}
    answer = visitor.post("/clients/new", **fields)
    (client,) = registry(visitor).list()
    assert location_of(answer) == f"/admin/clients/{client.id}/trusts" and client.secrets == ()
    path = f"/clients/{client.id}/trusts"
    assert client.id in visitor.get(path)
    assert "no secret and no trust" in visitor.get(f"/clients/{client.id}")
    assert location_of(visitor.post(path, **TRUST)) == f"/admin/clients/{client.id}?done=trust_added"
    (trust,) = registry(visitor).find(client.id).trusts
    assert {name: getattr(trust, name) for name in TRUST} == TRUST
    page = visitor.get(f"/clients/{client.id}", "done=trust_added")
    assert all(value in page for value in TRUST.values()) and "The trust is added." in page
    remove = f"{path}/{trust.id}/remove"
    assert TRUST["issuer"] in visitor.get(remove)
    assert visitor.post(remove).status == 303
    assert registry(visitor).find(client.id).trusts == ()
    assert visitor.send("GET", remove).status == visitor.post(remove).status == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"issuer": ""}, "issuer"), ({"subject": "x" * 256}, "subject"), ({"audience": "a\u202eb"}, "audience"),
        ({"jwks": "http://login.example.org/keys"}, "key set"), ({"jwks": '{"keys": []}'}, "key set"),
        ({"jwks": "https://"}, "key set"), ({"jwks": "https://x/" + "y" * 255}, "key set"),
    ],
)  # fmt: skip
def test_a_wrong_trust_is_explained(visitor: Visitor, fields: dict[str, str], said: str) -> None:
    """A form with a wrong value is shown again, and names the field in one sentence."""
    id, _ = visitor.new_client()
    response = visitor.post(f"/clients/{id}/trusts", **(TRUST | fields))
    found = re.search(r'role="alert">([^<]+)</p>', response.body.decode())
    assert response.status == 422 and found is not None and said in found[1]
    assert response.body.count(b'aria-invalid="true"') == 1
    assert registry(visitor).find(id).trusts == ()


def test_a_revoked_client_ends(visitor: Visitor) -> None:
    """The client gets no token, its access tokens end, and its page has no forms. Nothing can be added to it."""
    id, secret = visitor.new_client()
    assert ask(visitor, id, secret).status == 200
    assert "All access tokens" in visitor.get(f"/clients/{id}/revoke")
    assert location_of(visitor.post(f"/clients/{id}/revoke")) == f"/admin/clients/{id}?done=client_revoked"
    assert status_of(visitor, id) == ["Revoked"] and ask(visitor, id, secret).status == 401
    page = visitor.get(f"/clients/{id}")
    assert "Revoked" in page and "/remove" not in page and "Add a secret" not in page
    for path, fields in ((f"/clients/{id}/secrets", {"expires": "730"}), (f"/clients/{id}/trusts", TRUST)):
        response = visitor.post(path, **fields)
        assert response.status == 422 and b"The client has been revoked" in response.body


def test_a_client_has_a_bounded_number_of_credentials(visitor: Visitor) -> None:
    """The eleventh secret and the eleventh trust are refused with one sentence."""
    id, _ = visitor.new_client()
    for _ in range(9):
        assert visitor.post(f"/clients/{id}/secrets", expires="365").status == 200
    assert b"at most 10 secrets" in visitor.post(f"/clients/{id}/secrets", expires="365").body
    for _ in range(10):
        assert visitor.post(f"/clients/{id}/trusts", **TRUST).status == 303
    assert b"at most 10 trusts" in visitor.post(f"/clients/{id}/trusts", **TRUST).body
    assert visitor.post(f"/clients/{id}/secrets", expires="7").status == 422
    assert visitor.post(f"/clients/{id}/secrets", expires="730", earlier="1y").status == 422


def test_refused_token_requests_are_on_the_pages(visitor: Visitor) -> None:
    """The page of the client, the log and the entry show why a token request was refused, and link to each other."""
    id, secret = visitor.new_client()
    assert "no access token at present" in visitor.get(f"/clients/{id}")
    assert ask(visitor, id, secret).status == 200
    assert ask(visitor, id, "wrong").status == 401
    page = visitor.get(f"/clients/{id}")
    assert "Latest refused requests" in page and "the secret of the client is wrong" in page
    assert "no access token at present" not in page
    log = visitor.get("/log", f"action=RequestToken&token={id}")
    assert "the secret of the client is wrong" in log and f'value="{id}" selected' in log
    found = re.search(r"/admin/log/([0-9a-f-]{36})", log)
    assert found is not None
    entry = visitor.get(f"/log/{found[1]}")
    assert f'href="/admin/clients/{id}"' in entry and "wrong or expired secret" in entry
    assert f'value="{id}"' in visitor.get("/log")


def test_other_tenants_stay_hidden(visitor: Visitor) -> None:
    """Clients of another tenant are answered with 404, and nothing about them changes."""
    id, secret = visitor.new_client()
    visitor.post(f"/clients/{id}/trusts", **TRUST)
    ask(visitor, id, "wrong")
    before = registry(visitor).find(id)
    credentials = (f"secrets/{before.secrets[0].id}", f"trusts/{before.trusts[0].id}")
    eve = Visitor(visitor.site, Administrator("eve@example.net", tenant="other"))
    assert id not in eve.get("/clients") and "no client yet" in eve.get("/clients")
    assert id not in eve.get("/log", f"token={id}")
    assert eve.send("GET", f"/clients/{id}").status == 404
    for path in ("secrets", "trusts", "revoke", *(f"{each}/remove" for each in credentials)):
        assert eve.send("GET", f"/clients/{id}/{path}").status == 404
        assert eve.post(f"/clients/{id}/{path}", **TRUST, expires="730", earlier="none").status == 404
    assert registry(visitor).find(id) == before
    eve.new_client("Okta")
    assert [each.description for each in registry(visitor).list("other")] == ["Okta"]
    assert ask(visitor, id, secret).status == 200


def test_only_forms_of_the_page_change_clients(visitor: Visitor) -> None:
    """A form without a token of the page, or from another origin, changes nothing."""
    id, _ = visitor.new_client()
    before = registry(visitor).find(id)
    fields = {"description": "x", "scopes": ["read"], "lifetime": "60", "method": "trust", "expires": "730", **TRUST}
    secret = before.secrets[0].id
    for path in ("new", f"{id}/secrets", f"{id}/trusts", f"{id}/revoke", f"{id}/secrets/{secret}/remove"):
        assert visitor.post(f"/clients/{path}", form_token="x", **fields).status == 403
        body = urlencode({"form_token": visitor.form_token(), **fields}, doseq=True).encode()
        response = visitor.send("POST", f"/clients/{path}", "", body, content_type=FORM, sec_fetch_site="cross-site")
        assert response.status == 403
    assert registry(visitor).list() == [before]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HOSTILE)
def test_hostile_values_are_text(hostile: str) -> None:
    """No description, issuer, subject or audience becomes markup on a page."""
    text = "".join(each for each in hostile if each.isprintable()).strip() or "<b>"
    visitor = Visitor(made_site(clients=True))
    id, _ = visitor.new_client(text)
    trust = {"issuer": text, "subject": text, "audience": text, "jwks": "https://login.example.org/keys"}
    assert visitor.post(f"/clients/{id}/trusts", **trust).status == 303
    check_harmless(visitor.post(f"/clients/{id}/trusts", **(trust | {"jwks": text})).body.decode())
    ask(visitor, id, text)
    client = registry(visitor).find(id)
    for path in ("", "/secrets", "/trusts", "/revoke", f"/trusts/{client.trusts[0].id}/remove",
                 f"/secrets/{client.secrets[0].id}/remove"):  # fmt: skip
        check_harmless(visitor.get(f"/clients/{id}{path}"))
    for path in ("/clients", "/log"):
        check_harmless(visitor.get(path))


def test_a_service_without_a_log_says_so() -> None:
    """Without a provisioning log, the page of a client says that it cannot show refused requests."""
    visitor = Visitor(made_site(clients=True, store=MemoryStore()))
    id, _ = visitor.new_client()
    assert "keeps no provisioning log" in visitor.get(f"/clients/{id}")


def a_client(*days: float, trusts: int = 0, revoked: bool = False) -> Client:
    """Return a client with secrets that expire after some days."""
    secrets = tuple(ClientSecret(str(each), b"", "abcd", NOW, NOW + each * DAY) for each in days)
    trust = Trust("t", "i", "s", "a", "https://x/", NOW)
    return Client(
        "c", "default", "Entra", NOW, revoked=NOW if revoked else None, secrets=secrets, trusts=(trust,) * trusts
    )


@pytest.mark.parametrize(
    ("client", "status", "ends", "is_ending", "secrets"),
    [
        (a_client(), "Incomplete", None, False, []),
        (a_client(31), "Active", 31, False, ["Active"]),
        (a_client(30), "Active", 30, True, ["Ending"]),
        (a_client(3, 400), "Active", 400, False, ["Active", "Ending"]),
        (a_client(-1, 3), "Active", 3, True, ["Ending", "Expired"]),
        (a_client(3, trusts=1), "Active", None, False, ["Ending"]),
        (a_client(0), "Expired", None, False, ["Expired"]),
        (a_client(-1, trusts=1), "Active", None, False, ["Expired"]),
        (a_client(3, revoked=True), "Revoked", None, False, ["Ending"]),
    ],
)
def test_the_state_of_a_client(
    client: Client, status: str, ends: float | None, is_ending: bool, secrets: list[str]
) -> None:
    """A client ends with its last secret, unless it has a trust. The warning begins 30 days before."""
    state = client_state(client, NOW)
    assert (state.status, state.is_ending) == (status, is_ending)
    assert state.ends == (None if ends is None else NOW + ends * DAY)
    assert [each for _, each in state.secrets] == secrets


def test_the_page_warns_before_and_after_the_end(visitor: Visitor) -> None:
    """The list and the page of a client warn when the last secret is about to expire, and say that it has expired."""
    id, _ = visitor.new_client()
    now = datetime.now(UTC)
    assert f"/admin/clients/{id}" not in visitor.get("/tokens")
    visitor.site.ports.clock = lambda: now + timedelta(days=710)
    assert f'whose last secret expires soon or has expired: <a href="/admin/clients/{id}"' in visitor.get("/tokens")
    assert "The last secret of this client expires in" in visitor.get(f"/clients/{id}")
    assert "New secret needed" in visitor.get("/clients")
    visitor.site.ports.clock = lambda: now + timedelta(days=731)
    assert "All secrets of this client have expired" in visitor.get(f"/clients/{id}")
    assert f"/admin/clients/{id}" in visitor.get("/tokens")
    assert "Expired" in visitor.get("/clients")


@pytest.mark.parametrize("kind", ["ASGI", "WSGI"])
def test_asgi_and_wsgi_serve_the_pages(kind: str, visitor: Visitor) -> None:
    """Both adapters serve the form for a client and its answer, with the paths of the mount path."""
    prefix = "/admin"
    app: Any = (AdminApp if kind == "ASGI" else WsgiAdminApp)(visitor.site, prefix=prefix)

    def ask(method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        if kind == "WSGI":
            with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://localhost") as browser:
                answer = browser.request(method, f"{prefix}{path}", content=body, headers={"Content-Type": FORM})
            return answer.status_code, answer.text

        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
                return await client.request(method, f"{prefix}{path}", content=body, headers={"Content-Type": FORM})

        response = asyncio.run(asked())
        return response.status_code, response.text

    status, html = ask("GET", "/clients/new")
    token = re.search(r'name="form_token" value="([^"]+)"', html)
    assert status == 200 and token is not None
    fields = {"form_token": token[1], "description": "Entra", "scopes": "read", "lifetime": "60", "method": "secret",
              "expires": "730"}  # fmt: skip
    status, html = ask("POST", "/clients/new", urlencode(fields).encode())
    assert status == 200 and "scimkit_secret_" in html and "://localhost/oauth/token" in html
    (client,) = registry(visitor).list()
    assert f'href="/admin/clients/{client.id}"' in ask("GET", "/clients")[1]


def test_clients_are_called_as_the_store_is() -> None:
    """An async registry works on the loop and is refused by WSGI. A sync store with an async registry is refused."""
    store: Any = as_async_store(MemoryStore())
    tokens = AsyncTokenRegistry(Awaited(MemoryTokenStore()))
    clients = AsyncClientRegistry(tokens, Awaited(MemoryClientStore()))  # type: ignore[arg-type]
    site = AdminSite(
        ScimService(store, tokens=tokens), tokens, endpoint="/scim", clients=clients,
        token_endpoint="https://id.example.org/token", authorize=lambda _: ADA,
    )  # fmt: skip
    visitor = Visitor(site)
    id, secret = visitor.new_client()
    assert len(run_sync(clients.list())) == 1
    visitor.post(f"/clients/{id}/secrets", expires="730", earlier="1d")
    visitor.post(f"/clients/{id}/trusts", **TRUST)
    assert "https://id.example.org/token" in visitor.get(f"/clients/{id}")
    assert visitor.post(f"/clients/{id}/revoke").status == 303 and secret
    with pytest.raises(ValueError, match=r"scimkit\.asgi"):
        WsgiAdminApp(site)
    plain = TokenRegistry()
    blocking = ClientRegistry(plain, Awaited(MemoryClientStore()))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="AsyncClientRegistry"):
        AdminSite(
            ScimService(store, tokens=tokens), tokens, endpoint="/scim", clients=blocking, authorize=lambda _: ADA
        )
