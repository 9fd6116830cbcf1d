"""Draw the pictures of `docs/pictures` that show the code: the layers, and the way of a request.

`python -m tests.docs.pictures` writes them. The layers are those of the import contract in `pyproject.toml`. Each step
of a request names a class or function, and a test looks it up.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import Final, NamedTuple

TOP: Final = Path(__file__).parents[2]
PICTURES: Final = TOP / "docs" / "pictures"

ROOMS: Final = {
    "cli": "the scimkit command",
    "testing": "simulators, store contract",
    "admin": "the admin pages",
    "asgi": "adapter",
    "wsgi": "adapter",
    "django": "adapter",
    "delivery": "outbox workers, webhooks",
    "oauth": "access tokens",
    "telemetry": "spans and metrics",
    "loop": "threads for blocking stores under an event loop",
    "service": "the SCIM protocol: from a Request to a Response",
    "safeguards": "protected accounts, breaker, linking",
    "entitlements": "roles, entitlements on offer",
    "dialects": "quirks of identity providers",
    "stores": "memory, SQL, your own tables, Django",
    "provisioning": "the provisioning log, cycles, health",
    "events": "resource events, listeners, outbox port",
    "patch": "PATCH: paths, operations, change sets",
    "filters": "filters: text, syntax tree, predicate",
    "schema": "resource types, reading, projection",
    "tokens": "bearer tokens",
    "documents": "JSON objects within limits",
    "errors": "errors with scimType",
    "runner": "runs a coroutine without an event loop",
    "uuid7": "makes ids in the order of time",
}
"""The rooms of the house, each with what is in it."""

_STYLE: Final = """<style>
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1b2330; }
.name { font-size: 15px; font-weight: 600; } .note { font-size: 13px; fill: #45505f; }
.code { font: 13px Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #27408b; }
.title { font-size: 17px; font-weight: 700; }
.page { fill: #fbfcfe; stroke: #cfd6e0; } .room { fill: #e8eefb; stroke: #8aa0cf; }
.engine { fill: #e6f4ea; stroke: #86b596; } .door { fill: #fff3dc; stroke: #d5ad62; }
.outside { fill: #f1e9f7; stroke: #ad91c4; } .arrow { stroke: #66748a; stroke-width: 1.6; fill: none; }
.tip { fill: #66748a; }
</style>"""


class Step(NamedTuple):
    """One step of a request."""

    where: str
    """The function that takes the step, below `scimkit`, or the name of a system outside scimkit."""
    what: str
    """The effect of the step."""


CREATE: Final = (
    Step("Identity provider", "POST /Users with a bearer token and a user as JSON"),
    Step("asgi.ScimApp", "Reads the headers. Takes the deadline of the request."),
    Step("service.ScimService.authenticate", "Verifies the token before the body is read. A wrong token is 401."),
    Step("documents.parse_object", "Parses the JSON within limits. A name that is sent twice is refused."),
    Step("schema.reading.read_resource", "Checks the attributes in one walk. Where it would refuse a value, it asks "
         "the quirks of the dialect."),
    Step("stores.SyncStore.transaction", "Opens one transaction for the write and for all that follows from it."),
    Step("service.write_listeners.WriteListeners", "Calls your before_write handlers. They may refuse the write."),
    Step("stores.SyncStore.create", "Sets id, version and dates. A unique value that is taken is 409."),
    Step("service.write_safeguards.WriteSafeguards", "Refuses a change that would lock an owner out, or one leaver too "
         "many."),
    Step("events.derivation.EventDerivation", "Makes the events. The outbox gets its rows, and your in_transaction "
         "handlers run."),
    Step("service.provisioning_recorder.ProvisioningRecorder", "Adds the entry of the provisioning log. Then the "
         "transaction commits, with all of this or nothing."),
    Step("service.write_listeners.WriteListeners.committed", "Calls your after_commit handlers."),
    Step("service.rendering.Renderer", "Adds meta.location and $ref. The answer is 201 with an ETag."),
)  # fmt: skip
"""The life of a POST."""

GROUP_PATCH: Final = (
    Step("Identity provider", "PATCH /Groups/{id}: add or remove one member of a large group"),
    Step("patch.operations.read_operations", "Resolves each path against the table of the resource type. Quirks "
         "rewrite what Entra and others send outside the RFC."),
    Step("patch.direct.direct_changes", "States all operations as one change set, without the stored group."),
    Step("stores.SyncStore.change", "Inserts or deletes one row for each member that really changes. No other member "
         "is read."),
    Step("events.derivation.EventDerivation", "Makes MembersAdded and MembersRemoved from what the store reports."),
    Step("Identity provider", "204 No Content, in the same time for ten members and for a million"),
)  # fmt: skip
"""The life of a PATCH of a group."""

FILTERED: Final = (
    Step("Identity provider", 'GET /Users?filter=userName eq "ada"&count=100'),
    Step("filters.parse", "Parses the filter. A filter that cannot be parsed is 400 invalidFilter, never the list of "
         "all users."),
    Step("service.search.Search", "Fits the filter to the resource type, and plans the page: start, count, sort, "
         "cursor and attributes."),
    Step("stores.SyncStore.search", "Finds the value in an index. The tenant is added by AND, outside the filter of "
         "the client."),
    Step("schema.projection.Projections", "Applies attributes and excludedAttributes. The plan is kept."),
    Step("Identity provider", "200 with a ListResponse. No match is an empty list."),
)  # fmt: skip
"""The life of a filtered list."""

CYCLE: Final = (
    Step("Microsoft Entra ID", 'Test Connection: GET /Users?filter=userName eq "<random>". The answer is an empty '
         "list."),
    Step("Microsoft Entra ID", "For each assigned user: GET with a filter on userName, then POST if nothing matched."),
    Step("Microsoft Entra ID", "For each assigned group: the same with displayName, then PATCH to add members."),
    Step("provisioning.Cycle", "Each write and each failure is an entry. Reads are counted. The burst of requests is a "
         "cycle."),
    Step("Microsoft Entra ID", "About every 40 minutes, an incremental cycle sends PATCH for what changed: names, "
         "active, managers, members."),
    Step("events.UserDeactivated", "A leaver is PATCH active=false. Your listener reassigns the tickets in "
         "the same transaction."),
    Step("Microsoft Entra ID", "A user who was deleted for good: DELETE, and then GET answers 404."),
    Step("provisioning.health.connection_health", "Tells an administrator: connected, provisioning, failing since, "
         "silent since."),
)  # fmt: skip
"""A provisioning cycle."""

FLOWS: Final = {
    "post": ("The life of a POST", CREATE),
    "group-patch": ("The life of a PATCH of a group", GROUP_PATCH),
    "filtered-list": ("The life of a filtered list", FILTERED),
    "cycle": ("A provisioning cycle", CYCLE),
}


def layers() -> list[list[str]]:
    """Return the packages of each layer of the import contract, beginning with the highest layer."""
    contract = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    return [re.findall(r"\w+", layer) for layer in contract["layers"]]


def house() -> str:
    """Return the picture of the layers."""
    width, gap, height = 680, 8, 54
    parts = [_text(24, 36, "title", "scimkit: a module imports from its own layer or a lower one")]
    y = 56
    for row in layers():
        for names in [row[at : at + 3] for at in range(0, len(row), 3)]:
            room = (width - 48 - gap * (len(names) - 1)) / len(names)
            for at, name in enumerate(names):
                x = 24 + at * (room + gap)
                parts.append(_box(x, y, room, height, _color(name)))
                parts.append(_text(x + 12, y + 22, "name", name))
                parts.append(_text(x + 12, y + 42, "note", ROOMS[name]))
            y += height + gap
        y += gap
    return _page(width, y + 12, "The layers of scimkit", parts)


def overview() -> str:
    """Return the picture of the whole: identity provider, your application with scimkit, your database."""
    width = 680
    parts: list[str] = []
    boxes = (
        (24, 632, 64, "outside", "Microsoft Entra ID, Okta and other identity providers", "SCIM 2.0 over HTTPS"),
        (24, 632, 330, "page", "Your application: FastAPI, Litestar, Flask, Django, plain ASGI or WSGI", ""),
        (24, 632, 64, "outside", "Your database: PostgreSQL, MariaDB, MySQL or SQLite", "users, groups, tokens, log"),
    )
    y = 16
    for x, box_width, height, color, name, note in boxes:
        parts += [_box(x, y, box_width, height, color), _text(x + 16, y + 27, "name", name)]
        parts += [_text(x + 16, y + 48, "note", note)] if note else []
        y += height + 34
    parts += [_arrow(340, 80, 114), _arrow(340, 444, 478)]
    inside = (
        (158, "door", "ScimApp, scim_urls", "adapter: mounted under /scim/v2"),
        (230, "room", "ScimService", "tokens, dialects, safeguards, events, log"),
        (302, "engine", "filters, patch, schema", "the RFCs as functions on documents"),
        (374, "room", "A store", "SQL, your SQLAlchemy or Django models"),
    )
    for y, color, name, note in inside:
        parts += [_box(48, y, 340, 58, color), _text(64, y + 25, "name", name), _text(64, y + 45, "note", note)]
    yours = ((230, "Your listeners", "tickets follow the leaver"), (302, "Your admin page", "tokens, log, health"))
    for y, name, note in yours:
        parts += [_box(420, y, 212, 58, "door"), _text(436, y + 25, "name", name), _text(436, y + 45, "note", note)]
        parts.append(f'<path class="arrow" d="M388 {y + 29 if y == 230 else 259} H404 V{y + 29} H420"/>')
    return _page(width, 558, "scimkit in your application", parts)


def flow(title: str, steps: Sequence[Step]) -> str:
    """Return the picture of a request as a column of steps."""
    width, gap = 680, 20
    parts, y = [_text(24, 36, "title", title)], 56
    for number, step in enumerate(steps):
        lines = wrap(step.what, 84)
        height = 36 + 18 * len(lines)
        if number:
            parts.append(_arrow(48, y - gap, y))
        inside = "." in step.where
        parts.append(_box(24, y, width - 48, height, _color(step.where.split(".")[0]) if inside else "outside"))
        parts.append(_text(40, y + 23, "code" if inside else "name", step.where))
        parts += [_text(40, y + 44 + 18 * at, "note", line) for at, line in enumerate(lines)]
        y += height + gap
    return _page(width, y, title, parts)


def _color(room: str) -> str:
    if room in ("asgi", "wsgi", "django", "cli", "testing", "delivery", "admin", "oauth", "telemetry"):
        return "door"
    return "engine" if room in ("filters", "patch", "schema", "documents", "errors", "runner", "uuid7") else "room"


def _box(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:.4g}" height="{height:g}" rx="6"/>'


def _text(x: float, y: float, kind: str, text: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text, quote=False)}</text>'


def _arrow(x: float, top: float, bottom: float) -> str:
    tip = f"M{x - 5:g} {bottom - 8:g} L{x + 5:g} {bottom - 8:g} L{x:g} {bottom:g} Z"
    return f'<path class="arrow" d="M{x:g} {top:g} V{bottom - 8:g}"/><path class="tip" d="{tip}"/>'


def _page(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    page = f'<rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", _STYLE, page, *parts, "</svg>", ""])


def drawings() -> dict[str, str]:
    """Return each picture by the name of its file."""
    flows = {f"{name}.svg": flow(title, steps) for name, (title, steps) in FLOWS.items()}
    return {"overview.svg": overview(), "house.svg": house(), **flows}


if __name__ == "__main__":
    for file, svg in drawings().items():
        (PICTURES / file).write_text(svg, "utf-8")
