"""A client that calls a service in process, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from scimkit import MemoryStore, Request, Response, ScimService, TokenRegistry, run_sync

BASE_URL = "https://help.example.org/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass
class Answer:
    """A response with its parsed body."""

    status: int
    body: Any
    headers: dict[str, str]
    quirks: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.body["id"]


class Client:
    """A client that sends requests to a service. Keyword arguments are passed to `ScimService`."""

    def __init__(
        self, store: Any = None, *, tenant: str = "default", tokens: TokenRegistry | None = None, **options: Any
    ):
        self.tokens = tokens or TokenRegistry()
        self.token = self.tokens.issue("test", tenant=tenant).token
        self.service = ScimService(MemoryStore() if store is None else store, tokens=self.tokens, **options)

    def of_tenant(self, tenant: str) -> Client:
        """Return a client of the same service with a token of another tenant."""
        other = object.__new__(Client)
        other.tokens, other.service = self.tokens, self.service
        other.token = self.tokens.issue("test", tenant=tenant).token
        return other

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request. A `body` of bytes is sent unchanged; any other body is sent as JSON."""
        parts = urlsplit(path)
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        merged = {"authorization": f"Bearer {self.token}"} | {
            name.lower(): value for name, value in (headers or {}).items()
        }
        request = Request(method, unquote(parts.path), parts.query, merged, content, BASE_URL)
        response = self.run(self.service.handle(request))
        document = json.loads(response.body) if response.body else None
        answered = dict(response.headers)
        answered.pop("X-Request-Id")  # differs for each request
        return Answer(response.status, document, answered, response.quirks)

    def run(self, waiting: Coroutine[Any, Any, Response]) -> Response:
        """Return the response of a coroutine without an event loop."""
        return run_sync(waiting)

    def get(self, path: str, **options: Any) -> Answer:
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> Answer:
        return self.send("POST", path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> Answer:
        return self.send("PUT", path, body, **options)

    def patch(self, path: str, *operations: dict[str, Any], **options: Any) -> Answer:
        return self.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)}, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.send("DELETE", path, **options)

    def user(self, user_name: str, **attributes: Any) -> str:
        """Create a user, and return its id."""
        answer = self.post("/Users", {"schemas": [USER], "userName": user_name, **attributes})
        assert answer.status == 201, answer.body
        return answer.id

    def group(self, display_name: str, *members: str, **attributes: Any) -> str:
        """Create a group with members, and return its id."""
        body = {"schemas": [GROUP], "displayName": display_name, "members": [{"value": each} for each in members]}
        answer = self.post("/Groups", {**body, **attributes})
        assert answer.status == 201, answer.body
        return answer.id

    def members(self, group: str) -> set[str]:
        """Return the ids of the members of a group."""
        return {each["value"] for each in self.get(f"/Groups/{group}").body.get("members", ())}
