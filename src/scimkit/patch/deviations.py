"""The interface through which dialects accept PATCH requests that deviate from the RFC.

The functions of `scimkit.patch` call a `PatchDeviationHandler` if a PATCH is not in RFC form. Dialects implement the
interface. The default, `RefusingPatchHandler`, refuses every deviation.
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
    """Dialects implement this protocol to accept PATCH requests that deviate from the RFC."""

    def operation_name(self, name: str) -> str | None:
        """Return `add`, `remove` or `replace` in place of another operation name. Return None to refuse the name."""
        ...

    def added(self, attribute: Attribute, value: object) -> object:
        """Return an array in place of a single value that is added to a multi-valued attribute.

        RFC 7644 section 3.5.2.1 shows such a value.
        """
        ...

    def message(self, schema: str) -> None:
        """Accept a body whose `schemas` does not have the URN of the PatchOp message.

        Raises:
            InvalidSyntax: The body is refused.
        """
        ...

    def extra_member(self, name: str) -> None:
        """Accept an unknown name in the body or in an operation. The name is then ignored.

        Raises:
            InvalidSyntax: The name is refused.
        """
        ...

    def name(self, resource_type: ResourceType, name: str) -> str | None:
        """Return the path for an unknown attribute name in the value of an operation. Return None to ignore the name.

        Raises:
            InvalidSyntax: The name is refused.
        """
        ...

    def path(self, resource_type: ResourceType, text: str) -> str | None:
        """Return a path in place of a path that names no attribute. Return None to ignore the operation.

        The result "" stands for the resource itself.

        Raises:
            InvalidPath: The path is refused.
        """
        ...

    def read_only(self, attribute: Attribute, in_value: bool) -> None:
        """Accept an operation that changes a readOnly attribute. The change is then ignored.

        Args:
            attribute: The readOnly attribute.
            in_value: True if the value of the operation names the attribute, False if the path names it.

        Raises:
            MutabilityViolation: The operation is refused.
        """
        ...

    def removal(self, attribute: Attribute, value: object) -> object:
        """Return the values to remove for a `remove` operation that has a value.

        Raises:
            InvalidSyntax: The operation is refused.
        """
        ...

    def part(self, attribute: Attribute, value: object) -> Attribute | None:
        """Return the sub-attribute for a value that is no object, if the path selects complete elements.

        Return None if the value has no such meaning.
        """
        ...

    def clears_whole(self, attribute: Attribute, sub_attribute: Attribute) -> bool:
        """Report whether an operation that unassigns a sub-attribute removes the complete complex value."""
        ...

    def without_path(self) -> None:
        """Accept an operation without a path, which is RFC form for `add` and `replace`.

        Raises:
            InvalidSyntax: The operation is refused.
        """
        ...

    def replaces_complex_value(self) -> bool:
        """Report whether `replace` of a singular complex attribute unassigns the sub-attributes that it omits.

        RFC 7644 section 3.5.2.3 keeps the sub-attributes that the operation omits.
        """
        ...

    def creates_elements(self, attribute: Attribute) -> bool:
        """Report whether `add` and `replace` create the element that their filter describes if no element matches."""
        ...

    def compared(self, attribute: Attribute, value: Value) -> Value:
        """Return a value of the attribute's type in place of a filter constant of another type.

        Raises:
            InvalidFilter: The constant is refused.
        """
        ...


class RefusingPatchHandler(RefusingHandler, RefusingFilterHandler):
    """The `PatchDeviationHandler` that refuses every deviation from the RFC."""

    def operation_name(self, name: str) -> str | None:
        return name.lower()  # `op` is not caseExact (RFC 7643 section 2.2)

    def added(self, attribute: Attribute, value: object) -> object:
        return [value]

    def message(self, schema: str) -> None:
        raise InvalidSyntax(f"schemas must be an array with {schema}.")

    def extra_member(self, name: str) -> None:
        raise InvalidSyntax(
            "A PATCH may have only schemas and Operations. An operation may have only op, path and value."
        )

    def name(self, resource_type: ResourceType, name: str) -> str | None:
        raise InvalidSyntax("The value of an operation has an attribute that the schema does not define.")

    def path(self, resource_type: ResourceType, text: str) -> str | None:
        raise InvalidPath(f"The path names an attribute that {resource_type.name} does not have.")

    def read_only(self, attribute: Attribute, in_value: bool) -> None:
        if not in_value:
            raise MutabilityViolation(f"{attribute.path} is read-only.")

    def removal(self, attribute: Attribute, value: object) -> object:
        raise InvalidSyntax("A remove operation cannot have a value. Select values with a filter in the path.")

    def part(self, attribute: Attribute, value: object) -> Attribute | None:
        return None

    def clears_whole(self, attribute: Attribute, sub_attribute: Attribute) -> bool:
        return False

    def without_path(self) -> None:
        return

    def replaces_complex_value(self) -> bool:
        return False

    def creates_elements(self, attribute: Attribute) -> bool:
        return False

    def compared(self, attribute: Attribute, value: Value) -> Value:
        return refuse_value(attribute, value)


REFUSE_DEVIATIONS: Final = RefusingPatchHandler()
