"""Attribute mappings from a `Person` of the directory to SCIM attribute paths.

A path names an attribute (`userName`), a sub-attribute (`name.givenName`), the value of an element
(`emails[type eq "work"].value`), or an attribute of an extension. This module sends no requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scimkit.testing.directory import Person

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MANAGER: Final = f"{ENTERPRISE}:manager.value"

BASIC: Final[Mapping[str, str]] = {
    "userName": "user_name",
    "externalId": "key",
    "active": "enabled",
    "displayName": "display_name",
    "name.givenName": "given_name",
    "name.familyName": "family_name",
}
"""The attributes that every identity provider maps."""

FULL: Final[Mapping[str, str]] = {
    **BASIC,
    'emails[type eq "work"].value': "email",
    'phoneNumbers[type eq "mobile"].value': "mobile",
    'addresses[type eq "work"].streetAddress': "street",
    'addresses[type eq "work"].locality': "city",
    "title": "title",
    f"{ENTERPRISE}:department": "department",
    f"{ENTERPRISE}:employeeNumber": "employee_number",
    MANAGER: "manager",
}
"""The mapping of a complete profile, with the manager as a reference."""


def mapped(mapping: Mapping[str, str], person: Person, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the attribute values of a person by path, without unassigned attributes.

    Args:
        mapping: The attribute of `Person` for each path.
        person: The person.
        ids: The id of each user in the service, by the key of the person. A manager that is not in `ids` is left out.
    """
    values = {path: getattr(person, attribute) for path, attribute in mapping.items()}
    if values.get(MANAGER) is not None:
        values[MANAGER] = ids.get(values[MANAGER])
    return {path: value for path, value in values.items() if value is not None}


def document(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON object that has these values at these paths."""
    made: dict[str, Any] = {}
    for path, value in values.items():
        put_at(made, path, value)
    for email in made.get("emails", ()):
        email["primary"] = True
    return made


def assignments(changed: Mapping[str, Any], written: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return PATCH operations in RFC form for changed attributes, one operation for each path (RFC 7644 section 3.5.2).

    A filter in a path selects existing elements only, so the first e-mail address or address is added as an element. To
    remove a manager, the operation removes the complex attribute.

    Args:
        changed: The new values by path; None removes the attribute.
        written: The values that the resource has now, by path.
    """
    there = {path.partition("]")[0] for path, value in written.items() if value is not None}
    new = {path: value for path, value in changed.items() if "[" in path and path.partition("]")[0] not in there}
    operations: list[dict[str, Any]] = [
        {"op": "replace", "path": path, "value": value}
        if value is not None
        else {"op": "remove", "path": path.removesuffix(".value") if path == MANAGER else path}
        for path, value in changed.items()
        if path not in new
    ]
    return operations + [{"op": "add", "path": path, "value": value} for path, value in document(new).items()]


def value_at(resource: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path, or None if the path has no value."""
    urn, path = _split(path)
    node: Any = resource.get(urn) if urn else resource
    name, kind, path = _selected(path)
    if kind:
        elements = [each for each in (node or {}).get(name) or () if each.get("type") == kind]
        node = elements[0] if len(elements) == 1 else None
    for part in path.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return node


def put_at(resource: dict[str, Any], path: str, value: Any) -> None:
    """Assign a value at a path. None removes the value, and the parent attribute if that becomes empty."""
    urn, path = _split(path)
    name, kind, rest = _selected(path)
    node = resource.setdefault(urn, {}) if urn else resource
    if kind:
        elements = node.setdefault(name, [])
        element = next((each for each in elements if each.get("type") == kind), None)
        if element is None:
            elements.append(element := {"type": kind})
        _put(element, rest, value)
        node[name] = [each for each in elements if each.keys() - {"type", "primary"}]
    else:
        first, _, second = rest.partition(".")
        if second:
            _put(node.setdefault(first, {}), second, value)
        else:
            _put(node, first, value)
    for holder, key in ((node, name or rest.partition(".")[0]), (resource, urn)):
        if key and key in holder and holder[key] in ({}, []):
            del holder[key]


def _put(holder: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        holder.pop(name, None)
    else:
        holder[name] = value


def _split(path: str) -> tuple[str, str]:
    urn, _, rest = path.rpartition(":") if path.startswith("urn:") else ("", "", path)
    return urn, rest


def _selected(path: str) -> tuple[str, str, str]:
    name, bracket, rest = path.partition('[type eq "')
    if not bracket:
        return "", "", path
    kind, _, sub = rest.partition('"].')
    return name, kind, sub
