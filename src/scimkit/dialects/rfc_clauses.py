"""The clause that a refused request breaks, for dialects that name it. Only a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scimkit.errors import (
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    MutabilityViolation,
    NotAcceptable,
    NoTarget,
    ScimError,
    Sensitive,
    Uniqueness,
)

_BODY: Final[Mapping[str, str]] = {
    "POST": "RFC 7644 section 3.3",
    "PUT": "RFC 7644 section 3.5.1",
    "PATCH": "RFC 7644 section 3.5.2",
}

CLAUSES: Final[Mapping[type[ScimError], str]] = {
    InvalidFilter: "RFC 7644 section 3.4.2.2",
    InvalidPath: "RFC 7644 section 3.5.2",
    InvalidValue: "RFC 7643 section 2.3",
    NoTarget: "RFC 7644 section 3.5.2",
    MutabilityViolation: "RFC 7643 section 7",
    Uniqueness: "RFC 7643 section 7",
    NotAcceptable: "RFC 7644 section 3.8",
    Sensitive: "RFC 7644 section 7.5.2",
}
"""The clause of each kind of error."""


def clause_of(error: ScimError, method: str) -> str | None:
    """The clause that a request of a method broke; None where an error is of no clause."""
    if type(error) is InvalidSyntax:
        return _BODY.get(method, "RFC 7644 section 3.4.2")
    return CLAUSES.get(type(error))
