"""Examples of PATCH paths: the resolved attributes, the selected elements, and the refused texts."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import GROUP, USER
from scimkit.errors import InvalidFilter, InvalidPath
from scimkit.filters.ast import Comparison, Value
from scimkit.filters.parser import RefusingFilterHandler
from scimkit.patch.paths import PatchPath, element_described, parse_path, path_to, references_selected
from scimkit.schema.attributes import Attribute, compile_attribute
from tests.resource_types import DEVICE, LEASE_SCHEMA

LEASE = LEASE_SCHEMA["id"]


def read(text: str) -> PatchPath:
    """Parse a path of the resource type Device."""
    path = parse_path(text, DEVICE)
    assert path is not None
    return path


RESOLVED: dict[str, tuple[str | None, str, str | None]] = {
    "label": (None, "label", None),
    " LABEL ": (None, "label", None),
    f"{DEVICE.schema}:label": (None, "label", None),
    "site.city": (None, "site", "city"),
    "parts.size": (None, "parts", "size"),
    f"{LEASE}:until": (LEASE, "until", None),
    f"{LEASE}:terms.text": (LEASE, "terms", "text"),
    LEASE: (None, LEASE, None),
    "parts[size gt 1]": (None, "parts", None),
    "parts [size gt 1]": (None, "parts", None),
    "parts[ size gt 1 ].SIZE": (None, "parts", "size"),
    'parts[type eq "]"].size': (None, "parts", "size"),
    'tags[value eq "x"]': (None, "tags", None),
    'site[city eq "x"].city': (None, "site", "city"),
    f'{LEASE}:contacts[value eq "x"].value': (LEASE, "contacts", "value"),
}


@pytest.mark.parametrize("text", RESOLVED)
def test_resolved(text: str) -> None:
    """A path has an attribute, and may have a URN, a filter and a sub-attribute (RFC 7644 section 3.5.2, figure 7)."""
    path = read(text)
    extension, attribute, sub_attribute = RESOLVED[text]
    assert (path.extension.name if path.extension else None) == extension
    assert path.attribute.name == attribute
    assert (path.sub_attribute.name if path.sub_attribute else None) == sub_attribute
    assert path.leaf is (path.sub_attribute or path.attribute)
    assert (path.filter is None) is ("[" not in text)
    assert (path.matches is None) is ("[" not in text)


def test_filter_selects_elements() -> None:
    """A path keeps its filter, and `matches` reports whether the filter selects an element."""
    path = read("parts[size gt 1].type")
    assert path.filter == Comparison("size", "gt", 1)
    assert path.matches is not None
    assert path.matches({"size": 2}) is True
    assert path.matches({"size": 1}) is False


@pytest.mark.parametrize(
    "text",
    ["nothing", "site.nothing", "urn:example:nothing:label", "", "nothing[size gt 1]", "parts[size gt 1].nothing",
     "parts[size gt 1].", "tags[value pr].value", "nothing[a pr].b"],
)  # fmt: skip
def test_unknown_attribute(text: str) -> None:
    """`parse_path` returns None for an unknown attribute. The caller decides whether to refuse it."""
    assert parse_path(text, DEVICE) is None


NOT_CLOSED = "The filter in the path is empty or not closed, or other text than a sub-attribute follows."
NOT_OPENED = "The path has a closing bracket without an opening bracket."
NOT_A_PATH: dict[str, str] = {
    "parts[": NOT_CLOSED,
    "parts[size gt 1": NOT_CLOSED,
    "parts[]": NOT_CLOSED,
    "parts[ ]": NOT_CLOSED,
    "parts[].size": NOT_CLOSED,
    "parts[size gt 1]size": NOT_CLOSED,
    "parts[size gt 1] .size": NOT_CLOSED,
    "nothing[": NOT_CLOSED,
    "parts]": NOT_OPENED,
    "label]": NOT_OPENED,
    "parts.size]": NOT_OPENED,
    "site.city[value pr]": "The path has a filter after a sub-attribute.",
    "site.floors[value pr]": "The path has a filter after a sub-attribute.",
    "label[value pr]": "label is not multi-valued. Remove the filter from the path.",
    f"{LEASE}:until[value pr]": f"{LEASE}:until is not multi-valued. Remove the filter from the path.",
}


@pytest.mark.parametrize("text", NOT_A_PATH)
def test_not_a_path(text: str) -> None:
    """A malformed path is refused with 400 invalidPath (RFC 7644 section 3.12, table 9)."""
    with pytest.raises(InvalidPath) as caught:
        parse_path(text, DEVICE)
    assert caught.value.detail == NOT_A_PATH[text]


@pytest.mark.parametrize("text", ["parts[size zz 1]", "parts[size eq]", 'parts[size eq "x"]', "parts[nothing pr]"])
def test_invalid_filter_in_a_path(text: str) -> None:
    """A malformed filter in a path, or a filter that does not fit the schema, is refused with 400 invalidFilter."""
    with pytest.raises(InvalidFilter):
        parse_path(text, DEVICE)


class Words(RefusingFilterHandler):
    """A `FilterDeviationHandler` that accepts bare words and counts the calls."""

    def __init__(self) -> None:
        self.asked = 0

    def bare_value(self, word: str) -> str:
        self.asked += 1
        return word


def test_deviation_handler_is_asked() -> None:
    """The handler is asked about each path that is not in RFC form, and never about a path in RFC form."""
    words = Words()
    for count in (1, 2):
        path = parse_path("parts[type eq disk]", DEVICE, words)
        assert path is not None
        assert path.filter == Comparison("type", "eq", "disk")
        assert words.asked == count
    parse_path('parts[type eq "disk"]', DEVICE, words)
    assert words.asked == 2


def test_coercion_is_asked() -> None:
    """The coercion is called for a constant of another type in the filter of a path."""

    def coerce(attribute: Attribute, value: Value) -> Value:
        assert (attribute.path, value) == ("parts.size", "7")
        return 7

    path = parse_path('parts[size eq "7"]', DEVICE, coerce=coerce)
    assert path is not None
    assert path.matches is not None
    assert path.matches({"size": 7}) is True


@pytest.mark.parametrize(("length", "same"), [(250, True), (251, False)])
def test_paths_are_cached(length: int, same: bool) -> None:
    """Paths in RFC form of at most 250 characters are cached. Longer paths are parsed each time."""
    text = f'parts[type eq "{"x" * (length - 17)}"]'
    assert len(text) == length
    assert (parse_path(text, DEVICE) is parse_path(text, DEVICE)) is same


def test_path_to() -> None:
    """`path_to` returns a PATCH path without a filter."""
    found = DEVICE.resolve(f"{LEASE}:terms.text")
    assert found is not None
    path = path_to(found)
    assert path == PatchPath(found.attribute, found.sub_attribute, found.extension)
    assert path == read(f"{LEASE}:terms.text")


@pytest.mark.parametrize(
    ("filter_", "selected"),
    [
        ('value eq "a"', {"a"}),
        ('VALUE eq "a"', {"a"}),
        ('value eq "a" or value eq "b" or value eq "a"', {"a", "b"}),
        ('value ne "a"', None),
        ('type eq "a"', None),
        ("value eq null", None),
        ("value pr", None),
        ('value eq "a" and value eq "b"', None),
        ('value eq "a" or type eq "b"', None),
        ('value eq "a" or value pr', None),
        ('not (value eq "a")', None),
    ],
)
def test_references_selected(filter_: str, selected: set[str] | None) -> None:
    """A filter of `value eq` comparisons joined by `or` selects references by value. Other filters return None."""
    path = parse_path(f"members[{filter_}]", GROUP)
    assert path is not None
    assert references_selected(path) == selected


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ('parts[type eq "disk"]', {"type": "disk"}),
        ('parts[TYPE eq "disk" and size eq 3 and primary eq true]', {"type": "disk", "size": 3, "primary": True}),
        ('parts[type eq "disk" and type eq "disk"]', {"type": "disk"}),
        ('parts[type eq "disk" and type eq "fan"]', None),
        ('parts[type ne "disk"]', None),
        ("parts[type eq null]", None),
        ("parts[type pr]", None),
        ('parts[not (type eq "disk")]', None),
        ('parts[type eq "disk" or size eq 3]', None),
        ('parts[type eq "disk" and size gt 3]', None),
        ('parts[colors eq "red"]', None),
        ('parts[parts[type eq "disk"]]', InvalidFilter),
    ],
)
def test_element_described(text: str, element: Any) -> None:
    """A filter of `eq` comparisons of singular sub-attributes joined by `and` describes an element."""
    if element is InvalidFilter:
        with pytest.raises(InvalidFilter):
            read(text)
    else:
        assert element_described(read(text)) == element


def test_element_described_by_coerced_values() -> None:
    """Numbers and booleans of a described element come from the coercion. Strings are taken unchanged."""
    asked: list[tuple[str, Value]] = []

    def coerce(attribute: Attribute, value: Value) -> Value:
        asked.append((attribute.path, value))
        return 3

    path = parse_path('parts[size eq "3" and type eq "DISK"]', DEVICE, coerce=coerce)
    assert path is not None
    asked.clear()
    assert element_described(path, coerce) == {"size": 3, "type": "DISK"}
    assert asked == [("parts.size", "3")]
    with pytest.raises(InvalidFilter):
        element_described(path)


@pytest.mark.parametrize(
    ("kind", "text", "value"), [("boolean", "True", True), ("integer", "3", 3), ("decimal", "1.5", 1.5)]
)
def test_element_described_by_values_of_their_type(kind: str, text: str, value: Value) -> None:
    """A described sub-attribute that is not a string has the value that the coercion returns."""
    attribute = compile_attribute(
        {"name": "marks", "type": "complex", "multiValued": True, "subAttributes": [{"name": "note", "type": kind}]}
    )
    path = PatchPath(attribute, filter=Comparison("note", "eq", text))
    assert element_described(path, lambda attribute, found: value) == {"note": value}


def test_element_described_needs_plain_sub_attributes() -> None:
    """A filter on a complex sub-attribute, such as `manager` of an extension, describes no element."""
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    path = PatchPath(USER.attributes[urn], filter=Comparison("manager", "eq", "x"))
    assert element_described(path) is None
    assert element_described(PatchPath(USER.attributes[urn], filter=Comparison("nothing", "eq", "x"))) is None


def test_references_are_selected_by_value_only() -> None:
    """Only the sub-attribute `value` selects references, not a sub-attribute that sorts after it."""
    path = PatchPath(GROUP.attributes["members"], filter=Comparison("wing", "eq", "a"))
    assert references_selected(path) is None
