"""The examples of the how-to pages about safeguards."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from scimkit import USER
from tests.client import Client

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def example(name: str) -> tuple[dict[str, Any], Client]:
    """Run an example, and return its names and a client of its service."""
    found = runpy.run_path(str(EXAMPLES / f"{name}.py"))
    client = object.__new__(Client)
    client.service = found["service"]
    client.tokens = client.service.tokens  # type: ignore[assignment]
    client.token = client.tokens.issue("test", tenant="acme").token
    return found, client


def test_protect_accounts() -> None:
    """The owner and the last administrator stay, and the breaker alerts, holds and is released."""
    found, client = example("protect_accounts")
    off = {"op": "replace", "path": "active", "value": False}
    for role in ("owner", "admin"):
        id = client.user(role, roles=[{"value": role}])
        assert client.patch(f"/Users/{id}", off).status == 403
    ids = [client.user(f"agent-{each}") for each in range(28)]
    statuses = [client.patch(f"/Users/{id}", off).status for id in ids]
    assert statuses == [200] * 6 + [403] * 22
    assert found["alerts"] == ["acme: 7 users leave at once. 6 are allowed."]
    found["release"]("acme")
    assert client.patch(f"/Users/{ids[6]}", off).status == 200


def test_link_accounts() -> None:
    """An existing account is linked, but not a protected one."""
    found, client = example("link_accounts")
    for name, expected in (("ada", 201), ("root", 409)):
        emails = [{"value": f"{name}@example.org"}]
        id = client.user(name, emails=emails)
        body = {"schemas": [USER.schema], "userName": name, "externalId": f"x-{name}", "emails": emails}
        assert client.post("/Users", body).status == expected
        assert (id in found["linked"]) == (expected == 201)
