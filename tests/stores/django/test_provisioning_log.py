"""The provisioning log in the tables of a Django app."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.stores.django.project import Hosted, alias, alone

from django.core.management import call_command  # isort: skip

from scimkit.stores.django import DjangoStore
from scimkit.stores.django.provisioning_log.models import LogActivity, LogRow
from scimkit.testing.contract import ProvisioningLogContract
from tests.stores.databases import DATABASES
from tests.stores.django.declared import AGENTS, TEAMS


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
