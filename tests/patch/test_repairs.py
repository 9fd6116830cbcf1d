"""What reading a PATCH asks a repair: what each question is told, and what becomes of its answer.

`test_operations.py` has the same bodies in RFC form; the habits that answer these questions are in `tests/dialects`.
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
"""A complex attribute with a `$ref` that is no reference, as it has no `value`; readOnly parts, there and beside it."""


def _question(name: str) -> Callable[..., Any]:
    def ask(self: Scripted, *told: Any) -> Any:
        self.asked.append((name, *(getattr(each, "path", getattr(each, "name", each)) for each in told)))
        if name not in self.answers:
            return getattr(RefusingPatchHandler, name)(self, *told)
        answer = self.answers[name]
        return answer(*told) if callable(answer) else answer

    return ask


class Scripted(RefusingPatchHandler):
    """A repair with an answer to some questions, which refuses at the others, and notes what it was asked.

    It notes attributes by their paths and resource types by their names.
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
    """The body of a PATCH with these operations."""
    return {"schemas": [PATCH_OP_SCHEMA], "Operations": list(entries)}


def place(path: PatchPath) -> str:
    """A path as text: `URN/attribute[filter].sub`."""
    assert (path.filter is None) is (path.matches is None)
    extension = f"{path.extension.name}/" if path.extension else ""
    selected = f"[{path.filter}]" if path.filter else ""
    return f"{extension}{path.attribute.name}{selected}" + (f".{path.sub_attribute.name}" if path.sub_attribute else "")


def read(
    repair: RefusingPatchHandler, *entries: Any, of: ResourceType = DEVICE, **members: Any
) -> list[tuple[str, str, Any]]:
    """The operations of a body, each as name, place and value."""
    found = read_operations(of, {**body(*entries), **members}, repair)
    return [(each.op, place(each.path), each.value) for each in found]


ADD = {"op": "add", "path": "label", "value": "x"}


class TestMessage:
    """The body and its operations, before any path is looked at."""

    @pytest.mark.parametrize("schemas", [None, [], ["urn:x"], PATCH_OP_SCHEMA])
    def test_told_of_a_body_without_its_schema(self, schemas: object) -> None:
        """The schema that is missing is told, and the body is read all the same; none is missed when it is there."""
        repair = Scripted(message=None)
        assert read(repair, ADD, schemas=schemas) == [("add", "label", "x")]
        assert read(repair, ADD, schemas=["urn:x", PATCH_OP_SCHEMA]) == [("add", "label", "x")]
        assert repair.asked == [("message", PATCH_OP_SCHEMA)]

    def test_told_of_every_extra_member_of_the_body(self) -> None:
        """Each name that is neither `schemas` nor `Operations` is told; those two are taken in any case."""
        repair = Scripted(extra_member=None)
        members = {"SCHEMAS": [PATCH_OP_SCHEMA], "OPERATIONS": [ADD], "one": 1, "two": 2}
        assert [each.op for each in read_operations(DEVICE, members, repair)] == ["add"]
        assert sorted(repair.asked) == [("extra_member", "one"), ("extra_member", "two")]

    def test_told_of_an_extra_member_of_an_operation_as_it_is_written(self) -> None:
        """A name that an operation does not have is told and passed over; the members after it count."""
        repair = Scripted(extra_member=None)
        assert read(repair, {"OP": "add", "Comment": "", "PATH": "label", "Value": "x"}) == [("add", "label", "x")]
        assert repair.asked == [("extra_member", "Comment")]

    @pytest.mark.parametrize("name", ["OP", "PATH", "Value"])
    def test_a_member_given_twice_is_refused(self, name: str) -> None:
        """Two names that differ by case alone are one member: which of them is meant is not guessed."""
        with pytest.raises(InvalidSyntax, match=r"^An operation repeats op, path or value\. Send each of them once\.$"):
            read(Scripted(), {**ADD, name: "label"})

    @pytest.mark.parametrize("name", ["operations", "SCHEMAS"])
    def test_a_member_of_the_body_given_twice_is_refused(self, name: str) -> None:
        """The same of the body; of what it does not have, two are passed over as one is."""
        with pytest.raises(InvalidSyntax, match=r"^The PATCH repeats schemas or Operations\. Send each of them once\.$"):
            read(Scripted(), ADD, **{name: []})
        assert read(Scripted(extra_member=None), ADD, note=1, Note=2) == [("add", "label", "x")]

    def test_asked_for_a_name_that_is_no_operation(self) -> None:
        """Its answer counts as the name; for an answer that is none either, and for none, the refusal is the same."""
        repair = Scripted(operation_name=str.lower)
        assert read(repair, {**ADD, "op": "Add"}) == [("add", "label", "x")]
        assert repair.asked == [("operation_name", "Add")]
        for answer in ("move", None, 1):
            with pytest.raises(InvalidSyntax, match=r"^op must be add, remove or replace\.$"):
                read(Scripted(operation_name=answer), {**ADD, "op": "move"})

    def test_not_asked_for_an_operation_that_is_no_text(self) -> None:
        """`op` that is missing or no string is refused without a question."""
        repair = Scripted(operation_name="add")
        for entry in ({**ADD, "op": 1}, {"path": "label", "value": "x"}):
            with pytest.raises(InvalidSyntax, match=r"^op must be add, remove or replace\.$"):
                read(repair, entry)
        assert repair.asked == []


class TestNames:
    """Names in the value of an operation without a path, which are no attributes."""

    @pytest.mark.parametrize(
        ("text", "found"),
        [("label", "label"), ("site.city", "site.city"), (f"{FIRST}.type", f"{FIRST}.type"), (f"{LEASE}:until", None)],
    )
    def test_a_name_may_stand_for_a_path(self, text: str, found: str | None) -> None:
        """What the repair makes of a name is a path, with whatever a path may have."""
        repair = Scripted(name=text)
        value = "2020-01-01T00:00:00Z"
        assert read(repair, {"op": "add", "value": {"odd": value}}) == [("add", found or f"{LEASE}/until", value)]
        assert repair.asked == [("name", "Device", "odd")]

    def test_a_name_without_a_path_is_passed_over(self) -> None:
        """None drops that name alone: what stands after it is read."""
        repair = Scripted(name=None)
        entry = {"op": "replace", "value": {"odd": 1, "label": "x"}}
        assert read(repair, entry) == [("replace", "label", "x")]
        assert repair.asked == [("name", "Device", "odd")]

    def test_a_name_that_stands_for_no_attribute_is_asked_for_as_a_path(self) -> None:
        """The path that the name comes to may need a repair of its own; None and "" drop the name."""
        repair = Scripted(name="even", path="label")
        assert read(repair, {"op": "add", "value": {"odd": "x"}}) == [("add", "label", "x")]
        assert repair.asked == [("name", "Device", "odd"), ("path", "Device", "even")]
        for nothing_written in (None, ""):
            assert read(Scripted(name="even", path=nothing_written), {"op": "add", "value": {"odd": {}}}) == []

    def test_the_schema_within_the_value_is_read_as_the_value(self) -> None:
        """Attributes under the URN of the core schema are asked for as those beside it are; it may be no object."""
        repair = Scripted(name="label")
        assert read(repair, {"op": "add", "value": {DEVICE.schema: {"odd": "x"}}}) == [("add", "label", "x")]
        assert read(repair, {"op": "add", "value": {DEVICE.schema: "x"}}) == [("add", "label", "x")]
        assert repair.asked == [("name", "Device", "odd"), ("name", "Device", DEVICE.schema)]


UNTIL = "2020-01-01T00:00:00Z"
EXTENDED = [{"op": "add", "value": {LEASE: "put here"}}, {"op": "add", "path": LEASE, "value": "put here"}]


class TestExtensions:
    """The attributes of an extension, given in an object under its URN, with or without a path."""

    @pytest.mark.parametrize("entry", EXTENDED)
    def test_each_attribute_is_an_operation(self, entry: dict[str, Any]) -> None:
        """An extension is read attribute by attribute, each in any case and with its own repairs."""
        value = {"UNTIL": UNTIL, "terms": {"text": "x"}, "contacts": None}
        repair = Scripted()
        assert read(repair, filled(entry, value)) == [
            ("add", f"{LEASE}/until", UNTIL),
            ("add", f"{LEASE}/terms", {"text": "x"}),
            ("add", f"{LEASE}/contacts", UNASSIGNED),
        ]
        assert repair.asked == []

    @pytest.mark.parametrize("entry", EXTENDED)
    def test_asked_for_an_unknown_name_with_its_urn(self, entry: dict[str, Any]) -> None:
        """The name is told with the URN before it, and passed over for None; what stands after it is read."""
        repair = Scripted(name=None)
        assert read(repair, filled(entry, {"odd": 1, "until": UNTIL})) == [("add", f"{LEASE}/until", UNTIL)]
        assert repair.asked == [("name", "Device", f"{LEASE}:odd")]

    @pytest.mark.parametrize("entry", EXTENDED)
    @pytest.mark.parametrize("name", [f"{LEASE}:until", f"{LEASE.upper()}:until"])
    def test_a_name_that_has_the_urn_is_told_as_it_is(self, entry: dict[str, Any], name: str) -> None:
        """Within the extension its URN, in any case, is not put before a name a second time."""
        repair = Scripted(name=lambda _, name: name)
        assert read(repair, filled(entry, {name: UNTIL})) == [("add", f"{LEASE}/until", UNTIL)]
        assert repair.asked == [("name", "Device", name)]

    @pytest.mark.parametrize("op", ["add", "replace"])
    @pytest.mark.parametrize("known", [True, False])
    def test_a_name_may_stand_for_the_extension(self, op: str, known: bool) -> None:
        """An extension that a repair finds by another name is read attribute by attribute, as under its own."""
        repair = Scripted(name=LEASE if known else "odder", path=LEASE)
        entry = {"op": op, "value": {"odd": {"until": None, "terms": {"text": "x"}}}}
        assert read(repair, entry) == [(op, f"{LEASE}/until", UNASSIGNED), (op, f"{LEASE}/terms", {"text": "x"})]

    def test_a_filter_keeps_the_extension_whole(self) -> None:
        """A filter after the URN selects the extension or nothing: the operation is one, and keeps the filter."""
        path = f'{LEASE}[until eq "{UNTIL}"]'
        value = {"terms": {"text": "x"}}
        assert read(Scripted(), {"op": "add", "path": path, "value": value}) == [("add", path, value)]
        entry = {"op": "replace", "path": f"{path}.terms", "value": {"text": "x"}}
        assert read(Scripted(), entry) == [("replace", f"{path}.terms", {"text": "x"})]

    @pytest.mark.parametrize("entry", EXTENDED)
    def test_values_within_are_repaired(self, entry: dict[str, Any]) -> None:
        """A value in an extension that does not have its type is asked for with its own attribute."""
        repair = Scripted(value=UNTIL)
        assert read(repair, filled(entry, {"until": 2020})) == [("add", f"{LEASE}/until", UNTIL)]
        assert repair.asked == [("value", f"{LEASE}:until", 2020)]

    @pytest.mark.parametrize("empty", [None, {}])
    @pytest.mark.parametrize("entry", EXTENDED)
    def test_nothing_for_an_extension_is_an_operation_on_all_of_it(
        self, entry: dict[str, Any], empty: object
    ) -> None:  # fmt: skip
        """Null or an empty object unassigns an extension as it does an attribute (RFC 7643 section 2.5)."""
        assert read(Scripted(), {**filled(entry, empty), "op": "replace"}) == [("replace", LEASE, UNASSIGNED)]

    @pytest.mark.parametrize("entry", EXTENDED)
    def test_an_extension_that_is_no_object_is_asked_for(self, entry: dict[str, Any]) -> None:
        """A value that is no object is a value of the wrong type, of the extension as a whole."""
        repair = Scripted(value={"terms": {"text": "x"}})
        assert read(repair, filled(entry, "x")) == [("add", LEASE, {"terms": {"text": "x"}})]
        assert repair.asked == [("value", LEASE, "x")]

    def test_a_remove_takes_the_extension_whatever_its_value(self) -> None:
        """A remove goes by its path: an object beside it names nothing to remove."""
        repair = Scripted()
        assert read(repair, {"op": "remove", "path": LEASE, "value": {"odd": 1}}) == [("remove", LEASE, UNASSIGNED)]
        assert repair.asked == []


def filled(entry: dict[str, Any], value: object) -> dict[str, Any]:
    """An operation on an extension, without a path or with one, that has this value for it."""
    return {**entry, "value": value if "path" in entry else {LEASE: value}}


class TestPaths:
    """Paths that name no attribute."""

    def test_a_path_may_stand_for_the_resource(self) -> None:
        """For "" the operation is read as one without a path: its value is a set of attributes."""
        repair = Scripted(path="")
        assert read(repair, {"op": "replace", "path": "all", "value": {"label": "x"}}) == [("replace", "label", "x")]
        assert repair.asked == [("path", "Device", "all")]
        with pytest.raises(InvalidValue, match=r"^An operation without a path must have an object as its value\.$"):
            read(repair, {"op": "replace", "path": "all", "value": "x"})
        with pytest.raises(NoTarget, match=r"^A remove operation must have a path\.$"):
            read(repair, {"op": "remove", "path": "all"})

    def test_names_for_the_resource_are_asked_for(self) -> None:
        """The names in the value of such an operation have the same repairs as without a path."""
        repair = Scripted(path="", name="label", read_only=None)
        entry = {"op": "add", "path": "all", "value": {"odd": "x", "id": "1"}}
        assert read(repair, entry) == [("add", "label", "x")]
        assert repair.asked == [("path", "Device", "all"), ("name", "Device", "odd"), ("read_only", "id", True)]

    def test_a_path_of_nothing_drops_its_operation_alone(self) -> None:
        """None drops the operation; the next is read."""
        repair = Scripted(path=None)
        assert read(repair, {"op": "remove", "path": "odd"}, ADD) == [("add", "label", "x")]

    def test_the_new_path_must_name_an_attribute(self) -> None:
        """A path that a repair gives is not asked for again."""
        repair = Scripted(path="odder")
        with pytest.raises(InvalidPath, match=r"^The path names an attribute that Device does not have\.$"):
            read(repair, {"op": "remove", "path": "odd"})
        assert repair.asked == [("path", "Device", "odd")]

    @pytest.mark.parametrize("text", [f"{LEASE}:odd", "parts[size eq 1].odd"])
    def test_told_of_the_path_as_it_is_written(self, text: str) -> None:
        """The whole text is told, with its URN and its filter, for a rewrite to keep."""
        repair = Scripted(path=lambda _, text: text.replace("odd", "type" if "[" in text else "until"))
        entry = {"op": "replace", "path": text, "value": UNTIL}
        found = f"{FIRST}.type" if "[" in text else f"{LEASE}/until"
        assert read(repair, entry) == [("replace", found, UNTIL)]
        assert repair.asked == [("path", "Device", text)]

    @pytest.mark.parametrize("text", ['parts[size eq "1"].type', "odd"])
    def test_asked_for_a_compared_value_of_another_type(self, text: str) -> None:
        """The filter of a path, and of one that a repair gives, may compare with what a repair makes of it."""
        repair = Scripted(path='parts[size eq "1"].type', compared=1)
        [operation] = read_operations(DEVICE, body({"op": "replace", "path": text, "value": "fan"}), repair)
        assert operation.path.matches is not None
        assert operation.path.matches({"size": 1})
        assert repair.asked[-1] == ("compared", "parts.size", "1")
        with pytest.raises(InvalidFilter, match=r"^The value compared with parts\.size is not a number\.$"):
            read(Scripted(path='parts[size eq "1"].type'), {"op": "replace", "path": text, "value": "fan"})

    @pytest.mark.parametrize("text", ["tags[value eq x]", "odd"])
    def test_asked_for_a_word_without_quotes(self, text: str) -> None:
        """The filter of a path, and of one that a repair gives, may have words that stand for a value."""
        repair = Scripted(path="tags[value eq x]", bare_value=str.upper)
        assert read(repair, {"op": "add", "path": text, "value": "y"}) == [("add", 'tags[value eq "X"]', "y")]
        assert repair.asked[-2:] == [("bare_value", "x"), ("part", "tags", "y")]


READ_ONLY: list[tuple[dict[str, Any], tuple[str, bool]]] = [
    ({"op": "replace", "path": "id", "value": "x"}, ("id", False)),
    ({"op": "remove", "path": "id"}, ("id", False)),
    ({"op": "replace", "value": {"id": "x"}}, ("id", True)),
    ({"op": "replace", "path": "meta.version", "value": "x"}, ("meta", False)),
    ({"op": "replace", "path": "owner.displayName", "value": "x"}, ("owner.displayName", False)),
    ({"op": "remove", "path": "owner.displayName"}, ("owner.displayName", False)),
    ({"op": "replace", "value": {"odd": "x"}}, ("owner.displayName", True)),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "told"), READ_ONLY)
def test_told_of_a_read_only_attribute(entry: dict[str, Any], told: tuple[str, bool]) -> None:
    """It is told the attribute that is readOnly, and whether a value without a path has it; the change is dropped."""
    repair = Scripted(read_only=None, name="owner.displayName")
    assert read(repair, entry, ADD) == [("add", "label", "x")]
    assert [each for each in repair.asked if each[0] == "read_only"] == [("read_only", *told)]
    if told[1]:  # in a value it is ignored (RFC 7644 section 3.5.1)
        assert read(Scripted(name="owner.displayName"), entry, ADD) == [("add", "label", "x")]
        return
    with pytest.raises(MutabilityViolation, match=rf"^{told[0]} is read-only\.$"):
        read(Scripted(name="owner.displayName"), entry)


@pytest.mark.parametrize("pathless", [True, False])
def test_told_of_a_read_only_attribute_of_an_extension(pathless: bool) -> None:
    """The attributes of an extension that is given as an object stand in a value, with a path or without."""
    urn, value = LINKS.extensions[0].name, {"counted": 1}
    entry = {"op": "add", "value": {urn: value}} if pathless else {"op": "add", "path": urn, "value": value}
    repair = Scripted(read_only=None)
    assert read(repair, entry, of=LINKS) == []
    assert repair.asked == [("read_only", f"{urn}:counted", True)]


VALUES: list[tuple[str, object, object, tuple[Any, ...]]] = [
    ("label", 1, "1", ("value", "label", 1)),
    ("tags", ["x", 1], ["x", "1"], ("value", "tags", 1)),
    ("site.city", 1, "1", ("value", "site.city", 1)),
    ("site", {"city": 1}, {"city": "1"}, ("value", "site.city", 1)),
    (f"{FIRST}.type", 1, "1", ("value", "parts.type", 1)),
    (FIRST, {"type": 1}, {"type": "1"}, ("value", "parts.type", 1)),
    ('tags[value eq "x"]', 1, "1", ("value", "tags", 1)),
]


@pytest.mark.parametrize(("path", "value", "read_as", "told"), VALUES)
def test_asked_for_a_value_of_another_type(path: str, value: object, read_as: object, told: tuple[Any, ...]) -> None:
    """It is told the attribute whose value it is, and its answer is the value."""
    repair = Scripted(value=lambda _, value: str(value), part=None)
    assert read(repair, {"op": "replace", "path": path, "value": value}) == [("replace", path, read_as)]
    assert repair.asked[-1] == told


class TestElements:
    """Whole elements that a filter selects."""

    @pytest.mark.parametrize("op", ["add", "replace"])
    def test_a_value_that_is_no_object_may_be_meant_for_a_part(self, op: str) -> None:
        """The part is written in its stead in the elements selected, and its value is read as the part's."""
        repair = Scripted(part=PARTS.children["type"], value="7")
        assert read(repair, {"op": op, "path": FIRST, "value": 7}) == [(op, f"{FIRST}.type", "7")]
        assert repair.asked == [("part", "parts", 7), ("value", "parts.type", 7)]

    def test_a_part_that_is_read_only(self) -> None:
        """It is told as any readOnly attribute that a path names, and nothing is written."""
        attributes = [{"name": "value", "mutability": "readOnly"}, {"name": "kind"}]
        schema = {"id": "urn:x:A", "name": "A", "attributes": [
            {"name": "seats", "type": "complex", "multiValued": True, "subAttributes": attributes}
        ]}  # fmt: skip
        kind = ResourceType(schema)
        entry = {"op": "add", "path": 'seats[kind eq "a"]', "value": "x"}
        repair = Scripted(part=kind.attributes["seats"].children["value"], read_only=None)
        assert read(repair, entry, of=kind) == []
        assert repair.asked[-1] == ("read_only", "seats.value", False)

    def test_no_part_for_an_object(self) -> None:
        """An object is the element, and is not asked for."""
        repair = Scripted(part=PARTS.children["type"])
        assert read(repair, {"op": "add", "path": FIRST, "value": {"type": "fan"}}) == [("add", FIRST, {"type": "fan"})]
        assert repair.asked == []

    def test_without_a_part_the_value_is_one_of_the_element(self) -> None:
        """A value that is meant for no part is repaired as an element, never as an array of them."""
        repair = Scripted(part=None, value={"type": "fan"})
        assert read(repair, {"op": "add", "path": FIRST, "value": "fan"}) == [("add", FIRST, {"type": "fan"})]
        assert repair.asked == [("part", "parts", "fan"), ("value", "parts", "fan")]

    def test_nothing_for_an_element(self) -> None:
        """Null unassigns the elements selected."""
        assert read(Scripted(), {"op": "replace", "path": FIRST, "value": None}) == [("replace", FIRST, UNASSIGNED)]

    def test_no_part_where_a_path_goes_on(self) -> None:
        """A path that ends at a sub-attribute says which part is meant."""
        repair = Scripted(part=PARTS.children["type"], values=["red"])
        entry = {"op": "replace", "path": f"{FIRST}.colors", "value": "red"}
        assert read(repair, entry) == [("replace", f"{FIRST}.colors", ["red"])]
        assert repair.asked == [("values", "parts.colors", "red")]

    def test_no_part_of_a_singular_value(self) -> None:
        """A filter on a singular complex value selects all of it: the value is read as the attribute's."""
        repair = Scripted(part=DEVICE.attributes["site"].children["city"], value={"city": "Bonn"})
        entry = {"op": "add", "path": 'site[city eq "Ulm"]', "value": "Bonn"}
        assert read(repair, entry) == [("add", 'site[city eq "Ulm"]', {"city": "Bonn"})]
        assert repair.asked == [("value", "site", "Bonn")]


class TestReferences:
    """References that have their `$ref` and no `value`, and whose `value` is taken away."""

    @pytest.mark.parametrize("op", ["add", "replace"])
    @pytest.mark.parametrize("wrapped", [False, True])
    def test_asked_for_a_reference_by_uri(self, op: str, wrapped: bool) -> None:
        """The repair is told the reference, alone or in an array of one, and its answer is the value."""
        repair = Scripted(value={"value": "7"})
        value = {"$ref": "/Users/7"}
        assert read(repair, {"op": op, "path": "owner", "value": [value] if wrapped else value}) == [
            (op, "owner", {"value": "7"})
        ]
        assert repair.asked == [("value", "owner", value)]

    def test_not_asked_for_a_reference_with_its_value(self) -> None:
        """A `value` beside the `$ref` is what counts."""
        repair = Scripted()
        entry = {"op": "add", "path": "owner", "value": {"value": "7", "$ref": "/Users/8"}}
        assert read(repair, entry) == [("add", "owner", {"value": "7"})]
        assert repair.asked == []

    @pytest.mark.parametrize("value", [[], ["7"], [{"$ref": "/Users/7"}, {"$ref": "/Users/8"}], "7"])
    def test_what_is_no_reference_is_a_value_of_the_wrong_type(self, value: object) -> None:
        """Several references, none, or a text are told as they are, for the one value they may stand for."""
        repair = Scripted(value={"value": "7"})
        assert read(repair, {"op": "add", "path": "owner", "value": value}) == [("add", "owner", {"value": "7"})]
        assert repair.asked == [("value", "owner", value)]

    def test_members_are_asked_for_one_by_one(self) -> None:
        """Of several references each is told by itself, and the array stays one."""
        repair = Scripted(value=lambda _, value: {"value": value["$ref"][-1]})
        entry = {"op": "add", "path": "members", "value": [{"$ref": "/Users/7"}]}
        assert read(repair, entry, of=GROUP) == [("add", "members", [{"value": "7"}])]
        assert repair.asked == [("value", "members", {"$ref": "/Users/7"})]

    def test_a_complex_value_that_is_no_reference_has_no_uri(self) -> None:
        """A `$ref` in another complex value is a name like any."""
        repair = Scripted(unknown=None)
        assert read(repair, {"op": "add", "path": "site", "value": {"$ref": "x"}}) == [("add", "site", UNASSIGNED)]
        assert repair.asked[-1][0] == "unknown"
        assert len(repair.asked) == 1

    @pytest.mark.parametrize("empty", [None, ""])
    def test_a_value_replaced_by_nothing_may_take_the_whole(self, empty: object) -> None:
        """Null or "" for a sub-attribute that its complex value cannot be without removes all of that."""
        entry = {"op": "replace", "path": "owner.value", "value": empty}
        repair = Scripted(clears_whole=True)
        assert read(repair, entry) == [("remove", "owner", UNASSIGNED)]
        assert repair.asked == [("clears_whole", "owner", "owner.value")]
        kept = UNASSIGNED if empty is None else empty
        assert read(Scripted(clears_whole=False), entry) == [("replace", "owner.value", kept)]

    def test_elements_that_lose_their_value_may_go(self) -> None:
        """Where a filter selects elements these go, and no others."""
        repair = Scripted(clears_whole=True)
        assert read(repair, {"op": "replace", "path": f"{FIRST}.type", "value": ""}) == [("remove", FIRST, UNASSIGNED)]
        assert read(repair, {"op": "remove", "path": f"{FIRST}.type"}) == [("remove", FIRST, UNASSIGNED)]
        assert repair.asked == [("clears_whole", "parts", "parts.type")] * 2

    def test_a_value_removed_may_take_the_whole(self) -> None:
        """A remove of such a sub-attribute is one of the complex value."""
        repair = Scripted(clears_whole=True)
        assert read(repair, {"op": "remove", "path": "owner.value"}) == [("remove", "owner", UNASSIGNED)]
        assert repair.asked == [("clears_whole", "owner", "owner.value")]
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
    def test_the_whole_is_not_asked_for(self, entry: dict[str, Any], operation: tuple[str, str, Any]) -> None:
        """Not for a value that is there, nor an add; nor where a path has no sub-attribute, or takes that of all."""
        repair = Scripted(clears_whole=True)
        assert read(repair, entry) == [operation]
        assert repair.asked == []


CLEARED: list[tuple[dict[str, Any], list[tuple[str, str, Any]]]] = [
    ({"city": None}, [("remove", "site.city", UNASSIGNED)]),
    ({"CITY": None}, [("remove", "site.city", UNASSIGNED)]),
    ({"floors": []}, [("remove", "site.floors", UNASSIGNED)]),
    ({"city": None, "floors": []}, [("remove", "site.city", UNASSIGNED), ("remove", "site.floors", UNASSIGNED)]),
    ({"city": None, "floors": [2]}, [("remove", "site.city", UNASSIGNED), ("replace", "site", {"floors": [2]})]),
    ({"city": ""}, [("replace", "site", {"city": ""})]),
    ({}, [("replace", "site", UNASSIGNED)]),
]


class TestParts:
    """A replace of a complex value that gives parts of it nothing (RFC 7643 section 2.5)."""

    @pytest.mark.parametrize(("value", "operations"), CLEARED)
    def test_parts_without_a_value_go(self, value: dict[str, Any], operations: list[tuple[str, str, Any]]) -> None:
        """Each part that is null or an empty array is removed; the others are replaced where there are any."""
        assert read(Scripted(), {"op": "replace", "path": "site", "value": value}) == operations
        assert read(Scripted(), {"op": "replace", "value": {"site": value}}) == operations

    def test_an_unknown_part_does_not_count(self) -> None:
        """A name that the complex value does not have is dropped as its repair says, and clears nothing."""
        repair = Scripted(unknown=None)
        entry = {"op": "replace", "path": "site", "value": {"odd": None, "city": None}}
        assert read(repair, entry) == [("remove", "site.city", UNASSIGNED)]

    def test_an_add_takes_nothing_away(self) -> None:
        """To add nothing changes nothing (RFC 7644 section 3.5.2.1)."""
        assert read(Scripted(), {"op": "add", "path": "site", "value": {"city": None, "floors": [2]}}) == [
            ("add", "site", {"floors": [2]})
        ]

    def test_a_reference_goes_as_one(self) -> None:
        """A reference is one value: without its `value` all of it goes."""
        assert read(Scripted(), {"op": "replace", "path": "owner", "value": {"value": None}}) == [
            ("replace", "owner", UNASSIGNED)
        ]

    def test_elements_are_replaced_as_they_are(self) -> None:
        """In the values of a multi-valued attribute, which are all replaced, nothing is left to clear."""
        repair = Scripted(values=lambda _, value: [value])
        entry = {"op": "replace", "path": "parts", "value": {"value": "x", "type": None}}
        assert read(repair, entry) == [("replace", "parts", [{"value": "x"}])]

    @pytest.mark.parametrize("name", ["reached", "$ref"])
    def test_parts_that_a_client_does_not_write_are_left(self, name: str) -> None:
        """Null for a readOnly sub-attribute or a `$ref` is passed over as a value for it is."""
        entry = {"op": "replace", "path": "target", "value": {name: None, "title": None, "kind": "x"}}
        assert read(Scripted(), entry, of=LINKS) == [
            ("remove", "target.title", UNASSIGNED),
            ("replace", "target", {"kind": "x"}),
        ]


class TestRemovals:
    """Removes that have a value."""

    def test_the_values_listed_are_read_as_those_of_the_attribute(self) -> None:
        """What the repair makes of the value is read like any, and may leave nothing to remove."""
        repair = Scripted(removal=[{"value": "x"}, {"value": "y"}])
        assert read(repair, {"op": "remove", "path": "parts", "value": "x y"}) == [
            ("remove", "parts", [{"value": "x"}, {"value": "y"}])
        ]
        assert repair.asked == [("removal", "parts", "x y")]
        for nothing in ([], None, [None]):
            assert read(Scripted(removal=nothing), {"op": "remove", "path": "tags", "value": "x"}) == [
                ("remove", "tags", [])
            ]

    def test_values_listed_of_a_sub_attribute(self) -> None:
        """The attribute at the end of the path is the one told, and read for."""
        repair = Scripted(removal=lambda _, value: [value], value="7")
        assert read(repair, {"op": "remove", "path": "parts.colors", "value": 7}) == [("remove", "parts.colors", ["7"])]
        assert repair.asked == [("removal", "parts.colors", 7), ("value", "parts.colors", 7)]

    def test_values_listed_of_a_sub_attribute_of_the_elements_selected(self) -> None:
        """A filter selects elements; which values of their sub-attribute go, the list says."""
        repair = Scripted(removal=["red"])
        entry = {"op": "remove", "path": f"{FIRST}.colors", "value": ["red"]}
        assert read(repair, entry) == [("remove", f"{FIRST}.colors", ["red"])]

    @pytest.mark.parametrize(
        ("path", "value"), [("label", "x"), ("site", {"city": "x"}), (FIRST, [{"value": "x"}]), ("tags", None)]
    )
    def test_not_asked_where_the_path_says_what_goes(self, path: str, value: object) -> None:
        """A singular attribute, elements that a filter selects, or a value of null: the path alone counts."""
        repair = Scripted(removal=[])
        assert read(repair, {"op": "remove", "path": path, "value": value}) == [("remove", path, UNASSIGNED)]
        assert repair.asked == []


class TestRefusal:
    """What is not in RFC form is refused unless a repair says otherwise."""

    def test_nothing_is_meant_by_what_is_not_said(self) -> None:
        """Neither a part, nor the whole, nor an element is guessed at, and no name of an operation."""
        refusal = RefusingPatchHandler()
        assert refusal.operation_name("Add") == "add"
        assert refusal.part(PARTS, "x") is None
        assert refusal.clears_whole(OWNER, OWNER.children["value"]) is False
        assert refusal.creates_elements(PARTS) is False
        with pytest.raises(InvalidFilter, match=r"^The value compared with parts\.size is not a number\.$"):
            refusal.compared(PARTS.children["size"], "3")

    def test_reading_refuses_without_a_repair(self) -> None:
        """A body is read as the RFC has it where no repair is given."""
        with pytest.raises(InvalidSyntax, match=r"^op must be add, remove or replace\.$"):
            read_operations(DEVICE, body({**ADD, "op": "Append"}))
