from datetime import UTC, datetime, timedelta

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.provisioning import LogQuery, connection_health

tokens = TokenRegistry()
service = ScimService(MemoryStore(provisioning_log=True), tokens=tokens)
log = service.provisioning_log


def connections(tenant):
    """Return what a page of tokens shows."""
    now = datetime.now(UTC)
    for record in tokens.list(tenant):
        health = connection_health(log, tenant, record.id)
        yield {
            "description": record.description,
            "status": record.status(now),
            "last used": record.last_used,
            "health": health.status,
            "next cycle": health.next_expected,
            "affected": health.affected,
        }


def failures_of(tenant, person):
    """Return why a person was not provisioned in the last day."""
    since = datetime.now(UTC) - timedelta(days=1)
    page = log.search(LogQuery(tenant=tenant, person=person, result="Failure", since=since))
    return [(entry.started, entry.error_code, entry.detail, entry.request_id) for entry in page.entries]


tokens.issue("Microsoft Entra ID", tenant="acme")
assert [each["health"] for each in connections("acme")] == ["Waiting"]
assert failures_of("acme", "ada@example.org") == []
