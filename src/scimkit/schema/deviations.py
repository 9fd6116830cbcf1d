"""What reading asks when a request is not in RFC form, and the answer that refuses.

This module reads nothing. Whoever repairs, as the dialects do, answers these questions.
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
    """The one value that means: the attribute has none (RFC 7643 section 2.5)."""

    def __repr__(self) -> str:
        return "UNASSIGNED"


UNASSIGNED: Final = _Unassigned()


Place: TypeAlias = tuple[Attribute | Mapping[str, Any], ...]
"""Attributes from a table down to the one that takes a value; the sub-attributes that one of the values of a
multi-valued attribute has stand after it."""


class DeviationHandler(Protocol):
    """What reading asks when a request is not in RFC form."""

    def value(self, attribute: Attribute, value: object) -> object:
        """A value of the attribute's type for one that is not, or `UNASSIGNED`; raises InvalidValue."""
        ...

    def values(self, attribute: Attribute, value: object) -> object:
        """An array for a multi-valued attribute that got none, or `UNASSIGNED`; raises InvalidValue."""
        ...

    def unknown(self, table: AttributeTable, name: str, value: object) -> Place | None:
        """Where a name that is not in the table belongs; None drops it.

        In an empty place its value belongs to the table as a whole. Raises InvalidSyntax to refuse it.
        """
        ...

    def schemas(self, resource_type: ResourceType, value: object) -> None:
        """Told that `schemas` is missing, malformed, or names other schemas; raises to refuse."""
        ...

    def embedded(self, attribute: Attribute, text: str) -> Mapping[str, object] | None:
        """Return the object whose JSON a `value` is, if it stands for all of the value; None if it is text."""
        ...

    def primaries(self, attribute: Attribute, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Values of which more than one is primary, made right; raises InvalidValue to refuse."""
        ...


class RefusingHandler:
    """The `DeviationHandler` that repairs nothing: the RFC and no more."""

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
