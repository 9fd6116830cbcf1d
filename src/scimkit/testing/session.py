"""A session of a simulator with one endpoint. It sends requests, judges responses and keeps the report.

The session remembers the resources that it created, and deletes no others.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scimkit.testing.exchange import Connection, Exchange, filter_query
from scimkit.testing.report import OnStep, Report, Rule, Step, judged


class ProviderSession:
    """A session that sends requests, judges the responses and reports them. `on_step` is called with each step."""

    def __init__(
        self, connection: Connection, on_step: OnStep | None = None, *, not_compared: tuple[str, ...] = ()
    ) -> None:
        self.report: Report = Report(not_compared=not_compared)
        self._connection = connection
        self._on_step = on_step
        self._created: dict[str, None] = {}
        self._unnamed: list[tuple[str, str, str]] = []

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def step(self, title: str, method: str, path: str, rules: Iterable[Rule], body: Any = None) -> Step:
        """Send one request and judge the response. The first rule that finds something gives the reason."""
        return self._record(judged(title, self._connection.send(method, path, body), rules))

    def steps_at_once(
        self, titled: Sequence[tuple[str, Any]], method: str, path: str, rules: Sequence[Rule], *, workers: int
    ) -> list[Step]:
        """Send several bodies to one path at the same time, and return the steps in the order of the bodies."""
        if workers == 1:
            return [self.step(title, method, path, rules, body) for title, body in titled]
        with ThreadPoolExecutor(workers) as pool:
            exchanges = list(pool.map(lambda each: self._connection.send(method, path, each[1]), titled))
        pairs = zip(titled, exchanges, strict=True)
        return [self._record(judged(title, exchange, rules)) for (title, _), exchange in pairs]

    def clean_up(self) -> list[str]:
        """Delete the resources that this session created, groups first.

        Returns:
            The paths that could not be deleted.
        """
        for endpoint, attribute, name in self._unnamed:
            self._created |= dict.fromkeys(self._look_up(endpoint, attribute, name))
        left = []
        for path in sorted(self._created, key=lambda path: not path.startswith("/Groups")):
            if self._connection.send("DELETE", path).status in (204, 404):
                del self._created[path]
            else:
                left.append(path)
        return left

    def _look_up(self, endpoint: str, attribute: str, name: str) -> list[str]:
        """Return the path of a resource, found by its name, because the response to its POST had no `id`."""
        text = json.dumps(name, ensure_ascii=False)
        body = self._connection.send("GET", f"{endpoint}?{filter_query(f'{attribute} eq {text}')}").received
        found = body.get("Resources") if isinstance(body, dict) else None
        listed = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        return [f"{endpoint}/{each['id']}" for each in listed if "id" in each and each.get(attribute) == name]

    def _record(self, step: Step) -> Step:
        self._remember(step.exchange)
        self.report.steps.append(step)
        self.report.seconds = time.perf_counter() - self.report.started
        if self._on_step is not None:
            self._on_step(step)
        return step

    def _remember(self, exchange: Exchange) -> None:
        path = exchange.path.partition("?")[0]
        if exchange.method == "DELETE" and exchange.status == 204:
            self._created.pop(path, None)
        if exchange.method == "POST" and exchange.status in (200, 201):
            id = exchange.received.get("id") if isinstance(exchange.received, dict) else None
            if isinstance(id, str):
                self._created[f"{path}/{id}"] = None
            else:
                attribute = "displayName" if path == "/Groups" else "userName"
                name = exchange.sent.get(attribute) if isinstance(exchange.sent, dict) else None
                if isinstance(name, str):
                    self._unnamed.append((path, attribute, name))
