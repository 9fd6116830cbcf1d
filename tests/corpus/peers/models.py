"""The answers of scim2-models: `python -m tests.corpus.peers.models [lenient]`."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, Final

from pydantic import ValidationError
from scim2_models import (
    Context,
    EnterpriseUser,
    Error,
    Extension,
    Group,
    PatchOp,
    Resource,
    Schema,
    SCIMException,
    ScimFilter,
    ScimPolicy,
    User,
)

from scimkit.testing.corpus import schema_documents
from tests.corpus.peers.questions import answer_questions

LENIENT: Final = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""The settings for requests that deviate from the RFC."""


@cache
def model_of(names: tuple[str, ...]) -> Any:
    """Return the model of a schema and its extensions."""
    if names[0] == "User":
        return User[EnterpriseUser]
    if names[0] == "Group":
        return Group
    device, lease = (Schema.model_validate(dict(schema_documents()[name])) for name in ("Device", "Lease"))
    resource: Any = Resource.from_schema(device)
    return resource[Extension.from_schema(lease)]


def answer(question: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a question."""
    model = model_of(tuple(question["schemas"]))
    try:
        document = {"schemas": [schemas[name]["id"] for name in question["schemas"]], **question["document"]}
        resource = model.model_validate(document)
        if question["kind"] == "filter":
            return {"matches": ScimFilter[model](question["request"]).match(resource, strict=True)}
        body = PatchOp[model].model_validate(question["request"], scim_ctx=Context.RESOURCE_PATCH_REQUEST)
        body.patch(resource)
        return {"document": resource.model_dump(mode="json")}
    except SCIMException as error:
        return {"error": {"status": error.status, "scimType": error.scim_type}}
    except ValidationError as error:
        first = Error.from_validation_errors(error)[0]
        return {"error": {"status": first.status, "scimType": first.scim_type}}
    except Exception as error:
        return {"error": {"status": 500, "detail": f"{type(error).__name__}: {error}"[:200]}}


if __name__ == "__main__":
    with LENIENT if sys.argv[1:] == ["lenient"] else ScimPolicy():
        answer_questions(answer)
