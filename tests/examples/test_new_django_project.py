"""The first section of the page about Django, followed in an empty folder: Entra and Okta provision Django's users."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.docs.tables import DOCS
from tests.examples.test_applications import EVENTS, folder

__all__ = ["folder"]  # a fixture

PAGE: Final = (DOCS / "how-to" / "django.md").read_text("utf-8").partition("## Add the endpoint")[0]
FILES: Final = DOCS / "examples" / "django_users"
PLAY: Final = """
import sys
from django.core.wsgi import get_wsgi_application
from helpdesk.scim import tokens
from scimkit.testing.directory import sample_directory
from scimkit.testing.directory_history import full_history, play
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.providers import provider
from scimkit.testing.report import explained

events, without = sys.argv[1].split(";"), sys.argv[2:]
for name in ("entra", "okta"):
    with open_endpoint(get_wsgi_application(), "/scim/v2") as endpoint:
        token = tokens.issue(name).token
        simulator = provider(
            name, endpoint.base_url, token, sample_directory(), client=endpoint.client, without=without
        )
        report = play(simulator, [event for event in full_history() if event.title in events])
        simulator.clean_up()
        simulator.close()
    assert report.passed, name + ": " + "\\n\\n".join(explained(step) for step in report.failures)
"""


def run(folder: Path, *command: str) -> str:
    """Run a Python command in the project, and return what it prints."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "helpdesk.settings", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_page_is_followed(folder: Path) -> None:
    """A new project with the files and commands of the page issues a token, and two simulators succeed."""
    run(folder, "-m", "django", *re.findall(r"^django-admin (.+)$", PAGE, re.MULTILINE)[0].split())
    for name, title in re.findall(r'title="helpdesk/(\w+)\.py[^"]*" \}\n--8<-- "django_users/(\w+)\.py"', PAGE):
        text = (FILES / f"{title}.py").read_text("utf-8")
        with (folder / "helpdesk" / f"{name}.py").open("a" if title.endswith("_end") else "w") as file:
            file.write(text)
    run(folder, "manage.py", "migrate", "--verbosity", "0")
    [issue] = re.findall(r"\$\(python (manage\.py shell.*?)\)$", PAGE, re.MULTILINE | re.DOTALL)
    assert re.fullmatch(r"scimkit_\w+\n", run(folder, *shlex.split(issue.replace("\\\n", " "))))
    without = re.findall(r"--without ('[^']+'|\S+)", PAGE)
    script = f"import django; django.setup()\n{PLAY}"
    run(folder, "-c", script, ";".join(EVENTS), *[each.strip("'") for each in without])
