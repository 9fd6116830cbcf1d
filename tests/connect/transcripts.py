"""A script that prints the transcripts of the pages in docs/connect/, from requests to a real service.

python -m tests.connect.transcripts [NAME ...]    # print the transcripts
python -m tests.connect.transcripts --write       # write all transcripts into the pages
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.cli.provisioning_log import resource_of, what_happened
from scimkit.provisioning import LogEntry, LogQuery, connection_health
from scimkit.testing.directory import Directory, Person, Team, key_of
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.exchange import Connection, Exchange
from scimkit.testing.providers import PROVIDERS, provider
from scimkit.testing.report import Step
from scimkit.wsgi import ScimApp
from tests.connect.documented_requests import DOCUMENTED, EXISTING_USER, USER_CREATED, DocumentedStep

PAGES: Final = Path(__file__).parents[2] / "docs" / "connect"
ADA: Final = Person(key_of("ada"), "ada.king@example.org", "Ada", "King", "ada@example.org", "Agent", "Support", "1002")
GROUP: Final = Team(key_of("team/tier1"), "Support Tier 1", frozenset({ADA.key}))
EVENTS: Final[tuple[tuple[str, Callable[[Directory], None]], ...]] = (
    ("Assign Ada King", lambda directory: directory.hire(ADA)),
    ("Change her title", lambda directory: directory.change(ADA.key, title="Team Lead")),
    ("Push the group with Ada as a member", lambda directory: directory.form(GROUP)),
    ("Disable Ada King", lambda directory: directory.disable(ADA.key)),
    ("Enable Ada King again", lambda directory: directory.enable(ADA.key)),
    ("Delete Ada King in the directory", lambda directory: directory.purge(ADA.key)),
)
"""The steps of every transcript after the test of the connection."""
UNUSED: Final = frozenset({"entra-mixed"})
"""Simulators without a transcript, because their requests are those of two others."""
NAMES: Final = (*(name for name in PROVIDERS if name not in UNUSED), *DOCUMENTED)
"""The names of all transcripts."""
PUBLIC_URL: Final = "https://help.example.org/scim/v2"

_BLOCK: Final = r"(<!-- transcript: {name} -->\n).*?(<!-- end of transcript -->)"
_CHECKS: Final = re.compile(r"^(Verify|Find disabled) | is gone$")
_RANDOM: Final = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{16}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_TIME: Final = re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z")
_VERSION: Final = re.compile(r'W/\\"\d+\\"')


class Transcript:
    """The requests of one identity provider, the statuses of the responses, and the entries of the provisioning log."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ids: dict[str, str] = {}
        self._bodies: dict[str, list[str]] = {}
        self._seen: set[str] = set()
        self._health = "Waiting"
        store, tokens = MemoryStore(provisioning_log=True), TokenRegistry()
        issued = tokens.issue("Identity provider")
        assert store.provisioning_log is not None
        self._log, self._token_id, self.token = store.provisioning_log, issued.record.id, issued.token
        self.application = ScimApp(ScimService(store, tokens=tokens))

    def step(self, title: str, send: Callable[[], object]) -> None:
        """Add a heading, the requests that a function sends, the new entries of the log, and a change of the health."""
        self.lines += [*([""] if self.lines else []), f"# {title}"]
        before = len(self.lines)
        send()
        if len(self.lines) == before:
            self.lines.append("(no request)")
        entries = self._log.search(LogQuery(tenant="default", limit=1000)).entries
        fresh = [each for each in reversed(entries) if each.id not in self._seen]
        self._seen |= {each.id for each in fresh}
        self.lines += [self._replaced(f"log: {_entry_line(each)}") for each in fresh]
        status = connection_health(self._log, "default", self._token_id).status
        if status != self._health:
            self.lines.append(f"health: {status}")
            self._health = status

    def note(self, exchange: Exchange) -> None:
        """Add the lines of a request."""
        if exchange.method == "POST" and exchange.status == 201:
            self.ids[exchange.received["id"]] = "USER_ID" if "userName" in exchange.sent else "GROUP_ID"
        path, question, query = exchange.path.partition("?")
        shown = path + question + unquote_plus(query)
        self.lines.append(self._replaced(f"{exchange.method} {shown}  -> {exchange.status}"))
        if exchange.sent is not None:
            self._note_body(exchange)

    def _note_body(self, exchange: Exchange) -> None:
        """Add the lines of a request body. Of a resource that was sent before, only the other lines are added."""
        lines = [self._replaced(line) for line in _body_lines(exchange.sent)]
        if exchange.method not in ("POST", "PUT"):
            self.lines += lines
            return
        id = exchange.received["id"]
        before = self._bodies.get(id, [])
        fresh = [line for line in lines[1:-1] if line.rstrip(",") not in before]
        same = ["    ...  the other attributes as before"] if len(fresh) < len(lines) - 2 else []
        self.lines += [lines[0], *fresh, *same, lines[-1]]
        self._bodies[id] = [line.rstrip(",") for line in lines]

    def _replaced(self, line: str) -> str:
        """Return a line in which names stand for the values that differ from run to run."""
        line = _VERSION.sub("VERSION", _TIME.sub("TIME", line.replace("http://localhost", PUBLIC_URL)))
        known = {ADA.key: ADA.key, GROUP.key: GROUP.key, **self.ids}
        return _RANDOM.sub(lambda found: known.get(found[0], "RANDOM"), line)


def simulated(name: str) -> Transcript:
    """Return the transcript of a simulator."""
    made = Transcript()

    def note(step: Step) -> None:
        if not _CHECKS.search(step.title):
            made.note(step.exchange)

    with open_endpoint(made.application) as endpoint:
        played = provider(name, endpoint.base_url, made.token, Directory(), client=endpoint.client, on_step=note)
        made.step("Test the connection", played.test_connection)
        for title, change in EVENTS:
            change(played.directory)
            made.step(title, played.synchronize)
        assert played.report.passed, [(each.title, each.reason) for each in played.report.failures]
    return made


def documented(name: str) -> Transcript:
    """Return the transcript of documented requests."""
    made = Transcript()
    with open_endpoint(made.application) as endpoint:
        connection = Connection(endpoint.base_url, made.token, client=endpoint.client)
        if name in EXISTING_USER:
            made.ids[connection.send("POST", "/Users", USER_CREATED).received["id"]] = "USER_ID"
            made.step("", lambda: None)
            made.lines.clear()
        for each in DOCUMENTED[name]:
            made.step(each.title, partial(_send, made, connection, each))
    return made


def _send(made: Transcript, connection: Connection, step: DocumentedStep) -> None:
    """Send the requests of a step, with the ids of the resources in their places."""
    for method, path, body in step.requests:
        text = json.dumps([path, body])
        for id, placeholder in made.ids.items():
            text = text.replace(placeholder, id)
        exchange = connection.send(method, *json.loads(text))
        assert exchange.status < 400, exchange
        made.note(exchange)


def _body_lines(body: dict[str, Any]) -> Iterator[str]:
    """Yield a JSON object with one attribute or PATCH operation in each line."""
    text = partial(json.dumps, ensure_ascii=False)
    yield "  {"
    last = list(body)[-1]
    for name, value in body.items():
        comma = "" if name == last else ","
        if name == "Operations":
            yield f"    {text(name)}: ["
            for operation in value:
                yield f"      {text(operation)}{'' if operation is value[-1] else ','}"
            yield f"    ]{comma}"
        else:
            yield f"    {text(name)}: {text(value)}{comma}"
    yield "  }"


def _entry_line(entry: LogEntry) -> str:
    """Return an entry as `scimkit log` prints it, without the time and the id."""
    return f"{entry.result}  {entry.action}  {resource_of(entry)}  {what_happened(entry)}".rstrip()


def transcript(name: str) -> str:
    """Return a transcript as a Markdown code block."""
    made = documented(name) if name in DOCUMENTED else simulated(name)
    return "\n".join(["", "```text", *made.lines, "```", "", ""])


def written(page: str, name: str, text: str) -> str:
    """Return a page with another transcript between its markers."""
    return re.sub(_BLOCK.format(name=re.escape(name)), lambda found: found[1] + text + found[2], page, flags=re.DOTALL)


def names_in(page: str) -> list[str]:
    """Return the names of the simulators whose transcripts a page has."""
    return re.findall(r"<!-- transcript: ([\w-]+) -->", page)


def main(arguments: list[str]) -> None:
    """Print transcripts, or write them into the pages."""
    if arguments != ["--write"]:
        for name in arguments or NAMES:
            sys.stdout.write(f"{name}\n\n{transcript(name)}\n")
        return
    for path in sorted(PAGES.glob("*.md")):
        page = path.read_text("utf-8")
        for name in names_in(page):
            page = written(page, name, transcript(name))
        path.write_text(page, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
