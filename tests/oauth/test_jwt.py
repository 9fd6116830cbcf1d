"""Access tokens as JSON Web Tokens: what is accepted, what is refused, and what a token says about the caller."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from scimkit import MemoryStore, Principal, Request, ScimService, TokenRegistry, run_sync
from scimkit.events import RequestCompleted
from scimkit.oauth import AsyncJwtVerifier, JwtVerifier
from scimkit.tokens import InvalidToken
from tests.oauth.issuer import AUDIENCE, CLIENT, ISSUER, claims, key, key_set, segment, serving, token

Verifier = JwtVerifier | AsyncJwtVerifier
both = pytest.mark.parametrize("kind", [JwtVerifier, AsyncJwtVerifier])

OTHER_TENANT, DIRECTORY = "9188040d-6c67-4c5b-b112-36a304b66dad", "72f988bf-86f1-41af-91ab-2d7cd011db47"
V1, V2 = f"https://sts.windows.net/{DIRECTORY}/", f"https://login.microsoftonline.com/{DIRECTORY}/v2.0"


def verifier(kind: Callable[..., Verifier] = JwtVerifier, **changed: Any) -> Verifier:
    """Return a verifier of the tokens of the tests."""
    return kind(**{"issuer": ISSUER, "audience": AUDIENCE, "jwks": key_set(key("one"))} | changed)


def verify(of: Verifier, text: str) -> Principal:
    """Return the principal of a token, from a sync or an async verifier."""
    return asyncio.run(of.verify(text)) if of.is_async else of.verify(text)


def reason(of: Verifier, text: str) -> str:
    """Return why a token is refused. The client gets the same response for every reason."""
    with pytest.raises(InvalidToken) as refused:
        verify(of, text)
    assert refused.value.detail == "The bearer token is not valid."
    assert dict(refused.value.headers) == {"WWW-Authenticate": 'Bearer realm="scim", error="invalid_token"'}
    assert len(text) < 40 or text not in repr(refused.value)
    return refused.value.reason


@both
@pytest.mark.rfc("9068-2.1-1", "9068-2.1-2", "9068-4-1", "9068-4-5")
def test_tokens_of_rfc_9068(kind: Callable[..., Verifier]) -> None:
    """A token of RFC 9068 is accepted, with RS256 too. The client stands for the token, which changes every hour."""
    expected = Principal("default", CLIENT, f"OAuth client {CLIENT}")
    of = verifier(kind, jwks=key_set(key("one"), key("two", "RSA")))
    for signer in (key("one"), key("two", "RSA")):
        for kind_of_token in ("at+jwt", "application/AT+JWT"):
            text = token(signer, {"typ": kind_of_token})
            assert of.is_well_formed(text) and not of.is_known(text)
            assert verify(of, text) == verify(of, text) == expected
            assert of.is_known(text)
    assert verify(of, token(aud=["https://other.example.org", AUDIENCE])) == expected


ATTACKER = key("attacker")
EVIL = "http://127.0.0.1:9/evil"


def _unsigned() -> str:
    return f"{segment({'alg': 'none', 'typ': 'at+jwt', 'kid': 'one'})}.{segment(claims())}."


def _hmac(secret: bytes) -> str:
    """Return a token that is signed with a public key as the secret of HMAC."""
    body = f"{segment({'alg': 'HS256', 'typ': 'at+jwt', 'kid': 'one'})}.{segment(claims())}"
    return f"{body}.{segment(hmac.digest(secret, body.encode(), sha256))}"


def _changed(place: int, **members: Any) -> str:
    """Return a valid token with other members in its header (0) or its claims (1), after it was signed."""
    segments = token().split(".")
    segments[place] = segment(json.loads(urlsafe_b64decode(segments[place] + "==")) | members)
    return ".".join(segments)


def _with_payload(payload: bytes, header: dict[str, Any] | None = None) -> str:
    return f"{segment({'alg': 'ES256', 'typ': 'at+jwt', 'kid': 'one'} | (header or {}))}.{segment(payload)}.c2ln"


NOW = int(time.time())
ATTACKS: dict[str, tuple[Callable[[], str], str]] = {
    "none": (_unsigned, "not a signed"),
    "none with a signature": (lambda: _unsigned() + "c2ln", "algorithm"),
    "HMAC with the public key as PEM": (lambda: _hmac(key("one").as_pem(private=False)), "algorithm"),
    "HMAC with the public key as JSON": (lambda: _hmac(json.dumps(key_set(key("one"))).encode()), "algorithm"),
    "another key under the same id": (lambda: token(ATTACKER, {"kid": "one"}), "signature"),
    "jku": (lambda: token(ATTACKER, {"kid": "one", "jku": EVIL}), "signature"),
    "x5u": (lambda: token(ATTACKER, {"kid": "one", "x5u": EVIL}), "signature"),
    "embedded key": (lambda: token(ATTACKER, {"kid": "one", "jwk": ATTACKER.as_dict(private=False)}), "signature"),
    "embedded key without an id": (
        lambda: token(ATTACKER, {"kid": None, "jwk": ATTACKER.as_dict(private=False)}), "signature"),
    "embedded certificate": (lambda: token(ATTACKER, {"kid": "one", "x5c": ["MIIB"]}), "signature"),
    "unknown key": (lambda: token(ATTACKER), "no key"),
    "path as the id of the key": (lambda: token(ATTACKER, {"kid": "../../../dev/null"}), "no key"),
    "other claims": (lambda: _changed(1, client_id="administrator"), "signature"),
    "other header": (lambda: _changed(0, cty="JWT"), "signature"),
    "another algorithm": (lambda: _changed(0, alg="ES384"), "no key|signature"),
    "crit": (lambda: _with_payload(b"{}", {"crit": ["exp"]}), "crit"),
    "crit of a known header": (lambda: token(header={"crit": ["kid"]}), "crit"),
    "unencoded payload": (lambda: _with_payload(b"{}", {"b64": False, "crit": ["b64"]}), "crit"),
    "ID token": (lambda: token(header={"typ": "JWT"}), "typ"),
    "no type": (lambda: token(header={"typ": None}), "typ"),
    "type that is no text": (lambda: _with_payload(b"{}", {"typ": ["at+jwt"]}), "typ"),
    "id of the key that is no text": (lambda: _with_payload(b"{}", {"kid": {"a": 1}}), "kid"),
    "algorithm that is no text": (lambda: _with_payload(b"{}", {"alg": ["ES256"]}), "algorithm"),
    "wrong issuer": (lambda: token(iss="https://evil.example.org"), "issuer"),
    "issuer with a slash": (lambda: token(iss=f"{ISSUER}/"), "issuer"),
    "issuers as a list": (lambda: token(iss=[ISSUER]), "issuer"),
    "no issuer": (lambda: token(iss=None), "issuer"),
    "wrong audience": (lambda: token(aud="https://other.example.org"), "audience"),
    "longer audience": (lambda: token(aud=f"{AUDIENCE}/evil"), "audience"),
    "no audience": (lambda: token(aud=None), "audience"),
    "audience as an object": (lambda: token(aud={AUDIENCE: True}), "audience"),
    "expired": (lambda: token(exp=NOW - 3600), "expired"),
    "no expiry": (lambda: token(exp=None), "exp"),
    "expiry as a text": (lambda: token(exp="2100-01-01"), "exp"),
    "expiry as a boolean": (lambda: token(exp=True), "exp"),
    "not valid yet": (lambda: token(nbf=NOW + 3600), "nbf"),
    "issued in the future": (lambda: token(iat=NOW + 3600), "iat"),
    "no client": (lambda: token(client_id=None), "client"),
    "client with a line break": (lambda: token(client_id="a\nb"), "client_id"),
    "encrypted": (lambda: "a.b.c.d.e", "not a signed"),
    "too long": (lambda: token(padding="x" * 20_000), "too long"),
    "deep header": (lambda: f"{segment(b'[' * 2000)}.e30.c2ln", "not a JSON"),
    "deep claims": (lambda: _with_payload(b"[" * 9000), "not a JSON"),
    "a claim twice": (lambda: _with_payload(json.dumps(claims()).replace('"sub"', '"iss"').encode()), "not a JSON"),
    "claims as a list": (lambda: _with_payload(b"[]"), "not a JSON"),
    "no text": (lambda: "", "not a signed"),
    "a token of a registry": (lambda: TokenRegistry().issue("other").token, "not a signed"),
}  # fmt: skip


@both
@pytest.mark.rfc("9068-2.1-1", "9068-4-1", "9068-4-2", "9068-4-3", "9068-4-4", "9068-4-5", "9068-4-6", "9068-4-7")
def test_attacks(kind: Callable[..., Verifier]) -> None:
    """Every attack is refused with 401 and invalid_token, for its own reason in the log."""
    of = verifier(kind)
    verify(of, token())
    for name, (make, expected) in ATTACKS.items():
        assert re.search(expected, reason(of, make())), name


def test_the_url_in_a_token_is_not_requested() -> None:
    """`jku` and `x5u` of a token cause no request: keys are only those of the issuer."""
    with serving(key_set(ATTACKER)) as evil:
        for name in ("jku", "x5u"):
            assert "signature" in reason(verifier(), token(ATTACKER, {"kid": "one", name: evil.url}))
        assert evil.requests == []


VALID = token(), verifier()


@given(st.data())
def test_any_changed_byte_is_refused(data: st.DataObject) -> None:
    """A token with any changed byte is refused, and no text at all causes another exception."""
    text, of = VALID
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(codec="utf-8"))
    other = text[:place] + letter + text[place + 1 :]
    if _decoded(other) != _decoded(text):
        reason(of, other)
    reason(of, data.draw(st.text()))


def _decoded(text: str) -> list[bytes] | None:
    """Return the decoded segments of a token, or None if the text has other characters than base64url."""
    if not all(each.isascii() and (each.isalnum() or each in "-_.") for each in text):
        return None
    try:
        return [urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in text.split(".")]
    except ValueError:
        return None


@pytest.mark.rfc("9068-4-6")
def test_the_leeway() -> None:
    """The clock of the issuer may differ by the leeway, and by no second more."""
    instant = datetime.now(UTC)

    def at(seconds: int) -> Verifier:
        return verifier(leeway=30, clock=lambda: instant + timedelta(seconds=seconds))

    second = int(instant.timestamp())
    text = token(nbf=second, iat=second, exp=second + 100)
    assert verify(at(129), text) == verify(at(-30), text)
    assert "expired" in reason(at(131), text)
    assert "not valid yet" in reason(at(-32), text)


def test_an_expired_token_is_recognized() -> None:
    """The error and the event of an expired token have its tenant and its client, after the signature was verified."""
    events: list[RequestCompleted] = []
    of = verifier(tenant="org", dialect="entra")
    service = ScimService(MemoryStore(), tokens=of, on_request_completed=events.append)
    for text in (token(org="acme", exp=NOW - 3600), token(ATTACKER, {"kid": "one"}, org="acme", exp=NOW - 3600)):
        request = Request("GET", "/Users", "", {"authorization": f"Bearer {text}"}, b"", AUDIENCE)
        assert run_sync(service.handle(request)).status == 401
    assert [(each.tenant, each.token_id) for each in events] == [("acme", CLIENT), (None, None)]


@both
def test_tenants(kind: Callable[..., Verifier]) -> None:
    """The tenant is a claim or comes from a function. A token without a tenant is refused, also after a revocation."""
    assert verify(verifier(kind, tenant="tid"), token(tid="acme")).tenant == "acme"
    for wrong in (None, "", 7, ["acme"], "a\nb", "x" * 256):
        assert "tenant" in reason(verifier(kind, tenant="tid"), token(tid=wrong))
    customers = {ISSUER: "acme"}
    of, text = verifier(kind, issuer=customers, tenant=lambda found: customers.get(found["iss"])), token()
    assert verify(of, text).tenant == "acme"
    del customers[ISSUER]
    assert "issuer" in reason(of, text)


def test_an_async_function_of_the_tenant() -> None:
    """The async verifier awaits an async function of the tenant."""

    async def tenant(found: Any) -> str | None:
        return {CLIENT: "acme"}.get(found["client_id"])

    of = verifier(AsyncJwtVerifier, tenant=tenant)
    assert verify(of, token()).tenant == "acme"
    assert "tenant" in reason(of, token(client_id="other"))


SCOPES: list[tuple[Any, dict[str, Any], set[str] | None]] = [
    (None, {"scope": "openid write:Group read"}, {"write:Group", "read"}),
    (None, {"scope": "read write"}, None),
    (None, {"scope": "everything", "scp": ["read"], "roles": ["write:User", 7]}, {"read", "write:User"}),
    (None, {"scope": None}, set()),
    (None, {"scope": {"read": True}}, set()),
    ({"Scim.All": ("read", "write"), "Scim.Read": "read"}, {"scope": "read write"}, set()),
    ({"Scim.All": ("read", "write"), "Scim.Read": "read"}, {"roles": ["Scim.Read"]}, {"read"}),
    ({"Scim.All": ("read", "write"), "Scim.Read": "read"}, {"scp": "Scim.Read Scim.All"}, None),
    (("read",), {"scope": "write"}, {"read"}),
    (lambda found: ["read", "nonsense"] if found["sub"] == CLIENT else [], {}, {"read"}),
]


@pytest.mark.rfc("9068-4-8")
def test_scopes() -> None:
    """The permissions of a token become token scopes. A token without a permission may only read the discovery."""
    for rule, changed, expected in SCOPES:
        assert verify(verifier(scopes=rule), token(**changed)).scopes == expected
    service = ScimService(MemoryStore(), tokens=verifier())
    headers = {"authorization": f"Bearer {token(scope=None)}"}
    statuses = [
        run_sync(service.handle(Request("GET", path, "", headers, b"", AUDIENCE))).status
        for path in ("/Users", "/Schemas")
    ]
    assert statuses == [403, 200]


@both
def test_tokens_of_entra(kind: Callable[..., Verifier]) -> None:
    """Tokens of Entra ID of both versions are accepted, with the key set of the directory or of all directories."""
    signer = key("entra", "RSA")
    common = {"client_id": None, "scope": None, "tid": DIRECTORY, "roles": ["Scim.ReadWrite"]}
    one = token(signer, {"typ": "JWT", "x5t": "entra"}, iss=V1, aud="api://help", appid=CLIENT, ver="1.0", **common)
    two = token(signer, {"typ": "JWT"}, iss=V2, aud=OTHER_TENANT, azp=CLIENT, ver="2.0", **common)
    for issuer_of_key in (V2, "https://login.microsoftonline.com/{tenantid}/v2.0"):
        of = verifier(
            kind, issuer={V1, V2}, audience=("api://help", OTHER_TENANT), types="JWT", dialect="entra",
            tenant=lambda found: {DIRECTORY: "acme"}.get(found["tid"]), scopes={"Scim.ReadWrite": ("read", "write")},
            jwks=key_set(signer, issuer=issuer_of_key),
        )  # fmt: skip
        for text in (one, two):
            assert verify(of, text) == Principal("acme", CLIENT, f"OAuth client {CLIENT}", "entra")
    foreign = key_set(signer, issuer=f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0")
    of = verifier(kind, issuer={V1, V2}, audience="api://help", types="JWT", jwks=foreign)
    assert "another tenant" in reason(of, one)


def test_tokens_of_okta() -> None:
    """Tokens of Okta have no type, and the client in `cid`. A token with a type is then refused."""
    of = verifier(types="", jwks=key_set(key("okta", "RSA")))
    of_okta = {"client_id": None, "scope": None, "cid": "0oa1", "scp": ["read", "write"]}
    assert verify(of, token(key("okta", "RSA"), {"typ": None}, **of_okta)) == Principal(
        "default", "0oa1", "OAuth client 0oa1"
    )
    assert "typ" in reason(of, token(key("okta", "RSA"), **of_okta))


def test_keys_that_are_not_used() -> None:
    """A key for encryption, of another algorithm, that is too small, secret or malformed is left out."""
    good = key("one").as_dict(private=False)
    unusable: list[Any] = [
        good | {"use": "enc"}, good | {"alg": "RS256"}, good | {"key_ops": ["encrypt"]}, good | {"x": "AAAA"},
        good | {"kty": "AKP"}, {"kty": "oct", "k": "c2VjcmV0", "kid": "one"}, {}, "one", None,
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "one"},
    ]  # fmt: skip
    for each in unusable:
        with pytest.raises(ValueError, match="no key"):
            verifier(jwks={"keys": [each]})
    of = verifier(jwks={"keys": [*unusable, good]})
    assert verify(of, token()) == verify(of, token(header={"kid": None}))
    two = verifier(jwks=key_set(key("one"), key("two", "EC")))
    assert "no key" in reason(two, token(header={"kid": None}))


def test_hmac_needs_a_key_of_your_own() -> None:
    """HMAC is accepted only if you ask for it, with a key set of your own and no other algorithm."""
    secret = OctKey.generate_key(256, {"kid": "own"})
    text = jwt.encode({"alg": "HS256", "typ": "at+jwt", "kid": "own"}, claims(), secret, algorithms=["HS256"])
    of = verifier(algorithms="HS256", jwks={"keys": [secret.as_dict()]})
    assert verify(of, text).token_id == CLIENT
    assert "algorithm" in reason(of, token())
    for wrong in (
        {"algorithms": ["HS256", "ES256"], "jwks": {"keys": [secret.as_dict()]}},
        {"algorithms": ["HS256"], "jwks": "https://login.example.org/keys"},
        {"algorithms": ["none"]}, {"algorithms": []}, {"jwks": {}}, {"jwks": {"keys": []}}, {"jwks": "not a URL"},
        {"jwks": "http://login.example.org/keys"}, {"jwks": "https://user:secret@login.example.org/keys"},
        {"audience": ""}, {"audience": []}, {"issuer": ""}, {"types": []}, {"leeway": 301}, {"leeway": -1},
        {"scopes": ["everything"]}, {"scopes": {"Scim.All": ["admin"]}},
    ):  # fmt: skip
        with pytest.raises(ValueError):
            verifier(**wrong)
