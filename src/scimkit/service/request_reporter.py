"""Report each answered request: to the log files, the hooks of the host, and the provisioning log if it failed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from scimkit.errors import NotFound, ScimError
from scimkit.events import RequestCompleted, RequestListener
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import Request, Response
from scimkit.service.logs import access_log, log_access, log_quirks, log_refusals
from scimkit.service.observation import RequestObserver
from scimkit.service.provisioning_recorder import ProvisioningRecorder
from scimkit.service.rate_limiter import RateLimited
from scimkit.service.request_context import RequestContext
from scimkit.service.request_ids import HEADER as REQUEST_ID
from scimkit.stores.protocol import Store
from scimkit.tokens import Principal

_log: Final = logging.getLogger("scimkit")

ExchangeHook: TypeAlias = Callable[[Request, Response], None]
"""A function that receives every request and its response, unchanged.

`scimkit.testing.recorder` uses it. The values hold tokens and bodies, so do not log them.
"""


class RequestReporter:
    """Reports the requests of a service.

    Args:
        resource_types: The resource types by the lower-case name of their endpoint.
        deadline: The deadline of requests in seconds.
        on_request_completed: The hook that receives an event for each request.
        on_exchange: The hook that receives each request and its response.
        recorder: Writes the provisioning log, if the service has one.
        store: The store of the service.
    """

    def __init__(
        self,
        resource_types: Mapping[str, ResourceType],
        deadline: float,
        on_request_completed: RequestListener | None,
        on_exchange: ExchangeHook | None,
        recorder: ProvisioningRecorder | None,
        store: Store,
    ) -> None:
        self._resource_types = resource_types
        self._deadline = deadline
        self._on_request_completed = on_request_completed
        self._on_exchange = on_exchange
        self._recorder = recorder
        self._store = store
        self.observer: RequestObserver | None = None
        """The observer of the service, or None."""

    def report(
        self,
        request: Request,
        response: Response,
        call: RequestContext | None,
        principal: Principal | None,
        error: ScimError | None,
    ) -> None:
        """Add the request id to the response, log the request, and call the two hooks that observe requests."""
        response.headers += ((REQUEST_ID, request.id),)
        if response.quirks:
            log_quirks(request, response)
        if access_log.isEnabledFor(logging.INFO):
            log_access(request, response, principal, self._deadline)
        if self._on_exchange is not None:
            try:
                self._on_exchange(request, response)
            except Exception:
                _log.exception("the on_exchange hook failed")
        if self._on_request_completed is not None:
            self._complete(request, response, call, principal or request.refused, error)
        if self.observer is not None:
            self.observer.end(request, response, call, principal or request.refused, error)

    def report_part(self, request: Request, response: Response, call: RequestContext, error: ScimError | None) -> None:
        """Call the hook and the observer for an operation of a bulk request."""
        if self._on_request_completed is not None:
            self._complete(request, response, call, call.principal, error)
        if self.observer is not None:
            self.observer.note_part(request, response, call, error)

    def _complete(
        self,
        request: Request,
        response: Response,
        call: RequestContext | None,
        principal: Principal | None,
        error: ScimError | None,
    ) -> None:
        """Call the `on_request_completed` hook for a request, or for an operation of a bulk request."""
        if self._on_request_completed is None:
            return
        resource_type = self.resource_type_at(request.path)
        event = RequestCompleted(
            method=request.method,
            path=request.path,
            status=response.status,
            tenant=principal.tenant if principal else None,
            token_id=principal.token_id if principal else None,
            resource_type=resource_type.name if resource_type else None,
            id=(call.id or None) if call else None,
            changed=call.changed if call else False,
            quirks=response.quirks,
            skipped_members=call.skipped_members if call else (),
            detail=None if error is None else error.detail,
            request_id=request.id,
        )
        try:
            self._on_request_completed(event)
        except Exception:
            _log.exception("the on_request_completed hook failed")

    async def log_failure(
        self, request: Request, principal: Principal | None, call: RequestContext | None, error: ScimError
    ) -> None:
        """Write the failure of a request to the provisioning log, if the tenant of its token is known."""
        if isinstance(error, RateLimited):
            self.report_refusals(request, error.principal, error.refusals)
            return
        known = principal or request.refused
        if self._recorder is None or known is None:
            return
        if isinstance(error, NotFound) and request.method in ("GET", "HEAD"):
            self._recorder.count_read(known)  # identity providers look for resources that may be gone
            return
        try:
            resource_type = self.resource_type_at(request.path)
            await self._recorder.failed(request, known, call, error, resource_type, self._store)
        except Exception:
            _log.exception("the provisioning log failed; the request is not affected")

    def report_refusals(self, request: Request | None, principal: Principal, count: int) -> None:
        """Report how many requests of a token were refused by a rate limit. A count of 0 is not reported.

        The entry of the provisioning log waits in memory, so that a refusal needs no database.
        """
        if count:
            log_refusals(principal, count)
            if self._recorder is not None:
                self._recorder.keep_refusals(request, principal, count)

    def resource_type_at(self, path: str) -> ResourceType | None:
        """Return the resource type at a path, or None if the path belongs to no resource type."""
        return self._resource_types.get(path.strip("/").partition("/")[0].lower())
