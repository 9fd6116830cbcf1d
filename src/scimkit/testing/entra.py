"""The simulator of the provisioning service of Microsoft Entra ID. It sends requests over HTTP.

The simulator judges every response by the rules of Entra. The report contains no secrets.
Source: learn.microsoft.com/entra/identity/app-provisioning/how-provisioning-works.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import uuid4

try:
    import httpx
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The simulators need httpx: pip install 'scimkit[testing]'") from _missing

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
"""The forms in which Entra writes PATCH requests."""
MIXED: Final = "mixed"
"""The flavor of a tenant with the flag `aadOptscim062020`. Entra ignores the flag when it provisions on demand."""

_MEMBERS_ON_DEMAND: Final = 5


class EntraSimulator:
    """A simulated provisioning job of Entra for one application.

    Args:
        base_url: The URL of the SCIM endpoint.
        token: The bearer token.
        directory: The users and groups to provision.
        flavor: One of `FLAVORS`, or `MIXED`.
        workers: The number of concurrent requests. With more than one, each member is added by a PATCH of its own.
        client: The HTTP client; needed for an application that is called in process.
        on_step: Called with each step of the report.
        without: The attributes that the application does not keep. They are sent, but not expected in responses.

    Raises:
        ValueError: No schema has an attribute that `without` names.
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
        """The report with the steps so far."""
        return self._talk.report

    def close(self) -> None:
        """Close the connection."""
        self._talk.close()

    def clean_up(self) -> list[str]:
        """Delete the resources that this simulator created, and return the paths that could not be deleted."""
        return self._talk.clean_up()

    def test_connection(self) -> bool:
        """Search for a random user, as the button *Test Connection* does."""
        return self._probe("Test connection")

    def provision_on_demand(self, key: str) -> bool:
        """Provision one person or team immediately, as the button *Provision on demand* does.

        The job tests the connection, searches for the resource, then creates or updates it.
        """
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
        """Run the first cycle: provision all users and groups, then send managers and members in separate requests."""
        return self._cycle("Initial cycle")

    def incremental_cycle(self) -> bool:
        """Run a later cycle, which sends the changes since the last cycle. Entra runs one about every 40 minutes."""
        return self._cycle("Incremental cycle")

    def synchronize(self) -> bool:
        """Run the initial cycle the first time, and an incremental cycle after that."""
        return self.incremental_cycle() if self._ids else self.initial_cycle()

    def verify(self) -> bool:
        """Compare every attribute and every membership that was written with the directory."""
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
                return  # Entra does not create a user that is disabled from the start
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
    """Return the query string of a filter with `eq`. Quotes and backslashes in the value are escaped as in JSON."""
    return filter_query(f"{attribute} eq {json.dumps(value, ensure_ascii=False)}")


def run_story(
    base_url: str,
    token: str,
    *,
    flavor: str = "default",
    on_step: OnStep | None = None,
    without: Iterable[str] = (),
) -> Report:
    """Run a connection test, on-demand provisioning and all cycles on the sample directory, and return the report."""
    directory = sample_directory()
    entra = EntraSimulator(base_url, token, directory, flavor=flavor, on_step=on_step, without=without)
    try:
        if entra.test_connection():
            entra.provision_on_demand(key_of("ada"))
            entra.provision_on_demand(key_of("team/tier1"))
            entra.initial_cycle()
            for change in _CHANGES:
                change(directory)
                entra.incremental_cycle()
    finally:
        entra.close()
    return entra.report


def _changes(directory: Directory) -> None:
    """Change names, titles and managers, hire a person, move people between teams, and rename a team."""
    directory.change(key_of("ada"), family_name="Lovelace", email="ada.lovelace@example.org", title="Senior Agent")
    directory.change(key_of("bo"), mobile="+47 555 0199", manager=key_of("li"))
    directory.hire(Person(key_of("ina"), "ina.new@example.org", "Ina", "New", "ina@example.org", manager=key_of("mia")))
    directory.join(key_of("team/tier1"), key_of("ina"), key_of("li"))
    directory.leave(key_of("team/tier1"), key_of("jose"))
    directory.rename(key_of("team/tier2"), "Escalations")


def _departures(directory: Directory) -> None:
    """Disable one person, delete another one temporarily, and remove a team."""
    directory.disable(key_of("bo"))
    directory.delete(key_of("sam"))
    directory.disband(key_of("team/billing"))


def _returns(directory: Directory) -> None:
    """Enable the disabled person, purge the deleted person, and remove a manager."""
    directory.enable(key_of("bo"))
    directory.purge(key_of("sam"))
    directory.change(key_of("jose"), manager=None)


_CHANGES: Final = (_changes, _departures, _returns)
