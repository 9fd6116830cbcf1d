"""What the service logs of requests. Library users configure `logging` as they like.

`scimkit` has the errors and the quirks, `scimkit.auth` the refused tokens, `scimkit.access` one line for each request.
Each record has the extra fields `request_id`, `method` and `path`. No record holds a token, a body or a query.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

from scimkit.errors import Unauthorized
from scimkit.service.http import Request, Response
from scimkit.service.request_ids import one_line, request_id
from scimkit.tokens import Principal

_log = logging.getLogger("scimkit")
_auth = logging.getLogger("scimkit.auth")
_access = logging.getLogger("scimkit.access")


def request_fields(request: Request) -> dict[str, Any]:
    """Return the extra fields that name a request in a log record."""
    return {"request_id": request.id, "method": one_line(request.method), "path": one_line(request.path)}


def log_quirks(request: Request, response: Response) -> None:
    """Log at INFO the deviations from the RFC that a request needed."""
    quirks, fields = ", ".join(response.quirks), request_fields(request)
    extra = {**fields, "status": response.status, "quirks": quirks}
    _log.info("%s %s: %d, quirks: %s", fields["method"], fields["path"], response.status, quirks, extra=extra)


def log_refused_token(request: Request, error: Unauthorized) -> None:
    """Log at INFO why a token was refused, with the token's id if the token was issued once."""
    if not _auth.isEnabledFor(logging.INFO):
        return
    request.id = request.id or request_id(request.headers)
    reason = getattr(error, "reason", None) or (
        "the header is no bearer token" if request.headers.get("authorization") else "the request has no token"
    )
    token_id = getattr(error, "token_id", None)
    extra = {**request_fields(request), "reason": reason, "token_id": token_id}
    _auth.info("a token was refused: %s%s", reason, f" ({token_id})" if token_id else "", extra=extra)


def log_access(request: Request, response: Response, principal: Principal | None, allowed: float) -> None:
    """Log at INFO one line for a request that was answered. `allowed` is how long requests may take, in seconds."""
    if not _access.isEnabledFor(logging.INFO):
        return
    fields = request_fields(request)
    extra = {**fields, "status": response.status}
    if request.deadline is not None:
        extra["milliseconds"] = round((monotonic() - request.deadline + allowed) * 1000, 1)
    if principal is not None:
        extra |= {"tenant": principal.tenant, "token_id": principal.token_id}
    _access.info("%s %s: %d", fields["method"], fields["path"], response.status, extra=extra)
