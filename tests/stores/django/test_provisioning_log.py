"""The provisioning log in the tables of a Django app."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.stores.django.project import Hosted, alias, alone, migrate

from django.contrib import admin  # isort: skip
from django.contrib.auth.models import User  # isort: skip
from django.core.management import call_command  # isort: skip
from django.test import Client, override_settings  # isort: skip
from django.urls import path  # isort: skip

from scimkit.provisioning import LogEntry, overdue_revocations
from scimkit.safeguards import Revoker
from scimkit.stores.django import DjangoStore
from scimkit.stores.django.provisioning_log.models import LogActivity, LogRow
from scimkit.testing.contract import ProvisioningLogContract
from scimkit.testing.contract.log_entries import START
from scimkit.uuid7 import new_uuid7
from tests.client import Client as ScimClient
from tests.stores.databases import DATABASES
from tests.stores.django.declared import AGENTS, TEAMS

urlpatterns = [path("admin/", admin.site.urls)]
LIST = "/admin/scimkit_log/logrow/"


class HostedStore(Hosted):
    """A store whose threads close their connections, also after calls of the log."""

    @property
    def provisioning_log(self) -> Any:
        """The provisioning log."""
        return Hosted(self._store.provisioning_log, self._using)


class TestDjangoLog(ProvisioningLogContract):
    """The log of a Django store."""

    examples = 8
    database: str

    @pytest.fixture(autouse=True, params=DATABASES)
    def _on(self, request: pytest.FixtureRequest) -> Iterator[None]:
        self.database = alias(request.param)
        with alone(self.database):
            yield

    def make_store(self) -> Any:
        LogRow.objects.using(self.database).all().delete()
        LogActivity.objects.using(self.database).all().delete()
        return HostedStore(DjangoStore([AGENTS, TEAMS], using=self.database, provisioning_log=True), self.database)

    def raw_rows(self, store: Any) -> Iterable[bytes]:
        for row in LogRow.objects.using(self.database).values_list():
            yield b"\n".join(str(each).encode() if isinstance(each, str | int) else bytes(each or b"") for each in row)


def test_the_migration_makes_the_models() -> None:
    """The models need no further migration."""
    call_command("makemigrations", "scimkit_log", check=True, dry_run=True, verbosity=0)


@override_settings(
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
)
def test_the_admin_shows_entries_read_only() -> None:
    """Django's admin lists entries with escaped values, shows one, and lets nobody change or delete it."""
    migrate("default")
    LogRow.objects.all().delete()
    entry = LogEntry(id=new_uuid7(), tenant="default", action="Create", result="Failure", started=START,
                     error_code="uniqueness", detail="userName is taken", label="<script>ada")  # fmt: skip
    DjangoStore([AGENTS, TEAMS], provisioning_log=True).record_log([entry])
    user = User.objects.get_or_create(username="admin", is_staff=True, is_superuser=True)[0]
    browser = Client()
    browser.force_login(user)
    listed = browser.get(f"{LIST}?result=Failure").content.decode()
    assert "userName is taken" in listed
    assert "&lt;script&gt;ada" in listed
    assert "<script>ada" not in listed
    assert f"{LIST}{entry.id}/change/" in listed
    shown = browser.get(f"{LIST}{entry.id}/change/").content.decode()
    assert "&quot;errorCode&quot;: &quot;uniqueness&quot;" in shown
    assert 'name="_save"' not in shown
    assert browser.post(f"{LIST}{entry.id}/change/", {}).status_code == 403
    assert browser.post(f"{LIST}{entry.id}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get(f"{LIST}add/").status_code == 403
    assert LogRow.objects.get().entry() == entry


@pytest.mark.parametrize("database", DATABASES)
def test_a_revoker_keeps_its_revocations_in_the_log(database: str) -> None:
    """The entry of a revocation is in the transaction of the deactivation, and a confirmation ends the revocation."""
    using = alias(database)
    with alone(using):
        store = DjangoStore([AGENTS, TEAMS], using=using, provisioning_log=True)
        log: Any = store.provisioning_log
        LogRow.objects.using(using).all().delete()
        revoker = Revoker("devices", lambda event: None, moment="after_commit", confirmed=True, log=log)
        client = ScimClient(store, listeners=revoker.listeners)
        user = client.user(f"revoked-{new_uuid7()}")
        off = {"op": "replace", "path": "active", "value": False}
        assert client.patch(f"/Users/{user}", off).status == 200
        later = datetime.now(UTC) + timedelta(minutes=6)
        assert [each.id for each in overdue_revocations(log, "default", later)] == [user]
        revoker.confirm("default", user)
        assert overdue_revocations(log, "default", later) == ()
        assert client.delete(f"/Users/{user}").status == 204
