"""What a quirk is: one habit of identity providers, and its rewrite to RFC form, as data.

A quirk is asked only where the engine would refuse the request, so it can never change what a request
in RFC form means. It returns `NOT_APPLICABLE` when the case is not its own. This module never applies
anything to a resource.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

Stage: TypeAlias = Literal[
    "attribute_path", "bare_value", "clears_whole", "compared", "conflict", "creates_elements", "embedded",
    "empty_filter", "empty_parameter", "endpoint", "extra_member", "looked_up", "marked_deleted", "media_type",
    "message", "name", "narrowed_value_path", "omitted", "operation_name", "parameter", "part", "path", "primaries",
    "read_only", "removal", "schemas", "single_quoted", "unacceptable", "unknown", "value", "values",
]  # fmt: skip
"""Where the engine asks: the methods of `scimkit.patch.operations.PatchDeviationHandler`, and some of the service."""


class _NotMine:
    def __repr__(self) -> str:
        return "NOT_MINE"


NOT_APPLICABLE: Final = _NotMine()
"""What a rewrite returns for a case that is not its own."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """One habit: what it is, who has it, where it is told of, and how it becomes RFC form.

    `rewrite` takes what the method of its `stage` takes and returns what that returns, or `NOT_APPLICABLE`.
    `safe` says why it cannot be misread.
    """

    name: str
    stage: Stage
    summary: str
    safe: str
    seen: tuple[str, ...]
    source: str
    rewrite: Callable[..., Any]


ENTRA_DOCS: Final = "learn.microsoft.com/entra/identity/app-provisioning/"
ENTRA_TUTORIAL: Final = ENTRA_DOCS + "use-scim-to-provision-users-and-groups"
ENTRA_COMPATIBILITY: Final = ENTRA_DOCS + "application-provisioning-config-problem-scim-compatibility"
ENTRA_ATTRIBUTES: Final = ENTRA_DOCS + "customize-application-attributes"
ENTRA_POSTMAN: Final = "github.com/AzureAD/SCIMReferenceCode PostmanCollection.json"
