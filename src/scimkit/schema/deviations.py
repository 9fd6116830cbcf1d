"""The interface through which dialects accept documents that deviate from the RFC.

The functions in `scimkit.schema.reading` call a `DeviationHandler` if a document is not in RFC form. Dialects
implement the interface. The default, `RefusingHandler`, refuses every deviation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeAlias

from scimkit.errors import InvalidSyntax, InvalidValue
from scimkit.schema.attributes import Attribute, AttributeTable
from scimkit.schema.resource_types import ResourceType

_DESCRIBED: Final[Mapping[str, str]] = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "decimal": "a number",
    "dateTime": "a date and time such as 2011-05-13T04:42:34Z",
    "binary": "a base64 string",
    "reference": "a string with a URI or identifier",
    "complex": "an object",
}


class _Unassigned:
    """The type of `UNASSIGNED`, the marker of an attribute without a value (RFC 7643 section 2.5)."""

    def __repr__(self) -> str:
        return "UNASSIGNED"


UNASSIGNED: Final = _Unassigned()


Place: TypeAlias = tuple[Attribute | Mapping[str, Any], ...]
"""The attributes on the way from a table to the attribute that receives a value.

After a multi-valued attribute, a mapping of sub-attribute values selects the element.
"""


class DeviationHandler(Protocol):
    """Dialects implement this protocol to accept documents that deviate from the RFC.

    Every method either returns a replacement in RFC form or raises an error that refuses the request.
    """

    def value(self, attribute: Attribute, value: object) -> object:
        """Return a value of the attribute's type in place of a value of another type, or `UNASSIGNED`.

        Raises:
            InvalidValue: The value is refused.
        """
        ...

    def values(self, attribute: Attribute, value: object) -> object:
        """Return an array for a multi-valued attribute in place of a value that is no array, or `UNASSIGNED`.

        Raises:
            InvalidValue: The value is refused.
        """
        ...

    def unknown(self, table: AttributeTable, name: str, value: object) -> Place | None:
        """Return the place for the value of an unknown attribute name. Return None to ignore the name.

        An empty place means that the value is an object whose attributes belong to the table.

        Raises:
            InvalidSyntax: The name is refused.
        """
        ...

    def schemas(self, resource_type: ResourceType, value: object) -> None:
        """Accept a document whose `schemas` is missing, malformed, or names other schemas.

        Raises:
            InvalidSyntax: The document is refused.
        """
        ...

    def embedded(self, attribute: Attribute, text: str) -> Mapping[str, object] | None:
        """Return the object in a `value` that contains JSON text for a complex value. Return None to keep the text."""
        ...

    def primaries(self, attribute: Attribute, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the elements with at most one primary element, in place of elements with several.

        Raises:
            InvalidValue: The elements are refused.
        """
        ...


class RefusingHandler:
    """The `DeviationHandler` that refuses every deviation from the RFC."""

    def value(self, attribute: Attribute, value: object) -> object:
        if attribute.is_reference and type(value) is dict:
            raise InvalidValue(f"{attribute.path}.value is required.")
        raise InvalidValue(f"{attribute.path} must be {_DESCRIBED[attribute.type]}.")

    def values(self, attribute: Attribute, value: object) -> object:
        raise InvalidValue(f"{attribute.path} must be an array.")

    def unknown(self, table: AttributeTable, name: str, value: object) -> Place | None:
        raise InvalidSyntax("The request has an attribute that the schema does not define.")

    def schemas(self, resource_type: ResourceType, value: object) -> None:
        raise InvalidSyntax(
            f"schemas must be an array with {resource_type.schema} and the URNs of the extensions used."
        )

    def embedded(self, attribute: Attribute, text: str) -> Mapping[str, object] | None:
        return None

    def primaries(self, attribute: Attribute, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
        raise InvalidValue(f"{attribute.path} has more than one primary value.")


REFUSE_DEVIATIONS: Final = RefusingHandler()
