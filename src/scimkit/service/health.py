"""Health checks: whether the process answers, and whether the service can serve requests.

A health check needs no token. The store is checked at most once a second, no matter how many probes arrive.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, Final

from scimkit.documents import write_json
from scimkit.service.http import JSON, Response
from scimkit.service.service import ScimService

_log = logging.getLogger("scimkit")

PATIENCE: Final = 2.0
"""Maximum number of seconds in which a store must answer a health check."""
_INTERVAL: Final = 1.0
_HEADERS: Final = (("Content-Type", JSON), ("Cache-Control", "no-store"))
_lock: Final = Lock()


@dataclass(frozen=True, slots=True)
class Health:
    """The result of a health check: whether the service can serve requests, and if not, why.

    `detail` has no personal data and no password.
    """

    ready: bool
    detail: str = "ready"

    def response(self) -> Response:
        """Return the response to a probe: 200 if the service is ready, else 503."""
        body = write_json({"ready": self.ready, "detail": self.detail})
        return Response(200 if self.ready else 503, body, _HEADERS)


def live() -> Response:
    """Return the response to a liveness probe. A process that can answer is alive."""
    return Response(200, write_json({"live": True}), _HEADERS)


def health(service: ScimService) -> Health:
    """Return whether a service over a sync store can serve requests.

    Raises:
        TypeError: The store is async; use `scimkit.loop.awaited_health`.
    """
    if service.store.is_async:
        raise TypeError("the store is async; use scimkit.loop.awaited_health")
    return keep(service, check_store(service)) if is_due(service) else latest(service)


def is_due(service: ScimService) -> bool:
    """Report whether the caller must check the store now. Other callers get False for the next second."""
    with _lock:
        now = monotonic()
        if now < service.next_health_check:
            return False
        service.next_health_check = now + _INTERVAL
        return True


def latest(service: ScimService) -> Health:
    """Return the last known health. A service with a full queue is not ready, even if its store is."""
    found: Health = service.last_health or Health(False, "the first health check of the store is still running")
    return Health(False, "the queue of requests is full") if found.ready and service.is_full() else found


def keep(service: ScimService, found: Health) -> Health:
    """Store the result of a health check, log it if it differs from the previous one, and return the current health."""
    if service.last_health != found:
        _log.log(logging.INFO if found.ready else logging.WARNING, "health: %s", found.detail)
    service.last_health = found
    return latest(service)


def check_store(service: ScimService) -> Health:
    """Return the health that a sync store reports. Never raises."""
    check = getattr(service.store, "check_health", None)
    try:
        return read_store_health(None if check is None else check(monotonic() + PATIENCE))
    except Exception as error:
        return failed(error)


def read_store_health(found: Any) -> Health:
    """Return the health that a store reports. A store without a health check is ready."""
    return Health(True) if found is None else Health(bool(found.ready), str(found.detail) or "ready")


def failed(error: Exception) -> Health:
    """Return the health of a store whose check raised an error."""
    _log.warning("a health check failed: %s", type(error).__name__)
    return Health(False, "the store does not answer")
