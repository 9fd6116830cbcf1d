"""Make the entries of the provisioning log from requests and what they wrote.

This module never does I/O, and bounds every value that an entry keeps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Final

from scimkit.dialects.rewrites import described
from scimkit.documents import Document, parse_object, write_json
from scimkit.errors import NotFound, ScimError
from scimkit.events import AttributeChange, Change, EventDerivation
from scimkit.patch.changes import EffectiveChanges
from scimkit.patch.operations import Operation
from scimkit.provisioning import MAX_IDS, REDACTED, Action, LogEntry, LogOptions, LogResult, QuirkUse
from scimkit.provisioning.identity_providers import MAX_USER_AGENT, guessed_provider
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import Request
from scimkit.service.request_context import RequestContext
from scimkit.service.request_ids import one_line
from scimkit.stores.protocol import MEMBERS, Written
from scimkit.tokens import Client, Principal
from scimkit.uuid7 import new_uuid7

_ACTIVE: Final = "active"
_LABELS: Final = ("userName", "displayName", "agentUserName")
_BY_METHOD: Final[Mapping[str, Action]] = {
    "POST": "Create", "PUT": "Update", "PATCH": "Update", "DELETE": "Delete"
}  # fmt: skip
_MAX_VALUE: Final = 1_000
"""The largest number of characters of one value as JSON. A longer value is shortened to a text."""
_MAX_VALUES: Final = 20
_MAX_CHANGES: Final = 100
_MAX_NAME: Final = 255
_READ_BODY: Final = 65_536
"""The largest body in which the name of a refused resource is looked for, in bytes."""


class EntryMaker:
    """Makes the entries of one resource type.

    Args:
        resource_type: The resource type.
        options: The options of the log.
        sensitive: Paths of attributes that must not appear, not even by name.
    """

    def __init__(self, resource_type: ResourceType, options: LogOptions, sensitive: Collection[str] = ()) -> None:
        self.resource_type = resource_type
        self._derivation = EventDerivation(resource_type, sensitive, ())
        self._keeps_values = options.values == "all"
        paths = [path.text for path in map(resource_type.resolve, options.redact) if path is not None]
        self._redacted = tuple(paths)
        self._label_names = tuple(name for name in _LABELS if name not in paths)
        self._keeps_external_id = "externalId" not in paths

    def written(self, call: RequestContext, written: Written) -> LogEntry:
        """Return the entry of a write that did not fail."""
        changes = written.changes
        document = written.document if changes is None else changes.after or changes.before
        has_remarks = bool(call.deviations.fired or written.skipped_members or written.dropped)
        result: LogResult = "Skipped" if not written.changed else "Warning" if has_remarks else "Success"
        members = (changes.added_members, changes.removed_members) if changes is not None else ((), ())
        return LogEntry(
            **_common(call.request, call.principal, call),
            action=_action(call) if changes is None or not written.changed else _action_of(changes) or _action(call),
            result=result,
            resource_type=self.resource_type.name,
            resource_id=written.document.get("id", call.id),
            external_id=document.get("externalId") if self._keeps_external_id else None,
            label=self.label(document),
            changes={} if changes is None else self._changes(changes),
            added_members=members[0][:MAX_IDS],
            removed_members=members[1][:MAX_IDS],
            added_count=len(members[0]),
            removed_count=len(members[1]),
            missing_members=tuple(each[:_MAX_NAME] for each in written.skipped_members[:MAX_IDS]),
            missing_count=len(written.skipped_members),
            quirks=self.quirks(call),
            dropped=written.dropped,
        )

    def label(self, document: Mapping[str, Any]) -> str | None:
        """Return the name of a resource for people, or None."""
        found = next((document[name] for name in self._label_names if isinstance(document.get(name), str)), None)
        return None if found is None else found[:_MAX_NAME]

    def named(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of an entry that name a resource."""
        external_id = document.get("externalId") if self._keeps_external_id else None
        return {
            "label": self.label(document),
            "external_id": external_id[:_MAX_NAME] if isinstance(external_id, str) else None,
        }

    def quirks(self, call: RequestContext) -> tuple[QuirkUse, ...]:
        """Return the quirks that a request needed, with what they rewrote."""
        return tuple(map(self._without_redacted, quirk_uses(call))) if call.deviations.fired else ()

    def _without_redacted(self, use: QuirkUse) -> QuirkUse:
        if self._keeps_values and not self._is_redacted(use.attribute or ""):
            return use
        return QuirkUse(use.name, None if use.attribute is None else use.attribute.partition("[")[0])

    def _changes(self, changes: EffectiveChanges) -> dict[str, Mapping[str, Any]]:
        found = self._derivation.changed_attributes(changes)
        return {
            path: _change(found[path]) if self._keeps_values and not self._is_redacted(path) else REDACTED
            for path in list(found)[:_MAX_CHANGES]
        }

    def _is_redacted(self, path: str) -> bool:
        """Report whether an attribute, the attribute around it, or one of its sub-attributes is redacted."""
        if not self._redacted:
            return False
        plain = path.partition("[")[0]
        return any(
            plain == each or plain.startswith((f"{each}.", f"{each}:")) or each.startswith(f"{plain}.")
            for each in self._redacted
        )


def quirk_uses(call: RequestContext) -> tuple[QuirkUse, ...]:
    """Return the quirks that a request needed, with what they rewrote."""
    fired = call.deviations.fired
    return tuple(QuirkUse(name, *described(fired[name])) for name in fired if ":" not in name)


def failed(
    request: Request, principal: Principal, call: RequestContext | None, error: ScimError, maker: EntryMaker | None
) -> LogEntry:
    """Return the entry of a request that failed. The deletion of a resource that is gone counts as skipped.

    Args:
        request: The request.
        principal: The principal of the token.
        call: The context of the request, or None if the request was refused before it was read.
        error: The error.
        maker: Makes entries of the resource type of the request, or None if the request has no resource type.
    """
    fields: dict[str, Any] = {}
    if maker is not None:
        named = call.document if call is not None and call.document is not None else _named_in_body(request)
        fields = {"resource_type": maker.resource_type.name, **maker.named(named)}
        if call is not None:
            fields |= {"resource_id": call.id, "quirks": maker.quirks(call)}
    is_write = maker is not None and not request.path.rstrip("/").endswith("/.search")
    by_method: Action = _BY_METHOD.get(request.method, "Other") if is_write else "Other"
    return LogEntry(
        **_common(request, principal, call),
        **fields,
        action=by_method if call is None or by_method != "Update" else _action(call),
        result="Skipped" if isinstance(error, NotFound) and by_method == "Delete" else "Failure",
        error_code=error.scim_type or str(error.status),
        detail=error.detail,
    )


def refused(request: Request | None, principal: Principal, count: int) -> LogEntry:
    """Return the entry of requests that a rate limit refused.

    Args:
        request: A request with the token, which names the client. None if there is none.
        principal: The principal of the token.
        count: The number of refused requests since the last such entry.
    """
    agent = "" if request is None else one_line(request.headers.get("user-agent", "")[:MAX_USER_AGENT])
    return LogEntry(
        id=new_uuid7(),
        tenant=principal.tenant,
        token_id=principal.token_id,
        started=datetime.now(UTC),
        user_agent=agent,
        identity_provider=guessed_provider(agent),
        action="Other",
        result="Failure",
        error_code="429",
        detail=f"The rate limit refused {count} request{'s' if count > 1 else ''} of this token.",
    )


def refused_token_request(request: Request, client: Client, error: str, reason: str) -> LogEntry:
    """Return the entry of a request to the token endpoint that was refused.

    Args:
        request: The request.
        client: The OAuth client that the request names.
        error: The error of RFC 6749 section 5.2.
        reason: Why the request was refused. The client does not see it.
    """
    return LogEntry(
        **_common(request, Principal(tenant=client.tenant, token_id=client.id), None),
        action="RequestToken",
        result="Failure",
        error_code=error,
        detail=reason,
        label=client.description[:_MAX_NAME],
    )


def _common(request: Request, principal: Principal, call: RequestContext | None) -> dict[str, Any]:
    """Return the fields that every entry has."""
    seconds = 0.0 if call is None else monotonic() - call.began
    agent = one_line(request.headers.get("user-agent", "")[:MAX_USER_AGENT])
    return {
        "id": new_uuid7(),
        "tenant": principal.tenant,
        "token_id": principal.token_id,
        "cycle_id": "" if call is None else call.cycle_id,
        "started": datetime.now(UTC) - timedelta(seconds=seconds),
        "duration": round(seconds * 1000, 1),
        "request_id": request.id,
        "user_agent": agent,
        "identity_provider": guessed_provider(agent),
        "method": request.method,
    }


def _action_of(changes: EffectiveChanges) -> Action | None:
    """Return the action that describes the changes of a write, or None if the write changed nothing."""
    if not changes.before:
        return "Create"
    if not changes.after:
        return "Delete"
    was, is_now = (each.get(_ACTIVE) is not False for each in (changes.before, changes.after))
    if was != is_now:
        return "Enable" if is_now else "Disable"
    if changes.before == changes.after and bool(changes.added_members) != bool(changes.removed_members):
        return "AddMembers" if changes.added_members else "RemoveMembers"
    return None


def _action(call: RequestContext) -> Action:
    """Return the action that a request asks for."""
    operations: Sequence[Operation] = call.operations
    if operations and all(each.path.top == MEMBERS for each in operations):
        if all(each.op == "add" for each in operations):
            return "AddMembers"
        if all(each.op == "remove" for each in operations):
            return "RemoveMembers"
    if len(operations) == 1 and operations[0].path.top == _ACTIVE and isinstance(operations[0].value, bool):
        return "Enable" if operations[0].value else "Disable"
    return _BY_METHOD.get(call.request.method, "Other")


def _named_in_body(request: Request) -> Document:
    """Return the attributes of a refused body that name its resource. The body may be anything."""
    if not request.body or len(request.body) > _READ_BODY:
        return {}
    try:
        body = parse_object(request.body)
    except ScimError:
        return {}
    wanted = {name.lower(): name for name in (*_LABELS, "externalId")}
    return {wanted[name.lower()]: value for name, value in body.items() if name.lower() in wanted}


def _change(change: Change) -> Mapping[str, Any]:
    """Return a change for an entry, with bounded values."""
    if isinstance(change, AttributeChange):
        return {"before": _bounded(change.before), "after": _bounded(change.after)}
    return {
        "added": [_bounded(each) for each in change.added[:_MAX_VALUES]],
        "removed": [_bounded(each) for each in change.removed[:_MAX_VALUES]],
    }


def _bounded(value: Any) -> Any:
    """Return a value, or the beginning of its text if it is too long."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else write_json(value).decode()
    return value if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}\u2026"
