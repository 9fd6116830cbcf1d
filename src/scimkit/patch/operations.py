"""Functions that convert a PatchOp body to operations with resolved paths and canonical values.

An operation without a path becomes one operation for each attribute of its value. If the body is not in RFC form, a
`PatchDeviationHandler` is asked. This module never looks at a document.
Source: RFC 7644 section 3.5.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, get_args

from scimkit.errors import InvalidPath, InvalidSyntax, InvalidValue, NoTarget
from scimkit.patch.deviations import REFUSE_DEVIATIONS, PatchDeviationHandler
from scimkit.patch.paths import PatchPath, parse_path
from scimkit.schema.attributes import Attribute
from scimkit.schema.deviations import UNASSIGNED
from scimkit.schema.reading import points_by_uri, read_element, read_value
from scimkit.schema.resource_types import ResourceType

PATCH_OP_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

MAX_OPERATIONS: Final = 1000
"""Maximum number of operations in one PATCH."""

OperationName: TypeAlias = Literal["add", "remove", "replace"]
_NAMES: Final[frozenset[str]] = frozenset(get_args(OperationName))
_MEMBERS: Final = frozenset({"op", "path", "value"})
_MESSAGE: Final = frozenset({"schemas", "Operations"})
_MESSAGE_NAMES: Final = {name.lower(): name for name in _MESSAGE}


@dataclass(slots=True)
class Operation:
    """An operation of a PATCH with a resolved path and a canonical value.

    In a `replace` operation, the value `UNASSIGNED` removes the attribute. In a `remove` operation, `UNASSIGNED` means
    all values, and a list means the listed values only.
    """

    op: OperationName
    path: PatchPath
    value: Any = UNASSIGNED


def read_operations(
    resource_type: ResourceType,
    body: Mapping[str, Any],
    deviations: PatchDeviationHandler = REFUSE_DEVIATIONS,
    max_operations: int = MAX_OPERATIONS,
) -> list[Operation]:
    """Return the operations of a PatchOp body in order.

    Args:
        resource_type: The resource type that the operations change.
        body: The parsed PatchOp body.
        deviations: Rewrites or refuses operations that are not in RFC form. The default refuses them.
        max_operations: Maximum number of operations in the body.

    Raises:
        InvalidFilter: The filter in a path is not valid.
        InvalidPath: A path is not valid, or names no attribute.
        InvalidSyntax: The body is not a valid PatchOp, or has too many operations.
        InvalidValue: A value is missing, or does not fit its attribute.
        MutabilityViolation: An operation changes a readOnly attribute.
        NoTarget: A `remove` operation has no path.
    """
    members = body
    if body.keys() != _MESSAGE:
        members = {_MESSAGE_NAMES.get(lower := name.lower(), lower): value for name, value in body.items()}
        if sum(name.lower() in _MESSAGE_NAMES for name in body) > len(members.keys() & _MESSAGE):
            raise InvalidSyntax("The PATCH repeats schemas or Operations. Send each of them once.")
    schemas, entries = members.get("schemas"), members.get("Operations")
    if type(schemas) is not list or PATCH_OP_SCHEMA not in schemas:
        deviations.message(PATCH_OP_SCHEMA)
    for name in members.keys() - _MESSAGE if members is not body else ():
        deviations.extra_member(name)
    if type(entries) is not list or not entries:
        raise InvalidSyntax("Operations must be an array with at least one operation.")
    if len(entries) > max_operations:
        raise InvalidSyntax(f"A PATCH may have at most {max_operations} operations.")
    operations: list[Operation] = []
    for entry in entries:
        _read_operation(resource_type, entry, deviations, operations)
    return operations


def _read_operation(
    resource_type: ResourceType, entry: Any, deviations: PatchDeviationHandler, into: list[Operation]
) -> None:
    if type(entry) is not dict:
        raise InvalidSyntax("An operation must be an object.")
    members = entry if _MEMBERS.issuperset(entry) else _members(entry, deviations)
    op = _operation_name(members.get("op"), deviations)
    text, value = members.get("path"), members.get("value")
    if text is None or text == "":
        deviations.without_path()
        _read_pathless(resource_type, op, value, deviations, into)
    elif type(text) is not str:
        raise InvalidPath("The path must be a string.")
    else:
        if value is None and op != "remove" and "value" not in members:
            raise InvalidValue(f"An operation with op {op} must have a value.")
        path = _resolve(resource_type, text, deviations)
        if isinstance(path, PatchPath):
            if type(value) is path.plain and value != "" and op != "remove":
                into.append(Operation(op, path, value))
                return
            _read_with_path(resource_type, path, op, value, deviations, into, in_value=False)
        elif path is not None:
            _read_pathless(resource_type, op, value, deviations, into)


def _members(entry: Mapping[str, Any], deviations: PatchDeviationHandler) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in entry.items():
        if name.lower() in members:
            raise InvalidSyntax("An operation repeats op, path or value. Send each of them once.")
        if name.lower() in _MEMBERS:
            members[name.lower()] = value
        else:
            deviations.extra_member(name)
    return members


def _operation_name(name: object, deviations: PatchDeviationHandler) -> OperationName:
    if type(name) is str and name not in _NAMES:
        name = deviations.operation_name(name)
    if type(name) is not str or name not in _NAMES:
        raise InvalidSyntax("op must be add, remove or replace.")
    return name  # type: ignore[return-value]  # checked by `in _NAMES`


def _read_pathless(
    resource_type: ResourceType,
    op: OperationName,
    value: object,
    deviations: PatchDeviationHandler,
    into: list[Operation],
) -> None:
    """Read an operation without a path, whose value is an object of attributes (RFC 7644 section 3.5.2.1)."""
    if op == "remove":
        raise NoTarget("A remove operation must have a path.")
    if type(value) is not dict:
        raise InvalidValue("An operation without a path must have an object as its value.")
    for name, item in value.items():
        attribute = resource_type.attributes.find(name)
        if attribute is None and name.lower() == resource_type.schema.lower() and type(item) is dict:
            _read_pathless(resource_type, op, item, deviations, into)
        else:
            path = (
                PatchPath(attribute)
                if attribute is not None
                else _path_of_unknown_name(resource_type, name, deviations)
            )
            if path is not None:
                _read_with_path(resource_type, path, op, item, deviations, into, in_value=True)


def _read_with_path(
    resource_type: ResourceType, path: PatchPath, op: OperationName, value: object, deviations: PatchDeviationHandler,
    into: list[Operation], *, in_value: bool,
) -> None:  # fmt: skip
    """Read an operation with a path. If the path names an extension, read each attribute of the value separately."""
    whole = path.attribute.is_extension and path.filter is None
    if whole and type(value) is dict and value and op != "remove":
        _read_extension(resource_type, path.attribute, op, value, deviations, into)
    else:
        _read_at(path, op, value, deviations, into, in_value=in_value)


def _read_extension(
    resource_type: ResourceType, extension: Attribute, op: OperationName, value: Mapping[str, object],
    deviations: PatchDeviationHandler, into: list[Operation],
) -> None:  # fmt: skip
    """Read an operation on an extension as one operation for each attribute of its value."""
    urn = extension.name
    for name, item in value.items():
        attribute = extension.children.find(name)
        if attribute is not None:
            path: PatchPath | None = PatchPath(attribute, extension=extension)
        else:
            path = _path_of_unknown_name(
                resource_type, name if name.lower().startswith(urn.lower()) else f"{urn}:{name}", deviations
            )
        if path is not None:
            _read_at(path, op, item, deviations, into, in_value=True)


def _path_of_unknown_name(
    resource_type: ResourceType, name: str, deviations: PatchDeviationHandler
) -> PatchPath | None:
    """Ask the deviation handler for the path of an unknown attribute name. Return None to ignore the name."""
    text = deviations.name(resource_type, name)
    path = None if text is None else _resolve(resource_type, text, deviations)
    return path if isinstance(path, PatchPath) else None


def _resolve(resource_type: ResourceType, text: str, deviations: PatchDeviationHandler) -> PatchPath | str | None:
    """Parse a path. If the path names no attribute, ask the deviation handler.

    Return "" if the operation applies to the resource itself. Return None to ignore the operation.
    """
    path = parse_path(text, resource_type, deviations, deviations.compared)
    if path is None:
        rewritten = deviations.path(resource_type, text)
        if not rewritten:
            return rewritten
        path = parse_path(rewritten, resource_type, deviations, deviations.compared)
        if path is None:
            raise InvalidPath(f"The path names an attribute that {resource_type.name} does not have.")
    return path


def _read_at(
    path: PatchPath,
    op: OperationName,
    value: object,
    deviations: PatchDeviationHandler,
    into: list[Operation],
    *,
    in_value: bool,
) -> None:
    """Append the operation at a path to `into`, with its value in canonical form."""
    leaf = path.leaf
    if leaf.name == "schemas" and leaf.multi_valued:
        return  # `apply_operations` derives `schemas` from the extensions
    for attribute in (path.attribute, leaf):
        if attribute.mutability == "readOnly":
            deviations.read_only(attribute, in_value)
            return
    if leaf.name == "$ref":
        return
    if op == "remove":
        into.append(_removal(path, value, deviations))
    elif path.sub_attribute is None and path.filter is not None and leaf.multi_valued:
        _read_for_elements(path, op, value, deviations, into, in_value=in_value)
    else:
        _append_operation(path, op, value, deviations, into)


def _append_operation(
    path: PatchPath, op: OperationName, value: object, deviations: PatchDeviationHandler, into: list[Operation]
) -> None:
    leaf = path.leaf
    if leaf.is_reference and not leaf.multi_valued:
        one = value[0] if type(value) is list and len(value) == 1 else value
        if type(one) is dict and points_by_uri(one):
            value = deviations.value(leaf, one)
    if op == "add" and leaf.multi_valued and value is not None and type(value) is not list:
        value = deviations.added(leaf, value)
    read = UNASSIGNED if value is UNASSIGNED else read_value(leaf, value, deviations)
    if op == "replace" and (read is UNASSIGNED or read == "") and _removes_complex_value(path, deviations):
        into.append(Operation("remove", replace(path, sub_attribute=None)))
        return
    replaces = op == "replace" and leaf.type == "complex"
    cleared = _cleared_sub_attributes(leaf, value, deviations) if replaces else None
    if cleared:
        into += [Operation("remove", replace(path, sub_attribute=each)) for each in cleared]
    if read is not UNASSIGNED or not cleared:
        into.append(Operation(op, path, read))


def _cleared_sub_attributes(attribute: Attribute, value: object, deviations: PatchDeviationHandler) -> list[Attribute]:
    """Return the sub-attributes that a `replace` of a complex value sets to null or to an empty array.

    Such a sub-attribute becomes unassigned (RFC 7643 section 2.5). The deviation handler may add the sub-attributes
    that the value omits. The result is empty for a reference, which has no separate parts.
    """
    if type(value) is not dict or attribute.multi_valued or attribute.is_reference:
        return []
    found = [attribute.children.find(name) for name, item in value.items() if item is None or item == []]
    if deviations.replaces_complex_value():
        given = {child.name for child in map(attribute.children.find, value) if child is not None}
        found += [child for child in attribute.children.values() if child.name not in given]
    return [each for each in found if each is not None and each.mutability != "readOnly" and each.name != "$ref"]


def _read_for_elements(
    path: PatchPath,
    op: OperationName,
    value: object,
    deviations: PatchDeviationHandler,
    into: list[Operation],
    *,
    in_value: bool,
) -> None:
    """Read an operation on the elements that a filter selects.

    If the value is not an object, the deviation handler may name the sub-attribute that the value belongs to.
    """
    part = None if type(value) is dict else deviations.part(path.attribute, value)
    if part is None:
        into.append(Operation(op, path, read_element(path.attribute, value, deviations)))
    elif part.mutability == "readOnly":
        deviations.read_only(part, in_value)
    else:
        into.append(Operation(op, replace(path, sub_attribute=part), read_value(part, value, deviations)))


def _removes_complex_value(path: PatchPath, deviations: PatchDeviationHandler) -> bool:
    return path.sub_attribute is not None and deviations.clears_whole(path.attribute, path.sub_attribute)


def _removal(path: PatchPath, value: object, deviations: PatchDeviationHandler) -> Operation:
    """Return a `remove` operation. A `remove` with a list of values needs the consent of the deviation handler."""
    one = path.filter is not None or not path.attribute.multi_valued
    if one and _removes_complex_value(path, deviations):
        return Operation("remove", replace(path, sub_attribute=None))
    whole = path.filter is not None and path.sub_attribute is None
    if value is None or whole or not path.leaf.multi_valued:
        return Operation("remove", path)
    values = read_value(path.leaf, deviations.removal(path.leaf, value), deviations)
    return Operation("remove", path, [] if values is UNASSIGNED else values)
