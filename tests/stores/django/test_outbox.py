"""The outbox in the table of a Django app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stores.django.project import Hosted, alias, alone

from django.core.management import call_command  # isort: skip

from scimkit.stores.django import DjangoStore
from scimkit.stores.django.outbox.models import OutboxEvent
from scimkit.testing.contract import OutboxContract
from tests.stores.databases import DATABASES
from tests.stores.django.declared import AGENTS, TEAMS


class HostedStore(Hosted):
    """A store whose threads close their connections, also after calls of the outbox."""

    @property
    def outbox(self) -> Any:
        """The outbox."""
        return Hosted(self._store.outbox, self._using)


class TestDjangoOutbox(OutboxContract):
    """The outbox of a Django store."""

    examples = 8
    database: str

    @pytest.fixture(autouse=True, params=DATABASES)
    def _on(self, request: pytest.FixtureRequest) -> Iterator[None]:
        self.database = alias(request.param)
        with alone(self.database):
            yield

    def make_store(self) -> Any:
        OutboxEvent.objects.using(self.database).all().delete()
        return HostedStore(DjangoStore([AGENTS, TEAMS], using=self.database, outbox=True), self.database)


def test_the_migration_makes_the_models() -> None:
    """The models need no further migration."""
    call_command("makemigrations", "scimkit_outbox", check=True, dry_run=True, verbosity=0)
