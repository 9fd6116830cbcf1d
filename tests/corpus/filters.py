"""Filter candidates: each operator on each kind of attribute, logical operators, value paths, names and notation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from scimkit.schema.attributes import AttributePath
from scimkit.testing.corpus import resource_type
from tests.corpus.candidates import CASE_EXACT, DEVICE, FILTERS, GROUP, NAMES, NOTATION, USER, Candidate
from tests.corpus.samples import base, element, holding, samples, simple_paths, with_value

_THOROUGH: Final = frozenset(
    {
        "userName",
        "externalId",
        "name.familyName",
        "emails.value",
        "emails.type",
        "profileUrl",
        "members.value",
        "codes",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "ports",
        "weight",
        "bought",
        "rented",
        "tags",
        "readings",
        "site.code",
        "site.floor",
        "parts.value",
        "parts.size",
        "parts.spare",
        "parts.built",
        "key",
        "urn:example:params:scim:schemas:1.0:Lease:until",
        "urn:example:params:scim:schemas:1.0:Lease:terms.months",
        "active",
        "displayName",
    }
)
"""Attributes on which every operator is tried. The other attributes have fewer cases."""
_ORDERED: Final = frozenset({"string", "integer", "decimal", "dateTime", "reference"})


def filter_candidates() -> Iterator[Candidate]:
    """Yield all enumerated filter candidates."""
    for schemas in (USER, GROUP, DEVICE):
        for path in simple_paths(schemas):
            yield from _comparisons(schemas, path)
            yield from _several_values(schemas, path)
            yield from _names(schemas, path)
    yield from _instants()
    yield from _logic()
    yield from _value_paths()
    yield from _complex_values()
    yield from _constants()


def _case(schemas: tuple[str, ...], document: Any, text: str, rule: str, clause: str = FILTERS) -> Candidate:
    return Candidate("filter", clause, rule, schemas, document, text)


def _constant(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is_cased(path: AttributePath, value: Any) -> bool:
    return path.leaf.type in ("string", "reference", "binary") and value.swapcase() != value


def _comparisons(schemas: tuple[str, ...], path: AttributePath) -> Iterator[Candidate]:
    first, second, *_ = samples(path)
    here, absent = holding(schemas, path, first), base(schemas)
    always = path.leaf.required and path.sub_attribute is None
    thorough = path.text in _THOROUGH
    for operator, value in _pairs(path, first, second) if thorough else [("eq", first), ("eq", second)]:
        yield _case(schemas, here, f"{path.text} {operator} {_constant(value)}", operator)
    if _is_cased(path, first):
        swapped = first.swapcase()
        for operator in ("eq", "ne", "co", "sw", "ew") if thorough and path.leaf.type != "binary" else ("eq",):
            text = f"{path.text} {operator} {_constant(swapped)}"
            yield _case(schemas, here, text, "caseExact", CASE_EXACT)
    yield _case(schemas, here, f"{path.text} pr", "pr")
    if not always:
        yield _case(schemas, absent, f"{path.text} pr", "pr")
        operators = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le") if thorough else ("eq",)
        for operator in operators:
            if _fits(path, operator):
                yield _case(schemas, absent, f"{path.text} {operator} {_constant(first)}", "no value")


def _fits(path: AttributePath, operator: str) -> bool:
    if operator in ("co", "sw", "ew"):
        return path.leaf.type in ("string", "reference")
    return operator in ("eq", "ne") or path.leaf.type in _ORDERED - {"reference"}


def _pairs(path: AttributePath, first: Any, second: Any) -> Iterator[tuple[str, Any]]:
    for operator in ("eq", "ne", "gt", "ge", "lt", "le"):
        if _fits(path, operator):
            yield from [(operator, first), (operator, second)]
            if len(samples(path)) > 2 and operator not in ("eq", "ne"):
                yield operator, samples(path)[2]
    if _fits(path, "co"):
        yield from [
            ("co", first[1:-1]),
            ("co", second),
            ("co", first),
            ("sw", first[:2]),
            ("sw", first[1:3]),
            ("sw", first),
            ("ew", first[-2:]),
            ("ew", first[-3:-1]),
            ("ew", first),
            ("sw", first + "x"),
            ("eq", first[:-1]),
        ]


def _several_values(schemas: tuple[str, ...], path: AttributePath) -> Iterator[Candidate]:
    """Yield comparisons with several values, of which one matches, or all, or none."""
    if not path.attribute.multi_valued:
        return
    first, second, *rest = samples(path)
    third = rest[0] if rest else None
    operators = ("eq", "ne", "co", "gt", "le") if path.text in _THOROUGH else ("eq",)
    for values in (
        ((first, second), (second, first), (second, second)) if not path.leaf.required else ((first, second),)
    ):
        if path.sub_attribute is None and values[0] == values[1]:
            continue
        for operator in operators:
            if _fits(path, operator):
                yield _case(
                    schemas,
                    holding(schemas, path, *values),
                    f"{path.text} {operator} {_constant(first)}",
                    "one of several values",
                )
    if third is not None:
        text = f"not ({path.text} eq {_constant(third)})"
        yield _case(schemas, holding(schemas, path, first, second), text, "not")
    if path.sub_attribute is not None and not path.leaf.required and not path.attribute.is_reference:
        others = [name for name in path.attribute.children if name not in (path.leaf.name, "$ref", "primary")]
        partly = with_value(
            schemas, path, [element(path.attribute, 0, others[0]), element(path.attribute, 1, path.leaf.name)]
        )
        yield _case(schemas, partly, f"{path.text} eq {_constant(second)}", "one of several values")
        yield _case(schemas, partly, f"not ({path.text} pr)", "pr")


def _names(schemas: tuple[str, ...], path: AttributePath) -> Iterator[Candidate]:
    """Yield filters with names in another case, and with the URN of the schema."""
    first = samples(path)[0]
    document = holding(schemas, path, first)
    text = path.text if path.extension is None else path.text.removeprefix(f"{path.extension.name}:")
    prefix = "" if path.extension is None else f"{path.extension.name}:"
    if path.text in _THOROUGH or path.sub_attribute is None:
        yield _case(schemas, document, f"{prefix}{text.upper()} eq {_constant(first)}", "names in any case", NAMES)
    if path.text in _THOROUGH:
        yield _case(schemas, document, f"{prefix}{text.lower()} eq {_constant(first)}", "names in any case", NAMES)
        for operator in ("EQ", "Eq", "eQ", "NE"):
            spelled = f"{path.text} {operator} {_constant(first)}"
            yield _case(schemas, document, spelled, "operators in any case")
        yield _case(schemas, document, f"{path.text} PR", "operators in any case")
    if path.extension is None and path.attribute.name != "externalId":
        urn = resource_type(schemas).schema
        yield _case(schemas, document, f"{urn}:{path.text} eq {_constant(first)}", "URN of the schema", NOTATION)
        if path.text in _THOROUGH:
            yield _case(schemas, document, f"{urn}:{path.text} pr", "URN of the schema", NOTATION)
    elif path.text in _THOROUGH and path.extension is not None:
        spelled = f"{path.extension.name.upper()}:{text} eq {_constant(first)}"
        yield _case(schemas, document, spelled, "URN in any case", NOTATION)


def _instants() -> Iterator[Candidate]:
    """Yield comparisons of dateTime values with different offsets and precisions."""
    stored = ("2011-05-13T04:42:34Z", "2011-05-13T04:42:34.500Z", "2011-05-13T06:42:34+02:00")
    asked = (*stored, "2011-05-12T23:42:34-05:00", "2011-05-13T04:42:34.4Z", "2011-05-13T05:00:00+02:00")
    for value, other, operator in product(stored, asked, ("gt", "ge", "lt", "le")):
        document = with_value(DEVICE, AttributePath(resource_type(DEVICE).attributes["bought"]), value)
        yield _case(DEVICE, document, f'bought {operator} "{other}"', "dateTime")
    for value, other, operator in product(stored, asked[:4], ("eq", "ne")):
        document = with_value(DEVICE, AttributePath(resource_type(DEVICE).attributes["bought"]), value)
        yield _case(DEVICE, document, f'bought {operator} "{other}"', "dateTime")


_SHAPES: Final = (
    "{0} and {1}",
    "{0} or {1}",
    "not ({0})",
    "not ({0}) and {1}",
    "not ({0} and {1})",
    "not ({0} or {1})",
    "not ({0}) or {1}",
    "{0} or {1} and {2}",
    "{0} and {1} or {2}",
    "({0} or {1}) and {2}",
    "{0} and ({1} or {2})",
    "({0})",
    "(({0}))",
    "not (not ({0}))",
    "{0} and {1} and {2}",
    "{0} or {1} or {2}",
    "not ({0}) and not ({1})",
    "({0} and {1}) or ({1} and {2})",
    "not (({0} or {1}) and {2})",
    "{0} or not ({1}) and {2}",
    "{0} and {1} or {2} and {0}",
    "({0} or {1}) and ({1} or {2})",
    "not({0})",
    "{0} AND {1}",
    "{0} Or {1}",
    "NOT ({0})",
)


def _rule_of(shape: str) -> str:
    if ("and" in shape and "or" in shape) or "{2}" in shape:
        return "precedence and grouping"
    return "operators in any case" if shape != shape.lower() else "not" if "not" in shape else "and, or"


def _logic() -> Iterator[Candidate]:
    """Yield logical operators with each combination of operands that hold or not."""
    document = {"userName": "ada", "title": "Chief", "active": True}
    yes = ('userName eq "ada"', 'title sw "Ch"', "active eq true")
    no = ('userName eq "bo"', 'title ew "x"', "active eq false")
    for shape in _SHAPES:
        count = 1 + max(int(digit) for digit in shape if digit.isdigit())
        for choice in product((True, False), repeat=count):
            operands = [(yes if holds else no)[place] for place, holds in enumerate(choice)]
            yield _case(USER, document, shape.format(*operands), _rule_of(shape))


_INNER: Final = (
    'emails[{t} eq "{0}" and {v} eq "{1}"]',
    'emails[{t} eq "{0}" or {v} eq "{1}"]',
    'not (emails[{t} eq "{0}" and {v} eq "{1}"])',
    'emails[not ({t} eq "{0}") and {v} eq "{1}"]',
    'emails[{t} eq "{0}"] and emails[{v} eq "{1}"]',
    'emails[not ({t} eq "{0}" and {v} eq "{1}")]',
    'emails[({t} eq "{0}") and ({v} eq "{1}")]',
    'emails[{t} eq "{0}" and {v} sw "{1}"] or userName eq "bo"',
    'userName eq "ada" and emails[{t} eq "{0}" and {v} co "{1}"]',
)


def _value_paths() -> Iterator[Candidate]:
    """Yield filters in brackets, which one and the same element must match."""
    work, home = {"type": "work", "value": "ada@example.org"}, {"type": "home", "value": "bo@example.org"}
    for elements in ([work, home], [work], [home], []):
        document = {"userName": "ada", **({"emails": elements} if elements else {})}
        for shape, kind, value in product(_INNER, ("work", "home"), ("ada@example.org", "bo@example.org")):
            if len(elements) == 2 or (kind, value) == ("work", "ada@example.org"):
                yield _case(USER, document, shape.format(kind, value, t="type", v="value"), "value path")
    yield _case(USER, {"userName": "ada", "emails": [work]}, 'EMAILS[TYPE EQ "work"]', "names in any case", NAMES)
    yield _case(USER, {"userName": "ada", "emails": [work]}, 'emails[type eq "WORK"]', "caseExact", CASE_EXACT)
    for schemas in (USER, GROUP, DEVICE):
        for path in simple_paths(schemas):
            if path.sub_attribute is not None and path.attribute.multi_valued:
                yield from _in_brackets(schemas, path)


def _in_brackets(schemas: tuple[str, ...], path: AttributePath) -> Iterator[Candidate]:
    first, second, *_ = samples(path)
    outer = path.text.removesuffix(f".{path.leaf.name}")
    document = holding(schemas, path, first)
    for value in (first, second):
        yield _case(schemas, document, f"{outer}[{path.leaf.name} eq {_constant(value)}]", "value path")
    if path.text in _THOROUGH:
        for operator, value in _pairs(path, first, second):
            yield _case(schemas, document, f"{outer}[{path.leaf.name} {operator} {_constant(value)}]", "value path")
        yield _case(schemas, document, f"{outer}[{path.leaf.name} pr]", "value path")
        yield _case(schemas, base(schemas), f"{outer}[{path.leaf.name} pr]", "value path")
        yield _case(schemas, base(schemas), f"not ({outer}[{path.leaf.name} pr])", "value path")


def _complex_values() -> Iterator[Candidate]:
    """Yield presence tests and comparisons of complex attributes, and brackets after singular attributes."""
    emails = {"userName": "ada", "emails": [{"value": "ada@example.org", "type": "work"}]}
    name = {"userName": "ada", "name": {"givenName": "Ada"}}
    for document, text in product((emails, name, {"userName": "ada"}), ("emails pr", "name pr", "addresses pr")):
        yield _case(USER, document, text, "pr")
    for operator, value in product(("eq", "co", "sw", "ew", "ne"), ("ada@example.org", "bo@example.org")):
        yield _case(USER, emails, f'emails {operator} "{value}"', "complex without sub-attribute")
    for value in ("Ada", "Bo"):
        yield _case(USER, name, f'name[givenName eq "{value}"]', "brackets after a singular attribute")
    group = {"displayName": "Agents", "members": [{"value": "2819c223"}]}
    for text in ("members pr", 'members eq "2819c223"', 'members eq "902c246b"'):
        yield _case(GROUP, group, text, "pr" if text.endswith("pr") else "complex without sub-attribute")
    leased = {"serial": "S-1", "label": "Lamp", resource_type(DEVICE).extensions[0].name: {"terms": {"months": 4}}}
    urn = resource_type(DEVICE).extensions[0].name
    for document, text in product((leased, base(DEVICE)), ("site pr", "parts pr", "tags pr", f"{urn}:terms pr")):
        yield _case(DEVICE, document, text, "pr")


_TEXTS: Final = (
    'q"x',
    "back\\slash",
    "a b",
    "(a)",
    "[a]",
    "and",
    "a/b",
    "tab\tx",
    "Ärger",
    "日本",
    "a'b",
    "a\nb",
    "😀",
    "true",
    "null",
    "5",
    ".",
    "a@b",
)


def _constants() -> Iterator[Candidate]:
    """Yield constants of JSON: escapes, numbers, true, false and null."""
    for value in _TEXTS:
        document = {"userName": "ada", "title": value}
        for operator in ("eq", "co"):
            yield _case(USER, document, f"title {operator} {json.dumps(value, ensure_ascii=False)}", "JSON constants")
        yield _case(USER, document, f"title eq {json.dumps(value)}", "JSON constants")
        yield _case(USER, {"userName": "ada", "title": "x"}, f"title eq {_constant(value)}", "JSON constants")
    yield _case(USER, {"userName": "ada", "title": "a/b"}, r'title eq "a\/b"', "JSON constants")
    yield _case(USER, {"userName": "ada", "title": "Ada"}, r'title eq "\u0041da"', "JSON constants")
    yield _case(USER, {"userName": "ada", "title": "Ärger"}, 'title eq "äRGER"', "caseExact", CASE_EXACT)
    for stored, text in product((4, -2, 0, 100), ("4", "-2", "0", "100")):
        yield _case(DEVICE, {**base(DEVICE), "ports": stored}, f"ports eq {text}", "JSON constants")
    for stored, text in product((2.5, -1.25, 10.5), ("2.5", "-1.25", "25e-1", "10.5", "2.50")):
        yield _case(DEVICE, {**base(DEVICE), "weight": stored}, f"weight eq {text}", "JSON constants")
    for document, text in product(
        ({"userName": "ada"}, {"userName": "ada", "title": "x"}), ("title eq null", "title ne null")
    ):
        yield _case(USER, document, text, "null")
