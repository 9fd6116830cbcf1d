"""The section of the RFC that a refused request violates, by kind of error, for the details of `strict`."""

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
"""The section of the RFC for each kind of error."""


def clause_of(error: ScimError, method: str) -> str | None:
    """Return the section of the RFC that a request with this method violated, or None if no section applies."""
    if type(error) is InvalidSyntax:
        return _BODY.get(method, "RFC 7644 section 3.4.2")
    return CLAUSES.get(type(error))
