"""The pages show the tokens, connections, entries and resources of the tenant, and change only what a form asks."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import scimkit.admin
from scimkit import MemoryStore, ScimService
from scimkit.admin import ENGLISH, Administrator, AdminSite
from scimkit.admin.attribute_pages import attribute_rows
from scimkit.runner import run_sync
from scimkit.safeguards import Breaker, Revoker, keep_last
from scimkit.schema.agents import AGENT, GROUP_WITH_AGENTS
from scimkit.schema.core import USER
from scimkit.service import Request
from scimkit.stores.protocol import ServedType
from scimkit.stores.sqlalchemy import Constant, ReadOnly
from scimkit.tokens import TokenRegistry
from tests.admin.visitor import ADA, Visitor, location_of, made_site
from tests.stores.mapped.helpdesk import AGENTS, Agent, helpdesk_of

FOLDER = Path(scimkit.admin.__file__).parent
NARROW_ATTRIBUTES = {
    "userName": Agent.login,
    "userType": ReadOnly(Agent.kind),
    'emails[type eq "work"].value': Agent.email,
    'emails[type eq "work"].primary': Constant(True),
}


def scim(service: ScimService, token: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Send a SCIM request, and return the body of the response."""
    given = {"authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    content = b"" if body is None else json.dumps(body).encode()
    response = run_sync(service.handle(Request(method, path, "", given, content)))
    return json.loads(response.body or b"{}")


def a_user(name: str, **more: Any) -> dict[str, Any]:
    """Return the body that creates a user."""
    return {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, **more}


@pytest.fixture
def visitor() -> Visitor:
    """Return an administrator of an empty service with safeguards."""
    protect = ['userName eq "root"', keep_last('roles[value eq "admin"]'), lambda name, document: False]
    return Visitor(made_site(protect=protect, breaker=Breaker(deactivations=0, percent=None)))


def test_a_new_token_is_shown_once(visitor: Visitor) -> None:
    """The answer of the form has the token and the endpoint. No other page has the token."""
    response = visitor.post(
        "/tokens/new", description="Entra <1>", scopes=["read", "write"], expires="90", status="active", guide="okta"
    )
    html = response.body.decode()
    token = re.findall(r"scimkit_\w+", html)
    assert response.status == 200 and len(token) == 1
    assert "https://help.example.org/scim/v2" in html
    assert "Entra &lt;1&gt;" in html
    assert re.search(r"<details name=\"guide\" open>\s*<summary>Okta", html)
    assert dict(response.headers)["Cache-Control"] == "no-store" and "Set-Cookie" not in dict(response.headers)
    (record,) = visitor.site.ports.tokens.list()
    assert record.created_by == ADA.name and record.expires is not None
    for path in ("/", "/tokens", f"/tokens/{record.id}", "/log"):
        assert token[0] not in visitor.get(path)
    assert visitor.site.ports.tokens.verify(token[0]).token_id == record.id


@pytest.mark.parametrize(
    "fields",
    [
        {"description": " "}, {"description": "x" * 201}, {"scopes": []}, {"scopes": ["admin"]},
        {"scopes": ["read:Nothing"]}, {"expires": "tomorrow"}, {"expires": "-1"},
    ],
)  # fmt: skip
def test_a_wrong_form_issues_no_token(visitor: Visitor, fields: dict[str, Any]) -> None:
    """A form with a wrong value is shown again with the problem and the entered values."""
    values = {"description": "Entra", "scopes": ["read"], "expires": "never", **fields}
    response = visitor.post("/tokens/new", **values)
    assert response.status == 422
    assert b'role="alert"' in response.body
    assert visitor.site.ports.tokens.list() == []


def test_the_life_of_a_token(visitor: Visitor) -> None:
    """A token is described anew, deactivated, activated, rotated and revoked. Each form is answered by a redirect."""
    id, token = visitor.new_token()
    verify = visitor.site.ports.tokens.verify
    answer = visitor.post(f"/tokens/{id}", description="Entra 2")
    assert (answer.status, location_of(answer)) == (303, f"/admin/tokens/{id}?done=updated")
    assert "Entra 2" in visitor.get(f"/tokens/{id}", "done=updated")
    assert visitor.post(f"/tokens/{id}/status", status="inactive").status == 303
    assert visitor.site.ports.tokens.find(id).active is False
    assert visitor.post(f"/tokens/{id}/status", status="active").status == 303
    assert "never used" in visitor.get(f"/tokens/{id}/revoke")
    rotated = visitor.post(f"/tokens/{id}/rotate", overlap="1d", expires="never").body.decode()
    assert "stays valid for 1 day" in rotated
    successor = re.findall(r"scimkit_\w+", rotated)[0]
    assert verify(token).token_id == id and verify(successor).token_id != id
    assert "a newer token" in visitor.get(f"/tokens/{id}")
    assert "last used" in visitor.get(f"/tokens/{id}/revoke")
    assert visitor.post(f"/tokens/{id}/revoke").status == 303
    assert visitor.site.ports.tokens.find(id).status(datetime.now(UTC)) == "Revoked"
    for path, fields in ((f"/tokens/{id}", {"description": "x"}), (f"/tokens/{id}/status", {"status": "active"})):
        assert visitor.post(path, **fields).status == 422
    assert visitor.post(f"/tokens/{id}/rotate", overlap="1d", expires="never").status == 422
    assert visitor.post(f"/tokens/{id}/rotate", overlap="1y", expires="never").status == 422


def test_a_connection_tells_its_state(visitor: Visitor) -> None:
    """The page of a token says that it waits, is connected, provisions and fails, with the failures first."""
    id, token = visitor.new_token()
    service = visitor.site.service
    assert "Waiting for Test Connection" in visitor.get(f"/tokens/{id}")
    scim(service, token, "GET", "/Users")
    assert ">Connected<" in visitor.get(f"/tokens/{id}")
    scim(service, token, "POST", "/Users", a_user("bo"))
    assert ">Provisioning<" in visitor.get(f"/tokens/{id}")
    scim(service, token, "POST", "/Users", a_user("bo"))
    html = visitor.get(f"/tokens/{id}")
    assert "Some changes fail" in html and html.index("Latest failures") < html.index(">Cycles<")
    assert "Failing" in visitor.get("/tokens")
    assert "uniqueness" in visitor.get("/log", f"result=Failure&token={id}")


def test_an_entry_in_full(visitor: Visitor) -> None:
    """An entry has the changed attributes, the quirk in words, and the request id. A person's page has all entries."""
    _, token = visitor.new_token()
    service, log = visitor.site.service, visitor.site.service.provisioning_log
    user = scim(service, token, "POST", "/Users", a_user("bo", title="Agent"), user_agent="Microsoft/1")
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "Replace", "path": "title", "value": "Lead"}]}  # fmt: skip
    scim(service, token, "PATCH", f"/Users/{user['id']}", body, x_request_id="req-77")
    newest = visitor.site.service.provisioning_log.search(scimkit.provisioning.LogQuery(tenant="default")).entries[0]
    html = visitor.get(f"/log/{newest.id}")
    for text in ("Agent", "Lead", "req-77", "op-case", "in title case"):
        assert text in html
    person = visitor.get(f"/resources/User/{user['id']}")
    assert person.count("/admin/log/") >= 2 and "Lead" in person
    assert "bo" in visitor.get("/log", "person=BO&action=Update&since=1d")
    assert visitor.send("GET", "/log/not-an-id").status == 404
    assert log is not None
    scim(service, token, "DELETE", f"/Users/{user['id']}")
    failed = visitor.get(f"/resources/User/{user['id']}")
    assert "too many" in failed.lower() or "refused" in failed.lower()


def test_a_failed_creation_belongs_to_the_person(visitor: Visitor) -> None:
    """The page of a person has the attempts to create the person that failed."""
    _, token = visitor.new_token()
    user = scim(visitor.site.service, token, "POST", "/Users", a_user("bo"))
    scim(visitor.site.service, token, "POST", "/Users", a_user("bo"))
    assert "uniqueness" in visitor.get(f"/resources/User/{user['id']}")


def test_groups_show_their_members_page_by_page(visitor: Visitor) -> None:
    """A group shows 100 members, and a link to the next ones."""
    _, token = visitor.new_token()
    ids = [scim(visitor.site.service, token, "POST", "/Users", a_user(f"u{n:03}"))["id"] for n in range(103)]
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "All",
            "members": [{"value": each} for each in ids]}  # fmt: skip
    group = scim(visitor.site.service, token, "POST", "/Groups", body)["id"]
    first = visitor.get(f"/resources/Group/{group}")
    after = re.search(r"\?after=(\d+)", first)
    assert after is not None
    assert first.count("/resources/User/") == 100
    assert visitor.get(f"/resources/Group/{group}", f"after={after[1]}").count("/resources/User/") == 3
    assert "103 found" in visitor.get("/resources/User")
    assert "u050" in visitor.get("/resources/User", "page=3")
    assert "1 found" in visitor.get("/resources/User", "search=u1&search=u101")


def test_safeguards_are_shown_and_released(visitor: Visitor) -> None:
    """A tripped breaker is shown and released. The protected resources are named."""
    _, token = visitor.new_token()
    service = visitor.site.service
    scim(service, token, "POST", "/Users", a_user("root"))
    user = scim(service, token, "POST", "/Users", a_user("bo"))["id"]
    assert "permitted" in visitor.get("/safeguards")
    scim(service, token, "DELETE", f"/Users/{user}")
    html = visitor.get("/safeguards")
    assert "refused since" in html and ">root<" in html and "roles[value eq &#34;admin&#34;]" in html
    assert visitor.post("/safeguards/release", pause="1h").status == 303
    assert "permitted" in visitor.get("/safeguards", "done=released")
    assert Visitor(made_site()).send("GET", "/safeguards").status == 404


def test_the_attribute_map_says_what_is_not_kept() -> None:
    """The attribute map has the paths of a mapping page, and marks attributes that the store does not keep."""
    rows = {each.path: each for each in attribute_rows(USER, ServedType(USER, ("title", "name.middleName")))}
    assert rows["userName"].is_required and rows["userName"].is_unique
    assert 'emails[type eq "work"].value' in rows
    assert "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department" in rows
    assert not rows["title"].is_kept and not rows["name.middleName"].is_kept and rows["displayName"].is_kept
    assert rows["groups.value"].is_read_only

    visitor = Visitor(made_site(set_password=lambda *_: None))
    assert "Not kept" not in visitor.get("/attributes")
    visitor.site.service.store.serves = (ServedType(USER, ("title",)),)  # type: ignore[union-attr]
    assert visitor.get("/attributes").count("Not kept") == 1
    without_hook = Visitor(made_site()).get("/attributes")
    assert without_hook.count("Not kept") == 1
    assert re.search(r"<code>password</code>(?:(?!<tr>).)*Not kept", without_hook, re.DOTALL)


def test_the_attribute_map_of_own_tables() -> None:
    """The map says which attributes a mapping never writes, and which elements of an attribute it keeps."""
    store = helpdesk_of("sqlite", (replace(AGENTS, attributes=NARROW_ATTRIBUTES, rest=None),))
    rows = {each.path: each for each in attribute_rows(USER, store.serves[0])}
    assert rows["userType"].is_read_only and rows["userType"].is_kept and not rows["userName"].is_read_only
    work = rows['emails[type eq "work"].value']
    assert work.is_kept and work.is_only_element and not work.is_read_only
    assert rows['emails[type eq "work"].type'].is_kept
    assert rows['emails[type eq "work"].primary'].is_read_only
    assert not rows['emails[type eq "work"].display'].is_kept
    assert "emails.type" not in rows and not rows['phoneNumbers[type eq "work"].value'].is_kept

    kept = replace(AGENTS, attributes=NARROW_ATTRIBUTES)
    [served] = helpdesk_of("sqlite", (kept,)).serves
    assert not any(each.is_only_element or not each.is_kept for each in attribute_rows(USER, served))
    [served] = helpdesk_of("sqlite", (replace(kept, complete=["emails"]),)).serves
    rows = {each.path: each for each in attribute_rows(USER, served)}
    assert all(each.is_kept for each in rows.values())
    assert rows['emails[type eq "work"].display'].is_only_element and not rows["userType"].is_only_element

    html = Visitor(made_site(store=store)).get("/attributes")
    assert html.count("other values are not kept") == 3


def test_a_service_without_a_log_has_pages_too() -> None:
    """Without a provisioning log, the pages say so."""
    visitor = Visitor(made_site(store=MemoryStore()))
    id, _ = visitor.new_token()
    assert "no provisioning log" in visitor.get(f"/tokens/{id}")
    assert "no provisioning log" in visitor.get("/log")
    assert visitor.send("GET", "/log/0195d5f2-0000-7000-8000-000000000000").status == 404


def test_every_word_is_used() -> None:
    """The templates and modules use each word of the table. A missing word makes a page fail in the other tests."""
    sources = [*FOLDER.glob("templates/*.html"), *FOLDER.glob("*.py")]
    text = "\n".join(each.read_text() for each in sources)
    built = re.findall(r"['\"]([a-z_.]+\.)['\"] ~", text) + [
        f"{each}." for each in re.findall(r"m\.options\('([a-z.]+)'", text)
    ]
    prefixes = (*built, "time.", "guide.")
    unused = {key for key in ENGLISH if not key.startswith(prefixes) and not re.search(rf"['\"]{key}['\"]", text)}
    assert not unused


def test_words_can_be_replaced() -> None:
    """A host replaces words by key. An unknown key is refused."""
    tokens = TokenRegistry()
    service = made_site().service
    words = {"tokens.title": "SCIM-Token", "language": "de"}
    site = AdminSite(service, tokens, endpoint="/scim", authorize=lambda _: ADA, words=words)
    html = Visitor(site).get("/tokens")
    assert '<html lang="de">' in html and "SCIM-Token" in html
    with pytest.raises(ValueError, match="nope"):
        AdminSite(service, tokens, endpoint="/scim", authorize=lambda _: ADA, words={"nope": ""})


def test_a_site_needs_to_know_who_may_enter() -> None:
    """Without `authorize`, a site is refused, except in development, where a page explains it."""
    tokens = TokenRegistry()
    service = made_site().service
    with pytest.raises(ValueError, match="authorize"):
        AdminSite(service, tokens, endpoint="/scim")
    site = AdminSite(service, tokens, endpoint="/scim", development=True)
    response = Visitor(site, run_sync(site.administrator({}))).send("GET", "/tokens")
    assert response.status == 403 and b"AdminSite(service, tokens" in response.body


def test_an_old_expiry_is_shown(visitor: Visitor) -> None:
    """An expired token has no connection and no forms."""
    past = TokenRegistry(visitor.site.ports.tokens._store, clock=lambda: datetime.now(UTC) - timedelta(days=2))
    issued = past.issue("Old", expires_in=timedelta(days=1))
    html = visitor.get(f"/tokens/{issued.record.id}")
    assert "Expired" in html and "Deactivate" not in html
    assert "No connection" in visitor.get("/tokens")


def test_other_tenants_stay_hidden(visitor: Visitor) -> None:
    """Tokens, entries and resources of another tenant are answered with 404, and nothing about them changes."""
    id, token = visitor.new_token()
    user = scim(visitor.site.service, token, "POST", "/Users", a_user("bo"))["id"]
    log: Any = visitor.site.service.provisioning_log
    entry = log.search(scimkit.provisioning.LogQuery(tenant="default")).entries[0].id
    eve = Visitor(visitor.site, Administrator("eve@example.net", tenant="other"))
    for path in (f"/tokens/{id}", f"/tokens/{id}/rotate", f"/tokens/{id}/revoke", f"/log/{entry}",
                 f"/resources/User/{user}"):  # fmt: skip
        assert eve.send("GET", path).status == 404
    for path in ("", "/status", "/rotate", "/revoke"):
        fields = {"description": "x", "status": "inactive", "overlap": "none", "expires": "never"}
        assert eve.post(f"/tokens/{id}{path}", **fields).status == 404
    for path in ("/tokens", "/log", "/resources/User", "/safeguards"):
        assert "bo" not in re.findall(r">\s*(\w+)\s*<", eve.get(path)) and id not in eve.get(path)
    assert visitor.site.ports.tokens.find(id).status(datetime.now(UTC)) == "Active"


def test_agents_have_pages() -> None:
    """The list of agents has their names and states, and the page of an agent its owners and its entries."""
    visitor = Visitor(made_site(resource_types=(USER, GROUP_WITH_AGENTS, AGENT)))
    service, (_, token) = visitor.site.ports.service, visitor.new_token()
    ada = scim(service, token, "POST", "/Users", a_user("ada"))["id"]
    body = {"schemas": [AGENT.schema], "agentUserName": "helpdesk-bot", "active": False, "owners": [{"value": ada}]}
    bot = scim(service, token, "POST", "/Agents", body)["id"]
    html = visitor.get("/resources/Agent")
    assert "AI agents" in html and "helpdesk-bot" in html and "Inactive" in html
    html = visitor.get(f"/resources/Agent/{bot}")
    assert "helpdesk-bot" in html and ada in html and "Create" in html
    assert bot in visitor.get("/resources/Agent", "search=helpdesk-b")
    assert bot not in visitor.get("/resources/Agent", "search=other")


def test_access_that_has_not_ended_is_shown() -> None:
    """The first page and the log name the users whose revocation is overdue, in the tenant only."""
    store = MemoryStore(provisioning_log=True)
    revoker = Revoker(
        "devices", lambda event: None, moment="after_commit", confirmed=True, log=store.provisioning_log,
        within=timedelta(microseconds=1),
    )  # fmt: skip
    visitor = Visitor(made_site(store=store, listeners=revoker.listeners))
    _, token = visitor.new_token()
    service = visitor.site.service
    user = scim(service, token, "POST", "/Users", a_user("<b>ada</b>"))["id"]
    assert "may still have access" not in visitor.get("/tokens")
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": False}]}  # fmt: skip
    scim(service, token, "PATCH", f"/Users/{user}", body)
    for path in ("/tokens", "/log"):
        html = visitor.get(path)
        assert "Users who may still have access" in html and "devices, overdue by" in html
        assert "&lt;b&gt;ada&lt;/b&gt;</a>: devices" in html
    link = re.search(r'href="/admin(/log/[^"]+)">&lt;b&gt;ada&lt;/b&gt;</a>: devices', visitor.get("/log"))
    assert link is not None and "must end within" in visitor.get(link[1])
    eve = Visitor(visitor.site, Administrator("eve@example.net", tenant="other"))
    assert "may still have access" not in eve.get("/log") + eve.get("/tokens")
    revoker.confirm("default", user)
    assert "may still have access" not in visitor.get("/log") + visitor.get("/tokens")
    for number in range(22):
        scim(service, token, "DELETE", f"/Users/{scim(service, token, 'POST', '/Users', a_user(str(number)))['id']}")
    assert "and 2 more" in visitor.get("/tokens")
