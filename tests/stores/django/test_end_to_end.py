"""A Django project with a SCIM endpoint over HTTP: the simulator of Entra ID, and concurrent requests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.stores.django.declared import AGENTS, TEAMS
from tests.stores.django.project import AsgiProject, WsgiProject, alias

from django.urls import include, path  # isort: skip

from scimkit import ScimService, TokenRegistry
from scimkit.django import scim_urls
from scimkit.stores.django import DjangoStore, DjangoTokenStore
from scimkit.testing.entra import run_story
from scimkit.testing.server import running
from tests.end_to_end.test_concurrency import wsgi_running
from tests.stores.databases import DATABASES
from tests.stores.django.helpdesk.models import Agent, Team
from tests.stores.mapped.helpdesk import account

SERVERS: dict[str, Any] = {
    "asgi": lambda urlpatterns: running(AsgiProject(urlpatterns)),
    "wsgi": lambda urlpatterns: wsgi_running(WsgiProject(urlpatterns)),
}


@contextmanager
def project(kind: str, database: str, tenant: str) -> Iterator[tuple[str, str]]:
    """Yield the URL of the endpoint of a running project, and a token of a tenant."""
    using = alias(database)
    tokens = TokenRegistry(DjangoTokenStore(using))
    service = ScimService(DjangoStore((AGENTS, TEAMS), using=using), tokens=tokens)
    with SERVERS[kind]([path("scim/v2/", include(scim_urls(service)))]) as url:
        yield f"{url}/scim/v2", tokens.issue("test", tenant=tenant).token


@pytest.mark.parametrize(("kind", "database"), [("asgi", "sqlite"), ("wsgi", "sqlite")])
def test_simulator_of_entra(kind: str, database: str) -> None:
    """The simulator of Entra ID tests the connection, provisions on demand, and runs all provisioning cycles."""
    tenant = account()
    with project(kind, database, tenant) as (url, token):
        report = run_story(url, token)
    assert report.passed, report.failures
    agents, teams = (each.objects.using(database).filter(account=tenant) for each in (Agent, Team))
    assert agents.filter(login="ina.new@example.org", manager__isnull=False).exists()
    assert teams.get(name="Escalations").agents.exists()


@pytest.mark.parametrize("database", DATABASES)
def test_concurrent_requests(database: str) -> None:
    """Of concurrent requests for one user name, exactly one succeeds. Members added concurrently are all stored."""
    with project("wsgi", database, account()) as (url, token), httpx.Client(base_url=url, timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        with ThreadPoolExecutor(4) as pool:
            names = list(pool.map(lambda _: http.post("/Users", json={"userName": "ada"}).status_code, range(8)))
            assert sorted(names) == [201] + [409] * 7
            users = pool.map(lambda number: http.post("/Users", json={"userName": f"user{number}"}), range(16))
            people = [each.json()["id"] for each in users]
            group = http.post("/Groups", json={"displayName": "Everybody"}).json()["id"]

            def add(member: str) -> int:
                body = {"Operations": [{"op": "Add", "path": "members", "value": [{"value": member}]}]}
                return http.patch(f"/Groups/{group}", json=body).status_code

            assert set(pool.map(add, people)) == {204}
        members = http.get(f"/Groups/{group}").json()["members"]
    assert {each["value"] for each in members} == set(people)
