"""PATCH applied by example: every rule of RFC 7644 section 3.5.2 on every kind of attribute."""

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
    """A repair that lets `remove` list values, creates the elements that filters describe, and reads JSON in a text."""

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
    """The body of a PATCH with these operations."""
    return {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": list(operations)}


def patched(kind: ResourceType, document: dict[str, Any], *operations: dict[str, Any]) -> patch.PatchResult:
    """A document after operations, itself unharmed."""
    before = copy.deepcopy(document)
    try:
        return patch.apply(kind, document, body(operations), Liberal())
    finally:
        assert document == before


def add(path: str, value: Any) -> dict[str, Any]:
    """An operation that adds."""
    return {"op": "add", "path": path, "value": value}


def replace(path: str, value: Any) -> dict[str, Any]:
    """An operation that replaces."""
    return {"op": "replace", "path": path, "value": value}


def remove(path: str, *values: Any) -> dict[str, Any]:
    """An operation that removes, with `values` those that it lists."""
    return {"op": "remove", "path": path, "value": list(values)} if values else {"op": "remove", "path": path}


Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
"""What the device has, the operation, and what is changed (None where nothing is left)."""

ADD: dict[str, Case] = {
    "the attributes of the value, without a path": (
        {}, {"op": "add", "value": {"ports": 1, "tags": ["x"]}}, {"ports": 1, "tags": ["x"]}),
    "an attribute that is not there": ({}, add("ports", 1), {"ports": 1}),
    "a single value takes the place of another": ({"ports": 1}, add("ports", 2), {"ports": 2}),
    "sub-attributes of a complex value that is not there": (
        {}, add("site", {"city": "Rome"}), {"site": {"city": "Rome"}}),
    "sub-attributes of a complex value": (
        {"site": {"city": "Rome", "floors": [1]}}, add("site", {"city": "Bonn"}),
        {"site": {"city": "Bonn", "floors": [1]}}),
    "values within a complex value are appended": (
        {"site": {"floors": [1]}}, add("site", {"floors": [2, 1]}), {"site": {"floors": [1, 2]}}),
    "a sub-attribute": ({"site": {"floors": [1]}}, add("site.city", "Rome"), {"site": {"city": "Rome", "floors": [1]}}),
    "a sub-attribute of what is not there": ({}, add("site.city", "Rome"), {"site": {"city": "Rome"}}),
    "values of a sub-attribute are appended": (
        {"site": {"floors": [1]}}, add("site.floors", [1, 2]), {"site": {"floors": [1, 2]}}),
    "values of a sub-attribute that is not there": ({}, add("site.floors", [1]), {"site": {"floors": [1]}}),
    "first values": ({}, add("tags", ["x", "y"]), {"tags": ["x", "y"]}),
    "new values are appended": ({"tags": ["x"]}, add("tags", ["y", "X", "z"]), {"tags": ["x", "y", "z"]}),
    "a value that is there, in other case": ({"tags": ["x"]}, add("tags", ["X"]), {}),
    "null adds nothing": ({"ports": 1}, add("ports", None), {}),
    "null adds nothing where nothing is": ({}, add("ports", None), {}),
    "an empty list adds nothing": ({"tags": ["x"]}, add("tags", []), {}),
    "a complex value with other sub-attributes is another": (
        {"parts": [DISK]}, add("parts", [{"value": "a"}]), {"parts": [DISK, {"value": "a"}]}),
    "what is said anew of a value with the same type and value": (
        {"parts": [DISK, FAN]}, add("parts", [{**DISK, "size": 3}, {**DISK, "value": "c"}]),
        {"parts": [{**DISK, "size": 3}, FAN, {**DISK, "value": "c"}]}),
    "a value with the same type and value that is now primary takes that from the others": (
        {"parts": [PRIMARY_DISK, FAN]}, add("parts", [PRIMARY_FAN]),
        {"parts": [{**DISK, "primary": False}, PRIMARY_FAN]}),
    "an element written so that it is one with a later one": (
        {"parts": [FAN, {**PRIMARY_DISK, "size": 1}]},
        replace('parts[type eq "fan"]', {**PRIMARY_DISK, "size": 2}), {"parts": [{**PRIMARY_DISK, "size": 2}]}),
    "an element written so that it is one with an earlier one": (
        {"parts": [{**PRIMARY_DISK, "size": 1}, {**DISK, "value": "c"}, FAN]},
        replace('parts[type eq "fan"]', {**PRIMARY_DISK, "size": 2}),
        {"parts": [{**PRIMARY_DISK, "size": 2}, {**DISK, "value": "c"}]}),
    "less of a value than is there": ({"parts": [PRIMARY_DISK, FAN]}, add("parts", [DISK]), {}),
    "values of a sub-attribute of a value that is there": (
        {"parts": [{**DISK, "colors": ["red"]}]}, add("parts", [{**DISK, "colors": ["blue"]}]),
        {"parts": [{**DISK, "colors": ["red", "blue"]}]}),
    "a value that is there, said in two ways": (
        {}, add("parts", [{**DISK, "size": 3}, FAN, {**DISK, "batch": "x"}]),
        {"parts": [{**DISK, "size": 3, "batch": "x"}, FAN]}),
    "a change by which two elements with different parts become one": (
        {"parts": [{**DISK, "size": 3}, {**FAN, "value": "a", "batch": "x"}]}, add("parts.type", "fan"),
        {"parts": [{"value": "a", "type": "fan", "size": 3, "batch": "x"}]}),
    "a complex value that is there": ({"parts": [DISK, FAN]}, add("parts", [dict(FAN)]), {}),
    "a primary value takes that from the others": (
        {"parts": [PRIMARY_DISK, FAN]}, add("parts", [{"value": "c", "primary": True}]),
        {"parts": [{**DISK, "primary": False}, FAN, {"value": "c", "primary": True}]}),
    "a primary value that is there takes nothing": (
        {"parts": [PRIMARY_DISK, PRIMARY_FAN]}, add("parts", [dict(PRIMARY_DISK)]), {}),
    "a value that is not primary takes nothing": (
        {"parts": [PRIMARY_DISK]}, add("parts", [{**FAN, "primary": False}]),
        {"parts": [PRIMARY_DISK, {**FAN, "primary": False}]}),
    "sub-attributes of the elements selected": (
        {"parts": [DISK, FAN, DISK | {"value": "c"}]}, add('parts[type eq "disk"]', {"size": 3}),
        {"parts": [{**DISK, "size": 3}, FAN, {"value": "c", "type": "disk", "size": 3}]}),
    "values of a sub-attribute of the elements selected": (
        {"parts": [{**DISK, "colors": ["red"]}, FAN]}, add('parts[value eq "a"].colors', ["RED", "blue"]),
        {"parts": [{**DISK, "colors": ["red", "blue"]}, FAN]}),
    "a sub-attribute of every element, without a filter": (
        {"parts": [DISK, FAN]}, add("parts.size", 3), {"parts": [{**DISK, "size": 3}, {**FAN, "size": 3}]}),
    "a selected element made primary takes that from the others": (
        {"parts": [PRIMARY_DISK, FAN]}, add('parts[type eq "fan"].primary', True),
        {"parts": [{**DISK, "primary": False}, PRIMARY_FAN]}),
    "a selected element that is primary stays so": (
        {"parts": [PRIMARY_DISK, {**FAN, "primary": False}]}, add('parts[type eq "disk"]', {"size": 3}),
        {"parts": [{**PRIMARY_DISK, "size": 3}, {**FAN, "primary": False}]}),
    "a change by which two elements become one": (
        {"parts": [{"value": "a"}, {"value": "a", "size": 1}]}, add("parts.size", 1),
        {"parts": [{"value": "a", "size": 1}]}),
    "an immutable sub-attribute said again": (
        {"parts": [{**DISK, "batch": "1"}]}, add('parts[type eq "disk"]', {"batch": "1", "size": 3}),
        {"parts": [{**DISK, "batch": "1", "size": 3}]}),
    "an immutable sub-attribute of the elements selected, said again": (
        {"parts": [{**DISK, "batch": "1"}]}, add('parts[type eq "disk"].batch', "1"), {}),
    "the element that a filter describes": (
        {"parts": [DISK]}, add('parts[type eq "fan" and size eq 3].value', "b"),
        {"parts": [DISK, {"type": "fan", "size": 3, "value": "b"}]}),
    "the element that a filter describes, in values of their type": (
        {}, add('parts[size eq "3"].value', "b"), {"parts": [{"size": 3, "value": "b"}]}),
    "the first element that a filter describes": (
        {}, add('parts[type eq "fan"].value', "b"), {"parts": [{"type": "fan", "value": "b"}]}),
    "an element that a filter describes, with what it says otherwise": (
        {}, add('parts[type eq "fan"]', {"value": "b"}), {"parts": [{"type": "fan", "value": "b"}]}),
    "an attribute of an extension": ({}, add(f"{LEASE}:contacts", [{"value": "x"}]), {
        **LEASED, LEASE: {"contacts": [{"value": "x"}]}}),
    "a sub-attribute of an extension's attribute": ({}, add(f"{LEASE}:terms.text", "x"), {
        **LEASED, LEASE: {"terms": {"text": "x"}}}),
    "an extension": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, add(LEASE, {"contacts": [{"value": "y"}]}),
        {LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "y"}]}}),
    "an extension, deep within": (
        {**LEASED, LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "y"}]}},
        add(LEASE, {"contacts": [{"value": "z"}], "terms": {"text": "w"}}),
        {LEASE: {"terms": {"text": "w"}, "contacts": [{"value": "y"}, {"value": "z"}]}}),
    "an element that the filter of an extension's attribute selects": (
        {**LEASED, LEASE: {"contacts": [{"value": "x"}, {"value": "y"}]}},
        add(f'{LEASE}:contacts[value eq "y"].primary', True),
        {LEASE: {"contacts": [{"value": "x"}, {"value": "y", "primary": True}]}}),
}  # fmt: skip

REPLACE: dict[str, Case] = {
    "the attributes of the value, without a path": (
        {"ports": 1, "tags": ["x"], "weight": 2.5}, {"op": "replace", "value": {"ports": 2, "tags": ["y"]}},
        {"ports": 2, "tags": ["y"]}),
    "a single value": ({"ports": 1}, replace("ports", 2), {"ports": 2}),
    "what is not there is added": ({}, replace("ports", 2), {"ports": 2}),
    "all values": ({"tags": ["x", "y"]}, replace("tags", ["z"]), {"tags": ["z"]}),
    "all complex values": ({"parts": [PRIMARY_DISK]}, replace("parts", [PRIMARY_FAN]), {"parts": [PRIMARY_FAN]}),
    "null removes": ({"tags": ["x"]}, replace("tags", None), {"tags": None}),
    "null removes nothing where nothing is": ({}, replace("tags", None), {}),
    "an empty list removes": ({"tags": ["x"]}, replace("tags", []), {"tags": None}),
    "sub-attributes that are not named stay": (
        {"site": {"city": "Rome", "floors": [1]}}, replace("site", {"city": "Bonn"}),
        {"site": {"city": "Bonn", "floors": [1]}}),
    "values of a sub-attribute that is named go": (
        {"site": {"city": "Rome", "floors": [1]}}, replace("site", {"floors": [2]}),
        {"site": {"city": "Rome", "floors": [2]}}),
    "a complex value that is not there": ({}, replace("site", {"floors": [2]}), {"site": {"floors": [2]}}),
    "values of a sub-attribute": (
        {"site": {"city": "Rome", "floors": [1]}}, replace("site.floors", [2]),
        {"site": {"city": "Rome", "floors": [2]}}),
    "null removes a sub-attribute": (
        {"site": {"city": "Rome", "floors": [1]}}, replace("site.city", None), {"site": {"floors": [1]}}),
    "null removes the elements selected": (
        {"parts": [DISK, FAN]}, replace('parts[type eq "disk"]', None), {"parts": [FAN]}),
    "a plain value selected": (
        {"tags": ["x", "y", "z"]}, replace('tags[value eq "Y"]', "w"), {"tags": ["x", "w", "z"]}),
    "every plain value selected, each once": (
        {"tags": ["x", "y", "z"]}, replace('tags[not (value eq "y")]', "w"), {"tags": ["w", "y"]}),
    "every element selected, whole": (
        {"parts": [{**DISK, "size": 1}, FAN]}, replace('parts[type eq "disk"]', {"value": "c"}),
        {"parts": [{"value": "c"}, FAN]}),
    "a single complex value selected, in part": (
        {"site": {"city": "Rome", "floors": [1]}}, replace('site[city eq "rome"]', {"floors": [2]}),
        {"site": {"city": "Rome", "floors": [2]}}),
    "a sub-attribute of a single complex value selected": (
        {"site": {"city": "Rome"}}, replace('site[city eq "rome"].city', "Bonn"), {"site": {"city": "Bonn"}}),
    "a sub-attribute of every element selected": (
        {"parts": [DISK, FAN, {"value": "c", "type": "disk"}]}, replace('parts[type eq "disk"].size', 3),
        {"parts": [{**DISK, "size": 3}, FAN, {"value": "c", "type": "disk", "size": 3}]}),
    "values of a sub-attribute of the elements selected": (
        {"parts": [{**DISK, "colors": ["red"]}]}, replace('parts[type eq "disk"].colors', ["blue"]),
        {"parts": [{**DISK, "colors": ["blue"]}]}),
    "an immutable sub-attribute of an element may be left out": (
        {"parts": [{**DISK, "batch": "1"}]}, replace('parts[type eq "disk"]', {"value": "c"}),
        {"parts": [{"value": "c"}]}),
    "an immutable sub-attribute of an element may be said again": (
        {"parts": [{**DISK, "batch": "1"}]}, replace('parts[type eq "disk"]', {"value": "c", "batch": "1"}),
        {"parts": [{"value": "c", "batch": "1"}]}),
    "an immutable sub-attribute may be set once": (
        {"parts": [DISK]}, replace('parts[type eq "disk"].batch', "1"), {"parts": [{**DISK, "batch": "1"}]}),
    "an element made primary takes that from the others": (
        {"parts": [PRIMARY_DISK, FAN]}, replace('parts[type eq "fan"]', {"value": "c", "primary": True}),
        {"parts": [{**DISK, "primary": False}, {"value": "c", "primary": True}]}),
    "an element that a filter describes and that is not there, with what it says otherwise": (
        {"parts": [DISK]}, replace('parts[type eq "fan"]', {"value": "b"}), {"parts": [DISK, FAN]}),
    "an extension keeps what is not named": (
        {**LEASED, LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "y"}]}},
        replace(LEASE, {"contacts": [{"value": "z"}]}),
        {LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "z"}]}}),
    "null removes an extension": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, replace(LEASE, None), {"schemas": [DEVICE.schema], LEASE: None}),
    "said again changes nothing": ({"site": {"city": "Rome"}}, replace("site", {"city": "Rome"}), {}),
}  # fmt: skip

REMOVE: dict[str, Case] = {
    "a single value": ({"ports": 1}, remove("ports"), {"ports": None}),
    "what is not there": ({}, remove("ports"), {}),
    "a complex value": ({"site": {"city": "Rome"}}, remove("site"), {"site": None}),
    "all values": ({"tags": ["x", "y"]}, remove("tags"), {"tags": None}),
    "a sub-attribute": ({"site": {"city": "Rome", "floors": [1]}}, remove("site.city"), {"site": {"floors": [1]}}),
    "the only sub-attribute": ({"site": {"city": "Rome"}}, remove("site.city"), {"site": None}),
    "a sub-attribute that is not there": ({"site": {"city": "Rome"}}, remove("site.floors"), {}),
    "a sub-attribute of what is not there": ({}, remove("site.city"), {}),
    "the plain values selected": ({"tags": ["x", "y"]}, remove('tags[value eq "X"]'), {"tags": ["y"]}),
    "the elements selected": ({"parts": [DISK, FAN]}, remove('parts[type eq "disk"]'), {"parts": [FAN]}),
    "the last element": ({"parts": [DISK]}, remove('parts[type eq "disk"]'), {"parts": None}),
    "no element": ({"parts": [DISK]}, remove('parts[type eq "fan"]'), {}),
    "an element of nothing": ({}, remove('parts[type eq "fan"]'), {}),
    "a single complex value selected": ({"site": {"city": "Rome"}}, remove('site[city eq "Rome"]'), {"site": None}),
    "a single complex value not selected": ({"site": {"city": "Rome"}}, remove('site[city eq "Bonn"]'), {}),
    "a sub-attribute of the elements selected": (
        {"parts": [{**DISK, "size": 1}, {**FAN, "size": 2}]}, remove('parts[type eq "disk"].size'),
        {"parts": [DISK, {**FAN, "size": 2}]}),
    "a sub-attribute of every element": (
        {"parts": [{**DISK, "size": 1}, {**FAN, "size": 2}]}, remove("parts.size"), {"parts": [DISK, FAN]}),
    "all values of a sub-attribute of every element": (
        {"parts": [{**DISK, "colors": ["red", "blue"]}, FAN]}, remove("parts.colors"), {"parts": [DISK, FAN]}),
    "elements that become one": (
        {"parts": [{"value": "a", "size": 1}, {"value": "a"}]}, remove("parts.size"), {"parts": [{"value": "a"}]}),
    "the only sub-attribute of an element takes the element": (
        {**LEASED, LEASE: {"contacts": [{"value": "x"}, {"primary": True}]}}, remove(f"{LEASE}:contacts.value"),
        {LEASE: {"contacts": [{"primary": True}]}}),
    "the last of an extension": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, remove(f"{LEASE}:terms"),
        {"schemas": [DEVICE.schema], LEASE: None}),
    "something of an extension": (
        {**LEASED, LEASE: {"terms": {"text": "x"}, "contacts": [{"value": "y"}]}}, remove(f"{LEASE}:terms.text"),
        {LEASE: {"contacts": [{"value": "y"}]}}),
    "something of an extension that is not there": ({}, remove(f"{LEASE}:terms"), {}),
    "an extension": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, remove(LEASE), {"schemas": [DEVICE.schema], LEASE: None}),
    "listed plain values": ({"tags": ["x", "y", "z"]}, remove("tags", "X", "z", "w"), {"tags": ["y"]}),
    "all listed": ({"tags": ["x", "y"]}, remove("tags", "y", "x"), {"tags": None}),
    "listed values of nothing": ({}, remove("tags", "x"), {}),
    "an empty list removes nothing": ({"tags": ["x"]}, {"op": "remove", "path": "tags", "value": []}, {}),
    "listed complex values, by the sub-attributes given": (
        {"parts": [DISK, FAN, {"value": "a", "type": "fan"}]}, remove("parts", {"value": "a", "type": "disk"}),
        {"parts": [FAN, {"value": "a", "type": "fan"}]}),
    "listed complex values, by fewer sub-attributes": (
        {"parts": [DISK, FAN, {"value": "c", "type": "fan"}]}, remove("parts", {"type": "fan"}), {"parts": [DISK]}),
    "a listed complex value with more than is there": (
        {"parts": [DISK]}, remove("parts", {"value": "a", "size": 1}), {}),
    "listed values of a sub-attribute": (
        {"site": {"city": "Rome", "floors": [1, 2, 3]}}, remove("site.floors", 1, 3),
        {"site": {"city": "Rome", "floors": [2]}}),
    "all listed values of a sub-attribute": (
        {"site": {"city": "Rome", "floors": [1]}}, remove("site.floors", 1), {"site": {"city": "Rome"}}),
    "listed values of a sub-attribute of every element": (
        {"parts": [{**DISK, "colors": ["red", "blue"]}, {**FAN, "colors": ["red"]}]},
        remove("parts.colors", "RED"), {"parts": [{**DISK, "colors": ["blue"]}, FAN]}),
    "listed values of a sub-attribute of the elements selected": (
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
    """Each operation does what its section says; what it does not speak of stays, and is the same object."""
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
    "3.5.2.2, remove what a complex filter selects": (
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
    """The examples of RFC 7644 section 3.5.2 do what their text says."""
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
    "remove what is required": ({}, remove("label"), MutabilityViolation, "label is required and cannot be removed."),
    "replace what is required by nothing": (
        {}, replace("label", None), MutabilityViolation, "label is required and cannot be removed."),
    "empty what is required": ({}, replace("label", ""), InvalidValue, "label is required."),
    "change what is immutable": (
        {"model": "m"}, replace("model", "n"), MutabilityViolation, "model is immutable and already has a value."),
    "add to what is immutable": (
        {"model": "m"}, add("model", "n"), MutabilityViolation, "model is immutable and already has a value."),
    "remove what is immutable": (
        {"model": "m"}, remove("model"), MutabilityViolation, "model is immutable and already has a value."),
    "change an immutable sub-attribute": (
        {"site": {"opened": "2020-01-01T00:00:00Z"}}, add("site", {"opened": "2021-01-01T00:00:00Z"}),
        MutabilityViolation, "site.opened is immutable and already has a value."),
    "change an immutable sub-attribute of an element": (
        {"parts": [{**DISK, "batch": "1"}]}, add("parts.batch", "2"), MutabilityViolation, BATCH),
    "lay another immutable sub-attribute over an element": (
        {"parts": [{**DISK, "batch": "1"}]}, add('parts[type eq "disk"]', {"batch": "2"}), MutabilityViolation, BATCH),
    "replace an element by one with another immutable sub-attribute": (
        {"parts": [{**DISK, "batch": "1"}]}, replace('parts[type eq "disk"]', {"value": "a", "batch": "2"}),
        MutabilityViolation, BATCH),
    "remove an immutable sub-attribute of an element": (
        {"parts": [{**DISK, "batch": "1"}]}, remove("parts.batch"), MutabilityViolation, BATCH),
    "remove a required sub-attribute of an element": (
        {"parts": [DISK]}, remove("parts.value"),
        MutabilityViolation, "parts.value is required and cannot be removed."),
    "add an element without what it must have": (
        {}, add("parts", [{"size": 1}]), InvalidValue, "parts.value is required."),
    "replace an element by one without what it must have": (
        {"parts": [DISK]}, replace('parts[value eq "a"]', {"size": 1}), InvalidValue, "parts.value is required."),
    "replace where the filter matches nothing": (
        {"tags": ["x"]}, replace('tags[value eq "y"]', "z"), NoTarget, NO_MATCH),
    "add where the filter matches nothing": ({"tags": ["x"]}, add('tags[value eq "y"]', "z"), NoTarget, NO_MATCH),
    "replace where the single value does not match": (
        {"site": {"city": "Rome"}}, replace('site[city eq "Bonn"].city', "Kiel"), NoTarget, NO_MATCH),
    "replace in an extension that does not match": (
        {**LEASED, LEASE: {"terms": {"text": "x"}}}, replace(f"{LEASE}[until pr]", {"terms": {"text": "y"}}),
        NoTarget, NO_MATCH),
    "replace where there is no single value to match": (
        {}, replace('site[city eq "Bonn"].city', "Kiel"), NoTarget, NO_MATCH),
    "create an element that the filter does not describe": (
        {"parts": [DISK]}, replace('parts[type ne "disk"].size', 3), NoTarget, NO_MATCH),
    "create an element where that is not allowed": (
        {}, add(f'{LEASE}:contacts[value eq "x"].primary', True), NoTarget, NO_MATCH),
    "add a value that is there with another immutable sub-attribute": (
        {"parts": [{**DISK, "batch": "x"}]}, add("parts", [{**DISK, "batch": "y"}]), MutabilityViolation,
        "parts.batch is immutable and already has a value."),
    "add two primary values": (
        {}, add("parts", [PRIMARY_DISK, PRIMARY_FAN]), InvalidValue, "parts has more than one primary value."),
    "add to values of which two are primary already": (
        {"parts": [PRIMARY_DISK, PRIMARY_FAN]}, add("parts", [{"value": "c"}]),
        InvalidValue, "parts has more than one primary value."),
    "add to values of an extension of which two are primary already": (
        TWO_PRIMARY, add(LEASE, {"contacts": [{"value": "z"}]}),
        InvalidValue, f"{LEASE}:contacts has more than one primary value."),
    "add to values of an extension of which two are primary already, by a text": (
        TWO_PRIMARY, add(LEASE, '{"contacts": [{"value": "z"}]}'),
        InvalidValue, f"{LEASE}:contacts has more than one primary value."),
    "add to values, in an extension that a filter selects, of which two are primary already, by a text": (
        TWO_PRIMARY, add(f"{LEASE}[until pr]", '{"contacts": [{"value": "z"}]}'),
        InvalidValue, f"{LEASE}:contacts has more than one primary value."),
    "add to values, in an extension that a filter selects, of which two are primary already": (
        TWO_PRIMARY, add(f"{LEASE}[until pr]", {"contacts": [{"value": "z"}]}),
        InvalidValue, f"{LEASE}:contacts has more than one primary value."),
    "make two elements primary": (
        {"parts": [DISK, FAN]}, replace("parts.primary", True), InvalidValue, "parts has more than one primary value."),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """What may not change, is not there, or would leave a resource that is not valid, is refused and says what."""
    had, operation, error, detail = REFUSED[name]
    with pytest.raises(error) as caught:
        patched(DEVICE, {**BARE, **had}, operation)
    assert caught.value.detail == detail


def test_in_order() -> None:
    """Operations are applied in order, each to the result of the one before (section 3.5.2)."""
    operations = (add("tags", ["x"]), replace('tags[value eq "x"]', "y"), add("tags", ["x"]), remove("ports"))
    result = patched(DEVICE, {**BARE, "ports": 1}, *operations)
    assert result.document == {**BARE, "tags": ["y", "x"]}
    assert result.changes == ChangeSet({"tags": ["y", "x"]}, frozenset({"ports"}))


def test_null_leaves_no_trace() -> None:
    """Adding null adds no attribute, also when something else changes."""
    assert patched(DEVICE, BARE, add("ports", None), add("tags", ["x"])).document == {**BARE, "tags": ["x"]}


def test_there_and_back() -> None:
    """Operations that undo each other change nothing: the same document, and no change set."""
    document = {**BARE, "tags": ["x"], "ports": 1}
    undone = (add("tags", ["y"]), remove('tags[value eq "y"]'), remove("ports"), add("ports", 1))
    result = patched(DEVICE, document, *undone)
    assert result.document is document
    assert not result.changes


def test_required_may_go_and_come() -> None:
    """What is required must be there in the end, not all the way."""
    result = patched(DEVICE, BARE, remove("label"), add("label", "m"))
    assert result.document == {**BARE, "label": "m"}


def test_what_was_wrong_before() -> None:
    """An error of a stored resource is no error of a PATCH that speaks of something else, or changes nothing."""
    document = {**BARE, "parts": [{"size": 1}]}
    assert patched(DEVICE, document, add("ports", 1)).document == {**document, "ports": 1}
    unnamed = {"schemas": [DEVICE.schema], "serial": "s"}
    assert patched(DEVICE, unnamed, remove("ports")).document is unnamed
    with pytest.raises(InvalidValue, match=r"^label is required\.$"):
        patched(DEVICE, unnamed, add("ports", 1))


def test_schemas_follow_the_extensions() -> None:
    """`schemas` says which extensions a resource has, whether or not it did before (RFC 7643 section 3)."""
    result = patched(DEVICE, {**BARE, "schemas": []}, add("ports", 1))
    assert result.document["schemas"] == [DEVICE.schema]
    assert result.changes.assigned == {"ports": 1, "schemas": [DEVICE.schema]}
    assert patched(DEVICE, BARE, add("ports", 1)).changes.assigned == {"ports": 1}


def test_schemas_stay_while_no_extension_is_touched() -> None:
    """The order of `schemas` is the store's own until an operation speaks of an extension."""
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


def test_references_have_what_they_must_have() -> None:
    """References too must have their required sub-attributes; those that go need none."""
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
def test_references_are_told_apart_by_value(operation: dict[str, Any], owners: list[dict[str, Any]] | None) -> None:
    """A reference is the same as another when its `value` is, whatever else is said of it."""
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
def test_no_reference_is_made_up(had: Any, operation: dict[str, Any], detail: str) -> None:
    """A path that selects no reference creates none, not even where elements may be created."""

    class Creative(Liberal):
        def creates_elements(self, attribute: Attribute) -> bool:
            return True

    document = {"schemas": [ROLES.schema], "aliases": ["x"], **({"owners": had} if had else {})}
    with pytest.raises(NoTarget) as caught:
        patch.apply(ROLES, document, body((operation,)), Creative())
    assert caught.value.detail == detail


@pytest.mark.parametrize("given", [dict, json.dumps], ids=["as an object", "as a text"])
def test_merging_reaches_complex_values_of_an_extension(given: Callable[[dict[str, Any]], Any]) -> None:
    """What a complex value within an extension does not name stays; its values are appended or replaced.

    It is so for an extension that a repair reads from a text, too.
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
    """A change set of members."""
    return ChangeSet(references={"members": ReferenceChanges(added, frozenset(removed), cleared)})


WITHOUT_READING: dict[str, tuple[tuple[dict[str, Any], ...], ChangeSet | None]] = {
    "members added": ((add("members", [A, B]),), members(A, B)),
    "a member added twice": ((add("members", [A]), add("members", [NAMED_A, B])), members(A, B)),
    "members added by name": (({"op": "add", "value": {"members": [A]}},), members(A)),
    "no member added": ((add("members", []),), ChangeSet()),
    "a member removed": ((remove('members[value eq "a"]'),), members(removed=("a",))),
    "members removed": ((remove('members[value eq "a" or value eq "b"]'),), members(removed=("a", "b"))),
    "members listed for removal": ((remove("members", NAMED_A, B),), members(removed=("a", "b"))),
    "none listed for removal": (({"op": "remove", "path": "members", "value": []},), ChangeSet()),
    "added, then removed": ((add("members", [A, B]), remove('members[value eq "a"]')), members(B, removed=("a",))),
    "removed, then added": ((remove('members[value eq "a"]'), add("members", [A])), members(A, removed=("a",))),
    "all removed": ((remove("members"),), members(cleared=True)),
    "all removed, then one added": ((add("members", [A]), remove("members"), add("members", [B])),
                                    members(B, cleared=True)),
    "one removed, then all": ((remove('members[value eq "a"]'), remove("members")), members(cleared=True)),
    "all removed, then one of them": ((remove("members"), remove('members[value eq "a"]')), members(cleared=True)),
    "replaced": ((add("members", [A]), replace("members", [B])), members(B, cleared=True)),
    "replaced, then added": ((replace("members", [B]), add("members", [A])), members(B, A, cleared=True)),
    "replaced by none": ((replace("members", []),), members(cleared=True)),
    "set": ((replace("displayName", "x"), add("externalId", "e")), ChangeSet({"displayName": "x", "externalId": "e"})),
    "set twice": ((replace("displayName", "x"), replace("displayName", "y")), ChangeSet({"displayName": "y"})),
    "unset": ((remove("externalId"),), ChangeSet(unassigned=frozenset({"externalId"}))),
    "replaced by null": ((replace("externalId", None),), ChangeSet(unassigned=frozenset({"externalId"}))),
    "null added": ((add("externalId", None),), ChangeSet()),
    "set, then unset": (
        (add("externalId", "e"), remove("externalId")), ChangeSet(unassigned=frozenset({"externalId"}))),
    "unset, then set": ((remove("externalId"), add("externalId", "e")), ChangeSet({"externalId": "e"})),
    "unset, then null added": (
        (remove("externalId"), add("externalId", None)), ChangeSet(unassigned=frozenset({"externalId"}))),
    "set and members": (
        (add("externalId", "e"), add("members", [A])),
        ChangeSet({"externalId": "e"}, references={"members": ReferenceChanges((A,))})),
    "members selected by something else": ((remove('members[display eq "Ada"]'),), None),
    "something after members added": ((add("members", [A]), remove('members[type eq "User"]')), None),
    "members selected and changed": ((replace('members[value eq "a"]', NAMED_A),), None),
    "a sub-attribute of members": ((remove("members.display"),), None),
    "something required removed": ((remove("displayName"),), None),
    "something required emptied": ((replace("displayName", ""),), None),
    "something required replaced by null": ((replace("displayName", None),), None),
}  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT_READING)
def test_changes_without_reading(name: str) -> None:
    """Operations that need nothing of a group but its id come to a change set; any other, to None."""
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
def test_what_has_to_be_read(operation: dict[str, Any], known: bool) -> None:
    """Only a plain singular attribute that may be written at any time is set without reading the resource."""
    found = patch.direct_changes(patch.read_operations(DEVICE, body((operation,))))
    assert (found is not None) is known
