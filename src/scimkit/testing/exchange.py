"""Requests to a SCIM endpoint over real HTTP, and what came back.

The token goes into the Authorization header and nowhere else: not into a repr, an error or a report.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

try:
    import httpx
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("the simulators need httpx: pip install 'scimkit[testing]'") from _missing


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `received` is None when there is no body or it is not JSON."""

    method: str
    path: str
    sent: Any
    status: int
    received: Any
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = 0

    @property
    def request(self) -> str:
        """The method and the path."""
        return f"{self.method} {self.path}"

    @property
    def is_scim(self) -> bool:
        """Whether the body is declared as SCIM or JSON."""
        media_type = self.headers.get("content-type", "").split(";")[0].strip()
        return media_type in ("application/scim+json", "application/json")


class Connection:
    """A connection to one SCIM endpoint with one token."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        client: httpx.Client | None = None,
        timeout: float = 30.0,
        user_agent: str = "-",
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._client = client or httpx.Client(timeout=timeout)
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": user_agent}

    def __repr__(self) -> str:
        return f"<Connection to {self._base_url}>"

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def send(self, method: str, path: str, body: Any = None) -> Exchange:
        """Send a request; a server that cannot be reached counts as status 0."""
        headers = dict(self._headers)
        content = None
        if body is not None:
            headers["Content-Type"] = "application/scim+json; charset=utf-8"
            content = json.dumps(body).encode()
        start = time.perf_counter()
        try:
            response = self._client.request(method, self._base_url + path, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return Exchange(method, path, body, 0, None, time.perf_counter() - start)
        seconds = time.perf_counter() - start
        return Exchange(
            method, path, body, response.status_code, _json(response), seconds, response.headers, len(response.content)
        )


def filter_query(text: str) -> str:
    """A filter as a query string the way Entra writes it: spaces as `+`, quotes as `%22`."""
    return "filter=" + quote(text, safe=" @.[]'").replace(" ", "+")


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
