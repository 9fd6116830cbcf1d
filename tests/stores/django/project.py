"""A Django project for tests: its settings and its databases, which other tests of stores share.

Importing this module sets up Django in the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import current_thread, main_thread
from typing import Any

import django
import pymysql
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connections
from sqlalchemy import make_url

from tests.stores.databases import url_of

pymysql.install_as_MySQLdb()

_ENGINES = {"sqlite": "sqlite3", "postgresql": "postgresql", "mysql": "mysql"}

settings.configure(
    SECRET_KEY="not one",
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        **{name: {"ENGINE": f"django.db.backends.{engine}"} for name, engine in _ENGINES.items()},
    },
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django.contrib.messages", "scimkit.stores.django", "scimkit.stores.django.external_ids",
        "scimkit.stores.django.outbox", "scimkit.stores.django.provisioning_log",
        "tests.stores.django.helpdesk",
    ],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    DATA_UPLOAD_MAX_MEMORY_SIZE=1000,
    ROOT_URLCONF=(),
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    USE_TZ=True,
)  # fmt: skip
django.setup()


@cache
def alias(database: str) -> str:
    """Return the alias of a database with the tables of the project's apps."""
    url = make_url(url_of(database))
    connections.settings[database].update(
        NAME=url.database, USER=url.username or "", PASSWORD=url.password or "", PORT=url.port or "",
        HOST=url.query.get("host") or url.host or "",
    )  # fmt: skip
    if database == "sqlite":
        connections.settings[database]["OPTIONS"] = {"timeout": 30}
    migrate(database)
    return database


def migrate(database: str) -> None:
    """Create missing tables. Only one process at a time may do so, because all processes share one MariaDB."""
    with connections[database].cursor() as cursor:
        if database == "mysql":
            cursor.execute("SELECT GET_LOCK('scimkit-django', 120)")
        call_command("migrate", database=database, run_syncdb=True, verbosity=0)
        if database == "mysql":
            cursor.execute("SELECT RELEASE_LOCK('scimkit-django')")


@contextmanager
def alone(using: str) -> Iterator[None]:
    """Keep tests in other processes away from Django's own users, because all processes share one MariaDB."""
    if using != "mysql":
        yield
        return
    connection = connections[using].copy()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK('scimkit-django-users', 300)")
            yield
    finally:
        connection.close()


class Hosted:
    """A wrapper of a store whose threads close their connections, as Django does after each request."""

    def __init__(self, store: Any, using: str) -> None:
        self._store = store
        self._using = using

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not callable(method):
            return method

        def called(*arguments: Any, **named: Any) -> Any:
            try:
                return method(*arguments, **named)
            finally:
                if current_thread() is not main_thread():
                    connections[self._using].close()

        return called


class WsgiProject(WSGIHandler):
    """The project under WSGI, with URLs of its own."""

    def __init__(self, urlpatterns: Iterable[Any]) -> None:
        super().__init__()
        self.urlpatterns = tuple(urlpatterns)

    def get_response(self, request: Any) -> Any:
        request.urlconf = self.urlpatterns
        return super().get_response(request)


class AsgiProject(ASGIHandler):
    """The project under ASGI, with URLs of its own."""

    def __init__(self, urlpatterns: Iterable[Any]) -> None:
        super().__init__()
        self.urlpatterns = tuple(urlpatterns)

    async def get_response_async(self, request: Any) -> Any:
        request.urlconf = self.urlpatterns
        return await super().get_response_async(request)
