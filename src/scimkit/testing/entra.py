"""A simulator of Microsoft Entra ID's provisioning service: the client side, over real HTTP.

It judges every answer by Entra's own rules, and keeps no secret in what it reports.
Source: learn.microsoft.com/entra/identity/app-provisioning/how-provisioning-works.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import uuid4

import httpx

from scimkit.testing import entra_rules as rules
from scimkit.testing.directory import Directory, Person, Team, key_of, sample_directory
from scimkit.testing.entra_messages import (
    DefaultFlavor,
    Flavor,
    OptimizedFlavor,
    group_body,
    mapped,
    patch_body,
    user_body,
)
from scimkit.testing.entra_quarantine import Quarantine
from scimkit.testing.exchange import Connection, filter_query
from scimkit.testing.mapping import ENTERPRISE
from scimkit.testing.report import OnStep, Report, Rule, Step
from scimkit.testing.session import ProviderSession
from scimkit.testing.without import Without

__all__ = ["FLAVORS", "MIXED", "EntraSimulator", "Report", "Step", "run_story"]

_FLAVORS: Final[dict[str, Flavor]] = {"default": DefaultFlavor(), "aadOptscim062020": OptimizedFlavor()}
FLAVORS: Final = tuple(_FLAVORS)
"""The ways Entra writes its PATCHes."""
MIXED: Final = "mixed"
"""What a tenant with `aadOptscim062020` sends in truth: the flag has no effect on demand."""

_MEMBERS_ON_DEMAND: Final = 5


class EntraSimulator:
    """Entra's provisioning job for one application.

    `flavor` is one of `FLAVORS`, or `MIXED`. `client` sends the requests, for an application in process.
    With `workers` above one, every member is a PATCH of its own, that many at the same time. `on_step` is
    told of each step while it happens. `without` names the attributes that the application does not keep: they are
    sent, and not expected back.
    Raises: ValueError for a name in `without` that no schema has.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        directory: Directory,
        *,
        flavor: str = "default",
        workers: int = 1,
        client: httpx.Client | None = None,
        on_step: OnStep | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self.directory = directory
        self._without = Without(without)
        self.quarantine: Quarantine = Quarantine()
        connection = Connection(base_url, token, client=client)
        self._talk = ProviderSession(connection, on_step, not_compared=self._without.names)
        self._in_cycles = _FLAVORS["aadOptscim062020" if flavor == MIXED else flavor]
        self._on_demand = _FLAVORS["default" if flavor == MIXED else flavor]
        self._flavor = self._in_cycles
        self._workers = workers
        self._ids: dict[str, str] = {}
        self._written: dict[str, dict[str, Any]] = {}
        self._managers: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}

    @property
    def report(self) -> Report:
        """The steps so far."""
        return self._talk.report

    def close(self) -> None:
        """Close the connection."""
        self._talk.close()

    def clean_up(self) -> list[str]:
        """Delete what was created here. Returns the paths that would not go."""
        return self._talk.clean_up()

    def test_connection(self) -> bool:
        """*Test Connection*: a query for somebody who cannot exist."""
        return self._probe("Test connection")

    def provision_on_demand(self, key: str) -> bool:
        """*Provision on demand* of a person or a team: probe, match, then create or update, at once."""
        before = len(self.report.failures)
        self._flavor = self._on_demand
        if self._probe("Provision on demand: connection"):
            if key in self.directory.people:
                self._provision_person(self.directory.people[key])
                self._provision_manager(self.directory.people[key])
            else:
                team = self.directory.teams[key]
                self._provision_team(team)
                self._provision_members(team, at_most=_MEMBERS_ON_DEMAND)
        self._flavor = self._in_cycles
        return len(self.report.failures) == before

    def initial_cycle(self) -> bool:
        """The first cycle: everybody in scope, then references, each as a PATCH of its own."""
        return self._cycle("Initial cycle")

    def incremental_cycle(self) -> bool:
        """A later cycle, about every 40 minutes: what changed in the directory since the last."""
        return self._cycle("Incremental cycle")

    def synchronize(self) -> bool:
        """The next cycle."""
        return self.incremental_cycle() if self._ids else self.initial_cycle()

    def verify(self) -> bool:
        """Compare the server's view with the directory, every attribute and membership that was written."""
        before = len(self.report.failures)
        for key, values in self._written.items():
            expected = dict(values)
            if key in self._managers:
                expected[f"{ENTERPRISE}:manager.value"] = self._ids[self._managers[key]]
            name = values.get("displayName", "")
            kind = "Groups" if key in self._members else "Users"
            expected = self._without.kept(expected)
            if key in self._members:
                expected["displayName"] = name
            judged: list[Rule] = [rules.read, rules.has(expected)]
            if key in self._members:
                judged.append(rules.members_are(frozenset(self._ids[each] for each in self._members[key])))
            self._step(f"Verify {name}", "GET", f"/{kind}/{self._ids[key]}", judged)
        return len(self.report.failures) == before

    def _cycle(self, title: str) -> bool:
        before = len(self.report.failures)
        self.quarantine.start_cycle()
        if self._probe(f"{title}: connection"):
            self._remove_purged()
            for person in self.directory.people.values():
                self._provision_person(person)
            for team in self.directory.teams.values():
                self._provision_team(team)
            for person in self.directory.people.values():
                self._provision_manager(person)
            for team in self.directory.teams.values():
                self._provision_members(team)
            self.verify()
        return len(self.report.failures) == before

    def _probe(self, title: str) -> bool:
        query = filter_query(f'userName eq "{uuid4()}"')
        step = self._talk.step(title, "GET", f"/Users?{query}", [rules.probe])
        self.quarantine.probed(step)
        return step.passed

    def _provision_person(self, person: Person) -> None:
        values = mapped(person)
        if person.key not in self._ids:
            if not person.enabled:
                return  # what is disabled at first sight is never created
            id = self._match(f"Match {person.display_name}", "/Users?" + _equals("userName", person.user_name))
            if id is None:
                self._create(f"Create {person.display_name}", person.key, "/Users", user_body(person), values)
                return
            self._ids[person.key], self._written[person.key] = id, {}
        self._update(person, values)

    def _update(self, person: Person, values: dict[str, Any]) -> None:
        id, written = self._ids[person.key], self._written[person.key]
        changed = {path: value for path, value in values.items() if written.get(path) != value}
        if not changed:
            return
        self._step(f"Read {person.display_name}", "GET", f"/Users/{id}", [rules.read])
        verb = "Update"
        if written and "active" in changed:
            verb = "Enable" if changed["active"] else "Disable"
        body = patch_body(self._flavor.assign(changed, written))
        if self._step(f"{verb} {person.display_name}", "PATCH", f"/Users/{id}", [rules.patched_user], body).passed:
            self._written[person.key] = {**written, **changed}
        if verb == "Disable":
            query = _equals("userName", person.user_name)
            judged = [rules.matches, rules.found(id)]
            self._step(f"Find disabled {person.display_name}", "GET", f"/Users?{query}", judged)

    def _provision_manager(self, person: Person) -> None:
        had = self._managers.get(person.key)
        wanted = person.manager if person.manager in self._ids else None
        if person.key not in self._ids or had == wanted:
            return
        if wanted is not None:
            operations = self._flavor.manager(self._ids[wanted])
        else:
            assert had is not None
            operations = self._flavor.no_manager(self._ids[had])
        title = f"{'Set' if wanted else 'Clear'} manager of {person.display_name}"
        path = f"/Users/{self._ids[person.key]}"
        if not self._step(title, "PATCH", path, [rules.patched_user], patch_body(operations)).passed:
            return
        if wanted is None:
            del self._managers[person.key]
        else:
            self._managers[person.key] = wanted

    def _provision_team(self, team: Team) -> None:
        values = {"displayName": team.name, "externalId": team.key}
        if team.key not in self._ids:
            query = "/Groups?excludedAttributes=members&" + _equals("displayName", team.name)
            id = self._match(f"Match {team.name}", query, rules.without_members)
            if id is None:
                if self._create(f"Create {team.name}", team.key, "/Groups", group_body(team), values):
                    self._members[team.key] = set()
                return
            self._ids[team.key], self._written[team.key] = id, {"displayName": team.name}
            self._members[team.key] = set()
        written = self._written[team.key]
        changed = {path: value for path, value in values.items() if written.get(path) != value}
        if not changed:
            return
        path = f"/Groups/{self._ids[team.key]}"
        judged = [rules.read, rules.without_members]
        self._step(f"Read {team.name}", "GET", f"{path}?excludedAttributes=members", judged)
        body = patch_body(self._flavor.assign(changed, written))
        if self._step(f"Update {team.name}", "PATCH", path, [rules.patched_group], body).passed:
            self._written[team.key] = {**written, **changed}

    def _provision_members(self, team: Team, *, at_most: int | None = None) -> None:
        if team.key not in self._ids:
            return
        there = self._members[team.key]
        wanted = {key for key in team.members if key in self._ids}
        added, removed = sorted(wanted - there)[:at_most], sorted(there - wanted)
        path = f"/Groups/{self._ids[team.key]}"
        for title, keys, write in (
            (f"Add {len(added)} to {team.name}", added, self._flavor.add_members),
            (f"Remove {len(removed)} from {team.name}", removed, self._flavor.remove_members),
        ):
            parts = [[key] for key in keys] if self._workers > 1 else [keys] if keys else []
            bodies = [(title, patch_body(write([self._ids[key] for key in part]))) for part in parts]
            steps = self._talk.steps_at_once(bodies, "PATCH", path, [rules.patched_group], workers=self._workers)
            for part, step in zip(parts, steps, strict=True):
                self.quarantine.noted(step, reference=True)
                if step.passed:
                    there.symmetric_difference_update(part)

    def _remove_purged(self) -> None:
        for key in list(self._ids):
            if key in self.directory.people or key in self.directory.teams:
                continue
            kind = "Groups" if key in self._members else "Users"
            path, name = f"/{kind}/{self._ids[key]}", self._written[key].get("displayName", "")
            if self._step(f"Delete {name}", "DELETE", path, [rules.deleted]).passed:
                self._step(f"{name} is gone", "GET", path, [rules.gone])
                self._forget(key)

    def _forget(self, key: str) -> None:
        for known in (self._ids, self._written, self._managers, self._members):
            known.pop(key, None)
        for members in self._members.values():
            members.discard(key)
        self._managers = {person: each for person, each in self._managers.items() if each != key}

    def _match(self, title: str, path: str, *more: Rule) -> str | None:
        step = self._step(title, "GET", path, [rules.matches, *more])
        resources = step.exchange.received["Resources"] if step.passed else ()
        return resources[0]["id"] if resources else None

    def _create(self, title: str, key: str, path: str, body: dict[str, Any], values: dict[str, Any]) -> bool:
        step = self._step(title, "POST", path, [rules.created], body)
        if step.passed:
            self._ids[key], self._written[key] = step.exchange.received["id"], values
        return step.passed

    def _step(self, title: str, method: str, path: str, judged: Sequence[Rule], body: Any = None) -> Step:
        step = self._talk.step(title, method, path, judged, body)
        self.quarantine.noted(step)
        return step


def _equals(attribute: str, value: str) -> str:
    """The query string of a match; quotes and backslashes in the value are escaped as in JSON."""
    return filter_query(f"{attribute} eq {json.dumps(value, ensure_ascii=False)}")


def run_story(
    base_url: str,
    token: str,
    *,
    flavor: str = "default",
    on_step: OnStep | None = None,
    without: Iterable[str] = (),
) -> Report:
    """The whole story on the sample directory: test, on demand, initial cycle, and a life in cycles."""
    directory = sample_directory()
    entra = EntraSimulator(base_url, token, directory, flavor=flavor, on_step=on_step, without=without)
    try:
        if entra.test_connection():
            entra.provision_on_demand(key_of("ada"))
            entra.provision_on_demand(key_of("team/tier1"))
            entra.initial_cycle()
            for change in _LIFE:
                change(directory)
                entra.incremental_cycle()
    finally:
        entra.close()
    return entra.report


def _changes(directory: Directory) -> None:
    """A marriage, a promotion, a new colleague, a move between teams, a team renamed."""
    directory.change(key_of("ada"), family_name="Lovelace", email="ada.lovelace@example.org", title="Senior Agent")
    directory.change(key_of("bo"), mobile="+47 555 0199", manager=key_of("li"))
    directory.hire(Person(key_of("ina"), "ina.new@example.org", "Ina", "New", "ina@example.org", manager=key_of("mia")))
    directory.join(key_of("team/tier1"), key_of("ina"), key_of("li"))
    directory.leave(key_of("team/tier1"), key_of("jose"))
    directory.rename(key_of("team/tier2"), "Escalations")


def _departures(directory: Directory) -> None:
    """Somebody is disabled, somebody is deleted for now, a team is disbanded."""
    directory.disable(key_of("bo"))
    directory.delete(key_of("sam"))
    directory.disband(key_of("team/billing"))


def _returns(directory: Directory) -> None:
    """The disabled one comes back with the memberships as they were; the deleted one is purged."""
    directory.enable(key_of("bo"))
    directory.purge(key_of("sam"))
    directory.change(key_of("jose"), manager=None)


_LIFE: Final = (_changes, _departures, _returns)
