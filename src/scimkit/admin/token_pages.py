"""The pages of tokens: the list, a new token, the connection that a token makes, and the changes during its life."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from scimkit.admin.form_checks import description_problem, scope_problem
from scimkit.admin.guides import GUIDES
from scimkit.admin.page_requests import Answer, Page, PageRequest, Redirect
from scimkit.admin.ports import SHOWN_OVERDUE, Ports
from scimkit.provisioning import LogQuery
from scimkit.runner import result_of
from scimkit.service.request_ids import one_line
from scimkit.tokens import TokenRecord, TokenStateError

EXPIRIES: Final[Mapping[str, timedelta | None]] = {
    "never": None, "90": timedelta(days=90), "180": timedelta(days=180), "365": timedelta(days=365),
    "730": timedelta(days=730),
}  # fmt: skip
"""The choices for the time until a token expires."""
OVERLAPS: Final[Mapping[str, timedelta]] = {
    "1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30),
    "none": timedelta(),
}  # fmt: skip
"""The choices for the time in which a rotated token stays valid."""
_CYCLES: Final = 10
_FAILURES: Final = 10

_log: Final = logging.getLogger("scimkit.admin")


class TokenPages:
    """The handlers of the pages of tokens."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def list(self, call: PageRequest) -> Answer:
        """Show the tokens of the tenant."""
        records = await self._ports.token_records(call.tenant)
        connections = [await self._ports.connection(each) for each in records]
        values = {
            "connections": connections, "endpoint": call.absolute(self._ports.endpoint),
            "overdue": await self._ports.overdue(call.tenant), "shown": SHOWN_OVERDUE,
            "ending": await self._ports.ending_clients(call.tenant),
        }  # fmt: skip
        return Page("tokens.html", values)

    async def new(self, call: PageRequest) -> Answer:
        """Show the form for a new token."""
        return self._new_form({})

    async def create(self, call: PageRequest) -> Answer:
        """Issue a token, and show it. No other page, URL or cookie ever has the token."""
        description, scopes = call.field("description"), call.form.get("scopes", ())
        expires, guide = call.field("expires"), call.field("guide")
        values = {"description": description, "scopes": scopes, "expires": expires, "guide": guide}
        problem = description_problem(description) or scope_problem(scopes, self._ports.service.resource_types)
        if problem or expires not in EXPIRIES:
            return self._new_form(values, problem or "new.problem.choice")
        answer: Any = self._ports.tokens.issue(
            description, tenant=call.tenant, expires_in=EXPIRIES[expires], scopes=scopes,
            created_by=call.administrator.name, active=call.field("status") != "inactive",
        )  # fmt: skip
        issued = await result_of(answer)
        _note(call, "issued", issued.record.id)
        return self._issued(call, issued, guide)

    async def show(self, call: PageRequest, id: str) -> Answer:
        """Show a token and its connection."""
        return await self._shown(call, id)

    async def update(self, call: PageRequest, id: str) -> Answer:
        """Change the description of a token."""
        description = call.field("description")
        problem = description_problem(description)
        if problem:
            return await self._shown(call, id, problem)
        return await self._changed(call, id, "updated", "update", description=description)

    async def set_status(self, call: PageRequest, id: str) -> Answer:
        """Activate or deactivate a token."""
        if call.field("status") == "active":
            return await self._changed(call, id, "activated", "activate")
        return await self._changed(call, id, "deactivated", "deactivate")

    async def confirm_rotation(self, call: PageRequest, id: str) -> Answer:
        """Show the form that rotates a token."""
        connection = await self._ports.connection(await self._ports.token_record(call.tenant, id))
        return Page("rotate.html", {"connection": connection, "overlaps": OVERLAPS, "expiries": EXPIRIES})

    async def rotate(self, call: PageRequest, id: str) -> Answer:
        """Issue a token that replaces another one, and show it."""
        overlap, expires = OVERLAPS.get(call.field("overlap")), call.field("expires")
        if overlap is None or expires not in EXPIRIES:
            return await self._shown(call, id, "new.problem.choice")
        try:
            answer: Any = self._ports.tokens.rotate(
                id, tenant=call.tenant, overlap=overlap, expires_in=EXPIRIES[expires],
                created_by=call.administrator.name,
            )  # fmt: skip
            issued = await result_of(answer)
        except TokenStateError:
            return await self._shown(call, id, "token.problem.state")
        _note(call, "rotated", id)
        return self._issued(call, issued, "", overlap)

    async def confirm_revocation(self, call: PageRequest, id: str) -> Answer:
        """Show what will stop if a token is revoked."""
        connection = await self._ports.connection(await self._ports.token_record(call.tenant, id))
        records = await self._ports.token_records(call.tenant)
        others = [each for each in records if each.id != id and each.status(self._ports.clock()) == "Active"]
        return Page("revoke.html", {"connection": connection, "others": others})

    async def revoke(self, call: PageRequest, id: str) -> Answer:
        """Revoke a token."""
        return await self._changed(call, id, "revoked", "revoke")

    async def _changed(self, call: PageRequest, id: str, done: str, method: str, **values: Any) -> Answer:
        """Call a method of the registry that changes a token, and return to the page of the token."""
        try:
            await result_of(getattr(self._ports.tokens, method)(id, tenant=call.tenant, **values))
        except TokenStateError:
            return await self._shown(call, id, "token.problem.state")
        _note(call, done, id)
        return Redirect(("tokens", id), f"done={done}")

    async def _shown(self, call: PageRequest, id: str, problem: str = "") -> Page:
        record = await self._ports.token_record(call.tenant, id)
        connection = await self._ports.connection(record)
        log = self._ports.log
        cycles = [] if log is None else await log.cycles(call.tenant, id, limit=_CYCLES)
        failures = LogQuery(tenant=call.tenant, token_id=id, result="Failure", limit=_FAILURES)
        is_running = bool(cycles) and cycles[0].is_running(self._ports.clock())
        values = {
            "connection": connection, "cycles": cycles, "failures": (await self._ports.entries(failures)).entries,
            "latest": (await self._ports.entries(LogQuery(tenant=call.tenant, token_id=id, limit=1))).entries,
            "is_running": is_running, "endpoint": call.absolute(self._ports.endpoint), "guides": GUIDES,
            "problem": problem, "replaced_by": await self._successor(record),
        }  # fmt: skip
        return Page("token.html", values, 422 if problem else 200)

    async def _successor(self, record: TokenRecord) -> TokenRecord | None:
        """Return the token that replaced a token, or None."""
        records = await self._ports.token_records(record.tenant)
        return next((each for each in records if each.rotated_from == record.id), None)

    def _new_form(self, values: Mapping[str, Any], problem: str = "") -> Page:
        entered = {"description": "", "scopes": ("read", "write"), "expires": "365", "guide": "entra", **values}
        shown = {"entered": entered, "expiries": EXPIRIES, "guides": GUIDES, "problem": problem}
        return Page("new_token.html", shown, 422 if problem else 200)

    def _issued(self, call: PageRequest, issued: Any, guide: str, overlap: timedelta | None = None) -> Page:
        values = {
            "token": issued.token, "record": issued.record, "endpoint": call.absolute(self._ports.endpoint),
            "guides": GUIDES, "chosen": guide if any(each.key == guide for each in GUIDES) else GUIDES[0].key,
            "overlap": overlap,
        }  # fmt: skip
        return Page("issued.html", values)


def _note(call: PageRequest, done: str, id: str) -> None:
    """Log what an administrator did."""
    name = one_line(call.administrator.name)
    extra = {"tenant": call.tenant, "token_id": id, "administrator": name}
    _log.info("token %s was %s by %s", id, done, name, extra=extra)
