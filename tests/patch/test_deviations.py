"""Examples of deviation handlers: the arguments of each call, and the effect of each result.

`test_operations.py` has similar bodies in RFC form. The tests of the dialects' handlers are in `tests/dialects`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scimkit import GROUP, ResourceType, SchemaExtension
from scimkit.errors import InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, MutabilityViolation, NoTarget
from scimkit.patch.deviations import RefusingPatchHandler
from scimkit.patch.operations import PATCH_OP_SCHEMA, read_operations
from scimkit.patch.paths import PatchPath
from scimkit.schema.deviations import UNASSIGNED
from tests.resource_types import DEVICE, LEASE_SCHEMA

LEASE = LEASE_SCHEMA["id"]
OWNER = DEVICE.attributes["owner"]
PARTS = DEVICE.attributes["parts"]
FIRST = "parts[size eq 1]"

LINKS = ResourceType(
    {
        "id": "urn:example:params:scim:schemas:1.0:Link",
        "name": "Link",
        "attributes": [
            {"name": "target", "type": "complex", "subAttributes": [
                {"name": "$ref", "type": "reference"},
                {"name": "title", "type": "string"},
                {"name": "kind", "type": "string"},
                {"name": "reached", "type": "dateTime", "mutability": "readOnly"},
            ]},
        ],
    },
    extensions=[
        SchemaExtension({
            "id": "urn:example:params:scim:schemas:1.0:Visits",
            "name": "Visits",
            "attributes": [{"name": "counted", "type": "integer", "mutability": "readOnly"}],
        }),
    ],
)  # fmt: skip
"""A resource type with a complex attribute that has a `$ref` but no `value`, and with readOnly attributes."""


def _question(name: str) -> Callable[..., Any]:
    def ask(self: Scripted, *arguments: Any) -> Any:
        self.asked.append((name, *(getattr(each, "path", getattr(each, "name", each)) for each in arguments)))
        if name not in self.answers:
            return getattr(RefusingPatchHandler, name)(self, *arguments)
        answer = self.answers[name]
        return answer(*arguments) if callable(answer) else answer

    return ask


class Scripted(RefusingPatchHandler):
    """A handler that returns fixed answers to some calls, refuses the others, and records the calls.

    It records attributes by path and resource types by name.
    """

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[Any, ...]] = []

    operation_name = _question("operation_name")
    message = _question("message")
    extra_member = _question("extra_member")
    name = _question("name")
    path = _question("path")
    read_only = _question("read_only")
    removal = _question("removal")
    part = _question("part")
    clears_whole = _question("clears_whole")
    compared = _question("compared")
    value = _question("value")
    values = _question("values")
    unknown = _question("unknown")
    bare_value = _question("bare_value")


def body(*entries: Any) -> dict[str, Any]:
    """Return the body of a PATCH with some operations."""
    return {"schemas": [PATCH_OP_SCHEMA], "Operations": list(entries)}


def path_text(path: PatchPath) -> str:
    """Return a path as text: `URN/attribute[filter].sub`."""
    assert (path.filter is None) is (path.matches is None)
    extension = f"{path.extension.name}/" if path.extension else ""
    selected = f"[{path.filter}]" if path.filter else ""
    return f"{extension}{path.attribute.name}{selected}" + (f".{path.sub_attribute.name}" if path.sub_attribute else "")


def read(
    handler: RefusingPatchHandler, *entries: Any, of: ResourceType = DEVICE, **members: Any
) -> list[tuple[str, str, Any]]:
    """Read a body and return the name, path and value of each operation."""
    found = read_operations(of, {**body(*entries), **members}, handler)
    return [(each.op, path_text(each.path), each.value) for each in found]


ADD = {"op": "add", "path": "label", "value": "x"}


class TestMessage:
    """The body and its operations, before any path is read."""

    @pytest.mark.parametrize("schemas", [None, [], ["urn:x"], PATCH_OP_SCHEMA])
    def test_body_without_its_schema(self, schemas: object) -> None:
        """`message` is called with the missing schema, and the body is read. With the schema there is no call."""
        handler = Scripted(message=None)
        assert read(handler, ADD, schemas=schemas) == [("add", "label", "x")]
        assert read(handler, ADD, schemas=["urn:x", PATCH_OP_SCHEMA]) == [("add", "label", "x")]
        assert handler.asked == [("message", PATCH_OP_SCHEMA)]

    def test_unknown_names_in_the_body(self) -> None:
        """`extra_member` is called for each name other than `schemas` and `Operations`, in any case."""
        handler = Scripted(extra_member=None)
        members = {"SCHEMAS": [PATCH_OP_SCHEMA], "OPERATIONS": [ADD], "one": 1, "two": 2}
        assert [each.op for each in read_operations(DEVICE, members, handler)] == ["add"]
        assert sorted(handler.asked) == [("extra_member", "one"), ("extra_member", "two")]

    def test_unknown_name_in_an_operation(self) -> None:
        """An unknown name in an operation is passed to the handler unchanged and ignored. Names after it are read."""
        handler = Scripted(extra_member=None)
        assert read(handler, {"OP": "add", "Comment": "", "PATH": "label", "Value": "x"}) == [("add", "label", "x")]
        assert handler.asked == [("extra_member", "Comment")]

    @pytest.mark.parametrize("name", ["OP", "PATH", "Value"])
    def test_repeated_name_in_an_operation_is_refused(self, name: str) -> None:
        """Two names in an operation that differ only in case are refused."""
        with pytest.raises(InvalidSyntax, match=r"^An operation repeats op, path or value\. Send each of them once\.$"):
            read(Scripted(), {**ADD, name: "label"})

    @pytest.mark.parametrize("name", ["operations", "SCHEMAS"])
    def test_repeated_name_in_the_body_is_refused(self, name: str) -> None:
        """Two names in the body that differ only in case are refused. Unknown names may repeat."""
        with pytest.raises(
            InvalidSyntax, match=r"^The PATCH repeats schemas or Operations\. Send each of them once\.$"
        ):
            read(Scripted(), ADD, **{name: []})
        assert read(Scripted(extra_member=None), ADD, note=1, Note=2) == [("add", "label", "x")]

    def test_unknown_operation_name(self) -> None:
        """The result of `operation_name` is used as the name. A result that is no operation name is refused."""
        handler = Scripted(operation_name=str.lower)
        assert read(handler, {**ADD, "op": "Add"}) == [("add", "label", "x")]
        assert handler.asked == [("operation_name", "Add")]
        for answer in ("move", None, 1):
            with pytest.raises(InvalidSyntax, match=r"^op must be add, remove or replace\.$"):
                read(Scripted(operation_name=answer), {**ADD, "op": "move"})

    def test_missing_operation_name_is_refused(self) -> None:
        """An `op` that is missing or no string is refused without a call."""
        handler = Scripted(operation_name="add")
        for entry in ({**ADD, "op": 1}, {"path": "label", "value": "x"}):
            with pytest.raises(InvalidSyntax, match=r"^op must be add, remove or replace\.$"):
                read(handler, entry)
        assert handler.asked == []


class TestNames:
    """Unknown attribute names in the value of an operation without a path."""

    @pytest.mark.parametrize(
        ("text", "found"),
        [("label", "label"), ("site.city", "site.city"), (f"{FIRST}.type", f"{FIRST}.type"), (f"{LEASE}:until", None)],
    )
    def test_name_replaced_by_a_path(self, text: str, found: str | None) -> None:
        """The handler may replace a name by a path with a URN, a filter or a sub-attribute."""
        handler = Scripted(name=text)
        value = "2020-01-01T00:00:00Z"
        assert read(handler, {"op": "add", "value": {"odd": value}}) == [("add", found or f"{LEASE}/until", value)]
        assert handler.asked == [("name", "Device", "odd")]

    def test_ignored_name(self) -> None:
        """None ignores the name only. Names after it are read."""
        handler = Scripted(name=None)
        entry = {"op": "replace", "value": {"odd": 1, "label": "x"}}
        assert read(handler, entry) == [("replace", "label", "x")]
        assert handler.asked == [("name", "Device", "odd")]

    def test_name_replaced_by_an_unknown_path(self) -> None:
        """If the replacement of a name is unknown too, `path` is called. None and "" ignore the name."""
        handler = Scripted(name="even", path="label")
        assert read(handler, {"op": "add", "value": {"odd": "x"}}) == [("add", "label", "x")]
        assert handler.asked == [("name", "Device", "odd"), ("path", "Device", "even")]
        for nothing_written in (None, ""):
            assert read(Scripted(name="even", path=nothing_written), {"op": "add", "value": {"odd": {}}}) == []

    def test_core_schema_urn_in_the_value(self) -> None:
        """An object under the URN of the core schema is read like attributes without the URN."""
        handler = Scripted(name="label")
        assert read(handler, {"op": "add", "value": {DEVICE.schema: {"odd": "x"}}}) == [("add", "label", "x")]
        assert read(handler, {"op": "add", "value": {DEVICE.schema: "x"}}) == [("add", "label", "x")]
        assert handler.asked == [("name", "Device", "odd"), ("name", "Device", DEVICE.schema)]


UNTIL = "2020-01-01T00:00:00Z"
EXTENDED = [{"op": "add", "value": {LEASE: "put here"}}, {"op": "add", "path": LEASE, "value": "put here"}]


class TestExtensions:
    """Attributes of an extension in an object under its URN, with and without a path."""

    @pytest.mark.parametrize("entry", EXTENDED)
    def test_each_attribute_is_an_operation(self, entry: dict[str, Any]) -> None:
        """Each attribute of an extension becomes an operation. Attribute names may have any case."""
        value = {"UNTIL": UNTIL, "terms": {"text": "x"}, "contacts": None}
        handler = Scripted()
        assert read(handler, filled(entry, value)) == [
            ("add", f"{LEASE}/until", UNTIL),
            ("add", f"{LEASE}/terms", {"text": "x"}),
            ("add", f"{LEASE}/contacts", UNASSIGNED),
        ]
        assert handler.asked == []

    @pytest.mark.parametrize("entry", EXTENDED)
    def test_unknown_name_is_passed_with_its_urn(self, entry: dict[str, Any]) -> None:
        """`name` is called with the URN and the unknown name. None ignores the name, and names after it are read."""
        handler = Scripted(name=None)
        assert read(handler, filled(entry, {"odd": 1, "until": UNTIL})) == [("add", f"{LEASE}/until", UNTIL)]
        assert handler.asked == [("name", "Device", f"{LEASE}:odd")]

    @pytest.mark.parametrize("entry", EXTENDED)
    @pytest.mark.parametrize("name", [f"{LEASE}:until", f"{LEASE.upper()}:until"])
    def test_name_with_the_urn_is_passed_unchanged(self, entry: dict[str, Any], name: str) -> None:
        """If a name in the extension begins with the URN, in any case, the URN is not added again."""
        handler = Scripted(name=lambda _, name: name)
        assert read(handler, filled(entry, {name: UNTIL})) == [("add", f"{LEASE}/until", UNTIL)]
        assert handler.asked == [("name", "Device", name)]

    @pytest.mark.parametrize("op", ["add", "replace"])
    @pytest.mark.parametrize("known", [True, False])
    def test_name_replaced_by_an_extension(self, op: str, known: bool) -> None:
        """If a handler replaces a name by the URN of an extension, the extension is read attribute by attribute."""
        handler = Scripted(name=LEASE if known else "odder", path=LEASE)
        entry = {"op": op, "value": {"odd": {"until": None, "terms": {"text": "x"}}}}
        assert read(handler, entry) == [(op, f"{LEASE}/until", UNASSIGNED), (op, f"{LEASE}/terms", {"text": "x"})]

    def test_filter_on_an_extension(self) -> None:
        """A path with a filter on the URN remains one operation with that filter."""
        path = f'{LEASE}[until eq "{UNTIL}"]'
        value = {"terms": {"text": "x"}}
        assert read(Scripted(), {"op": "add", "path": path, "value": value}) == [("add", path, value)]
        entry = {"op": "replace", "path": f"{path}.terms", "value": {"text": "x"}}
        assert read(Scripted(), entry) == [("replace", f"{path}.terms", {"text": "x"})]

    @pytest.mark.parametrize("entry", EXTENDED)
    def test_value_of_another_type_in_an_extension(self, entry: dict[str, Any]) -> None:
        """A value of the wrong type in an extension is passed to the handler with its attribute."""
        handler = Scripted(value=UNTIL)
        assert read(handler, filled(entry, {"until": 2020})) == [("add", f"{LEASE}/until", UNTIL)]
        assert handler.asked == [("value", f"{LEASE}:until", 2020)]

    @pytest.mark.parametrize("empty", [None, {}])
    @pytest.mark.parametrize("entry", EXTENDED)
    def test_null_unassigns_the_extension(
        self, entry: dict[str, Any], empty: object
    ) -> None:  # fmt: skip
        """Null or an empty object unassigns an extension, as it unassigns an attribute (RFC 7643 section 2.5)."""
        assert read(Scripted(), {**filled(entry, empty), "op": "replace"}) == [("replace", LEASE, UNASSIGNED)]

    @pytest.mark.parametrize("entry", EXTENDED)
    def test_extension_that_is_no_object(self, entry: dict[str, Any]) -> None:
        """A value that is no object is passed to the handler as a value of the extension."""
        handler = Scripted(value={"terms": {"text": "x"}})
        assert read(handler, filled(entry, "x")) == [("add", LEASE, {"terms": {"text": "x"}})]
        assert handler.asked == [("value", LEASE, "x")]

    def test_remove_of_an_extension_ignores_the_value(self) -> None:
        """A `remove` operation with the URN as its path removes the extension, even if it has a value."""
        handler = Scripted()
        assert read(handler, {"op": "remove", "path": LEASE, "value": {"odd": 1}}) == [("remove", LEASE, UNASSIGNED)]
        assert handler.asked == []


def filled(entry: dict[str, Any], value: object) -> dict[str, Any]:
    """Return an operation on an extension, with or without a path, that has the given value."""
    return {**entry, "value": value if "path" in entry else {LEASE: value}}


class TestPaths:
    """Paths that name no attribute."""

    def test_path_replaced_by_the_resource(self) -> None:
        """If the handler returns "", the operation is read as an operation without a path."""
        handler = Scripted(path="")
        assert read(handler, {"op": "replace", "path": "all", "value": {"label": "x"}}) == [("replace", "label", "x")]
        assert handler.asked == [("path", "Device", "all")]
        with pytest.raises(InvalidValue, match=r"^An operation without a path must have an object as its value\.$"):
            read(handler, {"op": "replace", "path": "all", "value": "x"})
        with pytest.raises(NoTarget, match=r"^A remove operation must have a path\.$"):
            read(handler, {"op": "remove", "path": "all"})

    def test_names_after_a_path_replaced_by_the_resource(self) -> None:
        """In such an operation, the handler is asked about unknown names and readOnly attributes, as without a path."""
        handler = Scripted(path="", name="label", read_only=None)
        entry = {"op": "add", "path": "all", "value": {"odd": "x", "id": "1"}}
        assert read(handler, entry) == [("add", "label", "x")]
        assert handler.asked == [("path", "Device", "all"), ("name", "Device", "odd"), ("read_only", "id", True)]

    def test_ignored_path(self) -> None:
        """None ignores the operation only. Operations after it are read."""
        handler = Scripted(path=None)
        assert read(handler, {"op": "remove", "path": "odd"}, ADD) == [("add", "label", "x")]

    def test_replaced_path_must_name_an_attribute(self) -> None:
        """A path that the handler returns is not passed to the handler again."""
        handler = Scripted(path="odder")
        with pytest.raises(InvalidPath, match=r"^The path names an attribute that Device does not have\.$"):
            read(handler, {"op": "remove", "path": "odd"})
        assert handler.asked == [("path", "Device", "odd")]

    @pytest.mark.parametrize("text", [f"{LEASE}:odd", "parts[size eq 1].odd"])
    def test_path_is_passed_unchanged(self, text: str) -> None:
        """`path` is called with the complete text, including URN and filter."""
        handler = Scripted(path=lambda _, text: text.replace("odd", "type" if "[" in text else "until"))
        entry = {"op": "replace", "path": text, "value": UNTIL}
        found = f"{FIRST}.type" if "[" in text else f"{LEASE}/until"
        assert read(handler, entry) == [("replace", found, UNTIL)]
        assert handler.asked == [("path", "Device", text)]

    @pytest.mark.parametrize("text", ['parts[size eq "1"].type', "odd"])
    def test_constant_of_another_type_in_a_filter(self, text: str) -> None:
        """`compared` is called for the filter of the given path and for the filter of a replaced path."""
        handler = Scripted(path='parts[size eq "1"].type', compared=1)
        [operation] = read_operations(DEVICE, body({"op": "replace", "path": text, "value": "fan"}), handler)
        assert operation.path.matches is not None
        assert operation.path.matches({"size": 1})
        assert handler.asked[-1] == ("compared", "parts.size", "1")
        with pytest.raises(InvalidFilter, match=r"^The value compared with parts\.size is not a number\.$"):
            read(Scripted(path='parts[size eq "1"].type'), {"op": "replace", "path": text, "value": "fan"})

    @pytest.mark.parametrize("text", ["tags[value eq x]", "odd"])
    def test_word_without_quotes_in_a_filter(self, text: str) -> None:
        """`bare_value` is called for the filter of the given path and for the filter of a replaced path."""
        handler = Scripted(path="tags[value eq x]", bare_value=str.upper)
        assert read(handler, {"op": "add", "path": text, "value": "y"}) == [("add", 'tags[value eq "X"]', "y")]
        assert handler.asked[-2:] == [("bare_value", "x"), ("part", "tags", "y")]


READ_ONLY: list[tuple[dict[str, Any], tuple[str, bool]]] = [
    ({"op": "replace", "path": "id", "value": "x"}, ("id", False)),
    ({"op": "remove", "path": "id"}, ("id", False)),
    ({"op": "replace", "value": {"id": "x"}}, ("id", True)),
    ({"op": "replace", "path": "meta.version", "value": "x"}, ("meta", False)),
    ({"op": "replace", "path": "owner.displayName", "value": "x"}, ("owner.displayName", False)),
    ({"op": "remove", "path": "owner.displayName"}, ("owner.displayName", False)),
    ({"op": "replace", "value": {"odd": "x"}}, ("owner.displayName", True)),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "arguments"), READ_ONLY)
def test_read_only_attribute(entry: dict[str, Any], arguments: tuple[str, bool]) -> None:
    """`read_only` is called with the attribute and with its position (path or value). The change is ignored."""
    handler = Scripted(read_only=None, name="owner.displayName")
    assert read(handler, entry, ADD) == [("add", "label", "x")]
    assert [each for each in handler.asked if each[0] == "read_only"] == [("read_only", *arguments)]
    if arguments[1]:  # a readOnly attribute in a value is ignored (RFC 7644 section 3.5.1)
        assert read(Scripted(name="owner.displayName"), entry, ADD) == [("add", "label", "x")]
        return
    with pytest.raises(MutabilityViolation, match=rf"^{arguments[0]} is read-only\.$"):
        read(Scripted(name="owner.displayName"), entry)


@pytest.mark.parametrize("pathless", [True, False])
def test_read_only_attribute_of_an_extension(pathless: bool) -> None:
    """An attribute in the object of an extension counts as named by the value, with a path and without."""
    urn, value = LINKS.extensions[0].name, {"counted": 1}
    entry = {"op": "add", "value": {urn: value}} if pathless else {"op": "add", "path": urn, "value": value}
    handler = Scripted(read_only=None)
    assert read(handler, entry, of=LINKS) == []
    assert handler.asked == [("read_only", f"{urn}:counted", True)]


VALUES: list[tuple[str, object, object, tuple[Any, ...]]] = [
    ("label", 1, "1", ("value", "label", 1)),
    ("tags", ["x", 1], ["x", "1"], ("value", "tags", 1)),
    ("site.city", 1, "1", ("value", "site.city", 1)),
    ("site", {"city": 1}, {"city": "1"}, ("value", "site.city", 1)),
    (f"{FIRST}.type", 1, "1", ("value", "parts.type", 1)),
    (FIRST, {"type": 1}, {"type": "1"}, ("value", "parts.type", 1)),
    ('tags[value eq "x"]', 1, "1", ("value", "tags", 1)),
]


@pytest.mark.parametrize(("path", "value", "read_as", "arguments"), VALUES)
def test_value_of_another_type(path: str, value: object, read_as: object, arguments: tuple[Any, ...]) -> None:
    """`value` is called with the attribute and the value, and its result becomes the value."""
    handler = Scripted(value=lambda _, value: str(value), part=None)
    assert read(handler, {"op": "replace", "path": path, "value": value}) == [("replace", path, read_as)]
    assert handler.asked[-1] == arguments


class TestElements:
    """Operations on complete elements that a filter selects."""

    @pytest.mark.parametrize("op", ["add", "replace"])
    def test_value_for_a_sub_attribute(self, op: str) -> None:
        """The operation is redirected to the sub-attribute that the handler names, and the value is read for it."""
        handler = Scripted(part=PARTS.children["type"], value="7")
        assert read(handler, {"op": op, "path": FIRST, "value": 7}) == [(op, f"{FIRST}.type", "7")]
        assert handler.asked == [("part", "parts", 7), ("value", "parts.type", 7)]

    def test_read_only_sub_attribute(self) -> None:
        """If the handler names a readOnly sub-attribute, `read_only` is called and nothing is written."""
        attributes = [{"name": "value", "mutability": "readOnly"}, {"name": "kind"}]
        schema = {"id": "urn:x:A", "name": "A", "attributes": [
            {"name": "seats", "type": "complex", "multiValued": True, "subAttributes": attributes}
        ]}  # fmt: skip
        kind = ResourceType(schema)
        entry = {"op": "add", "path": 'seats[kind eq "a"]', "value": "x"}
        handler = Scripted(part=kind.attributes["seats"].children["value"], read_only=None)
        assert read(handler, entry, of=kind) == []
        assert handler.asked[-1] == ("read_only", "seats.value", False)

    def test_object_for_an_element(self) -> None:
        """An object is the element itself. The handler is not asked."""
        handler = Scripted(part=PARTS.children["type"])
        assert read(handler, {"op": "add", "path": FIRST, "value": {"type": "fan"}}) == [
            ("add", FIRST, {"type": "fan"})
        ]
        assert handler.asked == []

    def test_value_for_no_sub_attribute(self) -> None:
        """If the handler names no sub-attribute, `value` is called for the element, and `values` is not."""
        handler = Scripted(part=None, value={"type": "fan"})
        assert read(handler, {"op": "add", "path": FIRST, "value": "fan"}) == [("add", FIRST, {"type": "fan"})]
        assert handler.asked == [("part", "parts", "fan"), ("value", "parts", "fan")]

    def test_null_for_an_element(self) -> None:
        """Null unassigns the selected elements."""
        assert read(Scripted(), {"op": "replace", "path": FIRST, "value": None}) == [("replace", FIRST, UNASSIGNED)]

    def test_path_with_a_sub_attribute(self) -> None:
        """If the path ends at a sub-attribute, the handler is not asked for one."""
        handler = Scripted(part=PARTS.children["type"], values=["red"])
        entry = {"op": "replace", "path": f"{FIRST}.colors", "value": "red"}
        assert read(handler, entry) == [("replace", f"{FIRST}.colors", ["red"])]
        assert handler.asked == [("values", "parts.colors", "red")]

    def test_filter_on_a_singular_attribute(self) -> None:
        """A filter on a singular complex attribute selects the complete value. `value` is called for the attribute."""
        handler = Scripted(part=DEVICE.attributes["site"].children["city"], value={"city": "Bonn"})
        entry = {"op": "add", "path": 'site[city eq "Ulm"]', "value": "Bonn"}
        assert read(handler, entry) == [("add", 'site[city eq "Ulm"]', {"city": "Bonn"})]
        assert handler.asked == [("value", "site", "Bonn")]


class TestReferences:
    """References with a `$ref` and no `value`, and operations that remove the `value` of a reference."""

    @pytest.mark.parametrize("op", ["add", "replace"])
    @pytest.mark.parametrize("wrapped", [False, True])
    def test_reference_by_uri(self, op: str, wrapped: bool) -> None:
        """`value` is called with the reference, also if it is in an array, and its result becomes the value."""
        handler = Scripted(value={"value": "7"})
        value = {"$ref": "/Users/7"}
        assert read(handler, {"op": op, "path": "owner", "value": [value] if wrapped else value}) == [
            (op, "owner", {"value": "7"})
        ]
        assert handler.asked == [("value", "owner", value)]

    def test_reference_with_a_value(self) -> None:
        """If a reference has a `value`, its `$ref` is ignored and the handler is not asked."""
        handler = Scripted()
        entry = {"op": "add", "path": "owner", "value": {"value": "7", "$ref": "/Users/8"}}
        assert read(handler, entry) == [("add", "owner", {"value": "7"})]
        assert handler.asked == []

    @pytest.mark.parametrize("value", [[], ["7"], [{"$ref": "/Users/7"}, {"$ref": "/Users/8"}], "7"])
    def test_value_that_is_no_reference(self, value: object) -> None:
        """Several references, an empty array and a text are passed to the handler unchanged."""
        handler = Scripted(value={"value": "7"})
        assert read(handler, {"op": "add", "path": "owner", "value": value}) == [("add", "owner", {"value": "7"})]
        assert handler.asked == [("value", "owner", value)]

    def test_references_of_a_multi_valued_attribute(self) -> None:
        """In a multi-valued attribute, `value` is called for each reference."""
        handler = Scripted(value=lambda _, value: {"value": value["$ref"][-1]})
        entry = {"op": "add", "path": "members", "value": [{"$ref": "/Users/7"}]}
        assert read(handler, entry, of=GROUP) == [("add", "members", [{"value": "7"}])]
        assert handler.asked == [("value", "members", {"$ref": "/Users/7"})]

    def test_ref_in_another_complex_value(self) -> None:
        """In a complex attribute that is no reference, `$ref` is an unknown name."""
        handler = Scripted(unknown=None)
        assert read(handler, {"op": "add", "path": "site", "value": {"$ref": "x"}}) == [("add", "site", UNASSIGNED)]
        assert handler.asked[-1][0] == "unknown"
        assert len(handler.asked) == 1

    @pytest.mark.parametrize("empty", [None, ""])
    def test_emptied_sub_attribute_may_remove_the_complex_value(self, empty: object) -> None:
        """If `clears_whole` is true, a `replace` by null or "" removes the complete complex value."""
        entry = {"op": "replace", "path": "owner.value", "value": empty}
        handler = Scripted(clears_whole=True)
        assert read(handler, entry) == [("remove", "owner", UNASSIGNED)]
        assert handler.asked == [("clears_whole", "owner", "owner.value")]
        kept = UNASSIGNED if empty is None else empty
        assert read(Scripted(clears_whole=False), entry) == [("replace", "owner.value", kept)]

    def test_emptied_sub_attribute_may_remove_the_elements(self) -> None:
        """With a filter, `clears_whole` removes the selected elements only."""
        handler = Scripted(clears_whole=True)
        assert read(handler, {"op": "replace", "path": f"{FIRST}.type", "value": ""}) == [("remove", FIRST, UNASSIGNED)]
        assert read(handler, {"op": "remove", "path": f"{FIRST}.type"}) == [("remove", FIRST, UNASSIGNED)]
        assert handler.asked == [("clears_whole", "parts", "parts.type")] * 2

    def test_removed_sub_attribute_may_remove_the_complex_value(self) -> None:
        """If `clears_whole` is true, a `remove` of the sub-attribute removes the complete complex value."""
        handler = Scripted(clears_whole=True)
        assert read(handler, {"op": "remove", "path": "owner.value"}) == [("remove", "owner", UNASSIGNED)]
        assert handler.asked == [("clears_whole", "owner", "owner.value")]
        assert read(Scripted(), {"op": "remove", "path": "owner.value"}) == [("remove", "owner.value", UNASSIGNED)]

    @pytest.mark.parametrize(
        ("entry", "operation"),
        [
            ({"op": "add", "path": "owner.value", "value": ""}, ("add", "owner.value", "")),
            ({"op": "replace", "path": "owner.value", "value": "7"}, ("replace", "owner.value", "7")),
            ({"op": "replace", "path": "label", "value": ""}, ("replace", "label", "")),
            ({"op": "replace", "path": "owner", "value": None}, ("replace", "owner", UNASSIGNED)),
            ({"op": "remove", "path": "owner"}, ("remove", "owner", UNASSIGNED)),
            ({"op": "remove", "path": "parts.type"}, ("remove", "parts.type", UNASSIGNED)),
        ],
    )
    def test_operations_that_keep_the_complex_value(
        self, entry: dict[str, Any], operation: tuple[str, str, Any]
    ) -> None:
        """`clears_whole` is called only if a `replace` or `remove` unassigns one sub-attribute of a selected value."""
        handler = Scripted(clears_whole=True)
        assert read(handler, entry) == [operation]
        assert handler.asked == []


CLEARED: list[tuple[dict[str, Any], list[tuple[str, str, Any]]]] = [
    ({"city": None}, [("remove", "site.city", UNASSIGNED)]),
    ({"CITY": None}, [("remove", "site.city", UNASSIGNED)]),
    ({"floors": []}, [("remove", "site.floors", UNASSIGNED)]),
    ({"city": None, "floors": []}, [("remove", "site.city", UNASSIGNED), ("remove", "site.floors", UNASSIGNED)]),
    ({"city": None, "floors": [2]}, [("remove", "site.city", UNASSIGNED), ("replace", "site", {"floors": [2]})]),
    ({"city": ""}, [("replace", "site", {"city": ""})]),
    ({}, [("replace", "site", UNASSIGNED)]),
]


class TestSubAttributes:
    """A `replace` of a complex value in which some sub-attributes are null or empty (RFC 7643 section 2.5)."""

    @pytest.mark.parametrize(("value", "operations"), CLEARED)
    def test_empty_sub_attributes_are_removed(
        self, value: dict[str, Any], operations: list[tuple[str, str, Any]]
    ) -> None:
        """Sub-attributes that are null or an empty array are removed. The others are replaced."""
        assert read(Scripted(), {"op": "replace", "path": "site", "value": value}) == operations
        assert read(Scripted(), {"op": "replace", "value": {"site": value}}) == operations

    def test_unknown_sub_attribute(self) -> None:
        """An unknown sub-attribute is ignored as the handler says, and removes nothing."""
        handler = Scripted(unknown=None)
        entry = {"op": "replace", "path": "site", "value": {"odd": None, "city": None}}
        assert read(handler, entry) == [("remove", "site.city", UNASSIGNED)]

    def test_add_removes_nothing(self) -> None:
        """An `add` with null changes nothing (RFC 7644 section 3.5.2.1)."""
        assert read(Scripted(), {"op": "add", "path": "site", "value": {"city": None, "floors": [2]}}) == [
            ("add", "site", {"floors": [2]})
        ]

    def test_reference_without_value_is_removed(self) -> None:
        """A reference without its `value` is removed completely."""
        assert read(Scripted(), {"op": "replace", "path": "owner", "value": {"value": None}}) == [
            ("replace", "owner", UNASSIGNED)
        ]

    def test_elements_of_a_multi_valued_attribute(self) -> None:
        """A `replace` of a multi-valued attribute replaces all elements, so nothing has to be removed."""
        handler = Scripted(values=lambda _, value: [value])
        entry = {"op": "replace", "path": "parts", "value": {"value": "x", "type": None}}
        assert read(handler, entry) == [("replace", "parts", [{"value": "x"}])]

    @pytest.mark.parametrize("name", ["reached", "$ref"])
    def test_null_for_a_read_only_sub_attribute(self, name: str) -> None:
        """Null for a readOnly sub-attribute or for `$ref` is ignored."""
        entry = {"op": "replace", "path": "target", "value": {name: None, "title": None, "kind": "x"}}
        assert read(Scripted(), entry, of=LINKS) == [
            ("remove", "target.title", UNASSIGNED),
            ("replace", "target", {"kind": "x"}),
        ]


class TestRemovals:
    """`remove` operations that have a value."""

    def test_values_to_remove(self) -> None:
        """The result of `removal` is read as a value of the attribute. An empty result removes nothing."""
        handler = Scripted(removal=[{"value": "x"}, {"value": "y"}])
        assert read(handler, {"op": "remove", "path": "parts", "value": "x y"}) == [
            ("remove", "parts", [{"value": "x"}, {"value": "y"}])
        ]
        assert handler.asked == [("removal", "parts", "x y")]
        for nothing in ([], None, [None]):
            assert read(Scripted(removal=nothing), {"op": "remove", "path": "tags", "value": "x"}) == [
                ("remove", "tags", [])
            ]

    def test_values_to_remove_from_a_sub_attribute(self) -> None:
        """`removal` is called with the last attribute of the path."""
        handler = Scripted(removal=lambda _, value: [value], value="7")
        assert read(handler, {"op": "remove", "path": "parts.colors", "value": 7}) == [
            ("remove", "parts.colors", ["7"])
        ]
        assert handler.asked == [("removal", "parts.colors", 7), ("value", "parts.colors", 7)]

    def test_values_to_remove_from_selected_elements(self) -> None:
        """The filter selects the elements, and the value lists what to remove from their sub-attribute."""
        handler = Scripted(removal=["red"])
        entry = {"op": "remove", "path": f"{FIRST}.colors", "value": ["red"]}
        assert read(handler, entry) == [("remove", f"{FIRST}.colors", ["red"])]

    @pytest.mark.parametrize(
        ("path", "value"), [("label", "x"), ("site", {"city": "x"}), (FIRST, [{"value": "x"}]), ("tags", None)]
    )
    def test_removals_by_path_alone(self, path: str, value: object) -> None:
        """`removal` is not called for a singular attribute, for selected elements, and for null."""
        handler = Scripted(removal=[])
        assert read(handler, {"op": "remove", "path": path, "value": value}) == [("remove", path, UNASSIGNED)]
        assert handler.asked == []


class TestRefusal:
    """The default handler, which refuses every deviation."""

    def test_default_handler(self) -> None:
        """The default handler replaces nothing, except that it ignores the case of operation names."""
        refusal = RefusingPatchHandler()
        assert refusal.operation_name("Add") == "add"
        assert refusal.part(PARTS, "x") is None
        assert refusal.clears_whole(OWNER, OWNER.children["value"]) is False
        assert refusal.creates_elements(PARTS) is False
        with pytest.raises(InvalidFilter, match=r"^The value compared with parts\.size is not a number\.$"):
            refusal.compared(PARTS.children["size"], "3")

    def test_reading_refuses_without_a_handler(self) -> None:
        """Without a handler, `read_operations` refuses deviations."""
        with pytest.raises(InvalidSyntax, match=r"^op must be add, remove or replace\.$"):
            read_operations(DEVICE, body({**ADD, "op": "Append"}))
