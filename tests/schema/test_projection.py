"""Examples of projections: the attributes that a response has by default, and those that a client selects."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import ResourceType, SchemaExtension
from scimkit.schema.projection import Projection, Projections, split_paths
from tests.resource_types import DEVICE

DISK: dict[str, Any] = {
    "schemas": [DEVICE.schema],
    "id": "1",
    "serial": "s",
    "label": "x",
    "pin": "1234",
    "notes": "n",
    "site": {"city": "Rome", "floors": [1]},
    "parts": [{"value": "a", "size": 1}, {"value": "b"}],
}
ALWAYS = {"schemas": [DEVICE.schema], "id": "1"}
DEFAULT = {name: value for name, value in DISK.items() if name not in ("pin", "notes")}


@pytest.mark.parametrize(
    ("attributes", "returned"),
    [
        ("label", {"label": "x"}),
        ("LABEL, serial", {"label": "x", "serial": "s"}),
        (f"{DEVICE.schema}:label", {"label": "x"}),
        ("notes", {"notes": "n"}),
        ("pin", {}),
        ("nothing", {}),
        ("site.city", {"site": {"city": "Rome"}}),
        ("site.city,site", {"site": DISK["site"]}),
        ("site,site.city", {"site": DISK["site"]}),
        ("site.opened", {}),
        ("parts.size", {"parts": [{"size": 1}]}),
        ('parts[value eq "a,b"].value', {"parts": [{"value": "a"}, {"value": "b"}]}),
    ],
)
def test_attributes(attributes: str, returned: dict[str, Any]) -> None:
    """`attributes` returns the named attributes and those always returned, but none never returned.

    Source: RFC 7644 section 3.9.
    """
    assert Projections(DEVICE).plan(attributes, None).apply(DISK) == {**ALWAYS, **returned}


@pytest.mark.parametrize(
    ("excluded", "gone"),
    [("label", {"label"}), ("label,parts", {"label", "parts"}), ("id,schemas", set()), ("nothing", set())],
)
def test_excluded(excluded: str, gone: set[str]) -> None:
    """`excludedAttributes` removes attributes from the default set, except attributes that are always returned."""
    found = Projections(DEVICE).plan(None, excluded).apply(DISK)
    assert found == {name: value for name, value in DEFAULT.items() if name not in gone}


def test_excluded_sub_attribute() -> None:
    """An excluded sub-attribute is removed from each element. An element that becomes empty is removed."""
    found = Projections(DEVICE).plan(None, "site.city,parts.value").apply(DISK)
    assert found == {**DEFAULT, "site": {"floors": [1]}, "parts": [{"size": 1}]}


def test_default() -> None:
    """The default projection leaves out attributes that are returned never or on request.

    A document without such attributes is returned as the same object.
    """
    plans = Projections(DEVICE)
    for parameters in ((None, None), ("", "")):
        assert plans.plan(*parameters) is plans.whole
    assert plans.whole.apply(DISK) == DEFAULT
    assert plans.whole.apply(DEFAULT) is DEFAULT
    assert plans.whole.chosen is False
    assert plans.plan("label", None) is plans.plan("label", None)
    assert plans.plan("label", None).chosen is True
    assert plans.plan(None, "label").chosen is False


@pytest.mark.parametrize(
    ("attributes", "excluded", "location"),
    [((), (), True), (("meta",), (), True), (("meta.location",), (), True), (("meta.version",), (), False),
     (("label",), (), False), ((), ("meta",), False), ((), ("meta.location",), False), ((), ("meta.version",), True)],
)  # fmt: skip
def test_wants_location(attributes: tuple[str, ...], excluded: tuple[str, ...], location: bool) -> None:
    """`meta.location` is returned unless the request excludes it or names other attributes only."""
    assert Projection(DEVICE, attributes, excluded).wants_location is location


def test_requested() -> None:
    """`requested` reports whether a store has to load an attribute."""
    plan = Projection(DEVICE, ["site.city"], [])
    assert [name for name in ("site", "label", "id") if plan.requested(name)] == ["site", "id"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [("", []), (",", []), ("a", ["a"]), (" a , b ,", ["a", "b"]), ('a[b eq "x,y"].c,d', ["a.c", "d"]),
     ("a[b[c,d],e],f", ["a", "f"]), ("a],b", ["a", "b"]), ("a],b[c,d],e", ["a", "b", "e"]), ("a[b,c", ["a"])],
)  # fmt: skip
def test_split_paths(text: str, paths: list[str]) -> None:
    """Paths are split at commas outside brackets. Text in brackets is ignored."""
    assert split_paths(text) == paths


PERMIT = "urn:example:Permit"
BADGE = ResourceType(
    {"id": "urn:example:Badge", "name": "Badge", "attributes": [
        {"name": "label", "type": "string"},
        {"name": "issuer", "type": "complex", "returned": "always", "subAttributes": [
            {"name": "code", "type": "string"}, {"name": "note", "type": "string", "returned": "request"},
            {"name": "pin", "type": "string", "returned": "never"},
        ]},
        {"name": "doors", "type": "complex", "multiValued": True, "subAttributes": [
            {"name": "value", "type": "string", "returned": "always"}, {"name": "floor", "type": "integer"},
            {"name": "note", "type": "string", "returned": "request"},
        ]},
        {"name": "history", "type": "complex", "returned": "request", "subAttributes": [
            {"name": "since", "type": "string"}, {"name": "by", "type": "string"},
        ]},
        {"name": "seal", "type": "complex", "returned": "never", "subAttributes": [{"name": "key", "type": "string"}]},
    ]},
    extensions=[SchemaExtension({"id": PERMIT, "name": "Permit", "attributes": [
        {"name": "text", "type": "string", "returned": "request"},
        {"name": "zone", "type": "complex", "subAttributes": [
            {"name": "code", "type": "string"}, {"name": "map", "type": "string", "returned": "request"},
        ]},
    ]})],
)  # fmt: skip
BLUE: dict[str, Any] = {
    "schemas": [BADGE.schema],
    "id": "1",
    "label": "blue",
    "issuer": {"code": "c", "note": "n", "pin": "p"},
    "doors": [{"value": "d", "floor": 1, "note": "n"}],
    "history": {"since": "s", "by": "b"},
    "seal": {"key": "k"},
}
CODE, DOOR, FLOOR = {"issuer": {"code": "c"}}, {"doors": [{"value": "d"}]}, {"doors": [{"value": "d", "floor": 1}]}


@pytest.mark.parametrize(
    ("attributes", "excluded", "returned"),
    [
        (None, None, {"label": "blue", **CODE, **FLOOR}),
        ("label", None, {"label": "blue", **CODE, **DOOR}),
        ("issuer", None, {**CODE, **DOOR}),
        ("issuer.note", None, {"issuer": {"note": "n"}, **DOOR}),
        ("issuer.pin", None, {**CODE, **DOOR}),
        ("doors", None, {**CODE, **FLOOR}),
        ("doors.floor", None, {**CODE, **FLOOR}),
        ("doors.note", None, {**CODE, "doors": [{"value": "d", "note": "n"}]}),
        ("history", None, {**CODE, **DOOR, "history": {"since": "s", "by": "b"}}),
        ("history.by", None, {**CODE, **DOOR, "history": {"by": "b"}}),
        ("seal", None, {**CODE, **DOOR}),
        ("seal.key", None, {**CODE, **DOOR}),
        (None, "issuer", {"label": "blue", **CODE, **FLOOR}),
        (None, "issuer.code", {"label": "blue", **CODE, **FLOOR}),
        (None, "doors", {"label": "blue", **CODE, **DOOR}),
        (None, "doors.floor", {"label": "blue", **CODE, **DOOR}),
        (None, "doors.value", {"label": "blue", **CODE, **FLOOR}),
        ("label,doors", "label", {**CODE, **FLOOR}),
    ],
)
def test_returned_within(attributes: str | None, excluded: str | None, returned: dict[str, Any]) -> None:
    """A sub-attribute follows its own `returned`.

    A sub-attribute that is always returned is returned even if the request does not name its attribute. An
    attribute that is always returned is never empty: if no part of it is requested, it has its default
    sub-attributes.
    """
    found = Projections(BADGE).plan(attributes, excluded).apply(BLUE)
    assert found == {"schemas": [BADGE.schema], "id": "1", **returned}


ON_REQUEST = ["issuer.note", "doors.note", "history", f"{PERMIT}:text", f"{PERMIT}:zone.map"]
NOTED = {"issuer": {"code": "c", "note": "n"}}
PERMITTED = {"text": "t", "zone": {"code": "z", "map": "m"}}


def test_on_request() -> None:
    """`on_request` lists the paths of attributes returned on request, including sub-attributes and extensions."""
    plans = Projections(BADGE)
    assert [each.text for each in plans.on_request] == ON_REQUEST
    assert [BADGE.resolve(text) for text in ON_REQUEST] == list(plans.on_request)


@pytest.mark.parametrize(
    ("written", "returned"),
    [
        ("", {}),
        ("label", {}),
        ("issuer.note", NOTED),
        ("doors.note", {"doors": BLUE["doors"]}),
        ("issuer.note,doors.note", {**NOTED, "doors": BLUE["doors"]}),
        ("history", {"history": BLUE["history"]}),
        ("seal", {}),
        (f"{PERMIT}:text", {PERMIT: {"text": "t", "zone": {"code": "z"}}}),
        (f"{PERMIT}:zone.map", {PERMIT: {"zone": {"code": "z", "map": "m"}}}),
    ],
)
def test_what_a_request_has_written_is_returned(written: str, returned: dict[str, Any]) -> None:
    """The default projection includes on-request attributes that the request has written (RFC 7643 section 7)."""
    default = {"schemas": [BADGE.schema], "id": "1", "label": "blue", **CODE, **FLOOR, PERMIT: {"zone": {"code": "z"}}}
    found = Projections(BADGE).plan(None, None, written).apply({**BLUE, PERMIT: PERMITTED})
    assert found == {**default, **returned}


def test_what_is_written_and_not_asked_for_is_not_returned() -> None:
    """With `attributes` or `excludedAttributes`, written attributes have no effect on the response."""
    plans = Projections(BADGE)
    assert plans.plan("label", None, "history").apply(BLUE) == plans.plan("label", None).apply(BLUE)
    assert plans.plan(None, "history", "history").apply(BLUE) == plans.whole.apply(BLUE)


def test_number_of_cached_projections() -> None:
    """The cache keeps the 512 projections used last. Projections of long parameters are not cached."""
    plans = Projections(DEVICE)
    kept = [plans.plan(f"label,x{number}", None) for number in range(512)]
    assert plans.plan("label,x0", None) is kept[0]
    assert plans.plan("label,x511", None) is kept[511]
    assert plans.plan("label,x512", None) is plans.plan("label,x512", None)
    assert plans.plan("label,x0", None) is kept[0]
    assert plans.plan("label,x1", None) is not kept[1]
    long = "label," + "x" * 1024
    assert plans.plan(long, None) is not plans.plan(long, None)
