"""Examples of PATCH rules: immutable attributes, partial complex values, and filters that select nothing."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import GROUP, USER, ResourceType, patch
from scimkit.errors import InvalidValue, MutabilityViolation, NoTarget, ScimError
from scimkit.schema.reading import read_resource

FLEET = ResourceType(
    {
        "id": "urn:example:params:scim:schemas:1.0:Ship",
        "name": "Ship",
        "attributes": [
            {"name": "name", "type": "string", "required": True},
            {"name": "flags", "type": "string", "multiValued": True, "mutability": "immutable"},
            {"name": "hull", "type": "complex", "mutability": "immutable", "subAttributes": [
                {"name": "yard", "type": "string"}, {"name": "year", "type": "integer"},
            ]},
            {"name": "berth", "type": "complex", "subAttributes": [
                {"name": "port", "type": "string", "required": True},
                {"name": "since", "type": "dateTime", "mutability": "immutable"},
                {"name": "note", "type": "string"},
            ]},
            {"name": "crew", "type": "complex", "multiValued": True, "subAttributes": [
                {"name": "value", "type": "string", "required": True},
                {"name": "rank", "type": "string"},
                {"name": "papers", "type": "string", "mutability": "immutable"},
            ]},
            {"name": "owners", "type": "complex", "multiValued": True, "subAttributes": [
                {"name": "value", "type": "string"}, {"name": "$ref", "type": "reference"},
                {"name": "display", "type": "string"},
            ]},
        ],
    }
)  # fmt: skip

SHIP: dict[str, Any] = {
    "name": "Ada",
    "flags": ["de"],
    "hull": {"yard": "Kiel", "year": 1999},
    "berth": {"port": "Bremen", "since": "2020-01-01T00:00:00Z"},
    "crew": [{"value": "bo", "rank": "mate", "papers": "p1"}],
    "owners": [{"value": "u1"}],
}


def ship() -> dict[str, Any]:
    return read_resource(FLEET, {"schemas": [FLEET.schema], **SHIP})


def patched(*operations: dict[str, Any]) -> dict[str, Any]:
    body = {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": list(operations)}
    return dict(patch.apply(FLEET, ship(), body).document)


REFUSED: dict[str, tuple[dict[str, Any], type[ScimError]]] = {
    "add to immutable values": ({"op": "add", "path": "flags", "value": ["dk"]}, MutabilityViolation),
    "replace immutable values": ({"op": "replace", "path": "flags", "value": ["dk"]}, MutabilityViolation),
    "replace one immutable value": (
        {"op": "replace", "path": 'flags[value eq "de"]', "value": "dk"}, MutabilityViolation),
    "remove immutable values": ({"op": "remove", "path": "flags"}, MutabilityViolation),
    "remove one immutable value": ({"op": "remove", "path": 'flags[value eq "de"]'}, MutabilityViolation),
    "sub-attribute of an immutable complex value": (
        {"op": "replace", "path": "hull.year", "value": 2000}, MutabilityViolation),
    "removal of a sub-attribute of an immutable complex value": (
        {"op": "remove", "path": "hull.yard"}, MutabilityViolation),
    "immutable sub-attribute": (
        {"op": "replace", "path": "berth.since", "value": "2021-01-01T00:00:00Z"}, MutabilityViolation),
    "complex value with an immutable sub-attribute": ({"op": "remove", "path": "berth"}, MutabilityViolation),
    "immutable sub-attribute of an element": (
        {"op": "replace", "path": 'crew[value eq "bo"].papers', "value": "p2"}, MutabilityViolation),
    "filter that matches no plain value": ({"op": "replace", "path": 'flags[value eq "xx"]', "value": "dk"}, NoTarget),
    "filter that the singular value does not match": (
        {"op": "replace", "path": 'berth[port eq "Kiel"].note', "value": "x"}, NoTarget),
    "element without a required sub-attribute": (
        {"op": "add", "path": "crew", "value": [{"rank": "cook"}]}, InvalidValue),
    "element that loses a required sub-attribute": (
        {"op": "replace", "path": 'crew[value eq "bo"]', "value": {"rank": "cook"}}, MutabilityViolation),
    "reference without its value": ({"op": "add", "path": "owners", "value": [{"display": "x"}]}, InvalidValue),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """An operation that changes an immutable value or selects nothing is refused (RFC 7644 section 3.5.2)."""
    operation, error = REFUSED[name]
    with pytest.raises(ScimError) as refused:
        patched(operation)
    assert isinstance(refused.value, error | InvalidValue)


APPLIED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a sub-attribute of a complex value": (
        {"op": "replace", "path": "berth", "value": {"note": "east"}},
        {"berth": {**SHIP["berth"], "note": "east"}}),
    "a sub-attribute of a complex value, without a path": (
        {"op": "add", "value": {"berth": {"note": "east"}}}, {"berth": {**SHIP["berth"], "note": "east"}}),
    "a sub-attribute of an element": (
        {"op": "add", "path": 'crew[value eq "bo"]', "value": {"rank": "master"}},
        {"crew": [{"value": "bo", "rank": "master", "papers": "p1"}]}),
    "an immutable value with the same value": ({"op": "add", "path": "flags", "value": ["de"]}, {}),
    "an immutable complex value with the same value": ({"op": "replace", "path": "hull", "value": {"year": 1999}}, {}),
    "an element with immutable sub-attributes is removed": (
        {"op": "remove", "path": 'crew[value eq "bo"]'}, {"crew": None}),
}  # fmt: skip


@pytest.mark.parametrize("name", APPLIED)
def test_applied(name: str) -> None:
    """Unnamed sub-attributes stay, and writing the current value changes nothing (RFC 7644 section 3.5.2.3)."""
    operation, changed = APPLIED[name]
    expected = {name: value for name, value in {**ship(), **changed}.items() if value is not None}
    assert patched(operation) == expected


def test_immutable_may_be_set_once() -> None:
    """An immutable attribute without a value may get a value (RFC 7643 section 7)."""
    bare = {"schemas": [FLEET.schema], "name": "Bo"}
    body = {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": [{"op": "add", "path": "flags", "value": ["de"]}]}
    assert patch.apply(FLEET, bare, body).document == {**bare, "flags": ["de"]}


def test_member_without_value_is_refused() -> None:
    """A member without `value` is refused, because `value` identifies it (RFC 7643 section 4.2)."""
    with pytest.raises(InvalidValue, match=r"members\.value is required"):
        read_resource(GROUP, {"schemas": [GROUP.schema], "displayName": "g", "members": [{"display": "Ada"}]})
    assert USER.attributes["groups"].keyed
