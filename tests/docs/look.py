"""Open every page of the built site in Chromium, at the width of a phone and of a desktop.

`mkdocs build --strict -d FOLDER && python -m tests.docs.look FOLDER` prints each page that is wider than its window,
each request to another site, and each search without the expected page. The exit status is 1 if there is any.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from tests.admin.helpdesk import chromium

WIDTHS: Final = (360, 1280)
SEARCHES: Final = {
    "kubernetes": "Docker and Kubernetes",
    "litestar": "Litestar",
    "okta": "Okta",
    "password": "Passwords",
    "tenants": "Several tenants",
}
"""Words that people search for, each with the title of a page that must be among the first five results."""

_TOO_WIDE: Final = """width => [...document.querySelectorAll(".md-content *")].filter(each => {
  const box = each.getBoundingClientRect();
  return box.width > 0 && box.right > width + 1 && !each.closest(".md-typeset__scrollwrap, pre, .highlight");
}).slice(0, 2).map(each => each.tagName + " " + each.textContent.trim().slice(0, 60))"""
"""Elements that are wider than the window, and not in a part of the page that scrolls by itself."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder while the block runs, and yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def problems(site: Path) -> Iterator[str]:
    """Yield each problem of a built site."""
    pages = sorted(path.parent.relative_to(site).as_posix() for path in site.rglob("index.html"))
    foreign: set[str] = set()
    with served(site) as url, chromium() as browser:
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.on("request", lambda request: foreign.add(request.url))
            for name in pages:
                page.goto(url + (f"{name}/" if name != "." else ""))
                yield from (f"{name} at {width}: {each}" for each in page.evaluate(_TOO_WIDE, width))
            if width == WIDTHS[-1]:
                yield from _failed_searches(page, url)
        yield from (f"request to {each}" for each in sorted(foreign) if not each.startswith((url, "data:", "blob:")))


def _failed_searches(page: Page, url: str) -> Iterator[str]:
    """Type each word into the search, and yield the words whose page is not found."""
    for word, title in SEARCHES.items():
        page.goto(url)
        page.click(".md-search__input")
        page.keyboard.type(word)
        page.wait_for_selector(".md-search-result__item h1")
        found = page.locator(".md-search-result__item h1").all_text_contents()[:5]
        if not any(title in each for each in found):
            yield f"search for {word}: {found}"


if __name__ == "__main__":
    found = list(problems(Path(sys.argv[1])))
    sys.stdout.writelines(f"{each}\n" for each in found)
    sys.exit(1 if found else 0)
