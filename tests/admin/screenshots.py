"""Make the screenshots of the documentation: `python -m tests.admin.screenshots`.

With a folder, the command writes pictures of every page there, in light and dark, for a desktop and a phone.

The pages show the provisioning story of the simulator of Entra.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import httpx

from scimkit.testing.directory import key_of, sample_directory
from tests.admin.helpdesk import DESKTOP, PHONE, chromium, fail_a_person, helpdesk

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZE = {"width": 1000, "height": 640}


def main(folder: Path) -> None:
    """Play the story, and write a PNG of each page."""
    with helpdesk() as desk, chromium() as browser:
        page = browser.new_page(viewport=SIZE)

        def shoot(name: str, *, full: bool = False) -> None:
            page.screenshot(path=folder / f"admin-{name}.png", full_page=full)

        page.goto(f"{desk.admin}/tokens/new")
        page.fill("#description", "Microsoft Entra ID")
        shoot("new-token", full=True)
        page.click("text=Create token")
        shown = page.input_value("#token")
        page.evaluate("() => { document.getElementById('token').value = 'scimkit_' + '•'.repeat(48) }")
        page.evaluate("() => { document.getElementById('endpoint').value = 'https://help.example.org/scim/v2' }")
        shoot("issued", full=True)
        page.click("text=Wait for Test Connection")
        shoot("waiting")
        directory = sample_directory()
        entra = desk.entra(shown, directory)
        entra.test_connection()
        page.wait_for_selector("h2:text-is('Connected')")
        shoot("connected")
        entra.provision_on_demand(key_of("ada"))
        page.goto(f"{desk.admin}/log")
        shoot("on-demand")
        entra.initial_cycle()
        directory.change(key_of("ada"), family_name="Lovelace", title="Senior Agent")
        fail_a_person(directory)
        entra.incremental_cycle()
        page.goto(f"{desk.admin}/tokens/{desk.tokens.list()[0].id}")
        shoot("failing")
        page.click("main a:has-text('sam@example.org')")
        shoot("failure")
        page.goto(f"{desk.admin}/log?person=ada.king&action=Update")
        page.click("tbody a >> nth=0")
        shoot("entry")
        page.goto(f"{desk.admin}/attributes")
        shoot("attributes")
        page.goto(f"{desk.admin}/tokens/{desk.tokens.list()[0].id}/rotate")
        shoot("rotate")
        shoot_client(desk, page, shoot)
        phone = browser.new_page(viewport=PHONE, color_scheme="dark")
        phone.goto(f"{desk.admin}/tokens/{desk.tokens.list()[0].id}")
        phone.screenshot(path=folder / "admin-phone.png")
        entra.close()
        if folder is not IMAGES:
            every_page(desk, browser, folder)


def shoot_client(desk: Any, page: Any, shoot: Any) -> None:
    """Make a client, let it ask for access tokens, and write a PNG of its page."""
    page.goto(f"{desk.admin}/clients/new")
    page.fill("#description", "Microsoft Entra ID")
    page.click("button:has-text('Create client')")
    id, secret = page.input_value("#client-id"), page.input_value("#client-secret")
    desk.clients.rotate_secret(id)
    desk.clients.add_trust(
        id, issuer="https://login.example.org/v2.0", subject="provisioning-job", audience="api://scim",
        jwks="https://login.example.org/keys",
    )  # fmt: skip
    for text in (secret, "wrong"):
        httpx.post(f"{desk.url}/oauth/token", data={"grant_type": "client_credentials"}, auth=(id, text))
    page.goto(f"{desk.admin}/clients/{id}")
    for field, value in (("token-endpoint", "oauth/token"), ("endpoint", "scim/v2")):
        page.evaluate(f"() => {{ document.getElementById('{field}').value = 'https://help.example.org/{value}' }}")
    shoot("client", full=True)


def every_page(desk: Any, browser: Any, folder: Path) -> None:
    """Write PNGs of every page in light and dark, at the width of a desktop and of a phone, to look at."""
    id, client = desk.tokens.list()[0].id, desk.clients.list()[0].id
    for scheme in ("light", "dark"):
        for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
            page = browser.new_page(viewport=size, color_scheme=scheme)
            for path in ("tokens", "tokens/new", f"tokens/{id}", "log", "resources/User", "attributes", "safeguards",
                         "clients", "clients/new", f"clients/{client}"):  # fmt: skip
                page.goto(f"{desk.admin}/{path}")
                name = re.sub(r"\W", "-", path.replace(id, "one").replace(client, "one"))
                page.screenshot(path=folder / f"{device}-{scheme}-{name}.png")
            page.goto(f"{desk.admin}/log?result=Failure")
            page.click("tbody a >> nth=0")
            page.screenshot(path=folder / f"{device}-{scheme}-entry.png", full_page=True)
            page.close()


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if sys.argv[1:] else IMAGES
    chosen.mkdir(parents=True, exist_ok=True)
    main(chosen)
