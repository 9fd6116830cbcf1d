"""Services with deliberate flaws, and functions that run simulated identity providers against them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from scimkit import MemoryStore, Request, ScimService, TokenRegistry
from scimkit.service import Response
from scimkit.testing.directory import sample_directory
from scimkit.testing.directory_history import DirectoryEvent, full_history, play
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.providers import PROVIDERS
from scimkit.testing.report import Report, Step
from scimkit.wsgi import ScimApp

Answer = Callable[[Request, Response, dict[str, Any] | None], Response]


class Flawed(ScimService):
    """A service whose requests or responses are modified."""

    def __init__(self, tamper: Any, before: Any = None, **options: Any) -> None:
        super().__init__(MemoryStore(), **options)
        self._tamper = tamper
        self._before = before or (lambda request: request)

    async def handle(self, request: Request) -> Response:
        response = await super().handle(self._before(request))
        body = json.loads(response.body) if response.body else None
        return self._tamper(request, response, body)


def as_is(request: Request, response: Response, body: Any) -> Response:
    return response


def with_body(response: Response, body: Any, status: int | None = None) -> Response:
    return Response(status or response.status, json.dumps(body).encode() if body is not None else b"", response.headers)


def edit_body(request: Request, edit: Callable[[Any], Any]) -> Request:
    """Return a copy of a request with an edited body."""
    return replace(request, body=json.dumps(edit(json.loads(request.body))).encode()) if request.body else request


def refusing(method: str, when: Callable[[Any], bool], status: int = 400) -> Answer:
    """Return a function that replaces the response to some requests by an error. The service handles them first."""

    def tamper(request: Request, response: Response, body: Any) -> Response:
        if request.method == method and when(json.loads(request.body) if request.body else None):
            return with_body(response, {"detail": "This request is refused."}, status)
        return response

    return tamper


def hides_inactive(request: Request, response: Response, body: Any) -> Response:
    """Remove inactive users from lists."""
    if body and "Resources" in body:
        shown = [each for each in body["Resources"] if each.get("active") is not False]
        return with_body(response, {**body, "Resources": shown, "totalResults": len(shown)})
    return response


def leaks_passwords(request: Request, response: Response, body: Any) -> Response:
    """Add a password to each user in a response."""
    return with_body(response, {**body, "password": "x"}) if body and "userName" in body else response


def empties_on_remove(request: Request) -> Request:
    """Remove `value` from `remove` operations. The service then removes all members (RFC 7644 section 3.5.2.2)."""

    def edit(body: Any) -> Any:
        for operation in body.get("Operations", ()):
            if operation["op"].lower() == "remove":
                operation.pop("value", None)
        return body

    return edit_body(request, edit) if request.method == "PATCH" else request


@contextmanager
def connected(
    provider: str, tamper: Any = None, before: Any = None, *, without: Sequence[str] = (), **options: Any
) -> Iterator[Any]:
    """Yield the simulator of a provider, connected to a service in process."""
    tokens = TokenRegistry()
    service = Flawed(tamper or as_is, before, tokens=tokens, **options)
    with open_endpoint(ScimApp(service)) as endpoint:
        simulator = PROVIDERS[provider](
            endpoint.base_url, tokens.issue("x").token, sample_directory(), client=endpoint.client, without=without
        )
        yield simulator
        simulator.close()


def report_of(
    provider: str,
    tamper: Any = None,
    before: Any = None,
    events: Sequence[DirectoryEvent] | None = None,
    **options: Any,
) -> Report:
    """Return the report of a simulator that played events against a service."""
    with connected(provider, tamper, before, **options) as simulator:
        return play(simulator, full_history() if events is None else events)


def findings(report: Report) -> list[str]:
    """Return the findings of a report, one line each."""
    return [f"{step.title}: {step.reason}" for step in report.failures]


def sent(report: Report, title: str) -> list[Step]:
    """Return the steps whose title starts with a text."""
    return [step for step in report.steps if step.title.startswith(title)]


def assert_found(report: Report, title: str, reason: str) -> None:
    """Check that a report has a finding with these parts of the title and of the reason, and that it has a fix."""
    hits = [step for step in report.failures if title in step.title and reason in (step.reason or "")]
    assert hits, findings(report)[:5]
    assert all(step.fix for step in hits)
