"""The page in Chromium, while the simulator of Entra provisions. One browser and one server serve all tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from scimkit.admin import Administrator
from scimkit.events import UserDeactivated
from scimkit.provisioning import LogQuery
from scimkit.provisioning.revocations import begun_entry
from scimkit.testing.directory import Person, key_of, sample_directory
from scimkit.testing.server import running
from tests.admin.helpdesk import CHROMIUM, DESKTOP, PHONE, Helpdesk, chromium, fail_a_person, helpdesk
from tests.admin.test_pages import a_user, scim

pytest.importorskip("playwright", reason="the browser tests need the package playwright")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="the browser tests need Chromium: apt-get install chromium"),
    pytest.mark.xdist_group("chromium"),
]

BY_LOOKS: Final = "{runOnly: ['color-contrast', 'target-size', 'scrollable-region-focusable']}"
"""The rules of axe-core that depend on colors and sizes."""
HOSTILE: Final = "\"'><img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>{{7*7}}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Run one browser for all tests."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def desk() -> Iterator[Helpdesk]:
    """Serve one helpdesk for all tests."""
    with helpdesk() as served:
        yield served


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """Open a page that reports each dialog, each error of a script, and each violation of the policy."""
    context = browser.new_context(viewport=DESKTOP, permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(10_000)
    opened = context.new_page()
    opened.trouble = []
    opened.on("dialog", lambda dialog: (opened.trouble.append(dialog.message), dialog.dismiss()))
    opened.on("pageerror", lambda error: opened.trouble.append(str(error)))
    opened.on("console", lambda line: opened.trouble.append(line.text) if line.type == "error" else None)
    opened.on("request", lambda sent: opened.trouble.append(sent.url) if "127.0.0.1" not in sent.url else None)
    yield opened
    context.close()


def test_the_story(desk: Helpdesk, page: Any) -> None:
    """An administrator creates, connects, watches, repairs, rotates, deactivates and revokes without another tool."""
    page.goto(desk.admin)
    page.click("text=+ New token")
    page.fill("#description", "Microsoft Entra ID")
    page.select_option("#guide", "entra")
    page.click("button:has-text('Create token')")
    page.click("text=Copy token")
    page.wait_for_selector("text=Copied")
    token = page.evaluate("navigator.clipboard.readText()")
    page.click("text=Copy SCIM endpoint")
    page.wait_for_function(f"navigator.clipboard.readText().then(text => text === '{desk.endpoint}')")
    page.wait_for_selector("details[open] >> text=Secret Token")
    assert desk.tokens.verify(token).description == "Microsoft Entra ID"

    page.click("text=Wait for Test Connection")
    page.wait_for_selector("h2:text-is('Waiting for Test Connection')")
    directory = sample_directory()
    entra = desk.entra(token, directory)
    assert entra.test_connection()
    page.wait_for_selector("h2:text-is('Connected')")  # the page refreshes by itself
    connection = page.url

    page.click("text=All entries of this token")
    page.wait_for_selector("text=No entry matches.")
    assert entra.provision_on_demand(key_of("ada"))
    page.wait_for_selector("main a:text-is('ada.king@example.org')")
    assert entra.initial_cycle()

    fail_a_person(directory)
    assert not entra.incremental_cycle()
    page.goto(connection)
    page.wait_for_selector("h2:text-is('Some changes fail')")
    page.click("main a:text-is('sam@example.org')")
    page.wait_for_selector("text=Another resource here already has this name.")
    assert page.input_value("#request-id")
    page.click("text=Everything that happened to this resource")
    page.locator("main th:has-text('sam@example.org')").nth(1).wait_for()
    directory.change(key_of("sam"), user_name="sam.ng@example.org")
    assert entra.incremental_cycle()

    page.goto(connection)
    page.click("text=Rotate")
    page.click("button:has-text('Rotate token')")
    successor = page.input_value("#token")
    page.click("text=Wait for Test Connection")
    directory.change(key_of("bo"), title="Lead")
    assert entra.incremental_cycle()  # the old token still works
    renewed = desk.entra(successor, directory)
    assert renewed.test_connection() and renewed.synchronize()
    page.wait_for_selector("h2:text-is('Provisioning')")

    page.click("button:has-text('Deactivate')")
    page.wait_for_selector("[role=status]:has-text('inactive')")
    assert not renewed.test_connection()
    page.click("button:has-text('Activate')")
    page.wait_for_selector("[role=status]:has-text('active')")
    assert renewed.test_connection()
    page.click("text=Revoke")
    page.wait_for_selector("text=Provisioning with this token stops.")
    page.click("button:has-text('Revoke token')")
    page.wait_for_selector("[role=status]:has-text('revoked')")
    assert not renewed.test_connection()
    assert page.trouble == []
    entra.close()
    renewed.close()


def test_the_story_of_a_client(desk: Helpdesk, page: Any) -> None:
    """An administrator creates a client, sees why it is refused, adds a secret and a trust, and ends all of them."""
    page.goto(desk.admin)
    page.click("text=OAuth clients")
    page.click("text=+ New client")
    page.fill("#description", "Microsoft Entra ID")
    page.click("button:has-text('Create client')")
    page.click("text=Copy secret")
    page.wait_for_selector("text=Copied")
    first = page.evaluate("navigator.clipboard.readText()")
    page.wait_for_selector("details[open] >> text=Client Secret")
    endpoint, id = page.input_value("#token-endpoint"), page.input_value("#client-id")
    assert endpoint == f"{desk.url}/oauth/token"

    def status_of(secret: str) -> int:
        grant = {"grant_type": "client_credentials"}
        return httpx.post(endpoint, data=grant, auth=(id, secret)).status_code

    page.click("text=Wait for Test Connection")
    page.wait_for_selector("text=no access token at present")
    assert (status_of(first), status_of("wrong")) == (200, 401)
    page.wait_for_selector("text=the secret of the client is wrong")  # the page refreshes by itself
    assert page.locator("text=no access token at present").count() == 0
    page.click("main a:text-is('Microsoft Entra ID')")
    page.wait_for_selector("text=wrong or expired secret")
    page.click("main a:text-is('Microsoft Entra ID')")

    page.click("text=Add a secret")
    page.click("button:has-text('Add secret')")
    second = page.input_value("#client-secret")
    assert [status_of(each) for each in (first, second)] == [200, 200]
    page.click("text=Wait for Test Connection")
    page.click(f"[aria-label='Remove the secret that ends in {first[-4:]}']")
    page.click("button:has-text('Remove secret')")
    page.wait_for_selector("[role=status]:has-text('The secret is removed')")
    assert [status_of(each) for each in (first, second)] == [401, 200]

    page.click("text=Add a trust")
    page.fill("#issuer", "https://login.example.org/v2.0")
    page.fill("#subject", "job-1")
    page.fill("#audience", "api://scim")
    page.fill("#jwks", "http://login.example.org/keys")
    page.click("button:has-text('Add trust')")
    page.wait_for_selector("[role=alert]:has-text('https://')")
    assert page.input_value("#issuer") and page.evaluate("document.activeElement.id") == "jwks"
    page.fill("#jwks", "https://login.example.org/keys")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]:has-text('The trust is added.')")
    page.click("main a:text-is('Revoke')")
    page.click("button:has-text('Revoke client')")
    page.wait_for_selector("[role=status]:has-text('The client is revoked')")
    assert status_of(second) == 401
    assert [each for each in page.trouble if "422" not in each] == []  # the wrong form is answered with 422


def test_hostile_values_run_nowhere(desk: Helpdesk, page: Any) -> None:
    """Scripts in names, descriptions, headers and error details are shown as text on every page."""
    issued = desk.tokens.issue(HOSTILE)
    directory = sample_directory()
    key = key_of("eve")
    directory.hire(Person(key, HOSTILE, HOSTILE, HOSTILE, "eve@example.org", title=HOSTILE))
    directory.rename(key_of("team/billing"), HOSTILE)
    entra = desk.entra(issued.token, directory)
    entra.provision_on_demand(key)
    entra.provision_on_demand(key_of("team/billing"))
    entra.close()
    log: Any = desk.service.provisioning_log
    entries = log.search(LogQuery(tenant="default", token_id=issued.record.id)).entries
    users = {each.resource_id for each in entries if each.resource_type == "User" and each.resource_id}
    assert users
    paths = [
        "tokens",
        f"tokens/{issued.record.id}",
        f"tokens/{issued.record.id}/revoke",
        "log",
        "resources/User",
        "resources/Group",
        *(f"log/{each.id}" for each in entries),
        *(f"resources/User/{id}" for id in users),
    ]
    for path in paths:  # fmt: skip
        page.goto(f"{desk.admin}/{path}", wait_until="networkidle" if path == "log" else "load")
        assert page.locator("main img, main svg, main script").count() == 0
    page.goto(f"{desk.admin}/log?person=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.input_value("#person") == '"><script>alert(1)</script>'
    assert page.trouble == []


def test_other_sites_cannot_act(desk: Helpdesk, page: Any) -> None:
    """A page of another origin can neither frame the admin page nor send its forms."""
    issued = desk.tokens.issue("victim")
    target = f"{desk.admin}/tokens/{issued.record.id}/revoke"
    html = (
        f"<iframe src='{desk.admin}/tokens'></iframe>"
        f"<form method=post action='{target}'><input name=form_token value=x><button>Win</button></form>"
    )

    async def attacker(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": html.encode()})

    with running(attacker) as url:
        page.goto(url)
        assert "SCIM tokens" not in page.frames[1].content()
        page.click("text=Win")
        page.wait_for_selector("text=This form is not valid any more.")
    assert desk.tokens.find(issued.record.id).revoked is None


def test_other_tenants_and_strangers_see_nothing(desk: Helpdesk, page: Any) -> None:
    """An administrator of another tenant gets 404, and a stranger gets 403."""
    issued, before = desk.tokens.issue("hidden"), desk.person
    try:
        desk.person = Administrator("eve@example.net", tenant="other")
        assert page.goto(f"{desk.admin}/tokens/{issued.record.id}").status == 404
        page.goto(f"{desk.admin}/tokens")
        assert page.locator("text=There is no token yet.").is_visible()
        desk.person = None
        assert page.goto(f"{desk.admin}/tokens").status == 403
        assert page.locator("nav").count() == 0
    finally:
        desk.person = before


def axe_source() -> str:
    """Return the script of axe-core."""
    package = pytest.importorskip("axe_playwright_python", reason="the accessibility test needs axe-playwright-python")
    return next(Path(package.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")


def test_everybody_can_use_every_page(desk: Helpdesk, page: Any) -> None:
    """axe-core finds nothing, in light on a desktop, and in dark on a phone. There, nothing scrolls sideways."""
    source = axe_source()
    issued, revoked = desk.tokens.issue("for people"), desk.tokens.issue("old")
    id, gone = issued.record.id, revoked.record.id
    person = scim(desk.service, issued.token, "POST", "/Users", a_user("twin"))["id"]
    scim(desk.service, issued.token, "POST", "/Users", a_user("twin"))
    desk.tokens.revoke(gone)
    client, ended = desk.clients.add("for people").id, desk.clients.add("old").id
    secret = desk.clients.add_secret(client).record.id
    trust = desk.clients.add_trust(
        client, issuer="https://login.example.org/a-very-long-name-of-a-tenant/v2.0", subject="job-1", audience="api://x",
        jwks="https://login.example.org/a-very-long-name-of-a-tenant/discovery/v2.0/keys",
    ).id  # fmt: skip
    desk.clients.revoke(ended)
    grant = {"grant_type": "client_credentials"}
    assert httpx.post(f"{desk.url}/oauth/token", data=grant, auth=(client, "wrong")).status_code == 401
    log: Any = desk.service.provisioning_log
    left = UserDeactivated(resource_type="User", id="left", tenant="default")
    log.add([begun_entry("device credentials", timedelta(microseconds=1), left)])
    failed = log.search(LogQuery(tenant="default", token_id=id, result="Failure")).entries[0].id
    for path in ("tokens", "tokens/new", f"tokens/{id}", f"tokens/{gone}", f"tokens/{id}/revoke", "log",
                 f"log/{failed}", f"resources/User/{person}", "attributes", "safeguards", "clients",
                 "clients/new", f"clients/{client}", f"clients/{ended}", f"clients/{client}/secrets",
                 f"clients/{client}/trusts", f"clients/{client}/revoke", f"clients/{client}/trusts/{trust}/remove",
                 f"clients/{client}/secrets/{secret}/remove"):  # fmt: skip
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.set_viewport_size(DESKTOP)
        page.goto(f"{desk.admin}/{path}")
        page.evaluate(source)
        assert violations(page) == [], path
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        page.set_viewport_size(PHONE)
        assert violations(page, BY_LOOKS) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def violations(page: Any, options: str = "{}") -> list[Any]:
    """Return the rules of axe-core that a page breaks, each with an element."""
    script = f"axe.run(document, {options}).then(it => it.violations.map(each => [each.id, each.nodes[0].html]))"
    found: list[Any] = page.evaluate(script)
    return found


def test_the_page_works_without_scripts_and_with_the_keyboard(desk: Helpdesk, browser: Any) -> None:
    """Without scripts, a token is created with the keyboard alone, and the waiting page asks the browser to reload."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    opened = context.new_page()
    opened.goto(f"{desk.admin}/tokens/new")
    opened.focus("#description")
    opened.keyboard.type("Keyboard")
    opened.keyboard.press("Enter")
    opened.wait_for_selector("#token")
    assert opened.locator("text=Copy token").is_hidden()
    opened.click("text=Wait for Test Connection")
    assert 'http-equiv="refresh"' in opened.content()
    context.close()
