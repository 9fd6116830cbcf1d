"""Tests that all ten identity providers can provision the applications and stores of the documentation."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any, Final

import pytest

from scimkit import ScimService, TokenRegistry, wsgi
from scimkit.testing.directory import sample_directory
from scimkit.testing.directory_history import full_history, marked, play
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.providers import PROVIDERS, provider
from scimkit.testing.report import explained

EXAMPLES: Final = Path(__file__).parents[1] / "docs" / "examples"
SERVED: Final = {
    "own_tables": "service", "fastapi_app": "service",
    "cursors": "service", "webhook_service": "service", "own_types": "service", "record": "scim",
    "dialects": "ours", "minimal_store": None,
}  # fmt: skip
"""The examples, each with the name of its service. For an example with a store only, the test creates the service."""
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NOT_SERVED: Final = {
    "flask_app": "it has the store of fastapi_app",
    "litestar_app": "it has the store of fastapi_app",
    "sqlite_store": "it has the store of fastapi_app",
    "plain_asgi": "it has the store of fastapi_app",
    "plain_wsgi": "it has the store of fastapi_app",
    "token_endpoint": "tests/end_to_end/test_token_endpoint.py runs its parts over HTTP",
    "access_tokens": "it needs Entra ID; tests/oauth runs its verifier",
    "tenants": "it sends its own requests",
    "passwords": "it sends its own requests",
    "old_token": "it sends its own requests",
    "telemetry": "it has the store of fastapi_app",
    "admin_page": "tests/admin/test_adapters.py runs it",
    "admin_flask": "tests/admin/test_adapters.py runs it",
    "own_page": "tests/admin/test_adapters.py runs it",
    "hooks": "its hook refuses to delete users",
    "link_accounts": "tests/safeguards/test_examples.py runs it",
    "protect_accounts": "tests/safeguards/test_examples.py runs it",
    "security_events": "tests/delivery/security_events runs it",
    "async_requests": "tests/delivery/security_events runs it",
    "async_listeners": "it runs in tests/examples",
    "simulators": "it runs the simulators itself",
    "simulate_entra": "it runs the Entra simulator itself",
    "test_identity_providers": "it runs in the tests of the plugin",
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[ScimService, TokenRegistry]]:
    """Return the service and the tokens of each example, which runs once, in a folder of its own."""
    with chdir(tmp_path_factory.mktemp("examples")):
        return dict(_services())


def _services() -> Any:
    for name, service in SERVED.items():
        found = runpy.run_path(str(EXAMPLES / f"{name}.py"))
        tokens = found.get("tokens") or TokenRegistry()
        if service is None:
            yield name, (ScimService(found["MinimalStore"](), tokens=tokens), tokens)
        else:
            made: ScimService = found[service]
            yield name, (made, made.tokens)


def test_every_example_is_tested() -> None:
    """Every example that creates a service is tested here, or is listed with a reason."""
    making = {path.stem for path in EXAMPLES.glob("*.py") if "ScimService(" in path.read_text()}
    assert making == (SERVED.keys() | NOT_SERVED) - {"minimal_store"}


def test_the_examples_of_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    """The life of a token ends with the statuses that the page names. A table of the application keeps tokens."""
    found = runpy.run_path(str(EXAMPLES / "token_life.py"))
    listed = [line.split()[1] for line in capsys.readouterr().out.splitlines()[1:]]
    assert listed == ["Revoked", "Active", "Active"]
    assert found["tokens"].verify(found["successor"].token).scopes is None
    assert found["tokens"].verify(found["auditor"].token).scopes == {"read"}
    found = runpy.run_path(str(EXAMPLES / "own_token_table.py"))
    assert found["tokens"].verify(found["issued"].token).tenant == "default"


@pytest.mark.parametrize("name", sorted(PROVIDERS))
@pytest.mark.parametrize("example", SERVED)
def test_every_provider_succeeds(
    services: dict[str, tuple[ScimService, TokenRegistry]], example: str, name: str
) -> None:
    """An example passes every kind of event with every provider."""
    service, tokens = services[example]
    token, mark = tokens.issue(name).token, f"{example[:3]}{name}"
    with open_endpoint(wsgi.ScimApp(service)) as endpoint:
        simulator = provider(name, endpoint.base_url, token, marked(sample_directory(), mark), client=endpoint.client)
        try:
            report = play(simulator, [event.marked(mark) for event in full_history()])
            assert report.passed, "\n\n".join(explained(step) for step in report.failures)
        finally:
            simulator.clean_up()
            simulator.close()


DJANGO: Final = """
import sys
import django
from django.conf import settings
from django.db.backends.signals import connection_created
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
django.setup()
connection_created.connect(
    lambda connection, **_: connection.cursor().execute("PRAGMA synchronous = OFF"), weak=False
)  # the database of a test need not survive a power failure
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
call_command("migrate", run_syncdb=True, verbosity=0)
from helpdesk.models import Account
from helpdesk.scim import tokens
from scimkit.testing.directory import sample_directory
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.directory_history import full_history, play
from scimkit.testing.providers import PROVIDERS, provider
from scimkit.testing.report import explained

Account.objects.create(name="default", seats=1_000)
path, *without = sys.argv[1:]
from django.contrib.auth.models import User
from django.test import Client
browser = Client()
assert browser.get("/scim-admin/").status_code == 403
browser.force_login(User.objects.create(username="ada", is_staff=True))
assert b"There is no token yet." in browser.get("/scim-admin/").content
assert browser.get("/scim-admin/tokens/new").status_code == 200
assert browser.post("/scim-admin/tokens/new", {}, content_type="application/x-www-form-urlencoded").status_code == 403
User.objects.all().delete()
for name in PROVIDERS:
    with open_endpoint(get_wsgi_application(), path) as endpoint:
        token = tokens.issue(name).token
        simulator = provider(
            name, endpoint.base_url, token, sample_directory(), client=endpoint.client, without=without
        )
        report = play(simulator, full_history())
        left = simulator.clean_up()
        simulator.close()
    assert not left, left
    assert report.passed, name + ": " + "\\n\\n".join(explained(step) for step in report.failures)
    print(name)
"""

DJANGOS_OWN: Final = (
    "displayName", "title", "phoneNumbers", "addresses", "name.formatted", 'emails[type eq "other"]',
    ENTERPRISE,
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "without"), [("/scim/v2", ()), ("/staff/scim/v2", DJANGOS_OWN)], ids=["own models", "auth models"]
)
def test_every_provider_succeeds_with_django(tmp_path: Path, path: str, without: tuple[str, ...]) -> None:
    """The Django project passes with its own models, and with Django's users if missing fields are left out."""
    env = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "settings", "HELPDESK_DATABASE": str(tmp_path / "db"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, path, *without],
        cwd=EXAMPLES / "django", env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-5000:]
    assert done.stdout.split() == list(PROVIDERS)
