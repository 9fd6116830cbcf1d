"""Scenarios that each helpdesk of the documentation must pass, whichever framework and store it has.

A scenario drives the application over HTTP, as an identity provider does, and then reads the tables of the helpdesk.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any, Final, Protocol
from uuid import uuid4

import httpx

from scimkit.events import Listener, Refused, Transaction, UserDeactivated, in_transaction
from scimkit.testing.directory import Directory, key_of, sample_directory
from scimkit.testing.directory_history import DirectoryEvent, full_history, play
from scimkit.testing.endpoint import Endpoint, open_endpoint
from scimkit.testing.provider import ProviderSimulator
from scimkit.testing.providers import PROVIDERS, provider
from scimkit.testing.report import explained
from tests.client import GROUP, PATCH_OP, USER

AGENT, LEAD, ADMIN = 1, 2, 3
NO_SEAT: Final = "No seat is left. Buy seats or remove an agent."


class Helpdesk(Protocol):
    """A helpdesk of the documentation. Its methods read and write the tables, as the application's own code does."""

    path: str
    """The path of the SCIM endpoint."""
    app: Any
    """The application."""

    def app_with(self, *listeners: Listener) -> Any:
        """Return a SCIM endpoint, without a path, over the same tables and with more listeners."""
        ...

    def token(self, tenant: str) -> str: ...

    def set_seats(self, tenant: str, seats: int) -> None: ...

    def set_role(self, tenant: str, team: str, role: int) -> None: ...

    def set_owner(self, tenant: str, login: str) -> None: ...

    def open_ticket(self, tenant: str, subject: str, login: str) -> None: ...

    def tickets(self, tenant: str) -> dict[str, str | None]:
        """Return the login of the agent of each open ticket, by subject. None is the queue."""
        ...

    def roles(self, tenant: str) -> dict[str, int]:
        """Return the stored role of each agent, by login."""
        ...

    def granted(self, tenant: str) -> dict[str, int]:
        """Return the highest role that the teams of each agent grant, by login."""
        ...

    def deadlocks(self) -> int | None:
        """Return the number of deadlocks that the database counted. None if the database does not count them."""
        ...


def all_providers(helpdesk: Helpdesk) -> None:
    """All simulated identity providers pass, with every kind of event."""
    for name in PROVIDERS:
        with open_endpoint(helpdesk.app, helpdesk.path) as endpoint:
            simulator = _simulator(helpdesk, endpoint, name, _tenant(helpdesk))
            report = play(simulator, full_history())
            assert report.passed, name + ": " + "\n\n".join(explained(step) for step in report.failures)
            assert simulator.clean_up() == [], name
            simulator.close()


def story(helpdesk: Helpdesk, name: str) -> None:
    """Tickets and roles follow each event of a directory: nobody who left has a ticket, and roles follow the teams."""
    tenant = _tenant(helpdesk)
    grants = {key_of("team/tier2"): ADMIN, key_of("team/billing"): LEAD}
    with open_endpoint(helpdesk.app, helpdesk.path) as endpoint, _messages() as messages:
        simulator = _simulator(helpdesk, endpoint, name, tenant)
        directory = simulator.directory
        assert simulator.test_connection()
        assert simulator.synchronize()
        for key, role in grants.items():
            helpdesk.set_role(tenant, directory.teams[key].name, role)
        for event in (None, *full_history()):
            if event is not None:
                event.happen(directory)
                _synchronized(simulator, event)
            _check_roles(helpdesk, tenant, directory, grants)
            active = {each.user_name for each in directory.people.values() if each.enabled}
            assert {*helpdesk.tickets(tenant).values()} <= {*active, None}, event
            for login in active & helpdesk.roles(tenant).keys():
                helpdesk.open_ticket(tenant, f"{login}: {event.title if event else 'first'}", login)
        assert helpdesk.tickets(tenant)["bo.lind@example.org: Bo has another manager"] is None
        assert helpdesk.tickets(tenant)["ada.lovelace@example.org: Bo has another manager"] is not None
        simulator.close()
    assert "ina@example.org is a new agent" in messages
    assert "bo.lind@example.org has left, and the tickets are in the queue" in messages


def refusal(helpdesk: Helpdesk, name: str) -> None:
    """Tickets stay with the agent if a later handler refuses the deactivation, because both are one transaction."""
    tenant, bo = _tenant(helpdesk), key_of("bo")
    refuses = True

    def refuse(event: UserDeactivated, transaction: Transaction) -> None:
        if refuses:
            raise Refused("Bo is on call. Choose another agent first.")

    with open_endpoint(helpdesk.app_with(in_transaction(UserDeactivated, refuse))) as endpoint, _messages() as messages:
        simulator = _simulator(helpdesk, endpoint, name, tenant)
        assert simulator.synchronize()
        login = simulator.directory.people[bo].user_name
        helpdesk.open_ticket(tenant, "printer", login)
        simulator.directory.disable(bo)
        assert not simulator.synchronize()
        refused = next(step for step in simulator.report.failures if step.status == 409)
        assert refused.exchange.received["detail"] == "Bo is on call. Choose another agent first."
        assert helpdesk.tickets(tenant) == {"printer": login}
        assert not [each for each in messages if "has left" in each]
        refuses = False
        assert simulator.synchronize()
        assert helpdesk.tickets(tenant) == {"printer": None}
        simulator.close()


def seat_limit(helpdesk: Helpdesk, name: str) -> None:
    """The seat limit refuses users and reactivations with a detail that the identity provider's log shows."""
    tenant, bo, sam = _tenant(helpdesk), key_of("bo"), key_of("sam")
    helpdesk.set_seats(tenant, 6)
    with open_endpoint(helpdesk.app, helpdesk.path) as endpoint:
        simulator = _simulator(helpdesk, endpoint, name, tenant)
        assert not simulator.synchronize()
        assert _refusals(simulator)
        assert len(helpdesk.roles(tenant)) == 6
        helpdesk.set_seats(tenant, 7)
        assert simulator.synchronize()
        simulator.report.steps.clear()
        simulator.directory.disable(bo)
        assert simulator.synchronize()
        helpdesk.set_seats(tenant, 6)
        simulator.directory.enable(bo)
        assert not simulator.synchronize()
        assert _refusals(simulator)
        simulator.report.steps.clear()
        simulator.directory.disable(sam)
        simulator.synchronize()
        assert simulator.synchronize()
        simulator.close()


def owner(helpdesk: Helpdesk, name: str) -> None:
    """The owner of the account is not deactivated, and the identity provider's log says why."""
    tenant, bo = _tenant(helpdesk), key_of("bo")
    with open_endpoint(helpdesk.app, helpdesk.path) as endpoint:
        simulator = _simulator(helpdesk, endpoint, name, tenant)
        assert simulator.synchronize()
        login = simulator.directory.people[bo].user_name
        helpdesk.set_owner(tenant, login)
        helpdesk.open_ticket(tenant, "printer", login)
        simulator.directory.disable(bo)
        assert not simulator.synchronize()
        refused = next(step for step in simulator.report.failures if step.status == 403)
        assert "protected" in refused.exchange.received["detail"]
        assert helpdesk.tickets(tenant) == {"printer": login}
        simulator.close()


def last_seat(helpdesk: Helpdesk) -> None:
    """Of several requests at once for the last seat, exactly one succeeds."""
    tenant = _tenant(helpdesk)
    helpdesk.set_seats(tenant, 1)
    with _client(helpdesk, tenant) as client, ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda number: _new_user(client, f"agent{number}").status_code, range(6)))
        assert sorted(statuses) == [201, 403, 403, 403, 403, 403]


def parallel(helpdesk: Helpdesk) -> None:
    """Parallel changes of overlapping groups and users all succeed, roles are right, and no deadlock occurs."""
    tenant, before = _tenant(helpdesk), helpdesk.deadlocks()
    with _client(helpdesk, tenant) as client, ThreadPoolExecutor(8) as pool:
        users = [str(_new_user(client, f"agent{number}").json()["id"]) for number in range(8)]
        teams = [str(_new_team(client, f"team{number}", users).json()["id"]) for number in range(5)]
        for number, role in enumerate((ADMIN, LEAD, LEAD, AGENT)):
            helpdesk.set_role(tenant, f"team{number}", role)
        answers = list(pool.map(lambda seed: _requests(client, seed, users, teams, 30), range(8)))
        statuses = {status for each in answers for status in each}
        assert statuses <= {200, 201, 204, 404}, statuses
        assert len(helpdesk.roles(tenant)) >= 7
    assert helpdesk.roles(tenant) == helpdesk.granted(tenant)
    assert helpdesk.deadlocks() == before


def _requests(client: httpx.Client, seed: int, users: list[str], teams: list[str], count: int) -> list[int]:
    """Send random requests: members that come and go, users that are disabled, users that are deleted."""
    random, statuses = Random(seed), []
    for number in range(count):
        some = random.sample(users, 4)
        kind = random.choices(("add", "remove", "replace", "active", "leaver"), (4, 4, 1, 3, 1))[0]
        if kind == "active":
            change = {"op": "replace", "path": "active", "value": random.random() < 0.5}
            answer = _patch(client, f"/Users/{some[0]}", change)
        elif kind == "leaver":
            id = _new_user(client, f"leaver{seed}-{number}").json()["id"]
            for team in random.sample(teams, 2):
                joins = {"op": "add", "path": "members", "value": [{"value": id}]}
                statuses.append(_patch(client, f"/Groups/{team}", joins).status_code)
            answer = client.delete(f"/Users/{id}")
        elif kind == "remove":
            leave = [{"op": "remove", "path": f'members[value eq "{each}"]'} for each in some]
            answer = _patch(client, f"/Groups/{random.choice(teams)}", *leave)
        else:
            members = {"op": kind, "path": "members", "value": [{"value": each} for each in some]}
            answer = _patch(client, f"/Groups/{random.choice(teams)}", members)
        statuses.append(answer.status_code)
    return statuses


def _synchronized(simulator: ProviderSimulator, event: DirectoryEvent) -> None:
    assert simulator.synchronize(), event.title + "\n\n".join(explained(step) for step in simulator.report.failures)


def _check_roles(helpdesk: Helpdesk, tenant: str, directory: Directory, grants: dict[str, int]) -> None:
    """Compare the stored roles with the teams of the helpdesk, and with the teams of the directory."""
    roles = helpdesk.roles(tenant)
    assert roles == helpdesk.granted(tenant)
    for key, person in directory.people.items():
        if person.user_name in roles:
            theirs = [role for team, role in grants.items() if team in directory.teams
                      and key in directory.teams[team].members]  # fmt: skip
            assert roles[person.user_name] == max(theirs, default=AGENT), person.user_name


def _refusals(simulator: ProviderSimulator) -> bool:
    """Report whether the seat limit refused a request, with its detail."""
    refused = [step for step in simulator.report.failures if step.status == 403]
    return bool(refused) and all(step.exchange.received["detail"] == NO_SEAT for step in refused)


def _tenant(helpdesk: Helpdesk) -> str:
    """Return the name of a new account with enough seats."""
    tenant = f"t{uuid4().hex[:12]}"
    helpdesk.set_seats(tenant, 1_000)
    return tenant


def _simulator(helpdesk: Helpdesk, endpoint: Endpoint, name: str, tenant: str) -> Any:
    token = helpdesk.token(tenant)
    return provider(name, endpoint.base_url, token, sample_directory(), client=endpoint.client)


@contextmanager
def _client(helpdesk: Helpdesk, tenant: str) -> Iterator[httpx.Client]:
    with open_endpoint(helpdesk.app, helpdesk.path) as endpoint:
        client = endpoint.client or httpx.Client(timeout=60)
        client.base_url = httpx.URL(endpoint.base_url)
        client.headers = httpx.Headers({"Authorization": f"Bearer {helpdesk.token(tenant)}"})
        with client if endpoint.client is None else _open(client):
            yield client


@contextmanager
def _open(client: httpx.Client) -> Iterator[None]:
    yield


def _new_user(client: httpx.Client, name: str) -> httpx.Response:
    return client.post("/Users", json={"schemas": [USER], "userName": name, "active": True})


def _new_team(client: httpx.Client, name: str, members: list[str]) -> httpx.Response:
    listed = [{"value": each} for each in members]
    return client.post("/Groups", json={"schemas": [GROUP], "displayName": name, "members": listed})


def _patch(client: httpx.Client, path: str, *operations: dict[str, Any]) -> httpx.Response:
    return client.patch(path, json={"schemas": [PATCH_OP], "Operations": list(operations)})


@contextmanager
def _messages() -> Iterator[list[str]]:
    """Collect the messages that the helpdesk logs."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("helpdesk")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield messages
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


SCENARIOS: Final = {
    "all_providers": all_providers,
    **{f"{each.__name__}-{name}": (lambda helpdesk, each=each, name=name: each(helpdesk, name))
       for each in (story, refusal, seat_limit, owner) for name in ("entra", "okta")},
    "last_seat": last_seat,
    "parallel": parallel,
}  # fmt: skip
"""The scenarios by name."""
