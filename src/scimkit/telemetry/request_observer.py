"""Watch the requests of a service: a span for each request, its duration, and counts of operations and quirks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, time_ns

from opentelemetry import context, metrics, propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from scimkit.errors import ScimError
from scimkit.service import Request, Response, ScimService
from scimkit.service.request_context import RequestContext
from scimkit.telemetry import instruments
from scimkit.telemetry.gauges import EventLoops
from scimkit.telemetry.instruments import DIALECT, QUIRK, QUIRKS, ROUTE, STATUS, TENANT
from scimkit.telemetry.request_facts import (
    Attributes,
    first_attributes,
    method_of,
    metric_attributes,
    quirks_of,
    response_attributes,
    scim_attributes,
)
from scimkit.tokens import Principal


@dataclass(slots=True, eq=False)
class _Observation:
    """The span of a request."""

    span: Span
    context: context.Context
    attributes: Attributes
    began: float
    unended: list[None] = field(default_factory=lambda: [None])
    """Empty after the end. Two threads may end a request, and `pop` succeeds for one of them only."""


class TelemetryObserver:
    """A `RequestObserver` that records spans and metrics.

    Args:
        service: The service.
        tracer: Makes the spans.
        meter: Makes the metrics.
        loops: Remembers the event loop, for the gauges.
        tenant: True to record the tenant of the token.
        prefix: The path of the endpoint, for `http.route`.
    """

    def __init__(
        self,
        service: ScimService,
        tracer: trace.Tracer,
        meter: metrics.Meter,
        loops: EventLoops,
        *,
        tenant: bool,
        prefix: str,
    ) -> None:
        self._service = service
        self._tracer = tracer
        self._loops = loops
        self._records_tenant = tenant
        self._prefix = prefix
        self._duration = instruments.histogram(meter, instruments.REQUEST_DURATION, instruments.HTTP_SECONDS)
        self._operations = instruments.counter(meter, instruments.OPERATIONS)
        self._quirks = instruments.counter(meter, instruments.QUIRK_USES)

    @contextmanager
    def watching(self, request: Request) -> Iterator[None]:
        """Make the span of a request the current span."""
        self._loops.note()
        token = context.attach(self._observation(request).context)
        try:
            yield
        finally:
            context.detach(token)

    def end(
        self,
        request: Request,
        response: Response,
        call: RequestContext | None,
        principal: Principal | None,
        error: ScimError | None,
    ) -> None:
        """End the span of a request, and record its duration."""
        observation = self._observation(request)
        try:
            observation.unended.pop()
        except IndexError:
            return
        answered, tenant = response_attributes(response), self._tenant(principal)
        facts, quirks = scim_attributes(self._service, request, call, error) | tenant, quirks_of(response)
        self._duration.record(monotonic() - observation.began, observation.attributes | answered | tenant)
        if facts.get(instruments.OPERATION) != "bulk":
            self._operations.add(1, metric_attributes(facts) | {STATUS: response.status})
        dialect = {DIALECT: facts[DIALECT]} if DIALECT in facts else {}
        for each in quirks:
            self._quirks.add(1, {QUIRK: each, **dialect, **tenant})
        span = observation.span
        span.set_attributes({**facts, **answered, **({QUIRKS: quirks} if quirks else {})})
        if response.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def note_part(self, request: Request, response: Response, call: RequestContext, error: ScimError | None) -> None:
        """Count an operation of a bulk request, and add it to the current span as an event."""
        facts = scim_attributes(self._service, request, call, error) | {STATUS: response.status}
        self._operations.add(1, facts | self._tenant(call.principal))
        trace.get_current_span().add_event("scim.bulk.operation", facts)

    def _tenant(self, principal: Principal | None) -> Attributes:
        return {TENANT: principal.tenant} if self._records_tenant and principal is not None else {}

    def _observation(self, request: Request) -> _Observation:
        """Return the observation of a request. The first call begins it, at the time at which the request arrived."""
        found = request.observation
        if isinstance(found, _Observation):
            return found
        now = monotonic()
        began = now if request.deadline is None else min(now, request.deadline - self._service.limits.deadline)
        is_inner = trace.get_current_span().get_span_context().is_valid
        parent = context.get_current() if is_inner else propagate.extract(request.headers)
        attributes = first_attributes(self._service, request, self._prefix)
        route = attributes.get(ROUTE)
        method = method_of(request)
        verb = "HTTP" if method == "_OTHER" else method
        span = self._tracer.start_span(
            f"{verb} {route}" if route else verb,
            parent,
            SpanKind.INTERNAL if is_inner else SpanKind.SERVER,
            attributes,
            start_time=time_ns() - int((now - began) * 1e9),
        )
        made = request.observation = _Observation(span, trace.set_span_in_context(span, parent), attributes, began)
        return made
