"""`ScimService`, the SCIM 2.0 service provider, turns a request value into a response value.

The service authenticates and routes each request. It answers every failure with a SCIM error.
It awaits only its store, its token verifier and its hooks. A sync host can therefore run it without an event loop.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from time import monotonic
from typing import Any, Final

from scimkit.dialects import DIALECTS, TOLERANT, Dialect, RequestDeviations, follows_interop_profile
from scimkit.documents import Document
from scimkit.entitlements.offers import RolesAndEntitlements
from scimkit.entitlements.store import OfferStore
from scimkit.errors import (
    InternalError,
    NotFound,
    NotImplementedByServer,
    PayloadTooLarge,
    ScimError,
)
from scimkit.events import AuthorizationHook, Listener, MeHook, PasswordHook, RequestListener
from scimkit.events.outbox import has_outbox
from scimkit.provisioning import AnyProvisioningLog, LogOptions
from scimkit.safeguards.breaker import Breaker
from scimkit.safeguards.linking import LinkRule, account_links
from scimkit.safeguards.protection import KeepLast, Protection
from scimkit.schema.discovery import BEARER_TOKEN, Features
from scimkit.schema.resource_types import ResourceType
from scimkit.schema.role_schemas import RoleSchemas
from scimkit.schema.security_event_schema import announced_security_events
from scimkit.service.announced_types import announced_types, check_keeps, keeps
from scimkit.service.async_requests import Acceptance, AsyncRequests
from scimkit.service.authentication import ANONYMOUS, Authentication
from scimkit.service.bulk import Bulk
from scimkit.service.cursors import Cursors
from scimkit.service.discovery import Discovery
from scimkit.service.explanation import Explanation, explanation_of
from scimkit.service.http import (
    READ_WHEN_EMPTY,
    SCIM_JSON,
    WITH_BODY,
    Request,
    Response,
    accepted_type,
    as_media_type,
    check_encoding,
    check_media_type,
    error_response,
    read_query,
)
from scimkit.service.limits import Limits
from scimkit.service.locations import encoded_path
from scimkit.service.log_entries import refused_token_request
from scimkit.service.observation import RequestObserver
from scimkit.service.operations import ResourceOperations
from scimkit.service.permissions import Permissions
from scimkit.service.provisioning_recorder import ProvisioningRecorder
from scimkit.service.rate_limiter import RateLimited, RateLimiter
from scimkit.service.rate_limits import RateLimits
from scimkit.service.request_context import RequestContext
from scimkit.service.request_ids import current_request, request_id
from scimkit.service.request_reporter import ExchangeHook, RequestReporter
from scimkit.service.routes import Endpoints
from scimkit.service.store_capabilities import check_capabilities
from scimkit.service.token_checks import TokenChecks
from scimkit.service.write_listeners import WriteListeners
from scimkit.service.write_safeguards import WriteSafeguards
from scimkit.stores.protocol import Scope, Store, SyncStore, as_async_store
from scimkit.tokens import Client, Principal, SyncTokenVerifier, TokenChanged, TokenVerifier

_log = logging.getLogger("scimkit")

_NO_PARAMETERS: Final[Mapping[str, str]] = {}


class ScimService:
    """A SCIM 2.0 service provider over a store."""

    def __init__(
        self,
        store: SyncStore | Store,
        *,
        tokens: SyncTokenVerifier | TokenVerifier,
        dialect: Dialect = TOLERANT,
        dialects: Mapping[str, Dialect] = DIALECTS,
        resource_types: Sequence[ResourceType] | None = None,
        limits: Limits = Limits(),  # noqa: B008  # Limits is immutable
        rate_limits: RateLimits | None = None,
        tenant_dialects: Mapping[str, str] = {},  # the mapping is only read
        on_request_completed: RequestListener | None = None,
        on_exchange: ExchangeHook | None = None,
        set_password: PasswordHook | None = None,
        authorize: AuthorizationHook | None = None,
        me: MeHook | None = None,
        listeners: Sequence[Listener] = (),
        protect: Protection | Sequence[Protection] = (),
        breaker: Breaker | None = None,
        on_conflict: LinkRule | None = None,
        provisioning_log: AnyProvisioningLog | None = None,
        log_options: LogOptions = LogOptions(),  # noqa: B008  # LogOptions is immutable
        cursors: Cursors | None = None,
        documentation_uri: str | None = None,
        roles_and_entitlements: RolesAndEntitlements | None = None,
        security_events: Sequence[str] = (),
        async_requests: AsyncRequests | None = None,
        announce_interop_profile: bool = False,
    ) -> None:
        """Create a service provider over a store.

        Args:
            store: The store that keeps the resources, sync or async.
            tokens: The verifier of bearer tokens, such as `TokenRegistry`.
            dialect: The dialect of requests whose token and tenant name no dialect.
            dialects: The dialects that a token or `tenant_dialects` can name, by name.
            resource_types: The resource types to announce. The default is the types that the store maps. A store that
                accepts any type gets users and groups.
            limits: The limits of requests and responses.
            rate_limits: The number of requests that a tenant and a token may send. None means no limit.
            tenant_dialects: The names of dialects by tenant. A dialect that the token names takes precedence.
            on_request_completed: A function that receives one event for each request, after the response is made. It
                must not block.
            on_exchange: A function that receives each request with its response, such as a recorder of
                `scimkit.testing.recorder`.
            set_password: A hook that receives the passwords that clients set. Without the hook, passwords are dropped.
            authorize: A hook that allows or forbids each operation. Without the hook, every operation is allowed.
            me: A hook that returns the path of the resource that `/Me` stands for. Without the hook, `/Me` is answered
                with 501.
            listeners: Functions that take part in writes or hear of them, made by `before_write`, `in_transaction` and
                `after_commit` of `scimkit.events`.
            protect: The resources that requests cannot deactivate, delete or demote: a filter, `keep_last(...)`, a
                function of the name of a resource type and a document, or several of them.
            breaker: The breaker that stops mass deactivations.
            on_conflict: The rule by which a POST takes over an existing account, made by `link_by`. Without the rule, a
                POST for a user that exists is answered with 409.
            provisioning_log: The provisioning log. The default is the log of the store, if it has one; its entries are
                written in the transaction of each write. Entries of another log are written after the write.
            log_options: The values that entries of the provisioning log keep, and for how long.
            cursors: The object that seals page cursors. Processes that serve the same endpoint must share its key.
            documentation_uri: The URL of your documentation, for the ServiceProviderConfig.
            roles_and_entitlements: The roles and entitlements that the application offers. Experimental.
            security_events: The URIs of the security events that the application delivers, from `event_uris` of
                `scimkit.delivery.security_events`. The ServiceProviderConfig announces them.
            async_requests: The requests that are processed later if the client prefers that. A worker must run
                `process_requests` of `scimkit.delivery.security_events`.
            announce_interop_profile: True to claim conformance to the SCIM 2.0 Interoperability Profile in the
                ServiceProviderConfig. `scimkit check --profile interop` checks the claim. Experimental.

        Raises:
            ValueError: The store does not serve one of `resource_types`.
            ValueError: `unsupported` of the store has an unknown name, or the store lacks the method of a capability.
            ValueError: Two resource types have the same name or endpoint.
            ValueError: Listeners are given, and the store does not support transactions or does not report changes.
            ValueError: `log_options` names an attribute that no resource type has.
            TypeError: The provisioning log is async and the store is not, or the other way around.
            ValueError: `protect`, `breaker` or `on_conflict` does not fit the resource types or the store.
            TypeError: A listener is a coroutine function that nothing can await.
            ValueError: `set_password` is given, and the store does not support transactions.
            ValueError: `limits.sensitive` names an attribute that no resource type has.
            ModuleNotFoundError: `rate_limits` is given, and the extra `limits` is not installed.
            ValueError: `async_requests` is given, and the store or the token verifier is async.
            ValueError: `announce_interop_profile` is given, and `dialect` does not follow the profile.
            ValueError: Roles or entitlements are offered, and the store does not keep the attribute of a user.
            TypeError: A coroutine function returns offers, and the store is not async.
        """
        declared = roles_and_entitlements
        self.resource_types: tuple[ResourceType, ...] = announced_types(store, resource_types)
        check_capabilities(store, self.resource_types)
        self.limits = limits
        self.store = store
        self.tokens: SyncTokenVerifier | TokenVerifier = tokens
        """The verifier of bearer tokens."""
        self.is_async: bool = store.is_async or tokens.is_async
        """True if the service needs an event loop, because its store or its token verifier is async."""
        waits_for_offers = declared is not None and declared.is_called
        waits_for_queue = async_requests is not None and async_requests.queue.blocking
        self.blocking: bool = (store.is_async is False and (store.blocking or waits_for_offers)) or waits_for_queue
        """True if a request may block its thread while the store waits for a disk or a network."""
        self.rate_limiter: RateLimiter | None = (
            None
            if rate_limits is None
            else RateLimiter(rate_limits, is_async=self.is_async, connections=getattr(store, "pool_size", None))
        )
        """The object that applies `rate_limits`, or None."""
        counts_block = self.rate_limiter is not None and self.rate_limiter.blocking
        self.verification_blocks: bool = counts_block or (
            tokens.is_async is False and bool(getattr(tokens, "blocking", True))
        )
        """True if the verification of a token, or the count of its requests, may block its thread."""
        self.on_loop: object | None = None
        """The `LoopService` that `scimkit.loop` creates for this service."""
        self.is_full: Callable[[], bool] = lambda: False
        """A function that reports whether the queue of requests is full."""
        self.last_health: Any = None
        self.next_health_check: float = 0.0
        self.breaker: Breaker | None = breaker
        """The breaker, or None."""
        self.protection: tuple[Protection, ...] = (
            (protect,) if callable(protect) or isinstance(protect, str | KeepLast) else tuple(protect)
        )
        """The rules that name protected resources."""
        self.dialects: tuple[Dialect, ...] = (dialect, *dialects.values())
        """The dialects that requests can have."""
        self.provisioning_log: AnyProvisioningLog | None = provisioning_log or getattr(store, "provisioning_log", None)
        """The provisioning log, or None."""
        self._deadline = limits.deadline
        self._dialect = dialect
        self._dialects = dialects
        self._tenant_dialects = tenant_dialects
        self._me = me
        self._declared = declared
        if announce_interop_profile and not follows_interop_profile(dialect):
            raise ValueError("announce_interop_profile needs a dialect that follows the profile, such as INTEROP")
        if async_requests is not None and self.is_async:
            raise ValueError("async_requests need a sync store and a sync token verifier")
        if set_password is not None and "transactions" in store.unsupported:
            raise ValueError("set_password needs a store that supports transactions; this store does not")
        if declared is not None:
            check_keeps(store, self.resource_types, declared.attributes)
            if declared.is_awaited and not store.is_async:
                raise TypeError("a coroutine function that returns offers needs an async store")
        offers_of: dict[RoleSchemas, Sequence[ResourceType]] = (
            {} if declared is None else {form: declared.resource_types(form) for form in declared.forms}
        )
        kinds = (*self.resource_types, *next(iter(offers_of.values()), ()))
        _check_types(kinds)
        for path in limits.sensitive:
            if not any(each.resolve(path) for each in kinds):
                raise ValueError(f"limits.sensitive names {path}, which is an attribute of no resource type")
        self._acceptance = (
            None if async_requests is None else Acceptance(async_requests, self.resource_types, limits.sensitive)
        )
        self._listeners = (
            WriteListeners(listeners, self.resource_types, limits.sensitive, store, is_async=self.is_async)
            if listeners or has_outbox(store)
            else None
        )
        self._safeguards = (
            WriteSafeguards(self.protection, breaker, self.resource_types, store)
            if self.protection or breaker is not None
            else None
        )
        self._recorder = (
            None
            if self.provisioning_log is None
            else ProvisioningRecorder(
                self.provisioning_log,
                log_options,
                (*self.resource_types, *chain.from_iterable(offers_of.values())),
                limits.sensitive,
                store,
            )
        )
        self._reports_changes = (
            self._safeguards is not None
            or (self._listeners is not None and self._listeners.reports_changes)
            or (self._recorder is not None and self._recorder.reports_changes)
        )
        self.accepts_passwords: bool = set_password is not None
        """True if the service has the hook `set_password`. Without the hook, the service drops passwords."""
        cursors = cursors or Cursors()
        self._discovery = Discovery(
            self._types_of,
            self._features(
                cursors,
                documentation_uri,
                security_events,
                accepts_async_requests=async_requests is not None,
                follows_profile=announce_interop_profile,
            ),
        )
        lifted = store if store.is_async is True else as_async_store(store)
        endpoints = self._endpoints(lifted, set_password, Permissions(authorize), cursors, on_conflict, offers_of)
        bulk = Bulk(self._serve_part, limits.bulk_operations)
        self._routes = endpoints.routes(self._discovery, bulk.post, self._serve_me)
        self._token_checks = TokenChecks.of(
            store,
            tokens,
            endpoints.resources,
            in_reads=authorize is None and async_requests is None,
            in_writes=set_password is None
            and declared is None
            and not any(each.moment == "before_write" for each in listeners),
        )
        self._reporter = RequestReporter(
            {each.endpoint.strip("/").lower(): each for each in kinds},
            limits.deadline,
            on_request_completed,
            on_exchange,
            self._recorder,
            lifted,
        )
        self._authentication = Authentication(tokens, limits, self.rate_limiter, self._token_checks, self._reporter)

    def _features(
        self,
        cursors: Cursors,
        documentation_uri: str | None,
        security_events: Sequence[str],
        *,
        accepts_async_requests: bool,
        follows_profile: bool,
    ) -> Features:
        """Return what the ServiceProviderConfig announces."""
        limits, unsupported, declared = self.limits, self.store.unsupported, self._declared
        events = None
        if security_events or accepts_async_requests:
            events = announced_security_events(security_events, "request" if accepts_async_requests else "none")
        return Features(
            max_results=limits.page,
            max_payload_size=limits.body,
            sort="sort" not in unsupported,
            etag=True,
            bulk_operations=limits.bulk_operations,
            default_page=limits.default_page,
            cursor_timeout=None if "cursors" in unsupported else cursors.timeout,
            change_password=self.accepts_passwords,
            documentation_uri=documentation_uri,
            authentication_schemes=getattr(self.tokens, "authentication_schemes", (BEARER_TOKEN,)),
            roles_and_entitlements=None if declared is None else declared.announced(partial(keeps, self.store)),
            security_events=events,
            interop_profile=follows_profile,
        )

    def _endpoints(
        self,
        store: Store,
        set_password: PasswordHook | None,
        permissions: Permissions,
        cursors: Cursors,
        on_conflict: LinkRule | None,
        offers_of: Mapping[RoleSchemas, Sequence[ResourceType]],
    ) -> Endpoints:
        """Return what the endpoints serve: the operations of each resource type, and of each type of offer."""
        types, limits, declared = self.resource_types, self.limits, self._declared
        links = {} if on_conflict is None else account_links(on_conflict, types, self.store)
        resources = {
            each.endpoint.strip("/"): ResourceOperations(
                each,
                types,
                store,
                limits,
                set_password,
                permissions,
                hooks_wait_inside=bool(self.store.is_async),
                listeners=self._listeners,
                safeguards=self._safeguards,
                recorder=self._recorder,
                links=links.get(each.name),
                declared=None if each.attributes.find("userName") is None else declared,
            )
            for each in types
        }
        offers = None if declared is None else OfferStore(store, declared)
        offered: dict[RoleSchemas, dict[str, ResourceOperations]] = {
            form: {
                each.endpoint.strip("/"): ResourceOperations(
                    each, types, offers, limits, None, permissions, hooks_wait_inside=False
                )
                for each in kinds
            }
            for form, kinds in offers_of.items()
            if offers is not None
        }
        return Endpoints(store, limits, permissions, cursors, self._acceptance, resources, declared, offers, offered)

    def observe(self, observer: RequestObserver) -> None:
        """Let an observer, such as `scimkit.telemetry`, watch all requests from now on.

        Without an observer, requests run the same code as before. Raises ValueError if the service has an observer.
        """
        if self._reporter.observer is not None:
            raise ValueError("the service already has an observer")
        self._reporter.observer = observer
        handle, authenticate, refuse = self.handle, self.authenticate, self.refuse

        async def observed_handle(request: Request) -> Response:
            with observer.watching(request):
                return await handle(request)

        async def observed_authenticate(request: Request, *, recalls: bool = False) -> Response | None:
            with observer.watching(request):
                return await authenticate(request, recalls=recalls)

        def observed_refuse(request: Request, error: ScimError) -> Response:
            with observer.watching(request):
                return refuse(request, error)

        self.refuse = observed_refuse  # type: ignore[method-assign]
        self.handle = observed_handle  # type: ignore[method-assign]
        self.authenticate = observed_authenticate  # type: ignore[method-assign]

    def announce_scheme(self, scheme: Mapping[str, Any]) -> None:
        """Add an entry to `authenticationSchemes` of the ServiceProviderConfig (RFC 7643 section 5).

        `TokenEndpoint` calls this method. An entry with the name of an earlier one is ignored.
        """
        self._discovery.announce_scheme(scheme)

    def handle(self, request: Request) -> Coroutine[Any, Any, Response]:
        """Return the response to a request. Never raises: every failure becomes a SCIM error response.

        Await the result. A host without an event loop calls `run_sync(service.handle(request))`.
        """
        return self._handle(request) if self._token_checks is None else self._handle_checked(request)

    async def _handle_checked(self, request: Request) -> Response:
        """Return the response to a request whose token the store may check. If the token changed, begin anew."""
        present = current_request.get()
        try:
            return await self._handle(request)
        except TokenChanged:
            current_request.set(present)
            request.principal = None
            refused = await self.authenticate(request)
            return await self._handle(request) if refused is None else refused

    async def _handle(self, request: Request) -> Response:
        """Return the response to a request. Raises TokenChanged if the token must be verified again."""
        call: RequestContext | None = None
        principal: Principal | None = None
        failure: ScimError | None = None
        limited: Principal | None = None
        if not request.id:
            request.id = request_id(request.headers)
        present = current_request.set(request)
        try:
            whose = request.principal
            if whose is None:
                answer = self._authentication.principal_of(request, recalls=True)
                whose = answer if isinstance(answer, Principal) else await answer
            if whose is not ANONYMOUS:
                principal = whose
                if self.rate_limiter is not None:
                    self.rate_limiter.enter(whose)
                    limited = whose
            call = self._context(request, whose)
            if request.query:
                _drop_empty_parameters(call)
            accept = request.headers.get("accept")
            if self._acceptance is not None and self._acceptance.wants(request):
                accept = None  # RFC 9967 section 2.5.1.1
            media_type = SCIM_JSON if accept is None else accepted_type(accept, call.deviations)
            if self._recorder is not None and principal is not None:
                if self._token_checks is not None and self._recorder.is_due(principal):
                    await self._token_checks.confirm(request)
                await self._recorder.begin(call)
            response = await self._answer(call)
            if self._token_checks is not None:
                await self._token_checks.confirm(request)
            if media_type != SCIM_JSON:
                response = as_media_type(response, media_type)
            if self._recorder is not None and principal is not None and _only_reads(request):
                self._recorder.count_read(principal)
        except TokenChanged:
            raise
        except ScimError as error:
            if self._token_checks is not None:
                error = await self._token_checks.confirmed_error(request, error)
            error = call.deviations.dialect.explained(error, request.method) if call else error
            failure, response = error, error_response(error)
            await self._reporter.log_failure(request, principal, call, error)
        except Exception:
            _log.exception("a request failed")
            failure = InternalError()
            if self._token_checks is not None:
                failure = await self._token_checks.confirmed_error(request, failure)
            response = error_response(failure)
            await self._reporter.log_failure(request, principal, call, failure)
        finally:
            if self.rate_limiter is not None and limited is not None:
                self.rate_limiter.leave(limited)
        if call is not None and call.deviations.fired:
            response.quirks = tuple(call.deviations.fired)
        self._reporter.report(request, response, call, principal, failure)
        current_request.reset(present)
        return response

    def _context(self, request: Request, principal: Principal) -> RequestContext:
        """Return the context of a request. Raises InvalidSyntax if the query cannot be read."""
        name = principal.dialect or self._tenant_dialects.get(principal.tenant)
        deviations = RequestDeviations(self._dialects.get(name, self._dialect) if name else self._dialect)
        deadline = request.deadline or monotonic() + self._deadline
        scope = Scope(principal.tenant, deadline, self._reports_changes, token_check=request.token_check)
        parameters = read_query(request.query) if request.query else _NO_PARAMETERS
        return RequestContext(request, parameters, scope, principal, deviations)

    async def explain(self, request: Request) -> Explanation:
        """Return what a request would do, without doing it. See `scimkit.service.explanation`.

        Raises:
            ValueError: The store does not support transactions, or the request is a bulk request.
            Unauthorized: The token is not valid.
        """
        if "transactions" in self.store.unsupported or request.path.strip("/").lower() == "bulk":
            raise ValueError("explain needs a store that supports transactions, and one operation of a bulk at a time")
        if not request.id:
            request.id = request_id(request.headers)
        principal = request.principal or await self._authentication.verified(request)
        call: RequestContext | None = None
        failure: ScimError | None = None
        try:
            call = self._context(request, principal)
            if request.query:
                _drop_empty_parameters(call)
            call.is_rehearsal, call.began = True, monotonic()
            call.scope = replace(call.scope, report_changes="changes" not in self.store.unsupported)
            response = await self._answer(call)
        except ScimError as error:
            failure = call.deviations.dialect.explained(error, request.method) if call else error
            response = error_response(failure)
        return explanation_of(
            call, request, principal, response, failure, self._reporter.resource_type_at(request.path)
        )

    async def log_refused_token_request(self, request: Request, client: Client, error: str, reason: str) -> None:
        """Write the refusal of a token request to the provisioning log. `TokenEndpoint` calls this method.

        A log that fails changes nothing. A service without a log does nothing.

        Args:
            request: The request to the token endpoint.
            client: The OAuth client that the request names.
            error: The error of RFC 6749 section 5.2.
            reason: Why the request was refused.
        """
        if self._recorder is not None:
            await self._recorder.add(refused_token_request(request, client, error, reason))

    async def flush_provisioning_log(self) -> None:
        """Write what the provisioning log still has in memory: reads of the last seconds, and entries that wait.

        The adapters call this when the server shuts down. A service without a log does nothing.
        """
        if self.rate_limiter is not None:
            for principal, count in self.rate_limiter.all_refusals():
                self._reporter.report_refusals(None, principal, count)
        if self._recorder is not None:
            await self._recorder.flush()

    async def authenticate(self, request: Request, *, recalls: bool = False) -> Response | None:
        """Verify the bearer token of a request by its headers, before the body is read.

        A host without an event loop calls `run_sync(service.authenticate(request))`.

        Args:
            request: The request.
            recalls: True if `handle` follows. The token may then be verified by the record in memory, and `handle`
                confirms the record in the store before it reads, writes or answers anything.

        Returns:
            None if the token is valid; `request.principal` is then set, and the host calls `handle`. Otherwise the
                error response.
        """
        request.token_check = None
        try:
            request.principal = await self._authentication.verified(request, recalls=recalls)
        except ScimError as error:
            request.id = request.id or request_id(request.headers)
            await self._reporter.log_failure(request, None, None, error)
            return self._refused(request, error)
        except Exception:
            _log.exception("the verification of a token failed")
            return self._refused(request, InternalError())
        return None

    def refuse(self, request: Request, error: ScimError) -> Response:
        """Return the error response of a request that the host cannot pass to `handle`.

        The hooks receive the request as they do in `handle`.
        """
        if isinstance(error, RateLimited):
            self._reporter.report_refusals(request, error.principal, error.refusals)
        elif self._recorder is not None and request.principal not in (None, ANONYMOUS):
            resource_type = self._reporter.resource_type_at(request.path)
            self._recorder.keep(request, request.principal, error, resource_type)
        return self._refused(request, error)

    def refused_lately(self, request: Request) -> Response | None:
        """Return the response to a request whose token was over its rate limit a moment ago, or None.

        A host on an event loop asks this before it verifies the token in a thread. This method does no I/O.
        """
        if self.rate_limiter is None or request.principal is not None:
            return None
        try:
            self.rate_limiter.check(request.headers)
        except RateLimited as error:
            request.refused = error.principal
            return self.refuse(request, error)
        return None

    def _refused(self, request: Request, error: ScimError) -> Response:
        response = error_response(error)
        if not request.id:
            request.id = request_id(request.headers)
        known = request.principal if request.principal is not ANONYMOUS else None
        present = current_request.set(request)
        self._reporter.report(request, response, None, known, error)
        current_request.reset(present)
        return response

    def route_of(self, path: str) -> str | None:
        """Return the route of a path, such as `/Users/{id}`, or None if the service has no such endpoint."""
        return self._routes.pattern_of(path)

    def resource_type_of(self, path: str) -> ResourceType | None:
        """Return the resource type of a path, or None if the path belongs to no resource type."""
        return self._reporter.resource_type_at(path)

    def protects(self, resource_type: ResourceType, document: Document) -> bool:
        """Report whether a rule of `protect`, other than a `keep_last`, names a resource."""
        return self._safeguards is not None and self._safeguards.protects(resource_type, document)

    def _answer(self, call: RequestContext) -> Awaitable[Response]:
        """Route a request to its handler. Raises the errors of `Routes.handler_of`, and those of a body."""
        handler, request = self._routes.handler_of(call), call.request
        if request.method in WITH_BODY:
            if len(request.body) > self.limits.body:
                raise PayloadTooLarge(f"The request body is larger than {self.limits.body} bytes.")
            check_encoding(request.headers.get("content-encoding"))
            check_media_type(request.headers.get("content-type"), call.deviations)
        return handler(call)

    def _types_of(self, tenant: str) -> Sequence[ResourceType]:
        """Return the resource types that the service announces to a tenant."""
        declared = self._declared
        if declared is None:
            return self.resource_types
        return (*self.resource_types, *declared.resource_types(declared.form(tenant)))

    async def _serve_part(self, call: RequestContext, request: Request) -> Response:
        """Serve one operation of a bulk request as if it were a separate request for a resource type."""
        request.id = call.request.id
        part = RequestContext(request, {}, call.scope, call.principal, RequestDeviations(call.deviations.dialect))
        part.cycle_id, part.began = call.cycle_id, monotonic()
        failure: ScimError | None = None
        try:
            self._routes.check_resource(part)
            response = await self._answer(part)
        except ScimError as error:
            error = call.deviations.dialect.explained(error, request.method)
            failure, response = error, error_response(error)
            await self._reporter.log_failure(part.request, call.principal, part, error)
        response.quirks = tuple(part.deviations.fired)
        call.deviations.fired.update(part.deviations.fired)
        call.changed = call.changed or part.changed
        call.skipped_members += part.skipped_members
        self._reporter.report_part(part.request, response, part, failure)
        return response

    async def _serve_me(self, call: RequestContext) -> Response:
        """Serve `/Me` (RFC 7644 section 3.11) with the resource that the `me` hook names; without the hook, raise 501.

        Every response, and every error, has the URL of that resource in `Location`.
        """
        if self._me is None or call.request.method == "POST":
            raise NotImplementedByServer("This service does not offer /Me.")
        answer = self._me(call.principal)
        path = answer if answer is None or isinstance(answer, str) else await answer
        if path is None:
            raise NotFound("There is no resource that /Me stands for with this token.")
        headers = {name: value for name, value in call.request.headers.items() if name != "prefer"}
        call.request = replace(call.request, path=f"/{path.strip('/')}", headers=headers)
        location = f"{call.request.base_url}{encoded_path(call.request.path)}"
        try:
            response = await self._answer(call)
        except ScimError as error:
            error.headers = (*error.headers, ("Location", location))
            raise
        return replace(response, headers=(*response.headers, ("Location", location), ("Content-Location", location)))


def _check_types(resource_types: Sequence[ResourceType]) -> None:
    """Check that the resource types differ in name and endpoint. Raises ValueError otherwise."""
    names, endpoints = {each.name for each in resource_types}, {each.endpoint.strip("/") for each in resource_types}
    if not len(names) == len(endpoints) == len(resource_types):
        raise ValueError("two resource types have the same name or endpoint; give each type its own")


def _drop_empty_parameters(call: RequestContext) -> None:
    """Drop the empty parameters of a request. An empty cursor or filter stays.

    Raises InvalidValue if the dialect refuses empty parameters.
    """
    parameters = call.parameters
    if "" not in parameters.values():
        return
    for name, value in parameters.items():
        if value == "" and name not in READ_WHEN_EMPTY:
            call.deviations.empty_parameter(name)
    call.parameters = {name: value for name, value in parameters.items() if value != "" or name in READ_WHEN_EMPTY}


def _only_reads(request: Request) -> bool:
    """Report whether a request reads: a GET, or a search by POST."""
    return request.method in ("GET", "HEAD") or request.path.rstrip("/").endswith("/.search")
