"""PatchOp body to operations: every one with a resolved path and a canonical value.

An operation without a path becomes one operation for each attribute of its value. What is not in RFC
form is not guessed: a `PatchRepair` is asked. This module never sees a document.
Source: RFC 7644 section 3.5.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias, get_args

from scimkit.errors import InvalidPath, InvalidSyntax, InvalidValue, MutabilityViolation, NoTarget
from scimkit.filters.ast import Value
from scimkit.filters.parser import Lenience
from scimkit.filters.parser import Strict as StrictFilters
from scimkit.filters.predicate import refuse_value
from scimkit.patch.paths import PatchPath, parse_path
from scimkit.schema.attributes import Attribute
from scimkit.schema.reading import UNASSIGNED, Refusal, Repair, read_element, read_value
from scimkit.schema.resource_types import ResourceType

PATCH_OP_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

MAX_OPERATIONS: Final = 1000
"""Operations one PATCH may have."""

OperationName: TypeAlias = Literal["add", "remove", "replace"]
_NAMES: Final[frozenset[str]] = frozenset(get_args(OperationName))
_MEMBERS: Final = frozenset({"op", "path", "value"})


@dataclass(slots=True)
class Operation:
    """One change at one path. `value` is canonical; `UNASSIGNED` removes, and for `remove` means all."""

    op: OperationName
    path: PatchPath
    value: Any = UNASSIGNED


class PatchRepair(Repair, Lenience, Protocol):
    """What reading a PATCH asks when it is not in RFC form."""

    def operation_name(self, name: str) -> str | None:
        """An operation name for one that is none; None refuses it."""
        ...

    def message(self, schema: str) -> None:
        """Told that the body does not name the schema of its message; raises InvalidSyntax to refuse."""
        ...

    def extra_member(self, name: str) -> None:
        """Told of a name that PatchOp does not have; raises InvalidSyntax to refuse."""
        ...

    def name(self, resource_type: ResourceType, name: str) -> str | None:
        """A path for a name in the value of an operation without a path; None drops it; raises to refuse."""
        ...

    def path(self, resource_type: ResourceType, text: str) -> str | None:
        """A path for one that names no attribute; None drops the operation; raises InvalidPath to refuse."""
        ...

    def read_only(self, attribute: Attribute, in_value: bool) -> None:
        """Told of a change to a readOnly attribute, which is then dropped; raises MutabilityViolation."""
        ...

    def removal(self, attribute: Attribute, value: object) -> object:
        """The values to remove, for a `remove` that has a value; raises InvalidSyntax to refuse."""
        ...

    def creates_elements(self, attribute: Attribute) -> bool:
        """Whether add and replace create the element their filter describes when there is none."""
        ...

    def compared(self, attribute: Attribute, value: Value) -> Value:
        """A value of the attribute's type for a filter that compares with another; raises InvalidFilter."""
        ...


class PatchRefusal(Refusal, StrictFilters):
    """The `PatchRepair` that repairs nothing: the RFC and no more."""

    def operation_name(self, name: str) -> str | None:
        return None

    def message(self, schema: str) -> None:
        raise InvalidSyntax(f"schemas must be an array with {schema}.")

    def extra_member(self, name: str) -> None:
        raise InvalidSyntax("A PATCH has only schemas and Operations; an operation only op, path and value.")

    def name(self, resource_type: ResourceType, name: str) -> str | None:
        raise InvalidSyntax("The value of an operation has an attribute that the schema does not define.")

    def path(self, resource_type: ResourceType, text: str) -> str | None:
        raise InvalidPath(f"The path names an attribute that {resource_type.name} does not have.")

    def read_only(self, attribute: Attribute, in_value: bool) -> None:
        raise MutabilityViolation(f"{attribute.path} is read-only.")

    def removal(self, attribute: Attribute, value: object) -> object:
        raise InvalidSyntax("A remove operation takes no value; select values with a filter in its path.")

    def creates_elements(self, attribute: Attribute) -> bool:
        return False

    def compared(self, attribute: Attribute, value: Value) -> Value:
        return refuse_value(attribute, value)


REFUSE: Final = PatchRefusal()


def read_operations(
    resource_type: ResourceType, body: Mapping[str, Any], repair: PatchRepair = REFUSE
) -> list[Operation]:
    """The operations of a PatchOp body, in order.

    Raises: InvalidSyntax, InvalidPath, InvalidFilter, InvalidValue, MutabilityViolation, NoTarget.
    """
    members = {name.lower(): value for name, value in body.items()}
    schemas = members.pop("schemas", None)
    if type(schemas) is not list or PATCH_OP_SCHEMA not in schemas:
        repair.message(PATCH_OP_SCHEMA)
    entries = members.pop("operations", None)
    for name in members:
        repair.extra_member(name)
    if type(entries) is not list or not entries:
        raise InvalidSyntax("Operations must be an array with at least one operation.")
    if len(entries) > MAX_OPERATIONS:
        raise InvalidSyntax(f"A PATCH may have at most {MAX_OPERATIONS} operations.")
    operations: list[Operation] = []
    for entry in entries:
        _read_operation(resource_type, entry, repair, operations)
    return operations


def _read_operation(resource_type: ResourceType, entry: Any, repair: PatchRepair, into: list[Operation]) -> None:
    if type(entry) is not dict:
        raise InvalidSyntax("An operation must be an object.")
    members = entry if _MEMBERS.issuperset(entry) else _members(entry, repair)
    op = _operation_name(members.get("op"), repair)
    text, value = members.get("path"), members.get("value")
    if text is None or text == "":
        if op == "remove":
            raise NoTarget("A remove operation must have a path.")
        _read_pathless(resource_type, op, value, repair, into)
    elif type(text) is not str:
        raise InvalidPath("The path must be a string.")
    else:
        if value is None and op != "remove" and "value" not in members:
            raise InvalidValue(f"An operation that {op}s must have a value.")
        path = _resolve(resource_type, text, repair)
        if path is not None:
            _read_at(path, op, value, repair, into, in_value=False)


def _members(entry: Mapping[str, Any], repair: PatchRepair) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in entry.items():
        if name.lower() in members:
            raise InvalidSyntax("An operation has op, path and value once each.")
        if name.lower() in _MEMBERS:
            members[name.lower()] = value
        else:
            repair.extra_member(name)
    return members


def _operation_name(name: object, repair: PatchRepair) -> OperationName:
    if type(name) is str and name not in _NAMES:
        name = repair.operation_name(name)
    if type(name) is not str or name not in _NAMES:
        raise InvalidSyntax("op must be add, remove or replace.")
    return name  # type: ignore[return-value]  # checked by `in _NAMES`


def _read_pathless(
    resource_type: ResourceType, op: OperationName, value: object, repair: PatchRepair, into: list[Operation]
) -> None:
    """An operation on the resource itself: its value is a set of attributes (RFC 7644 section 3.5.2.1)."""
    if type(value) is not dict:
        raise InvalidValue("An operation without a path must have an object as its value.")
    for name, item in value.items():
        attribute = resource_type.attributes.find(name)
        if attribute is not None:
            path: PatchPath | None = PatchPath(attribute)
        elif name.lower() == resource_type.schema.lower() and type(item) is dict:
            _read_pathless(resource_type, op, item, repair, into)
            continue
        else:
            text = repair.name(resource_type, name)
            path = None if text is None else _resolve(resource_type, text, repair)
        if path is not None:
            _read_at(path, op, item, repair, into, in_value=True)


def _resolve(resource_type: ResourceType, text: str, repair: PatchRepair) -> PatchPath | None:
    path = parse_path(text, resource_type, repair, repair.compared)
    if path is None:
        rewritten = repair.path(resource_type, text)
        if rewritten is None:
            return None
        path = parse_path(rewritten, resource_type, repair, repair.compared)
        if path is None:
            raise InvalidPath(f"The path names an attribute that {resource_type.name} does not have.")
    return path


def _read_at(
    path: PatchPath, op: OperationName, value: object, repair: PatchRepair, into: list[Operation], *, in_value: bool
) -> None:
    """Note the operation at a path, its value read into canonical form."""
    leaf = path.leaf
    if leaf.name == "schemas" and leaf.multi_valued:
        return  # kept in step with the extensions by whoever applies the operations
    for attribute in (path.attribute, leaf):
        if attribute.mutability == "readOnly":
            repair.read_only(attribute, in_value)
            return
    if leaf.name == "$ref":
        return
    if op == "remove":
        into.append(_removal(path, value, repair))
    elif path.sub_attribute is None and path.filter is not None and leaf.multi_valued:
        into.append(Operation(op, path, read_element(leaf, value, repair)))
    else:
        into.append(Operation(op, path, read_value(leaf, value, repair)))


def _removal(path: PatchPath, value: object, repair: PatchRepair) -> Operation:
    """A `remove` by path alone, or by the values it lists where the repair allows that."""
    if value is None or path.filter is not None or not path.leaf.multi_valued:
        return Operation("remove", path)
    values = read_value(path.leaf, repair.removal(path.leaf, value), repair)
    return Operation("remove", path, [] if values is UNASSIGNED else values)
