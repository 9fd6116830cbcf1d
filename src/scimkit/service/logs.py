"""Log records of requests. Applications configure them with `logging`.

The logger `scimkit` gets errors and quirks. `scimkit.auth` gets refused tokens. `scimkit.access` gets one record for
each request. Every record has the extra fields `request_id`, `method` and `path`. No record has a token, a body or a
query string.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any, Final

from scimkit.errors import Unauthorized
from scimkit.service.http import Request, Response
from scimkit.service.request_ids import one_line, request_id
from scimkit.tokens import Principal

_log = logging.getLogger("scimkit")
_auth = logging.getLogger("scimkit.auth")
access_log: logging.Logger = logging.getLogger("scimkit.access")

LOGGERS: Final = ("scimkit", "scimkit.auth", "scimkit.access", "scimkit.admin", "scimkit.serve")
"""The names of all loggers of scimkit."""


def request_fields(request: Request) -> dict[str, Any]:
    """Return the extra fields of a log record that identify a request."""
    return {"request_id": request.id, "method": one_line(request.method), "path": one_line(request.path)}


def log_quirks(request: Request, response: Response) -> None:
    """Log the quirks that a request needed, at level INFO."""
    if not _log.isEnabledFor(logging.INFO):
        return
    quirks, fields = ", ".join(response.quirks), request_fields(request)
    extra = {**fields, "status": response.status, "quirks": quirks}
    _log.info("%s %s: %d, quirks: %s", fields["method"], fields["path"], response.status, quirks, extra=extra)


def log_refused_token(request: Request, error: Unauthorized) -> None:
    """Log why a token was refused, at level INFO. The record has the id of the token if the token was issued."""
    if not _auth.isEnabledFor(logging.INFO):
        return
    request.id = request.id or request_id(request.headers)
    reason = getattr(error, "reason", None) or (
        "the Authorization header has no bearer token"
        if request.headers.get("authorization")
        else "the request has no Authorization header"
    )
    token_id = getattr(error, "token_id", None)
    extra = {**request_fields(request), "reason": reason, "token_id": token_id}
    _auth.info("a token was refused: %s%s", reason, f" ({token_id})" if token_id else "", extra=extra)


def log_refused_source(request: Request) -> None:
    """Log that a source has too many failed attempts, at level WARNING. The record has the address of the source."""
    _auth.warning(
        "too many failed attempts from one source; its requests are refused for a while",
        extra={**request_fields(request), "source": request.source},
    )


def log_refusals(principal: Principal, count: int) -> None:
    """Log how many requests of a token a rate limit refused since the last record, at level WARNING."""
    extra = {"tenant": principal.tenant, "token_id": principal.token_id, "refused": count}
    _auth.warning(
        "the rate limit refused requests of one token; their number since the last record: %d", count, extra=extra
    )


def log_access(request: Request, response: Response, principal: Principal | None, allowed: float) -> None:
    """Log one record for a request that was answered, at level INFO. The caller checks the level of `access_log`.

    `allowed` is the deadline of the limits in seconds.
    """
    fields = request_fields(request)
    extra = {**fields, "status": response.status}
    if request.deadline is not None:
        extra["milliseconds"] = round((monotonic() - request.deadline + allowed) * 1000, 1)
    if principal is not None:
        extra |= {"tenant": principal.tenant, "token_id": principal.token_id}
    access_log.info("%s %s: %d", fields["method"], fields["path"], response.status, extra=extra)
