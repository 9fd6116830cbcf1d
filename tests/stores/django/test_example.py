"""The Django project of the documentation works as the page describes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[3] / "docs" / "examples" / "django"

RUN = """
import django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("check", fail_level="WARNING")
call_command("migrate", run_syncdb=True, verbosity=0)
from django.contrib.auth.models import User
from helpdesk.models import Account, Agent, Team
from helpdesk.scim import tokens

Account.objects.create(name="acme", seats=1)

def post(tenant, path, body):
    headers = {"Authorization": f"Bearer {tokens.issue('Entra', tenant=tenant).token}"}
    answer = Client().post(path, body, content_type="application/scim+json", headers=headers)
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]

id = post("acme", "/scim/v2/Users", {"userName": "ada", "active": False, "nickName": "Countess"})
post("acme", "/scim/v2/Groups", {"displayName": "Tier 1", "members": [{"value": id}]})
agent = Agent.objects.get(account="acme", login="ada", disabled_at__isnull=False)
assert agent.scim_rest == {"nickName": "Countess"}
assert Team.objects.get().agents.get() == agent
post("default", "/staff/scim/v2/Users", {"userName": "bo", "password": "correct horse battery"})
assert User.objects.get().check_password("correct horse battery")
assert Client().get("/admin/login/").status_code == 200
from django.urls import reverse
assert reverse("admin:index") == "/admin/"
from helpdesk.scim import clients
client = clients.add("Entra", tenant="acme")
secret = clients.add_secret(client.id, tenant="acme").secret
form = f"grant_type=client_credentials&client_id={client.id}&client_secret={secret}"
answer = Client().post("/oauth/token", form, content_type="application/x-www-form-urlencoded")
assert tokens.verify(answer.json()["access_token"]).tenant == "acme"
User.objects.create_superuser("root", password="x")
page = Client()
assert page.login(username="root", password="x")
assert "OAuth clients" in page.get("/scim-admin/clients").content.decode()
"""


def test_the_project_runs(tmp_path: Path) -> None:
    """The project migrates, passes Django's checks and serves both endpoints."""
    env = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "settings", "HELPDESK_DATABASE": str(tmp_path / "db"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN], cwd=PROJECT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
