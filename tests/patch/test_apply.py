"""Examples of PATCH: every rule of RFC 7644 section 3.5.2 on every kind of attribute."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from scimkit import GROUP, USER, ResourceType, SchemaExtension, ScimError, patch
from scimkit.errors import InvalidValue, MutabilityViolation, NoTarget
from scimkit.filters import Value
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.patch.deviations import RefusingPatchHandler
from scimkit.schema.attributes import Attribute
from tests.resource_types import DEVICE, LEASE_SCHEMA

LEASE = LEASE_SCHEMA["id"]
BARE: dict[str, Any] = {"schemas": [DEVICE.schema], "serial": "s", "label": "l"}
LEASED = {"schemas": [DEVICE.schema, LEASE]}
DISK, FAN = {"value": "a", "type": "disk"}, {"value": "b", "type": "fan"}
PRIMARY_DISK, PRIMARY_FAN = {**DISK, "primary": True}, {**FAN, "primary": True}


class Liberal(RefusingPatchHandler):
    """A handler that accepts values in `remove`, creates the elements that filters describe, and parses JSON text."""

    def value(self, attribute: Attribute, value: object) -> object:
        return json.loads(str(value)) if attribute.is_extension else super().value(attribute, value)

    def removal(self, attribute: Attribute, value: object) -> object:
        return value

    def creates_elements(self, attribute: Attribute) -> bool:
        return attribute.path == "parts"

    def compared(self, attribute: Attribute, value: Value) -> Value:
        assert attribute.path == "parts.size"
        return int(str(value))


def body(operations: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """Return the body of a PATCH with some operations."""
    return {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": list(operations)}


def patched(kind: ResourceType, document: dict[str, Any], *operations: dict[str, Any]) -> patch.PatchResult:
    """Return the result of a PATCH, and assert that the given document has not changed."""
    before = copy.deepcopy(document)
    try:
        return patch.apply(kind, document, body(operations), Liberal())
    finally:
        assert document == before


def add(path: str, value: Any) -> dict[str, Any]:
    """Return an `add` operation."""
    return {"op": "add", "path": path, "value": value}


def replace(path: str, value: Any) -> dict[str, Any]:
    """Return a `replace` operation."""
    return {"op": "replace", "path": path, "value": value}


def remove(path: str, *values: Any) -> dict[str, Any]:
    """Return a `remove` operation. If `values` are given, the operation lists them."""
    return {"op": "remove", "path": path, "value": list(values)} if values else {"op": "remove", "path": path}


Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
"""The attributes of the device, the operation, and the changed attributes (None for a removed attribute)."""

ADD: dict[str, Case] = {
    "the attributes of the value, without a path": (
        {}, {"op": "add", "value": {"ports": 1, "tags": ["x"]}}, {"ports": 1, "tags": ["x"]}),
    "a new attribute": ({}, add("ports", 1), {"ports": 1}),
    "a singular value replaces the old value": ({"ports": 1}, add("ports", 2), {"ports": 2}),
    "sub-attributes of a new complex value": (
        {}, add("site", {"city": "Rome"}), {"site": {"city": "Rome"}}),
    "sub-attributes of a complex value": (
        {"site": {"city": "Rome", "floors": [1]}}, add("site", {"city": "Bonn"}),
        {"site": {"city": "Bonn", "floors": [1]}}),
    "elements within a complex value are appended": (
        {"site": {"floors": [1]}}, add("site", {"floors": [2, 1]}), {"site": {"floors": [1, 2]}}),
    "a sub-attribute": ({"site": {"floors": [1]}}, add("site.city", "Rome"), {"site": {"city": "Rome", "floors": [1]}}),
    "a sub-attribute of an unassigned attribute": ({}, add("site.city", "Rome"), {"site": {"city": "Rome"}}),
    "elements of a sub-attribute are appended": (
        {"site": {"floors": [1]}}, add("site.floors", [1, 2]), {"site": {"floors": [1, 2]}}),
    "elements of an unassigned sub-attribute": ({}, add("site.floors", [1]), {"site": {"floors": [1]}}),
    "first elements": ({}, add("tags", ["x", "y"]), {"tags": ["x", "y"]}),
    "new elements are appended": ({"tags": ["x"]}, add("tags", ["y", "X", "z"]), {"tags": ["x", "y", "z"]}),
    "an existing value in another case": ({"tags": ["x"]}, add("tags", ["X"]), {}),
    "null adds nothing": ({"ports": 1}, add("ports", None), {}),
    "null adds nothing to an unassigned attribute": ({}, add("ports", None), {}),
    "an empty array adds nothing": ({"tags": ["x"]}, add("tags", []), {}),
    "a complex value with other sub-attributes is a new element": (
        {"parts": [DISK]}, add("parts", [{"value": "a"}]), {"parts": [DISK, {"value": "a"}]}),
    "an element with the same type and value is merged": (
        {"parts": [DISK, FAN]}, add("parts", [{**DISK, "size": 3}, {**DISK, "value": "c"}]),
        {"parts": [{**DISK, "size": 3}, FAN, {**DISK, "value": "c"}]}),
    "a merged element that becomes primary makes the others not primary": (
        {"parts": [PRIMARY_DISK, FAN]}, add("parts", [PRIMARY_FAN]),
        {"parts": [{**DISK, "primary": False}, PRIMARY_FAN]}),
    "a written element equal to a later element": (
        {"parts": [FAN, {**PRIMARY_DISK, "size": 1}]},
        replace('parts[type eq "fan"]', {**PRIMARY_DISK, "size": 2}), {"parts": [{**PRIMARY_DISK, "size": 2}]}),
    "a written element equal to an earlier element": (
        {"parts": [{**PRIMARY_DISK, "size": 1}, {**DISK, "value": "c"}, FAN]},
        replace('parts[type eq "fan"]', {**PRIMARY_DISK, "size": 2}),
        {"parts": [{**PRIMARY_DISK, "size": 2}, {**DISK, "value": "c"}]}),
    "an existing element with fewer sub-attributes": ({"parts": [PRIMARY_DISK, FAN]}, add("parts", [DISK]), {}),
    "elements of a sub-attribute of an existing element": (
        {"parts": [{**DISK, "colors": ["red"]}]}, add("parts", [{**DISK, "colors": ["blue"]}]),
        {"parts": [{**DISK, "colors": ["red", "blue"]}]}),
    "two added elements with the same type and value": (
        {}, add("parts", [{**DISK, "size": 3}, FAN, {**DISK, "batch": "x"}]),
        {"parts": [{**DISK, "size": 3, "batch": "x"}, FAN]}),
    "two elements with different sub-attributes become equal": (
        {"parts": [{**DISK, "size": 3}, {**FAN, "value": "a", "batch": "x"}]}, add("parts.type", "fan"),
        {"parts": [{"value": "a", "type": "fan", "size": 3, "batch": "x"}]}),
    "an existing complex value": ({"parts": [DISK, FAN]}, add("parts", [dict(FAN)]), {}),
    "a primary element makes the others not primary": (
        {"parts": [PRIMARY_DISK, FAN]}, add("parts", [{"value": "c", "primary": True}]),
        {"parts": [{**DISK, "primary": False}, FAN, {"value": "c", "primary": True}]}),
    "an existing primary element changes nothing": (
        {"parts": [PRIMARY_DISK, PRIMARY_FAN]}, add("parts", [dict(PRIMARY_DISK)]), {}),
    "an element that is not primary changes no other element": (
        {"parts": [PRIMARY_DISK]}, add("parts", [{**FAN, "primary": False}]),
        {"parts": [PRIMARY_DISK, {**FAN, "primary": False}]}),
    "sub-attributes of the selected elements": (
        {"parts": [DISK, FAN, DISK | {"value": "c"}]}, add('parts[type eq "disk"]', {"size": 3}),
        {"parts": [{**DISK, "size": 3}, FAN, {"value": "c", "type": "disk", "size": 3}]}),
    "elements of a sub-attribute of the selected elements": (
        {"parts": [{**DISK, "colors": ["red"]}, FAN]}, add('parts[value eq "a"].colors', ["RED", "blue"]),
        {"parts": [{**DISK, "colors": ["red", "blue"]}, FAN]}),
    "a sub-attribute of every element, without a filter": (
        {"parts": [DISK, FAN]}, add("parts.size", 3), {"parts": [{**DISK, "size": 3}, {**FAN, "size": 3}]}),
    "a selected element that becomes primary makes the others not primary": (
        {"parts": [PRIMARY_DISK, FAN]}, add('parts[type eq "fan"].primary', True),
        {"parts": [{**DISK, "primary": False}, PRIMARY_FAN]}),
    "a selected primary element stays primary": (
        {"parts": [PRIMARY_DISK, {**FAN, "primary": False}]}, add('parts[type eq "disk"]', {"size": 3}),
        {"parts": [{**PRIMARY_DISK, "size": 3}, {**FAN, "primary": False}]}),
    "two elements become equal": (
        {"parts": [{"value": "a"}, {"value": "a", "size": 1}]}, add("parts.size", 1),
        {"parts": [{"value": "a", "size": 1}]}),
    "an immutable sub-attribute with the same value": (
        {"parts": [{**DISK, "batch": "1"}]}, add('parts[type eq "disk"]', {"batch": "1", "size": 3}),
        {"parts": [{**DISK, "batch": "1", "size": 3}]}),
    "an immutable sub-attribute of the selected elements with the same value": (
        {"parts": [{**DISK, "batch": "1"}]}, add('parts[type eq "disk"].batch', "1"), {}),
    "the element that a filter describes": (
        {"parts": [DISK]}, add('parts[type eq "fan" and size eq 3].value', "b"),
        {"parts": [DISK, {"type": "fan", "size": 3, "value": "b"}]}),
    "the element that a filter describes, with a coerced value": (
        {}, add('parts[size eq "3"].value', "b"), {"parts": [{"size": 3, "value": "b"}]}),
    "the first element that a filter describes": (
        {}, add('parts[type eq "fan"].value', "b"), {"parts": [{"type": "fan", "value": "b"}]}),
    "an element that a filter describes, with other sub-attributes": (
        {}, add('parts[type eq "fan"]', {"value": "b"}), {"parts": [{"type": "fan", "value": "b"}]}),
    "an attribute of an extension": ({}, add(f"{LEASE}:contacts", [{"value": "x"}]), {
        **LEASED, LEASE: {"contacts": [{"value": "x"}]}}),
    "a sub-attribute of an extension's attribute": ({}, add(f"{LEASE}:terms.text", "x"), {
        **LEASED, LEASE: {"terms": {"text": "x"}}}),
    "an extension": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, add(LEASE, {"contacts": [{"value": "y"}]}),
        {LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "y"}]}}),
    "an extension with a complex value and elements": (
        {**LEASED, LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "y"}]}},
        add(LEASE, {"contacts": [{"value": "z"}], "terms": {"text": "w"}}),
        {LEASE: {"terms": {"text": "w"}, "contacts": [{"value": "y"}, {"value": "z"}]}}),
    "an element of an extension's attribute selected by a filter": (
        {**LEASED, LEASE: {"contacts": [{"value": "x"}, {"value": "y"}]}},
        add(f'{LEASE}:contacts[value eq "y"].primary', True),
        {LEASE: {"contacts": [{"value": "x"}, {"value": "y", "primary": True}]}}),
}  # fmt: skip

REPLACE: dict[str, Case] = {
    "the attributes of the value, without a path": (
        {"ports": 1, "tags": ["x"], "weight": 2.5}, {"op": "replace", "value": {"ports": 2, "tags": ["y"]}},
        {"ports": 2, "tags": ["y"]}),
    "a singular value": ({"ports": 1}, replace("ports", 2), {"ports": 2}),
    "an unassigned attribute is added": ({}, replace("ports", 2), {"ports": 2}),
    "all elements": ({"tags": ["x", "y"]}, replace("tags", ["z"]), {"tags": ["z"]}),
    "all complex elements": ({"parts": [PRIMARY_DISK]}, replace("parts", [PRIMARY_FAN]), {"parts": [PRIMARY_FAN]}),
    "null removes": ({"tags": ["x"]}, replace("tags", None), {"tags": None}),
    "null removes nothing from an unassigned attribute": ({}, replace("tags", None), {}),
    "an empty array removes": ({"tags": ["x"]}, replace("tags", []), {"tags": None}),
    "sub-attributes that are not named keep their values": (
        {"site": {"city": "Rome", "floors": [1]}}, replace("site", {"city": "Bonn"}),
        {"site": {"city": "Bonn", "floors": [1]}}),
    "elements of a named sub-attribute are replaced": (
        {"site": {"city": "Rome", "floors": [1]}}, replace("site", {"floors": [2]}),
        {"site": {"city": "Rome", "floors": [2]}}),
    "a complex value that is not there": ({}, replace("site", {"floors": [2]}), {"site": {"floors": [2]}}),
    "elements of a sub-attribute": (
        {"site": {"city": "Rome", "floors": [1]}}, replace("site.floors", [2]),
        {"site": {"city": "Rome", "floors": [2]}}),
    "null removes a sub-attribute": (
        {"site": {"city": "Rome", "floors": [1]}}, replace("site.city", None), {"site": {"floors": [1]}}),
    "null removes the selected elements": (
        {"parts": [DISK, FAN]}, replace('parts[type eq "disk"]', None), {"parts": [FAN]}),
    "a selected plain value": (
        {"tags": ["x", "y", "z"]}, replace('tags[value eq "Y"]', "w"), {"tags": ["x", "w", "z"]}),
    "all selected plain values, without duplicates": (
        {"tags": ["x", "y", "z"]}, replace('tags[not (value eq "y")]', "w"), {"tags": ["w", "y"]}),
    "all selected elements, completely": (
        {"parts": [{**DISK, "size": 1}, FAN]}, replace('parts[type eq "disk"]', {"value": "c"}),
        {"parts": [{"value": "c"}, FAN]}),
    "a selected singular complex value, some sub-attributes": (
        {"site": {"city": "Rome", "floors": [1]}}, replace('site[city eq "rome"]', {"floors": [2]}),
        {"site": {"city": "Rome", "floors": [2]}}),
    "a sub-attribute of a selected singular complex value": (
        {"site": {"city": "Rome"}}, replace('site[city eq "rome"].city', "Bonn"), {"site": {"city": "Bonn"}}),
    "a sub-attribute of every selected element": (
        {"parts": [DISK, FAN, {"value": "c", "type": "disk"}]}, replace('parts[type eq "disk"].size', 3),
        {"parts": [{**DISK, "size": 3}, FAN, {"value": "c", "type": "disk", "size": 3}]}),
    "elements of a sub-attribute of the selected elements": (
        {"parts": [{**DISK, "colors": ["red"]}]}, replace('parts[type eq "disk"].colors', ["blue"]),
        {"parts": [{**DISK, "colors": ["blue"]}]}),
    "an immutable sub-attribute of an element may be left out": (
        {"parts": [{**DISK, "batch": "1"}]}, replace('parts[type eq "disk"]', {"value": "c"}),
        {"parts": [{"value": "c"}]}),
    "an immutable sub-attribute of an element may be repeated": (
        {"parts": [{**DISK, "batch": "1"}]}, replace('parts[type eq "disk"]', {"value": "c", "batch": "1"}),
        {"parts": [{"value": "c", "batch": "1"}]}),
    "an immutable sub-attribute may be set once": (
        {"parts": [DISK]}, replace('parts[type eq "disk"].batch', "1"), {"parts": [{**DISK, "batch": "1"}]}),
    "an element that becomes primary makes the others not primary": (
        {"parts": [PRIMARY_DISK, FAN]}, replace('parts[type eq "fan"]', {"value": "c", "primary": True}),
        {"parts": [{**DISK, "primary": False}, {"value": "c", "primary": True}]}),
    "a new element that a filter describes, with other sub-attributes": (
        {"parts": [DISK]}, replace('parts[type eq "fan"]', {"value": "b"}), {"parts": [DISK, FAN]}),
    "an extension keeps attributes that are not named": (
        {**LEASED, LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "y"}]}},
        replace(LEASE, {"contacts": [{"value": "z"}]}),
        {LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "z"}]}}),
    "null removes an extension": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, replace(LEASE, None), {"schemas": [DEVICE.schema], LEASE: None}),
    "the same value changes nothing": ({"site": {"city": "Rome"}}, replace("site", {"city": "Rome"}), {}),
}  # fmt: skip

REMOVE: dict[str, Case] = {
    "a singular value": ({"ports": 1}, remove("ports"), {"ports": None}),
    "an unassigned attribute": ({}, remove("ports"), {}),
    "a complex value": ({"site": {"city": "Rome"}}, remove("site"), {"site": None}),
    "all elements": ({"tags": ["x", "y"]}, remove("tags"), {"tags": None}),
    "a sub-attribute": ({"site": {"city": "Rome", "floors": [1]}}, remove("site.city"), {"site": {"floors": [1]}}),
    "the only sub-attribute": ({"site": {"city": "Rome"}}, remove("site.city"), {"site": None}),
    "an unassigned sub-attribute": ({"site": {"city": "Rome"}}, remove("site.floors"), {}),
    "a sub-attribute of an unassigned attribute": ({}, remove("site.city"), {}),
    "the selected plain values": ({"tags": ["x", "y"]}, remove('tags[value eq "X"]'), {"tags": ["y"]}),
    "the selected elements": ({"parts": [DISK, FAN]}, remove('parts[type eq "disk"]'), {"parts": [FAN]}),
    "the last element": ({"parts": [DISK]}, remove('parts[type eq "disk"]'), {"parts": None}),
    "no element": ({"parts": [DISK]}, remove('parts[type eq "fan"]'), {}),
    "an element of an unassigned attribute": ({}, remove('parts[type eq "fan"]'), {}),
    "a selected singular complex value": ({"site": {"city": "Rome"}}, remove('site[city eq "Rome"]'), {"site": None}),
    "a singular complex value that is not selected": ({"site": {"city": "Rome"}}, remove('site[city eq "Bonn"]'), {}),
    "a sub-attribute of the selected elements": (
        {"parts": [{**DISK, "size": 1}, {**FAN, "size": 2}]}, remove('parts[type eq "disk"].size'),
        {"parts": [DISK, {**FAN, "size": 2}]}),
    "a sub-attribute of every element": (
        {"parts": [{**DISK, "size": 1}, {**FAN, "size": 2}]}, remove("parts.size"), {"parts": [DISK, FAN]}),
    "all elements of a sub-attribute of every element": (
        {"parts": [{**DISK, "colors": ["red", "blue"]}, FAN]}, remove("parts.colors"), {"parts": [DISK, FAN]}),
    "elements that become equal": (
        {"parts": [{"value": "a", "size": 1}, {"value": "a"}]}, remove("parts.size"), {"parts": [{"value": "a"}]}),
    "the only sub-attribute of an element removes the element": (
        {**LEASED, LEASE: {"contacts": [{"value": "x"}, {"primary": True}]}}, remove(f"{LEASE}:contacts.value"),
        {LEASE: {"contacts": [{"primary": True}]}}),
    "the last attribute of an extension": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, remove(f"{LEASE}:terms"),
        {"schemas": [DEVICE.schema], LEASE: None}),
    "an attribute of an extension that has others": (
        {**LEASED, LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "y"}]}}, remove(f"{LEASE}:terms.text"),
        {LEASE: {"contacts": [{"value": "y"}]}}),
    "an attribute of an unassigned extension": ({}, remove(f"{LEASE}:terms"), {}),
    "an extension": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, remove(LEASE), {"schemas": [DEVICE.schema], LEASE: None}),
    "listed plain values": ({"tags": ["x", "y", "z"]}, remove("tags", "X", "z", "w"), {"tags": ["y"]}),
    "all plain values listed": ({"tags": ["x", "y"]}, remove("tags", "y", "x"), {"tags": None}),
    "listed values of an unassigned attribute": ({}, remove("tags", "x"), {}),
    "an empty list of values removes nothing": ({"tags": ["x"]}, {"op": "remove", "path": "tags", "value": []}, {}),
    "listed complex values, by the sub-attributes given": (
        {"parts": [DISK, FAN, {"value": "a", "type": "fan"}]}, remove("parts", {"value": "a", "type": "disk"}),
        {"parts": [FAN, {"value": "a", "type": "fan"}]}),
    "listed complex values, by fewer sub-attributes": (
        {"parts": [DISK, FAN, {"value": "c", "type": "fan"}]}, remove("parts", {"type": "fan"}), {"parts": [DISK]}),
    "a listed complex value with more sub-attributes than the element": (
        {"parts": [DISK]}, remove("parts", {"value": "a", "size": 1}), {}),
    "listed values of a sub-attribute": (
        {"site": {"city": "Rome", "floors": [1, 2, 3]}}, remove("site.floors", 1, 3),
        {"site": {"city": "Rome", "floors": [2]}}),
    "all listed values of a sub-attribute": (
        {"site": {"city": "Rome", "floors": [1]}}, remove("site.floors", 1), {"site": {"city": "Rome"}}),
    "listed values of a sub-attribute of every element": (
        {"parts": [{**DISK, "colors": ["red", "blue"]}, {**FAN, "colors": ["red"]}]},
        remove("parts.colors", "RED"), {"parts": [{**DISK, "colors": ["blue"]}, FAN]}),
    "listed values of a sub-attribute of the selected elements": (
        {"parts": [{**DISK, "colors": ["red", "blue"]}, {**FAN, "colors": ["red"]}]},
        remove('parts[type eq "disk"].colors', "RED"),
        {"parts": [{**DISK, "colors": ["blue"]}, {**FAN, "colors": ["red"]}]}),
    "an element with an immutable sub-attribute": (
        {"parts": [{**DISK, "batch": "1"}]}, remove("parts"), {"parts": None}),
}  # fmt: skip

APPLIED = {
    f"{op} {name}": case
    for op, cases in (("add", ADD), ("replace", REPLACE), ("remove", REMOVE))
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", APPLIED)
def test_applied(name: str) -> None:
    """Each operation has the effect that the RFC states. Other attributes stay the same objects."""
    had, operation, changed = APPLIED[name]
    document = {**BARE, **had}
    result = patched(DEVICE, document, operation)
    assert result.document == {key: value for key, value in {**document, **changed}.items() if value is not None}
    assert set(result.changes.assigned) == {key for key, value in changed.items() if value is not None}
    assert result.changes.unassigned == {key for key, value in changed.items() if value is None}
    assert (result.document is document) is (not changed)
    for key in document.keys() - changed.keys():
        assert result.document[key] is document[key]


BABS = {"value": "2819c223-7f76-453a-919d-413861904646", "display": "Babs Jensen"}
JAMES = {"value": "08e1d05d-121c-4561-8b96-473d93df9210", "display": "James Smith"}
TOUR_GUIDES = {"schemas": [GROUP.schema], "displayName": "Tour Guides"}
BARBARA = {"schemas": [USER.schema], "userName": "bjensen", "nickName": "Barbie"}
WORK, HOME = {"type": "work", "value": "bjensen@example.com"}, {"type": "home", "value": "babs@jensen.org"}
OFFICE = {"type": "work", "streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "primary": True}
HOUSE = {"type": "home", "streetAddress": "456 Hollywood Blvd"}
NEW_OFFICE = {"type": "work", "streetAddress": "911 Universal City Plaza", "region": "CA", "primary": True}

RFC_EXAMPLES: dict[str, tuple[ResourceType, dict[str, Any], list[dict[str, Any]], dict[str, Any]]] = {
    "3.5.2.1, add a member": (
        GROUP, {**TOUR_GUIDES, "members": [JAMES]},
        [add("members", [{**BABS, "$ref": "https://example.com/v2/Users/2819c223-7f76-453a-919d-413861904646"}])],
        {**TOUR_GUIDES, "members": [JAMES, BABS]}),
    "3.5.2.1, add attributes": (
        USER, {**BARBARA, "emails": [WORK]}, [{"op": "add", "value": {"emails": [HOME], "nickname": "Babs"}}],
        {**BARBARA, "emails": [WORK, HOME], "nickName": "Babs"}),
    "3.5.2.2, remove a member": (
        GROUP, {**TOUR_GUIDES, "members": [BABS, JAMES]}, [remove(f'members[value eq "{BABS["value"]}"]')],
        {**TOUR_GUIDES, "members": [JAMES]}),
    "3.5.2.2, remove all members": (
        GROUP, {**TOUR_GUIDES, "members": [BABS, JAMES]}, [remove("members")], TOUR_GUIDES),
    "3.5.2.2, remove the element that a complex filter selects": (
        USER, {**BARBARA, "emails": [WORK, HOME, {"type": "home", "value": "b@example.com"}]},
        [remove('emails[type eq "work" and value ew "example.com"]')],
        {**BARBARA, "emails": [HOME, {"type": "home", "value": "b@example.com"}]}),
    "3.5.2.2, remove and add a member": (
        GROUP, {**TOUR_GUIDES, "members": [BABS]},
        [remove(f'members[value eq "{BABS["value"]}"]'), add("members", [JAMES])],
        {**TOUR_GUIDES, "members": [JAMES]}),
    "3.5.2.3, replace all members": (
        GROUP, {**TOUR_GUIDES, "members": [{"value": "other"}]}, [replace("members", [BABS, JAMES])],
        {**TOUR_GUIDES, "members": [BABS, JAMES]}),
    "3.5.2.3, replace the work address": (
        USER, {**BARBARA, "addresses": [OFFICE, HOUSE]}, [replace('addresses[type eq "work"]', NEW_OFFICE)],
        {**BARBARA, "addresses": [NEW_OFFICE, HOUSE]}),
    "3.5.2.3, replace the street of the work address": (
        USER, {**BARBARA, "addresses": [OFFICE, HOUSE]},
        [replace('addresses[type eq "work"].streetAddress', "1010 Broadway Ave")],
        {**BARBARA, "addresses": [{**OFFICE, "streetAddress": "1010 Broadway Ave"}, HOUSE]}),
    "3.5.2.3, replace attributes": (
        USER, {**BARBARA, "emails": [{"value": "old@example.com"}]},
        [{"op": "replace", "value": {"emails": [{**WORK, "primary": True}, HOME], "nickname": "Babs"}}],
        {**BARBARA, "emails": [{**WORK, "primary": True}, HOME], "nickName": "Babs"}),
}  # fmt: skip


@pytest.mark.parametrize("name", RFC_EXAMPLES)
def test_rfc_examples(name: str) -> None:
    """The examples of RFC 7644 section 3.5.2 have the effect that the RFC describes."""
    kind, document, operations, expected = RFC_EXAMPLES[name]
    assert patched(kind, document, *operations).document == expected


NO_MATCH = "The filter in the path matched no value."
BATCH = "parts.batch is immutable and already has a value."
TWO_PRIMARY: dict[str, Any] = {
    **LEASED,
    LEASE: {
        "until": "2030-01-01T00:00:00Z",
        "contacts": [{"value": "x", "primary": True}, {"value": "y", "primary": True}],
    },
}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], type[ScimError], str]] = {
    "remove a required attribute": (
        {}, remove("label"), MutabilityViolation, "label is required and cannot be removed."),
    "replace a required attribute by null": (
        {}, replace("label", None), MutabilityViolation, "label is required and cannot be removed."),
    "replace a required attribute by an empty string": ({}, replace("label", ""), InvalidValue, "label is required."),
    "change an immutable attribute": (
        {"model": "m"}, replace("model", "n"), MutabilityViolation, "model is immutable and already has a value."),
    "add to an immutable attribute": (
        {"model": "m"}, add("model", "n"), MutabilityViolation, "model is immutable and already has a value."),
    "remove an immutable attribute": (
        {"model": "m"}, remove("model"), MutabilityViolation, "model is immutable and already has a value."),
    "change an immutable sub-attribute": (
        {"site": {"opened": "2020-01-01T00:00:00Z"}}, add("site", {"opened": "2021-01-01T00:00:00Z"}),
        MutabilityViolation, "site.opened is immutable and already has a value."),
    "change an immutable sub-attribute of an element": (
        {"parts": [{**DISK, "batch": "1"}]}, add("parts.batch", "2"), MutabilityViolation, BATCH),
    "add another immutable sub-attribute to an element": (
        {"parts": [{**DISK, "batch": "1"}]}, add('parts[type eq "disk"]', {"batch": "2"}), MutabilityViolation, BATCH),
    "replace an element by one with another immutable sub-attribute": (
        {"parts": [{**DISK, "batch": "1"}]}, replace('parts[type eq "disk"]', {"value": "a", "batch": "2"}),
        MutabilityViolation, BATCH),
    "remove an immutable sub-attribute of an element": (
        {"parts": [{**DISK, "batch": "1"}]}, remove("parts.batch"), MutabilityViolation, BATCH),
    "remove a required sub-attribute of an element": (
        {"parts": [DISK]}, remove("parts.value"),
        MutabilityViolation, "parts.value is required and cannot be removed."),
    "add an element without a required sub-attribute": (
        {}, add("parts", [{"size": 1}]), InvalidValue, "parts.value is required."),
    "replace an element by one without a required sub-attribute": (
        {"parts": [DISK]}, replace('parts[value eq "a"]', {"size": 1}), InvalidValue, "parts.value is required."),
    "replace with a filter that matches nothing": (
        {"tags": ["x"]}, replace('tags[value eq "y"]', "z"), NoTarget, NO_MATCH),
    "add with a filter that matches nothing": ({"tags": ["x"]}, add('tags[value eq "y"]', "z"), NoTarget, NO_MATCH),
    "replace with a filter that the singular value does not match": (
        {"site": {"city": "Rome"}}, replace('site[city eq "Bonn"].city', "Kiel"), NoTarget, NO_MATCH),
    "replace in an extension with a filter that matches nothing": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, replace(f"{LEASE}[until pr]", {"terms": {"text": "y"}}),
        NoTarget, NO_MATCH),
    "replace with a filter on an unassigned singular attribute": (
        {}, replace('site[city eq "Bonn"].city', "Kiel"), NoTarget, NO_MATCH),
    "create an element that the filter does not describe": (
        {"parts": [DISK]}, replace('parts[type ne "disk"].size', 3), NoTarget, NO_MATCH),
    "create an element if the handler does not allow it": (
        {}, add(f'{LEASE}:contacts[value eq "x"].primary', True), NoTarget, NO_MATCH),
    "add an existing element with another immutable sub-attribute": (
        {"parts": [{**DISK, "batch": "x"}]}, add("parts", [{**DISK, "batch": "y"}]), MutabilityViolation,
        "parts.batch is immutable and already has a value."),
    "add two primary elements": (
        {}, add("parts", [PRIMARY_DISK, PRIMARY_FAN]), InvalidValue, "parts has more than one primary value."),
    "add to elements of which two are primary": (
        {"parts": [PRIMARY_DISK, PRIMARY_FAN]}, add("parts", [{"value": "c"}]),
        InvalidValue, "parts has more than one primary value."),
    "add to elements of an extension of which two are primary": (
        TWO_PRIMARY, add(LEASE, {"contacts": [{"value": "z"}]}),
        InvalidValue, f"{LEASE}:contacts has more than one primary value."),
    "add to elements of an extension of which two are primary, by a text": (
        TWO_PRIMARY, add(LEASE, '{"contacts": [{"value": "z"}]}'),
        InvalidValue, f"{LEASE}:contacts has more than one primary value."),
    "add to elements, in an extension that a filter selects, of which two are primary, by a text": (
        TWO_PRIMARY, add(f"{LEASE}[until pr]", '{"contacts": [{"value": "z"}]}'),
        InvalidValue, f"{LEASE}:contacts has more than one primary value."),
    "add to elements, in an extension that a filter selects, of which two are primary": (
        TWO_PRIMARY, add(f"{LEASE}[until pr]", {"contacts": [{"value": "z"}]}),
        InvalidValue, f"{LEASE}:contacts has more than one primary value."),
    "make two elements primary": (
        {"parts": [DISK, FAN]}, replace("parts.primary", True), InvalidValue, "parts has more than one primary value."),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """An operation on an immutable, required or missing value, or with an invalid result, is refused with a detail."""
    had, operation, error, detail = REFUSED[name]
    with pytest.raises(error) as caught:
        patched(DEVICE, {**BARE, **had}, operation)
    assert caught.value.detail == detail


def test_operations_apply_in_order() -> None:
    """Operations are applied in order, each to the result of the previous one (RFC 7644 section 3.5.2)."""
    operations = (add("tags", ["x"]), replace('tags[value eq "x"]', "y"), add("tags", ["x"]), remove("ports"))
    result = patched(DEVICE, {**BARE, "ports": 1}, *operations)
    assert result.document == {**BARE, "tags": ["y", "x"]}
    assert result.changes == ChangeSet({"tags": ["y", "x"]}, frozenset({"ports"}))


def test_adding_null_adds_no_attribute() -> None:
    """Adding null adds no attribute, also if another operation changes the resource."""
    assert patched(DEVICE, BARE, add("ports", None), add("tags", ["x"])).document == {**BARE, "tags": ["x"]}


def test_operations_that_cancel_out() -> None:
    """If operations cancel out, the result is the same document with an empty change set."""
    document = {**BARE, "tags": ["x"], "ports": 1}
    undone = (add("tags", ["y"]), remove('tags[value eq "y"]'), remove("ports"), add("ports", 1))
    result = patched(DEVICE, document, *undone)
    assert result.document is document
    assert not result.changes


def test_required_attribute_may_be_removed_temporarily() -> None:
    """Required attributes must have a value after the last operation, not after each operation."""
    result = patched(DEVICE, BARE, remove("label"), add("label", "m"))
    assert result.document == {**BARE, "label": "m"}


def test_stored_document_that_is_not_valid() -> None:
    """A PATCH may leave an invalid part of the stored document unchanged if it does not write that part.

    Required attributes of the resource are an exception: every PATCH that changes something needs them.
    """
    document = {**BARE, "parts": [{"size": 1}]}
    assert patched(DEVICE, document, add("ports", 1)).document == {**document, "ports": 1}
    unnamed = {"schemas": [DEVICE.schema], "serial": "s"}
    assert patched(DEVICE, unnamed, remove("ports")).document is unnamed
    with pytest.raises(InvalidValue, match=r"^label is required\.$"):
        patched(DEVICE, unnamed, add("ports", 1))


def test_schemas_follow_the_extensions() -> None:
    """`schemas` lists the extensions of the resource after a PATCH (RFC 7643 section 3)."""
    result = patched(DEVICE, {**BARE, "schemas": []}, add("ports", 1))
    assert result.document["schemas"] == [DEVICE.schema]
    assert result.changes.assigned == {"ports": 1, "schemas": [DEVICE.schema]}
    assert patched(DEVICE, BARE, add("ports", 1)).changes.assigned == {"ports": 1}


def test_schemas_stay_while_no_extension_is_touched() -> None:
    """A PATCH keeps the stored order of `schemas` unless an operation changes an extension."""
    document = {**BARE, "schemas": [LEASE, DEVICE.schema], LEASE: {"terms": {"text": "x"}}}
    assert patched(DEVICE, document, add("ports", 1)).document == {**document, "ports": 1}
    result = patched(DEVICE, document, replace(f"{LEASE}:terms.text", "y"))
    assert result.document["schemas"] == [DEVICE.schema, LEASE]


ROLES = ResourceType(
    {"id": "urn:example:Ship", "name": "Ship", "attributes": [
        {"name": "owners", "type": "complex", "multiValued": True, "subAttributes": [
            {"name": "value", "type": "string"}, {"name": "$ref", "type": "reference"},
            {"name": "role", "type": "string", "required": True}, {"name": "primary", "type": "boolean"},
        ]},
        {"name": "aliases", "type": "string", "multiValued": True, "required": True},
    ]},
    extensions=[SchemaExtension({"id": "urn:example:Hull", "name": "Hull", "attributes": [
        {"name": "yard", "type": "complex", "subAttributes": [
            {"name": "place", "type": "string"}, {"name": "docks", "type": "string", "multiValued": True}]},
    ]})],
)  # fmt: skip
ADA, BO = {"value": "a", "role": "captain"}, {"value": "b", "role": "mate"}
SHIP = {"schemas": [ROLES.schema], "aliases": ["x"], "owners": [ADA]}


def test_references_need_required_sub_attributes() -> None:
    """A reference needs its required sub-attributes, but a `remove` operation does not check them."""
    with pytest.raises(InvalidValue, match=r"^owners\.role is required\.$"):
        patched(ROLES, SHIP, add("owners", [{"value": "b"}]))
    result = patched(ROLES, SHIP, remove("owners"))
    assert result.document == {"schemas": [ROLES.schema], "aliases": ["x"]}
    assert result.changes == ChangeSet(references={"owners": ReferenceChanges(cleared=True)})


@pytest.mark.parametrize(
    ("operation", "owners"),
    [
        (add("owners", [{"value": "a", "role": "mate"}]), [ADA]),
        (add("owners", [BO, {"value": "b", "role": "cook"}]), [ADA, BO]),
        (replace("owners", [BO]), [BO]),
        (replace('owners[value eq "a"].role', "mate"), [{"value": "a", "role": "mate"}]),
        (remove('owners[value eq "a"]'), None),
        (remove("owners", {"value": "a", "role": "cook"}), None),
        (remove("owners", {"value": "b", "role": "captain"}), [ADA]),
    ],
)
def test_references_are_identified_by_value(operation: dict[str, Any], owners: list[dict[str, Any]] | None) -> None:
    """Two references are the same if their `value` is the same, whatever their other sub-attributes are."""
    expected = {**SHIP, "owners": owners} if owners else {key: SHIP[key] for key in ("schemas", "aliases")}
    assert patched(ROLES, SHIP, operation).document == expected


@pytest.mark.parametrize(
    ("had", "operation", "detail"),
    [
        ([ADA], replace('owners[value eq "b"].role', "mate"), NO_MATCH),
        (None, add('owners[value eq "b"]', BO), NO_MATCH),
        (None, add("owners.role", "mate"), "The path matched no value."),
    ],
)
def test_no_reference_is_created_by_a_filter(had: Any, operation: dict[str, Any], detail: str) -> None:
    """A path that selects no reference creates none, even if the handler allows new elements."""

    class Creative(Liberal):
        def creates_elements(self, attribute: Attribute) -> bool:
            return True

    document = {"schemas": [ROLES.schema], "aliases": ["x"], **({"owners": had} if had else {})}
    with pytest.raises(NoTarget) as caught:
        patch.apply(ROLES, document, body((operation,)), Creative())
    assert caught.value.detail == detail


@pytest.mark.parametrize("given", [dict, json.dumps], ids=["as an object", "as a text"])
def test_merging_reaches_complex_values_of_an_extension(given: Callable[[dict[str, Any]], Any]) -> None:
    """In a complex value of an extension, sub-attributes that the operation does not name keep their values.

    `add` appends elements, and `replace` replaces them. The same holds if a handler parses the extension from text.
    """
    hull, yard = "urn:example:Hull", {"place": "Kiel", "docks": ["1"]}
    document = {**SHIP, "schemas": [ROLES.schema, hull], hull: {"yard": yard}}
    added = patched(ROLES, document, add(hull, given({"yard": {"docks": ["2"]}})))
    assert added.document[hull] == {"yard": {"place": "Kiel", "docks": ["1", "2"]}}
    replaced = patched(ROLES, document, replace(hull, given({"yard": {"docks": ["2"]}})))
    assert replaced.document[hull] == {"yard": {"place": "Kiel", "docks": ["2"]}}
    same = patched(ROLES, document, add(hull, given({"yard": {"docks": ["1"]}})))
    assert same.document is document


A, B = {"value": "a"}, {"value": "b"}
NAMED_A = {"value": "a", "display": "Ada"}


def members(*added: dict[str, Any], removed: tuple[str, ...] = (), cleared: bool = False) -> ChangeSet:
    """Return a change set of members."""
    return ChangeSet(references={"members": ReferenceChanges(added, frozenset(removed), cleared)})


WITHOUT_READING: dict[str, tuple[tuple[dict[str, Any], ...], ChangeSet | None]] = {
    "members added": ((add("members", [A, B]),), members(A, B)),
    "a member added twice": ((add("members", [A]), add("members", [NAMED_A, B])), members(A, B)),
    "members added without a path": (({"op": "add", "value": {"members": [A]}},), members(A)),
    "no member added": ((add("members", []),), ChangeSet()),
    "a member removed": ((remove('members[value eq "a"]'),), members(removed=("a",))),
    "members removed": ((remove('members[value eq "a" or value eq "b"]'),), members(removed=("a", "b"))),
    "members listed for removal": ((remove("members", NAMED_A, B),), members(removed=("a", "b"))),
    "no member listed for removal": (({"op": "remove", "path": "members", "value": []},), ChangeSet()),
    "members added, then removed": (
        (add("members", [A, B]), remove('members[value eq "a"]')), members(B, removed=("a",))),
    "a member removed, then added": (
        (remove('members[value eq "a"]'), add("members", [A])), members(A, removed=("a",))),
    "all members removed": ((remove("members"),), members(cleared=True)),
    "all members removed, then one added": ((add("members", [A]), remove("members"), add("members", [B])),
                                    members(B, cleared=True)),
    "one member removed, then all": ((remove('members[value eq "a"]'), remove("members")), members(cleared=True)),
    "all members removed, then one of them": (
        (remove("members"), remove('members[value eq "a"]')), members(cleared=True)),
    "members replaced": ((add("members", [A]), replace("members", [B])), members(B, cleared=True)),
    "members replaced, then added": ((replace("members", [B]), add("members", [A])), members(B, A, cleared=True)),
    "members replaced by an empty array": ((replace("members", []),), members(cleared=True)),
    "attributes set": (
        (replace("displayName", "x"), add("externalId", "e")), ChangeSet({"displayName": "x", "externalId": "e"})),
    "an attribute set twice": (
        (replace("displayName", "x"), replace("displayName", "y")), ChangeSet({"displayName": "y"})),
    "an attribute removed": ((remove("externalId"),), ChangeSet(unassigned=frozenset({"externalId"}))),
    "an attribute replaced by null": ((replace("externalId", None),), ChangeSet(unassigned=frozenset({"externalId"}))),
    "null added": ((add("externalId", None),), ChangeSet()),
    "an attribute set, then removed": (
        (add("externalId", "e"), remove("externalId")), ChangeSet(unassigned=frozenset({"externalId"}))),
    "an attribute removed, then set": ((remove("externalId"), add("externalId", "e")), ChangeSet({"externalId": "e"})),
    "an attribute removed, then null added": (
        (remove("externalId"), add("externalId", None)), ChangeSet(unassigned=frozenset({"externalId"}))),
    "an attribute set and members added": (
        (add("externalId", "e"), add("members", [A])),
        ChangeSet({"externalId": "e"}, references={"members": ReferenceChanges((A,))})),
    "members selected by another sub-attribute": ((remove('members[display eq "Ada"]'),), None),
    "members selected by another sub-attribute after an add": (
        (add("members", [A]), remove('members[type eq "User"]')), None),
    "selected members replaced": ((replace('members[value eq "a"]', NAMED_A),), None),
    "a sub-attribute of members": ((remove("members.display"),), None),
    "a required attribute removed": ((remove("displayName"),), None),
    "a required attribute replaced by an empty string": ((replace("displayName", ""),), None),
    "a required attribute replaced by null": ((replace("displayName", None),), None),
}  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT_READING)
def test_direct_changes_of_a_group(name: str) -> None:
    """`direct_changes` returns a change set for operations that do not depend on the group, and None for others."""
    operations, changes = WITHOUT_READING[name]
    assert patch.direct_changes(patch.read_operations(GROUP, body(operations), Liberal())) == changes


@pytest.mark.parametrize(
    ("operation", "known"),
    [
        (add("ports", 1), True),
        (add("model", "m"), False),
        (add("pin", "1"), False),
        (add("tags", ["x"]), False),
        (add("parts", [DISK]), False),
        (add("site", {"city": "Rome"}), False),
        (add("site.city", "Rome"), False),
        (add(f"{LEASE}:until", "2030-01-01T00:00:00Z"), False),
        (add(LEASE, {"terms": {"text": "x"}}), False),
    ],
)
def test_direct_changes_of_singular_attributes(operation: dict[str, Any], known: bool) -> None:
    """Only singular readWrite attributes that are not complex can be set without reading the resource."""
    found = patch.direct_changes(patch.read_operations(DEVICE, body((operation,))))
    assert (found is not None) is known
