"""`process_requests`: a worker that processes accepted requests and sends their outcomes. It starts no thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from scimkit.delivery.retries import RetryPolicy, jittered
from scimkit.delivery.worker import NeverStop, StopSignal
from scimkit.errors import ScimError
from scimkit.events.pending_requests import PendingRequest, RequestOutcome, RequestQueue
from scimkit.runner import run_sync
from scimkit.service import ScimService
from scimkit.service.async_requests import outcomes_from_json, outcomes_to_json, perform

_log: Final = logging.getLogger("scimkit")


def process_requests(
    queue: RequestQueue,
    service: ScimService,
    send: Callable[[RequestOutcome], None],
    *,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # RetryPolicy is immutable
    lease: float = 600.0,
    poll: float = 1.0,
    stop: StopSignal | None = None,
    until_empty: bool = False,
) -> int:
    """Process the requests that a service accepted, and send the outcome of each operation.

    A request is processed once. If the worker is killed meanwhile, another worker takes the request when its lease
    ends: it processes a PUT again, and tells the outcome of a bulk request as unknown. An outcome is sent at least
    once, with the same `txn`.

    Args:
        queue: The queue of the service.
        service: The service, over the same store as the one that accepted the requests.
        send: A function of an outcome, such as an `EventPush` or an `EventEnqueuer`.
        retry: The number of attempts to send the outcomes of a request, and the delays between them.
        lease: Seconds until other workers take the request of a worker that was killed. A request may take half of it.
        poll: Seconds between two looks at a queue without requests.
        stop: A signal that ends the worker after the current request, such as `threading.Event`.
        until_empty: Return as soon as no request is due.

    Returns:
        The number of finished requests.

    Raises:
        ValueError: The service needs an event loop, or a number is not positive.
    """
    if service.is_async:
        raise ValueError("process_requests needs a service with a sync store and a sync token verifier")
    if lease <= 0 or poll <= 0:
        raise ValueError("lease and poll must be more than 0 seconds")
    stop = NeverStop() if stop is None else stop
    finished = 0
    while not stop.is_set():
        try:
            request = queue.claim(lease)
            if request is not None:
                finished += _process(queue, service, request, send, retry, lease)
                continue
        except ScimError:
            if until_empty:
                raise
            _log.exception("the queue of accepted requests cannot be read")
        if until_empty:
            break
        stop.wait(jittered(poll))
    return finished


def _process(
    queue: RequestQueue,
    service: ScimService,
    request: PendingRequest,
    send: Callable[[RequestOutcome], None],
    retry: RetryPolicy,
    lease: float,
) -> bool:
    """Process a claimed request, and send its outcomes. Return True if the request is finished."""
    if request.results is None:
        try:
            outcomes = run_sync(perform(service, request, time.monotonic() + lease / 2))
        except Exception:
            _log.exception("accepted request %s could not be processed", request.txn)
            return _again(queue, request, retry)
        if not queue.note(request, outcomes_to_json(outcomes)):
            _log.error("accepted request %s took longer than its lease; another worker has it", request.txn)
            return False
    else:
        outcomes = outcomes_from_json(request.results)
    if not _sent(outcomes, send):
        return _again(queue, request, retry)
    queue.finish(request)
    return True


def _again(queue: RequestQueue, request: PendingRequest, retry: RetryPolicy) -> bool:
    """Give a request back for another attempt. Return True if it had its last attempt and is finished."""
    if request.attempts < retry.tries:
        queue.release(request, retry.delay(request.attempts))
        return False
    _log.error("the outcome of accepted request %s was not sent after %d attempts", request.txn, request.attempts)
    queue.finish(request)
    return True


def _sent(outcomes: Sequence[RequestOutcome], send: Callable[[RequestOutcome], None]) -> bool:
    """Send outcomes until one fails. Return True if all are sent."""
    for each in outcomes:
        try:
            send(each)
        except Exception as error:
            _log.warning("the outcome of accepted request %s was not sent: %s", each.txn, type(error).__name__)
            return False
    return True
