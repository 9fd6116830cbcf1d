"""Restrictions: requests in RFC form that a profile of SCIM refuses or reads in its own way.

A quirk accepts what the RFC refuses. A restriction is the opposite: it narrows what the RFC accepts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

RestrictionName: TypeAlias = Literal["path-required", "unknown-path-is-syntax", "complete-replace"]
"""The point at which the handler of a request asks for a restriction."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """A rule of a profile that is narrower than the RFC.

    Attributes:
        name: The point at which the rule is asked.
        summary: The request, and what becomes of it.
        source: The document and the section of the rule.
    """

    name: RestrictionName
    summary: str
    source: str


_DRAFT: Final = "draft-zollner-scim-interop-profile-01 section "

PATH_REQUIRED: Final = Restriction(
    "path-required", "An operation without a path is refused with `invalidSyntax`.", _DRAFT + "6.5.1.1"
)
UNKNOWN_PATH_IS_SYNTAX: Final = Restriction(
    "unknown-path-is-syntax",
    "A path with an unknown attribute is refused with `invalidSyntax`. The RFC has `invalidPath`.",
    _DRAFT + "5.3",
)
COMPLETE_REPLACE: Final = Restriction(
    "complete-replace",
    "`replace` of a singular complex attribute unassigns the sub-attributes that its value omits. The RFC keeps them.",
    _DRAFT + "6.5.2.1",
)
INTEROP_RESTRICTIONS: Final = (PATH_REQUIRED, UNKNOWN_PATH_IS_SYNTAX, COMPLETE_REPLACE)
"""The restrictions of the SCIM 2.0 Interoperability Profile."""
