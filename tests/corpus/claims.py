"""What other implementations claim to support. A case outside of these claims counts as not supported, not as wrong.

scim-patch works on plain objects and has no schemas. The documentation of SCIMMY says that its class `Filter`
"intentionally has no knowledge of the underlying attribute names associated with a schema".
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from scimkit.errors import ScimError
from scimkit.filters import parse
from scimkit.patch import apply
from scimkit.schema.resource_types import ResourceType, SchemaExtension
from scimkit.testing.corpus import Case, accepts, schema_documents

Claim = Callable[[Case], bool]
"""Reports whether a peer claims to support a case."""

_TYPED: Final = frozenset(
    {
        "order of booleans and binaries",
        "unknown attribute",
        "constant of another type",
        "complex without sub-attribute",
        "caseExact",
        "URN of the schema",
        "URN in any case",
    }
)
"""Rules of filters that need the schema."""
_CHARACTERISTICS: Final = frozenset(
    {
        "readOnly",
        "immutable",
        "required",
        "value of another type",
        "unknown attribute",
        "names in any case",
        "caseExact",
    }
)
"""Rules of PATCH that need the schema."""


def claims_everything(case: Case) -> bool:
    """Report True: the library has schemas, filters and PATCH."""
    return True


def claims_patch_without_schema(case: Case) -> bool:
    """Report whether a library can answer that has PATCH and no schemas."""
    own_urn = case.rule == "URN of the schema" and case.schemas[0] == "Device"
    error = case.expected.get("error", {}).get("scimType")
    needs = case.rule in _CHARACTERISTICS or own_urn or error in ("mutability", "invalidValue")
    return case.kind == "patch" and not needs and not compares_by_schema(case)


def claims_filters_without_schema(case: Case) -> bool:
    """Report whether a library can answer that has schemas for PATCH, but whose filters have none."""
    return not (case.kind == "filter" and case.rule in _TYPED) and not compares_by_schema(case)


def compares_by_schema(case: Case) -> bool:
    """Report whether the result of a filter in a case depends on `caseExact` or on the type dateTime."""
    if "error" in case.expected:
        return False
    kind = _compared_exactly(case.schemas)
    try:
        if case.kind == "filter":
            answer: Mapping[str, Any] = {"matches": parse(case.request).matches(case.document, kind)}
        else:
            answer = {"document": apply(kind, case.document, case.request).document}
    except ScimError as error:
        answer = {"error": {"status": error.status, "scimType": error.scim_type}}
    return not any(accepts(result, answer) for result in (case.expected, *case.allowed))


@cache
def _compared_exactly(names: tuple[str, ...]) -> ResourceType:
    """Return the resource type with texts that are compared with case, and with dateTime values as texts."""
    first, *others = (_exact(schema_documents()[name]) for name in names)
    return ResourceType(first, extensions=[SchemaExtension(each) for each in others])


def _exact(document: Mapping[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(document))
    for attribute in changed["attributes"]:
        for each in (attribute, *attribute.get("subAttributes", ())):
            if each["type"] == "dateTime":
                each["type"] = "string"
            if each["type"] == "string":
                each["caseExact"] = True
    return changed
