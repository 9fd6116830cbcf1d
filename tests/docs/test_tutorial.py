"""The pages of the tutorial work, in an empty folder and on real servers, and show what the commands print.

`python -m tests.docs.tutorial` also runs the commands that take long, which this test shortens.
"""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Final

import httpx

from tests.docs.tutorial import FILES, Reader, blocks, pages

CHECK: Final = 'scimkit check http://127.0.0.1:8000/scim/v2 --idp entra --token "$TOKEN"'
SHORTER: Final = {
    "try-entra.md": {
        CHECK: "",
        "python -m helpdesk.sample\nuvicorn --port 8000 helpdesk.app:app": "python -m helpdesk.sample",
    },
    "tests.md": {
        "python -m pytest -q --tb=no -k nobody_who_left": "",
        "python -m pytest -q": "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest -q -k refused",
    },
    "deploy.md": {CHECK: "", "alembic check\npython -m helpdesk.sample": "", " --workers 2": ""},
}
"""Parts of the commands of a page that take long. The page of teams has the command `check` too."""


def test_a_reader_reaches_the_end(tmp_path: Path) -> None:
    """Each page works after the pages before it, marks the lines that changed, and shows what its commands print."""
    tokens = ""
    with closing(Reader(tmp_path, f"sqlite:///{tmp_path}/last-steps.db", shorter=SHORTER)) as reader:
        for page in pages():
            reader.follow(page)
            if page.name == "admin-page.md":
                tokens = token_page(reader.url)
        assert reader.differences == []
    assert "Our Entra" in tokens


def token_page(url: str) -> str:
    """Sign in as the page of step 6 says, create a token there, and return the list of tokens."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as browser:
        assert browser.get("/scim-admin/").status_code == 403
        assert browser.get("/login", auth=("ada", "wrong")).status_code == 401
        assert browser.get("/login", auth=("ada", "correct-horse")).url.path.startswith("/scim-admin/")
        first = re.findall(r'href="(/scim-admin/log/[^"]+)"', browser.get("/scim-admin/log").text)[0]
        assert "last active one" in browser.get(first).text
        form = browser.get("/scim-admin/tokens/new").text
        fields = {"form_token": re.findall(r'name="form_token" value="([^"]+)"', form)[0], "description": "Our Entra"}
        fields |= {"status": "active", "expires": "never", "scopes": "write", "guide": "entra"}
        issued = browser.post("/scim-admin/tokens/new", data=fields, headers={"Origin": url})
        assert f"{url}/scim/v2" in issued.text
        return browser.get("/scim-admin/tokens").text


def test_each_file_is_on_a_page() -> None:
    """Each file of `docs/examples/tutorial` is on one page of the tutorial."""
    included = [block.included for page in pages() for block in blocks(page) if block.included]
    assert len(included) == len(set(included))
    files = [each for each in FILES.rglob("*") if each.is_file() and "__pycache__" not in each.parts]
    assert set(included) == {each.relative_to(FILES).as_posix() for each in files}


def test_shorter_commands_are_on_their_pages() -> None:
    """Each command that a test shortens is on its page."""
    texts = {page.name: page.read_text("utf-8") for page in pages()}
    assert [part for name, parts in SHORTER.items() for part in parts if part not in texts[name]] == []


def test_each_page_has_its_time() -> None:
    """Each page says how long the step takes, as the table of steps does, and what to do if it does not work."""
    index, *steps = pages()
    times = dict(re.findall(r"\]\((\S+\.md)\) \|.*\| (\d+ minutes) \|", index.read_text("utf-8")))
    assert list(times) == [page.name for page in steps]
    for page in steps:
        text = " ".join(page.read_text("utf-8").split())
        assert f"This step takes {times[page.name]}" in text, page.name
        assert "## If it does not work" in text, page.name
