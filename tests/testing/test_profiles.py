"""The clauses of the profiles: a conforming service passes, and each clause fails at a service with that flaw."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from scimkit import INTEROP, STRICT, TOLERANT, Limits, Request, TokenRegistry
from scimkit.safeguards import Revoker
from scimkit.service import Response
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.profiles import PROFILES, Clause, ClauseResult, Profile, ReadinessReport, check_profile, clauses
from scimkit.wsgi import ScimApp
from tests.testing.flawed import Flawed, as_is, edit_body, with_body

CLAUSES = {each.name: each for each in PROFILES["ipsie"].clauses}


def report_of(*names: str, tamper: Any = None, before: Any = None, token: str = "", **options: Any) -> ReadinessReport:
    """Return the report of some clauses for a service in process. The default dialect is `interop`."""
    tokens, revokers = TokenRegistry(), options.pop("revokers", ())
    options = {"dialect": INTEROP, "listeners": [one for each in revokers for one in each.listeners]} | options
    service = Flawed(tamper or as_is, before, tokens=tokens, **options)
    profile = Profile("some", (), tuple(CLAUSES[name] for name in names))
    with open_endpoint(ScimApp(service)) as endpoint:
        issued = token or tokens.issue("x").token
        return check_profile(profile, endpoint.base_url, issued, revokers=revokers, client=endpoint.client)


def result_of(name: str, *, first: tuple[str, ...] = (), **options: Any) -> ClauseResult:
    """Return the result of one clause, which is checked after the clauses of `first`."""
    return report_of(*first, name, **options).results[-1]


def on(method: str, path: str, change: Callable[[Any], Any]) -> Any:
    """Return a function that changes the body of successful responses to a method and a path."""

    def tamper(request: Request, response: Response, body: Any) -> Response:
        if request.method == method and request.path.startswith(path) and response.status < 300:
            return with_body(response, change(body))
        return response

    return tamper


def status(method: str, path: str, number: int, only: Callable[[Request], bool] = lambda request: True) -> Any:
    """Return a function that changes the status of responses to a method and a path."""

    def tamper(request: Request, response: Response, body: Any) -> Response:
        if request.method == method and request.path.startswith(path) and only(request):
            return with_body(response, body, number)
        return response

    return tamper


def operations(change: Callable[[dict[str, Any]], Any]) -> Any:
    """Return a function that changes the operations of each PATCH before the service sees them."""

    def edit(body: Any) -> Any:
        return {**body, "Operations": [{**each, **(change(each) or {})} for each in body["Operations"]]}

    return lambda request: edit_body(request, edit) if request.method == "PATCH" else request


def first_operation(request: Request) -> Request:
    edit = lambda body: {**body, "Operations": body["Operations"][:1]}  # noqa: E731
    return edit_body(request, edit) if request.method == "PATCH" else request


def each_resource(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    return lambda body: {**body, "Resources": [change(each) for each in body["Resources"]]}


def without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {name: value for name, value in body.items() if name not in names}


def lower(request: Request) -> Request:
    """Lower the case of ids and of external ids."""
    parts = request.path.split("/")
    name, operator, value = request.query.partition("+eq+")
    query = f"{name}{operator}{value.lower()}"
    edit = lambda body: {**body, **({"externalId": body["externalId"].lower()} if "externalId" in body else {})}  # noqa: E731
    changed = replace(request, path="/".join([*parts[:2], *map(str.lower, parts[2:])]), query=query)
    return edit_body(changed, edit) if request.method == "POST" else changed


def case_exact(request: Request) -> Request:
    return replace(request, query=request.query.replace("CHECK", "x"))


def types(**changes: Any) -> Any:
    return on("GET", "/ResourceTypes", each_resource(lambda one: one | changes))


def no_paging(request: Request) -> Request:
    return replace(request, query="count=1" if "count=1" in request.query else request.query)


def keeps_deleted(request: Request) -> Request:
    return replace(request, method="GET") if request.method == "DELETE" else request


def filters(text: str, number: int = 400) -> Any:
    """Return a function that refuses filters with a text."""
    return status("GET", "/", number, lambda request: text in unquote_plus(request.query))


def no_types(schema: dict[str, Any]) -> dict[str, Any]:
    for attribute in schema["attributes"]:
        for part in attribute.get("subAttributes", ()):
            part.pop("canonicalValues", None)
    return schema


def plain_json(request: Request, response: Response, body: Any) -> Response:
    return Response(response.status, response.body, (("Content-Type", "application/json"),))


def no_scim_errors(request: Request, response: Response, body: Any) -> Response:
    return with_body(response, {"message": "no"}) if response.status >= 400 else response


def no_conflicts(request: Request, response: Response, body: Any) -> Response:
    return with_body(response, body, 400) if response.status == 409 else response


def config(**changes: Any) -> Any:
    return on("GET", "/ServiceProviderConfig", lambda body: body | changes)


def jwt(**claims: Any) -> str:
    return "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".x"


@dataclass
class Flaw:
    """A flaw of a service. `why` is a part of the reason in the report."""

    why: str
    tamper: Any = None
    before: Any = None
    options: dict[str, Any] = field(default_factory=dict)


FLAWS = {
    "discovery": Flaw("404", status("GET", "/Schemas", 404)),
    "schemas-published": Flaw("urn:x", types(schema="urn:x")),
    "schemas-accurate": Flaw("nickName", on("POST", "/Users", without("nickName"))),
    "resource-type-ids": Flaw("`name`", types(id="x")),
    "id-case": Flaw("200 instead of 404", before=lower),
    "external-id-case": Flaw("no resource", before=lower),
    "user-name-case": Flaw("1 resource", before=case_exact),
    "canonical-types": Flaw("emails", on("GET", "/Schemas", each_resource(no_types))),
    "unique-endpoints": Flaw("same", types(endpoint="/Users")),
    "one-address": Flaw("200 instead of 404", status("GET", "/Users/", 200)),
    "media-type": Flaw("application/json", plain_json),
    "filters": Flaw("400", filters(" and ")),
    "unknown-in-filter": Flaw("200 instead of 400", filters("scimkitCheck", 200)),
    "pages": Flaw("neither", on("GET", "/Users", without("nextCursor")), no_paging),
    "count": Flaw("maxResults", options={"limits": Limits(page=50, default_page=50)}),
    "default-page": Flaw("defaultPageSize", options={"limits": Limits(default_page=50)}),
    "largest-page": Flaw("no number", config(filter={"supported": True})),
    "unknown-attributes": Flaw("201 instead of 400", options={"dialect": TOLERANT}),
    "unknown-schemas": Flaw("201 instead of 400", options={"dialect": TOLERANT}),
    "patch": Flaw("501", status("PATCH", "/Users", 501)),
    "patch-path": Flaw("200 instead of 400", options={"dialect": STRICT}),
    "add-is-replace": Flaw('"Second"', before=operations(lambda one: {"value": "x"} if one["op"] == "add" else {})),
    "replace-complex": Flaw("familyName", options={"dialect": STRICT}),
    "add-complex": Flaw("old familyName", before=operations(lambda one: {"op": "replace"})),
    "replace-collection": Flaw("new value only", before=operations(lambda one: {"op": "add"})),
    "add-collection": Flaw("old and the new", before=operations(lambda one: {"op": "replace"})),
    "patch-keeps": Flaw("404", status("GET", "/Users/", 404)),
    "deletion": Flaw("200 instead of 404", status("DELETE", "/Users", 204), keeps_deleted),
    "name-free": Flaw("409", status("DELETE", "/Users", 204), keeps_deleted),
    "conflicts": Flaw("400 instead of 409", no_conflicts),
    "no-basic": Flaw("httpbasic", config(authenticationSchemes=[{"type": "httpbasic"}])),
    "token-scope": Flaw("scim", options={"token": jwt(scope="scim admin")}),
    "token-expiry": Flaw("exp", options={"token": jwt(scope="scim")}),
    "token-required": Flaw("200 instead of 401", status("GET", "/Users", 200)),
    "requests-a-second": Flaw("429", status("GET", "/Users", 429)),
    "rate-limits": Flaw("no Retry-After", options={"first": ("get-user",)}, tamper=status("GET", "/Users/", 429)),
    "bulk": Flaw("instead of 200", options={"limits": Limits(bulk_operations=0)}),
    "several-attributes": Flaw("both", before=first_operation),
    "errors": Flaw("SCIM error", no_scim_errors),
    "reactivation": Flaw("active is not true", before=operations(lambda one: {"value": False})),
    "delete-user": Flaw("405", status("DELETE", "/Users", 405)),
    "get-user": Flaw("404", status("GET", "/Users/", 404)),
    "user-filters": Flaw("400", filters("emails[type")),
    "user-schema": Flaw("displayName", on("GET", "/Users/", without("displayName"))),
    "no-password": Flaw("password", options={"set_password": lambda *_: None}),
    "all-users": Flaw("no users", on("GET", "/Users", lambda body: body | {"Resources": []})),
    "page-of-1000": Flaw("1,000", config(filter={"supported": True, "maxResults": 2000})),
    "cursors": Flaw("nextCursor", on("GET", "/Users", without("nextCursor"))),
    "group-schema": Flaw("externalId", on("GET", "/Groups/", without("externalId"))),
    "group-names": Flaw("201 instead of 409", status("POST", "/Groups", 201)),
    "groups": Flaw("501", status("PATCH", "/Groups", 501)),
    "group-filters": Flaw("400", filters("members[")),
    "fifty-operations": Flaw("400", options={"limits": Limits(patch_operations=49)}),
}  # fmt: skip
ELSEWHERE = {"tls", "announcement", "revocation"}
"""Clauses that fail in tests of their own."""


@pytest.mark.parametrize("name", [name for name in CLAUSES if name in FLAWS])
def test_a_flaw_is_found(name: str) -> None:
    """A service with a flaw fails the clause, and the report has the reason, the request and the remedy."""
    flaw = FLAWS[name]
    found = result_of(name, tamper=flaw.tamper, before=flaw.before, **flaw.options)
    assert (found.outcome, flaw.why in str(found.reason)) == ("fails", True), found
    shown = found.to_json()
    assert shown["remedy"]
    assert found.exchange is not None or name.startswith("token-")
    assert found.is_breach == (CLAUSES[name].level == "MUST")


def test_each_clause_can_fail() -> None:
    """Each clause has a flaw, except the clauses that no request can show."""
    never = {"canonical-types-of-roles", "all-access", "oauth", "local-changes", "audit", "group-roles"}
    assert CLAUSES.keys() - FLAWS.keys() - ELSEWHERE == never | {"local-accounts"}
    assert len(CLAUSES) == len(PROFILES["ipsie"].clauses)


def test_a_conforming_service() -> None:
    """A service with the dialect `interop` breaks no clause. What depends on the application is named."""
    report = report_of(*CLAUSES)
    assert [each for each in report.results if each.outcome == "fails"] == []
    assert report.passed
    host = {each.clause.name for each in report.of("host")} - {"requests-a-second"}
    assert host == CLAUSES.keys() - FLAWS.keys() | {"token-scope", "token-expiry", "rate-limits"}


def test_the_announcement() -> None:
    """A claim is right if no mandatory clause fails, and wrong otherwise."""
    names = ("patch-path", "announcement")
    assert report_of(*names, announce_interop_profile=True).results[-1].outcome == "conforms"
    wrong = report_of(*names, tamper=config(interopProfileConformant=True), dialect=STRICT).results[-1]
    assert wrong.outcome == "fails"
    assert "patch-path" in str(wrong.reason)
    assert result_of("announcement", tamper=config(interopProfileConformant="yes")).outcome == "fails"


@pytest.mark.parametrize(("url", "outcome"), [("http://help.example.org", "fails"), ("http://localhost:1", "host")])
def test_transport(url: str, outcome: str) -> None:
    """A public URL without TLS fails. On this machine, TLS cannot be seen."""
    profile = Profile("some", (), (CLAUSES["tls"],))
    assert check_profile(profile, url, "x").results[0].outcome == outcome


@pytest.mark.parametrize(("newest", "reason"), [(ssl.TLSVersion.TLSv1_3, None), (ssl.TLSVersion.TLSv1_2, "TLS 1.3")])
def test_the_version_of_tls(tmp_path: Path, newest: ssl.TLSVersion, reason: str | None) -> None:
    """A server that speaks TLS 1.3 conforms, and a server that stops at TLS 1.2 fails."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    context.maximum_version = newest
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection = listener.accept()[0]
            with suppress(OSError), connection, context.wrap_socket(connection, server_side=True):
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        profile = Profile("some", (), (CLAUSES["tls"],))
        found = check_profile(profile, f"https://127.0.0.1:{listener.getsockname()[1]}", "x").results[0]
        thread.join(10)
    assert (found.outcome, reason or "") == ("fails" if reason else "conforms", reason or "")
    assert (reason or "") in (found.reason or "")


def certificate(folder: Path) -> Path:
    """Return a file with a new key and its certificate."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(secret + builder.sign(key, hashes.SHA256()).public_bytes(encoding))
    return folder / "server.pem"


def test_a_service_that_limits_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check waits as `Retry-After` asks, and the clause about rate limits then conforms."""
    waited: list[int] = []
    monkeypatch.setattr(clauses, "sleep", waited.append)
    refused = iter([True, True])

    def limit(request: Request, response: Response, body: Any) -> Response:
        if request.method == "GET" and next(refused, False):
            return Response(429, b"", (("Retry-After", "7"),))
        return response

    assert [each.outcome for each in report_of("get-user", "rate-limits", tamper=limit).results] == ["conforms"] * 2
    assert waited == [7, 7]
    always = lambda request, response, body: Response(429, b"", (("Retry-After", "7"),))  # noqa: E731
    assert result_of("requests-a-second", tamper=always).outcome == "fails"
    never = lambda request, response, body: Response(429, b"", (("Retry-After", "900"),))  # noqa: E731
    waited.clear()
    assert result_of("get-user", tamper=never).outcome == "fails"
    assert waited == []


def test_tokens() -> None:
    """The claims of a JSON Web Token are read, and other tokens cannot be judged."""
    for token, outcome in ((jwt(scope="scim", exp=1), "conforms"), ("a.b.c", "host"), ("opaque", "host")):
        assert [each.outcome for each in report_of("token-scope", "token-expiry", token=token).results] == [outcome] * 2


def test_revokers_in_the_report() -> None:
    """Revokers that run in time conform. Overdue and slow ones fail, and ones of another process are only named."""
    now = [0.0]
    quick = Revoker("sessions", lambda event, transaction: None, clock=lambda: now[0])
    assert result_of("revocation", revokers=[quick]).outcome == "conforms"

    def slow(event: Any, transaction: Any) -> None:
        now[0] += 400

    late = result_of("revocation", revokers=[quick, Revoker("devices", slow, clock=lambda: now[0])])
    assert (late.outcome, late.reason) == ("fails", "These revokers are overdue: devices.")
    assert not late.is_breach
    lax = Revoker("keys", lambda event: None, within=timedelta(minutes=6), moment="after_commit")
    assert "keys" in str(result_of("revocation", revokers=[lax]).reason)
    elsewhere = result_of("revocation", revokers=[quick], listeners=[])
    assert (elsewhere.outcome, "sessions within 300 s" in str(elsewhere.reason)) == ("host", True)
    assert "sessions" in str(result_of("all-access", revokers=[quick]).reason)


def test_no_groups() -> None:
    """The clauses of groups do not apply to an endpoint without groups."""
    from scimkit import USER

    names = [name for name in CLAUSES if name in ("groups", "group-schema", "group-names", "group-filters")]
    assert {each.outcome for each in report_of(*names, resource_types=[USER]).results} == {"not-applicable"}


@pytest.mark.parametrize("body", [[], {"Resources": [1]}, {"Resources": 1}, "x", {"id": 7}, {"id": "x"}])
def test_responses_of_any_form(body: Any) -> None:
    """A service that answers anything fails, without an exception."""
    report = report_of(*CLAUSES, tamper=lambda request, response, _: with_body(response, body, 200))
    assert not report.passed


def test_clauses_name_their_text() -> None:
    """Each clause names the document and the section."""
    assert all(each.section.split(" ")[0] in ("interop", "IPSIE") for each in CLAUSES.values())
    assert isinstance(CLAUSES["tls"], Clause)
