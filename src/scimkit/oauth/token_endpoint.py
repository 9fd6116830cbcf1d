"""`TokenEndpoint`: issues access tokens to OAuth clients, from a request value to a response value (RFC 6749).

Like `ScimService`, it awaits only its ports, so that a host without an event loop can run it with `run_sync`.
"""

from __future__ import annotations

import hmac
import logging
import ssl
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from scimkit.errors import ScimError, TooManyRequests, Unavailable
from scimkit.oauth.assertions import Assertions, unverified_claims
from scimkit.oauth.async_clients import AsyncClientRegistry
from scimkit.oauth.client_changes import hash_of
from scimkit.oauth.clients import ClientRegistry
from scimkit.oauth.token_requests import (
    CLIENT_CREDENTIALS,
    TokenError,
    TokenRequest,
    invalid_client,
    invalid_request,
    read_token_request,
    token_response,
    too_many_requests,
    unavailable,
)
from scimkit.runner import result_of
from scimkit.service import Request, Response, ScimService
from scimkit.service.failed_attempts import FailedAttempts
from scimkit.service.logs import request_fields
from scimkit.service.request_ids import HEADER as REQUEST_ID
from scimkit.service.request_ids import request_id
from scimkit.tokens import Client, InvalidToken, IssuedToken, check_scopes
from scimkit.tokens.clients import token_owner
from scimkit.tokens.seen import SeenTokens, digest_of

TOKEN_SCHEME: Final[Mapping[str, Any]] = {
    "type": "oauth2",
    "name": "OAuth 2.0 Client Credentials",
    "description": "Access tokens of the token endpoint, for clients with a secret or a signed assertion (RFC 7523).",
    "specUri": "https://www.rfc-editor.org/info/rfc6749",
    "primary": False,
}
"""The entry of `authenticationSchemes` that the ServiceProviderConfig shows (RFC 7643 section 5)."""
ISSUES_PER_WINDOW: Final = 60
"""Number of access tokens that a client may get within `ISSUE_WINDOW` seconds."""
ISSUE_WINDOW: Final = 600.0
LOGGED_PER_WINDOW: Final = 20
"""Number of refused requests of a client that the provisioning log gets within `LOG_WINDOW` seconds."""
LOG_WINDOW: Final = 60.0
KEPT_EXPIRED: Final = timedelta(days=1)
"""The time for which an expired access token stays in the store, so that people can see it."""

_PATH: Final = "/token"
_NOT_PERMITTED: Final = "The client may not ask for one of the scopes."
_NO_HASH: Final = b"\0" * 32
_auth: Final = logging.getLogger("scimkit.auth")
_log: Final = logging.getLogger("scimkit")


class TokenEndpoint:
    """The token endpoint of a `ScimService`. Serve it with `scimkit.oauth.asgi` or `scimkit.oauth.wsgi`.

    It serves the grant `client_credentials` (RFC 6749 section 4.4). Clients authenticate with `client_secret_basic`,
    `client_secret_post`, or a signed assertion: `private_key_jwt` or that of a federated issuer (RFC 7523). The service
    announces it in its ServiceProviderConfig.

    Args:
        service: The service. It verifies the tokens of `clients.tokens`, alone or by `first_of`.
        clients: The registry of the clients.
        full_scopes: Values of `scope` that stand for all scopes of the client, as Entra ID may be told to send one.
        allow_http: Accept key sets at a URL with `http`, for tests on one machine.
        allowed_networks: Networks such as `10.0.0.0/8` from which keys may be fetched. Public addresses are allowed.
        timeout: Seconds that a fetch of keys may take.
        ssl_context: The TLS settings of fetches, for an issuer with a certificate of your own authority.

    Raises:
        ValueError: The service and the clients cannot be called in the same way, or a network is not valid.
    """

    def __init__(
        self,
        service: ScimService,
        clients: ClientRegistry | AsyncClientRegistry,
        *,
        full_scopes: Collection[str] = ("scim",),
        allow_http: bool = False,
        allowed_networks: Collection[str] = (),
        timeout: float = 5.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        if clients.is_async and not service.is_async:
            raise ValueError("an AsyncClientRegistry needs an async store or token verifier; use a ClientRegistry")
        if clients.is_async is False and service.is_async and clients.blocking:
            raise ValueError("an async service needs an AsyncClientRegistry, which does not block")
        self.service = service
        self.is_async: bool = service.is_async
        """True if the endpoint needs an event loop, as its service does."""
        self._clients = clients
        self._full_scopes = frozenset(full_scopes)
        self._assertions = Assertions(
            is_async=service.is_async, allow_http=allow_http, allowed_networks=allowed_networks, timeout=timeout,
            ssl_context=ssl_context, clock=clients.clock,
        )  # fmt: skip
        limits = service.limits
        self._accepted = AcceptedCredentials()
        self._sources = FailedAttempts(limits.failed_attempts, limits.failed_attempts_window, self._accepted)
        self._failed_clients = FailedAttempts(limits.failed_attempts, limits.failed_attempts_window, self._accepted)
        self._issues = FailedAttempts(ISSUES_PER_WINDOW, ISSUE_WINDOW)
        self._logged = FailedAttempts(LOGGED_PER_WINDOW, LOG_WINDOW)
        service.announce_scheme(TOKEN_SCHEME)

    async def handle(self, request: Request) -> Response:
        """Return the response to a request. Never raises: every failure becomes an error of RFC 6749 section 5.2.

        Args:
            request: The request. `path` is relative to the mount path, and must be `/token`.
        """
        request.id = request.id or request_id(request.headers)
        client: Client | None = None
        try:
            self._check_route(request)
            wanted = read_token_request(request)
            known = _known_as(wanted, request.source)
            self._check_attempts(self._sources, request.source, known)
            client = await self._find(wanted)
            self._check_attempts(self._failed_clients, client.id if client else "", known)
            client = await self._authenticate(client, wanted)
            self._accepted.add(known)
            response = await self._issue(request, client, wanted)
        except TokenError as error:
            response = await self._refused_with_entry(request, client, error)
        except ScimError as error:
            response = await self._refused_with_entry(request, client, _token_error(error))
        except Exception:
            _log.exception("the token endpoint failed")
            response = TokenError("server_error", "The token endpoint failed.", status=500).response()
        return _with_request_id(response, request)

    def refuse(self, request: Request, error: ScimError) -> Response:
        """Return the error response of a request that the host cannot pass to `handle`."""
        request.id = request.id or request_id(request.headers)
        return _with_request_id(self._refused(request, None, _token_error(error)), request)

    def _check_route(self, request: Request) -> None:
        """Check the path and the method (RFC 6749 section 3.2). Raises TokenError."""
        if request.path.rstrip("/") != _PATH:
            raise invalid_request("There is nothing at this path; the token endpoint is at /token.", status=404)
        if request.method != "POST":
            raise TokenError("invalid_request", "The token endpoint accepts POST only.", ("Allow", "POST"), status=405)

    def _check_attempts(self, attempts: FailedAttempts, key: str, known: str) -> None:
        """Check that a source or a client has not failed too often. Raises TokenError."""
        try:
            attempts.check(key, f"Bearer {known}")
        except TooManyRequests as error:
            raise too_many_requests(_retry_after(error)) from None

    async def _find(self, wanted: TokenRequest) -> Client | None:
        """Return the client that a request names. The subject of an assertion may stand for `client_id`."""
        id = wanted.client_id
        if not id and wanted.assertion is not None:
            try:
                subject = unverified_claims(wanted.assertion).get("sub")
            except InvalidToken as error:
                raise invalid_client(error.reason) from None
            id = subject if isinstance(subject, str) else ""
        return await result_of(self._clients.find_any(id)) if id else None

    async def _authenticate(self, client: Client | None, wanted: TokenRequest) -> Client:
        """Return the client if its secret or its assertion is valid. Raises TokenError."""
        if wanted.secret is not None:
            _check_secret(client, wanted.secret, self._clients.clock())
        if client is None:
            raise invalid_client("there is no client with this id")
        if client.revoked is not None:
            raise invalid_client("the client is revoked")
        if wanted.assertion is not None:
            try:
                await self._assertions.check(client, wanted.assertion)
            except InvalidToken as error:
                raise invalid_client(error.reason) from None
            except Unavailable as error:
                raise unavailable(_retry_after(error), "the keys of the issuer cannot be fetched now") from None
        return client

    async def _issue(self, request: Request, client: Client, wanted: TokenRequest) -> Response:
        """Issue an access token to an authenticated client. Raises TokenError."""
        scopes = self._granted(client, wanted)
        try:
            self._issues.check(client.id, None)
        except TooManyRequests as error:
            raise too_many_requests(_retry_after(error)) from None
        self._issues.add(client.id)
        tokens, owner, tenant = self._clients.tokens, token_owner(client), client.tenant
        answer: Any = tokens.issue(
            client.description, tenant=tenant, expires_in=timedelta(seconds=client.lifetime), dialect=client.dialect,
            scopes=scopes, created_by=owner,
        )  # fmt: skip
        issued: IssuedToken = await result_of(answer)
        present = await result_of(self._clients.find_any(client.id))
        if present != client and _has_lost_credentials(client, present):
            await result_of(tokens.revoke(issued.record.id, tenant=tenant))
            raise invalid_client("the client was changed during the request")
        ended = self._clients.clock() - KEPT_EXPIRED
        await result_of(tokens.remove_expired(owner, ended, tenant=tenant))
        extra = {**_fields(request, client), "token_id": issued.record.id}
        _auth.info("an access token was issued to the client %s", client.id, extra=extra)
        return token_response(issued.token, client.lifetime, scopes)

    def _granted(self, client: Client, wanted: TokenRequest) -> tuple[str, ...]:
        """Return the scopes of the access token: the requested ones, or all of the client. Raises TokenError."""
        if not wanted.grant_type:
            raise invalid_request("grant_type is missing.")
        if wanted.grant_type != CLIENT_CREDENTIALS:
            raise TokenError("unsupported_grant_type", f"grant_type must be {CLIENT_CREDENTIALS}.")
        if not wanted.scopes or any(each in self._full_scopes for each in wanted.scopes):
            return client.scopes
        try:
            scopes = check_scopes(wanted.scopes)
        except ValueError:
            raise TokenError("invalid_scope", _NOT_PERMITTED) from None
        if any(each not in client.scopes and each.partition(":")[0] not in client.scopes for each in scopes):
            raise TokenError("invalid_scope", _NOT_PERMITTED)
        return scopes

    async def _refused_with_entry(self, request: Request, client: Client | None, error: TokenError) -> Response:
        """Refuse a request. If the client is known, its tenant sees the reason in the provisioning log."""
        response = self._refused(request, client, error)
        if client is not None and not self._is_logged_enough(client):
            await self.service.log_refused_token_request(request, client, error.code, error.reason)
        return response

    def _is_logged_enough(self, client: Client) -> bool:
        """Report whether the provisioning log has enough entries of a client for now. Otherwise, count another one."""
        try:
            self._logged.check(client.id, None)
        except TooManyRequests:
            return True
        self._logged.add(client.id)
        return False

    def _refused(self, request: Request, client: Client | None, error: TokenError) -> Response:
        """Log why a request was refused, count a failed authentication, and return the error response."""
        if error.status in (401, 503):
            is_refused = self._sources.add(request.source)
            if client is not None and self._failed_clients.add(client.id):
                is_refused = True
            if is_refused:
                _auth.warning("too many failed attempts at the token endpoint", extra=_fields(request, client))
        extra = {**_fields(request, client), "reason": error.reason, "error": error.code}
        _auth.info("the token endpoint refused a request: %s", error.reason, extra=extra)
        return error.response()


class AcceptedCredentials:
    """Remembers by digest which credentials were right, so that failed attempts of others do not shut them out."""

    def __init__(self) -> None:
        self._seen = SeenTokens()

    def add(self, known: str) -> None:
        """Remember credentials that were right."""
        self._seen.add(digest_of(known))

    def is_known(self, known: str) -> bool:
        """Report whether credentials were right before, in this process."""
        return digest_of(known) in self._seen


def _known_as(wanted: TokenRequest, source: str) -> str:
    """Return the digest by which credentials are known. Each assertion is another one, so the source stands for it."""
    credential = wanted.secret if wanted.secret is not None else f" {source}"
    return digest_of(f"{wanted.client_id} {credential}").hex()


def _check_secret(client: Client | None, secret: str, now: datetime) -> None:
    """Check a secret against all secrets of a client in constant time. Raises TokenError."""
    digest, records = hash_of(secret), client.secrets if client is not None else ()
    found = [each for each in records if hmac.compare_digest(each.hash, digest)]
    if not records:
        hmac.compare_digest(_NO_HASH, digest)
    if not found:
        raise invalid_client("the secret of the client is wrong" if client else "there is no client with this id")
    if found[0].expires <= now:
        raise invalid_client("the secret of the client is expired")


def _has_lost_credentials(client: Client, present: Client | None) -> bool:
    """Report whether a client was revoked, or has lost a secret or a trust, since it was read."""
    if present is None or present.revoked is not None:
        return True
    return not _credential_ids(client) <= _credential_ids(present)


def _credential_ids(client: Client) -> set[str]:
    """Return the ids of the secrets and the trusts of a client."""
    return {each.id for each in client.secrets} | {each.id for each in client.trusts}


def _token_error(error: ScimError) -> TokenError:
    """Return the error of RFC 6749 for an error of the adapter or of a store."""
    if error.status < 500:
        return invalid_request("The request is not valid.", status=error.status)
    return unavailable(_retry_after(error), type(error).__name__)


def _with_request_id(response: Response, request: Request) -> Response:
    """Return a response with the id of its request, by which people find it in the log."""
    response.headers += ((REQUEST_ID, request.id),)
    return response


def _retry_after(error: ScimError) -> int:
    """Return the seconds of the `Retry-After` header of an error."""
    return int(dict(error.headers).get("Retry-After", "1"))


def _fields(request: Request, client: Client | None) -> dict[str, Any]:
    """Return the extra fields of a log record. An id is there only if it is that of a client."""
    return {
        **request_fields(request), "source": request.source, "client_id": client.id if client else None,
        "tenant": client.tenant if client else None,
    }  # fmt: skip
