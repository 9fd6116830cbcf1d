"""The token endpoint: secrets, scopes, errors, throttling, the log, and the life of access tokens (RFC 6749)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scimkit import MemoryStore, Request, ScimService, TokenRegistry, run_sync
from scimkit.errors import NotFound, Unavailable
from scimkit.oauth import AsyncClientRegistry, ClientRegistry, TokenEndpoint
from scimkit.oauth.token_endpoint import ISSUES_PER_WINDOW, LOGGED_PER_WINDOW
from scimkit.provisioning import LogQuery, entry_to_json
from scimkit.tokens import AsyncTokenRegistry, InvalidToken, MemoryClientStore, MemoryTokenStore
from tests.oauth.desk import FORM, Awaited, Desk, basic, document, error

YEAR = timedelta(days=365)
INVALID_CLIENT = (401, "invalid_client")
INVALID_REQUEST = (400, "invalid_request")
both = pytest.mark.parametrize("is_async", [False, True])


@both
def test_a_client_gets_a_token_with_both_methods(is_async: bool) -> None:
    """`client_secret_basic` and `client_secret_post` give a token for an hour, which is an ordinary token record."""
    desk = Desk(is_async=is_async)
    secret = desk.secret()
    for response in (
        desk.ask(secret),
        desk.ask(secret, scope="scim"),
        desk.post({"grant_type": "client_credentials"}, authorization=basic(desk.client.id, secret)),
        desk.post(desk.form(), authorization=basic(desk.client.id, secret)),
    ):
        found = document(response)
        text = found.pop("access_token")
        assert (response.status, dict(response.headers)["Content-Type"]) == (200, "application/json")
        assert found == {"token_type": "Bearer", "expires_in": 3600, "scope": "read write"}
        principal = desk.run(desk.tokens.verify(text))
        record = desk.run(desk.tokens.find(principal.token_id))
        assert (record.created_by, record.description) == (f"client {desk.client.id}", "Entra")
        assert record.expires - record.created == timedelta(hours=1)
    desk.wait(timedelta(hours=1))
    with pytest.raises(InvalidToken):
        desk.run(desk.tokens.verify(text))


def test_several_secrets_overlap_and_end() -> None:
    """A secret is valid for 1 to 3 years, beside others. A rotation ends the earlier ones after the overlap."""
    desk = Desk()
    first, second = desk.secret(), desk.secret(expires_in=YEAR)
    assert desk.ask(first).status == desk.ask(second).status == 200
    third = desk.clients.rotate_secret(desk.client.id, overlap=timedelta(days=7)).secret
    assert [desk.ask(each).status for each in (first, second, third)] == [200] * 3
    desk.wait(timedelta(days=7))
    assert [error(desk.ask(each)) for each in (first, second)] == [INVALID_CLIENT] * 2
    assert desk.ask(third).status == 200
    desk.wait(2 * YEAR)
    assert error(desk.ask(third)) == INVALID_CLIENT
    fourth = desk.secret(expires_in=3 * YEAR)
    client = desk.clients.find(desk.client.id)
    assert [each.hint for each in client.secrets] == [fourth[-4:]]  # the expired ones are gone
    assert fourth not in repr(client) and client.secrets[0].hash not in fourth.encode()
    for _ in range(9):
        desk.secret()
    with pytest.raises(ValueError, match="at most 10 secrets"):
        desk.secret()


@pytest.mark.parametrize("time", [YEAR - timedelta(days=1), 3 * YEAR + timedelta(days=2), timedelta(), -YEAR])
def test_the_life_of_a_secret_is_bounded(time: timedelta) -> None:
    """A secret cannot live for less than a year or more than three."""
    with pytest.raises(ValueError, match="1 to 3 years"):
        Desk().secret(expires_in=time)


def test_the_life_of_an_access_token_is_bounded() -> None:
    """A client may have access tokens for 60 minutes to 6 hours."""
    desk = Desk()
    for minutes in (59, 361):
        with pytest.raises(ValueError, match="60 minutes to 6 hours"):
            desk.clients.add("x", lifetime=timedelta(minutes=minutes))
    desk.client = desk.clients.add("x", lifetime=timedelta(hours=6), tenant="acme", dialect="strict", scopes=["read"])
    secret = desk.clients.add_secret(desk.client.id, tenant="acme").secret
    found = document(desk.ask(secret))
    principal = desk.tokens.verify(found["access_token"])
    assert (found["expires_in"], principal.tenant, principal.dialect) == (21600, "acme", "strict")
    with pytest.raises(NotFound):
        desk.clients.find(desk.client.id)
    with pytest.raises(ValueError, match="overlap"):
        desk.clients.rotate_secret(desk.client.id, tenant="acme", overlap=-YEAR)


@pytest.mark.parametrize(
    ("scopes", "wanted", "granted"),
    [
        (["read", "write"], "", "read write"),
        (["read", "write"], "scim other", "read write"),
        (["read", "write"], "read", "read"),
        (["read", "write"], "write:User read:User write:User", "write:User read:User"),
        (["read:User"], "read:User", "read:User"),
        (["read:User"], "scim", "read:User"),
        (["read:User"], "read", None),
        (["read:User"], "write:User", None),
        (["read"], "admin", None),
        (["read"], "read:User:x", None),
        (["read"], "read:", None),
        (["read"], " ".join(f"read:{'x' * 50}{number}" for number in range(30)), None),
    ],
)
def test_a_token_has_no_scope_that_its_client_lacks(scopes: list[str], wanted: str, granted: str | None) -> None:
    """The scopes of a request are limited to those of the client. One that is not permitted refuses the request."""
    desk = Desk()
    desk.client = desk.clients.add("x", scopes=scopes)
    response = desk.ask(desk.secret(), scope=wanted)
    if granted is None:
        assert error(response) == (400, "invalid_scope")
    else:
        assert document(response)["scope"] == granted


def test_revocation_holds_at_once() -> None:
    """A revoked client gets no token and its tokens end. So do those of a client whose secret was removed."""
    desk = Desk()
    other = desk.tokens.issue("by hand").token
    first, second = desk.secret(), desk.secret()
    one = document(desk.ask(first))["access_token"]
    desk.clients.remove_secret(desk.client.id, desk.clients.find(desk.client.id).secrets[0].id)
    two = document(desk.ask(second))["access_token"]
    assert error(desk.ask(first)) == INVALID_CLIENT
    desk.clients.revoke(desk.client.id)
    assert error(desk.ask(second)) == INVALID_CLIENT
    for text in (one, two):
        with pytest.raises(InvalidToken):
            desk.tokens.verify(text)
    assert desk.tokens.verify(other)
    with pytest.raises(ValueError, match="revoked"):
        desk.secret()
    with pytest.raises(NotFound):
        desk.clients.remove_secret(desk.client.id, "unknown")
    with pytest.raises(NotFound):
        desk.clients.revoke(desk.client.id, tenant="other")


def test_a_revocation_during_the_request_ends_the_new_token() -> None:
    """If the client is revoked after its secret was checked, the token that was just issued is revoked too."""
    store = MemoryClientStore()

    class Late(MemoryTokenStore):
        def add(self, record: Any) -> None:
            clients.revoke(client.id)
            super().add(record)

    tokens = TokenRegistry(Late())
    clients = ClientRegistry(tokens, store)
    endpoint = TokenEndpoint(ScimService(MemoryStore(), tokens=tokens), clients)
    client = clients.add("x")
    secret = clients.add_secret(client.id).secret
    form = f"grant_type=client_credentials&client_id={client.id}&client_secret={secret}"
    request = Request("POST", "/token", headers={"content-type": FORM}, body=form.encode())
    assert error(run_sync(endpoint.handle(request))) == INVALID_CLIENT
    assert [each.status(clients.clock()) for each in tokens.list()] == ["Revoked"]


MALFORMED: dict[str, tuple[tuple[int, str], Callable[[Desk, str], Any]]] = {
    "both methods": (INVALID_REQUEST, lambda d, s: d.post(d.form(client_secret=s), authorization=basic("x", s))),
    "secret and assertion": (
        INVALID_REQUEST,
        lambda d, s: d.post(d.form(client_secret=s, client_assertion="x", client_assertion_type="y")),
    ),
    "assertion without type": (INVALID_REQUEST, lambda d, s: d.post(d.form(client_assertion="x"))),
    "unknown assertion type": (
        INVALID_CLIENT,
        lambda d, s: d.post(d.form(client_assertion="x", client_assertion_type="saml2")),
    ),
    "two clients": (
        INVALID_REQUEST,
        lambda d, s: d.post(d.form(client_id="other"), authorization=basic(d.client.id, s)),
    ),
    "parameter twice": (
        INVALID_REQUEST,
        lambda d, s: d.post([*d.form(client_secret=s).items(), ("scope", "read"), ("scope", "write")]),
    ),
    "unknown parameter twice": (
        INVALID_REQUEST,
        lambda d, s: d.post([*d.form(client_secret=s).items(), ("x", "1"), ("x", "1")]),
    ),
    "secret in the URL": (INVALID_REQUEST, lambda d, s: d.post(d.form(), query=f"client_secret={s}")),
    "JSON": (INVALID_REQUEST, lambda d, s: d.post(b"{}", content_type="application/json")),
    "no content type": (INVALID_REQUEST, lambda d, s: d.post(b"", content_type="")),
    "compressed": (INVALID_REQUEST, lambda d, s: d.post(d.form(client_secret=s), content_encoding="gzip")),
    "not UTF-8": (INVALID_REQUEST, lambda d, s: d.post(b"grant_type=%ff")),
    "bytes that are no form": (INVALID_REQUEST, lambda d, s: d.post(b"\xff\x00")),
    "many parameters": (INVALID_REQUEST, lambda d, s: d.post({str(each): "" for each in range(31)})),
    "large body": ((413, "invalid_request"), lambda d, s: d.post(d.form(x="x" * 32768))),
    "no grant type": (INVALID_REQUEST, lambda d, s: d.ask(s, grant_type="")),
    "other grant type": ((400, "unsupported_grant_type"), lambda d, s: d.ask(s, grant_type="password")),
    "nothing": (INVALID_CLIENT, lambda d, s: d.post({})),
    "no secret": (INVALID_CLIENT, lambda d, s: d.post(d.form())),
    "empty secret": (INVALID_CLIENT, lambda d, s: d.ask("")),
    "wrong secret": (INVALID_CLIENT, lambda d, s: d.ask(s[:-1])),
    "secret of another case": (INVALID_CLIENT, lambda d, s: d.ask(s.swapcase())),
    "no client": (INVALID_CLIENT, lambda d, s: d.ask(s, client_id="")),
    "unknown client": (INVALID_CLIENT, lambda d, s: d.ask(s, client_id="\x00\U0001f600")),
    "long client id": (INVALID_CLIENT, lambda d, s: d.ask(s, client_id="x" * 256)),
    "long secret": (INVALID_CLIENT, lambda d, s: d.ask("x" * 256)),
    "bearer header": (INVALID_CLIENT, lambda d, s: d.post(d.form(), authorization=f"Bearer {s}")),
    "basic of no base64": (INVALID_CLIENT, lambda d, s: d.post(d.form(), authorization="Basic \xe9!")),
    "basic without colon": (INVALID_CLIENT, lambda d, s: d.post(d.form(), authorization="Basic eA==")),
    "basic not UTF-8": (INVALID_CLIENT, lambda d, s: d.post(d.form(), authorization="Basic /zr/")),
    "GET": ((405, "invalid_request"), lambda d, s: d.respond(Request("GET", "/token"))),
    "other path": ((404, "invalid_request"), lambda d, s: d.respond(Request("POST", "/tokens"))),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests_are_refused(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each malformed request gets the error of RFC 6749 section 5.2. No log record has the secret."""
    desk = Desk()
    secret = desk.secret()
    expected, send = MALFORMED[name]
    with caplog.at_level(logging.DEBUG):
        response = send(desk, secret)
    assert error(response) == expected
    headers = dict(response.headers)
    assert headers.get("WWW-Authenticate", "").startswith("Basic ") == (response.status == 401)
    assert (headers.get("Allow") == "POST") == (response.status == 405)
    (record,) = (each for each in caplog.records if each.name == "scimkit.auth")
    assert record.reason and secret not in str(vars(record)) + caplog.text + repr(response)  # type: ignore[attr-defined]
    assert desk.ask(secret).status == 200


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=200),
    st.text(st.characters(codec="latin-1"), max_size=40),
    st.sampled_from([FORM, FORM + "; charset=UTF-8", "text/plain"]),
)
def test_no_input_is_answered_with_5xx(body: bytes, authorization: str, content_type: str) -> None:
    """Whatever a client sends, it gets an error of RFC 6749 and never a 5xx."""
    desk = Desk()
    for prefix in (b"", b"grant_type=client_credentials&client_assertion_type=x&client_assertion=", b"client_id="):
        for headers in ({}, {"authorization": authorization}, {"authorization": f"Basic {authorization}"}):
            assert 400 <= error(desk.post(prefix + body, content_type=content_type, **headers))[0] < 500


def test_sources_and_clients_that_fail_too_often_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    """After 20 failures, a source or a client is refused with 429. A secret that was right before is still accepted."""
    desk = Desk()
    secret = desk.secret()
    assert desk.ask(secret).status == 200
    for number in range(20):
        assert error(desk.post(desk.form(client_secret="x"), source=f"198.51.100.{number}")) == INVALID_CLIENT
    refused = desk.post(desk.form(client_secret="y"), source="203.0.113.1")
    assert error(refused) == (429, "temporarily_unavailable")
    assert int(dict(refused.headers)["Retry-After"]) >= 1
    assert desk.ask(secret).status == 200
    for _ in range(20):
        desk.post(desk.form(client_id="nobody", client_secret="x"), source="203.0.113.2")
    assert desk.post(desk.form(client_id="nobody", client_secret="x"), source="203.0.113.2").status == 429
    assert [each.levelname for each in caplog.records if "too many failed" in each.message] == ["WARNING"] * 2


def test_a_client_cannot_get_tokens_without_end() -> None:
    """A client gets at most 60 tokens in ten minutes. Expired tokens of clients are deleted a day later, no others."""
    desk = Desk()
    secret = desk.secret()
    by_hand = desk.tokens.issue("by hand", expires_in=timedelta(minutes=1))
    statuses = [desk.ask(secret).status for _ in range(ISSUES_PER_WINDOW + 1)]
    assert statuses == [200] * ISSUES_PER_WINDOW + [429]
    desk.endpoint = TokenEndpoint(desk.service, desk.clients)
    desk.wait(timedelta(hours=25, seconds=1))
    assert desk.ask(secret).status == 200
    assert len(desk.tokens.list()) == 2 and by_hand.record in desk.tokens.list()


@both
def test_the_tenant_sees_refused_requests_in_its_log(is_async: bool) -> None:
    """A refused request of a known client has an entry with the reason and no secret. An unknown client has none."""
    desk = Desk(is_async=is_async, provisioning_log=True)
    secret = desk.secret()
    assert desk.ask(secret).status == 200
    desk.ask("wrong-secret", source="198.51.100.1")
    desk.ask(secret, scope="admin")
    desk.post(desk.form(client_id="nobody", client_secret=secret))
    desk.run(desk.clients.revoke(desk.client.id))
    desk.ask(secret)
    log: Any = desk.service.provisioning_log
    entries = log.search(LogQuery(tenant="default", token_id=desk.client.id, action="RequestToken")).entries
    found = [(each.result, each.error_code, each.detail, each.label) for each in entries]
    assert found == [
        ("Failure", "invalid_client", "the client is revoked", "Entra"),
        ("Failure", "invalid_scope", "The client may not ask for one of the scopes.", "Entra"),
        ("Failure", "invalid_client", "the secret of the client is wrong", "Entra"),
    ]
    assert len(log.search(LogQuery(tenant="default")).entries) == 3
    assert all(each.request_id for each in entries)
    text = str([entry_to_json(each) for each in entries])
    assert secret not in text and "wrong-secret" not in text


def test_failures_do_not_flood_the_provisioning_log() -> None:
    """The log gets at most 20 refused requests of a client in a minute."""
    desk = Desk(provisioning_log=True)
    secret = desk.secret()
    assert desk.ask(secret).status == 200
    for number in range(LOGGED_PER_WINDOW + 5):
        assert error(desk.ask(secret, scope="admin", source=f"198.51.100.{number}")) == (400, "invalid_scope")
    log: Any = desk.service.provisioning_log
    assert len(log.search(LogQuery(tenant="default")).entries) == LOGGED_PER_WINDOW


def test_issues_and_refusals_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """`scimkit.auth` gets the client, the tenant, the source and the token, or the reason."""
    desk = Desk()
    with caplog.at_level(logging.INFO, "scimkit.auth"):
        token = document(desk.ask(desk.secret()))["access_token"]
        desk.ask("wrong")
    issued, refused = caplog.records
    fields = ("client_id", "tenant", "source", "path")
    expected = [desk.client.id, "default", "192.0.2.1", "/token"]
    assert [getattr(issued, name) for name in fields] == [getattr(refused, name) for name in fields] == expected
    assert issued.token_id == desk.tokens.verify(token).token_id  # type: ignore[attr-defined]
    assert refused.reason == "the secret of the client is wrong"  # type: ignore[attr-defined]
    assert token not in str(vars(issued))


def test_a_failing_store_is_503_or_500_without_its_text() -> None:
    """A database that is down is 503. A defect of a store is 500. Neither shows its text."""
    desk = Desk()
    for failure, expected in (
        (Unavailable(7), (503, "temporarily_unavailable")),
        (KeyError("x"), (500, "server_error")),
    ):

        def fail(id: str, failure: Exception = failure) -> None:
            raise failure

        desk.clients.find_any = fail
        response = desk.ask("x")
        assert error(response) == expected
        assert dict(response.headers).get("Retry-After") == ("7" if expected[0] == 503 else None)


def test_the_endpoint_is_announced() -> None:
    """The ServiceProviderConfig has a scheme `oauth2` beside the primary one, if there is an endpoint."""
    service = ScimService(MemoryStore(), tokens=(tokens := TokenRegistry()))

    def types() -> list[str]:
        response = run_sync(service.handle(Request("GET", "/ServiceProviderConfig")))
        return [each["type"] for each in document(response)["authenticationSchemes"]]

    assert types() == ["oauthbearertoken"]
    for _ in range(2):
        TokenEndpoint(service, ClientRegistry(tokens))
    assert types() == ["oauthbearertoken", "oauth2"]


def test_ports_of_both_kinds_are_not_mixed() -> None:
    """An async registry needs an async service. A registry that blocks needs a sync one."""
    registry = AsyncClientRegistry(AsyncTokenRegistry(Awaited(MemoryTokenStore())), Awaited(MemoryClientStore()))
    with pytest.raises(ValueError, match="AsyncClientRegistry"):
        TokenEndpoint(ScimService(MemoryStore(), tokens=TokenRegistry()), registry)
    blocking = ClientRegistry(TokenRegistry(), Awaited(MemoryClientStore()))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="does not block"):
        TokenEndpoint(Desk(is_async=True).service, blocking)
