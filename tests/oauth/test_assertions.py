"""Assertions that authenticate clients (RFC 7523): what is accepted, and every attack that is refused."""

from __future__ import annotations

import hmac
import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from scimkit.errors import NotFound
from scimkit.oauth.used_assertions import UsedAssertions
from scimkit.tokens import InvalidToken
from tests.oauth.desk import AUDIENCE, ENTRA, SUBJECT, TOKEN_URL, Desk, assertion, document, error
from tests.oauth.issuer import key, key_set, refuse, segment, serving

INVALID_CLIENT = (401, "invalid_client")
EVIL = "http://127.0.0.1:9/evil"
both = pytest.mark.parametrize("is_async", [False, True])


@both
def test_an_assertion_of_entra_gives_a_token(is_async: bool) -> None:
    """The assertion of a federated issuer gives a token, again and again until it expires. It has no `jti`."""
    desk = Desk(is_async=is_async)
    desk.trust()
    text = assertion(appid="b5ba7a93", tid="ce5f061f", ver="2.0")
    for response in (desk.assert_(text), desk.assert_(text, scope="scim"), desk.assert_(assertion(aud=[AUDIENCE]))):
        principal = desk.run(desk.tokens.verify(document(response)["access_token"]))
        assert desk.run(desk.tokens.find(principal.token_id)).created_by == f"client {desk.client.id}"
    assert error(desk.assert_(text, client_id="")) == INVALID_CLIENT  # its subject is not the id of a client


@both
def test_private_key_jwt_gives_a_token_once(is_async: bool) -> None:
    """An assertion of the client itself needs no `client_id`, and gives a token once."""
    desk = Desk(is_async=is_async)
    desk.trust_own()
    text = desk.own_assertion(header={"typ": "client-authentication+jwt"})
    assert desk.assert_(text, client_id="").status == 200
    assert error(desk.assert_(text)) == INVALID_CLIENT
    assert desk.assert_(desk.own_assertion(header={"typ": None})).status == 200


def test_of_concurrent_uses_one_succeeds() -> None:
    """Of several requests with one assertion at once, exactly one gets a token."""
    desk = Desk()
    desk.trust_own()
    text = desk.own_assertion()
    with ThreadPoolExecutor(8) as pool:
        assert sorted(each.status for each in pool.map(lambda _: desk.assert_(text), range(8))) == [200] + [401] * 7


def test_several_trusts_of_one_client() -> None:
    """A client has several trusts, also with one issuer and other keys. A removed trust ends at once."""
    desk = Desk()
    desk.trust(jwks=key_set(key("old")))
    second = desk.trust()
    desk.trust(subject="other", audience="api://other")
    assert desk.assert_(assertion(key("old"))).status == 200
    token = document(desk.assert_(assertion()))["access_token"]
    assert desk.assert_(assertion(sub="other", aud="api://other")).status == 200
    assert error(desk.assert_(assertion(sub="other"))) == INVALID_CLIENT  # the audience of another trust
    desk.clients.remove_trust(desk.client.id, second.id)
    assert error(desk.assert_(assertion())) == INVALID_CLIENT
    with pytest.raises(InvalidToken):
        desk.tokens.verify(token)
    with pytest.raises(NotFound):
        desk.clients.remove_trust(desk.client.id, second.id)


ATTACKER = key("attacker")


def _unsigned(**changed: Any) -> str:
    now = int(time.time())
    claims = {"iss": ENTRA, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "exp": now + 600} | changed
    return f"{segment({'alg': 'none', 'typ': 'JWT', 'kid': 'one'})}.{segment(claims)}."


def _hmac() -> str:
    """Return an assertion that is signed with the public key of the issuer as the secret of HMAC."""
    claims = assertion().split(".")[1]
    body = f"{segment({'alg': 'HS256', 'typ': 'JWT', 'kid': 'one'})}.{claims}"
    return f"{body}.{segment(hmac.digest(key('one').as_pem(private=False), body.encode(), 'sha256'))}"


def _in(seconds: int) -> int:
    """Return the time of a claim, counted from the moment of the call."""
    return int(time.time()) + seconds


ATTACKS: dict[str, Callable[[], str]] = {
    "no signature": _unsigned,
    "no signature, three parts": lambda: _unsigned() + "x",
    "HMAC with the public key": _hmac,
    "key in the header": lambda: assertion(ATTACKER, {"jwk": ATTACKER.as_dict(private=False), "kid": "one"}),
    "key at a URL in the header": lambda: assertion(ATTACKER, {"jku": EVIL, "kid": "one"}),
    "certificate at a URL": lambda: assertion(ATTACKER, {"x5u": EVIL, "kid": "one"}),
    "path as the id of the key": lambda: assertion(ATTACKER, {"kid": "../../dev/null"}),
    "another key with the same id": lambda: assertion(ATTACKER, {"kid": "one"}),
    "critical extension": lambda: assertion(None, {"crit": ["kid"]}),
    "access token as an assertion": lambda: assertion(None, {"typ": "at+jwt"}),
    "other issuer": lambda: assertion(iss=ENTRA.replace("/v2.0", "")),
    "issuer of another tenant": lambda: assertion(iss=ENTRA.replace("ce5f061f", "ce5f061e")),
    "issuer in another case": lambda: assertion(iss=ENTRA.upper()),
    "issuers in an array": lambda: assertion(iss=[ENTRA]),
    "other subject": lambda: assertion(sub="other"),
    "no subject": lambda: assertion(sub=None),
    "other audience": lambda: assertion(aud=f"{AUDIENCE}/.default"),
    "a second audience": lambda: assertion(aud=[AUDIENCE, "api://other"]),
    "no audience": lambda: assertion(aud=None),
    "no expiry": lambda: assertion(exp=None),
    "expired": lambda: assertion(exp=_in(-120)),
    "expiry far away": lambda: assertion(exp=_in(8000)),
    "expiry of a thousand digits": lambda: assertion(exp=10**1000),
    "expiry that is infinite": lambda: assertion(exp=float("inf")),
    "expiry as text": lambda: assertion(exp=str(_in(60))),
    "not valid yet": lambda: assertion(nbf=_in(600)),
    "issued in the future": lambda: assertion(iat=_in(600)),
    "an own assertion without a trust": lambda: assertion(iss="x", sub="x", aud=TOKEN_URL),
    "changed claims": lambda: ".".join((*assertion().split(".")[:1], _unsigned().split(".")[1], "x" * 86)),
    "too long": lambda: assertion(x="x" * 13000),
    "no JSON": lambda: f"{segment(b'x')}.{segment(b'x')}.x",
    "deep JSON": lambda: f"{segment({'alg': 'ES256'})}.{segment(b'[' * 9000)}.x",
    "no base64": lambda: "\N{BUTTERFLY}.\N{BUTTERFLY}.x",
    "empty parts": lambda: "..",
    "encrypted": lambda: "a.b.c.d.e",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each attack gets the same 401. The log has a reason, and no part of the assertion."""
    desk = Desk()
    desk.trust()
    text = ATTACKS[name]()
    with caplog.at_level(logging.DEBUG):
        response = desk.assert_(text)
    assert error(response) == INVALID_CLIENT
    (record,) = (each for each in caplog.records if each.name == "scimkit.auth")
    reason: str = record.reason  # type: ignore[attr-defined]
    assert reason and (len(text) < 10 or text not in caplog.text)
    assert desk.tokens.list() == []


OWN_ATTACKS: dict[str, Callable[[], dict[str, Any]]] = {
    "no jti": lambda: {"jti": None},
    "empty jti": lambda: {"jti": ""},
    "long jti": lambda: {"jti": "x" * 256},
    "jti as a number": lambda: {"jti": 1},
    "long life": lambda: {"exp": _in(3900)},
    "other audience": lambda: {"aud": "https://help.example.org"},
    "other subject": lambda: {"sub": "other"},
}


@pytest.mark.parametrize("name", OWN_ATTACKS)
def test_attacks_on_private_key_jwt_are_refused(name: str) -> None:
    """An assertion of the client itself is short, and has a `jti`."""
    desk = Desk()
    desk.trust_own()
    assert error(desk.assert_(desk.own_assertion(**OWN_ATTACKS[name]()))) == INVALID_CLIENT
    assert desk.assert_(desk.own_assertion()).status == 200


def test_a_client_cannot_use_the_assertion_of_another() -> None:
    """An assertion gives a token of its own client only, and of no revoked one."""
    desk = Desk()
    desk.trust_own()
    text = desk.own_assertion()
    other = desk.clients.add("other")
    assert error(desk.assert_(text, client_id=other.id)) == INVALID_CLIENT
    desk.clients.revoke(desk.client.id)
    assert error(desk.assert_(text)) == INVALID_CLIENT


def test_used_assertions_are_bounded() -> None:
    """A client that uses too many assertions is refused until they expire. Others are not, up to the total."""
    used = UsedAssertions(limit=5, limit_of_client=3)
    for number in range(3):
        used.add("a", str(number), 100.0, 0.0)
    with pytest.raises(InvalidToken):
        used.add("a", "new", 100.0, 0.0)
    used.add("b", "0", 200.0, 0.0)
    with pytest.raises(InvalidToken):
        used.add("b", "0", 200.0, 199.0)
    used.add("a", "new", 300.0, 150.0)
    assert len(used) == 2


@both
def test_keys_at_a_url_follow_the_issuer(is_async: bool) -> None:
    """Keys are fetched once, and again for a new key. An issuer that is down is 503, and never a token."""
    with serving(key_set(key("one"))) as issuer:
        desk = Desk(is_async=is_async, allowed_networks=["127.0.0.0/8"])
        desk.trust(jwks=issuer.url)
        assert [desk.assert_(assertion()).status for _ in range(3)] == [200] * 3
        assert len(issuer.requests) == 1
        assert desk.assert_(assertion(key("unknown"))).status == 401
        assert len(issuer.requests) == 1  # an unknown key causes no fetch so soon
        issuer.answer = refuse
        fresh = Desk(is_async=is_async, allowed_networks=["127.0.0.0/8"])
        fresh.trust(jwks=issuer.url)
        response = fresh.assert_(assertion())
        assert error(response) == (503, "temporarily_unavailable")
        assert int(dict(response.headers)["Retry-After"]) >= 1


@both
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_keys_are_fetched_from_public_addresses_only(
    is_async: bool, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The URL of a key set that a customer entered reaches no private address, by number or by name."""
    with serving(key_set(key("one"))) as issuer:
        desk = Desk(is_async=is_async)
        desk.trust(jwks=issuer.url.replace("127.0.0.1", host))
        assert error(desk.assert_(assertion())) == (503, "temporarily_unavailable")
        assert issuer.requests == [] and "not public" in caplog.text


@pytest.mark.usefixtures("_names")
def test_the_checked_address_is_the_one_that_is_used() -> None:
    """The name is resolved once, and the request goes to the address that was checked (DNS rebinding)."""
    with serving(key_set(key("one"))) as issuer:
        desk = Desk(allowed_networks=["127.0.0.0/8"])
        desk.trust(jwks=issuer.url.replace("127.0.0.1", "issuer.test"))
        assert desk.assert_(assertion()).status == 200


@pytest.fixture
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve the name `issuer.test` to this machine at first, and to a metadata service later."""
    usual, answers = socket.getaddrinfo, iter(["127.0.0.1"])

    def resolve(host: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return usual(next(answers, "169.254.169.254") if name == "issuer.test" else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


PRIVATE = {"keys": [key("one").as_dict(private=True)]}
REFUSED: dict[str, dict[str, Any]] = {
    "empty issuer": {"issuer": ""},
    "long subject": {"subject": "x" * 256},
    "control character": {"audience": "api://x\n"},
    "HTTP": {"jwks": "http://login.example.org/keys"},
    "file": {"jwks": "file:///etc/passwd"},
    "user in the URL": {"jwks": "https://user:word@login.example.org/keys"},
    "long URL": {"jwks": "https://login.example.org/" + "x" * 300},
    "no keys": {"jwks": {"keys": []}},
    "only a shared secret": {"jwks": {"keys": [{"kty": "oct", "k": "eA"}]}},
    "broken JSON": {"jwks": "{"},
    "large key set": {"jwks": '{"keys": "' + "x" * 40000 + '"}'},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_trust_is_checked_when_it_is_registered(name: str) -> None:
    """A trust with a value that could never work, or a URL without TLS, is refused."""
    desk = Desk()
    desk.clients._allow_http = False
    with pytest.raises(ValueError):
        desk.trust(**REFUSED[name])


def test_only_public_keys_are_kept() -> None:
    """Of a key set with a private key, only the public part is kept. A client has at most ten trusts."""
    desk = Desk()
    assert '"d"' not in desk.trust(jwks=PRIVATE).jwks
    assert desk.assert_(assertion()).status == 200
    for number in range(9):
        desk.trust(subject=str(number))
    with pytest.raises(ValueError, match="at most 10 trusts"):
        desk.trust()


def test_an_expired_assertion_cannot_come_back(caplog: pytest.LogCaptureFixture) -> None:
    """An assertion that was used is refused until it has expired, and expired from then on."""
    desk = Desk()
    desk.trust_own()
    text = desk.own_assertion()
    assert desk.assert_(text).status == 200
    caplog.set_level(logging.INFO, "scimkit.auth")
    for _ in range(8):
        desk.wait(timedelta(seconds=100))
        assert error(desk.assert_(text)) == INVALID_CLIENT
    reasons = {each.reason for each in caplog.records}  # type: ignore[attr-defined]
    assert reasons == {"the assertion was used before (jti)", "the token is expired"}
