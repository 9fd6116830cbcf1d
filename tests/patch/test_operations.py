"""Examples of PatchOp bodies: the resulting operations, and the bodies that are refused."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit.errors import (
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    MutabilityViolation,
    NoTarget,
    ScimError,
)
from scimkit.patch.operations import MAX_OPERATIONS, PATCH_OP_SCHEMA, Operation, read_operations
from scimkit.schema.deviations import UNASSIGNED
from tests.resource_types import DEVICE, LEASE_SCHEMA

LEASE = LEASE_SCHEMA["id"]
SCHEMAS = [PATCH_OP_SCHEMA]


def body(*operations: Any) -> dict[str, Any]:
    """Return the body of a PATCH with some operations."""
    return {"schemas": SCHEMAS, "Operations": list(operations)}


def as_tuple(operation: Operation) -> tuple[str, str, Any]:
    """Return the name, path and value of an operation."""
    return operation.op, operation.path.leaf.path, operation.value


READ: list[tuple[dict[str, Any], list[tuple[str, str, Any]]]] = [
    ({"op": "add", "path": "label", "value": "x"}, [("add", "label", "x")]),
    ({"op": "replace", "path": "LABEL", "value": "x"}, [("replace", "label", "x")]),
    ({"op": "replace", "path": "label", "value": None}, [("replace", "label", UNASSIGNED)]),
    ({"op": "add", "path": "tags", "value": ["x", "x"]}, [("add", "tags", ["x"])]),
    ({"op": "replace", "path": "tags", "value": []}, [("replace", "tags", UNASSIGNED)]),
    ({"op": "replace", "path": "ports", "value": 2}, [("replace", "ports", 2)]),
    ({"op": "replace", "path": 'tags[value eq "x"]', "value": "y"}, [("replace", "tags", "y")]),
    ({"op": "add", "path": "parts[size eq 1].colors", "value": ["red"]}, [("add", "parts.colors", ["red"])]),
    ({"op": "remove", "path": "label"}, [("remove", "label", UNASSIGNED)]),
    ({"op": "remove", "path": "label", "value": "x"}, [("remove", "label", UNASSIGNED)]),
    ({"op": "remove", "path": "tags", "value": None}, [("remove", "tags", UNASSIGNED)]),
    ({"op": "remove", "path": "parts[size eq 1]", "value": [1]}, [("remove", "parts", UNASSIGNED)]),
    ({"op": "add", "value": {"label": "x", "PORTS": 1}}, [("add", "label", "x"), ("add", "ports", 1)]),
    ({"op": "add", "path": "", "value": {"label": "x"}}, [("add", "label", "x")]),
    ({"op": "add", "path": None, "value": {"label": "x"}}, [("add", "label", "x")]),
    ({"op": "add", "value": {}}, []),
    ({"op": "add", "value": {DEVICE.schema.upper(): {"label": "x"}}}, [("add", "label", "x")]),
    (
        {"op": "add", "value": {DEVICE.schema: {"label": "x"}, "ports": 1}},
        [("add", "label", "x"), ("add", "ports", 1)],
    ),
    ({"op": "add", "value": {LEASE: {"terms": {"text": "x"}}}}, [("add", f"{LEASE}:terms", {"text": "x"})]),
    ({"op": "add", "path": "schemas", "value": ["x"]}, []),
    ({"op": "remove", "path": "schemas"}, []),
    ({"op": "add", "path": "owner.$ref", "value": "x"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "operations"), READ)
def test_read(entry: dict[str, Any], operations: list[tuple[str, str, Any]]) -> None:
    """An operation gets a resolved path and a canonical value. Without a path, each attribute becomes an operation."""
    assert [as_tuple(each) for each in read_operations(DEVICE, body(entry))] == operations


def test_order_and_case_of_names() -> None:
    """Operations keep their order. Names in the body and in operations may have any case."""
    entries = [{"OP": "add", "Path": "label", "VALUE": "x"}, {"op": "remove", "path": "ports"}]
    found = read_operations(DEVICE, {"SCHEMAS": [*SCHEMAS, "urn:x"], "operations": entries})
    assert [as_tuple(each) for each in found] == [("add", "label", "x"), ("remove", "ports", UNASSIGNED)]


LABEL = {"op": "add", "path": "label", "value": "x"}
EXTRA = "A PATCH may have only schemas and Operations. An operation may have only op, path and value."
NAMES = f"schemas must be an array with {PATCH_OP_SCHEMA}."
EMPTY = "Operations must be an array with at least one operation."
NO_VALUE = "An operation without a path must have an object as its value."
OP = "op must be add, remove or replace."
NOT_THERE = "The path names an attribute that Device does not have."
REFUSED: list[tuple[dict[str, Any], type[ScimError], str | None]] = [
    ({"Operations": [LABEL]}, InvalidSyntax, NAMES),
    ({"schemas": PATCH_OP_SCHEMA, "Operations": [LABEL]}, InvalidSyntax, NAMES),
    ({"schemas": ["urn:x"], "Operations": [LABEL]}, InvalidSyntax, NAMES),
    ({"schemas": SCHEMAS}, InvalidSyntax, EMPTY),
    ({"schemas": SCHEMAS, "Operations": []}, InvalidSyntax, EMPTY),
    ({"schemas": SCHEMAS, "Operations": LABEL}, InvalidSyntax, EMPTY),
    ({"schemas": SCHEMAS, "Operations": [LABEL], "more": 1}, InvalidSyntax, EXTRA),
    (body("add"), InvalidSyntax, "An operation must be an object."),
    (body({**LABEL, "more": 1}), InvalidSyntax, EXTRA),
    (body({"path": "label", "value": "x"}), InvalidSyntax, OP),
    (body({**LABEL, "op": "Append"}), InvalidSyntax, OP),
    (body({**LABEL, "op": 1}), InvalidSyntax, OP),
    (body({"op": "remove"}), NoTarget, "A remove operation must have a path."),
    (body({"op": "remove", "path": ""}), NoTarget, "A remove operation must have a path."),
    (body({"op": "add", "path": 1, "value": 1}), InvalidPath, "The path must be a string."),
    (body({"op": "add", "path": "label"}), InvalidValue, "An operation with op add must have a value."),
    (body({"op": "replace", "path": "label"}), InvalidValue, "An operation with op replace must have a value."),
    (body({"op": "add"}), InvalidValue, NO_VALUE),
    (body({"op": "add", "value": "x"}), InvalidValue, NO_VALUE),
    (
        body({"op": "add", "value": {"nothing": 1}}),
        InvalidSyntax,
        "The value of an operation has an attribute that the schema does not define.",
    ),
    (
        body({"op": "add", "value": {DEVICE.schema: 1}}),
        InvalidSyntax,
        "The value of an operation has an attribute that the schema does not define.",
    ),
    (body({"op": "add", "path": "nothing", "value": 1}), InvalidPath, NOT_THERE),
    (body({"op": "add", "path": "parts[size eq 1].no", "value": 1}), InvalidPath, NOT_THERE),
    (body({"op": "add", "path": "id", "value": "x"}), MutabilityViolation, "id is read-only."),
    (body({"op": "remove", "path": "meta.version"}), MutabilityViolation, "meta is read-only."),
    (
        body({"op": "replace", "path": "owner.displayName", "value": "x"}),
        MutabilityViolation,
        "owner.displayName is read-only.",
    ),
    (
        body({"op": "remove", "path": "tags", "value": ["x"]}),
        InvalidSyntax,
        "A remove operation cannot have a value. Select values with a filter in the path.",
    ),
    (body({"op": "add", "path": "ports", "value": "x"}), InvalidValue, "ports must be a whole number."),
    (body({"op": "add", "path": "site", "value": "x"}), InvalidValue, "site must be an object."),
    (body({"op": "replace", "path": "site", "value": ["x"]}), InvalidValue, "site must be an object."),
    (body({"op": "replace", "path": "tags", "value": "x"}), InvalidValue, "tags must be an array."),
    (body({"op": "add", "path": 'tags[value eq "x"]', "value": ["y"]}), InvalidValue, "tags must be a string."),
    (body({"op": "add", "path": "parts[size eq 1]", "value": [{}]}), InvalidValue, "parts must be an object."),
    (
        body({"op": "add", "path": "site", "value": {"nothing": 1}}),
        InvalidSyntax,
        "The request has an attribute that the schema does not define.",
    ),
    (body({"op": None, "path": "label", "value": "x"}), InvalidSyntax, OP),
    (body(LABEL, {"op": "remove"}), NoTarget, "A remove operation must have a path."),
    (body({"op": "add", "path": 'parts[size eq "x"].type', "value": "x"}), InvalidFilter, None),
    (body({"op": "add", "path": "parts[size", "value": "x"}), InvalidPath, None),
]


@pytest.mark.parametrize(("request_body", "error", "detail"), REFUSED)
def test_refused(request_body: dict[str, Any], error: type[ScimError], detail: str | None) -> None:
    """A body that is no PatchOp or does not fit the schema is refused (RFC 7644 sections 3.5.2 and 3.12)."""
    with pytest.raises(error) as caught:
        read_operations(DEVICE, request_body)
    if detail is not None:
        assert caught.value.detail == detail


def test_what_the_rfc_allows() -> None:
    """`op` ignores case, one added value counts as an array, and readOnly attributes in a value are ignored."""
    ignored = {"id": "y", "label": "z"}
    operations = body({"op": "ADD", "path": "tags", "value": "x"}, {"op": "Replace", "value": ignored})
    read = [(each.op, each.path.attribute.name, each.value) for each in read_operations(DEVICE, operations)]
    assert read == [("add", "tags", ["x"]), ("replace", "label", "z")]


def test_number_of_operations() -> None:
    """A PATCH may have at most 1000 operations."""
    assert MAX_OPERATIONS == 1000
    assert len(read_operations(DEVICE, body(*[LABEL] * 1000))) == 1000
    with pytest.raises(InvalidSyntax, match=r"^A PATCH may have at most 1000 operations\.$"):
        read_operations(DEVICE, body(*[LABEL] * 1001))
