"""The bodies of POST and PATCH requests of Microsoft Entra ID, in both flavors.

This module sends no requests. Sources: learn.microsoft.com/entra/identity/app-provisioning/
(use-scim-to-provision-users-and-groups, application-provisioning-config-problem-scim-compatibility).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from scimkit.testing.directory import Person, Team
from scimkit.testing.mapping import ENTERPRISE, GROUP, PATCH_OP, USER

ENTRA_GROUP: Final = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
MANAGER: Final = f"{ENTERPRISE}:manager"
WORK_EMAIL: Final = 'emails[type eq "work"].value'
MOBILE: Final = 'phoneNumbers[type eq "mobile"].value'
STREET: Final = 'addresses[type eq "work"].streetAddress'
CITY: Final = 'addresses[type eq "work"].locality'


def mapped(person: Person) -> dict[str, Any]:
    """Return the attribute values of a person by path, by Entra's default mappings, without unassigned attributes."""
    values = {
        "externalId": person.key,
        "userName": person.user_name,
        "active": person.enabled,
        "displayName": person.display_name,
        "title": person.title,
        "name.givenName": person.given_name,
        "name.familyName": person.family_name,
        WORK_EMAIL: person.email,
        MOBILE: person.mobile,
        STREET: person.street,
        CITY: person.city,
        f"{ENTERPRISE}:department": person.department,
        f"{ENTERPRISE}:employeeNumber": person.employee_number,
    }
    return {path: value for path, value in values.items() if value is not None}


def user_body(person: Person) -> dict[str, Any]:
    """Return the body of a POST of a user. It has both URNs, `meta`, and an empty array of roles."""
    body: dict[str, Any] = {
        "schemas": [USER, ENTERPRISE],
        "externalId": person.key,
        "userName": person.user_name,
        "active": person.enabled,
        "displayName": person.display_name,
        "emails": [{"primary": True, "type": "work", "value": person.email}],
        "meta": {"resourceType": "User"},
        "name": {
            "formatted": person.display_name,
            "familyName": person.family_name,
            "givenName": person.given_name,
        },
        "roles": [],
    }
    if person.title:
        body["title"] = person.title
    if person.mobile:
        body["phoneNumbers"] = [{"type": "mobile", "value": person.mobile}]
    address = {"streetAddress": person.street, "locality": person.city}
    if any(address.values()):
        parts = {name: value for name, value in address.items() if value is not None}
        body["addresses"] = [{"type": "work", **parts}]
    work = {"department": person.department, "employeeNumber": person.employee_number}
    if any(work.values()):
        body[ENTERPRISE] = {name: value for name, value in work.items() if value is not None}
    return body


def group_body(team: Team) -> dict[str, Any]:
    """Return the body of a POST of a group. It has the group URN of Entra and `meta`, and no members."""
    return {
        "schemas": [GROUP, ENTRA_GROUP],
        "externalId": team.key,
        "displayName": team.name,
        "meta": {"resourceType": "Group"},
    }


class Flavor(Protocol):
    """A form in which Entra writes PATCH operations."""

    def assign(self, values: Mapping[str, Any], present: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the operations that assign values. `present` has the attributes that already have a value."""
        ...

    def manager(self, id: str) -> list[dict[str, Any]]:
        """Return the operations that set the manager."""
        ...

    def no_manager(self, id: str) -> list[dict[str, Any]]:
        """Return the operations that remove the manager with this id."""
        ...

    def add_members(self, ids: list[str]) -> list[dict[str, Any]]:
        """Return the operations that add members."""
        ...

    def remove_members(self, ids: list[str]) -> list[dict[str, Any]]:
        """Return the operations that remove members."""
        ...


class DefaultFlavor:
    """The default form: `op` in title case, a path in each operation, and booleans as strings."""

    def assign(self, values: Mapping[str, Any], present: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"op": "Replace" if path in present else "Add", "path": path, "value": _text(value)}
            for path, value in values.items()
        ]

    def manager(self, id: str) -> list[dict[str, Any]]:
        return [{"op": "Add", "path": MANAGER, "value": [{"$ref": None, "value": id}]}]

    def no_manager(self, id: str) -> list[dict[str, Any]]:
        return [{"op": "Replace", "path": MANAGER, "value": ""}]

    def add_members(self, ids: list[str]) -> list[dict[str, Any]]:
        return [{"op": "Add", "path": "members", "value": [{"$ref": None, "value": id} for id in ids]}]

    def remove_members(self, ids: list[str]) -> list[dict[str, Any]]:
        return [{"op": "Remove", "path": "members", "value": [{"$ref": None, "value": id} for id in ids]}]


class OptimizedFlavor:
    """The form with `aadOptscim062020`: lower-case `op`, JSON booleans, dotted names in a `replace` without path."""

    def assign(self, values: Mapping[str, Any], present: Mapping[str, Any]) -> list[dict[str, Any]]:
        selected = {path: value for path, value in values.items() if "[" in path}
        plain = {path: value for path, value in values.items() if "[" not in path}
        operations: list[dict[str, Any]] = [
            {"op": "replace" if path in present else "add", "path": path, "value": value}
            for path, value in selected.items()
        ]
        if plain:
            operations.append({"op": "replace", "value": plain})
        return operations

    def manager(self, id: str) -> list[dict[str, Any]]:
        return [{"op": "add", "path": MANAGER, "value": id}]

    def no_manager(self, id: str) -> list[dict[str, Any]]:
        return [{"op": "remove", "path": f'{MANAGER}[value eq "{id}"]'}]

    def add_members(self, ids: list[str]) -> list[dict[str, Any]]:
        return [{"op": "add", "path": "members", "value": [{"value": id} for id in ids]}]

    def remove_members(self, ids: list[str]) -> list[dict[str, Any]]:
        return [{"op": "remove", "path": f'members[value eq "{id}"]'} for id in ids]


def patch_body(operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the body of a PATCH."""
    return {"schemas": [PATCH_OP], "Operations": operations}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, bool) else value
