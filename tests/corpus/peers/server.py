"""The answers of scim2-server, by requests to its application: `python -m tests.corpus.peers.server [lenient]`."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from scim2_models import ResourceType, Schema, ScimPolicy, ScimProvider
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

from scimkit.testing.corpus import schema_documents
from tests.corpus.peers.models import LENIENT
from tests.corpus.peers.questions import answer_questions

_ENDPOINTS = {"User": "/Users", "Group": "/Groups", "Device": "/Devices"}


def provider(policy: ScimPolicy) -> ScimProvider:
    """Return the description of a service with the default types and those of the corpus."""
    device, lease = (schema_documents()[name] for name in ("Device", "Lease"))
    kind = {"id": "Device", "name": "Device", "endpoint": "/Devices", "schema": device["id"],
            "schemaExtensions": [{"schema": lease["id"], "required": False}]}  # fmt: skip
    own = [Schema.model_validate(dict(each)) for each in (device, lease)]
    return ScimProvider.from_discovery(
        [*load_default_schemas().values(), *own],
        [*load_default_resource_types().values(), ResourceType.model_validate(kind)],
        config=load_default_service_provider_config(), policy=policy,
    )  # fmt: skip


class Server:
    """An application with an empty storage for each question."""

    def __init__(self, policy: ScimPolicy) -> None:
        self._provider = provider(policy)

    def answer(self, question: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a question: create the resource, then search, or PATCH and read."""
        application = WSGIApplication(InMemoryStorage(), self._provider)
        endpoint = _ENDPOINTS[question["schemas"][0]]

        def send(method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
            headers = {} if body is None else {"Content-Type": "application/scim+json"}
            content = b"" if body is None else json.dumps(body).encode()
            response = application.serve(ScimRequest(method, "https://example.org/v2", path, query, headers, content))
            return response.status.value, response.body

        document = {"schemas": [schemas[name]["id"] for name in question["schemas"]], **question["document"]}
        status, created = send("POST", endpoint, document)
        if status != 201:
            return {"unsupported": f"the resource cannot be created: {created}"}
        if question["kind"] == "filter":
            status, found = send("GET", endpoint, filter=question["request"])
            return {"matches": found["totalResults"] == 1} if status == 200 else _error(status, found)
        status, made = send("PATCH", f"{endpoint}/{created['id']}", question["request"])
        if status >= 400:
            return _error(status, made)
        return {"document": send("GET", f"{endpoint}/{created['id']}")[1]}


def _error(status: int, body: Any) -> dict[str, Any]:
    return {"error": {"status": status, "scimType": (body or {}).get("scimType"), "detail": (body or {}).get("detail")}}


if __name__ == "__main__":
    logging.getLogger("scim2_server").setLevel(logging.CRITICAL)
    answer_questions(Server(LENIENT if sys.argv[1:] == ["lenient"] else ScimPolicy()).answer)
