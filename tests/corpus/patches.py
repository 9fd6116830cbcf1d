"""PATCH candidates in RFC form: each operation on each kind of path, before and after the attribute has a value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from scimkit.schema.attributes import AttributePath
from scimkit.testing.corpus import resource_type
from tests.corpus.candidates import (
    ANY_400,
    CLAUSE_OF,
    DEVICE,
    GROUP,
    NAMES,
    NOTATION,
    PATCH,
    USER,
    Candidate,
    body,
    error,
)
from tests.corpus.samples import NOTHING, base, complex_paths, element, holding, samples, simple_paths, with_value

Operation = dict[str, Any]


_MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"
"""RFC 7643 section 8.7.1 says both "REQUIRED" and `required: false`, so that its removal has no clear result."""


def patch_candidates() -> Iterator[Candidate]:
    """Yield all enumerated PATCH candidates. The reference model decides their results."""
    for schemas in (USER, GROUP, DEVICE):
        for path in simple_paths(schemas):
            if path.attribute.multi_valued and path.sub_attribute is None:
                yield from _simple_values(schemas, path)
            elif not path.attribute.multi_valued:
                yield from _single_value(schemas, path)
            else:
                yield from _in_elements(schemas, path)
        for path in complex_paths(schemas):
            yield from _elements(schemas, path) if path.attribute.multi_valued else _complex_value(schemas, path)
    yield from _read_only()
    yield from _primary()
    yield from _without_path()
    yield from _filters()
    yield from _in_order()


def _case(schemas: tuple[str, ...], document: Any, rule: str, *operations: Operation, clause: str = "") -> Candidate:
    return Candidate("patch", clause or CLAUSE_OF[operations[0]["op"]], rule, schemas, document, body(*operations))


def _write(op: str, path: str, value: Any) -> Operation:
    return {"op": op, "path": path, "value": value}


def _remove(path: str) -> Operation:
    return {"op": "remove", "path": path}


def _single_value(schemas: tuple[str, ...], path: AttributePath) -> Iterator[Candidate]:
    first, second, *_ = samples(path)
    required = path.leaf.required
    rule = "singular attribute" if path.sub_attribute is None else "sub-attribute"
    rule = "immutable" if path.leaf.mutability == "immutable" else rule
    here = holding(schemas, path, first)
    earlier = [here] if required else [here, base(schemas)]
    for document, op in product(earlier, ("add", "replace")):
        yield _case(schemas, document, rule, _write(op, path.text, second))
    yield _case(schemas, here, "value that exists" if rule != "immutable" else rule, _write("add", path.text, first))
    for document in earlier if path.text != _MANAGER else ():
        yield _case(schemas, document, "required" if required else rule, _remove(path.text))
    yield _case(schemas, here, "names in any case", _write("replace", _upper(path), second), clause=NAMES)
    if path.extension is None and path.attribute.name != "externalId":
        urn = resource_type(schemas).schema
        yield _case(
            schemas, here, "URN of the schema", _write("replace", f"{urn}:{path.text}", second), clause=NOTATION
        )


def _upper(path: AttributePath) -> str:
    prefix = "" if path.extension is None else f"{path.extension.name}:"
    return prefix + path.text.removeprefix(prefix).upper()


def _simple_values(schemas: tuple[str, ...], path: AttributePath) -> Iterator[Candidate]:
    first, second, third = samples(path)
    one, two, absent = holding(schemas, path, first), holding(schemas, path, first, second), base(schemas)
    for document, op, value in product((one, two, absent), ("add", "replace"), ([third], [second, third])):
        yield _case(schemas, document, "simple values", _write(op, path.text, value))
    yield _case(schemas, two, "value that exists", _write("add", path.text, [second]))
    yield _case(schemas, two, "value that exists", _write("add", path.text, [second, third]))
    for document in (one, two, absent):
        yield _case(schemas, document, "simple values", _remove(path.text))
    yield _case(schemas, one, "names in any case", _write("add", _upper(path), [second]), clause=NAMES)


def _complex_value(schemas: tuple[str, ...], path: AttributePath) -> Iterator[Candidate]:
    attribute = path.attribute
    names = [name for name, each in attribute.children.items() if name != "$ref" and each.mutability == "readWrite"][:3]
    values = [element(attribute, 1, *names[:1]), element(attribute, 1, *names[:2]), element(attribute, 2, *names)]
    earlier = [base(schemas), *(with_value(schemas, path, element(attribute, 0, *some)) for some in (names[:1], names))]
    for document, op, value in product(earlier, ("add", "replace"), values):
        yield _case(schemas, document, "complex attribute", _write(op, path.text, value))
    for document in earlier:
        yield _case(schemas, document, "complex attribute", _remove(path.text))


def _elements(schemas: tuple[str, ...], path: AttributePath) -> Iterator[Candidate]:
    attribute = path.attribute
    names = [
        name
        for name in ("value", "type", "display", "formatted")
        if name in attribute.children and f"{attribute.path}.{name}" != "members.display"
    ]
    elements = [element(attribute, number, *names) for number in range(2)]
    third = {**element(attribute, 2, *names), "type": samples(AttributePath(attribute, attribute.children["type"]))[-1]}
    earlier = [base(schemas), with_value(schemas, path, elements[:1]), with_value(schemas, path, elements)]
    for document, op, value in product(earlier, ("add", "replace"), ([third], [third, elements[0]], elements)):
        yield _case(schemas, document, "values", _write(op, path.text, value))
    for document in earlier:
        yield _case(schemas, document, "values", _remove(path.text))
    yield _case(schemas, earlier[2], "value that exists", _write("add", path.text, [elements[1]]))
    keys = [name for name in names if elements[0][name] != elements[1][name]]
    for document, name in product(earlier, keys):
        selected = f"{path.text}[{name} eq {json.dumps(elements[0][name])}]"
        yield _case(schemas, document, "filter in the path", _remove(selected))
        yield _case(schemas, document, "filter in the path", _write("replace", selected, third))
        yield _case(schemas, document, "filter in the path", _write("add", selected, third))
    for text in ("type pr", "not (type pr)", 'type eq "none of them"', 'type ne "none of them"'):
        yield _case(schemas, earlier[2], "filter in the path", _remove(f"{path.text}[{text}]"))
    yield _case(
        schemas,
        earlier[2],
        "filter that selects nothing",
        _write("replace", f'{path.text}[type eq "none of them"]', third),
    )


def _in_elements(schemas: tuple[str, ...], path: AttributePath) -> Iterator[Candidate]:
    """Yield operations on a sub-attribute of the elements that a filter selects."""
    attribute, sub = path.attribute, path.leaf
    if sub.name == "primary":
        return
    key = next(name for name in ("type", "value", "country") if name != sub.name and name in attribute.children)
    first, second, *_ = samples(path)
    keyed = [element(attribute, number, key) for number in range(2)]
    outer = path.text.removesuffix(f".{sub.name}")
    selected = f"{outer}[{key} eq {json.dumps(keyed[0][key])}].{sub.name}"
    all_of_them = f"{outer}[{key} pr].{sub.name}"
    having = [{**each, sub.name: first} for each in keyed]
    rule = "immutable" if sub.mutability == "immutable" else "required" if sub.required else "sub-attribute of elements"
    for elements in ([having[0]], having, keyed[:1], [having[0], keyed[1]]):
        document = with_value(schemas, path, elements)
        for op in ("add", "replace"):
            yield _case(schemas, document, rule, _write(op, selected, second))
        yield _case(schemas, document, rule, _remove(selected))
    yield _case(schemas, with_value(schemas, path, having), rule, _write("replace", all_of_them, second))
    yield _case(schemas, with_value(schemas, path, having), rule, _remove(all_of_them))
    nothing = NOTHING.get(attribute.children[key].type, "none of them")
    missing = f'{outer}[{key} eq "{nothing}"].{sub.name}'
    for document in (with_value(schemas, path, having), base(schemas)):
        yield _case(schemas, document, "filter that selects nothing", _write("replace", missing, second))
    yield _case(
        schemas, with_value(schemas, path, having), "filter that selects nothing", _write("add", missing, second)
    )
    yield _case(schemas, with_value(schemas, path, having), "filter that selects nothing", _remove(missing))


def _read_only() -> Iterator[Candidate]:
    """Yield operations on readOnly attributes."""
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    targets: list[tuple[tuple[str, ...], str, Any]] = [
        (USER, "id", "2819c223"),
        (USER, "meta", {"resourceType": "x"}),
        (USER, "meta.created", "2011-05-13T04:42:34Z"),
        (USER, "groups", [{"value": "e9e30dba"}]),
        (USER, f"{urn}:manager.displayName", "Bo"),
        (GROUP, "id", "2819c223"),
        (GROUP, "meta.version", "W/1"),
        (DEVICE, "asset", "A-1"),
        (DEVICE, "id", "x"),
    ]
    for schemas, path, value in targets:
        document = base(schemas)
        if "manager" in path:
            document[urn] = {"manager": {"value": "26118915", "displayName": "Ada"}}
        for op in ("add", "replace"):
            yield Candidate(
                "patch",
                PATCH,
                "readOnly",
                schemas,
                document,
                body(_write(op, path, value)),
                (error("mutability"), ANY_400),
            )
        kept = {**document, **({"asset": "A-0"} if path == "asset" else {"id": "2819c223"} if path == "id" else {})}
        yield Candidate(
            "patch", CLAUSE_OF["remove"], "readOnly", schemas, kept, body(_remove(path)), (error("mutability"),)
        )


def _primary() -> Iterator[Candidate]:
    """Yield operations that move the primary value."""
    ada, bo = {"value": "ada@example.org", "type": "work"}, {"value": "bo@example.org", "type": "home"}
    cy = {"value": "cy@example.com", "type": "other"}
    for first in (True, False, None):
        one = ada if first is None else {**ada, "primary": first}
        document = {"userName": "ada", "emails": [one, bo]}
        for operation in (
            _write("add", "emails", [{**cy, "primary": True}]),
            _write("add", "emails", [cy]),
            _write("replace", 'emails[type eq "home"].primary', True),
            _write("add", 'emails[type eq "home"].primary', True),
            _write("replace", 'emails[type eq "work"].primary', False),
            _remove('emails[type eq "work"].primary'),
            _write("replace", "emails", [{**cy, "primary": True}, bo]),
            _write("replace", 'emails[type eq "work"].primary', True),
            {"op": "add", "value": {"emails": [{**cy, "primary": True}]}},
        ):
            yield _case(USER, document, "primary", operation, clause=PATCH)
    for selected in ("primary eq true", "primary eq false", "not (primary eq true)"):
        document = {"userName": "ada", "emails": [{**ada, "primary": True}, {**bo, "primary": False}]}
        yield _case(USER, document, "filter in the path", _remove(f"emails[{selected}]"))
        yield _case(USER, document, "filter in the path", _write("replace", f"emails[{selected}].display", "x"))
    parts = [{"value": "d1", "type": "disk", "primary": True}, {"value": "f1", "type": "fan"}]
    document = {**base(DEVICE), "parts": parts}
    yield _case(DEVICE, document, "primary", _write("replace", 'parts[value eq "f1"].primary', True), clause=PATCH)
    yield _case(DEVICE, document, "primary", _write("add", "parts", [{"value": "d2", "primary": True}]), clause=PATCH)


def _without_path() -> Iterator[Candidate]:
    """Yield operations without a path."""
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    earlier: list[dict[str, Any]] = [
        {"userName": "ada"},
        {"userName": "ada", "title": "Chief", "active": True},
        {"userName": "ada", "name": {"givenName": "Ada", "familyName": "King"}},
        {"userName": "ada", "emails": [{"value": "ada@example.org", "type": "work"}]},
        {"userName": "ada", urn: {"department": "Care", "manager": {"value": "26118915"}}},
    ]
    values: list[dict[str, Any]] = [
        {"title": "Boss"},
        {"active": False},
        {"title": "Boss", "nickName": "Al"},
        {"name": {"givenName": "Augusta"}},
        {"emails": [{"value": "bo@example.org", "type": "home"}]},
        {"userName": "bo"},
        {"TITLE": "Boss"},
        {"displayName": "Ada", "active": False, "emails": [{"value": "cy@example.com"}]},
        {urn: {"department": "Sales"}},
        {urn: {"employeeNumber": "701984"}},
        {"emails": [{"value": "ada@example.org", "type": "work"}]},
    ]
    for document, op, value in product(earlier, ("add", "replace"), values):
        yield _case(USER, document, "no path", {"op": op, "value": value})
    group = {"displayName": "Agents", "members": [{"value": "2819c223"}]}
    for op, value in product(
        ("add", "replace"),
        (
            {"displayName": "Staff"},
            {"members": [{"value": "902c246b"}]},
            {"displayName": "Staff", "members": [{"value": "902c246b"}]},
        ),
    ):
        yield _case(GROUP, group, "no path", {"op": op, "value": value})
    for op, value in product(
        ("add", "replace"),
        (
            {"ports": 7},
            {"tags": ["Blue"]},
            {"site": {"city": "Oslo"}},
            {"model": "M-2"},
            {"rented": False, "weight": 2.5},
        ),
    ):
        yield _case(DEVICE, {**base(DEVICE), "tags": ["Amber"], "model": "M-1"}, "no path", {"op": op, "value": value})
        yield _case(DEVICE, base(DEVICE), "no path", {"op": op, "value": value})


_SELECTORS = (
    'type eq "work"',
    'type eq "WORK"',
    'TYPE EQ "work"',
    'type ne "work"',
    'value co "example"',
    'value sw "ada"',
    'value ew ".com"',
    "type pr",
    "display pr",
    "not (display pr)",
    'type eq "work" and value sw "ada"',
    'type eq "home" or display pr',
    'not (type eq "work") and value pr',
    '(type eq "work" or type eq "home") and display pr',
    "primary eq true",
    'value eq "ADA@example.org"',
    'value gt "bb@example.org"',
    'value le "ada@example.org"',
    'type eq "work" or type eq "other"',
)


def _filters() -> Iterator[Candidate]:
    """Yield operations whose path has each kind of filter."""
    emails = [
        {"value": "ada@example.org", "type": "work", "primary": True},
        {"value": "bo@example.org", "type": "home"},
        {"value": "cy@example.com", "type": "other", "display": "C"},
    ]
    document = {"userName": "ada", "emails": emails}
    for selector in _SELECTORS:
        yield _case(USER, document, "filter in the path", _remove(f"emails[{selector}]"))
        yield _case(USER, document, "filter in the path", _write("replace", f"emails[{selector}].display", "x"))
        yield _case(USER, document, "filter in the path", _write("add", f"emails[{selector}].display", "x"))
        yield _case(USER, document, "filter in the path", _remove(f"emails[{selector}].type"))
    parts = [
        {"value": "d1", "size": 4, "spare": True, "built": "2011-05-13T04:42:34Z"},
        {"value": "D1", "size": 7},
        {"value": "f1", "spare": False, "built": "2012-01-01T00:00:00Z"},
    ]
    for selector in (
        'value eq "d1"',
        'value eq "D1"',
        "size gt 4",
        "size ge 4",
        "size lt 5",
        "spare eq true",
        "spare eq false",
        "spare pr",
        'built gt "2011-05-13T05:42:34+01:00"',
        'built ge "2011-05-13T05:42:34+01:00"',
        'size eq 4 and value sw "d"',
        "not (size pr)",
    ):
        yield _case(DEVICE, {**base(DEVICE), "parts": parts}, "filter in the path", _remove(f"parts[{selector}]"))
        yield _case(
            DEVICE,
            {**base(DEVICE), "parts": parts},
            "filter in the path",
            _write("replace", f"parts[{selector}].type", "fan"),
        )
    urn = resource_type(DEVICE).extensions[0].name
    contacts = [{"value": "Ada", "type": "day"}, {"value": "Bo", "type": "night"}]
    for selector, op in product(('type eq "day"', 'value eq "BO"', 'type eq "none"'), ("remove", "replace", "add")):
        operation = {"op": op, "path": f"{urn}:contacts[{selector}]" + ("" if op == "remove" else ".value")}
        operation |= {} if op == "remove" else {"value": "Cy"}
        yield _case(DEVICE, {**base(DEVICE), urn: {"contacts": contacts}}, "filter in the path", operation)


def _in_order() -> Iterator[Candidate]:
    """Yield PATCHes with several operations: each works on the result of the one before, and all succeed or none."""
    document = {"userName": "ada", "title": "Chief", "emails": [{"value": "ada@example.org", "type": "work"}]}
    operations = (
        _write("replace", "title", "Boss"),
        _remove("title"),
        _write("add", "title", "Clerk"),
        _remove("emails"),
        _write("add", "emails", [{"value": "bo@example.org", "type": "home"}]),
        _write("replace", "active", False),
        _write("replace", 'emails[type eq "home"].value', "cy@example.com"),
        _remove('emails[type eq "work"]'),
        _write("replace", "name", {"givenName": "Ada"}),
        _write("replace", "name.familyName", "King"),
        {"op": "replace", "value": {"title": "Boss"}},
        _remove("userName"),
        _write("replace", 'emails[type eq "fax"].value', "x@example.org"),
        _write("replace", "id", "x"),
    )
    for one, two in product(operations, repeat=2):
        if one is not two:
            yield _case(USER, document, "operations in order", one, two, clause=PATCH)
    member = [{"value": "2819c223"}]
    group = {"displayName": "Agents", "members": member}
    changes = (
        _write("add", "members", [{"value": "902c246b"}]),
        _remove('members[value eq "2819c223"]'),
        _remove("members"),
        _write("replace", "members", [{"value": "71ddf7c1"}]),
        _write("replace", "displayName", "Staff"),
        _remove('members[value eq "902c246b"]'),
        _remove("displayName"),
    )
    for one, two in product(changes, repeat=2):
        if one is not two:
            yield _case(GROUP, group, "operations in order", one, two, clause=PATCH)
