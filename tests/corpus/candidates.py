"""A candidate for the corpus: a question with the section of the RFC that decides its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from scimkit.patch import PATCH_OP_SCHEMA

FILTERS: Final = "RFC 7644 §3.4.2.2"
NAMES: Final = "RFC 7643 §2.1"
CASE_EXACT: Final = "RFC 7643 §2.2"
NOTATION: Final = "RFC 7644 §3.10"
PATCH: Final = "RFC 7644 §3.5.2"
ADD: Final = "RFC 7644 §3.5.2.1"
REMOVE: Final = "RFC 7644 §3.5.2.2"
REPLACE: Final = "RFC 7644 §3.5.2.3"
CLAUSE_OF: Final = {"add": ADD, "remove": REMOVE, "replace": REPLACE}

Result = Mapping[str, Any]

ANY_400: Final[Result] = {"error": {"status": 400}}
"""Every error with status 400, where the RFC asks for no particular `scimType`."""

USER: Final = ("User", "EnterpriseUser")
GROUP: Final = ("Group",)
DEVICE: Final = ("Device", "Lease")
BASE: Final[dict[str, dict[str, Any]]] = {
    "User": {"userName": "ada"}, "Group": {"displayName": "Agents"}, "Device": {"serial": "S-1", "label": "Lamp"},
}  # fmt: skip
"""The smallest document of each schema."""


@dataclass(frozen=True)
class Candidate:
    """A question. `results` are the expected result and the others that the RFC allows; () asks the reference model."""

    kind: Literal["filter", "patch"]
    clause: str
    rule: str
    schemas: tuple[str, ...]
    document: Mapping[str, Any]
    request: Any
    results: tuple[Result, ...] = ()
    sent_by: tuple[str, ...] = ()


def error(scim_type: str) -> Result:
    """Return the result 400 with a `scimType`."""
    return {"error": {"status": 400, "scimType": scim_type}}


def body(*operations: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a PATCH."""
    return {"schemas": [PATCH_OP_SCHEMA], "Operations": [dict(each) for each in operations]}
