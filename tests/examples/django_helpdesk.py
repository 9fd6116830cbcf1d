"""The Django helpdesk of the documentation, as the scenarios drive it.

`python -m tests.examples.django_helpdesk URL [SCENARIO ...]` runs the scenarios in a process of their own, because a
process has one Django project. It prints the name of each scenario that passed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from scimkit import ScimService, wsgi
from scimkit.events import Listener
from tests.examples.helpdesk import SCENARIOS


def set_up(database: str) -> None:
    """Set the project up on a database."""
    import os

    import django
    from django.conf import settings

    sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "examples" / "django"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        settings.DATABASES["default"]["NAME"] = url.database
    else:
        settings.DATABASES["default"] = {
            "ENGINE": "django.db.backends.postgresql", "NAME": url.database, "USER": url.username or "",
            "PASSWORD": url.password or "", "HOST": url.query.get("host") or url.host or "",
        }  # fmt: skip

    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)


class DjangoHelpdesk:
    """The project, set up on a database."""

    path = "/scim/v2"

    def __init__(self) -> None:
        from django.core.wsgi import get_wsgi_application
        from helpdesk import listeners, models, roles, scim

        self.app: Any = get_wsgi_application()
        self._listeners, self._models, self._roles, self._scim = listeners, models, roles, scim

    def app_with(self, *more: Listener) -> Any:
        store = self._scim.DjangoStore([self._scim.agents, self._scim.teams])
        listeners = [*self._listeners.listeners, *more]
        return wsgi.ScimApp(ScimService(store, tokens=self._scim.tokens, listeners=listeners))

    def token(self, tenant: str) -> str:
        return str(self._scim.tokens.issue("simulator", tenant=tenant).token)

    def set_seats(self, tenant: str, seats: int) -> None:
        self._models.Account(name=tenant, seats=seats).save()

    def set_role(self, tenant: str, team: str, role: int) -> None:
        from django.db import transaction
        from django.db.models import Q

        with transaction.atomic():
            self._roles.lock_account(tenant, "default")
            found = self._models.Team.objects.filter(account=tenant, name=team)
            assert found.update(grants=role) == 1
            self._roles.refresh_roles(Q(teams__in=found), "default")

    def set_owner(self, tenant: str, login: str) -> None:
        self._models.Agent.objects.filter(account=tenant, login=login).update(user_type="Owner")

    def open_ticket(self, tenant: str, subject: str, login: str) -> None:
        agent = self._models.Agent.objects.get(account=tenant, login=login)
        self._models.Ticket.objects.create(account=tenant, subject=subject, agent=agent)

    def tickets(self, tenant: str) -> dict[str, str | None]:
        return dict(self._models.Ticket.objects.filter(account=tenant).values_list("subject", "agent__login"))

    def roles(self, tenant: str) -> dict[str, int]:
        return dict(self._models.Agent.objects.filter(account=tenant).values_list("login", "role"))

    def granted(self, tenant: str) -> dict[str, int]:
        granted = dict.fromkeys(self.roles(tenant), 1)
        for team in self._models.Team.objects.filter(account=tenant):
            for agent in team.agents.all():
                granted[agent.login] = max(granted[agent.login], team.grants or 1)
        return granted

    def deadlocks(self) -> int | None:
        from django.db import connection

        if connection.vendor != "postgresql":
            return None
        with connection.cursor() as cursor:
            cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            return int(cursor.fetchone()[0])


def main(database: str, *names: str) -> None:
    """Run scenarios on a database, by default all of them."""
    set_up(database)
    helpdesk = DjangoHelpdesk()
    for name in names or SCENARIOS:
        SCENARIOS[name](helpdesk)
        print(name, flush=True)  # noqa: T201  # the test reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
