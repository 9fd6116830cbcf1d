"""What reading and applying a PATCH ask when it is not in RFC form, and the answer that refuses.

This module reads nothing. Whoever repairs, as the dialects do, answers these questions.
"""

from __future__ import annotations

from typing import Final, Protocol

from scimkit.errors import InvalidPath, InvalidSyntax, MutabilityViolation
from scimkit.filters.ast import Value
from scimkit.filters.comparisons import refuse_value
from scimkit.filters.parser import FilterDeviationHandler, RefusingFilterHandler
from scimkit.schema.attributes import Attribute
from scimkit.schema.deviations import DeviationHandler, RefusingHandler
from scimkit.schema.resource_types import ResourceType


class PatchDeviationHandler(DeviationHandler, FilterDeviationHandler, Protocol):
    """What reading a PATCH asks when it is not in RFC form."""

    def operation_name(self, name: str) -> str | None:
        """An operation name for one that is none; None refuses it."""
        ...

    def added(self, attribute: Attribute, value: object) -> object:
        """Return the array for one value that is added to a multi-valued attribute (RFC 7644 section 3.5.2.1)."""
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
        """A path for one that names no attribute, "" for the resource itself; None drops the operation.

        Raises InvalidPath to refuse.
        """
        ...

    def read_only(self, attribute: Attribute, in_value: bool) -> None:
        """Told of a change to a readOnly attribute, which is then dropped; raises MutabilityViolation."""
        ...

    def removal(self, attribute: Attribute, value: object) -> object:
        """The values to remove, for a `remove` that has a value; raises InvalidSyntax to refuse."""
        ...

    def part(self, attribute: Attribute, value: object) -> Attribute | None:
        """The sub-attribute that is meant by a value that is no object, where a path selects whole elements."""
        ...

    def clears_whole(self, attribute: Attribute, sub_attribute: Attribute) -> bool:
        """Whether the complex value goes with the sub-attribute, which is left without a value."""
        ...

    def creates_elements(self, attribute: Attribute) -> bool:
        """Whether add and replace create the element their filter describes when there is none."""
        ...

    def compared(self, attribute: Attribute, value: Value) -> Value:
        """A value of the attribute's type for a filter that compares with another; raises InvalidFilter."""
        ...


class RefusingPatchHandler(RefusingHandler, RefusingFilterHandler):
    """The `PatchDeviationHandler` that repairs nothing: the RFC and no more."""

    def operation_name(self, name: str) -> str | None:
        return name.lower()  # `op` is not caseExact (RFC 7643 section 2.2)

    def added(self, attribute: Attribute, value: object) -> object:
        return [value]

    def message(self, schema: str) -> None:
        raise InvalidSyntax(f"schemas must be an array with {schema}.")

    def extra_member(self, name: str) -> None:
        raise InvalidSyntax("A PATCH has only schemas and Operations; an operation only op, path and value.")

    def name(self, resource_type: ResourceType, name: str) -> str | None:
        raise InvalidSyntax("The value of an operation has an attribute that the schema does not define.")

    def path(self, resource_type: ResourceType, text: str) -> str | None:
        raise InvalidPath(f"The path names an attribute that {resource_type.name} does not have.")

    def read_only(self, attribute: Attribute, in_value: bool) -> None:
        if not in_value:
            raise MutabilityViolation(f"{attribute.path} is read-only.")

    def removal(self, attribute: Attribute, value: object) -> object:
        raise InvalidSyntax("A remove operation takes no value; select values with a filter in its path.")

    def part(self, attribute: Attribute, value: object) -> Attribute | None:
        return None

    def clears_whole(self, attribute: Attribute, sub_attribute: Attribute) -> bool:
        return False

    def creates_elements(self, attribute: Attribute) -> bool:
        return False

    def compared(self, attribute: Attribute, value: Value) -> Value:
        return refuse_value(attribute, value)


REFUSE_DEVIATIONS: Final = RefusingPatchHandler()
