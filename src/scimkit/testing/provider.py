"""The behavior that all simulated identity providers share.

The simulator compares a directory with the resources that it wrote, and turns every difference into a request. A
`ProviderProfile` says how a provider writes that request. A subclass adds behavior that a profile cannot express.
After each synchronization the simulator compares every attribute that the service returns with the directory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar, Final
from urllib.parse import quote
from uuid import uuid4

try:
    import httpx
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The simulators need httpx: pip install 'scimkit[testing]'") from _missing

from scimkit.testing import provider_rules as rules
from scimkit.testing.directory import Directory, Person, Team
from scimkit.testing.exchange import Connection
from scimkit.testing.mapping import ENTERPRISE, GROUP, PATCH_OP, USER, assignments, document, mapped
from scimkit.testing.provider_profile import ProviderProfile
from scimkit.testing.report import OnStep, Report
from scimkit.testing.session import ProviderSession
from scimkit.testing.without import Without

PAGE: Final = 100


class ProviderSimulator:
    """A simulated identity provider that provisions the users and groups of a directory into one application.

    Args:
        base_url: The URL of the SCIM endpoint.
        token: The bearer token.
        directory: The users and groups to provision.
        client: The HTTP client; needed for an application that is called in process.
        on_step: Called with each step of the report.
        without: The attributes that the application does not keep. They are sent, but not expected in responses.

    Raises:
        ValueError: No schema has an attribute that `without` names.
    """

    profile: ClassVar[ProviderProfile]

    def __init__(
        self,
        base_url: str,
        token: str,
        directory: Directory,
        *,
        client: httpx.Client | None = None,
        on_step: OnStep | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self.directory = directory
        self._without = Without(without)
        connection = Connection(
            base_url, token, client=client, timeout=self.profile.timeout, user_agent=self.profile.user_agent
        )
        self._talk = ProviderSession(connection, on_step, not_compared=self._without.names)
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._written: dict[str, dict[str, Any]] = {}
        self._members: dict[str, set[str]] = {}
        self._left: dict[str, str] = {}

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
        """Send the requests that the provider sends when an administrator tests or saves the connection."""
        before = len(self.report.failures)
        query = self._equals("userName", f"nobody-{uuid4().hex}")
        self._talk.step("Test connection", "GET", f"/Users?{query}", [rules.empty])
        return len(self.report.failures) == before

    def synchronize(self) -> bool:
        """Bring the service to the state of the directory, then compare the two."""
        before = len(self.report.failures)
        for key in [key for key in self._ids if key not in self._members and key not in self.directory.people]:
            self._leave(key)
        for key in [key for key in self._members if key not in self.directory.teams]:
            self._disband(key)
        for _ in range(2):  # the second round sets managers whose ids are known only after the first round
            for person in self.directory.people.values():
                self._provision_person(person)
        for team in self.directory.teams.values():
            self._provision_team(team)
        self.verify()
        return len(self.report.failures) == before

    def verify(self) -> bool:
        """Compare every mapped attribute and every membership in the service with the directory."""
        before = len(self.report.failures)
        for key, person in self.directory.people.items():
            if key in self._ids:
                wanted = self._mapped(person)
                expected = self._without.kept({path: wanted.get(path) for path in {**self._written[key], **wanted}})
                self._verify(f"Verify {person.display_name}", f"/Users/{self._ids[key]}", rules.has(expected))
        for id, name in self._left.items():
            self._verify(f"Verify {name}, who left", f"/Users/{id}", rules.has(self._without.kept({"active": False})))
        for key, team in self.directory.teams.items():
            if key in self._members:
                members = [self._ids[each] for each in team.members if each in self._ids]
                judged = [rules.has({"displayName": team.name}), rules.members_are(members)]
                self._verify(f"Verify {team.name}", f"/Groups/{self._ids[key]}", *judged)
        return len(self.report.failures) == before

    def _verify(self, title: str, path: str, *judged: Any) -> None:
        self._talk.step(title, "GET", path, [rules.read, *judged])

    def _mapped(self, person: Person) -> dict[str, Any]:
        return mapped(self.profile.mapping, person, self._ids)

    def _provision_person(self, person: Person) -> None:
        wanted = self._mapped(person)
        if person.key not in self._ids:
            if not person.enabled:
                return  # the provider does not create a user that is disabled from the start
            id = self._find_user(person)
            if id is None:
                self._create_user(person, wanted)
                return
            self._know_user(person, id, {})
        self._names[person.key] = person.display_name
        written = self._written[person.key]
        changed = {path: wanted.get(path) for path in {**written, **wanted} if written.get(path) != wanted.get(path)}
        if changed and self._update_user(person.key, wanted, changed):
            self._written[person.key] = {**written, **changed}

    def _find_user(self, person: Person) -> str | None:
        query = self._equals("userName", person.user_name)
        return self._find(f"Match {person.display_name}", f"/Users?{query}")

    def _find(self, title: str, path: str) -> str | None:
        step = self._talk.step(title, "GET", path, [rules.at_most_one])
        resources = step.exchange.received.get("Resources", ()) if step.passed else ()
        return resources[0]["id"] if resources else None

    def _create_user(self, person: Person, wanted: dict[str, Any]) -> None:
        step = self._talk.step(f"Create {person.display_name}", "POST", "/Users", [rules.created], self._user(wanted))
        if step.passed:
            self._know_user(person, step.exchange.received["id"], wanted)

    def _know_user(self, person: Person, id: str, written: dict[str, Any]) -> None:
        self._ids[person.key], self._names[person.key], self._written[person.key] = id, person.display_name, written
        self._left.pop(id, None)

    def _update_user(self, key: str, wanted: dict[str, Any], changed: dict[str, Any]) -> bool:
        verb, path = "Update", self._user_path(key)
        if changed.keys() == {"active"}:
            verb = "Reactivate" if changed["active"] else "Deactivate"
        title = f"{verb} {self._names[key]}"
        if verb != "Update" and self.profile.activates != "as any update":
            operations = [{"op": self.profile.activates, "value": {"active": changed["active"]}}]
            return self._patch(title, path, operations)
        if self.profile.updates == "PATCH":
            operations = self._assignments(changed, self._without.kept(self._written[key]))
            return not operations or self._patch(title, path, operations)
        return self._put_user(title, key, wanted, changed)

    def _put_user(self, title: str, key: str, wanted: dict[str, Any], changed: dict[str, Any]) -> bool:
        return self._talk.step(title, "PUT", self._user_path(key), [rules.replaced], self._user(wanted)).passed

    def _assignments(self, changed: dict[str, Any], written: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the operations of a PATCH. `written` has the values that the resource has now, by path."""
        return assignments(changed, written)

    def _leave(self, key: str) -> None:
        id, name = self._ids[key], self._names[key]
        if self.profile.on_leave == "delete":
            if self._talk.step(f"Delete {name}", "DELETE", self._user_path(key), [rules.deleted]).passed:
                self._talk.step(f"{name} is gone", "GET", f"/Users/{id}", [rules.gone])
        else:
            written = {path: value for path, value in self._written[key].items() if value is not None}
            if written.get("active") is not False:
                self._update_user(key, {**written, "active": False}, {"active": False})
            self._left[id] = name
            for team in self.directory.teams.values():
                if key in self._members.get(team.key, ()):
                    self._change_members(team, [], [key])
        for members in self._members.values():
            members.discard(key)
        self._forget(key)

    def _forget(self, key: str) -> None:
        for known in (self._ids, self._written, self._names, self._members):
            known.pop(key, None)

    def _provision_team(self, team: Team) -> None:
        if team.key not in self._ids:
            if not team.members and not self.profile.empty_groups:
                return
            id = self._find_group(team)
            if id is None:
                id = self._create_group(team)
            else:
                self._adopt_group(team, id)
            if id is None:
                return
        if self._names[team.key] != team.name:
            self._rename(team)
        wanted, there = {key for key in team.members if key in self._ids}, self._members[team.key]
        if there != wanted:
            self._change_members(team, sorted(wanted - there), sorted(there - wanted))

    def _find_group(self, team: Team) -> str | None:
        return self._find(f"Match {team.name}", f"/Groups?{self._equals('displayName', team.name)}")

    def _create_group(self, team: Team) -> str | None:
        step = self._talk.step(f"Create {team.name}", "POST", "/Groups", [rules.created], self._group(team))
        if not step.passed:
            return None
        id: str = step.exchange.received["id"]
        self._know_group(team, id, set())
        return id

    def _adopt_group(self, team: Team, id: str) -> None:
        step = self._talk.step(f"Read {team.name}", "GET", f"/Groups/{id}", [rules.read])
        there = step.exchange.received if step.passed else {}
        keys = {id: key for key, id in self._ids.items()}
        members = {keys[each["value"]] for each in there.get("members") or () if each.get("value") in keys}
        self._know_group(team, id, members)
        self._names[team.key] = there.get("displayName", team.name)

    def _know_group(self, team: Team, id: str, members: set[str]) -> None:
        self._ids[team.key], self._names[team.key], self._members[team.key] = id, team.name, members

    def _group(self, team: Team) -> dict[str, Any]:
        return {"schemas": [GROUP], "displayName": team.name}

    def _rename(self, team: Team) -> None:
        if self.profile.groups == "PUT":
            renamed = self._put_group(f"Rename to {team.name}", team, self._members[team.key])
        else:
            operation: dict[str, Any] = {"op": "replace", "path": "displayName", "value": team.name}
            if self.profile.renames == "pathless":
                operation = {"op": "replace", "value": {**self._rename_value(team), "displayName": team.name}}
            renamed = self._patch(f"Rename to {team.name}", self._group_path(team.key), [operation])
        if renamed:
            self._names[team.key] = team.name

    def _rename_value(self, team: Team) -> dict[str, Any]:
        return {"id": self._ids[team.key]}

    def _change_members(self, team: Team, added: list[str], removed: list[str]) -> None:
        title = f"Members of {team.name}: {len(added)} in, {len(removed)} out"
        members = (self._members[team.key] | set(added)) - set(removed)
        if self.profile.groups == "PUT":
            done = self._put_group(title, team, members)
        else:
            operations = self._member_operations([self._ids[key] for key in added], [self._ids[key] for key in removed])
            done = self._patch(title, self._group_path(team.key), operations)
        if done:
            self._members[team.key] = members

    def _member_operations(self, added: list[str], removed: list[str]) -> list[dict[str, Any]]:
        if self.profile.removes_members == "by path":
            operations: list[dict[str, Any]] = [{"op": "remove", "path": f'members[value eq "{id}"]'} for id in removed]
        else:
            operations = [{"op": "remove", "path": "members", "value": values} for values in self._values(removed)]
        return [*operations, *({"op": "add", "path": "members", "value": each} for each in self._values(added))]

    def _values(self, ids: list[str]) -> list[list[dict[str, Any]]]:
        values = [{"value": id} for id in ids]
        return [[value] for value in values] if self.profile.an_operation_each or not values else [values]

    def _put_group(self, title: str, team: Team, members: set[str]) -> bool:
        listed = [{"value": self._ids[key], "display": None} for key in sorted(members)]
        body = {**self._group(team), "id": self._ids[team.key], "members": listed}
        return self._talk.step(title, "PUT", self._group_path(team.key), [rules.replaced], body).passed

    def _disband(self, key: str) -> None:
        if self.profile.deletes_groups:
            path, name = self._group_path(key), self._names[key]
            if self._talk.step(f"Delete {name}", "DELETE", path, [rules.deleted]).passed:
                self._talk.step(f"{name} is gone", "GET", f"/Groups/{self._ids[key]}", [rules.gone])
        self._forget(key)

    def _user(self, values: dict[str, Any]) -> dict[str, Any]:
        body = document(values)
        schemas = self.profile.schemas or ((USER, ENTERPRISE) if ENTERPRISE in body else (USER,))
        return {"schemas": list(schemas), **body}

    def _patch(self, title: str, path: str, operations: list[dict[str, Any]]) -> bool:
        body = {"schemas": [PATCH_OP], "Operations": operations}
        return self._talk.step(title, "PATCH", path, [rules.patched], body).passed

    def _user_path(self, key: str) -> str:
        return f"/Users/{self._ids[key]}{self.profile.path_end}"

    def _group_path(self, key: str) -> str:
        return f"/Groups/{self._ids[key]}{self.profile.path_end}"

    def _equals(self, attribute: str, value: str) -> str:
        text = json.dumps(value, ensure_ascii=False) if self.profile.quotes else value
        return f"filter={quote(f'{attribute} eq {text}', safe='')}{self.profile.query_end}"
