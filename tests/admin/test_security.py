"""Attacks on the admin page: forms from elsewhere, hostile values, wrong input, and links that were used before."""

from __future__ import annotations

import logging
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimkit.admin import Administrator, AdminSite, OneTimeLinks
from scimkit.admin.rendering import STATIC_FILES, STATIC_VERSION
from scimkit.runner import run_sync
from scimkit.service import Request
from tests.admin.test_pages import a_user, scim
from tests.admin.visitor import ADA, ROOT, Visitor, made_site

MARK = "zqx"
HOSTILE = st.sampled_from([
    f"<script>alert('{MARK}')</script>",
    f"\"><img src=x onerror=alert('{MARK}')>",
    f"' onfocus=alert({MARK}) autofocus '",
    f"</textarea></title></script><svg/onload={MARK}>",
    f"{{{{ 7*7 }}}}{{% raw %}}{MARK}",
    f"javascript:alert('{MARK}')",
    f"`<b>{MARK}</b>`",
    f"{{call.request}}{{0}}%s %(name)s {MARK}",
    f"]]><!-- {MARK}",
    f"\u202e{MARK}\u2066",
]).flatmap(lambda text: st.text(max_size=8).map(text.__add__))  # fmt: skip
PAGES = ("/", "/tokens", "/log", "/resources/User", "/resources/Group", "/attributes", "/safeguards", "/tokens/new")


class Elements(HTMLParser):
    """Collects the elements of a page that could run a script, and the values of attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[Any] = []
        self.foreign: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts, styles and handlers, and links to another place."""
        names = dict(attrs)
        if tag == "script" and not (names.get("src") or "").startswith("/admin/static/"):
            self.scripts.append(attrs)
        if tag in ("style", "iframe", "object", "embed", "base", "svg") or any(
            name.startswith("on") or name == "style" for name in names
        ):
            self.scripts.append((tag, attrs))
        for name in ("href", "src", "action"):
            value = names.get(name)
            if value is not None and not value.startswith(("/admin/", "#")):
                self.foreign.append(value)


def check_harmless(html: str) -> None:
    """Check that a page runs no script and has no style of its own, and refers to its own host only."""
    found = Elements(html)
    assert (found.scripts, found.foreign) == ([], [])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(HOSTILE, min_size=6, max_size=6))
def test_hostile_values_are_text(texts: list[str]) -> None:
    """No value of an attribute or a header becomes markup on any page."""
    visitor = Visitor(made_site())
    name, display, title, agent, group, person = texts
    description = "".join(each for each in name if each.isprintable()) or MARK
    id, token = visitor.new_token(description)
    service = visitor.site.service
    headers = {"user_agent": agent.encode("ascii", "ignore").decode(), "x_request_id": MARK + agent}
    user = scim(service, token, "POST", "/Users", a_user(name, displayName=display, title=title, externalId=group,
                emails=[{"value": display, "type": title}]), **headers)  # fmt: skip
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "Replace", "path": "title", "value": group}]}  # fmt: skip
    scim(service, token, "PATCH", f"/Users/{user.get('id')}", body, **headers)
    scim(service, token, "POST", "/Users", a_user(name, displayName=display), **headers)
    scim(service, token, "POST", "/Groups", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
         "displayName": group, "members": [{"value": title}, {"value": str(user.get("id"))}]}, **headers)  # fmt: skip
    log: Any = service.provisioning_log
    entries = log.search(__import__("scimkit").provisioning.LogQuery(tenant="default")).entries
    assert entries
    for path in (*PAGES[:-2], f"/tokens/{id}", f"/tokens/{id}/revoke", *(f"/log/{each.id}" for each in entries)):
        response = visitor.send("GET", path)
        assert response.status in (200, 404)
        check_harmless(response.body.decode())
    for path in ("/log", "/resources/User"):
        query = re.sub(r"[^!-~]", "+", f"person={person}&search={person}&page={person}&cursor={person}&result={person}")
        check_harmless(visitor.get(path, query))
    if "id" in user:
        check_harmless(visitor.get(f"/resources/User/{user['id']}"))


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "TRACE", "x"]),
    st.one_of(st.sampled_from(["/", "/tokens/new", "/tokens/x/rotate", "/log/x", "/static/x/y", "/enter/x",
                               "/safeguards/release"]),
              st.text(max_size=30).map("/".__add__),
              st.builds("/{}/{}".format, st.sampled_from(["tokens", "log", "resources/User"]), st.text(max_size=20))),
    st.text(max_size=40), st.binary(max_size=60),
    st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data", "", "text/plain; charset=\u00e9"]),
)  # fmt: skip
def test_wrong_input_is_never_an_error_of_the_server(
    method: str, path: str, query: str, body: bytes, content_type: str
) -> None:
    """No method, path, query or body makes the page fail."""
    response = Visitor(SITE).send(method, path, query, body, content_type=content_type)
    assert response.status < 500
    assert dict(response.headers)["X-Frame-Options"] == "DENY"


SITE = made_site()


@pytest.mark.parametrize("path", [*PAGES, "/nope", f"/static/{STATIC_VERSION}/admin.css"])
def test_every_response_has_the_headers(path: str) -> None:
    """Every response forbids frames, inline scripts and styles, sniffing and referrers."""
    response = Visitor(SITE).send("GET", path)
    headers = dict(response.headers)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert ("immutable" if "static" in path else "no-store") in headers["Cache-Control"]
    if "static" not in path:
        check_harmless(response.body.decode())


def test_static_files_have_a_version() -> None:
    """Static files are found under their version only."""
    visitor = Visitor(SITE, None)
    for name, (content, media_type) in STATIC_FILES.items():
        response = visitor.send("GET", f"/static/{STATIC_VERSION}/{name}")
        assert (response.body, dict(response.headers)["Content-Type"]) == (content, media_type)
        assert visitor.send("GET", f"/static/old/{name}").status == 404
    assert visitor.send("POST", f"/static/{STATIC_VERSION}/admin.css").status == 405


def test_nobody_enters_without_permission() -> None:
    """A person without permission gets 403 for every page and form, with no detail."""
    for method in ("GET", "POST"):
        for path in (*PAGES, "/nope", "/tokens/x/revoke"):
            response = Visitor(SITE, None).send(method, path)
            assert response.status == 403 and b"form" not in response.body


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303), ({"sec_fetch_site": "same-origin"}, 303), ({"origin": "https://help.example.org"}, 303),
        ({"origin": "null"}, 303), ({"sec_fetch_site": "cross-site"}, 403), ({"sec_fetch_site": "same-site"}, 403),
        ({"origin": "https://evil.example"}, 403), ({"origin": "https://help.example.org.evil.example"}, 403),
        ({"origin": "null", "sec_fetch_site": "cross-site"}, 403),
    ],
)  # fmt: skip
def test_forms_of_other_origins_are_refused(headers: dict[str, str], status: int) -> None:
    """A form with a valid token is accepted from the same origin only."""
    visitor = Visitor(made_site())
    id, _ = visitor.new_token()
    body = f"form_token={visitor.form_token()}&status=inactive".encode()
    kind = "application/x-www-form-urlencoded"
    assert visitor.send("POST", f"/tokens/{id}/status", "", body, content_type=kind, **headers).status == status
    assert visitor.site.ports.tokens.find(id).active is (status == 403)


def test_the_page_for_a_wrong_origin_names_the_address_to_open() -> None:
    """A valid form from another origin gets the address of the page, escaped. Reloading the page would not help."""
    visitor = Visitor(made_site())
    body, kind = f"form_token={visitor.form_token()}".encode(), "application/x-www-form-urlencoded"
    elsewhere = {"content-type": kind, "origin": "http://127.0.0.1:8000"}
    for base_url, shown in ((ROOT, ROOT), ("https://h/<b>{0}", "https://h/&lt;b&gt;{0}")):
        request = Request("POST", "/tokens/new", headers=elsewhere, body=body, base_url=base_url)
        response = run_sync(visitor.site.handle(request, ADA))
        html = response.body.decode()
        assert response.status == 403
        assert f"Open the page at {shown} and try again" in html and "not valid any more" not in html
    forged = visitor.send("POST", "/tokens/new", body=b"form_token=x.y", content_type=kind, sec_fetch_site="cross-site")
    assert "not valid any more" in forged.body.decode() and ROOT not in forged.body.decode()


@pytest.mark.parametrize(
    "thief",
    [Administrator("eve@example.org", session="s1"), Administrator(ADA.name, tenant="other", session="s1"),
     Administrator(ADA.name, session="s2")],
)  # fmt: skip
def test_form_tokens_belong_to_one_session(thief: Administrator) -> None:
    """The token of a form is refused for another name, another tenant and another session."""
    visitor = Visitor(made_site())
    id, _ = visitor.new_token()
    stolen = Visitor(visitor.site, thief).form_token()
    assert visitor.post(f"/tokens/{id}/revoke", stolen).status == 403
    for wrong in ("", "x", "a.b", "." + "0" * 64, "é.é"):
        assert visitor.post(f"/tokens/{id}/revoke", wrong).status == 403
    assert visitor.site.ports.tokens.find(id).revoked is None


def test_processes_share_the_key_of_forms() -> None:
    """Two processes with the same key accept each other's forms. Two random keys do not."""

    def site(key: bytes | None) -> AdminSite:
        return AdminSite(SITE.service, SITE.ports.tokens, endpoint="/", authorize=lambda _: ADA, key=key)

    for first, second, status in ((b"k" * 32, b"k" * 32, 422), (None, None, 403)):
        token = Visitor(site(first)).form_token()
        assert Visitor(site(second)).post("/tokens/new", token, description="").status == status


def test_a_link_works_once() -> None:
    """A one-time link starts a session with a new id. The link then no longer works, and changed cookies never do."""
    links = OneTimeLinks(b"k" * 32)
    code = links.issue("ops", tenant="acme")
    first = links.redeem(code)
    assert first is not None and links.redeem(code) is None
    scope = {"headers": [(b"cookie", f"other=1; scimkit_admin={first}".encode())]}
    person = links.authorize(scope)
    assert person is not None and (person.name, person.tenant) == ("ops", "acme")
    assert links.authorize({"HTTP_COOKIE": f"scimkit_admin={first}"}) == person
    second = links.redeem(links.issue("ops", tenant="acme"))
    assert second is not None and links.authorize({"HTTP_COOKIE": f"scimkit_admin={second}"}) != person
    for wrong in ("", "x", first[:-1], first + "0", code, first.replace(".", "..", 1), "é", '"', first.upper()):
        assert links.authorize({"HTTP_COOKIE": f"scimkit_admin={wrong}"}) is None
    assert links.redeem(first) is None
    assert OneTimeLinks(b"j" * 32).redeem(links.issue("ops")) is None


def test_links_and_sessions_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link ends after one hour, and a session after eight hours."""
    links = OneTimeLinks()
    code, later = links.issue("ops"), __import__("time").time()
    cookie = links.redeem(links.issue("ops"))
    monkeypatch.setattr("scimkit.admin.one_time_links.time", lambda: later + 3601)
    assert links.redeem(code) is None
    assert links.authorize({"HTTP_COOKIE": f"scimkit_admin={cookie}"}) is not None
    monkeypatch.setattr("scimkit.admin.one_time_links.time", lambda: later + 8 * 3600 + 1)
    assert links.authorize({"HTTP_COOKIE": f"scimkit_admin={cookie}"}) is None


def test_entering_sets_a_strict_cookie() -> None:
    """The page of a link sets a new cookie, which neither scripts nor other sites can use."""
    links = OneTimeLinks()
    site = AdminSite(SITE.service, SITE.ports.tokens, endpoint="/", authorize=links)
    fixed = "scimkit_admin=chosen-by-an-attacker"
    response = Visitor(site, None).send("GET", f"/enter/{links.issue('ops')}", cookie=fixed)
    cookie = dict(response.headers)["Set-Cookie"]
    assert response.status == 200 and "chosen" not in cookie
    for part in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/admin"):
        assert part in cookie
    again = Visitor(site, None).send("GET", "/enter/wrong")
    assert again.status == 403 and "Set-Cookie" not in dict(again.headers)
    assert Visitor(SITE, None).send("GET", "/enter/wrong").status == 403


def test_log_records_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """A name with line feeds cannot forge a record in the log of the application. No record has a token."""
    caplog.set_level(logging.INFO, "scimkit.admin")
    visitor = Visitor(SITE, Administrator("ada\nINFO forged"))
    id, token = visitor.new_token()
    visitor.post(f"/tokens/{id}/revoke")
    texts = [each.getMessage() for each in caplog.records if each.name == "scimkit.admin"]
    assert len(texts) == 2 and all("\n" not in each and token not in each for each in texts)


def test_a_failure_shows_no_detail() -> None:
    """An exception of a port is answered with a page without details, and so is one of `authorize`."""
    site = made_site()

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret detail")

    site.ports.tokens.list = broken  # type: ignore[method-assign]
    logging.disable(logging.CRITICAL)
    try:
        response = Visitor(site).send("GET", "/tokens")
        failing = AdminSite(SITE.service, SITE.ports.tokens, endpoint="/", authorize=broken)
        with pytest.raises(Exception, match="failed to process"):
            run_sync(failing.administrator({}))
    finally:
        logging.disable(logging.NOTSET)
    assert response.status == 500 and b"secret" not in response.body


def test_large_forms_are_refused() -> None:
    """A form beyond the limit, or with too many fields, changes nothing."""
    visitor = Visitor(SITE)
    kind = "application/x-www-form-urlencoded"
    for body in (b"a" * 70_000, b"a=1&" * 300):
        assert visitor.send("POST", "/tokens/new", "", body, content_type=kind).status == 400
    assert visitor.send("GET", "/log", "&".join(f"a{n}=1" for n in range(300))).status == 400
