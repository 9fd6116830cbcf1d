"""The definition of a quirk: one deviation of identity providers and its rewrite to RFC form.

A quirk is asked only if the engine would refuse the request. Therefore it never changes the meaning of a request in RFC
form. A quirk returns `NOT_APPLICABLE` for a request that it does not handle.
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
"""The point at which the engine asks for a quirk.

Most stages are methods of `scimkit.patch.deviations.PatchDeviationHandler`; the others belong to the service.
"""


class _NotApplicable:
    """The type of `NOT_APPLICABLE`."""

    def __repr__(self) -> str:
        return "NOT_APPLICABLE"


NOT_APPLICABLE: Final = _NotApplicable()
"""The result of a rewrite that does not apply to the request."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """A deviation from the RFC, with its rewrite to RFC form.

    Attributes:
        name: The name in logs and events.
        stage: The point at which the engine asks the quirk.
        summary: The deviating request, and what becomes of it.
        safe: The reason why the request has only one meaning. For an optional quirk: the behavior without it.
        seen: The identity providers and clients that send such requests.
        source: The documentation or code that shows the deviation.
        rewrite: A function with the arguments and the result of the method that the stage names. It returns
            `NOT_APPLICABLE` for requests that the quirk does not handle.
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
