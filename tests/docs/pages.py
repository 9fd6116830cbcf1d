"""Open every page of the built site in Chromium, at the width of a desktop and of a phone, in light and in dark.

`python -m tests.docs.pages` builds the site with `--strict`, serves it as `mike` publishes a version, and prints:

- pages that scroll sideways, broken pictures, errors in the console, and requests to another site or to nothing;
- links and anchors that lead nowhere, and pages without an edit link;
- searches that do not find their page, and a missing version selector.

`--site FOLDER` takes a built site. `--pictures FOLDER` keeps a screenshot of each page whose name contains one of the
arguments, or of all pages. The exit status is 1 if there is a problem. Without Chromium, only links are checked, and
the command says so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import TimeoutError

from tests.admin.helpdesk import CHROMIUM, chromium
from tests.docs.links import broken_links
from tests.docs.tables import DOCS

WIDTHS: Final = (1280, 390)
SCHEMES: Final = {"light": "default", "dark": "slate"}
"""The color schemes of a browser, each with the one of the site."""
VERSION: Final = "0.2"
SEARCHES: Final = {
    "fastapi": "FastAPI and Starlette", "starlette": "FastAPI and Starlette", "litestar": "Litestar",
    "flask": "Flask", "django": "Django", "asgi": "Plain ASGI and WSGI", "wsgi": "Plain ASGI and WSGI",
    "tenants": "Several tenants", "proxy": "Behind a proxy", "docker": "Docker and Kubernetes",
    "kubernetes": "Docker and Kubernetes", "healthz": "Docker and Kubernetes",
    "several processes": "Run several processes", "postgresql": "PostgreSQL in production",
    "sqlalchemy models": "SQLAlchemy models", "own store": "Write your own store",
    "extensions": "resource types and extensions", "resource types": "resource types and extensions",
    "roles": "roles", "groups": "Grant roles from groups", "password": "Passwords", "events": "Events",
    "webhook": "webhooks", "safeguards": "Protect accounts", "hand-written": "Replace a hand-written SCIM endpoint",
    "testing": "Test your application", "record": "Record", "explain": "Find out what happened",
    "settings": "Settings", "limits": "Limits", "SCIMKIT_STORE": "Settings", "log fields": "Operate",
    "uniqueness": "Errors", "invalidFilter": "Errors", "quirks": "Quirks", "comparison": "Comparison",
    "filter parser": "filter parser", "entra": "Entra", "okta": "Okta", "onelogin": "OneLogin",
    "jumpcloud": "JumpCloud", "pingone": "PingOne", "pingfederate": "PingFederate", "google": "Google Workspace",
    "authentik": "authentik", "keycloak": "Keycloak", "sailpoint": "SailPoint", "cyberark": "CyberArk",
    "rippling": "Rippling", "quarantine": "Troubleshoot", "release notes": "Release notes",
}  # fmt: skip
"""Words that people search for, each with a part of the title of a page that must be among the first five results."""

NEEDED: Final = {"a[href*='/edit/']": "has no edit link", "nav[aria-label=Navigation]": "has no navigation"}
"""What each page must have, and what is said without it."""
_TOO_WIDE: Final = """width => [...document.querySelectorAll(".md-content *")].filter(each => {
  const box = each.getBoundingClientRect();
  return box.width > 0 && box.right > width + 1 && !each.closest(".md-typeset__scrollwrap, pre, .highlight");
}).slice(0, 2).map(each => each.tagName + " " + each.textContent.trim().slice(0, 60))"""
"""Elements that are wider than the window, and not in a part of the page that scrolls by itself."""
_SCROLLS: Final = "() => document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth"
_BROKEN: Final = """async () => {
  const broken = [];
  for (const each of document.images) {
    try { await each.decode(); } catch { broken.push(each.src); }
    if (!each.naturalWidth) broken.push(each.src);
  }
  return [...new Set(broken)];
}"""
_FOUND: Final = """() => document.querySelector(".md-search-result__item h1")
  || document.querySelector(".md-search-result__meta").textContent.trim().startsWith("No")"""
"""The search shows a page, or says that it found none."""
_SCHEME: Final = "() => document.body.getAttribute('data-md-color-scheme')"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a site as one of two versions while the block runs, and yield the URL of the version."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / VERSION).symlink_to(site.resolve())
        versions = [{"version": VERSION, "title": VERSION, "aliases": ["latest"]},
                    {"version": "0.1", "title": "0.1", "aliases": []}]  # fmt: skip
        (Path(folder) / "versions.json").write_text(json.dumps(versions), "utf-8")
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/{VERSION}/"
            server.shutdown()


@dataclass
class Visit:
    """A visit of all pages in one browser context.

    Args:
        url: The URL of the site.
        pictures: The folder for screenshots, or None.
        pictured: Parts of the names of the pages that are pictured. Without any, all pages are.
    """

    url: str
    pictures: Path | None = None
    pictured: Sequence[str] = ()
    heard: list[str] = field(default_factory=list)
    """What the browser reported since the last page."""

    def listen(self, page: Any) -> None:
        """Collect errors of the console and of scripts, failed requests, and requests to another site."""
        page.on("console", lambda line: self.heard.append(f"console: {line.text}") if line.type == "error" else None)
        page.on("pageerror", lambda error: self.heard.append(f"script: {error}"))
        page.on(
            "response", lambda sent: self.heard.append(f"{sent.status}: {sent.url}") if sent.status >= 400 else None
        )
        page.on("request", lambda sent: None if self._is_ours(sent.url) else self.heard.append(f"foreign: {sent.url}"))

    def _is_ours(self, url: str) -> bool:
        return url.startswith((self.url.rsplit("/", 2)[0], "data:", "blob:"))

    def problems(self, page: Any, name: str, scheme: str) -> Iterator[str]:
        """Open a page and yield its problems."""
        page.goto(self.url + (f"{name}/" if name != "." else ""))
        yield from (f"broken picture: {each}" for each in page.evaluate(_BROKEN))
        if page.evaluate(_SCHEME) != SCHEMES[scheme]:
            yield "has another color scheme"
        for selector, missing in NEEDED.items():
            if not page.locator(selector).count():
                yield missing
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            yield from (f"wider than {width}: {each}" for each in page.evaluate(_TOO_WIDE, width))
            if page.evaluate(_SCROLLS) and not _settles(page):
                yield f"scrolls sideways at {width}"
            if self.pictures and (not self.pictured or any(each in name for each in self.pictured)):
                title = "index" if name == "." else name.replace("/", "-")
                page.screenshot(path=self.pictures / f"{title}-{width}-{scheme}.png", full_page=True)
        yield from self.heard
        self.heard.clear()


def problems(site: Path, pictures: Path | None = None, pictured: Sequence[str] = ()) -> Iterator[str]:
    """Yield each problem that a browser shows."""
    pages = sorted(path.parent.relative_to(site).as_posix() for path in site.rglob("index.html"))
    with served(site) as url, chromium() as browser:
        for scheme in SCHEMES:
            context = browser.new_context(color_scheme=scheme)
            visit, page = Visit(url, pictures, pictured), context.new_page()
            visit.listen(page)
            for name in pages:
                yield from (f"{name}, {scheme}: {each}" for each in visit.problems(page, name, scheme))
            page.set_viewport_size({"width": WIDTHS[0], "height": 900})
            page.goto(url)
            if not page.wait_for_selector(".md-version"):
                yield "there is no version selector"
            context.close()
        page = browser.new_page(viewport={"width": WIDTHS[0], "height": 900})
        yield from _failed_searches(page, url)


def _settles(page: Any) -> bool:
    """Report whether a page stops to scroll sideways when the theme has moved its navigation for another width."""
    try:
        page.wait_for_function(f"!({_SCROLLS})()", timeout=3_000)
    except TimeoutError:
        return False
    return True


def _failed_searches(page: Any, url: str) -> Iterator[str]:
    """Type each word into the search, and yield the words whose page is not found."""
    for word, title in SEARCHES.items():
        page.goto(url)
        page.click(".md-search__input")
        page.fill(".md-search__input", word)
        page.keyboard.press("End")  # the theme searches when a key is released
        page.wait_for_function(_FOUND)
        found = page.locator(".md-search-result__item h1").all_text_contents()[:5]
        if not any(title in each for each in found):
            yield f"search for {word}: {found}"


def main() -> int:
    """Build the site if none is given, print the problems, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictured", nargs="*")
    parser.add_argument("--site", type=Path)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scimkit-site-") as folder:
        site: Path = given.site or Path(folder) / "site"
        if given.site is None:
            build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)]
            subprocess.run(build, cwd=DOCS.parent, check=True)
        found = 0
        for each in broken_links(site):
            found += 1
            sys.stdout.write(f"{each}\n")
        if CHROMIUM is None:
            sys.stdout.write("skipped: no page was opened, because there is no Chromium (apt-get install chromium)\n")
            return 1 if found else 0
        if given.pictures:
            given.pictures.mkdir(parents=True, exist_ok=True)
        for each in problems(site, given.pictures, given.pictured):
            found += 1
            sys.stdout.write(f"{each}\n")
            sys.stdout.flush()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
