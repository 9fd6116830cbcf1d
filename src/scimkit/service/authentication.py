"""The principal of each request: its token is verified, failed attempts are counted, and rate limits are applied.

This module does not route requests. It awaits only the token verifier and the counts of rate limits.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from scimkit.errors import Unauthorized
from scimkit.service.failed_attempts import FailedAttempts
from scimkit.service.http import Request
from scimkit.service.limits import Limits
from scimkit.service.logs import log_refused_source, log_refused_token
from scimkit.service.rate_limiter import RateLimited, RateLimiter
from scimkit.service.request_reporter import RequestReporter
from scimkit.service.token_checks import TokenChecks
from scimkit.tokens import Principal, SyncTokenVerifier, TokenVerifier, bearer_token

ANONYMOUS: Final = Principal(tenant="", token_id="")
"""The principal of a client that reads the ServiceProviderConfig without a token."""


class Authentication:
    """Finds the principal of each request of a service.

    Args:
        tokens: The verifier of bearer tokens.
        limits: The limits of requests.
        limiter: The object that applies rate limits, or None.
        checks: The checks of tokens that the store makes, or None if it makes none.
        reporter: The reporter of the service.
    """

    def __init__(
        self,
        tokens: SyncTokenVerifier | TokenVerifier,
        limits: Limits,
        limiter: RateLimiter | None,
        checks: TokenChecks | None,
        reporter: RequestReporter,
    ) -> None:
        self._tokens = tokens
        self._limits = limits
        self._limiter = limiter
        self._checks = checks
        self._reporter = reporter
        self._failed_attempts = FailedAttempts(limits.failed_attempts, limits.failed_attempts_window, tokens)

    async def verified(self, request: Request, *, recalls: bool = False) -> Principal:
        """Await the principal of the request's token. Raises the errors of `principal_of`."""
        answer = self.principal_of(request, recalls=recalls)
        return answer if isinstance(answer, Principal) else await answer

    def principal_of(self, request: Request, *, recalls: bool) -> Principal | Awaitable[Principal]:
        """Return the principal of the request's token, or an awaitable of it.

        An async verifier and rate limits need to be awaited.

        Args:
            request: The request.
            recalls: True if the store may check the token later.

        Raises:
            HeadersTooLarge: The headers are too large.
            UriTooLong: The query string is too long.
            Unauthorized: The token is not valid.
            TooManyRequests: The source has had too many failed attempts, or a rate limit refuses the request.
        """
        self._limits.check_request(request.headers, request.query)
        authorization = request.headers.get("authorization")
        if authorization is None and _is_public(request):
            return ANONYMOUS
        if self._limiter is not None:
            return self._limited_principal_of(request, self._limiter, recalls=recalls)
        return self._verify(request, authorization, recalls=recalls)

    async def _limited_principal_of(self, request: Request, limiter: RateLimiter, *, recalls: bool) -> Principal:
        """Return the principal of a request, and count the request. Raises RateLimited too."""
        try:
            limiter.check(request.headers)
            answer = self._verify(request, request.headers.get("authorization"), recalls=recalls)
            principal = answer if isinstance(answer, Principal) else await answer
            await limiter.count(request.headers, principal)
        except RateLimited as error:
            request.refused = error.principal
            raise
        refusals = limiter.due_refusals(principal)
        if refusals:
            self._reporter.report_refusals(request, principal, refusals)
        return principal

    def _verify(
        self, request: Request, authorization: str | None, *, recalls: bool
    ) -> Principal | Awaitable[Principal]:
        """Verify the token of a request."""
        if request.source in self._failed_attempts:
            self._failed_attempts.check(request.source, authorization)
        try:
            token = bearer_token(authorization)
            if recalls and self._checks is not None:
                recalled = self._checks.principal_of(request, token)
                if recalled is not None:
                    return recalled
            answer = self._tokens.verify(token)
        except Unauthorized as error:
            self._note_refused_token(request, error)
            raise
        return answer if isinstance(answer, Principal) else self._awaited(request, answer)

    async def _awaited(self, request: Request, answer: Awaitable[Principal]) -> Principal:
        """Await the answer of an async verifier."""
        try:
            return await answer
        except Unauthorized as error:
            self._note_refused_token(request, error)
            raise

    def _note_refused_token(self, request: Request, error: Unauthorized) -> None:
        """Log a refused token, count it as a failed attempt of its source, and keep its tenant for events."""
        log_refused_token(request, error)
        if self._failed_attempts.add(request.source):
            log_refused_source(request)
        token_id, tenant = getattr(error, "token_id", None), getattr(error, "tenant", None)
        if token_id is not None and tenant is not None:
            request.refused = Principal(tenant, token_id)


def _is_public(request: Request) -> bool:
    """Report whether a request needs no token, because it reads the ServiceProviderConfig (RFC 7643 section 5).

    If the client does send a token, the token is still verified, because clients test their tokens this way.
    """
    return request.method in ("GET", "HEAD") and request.path.strip("/") == "ServiceProviderConfig"
