"""`ScimService`: the SCIM 2.0 service provider, from a request value to a response value.

It authenticates, routes, and answers every failure with a SCIM error. It awaits nothing but its ports
(store, token verifier, hooks), so that a sync host can run it without an event loop.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any, Final, TypeAlias

from scimkit.dialects import DIALECTS, TOLERANT, Dialect, RequestDeviations
from scimkit.errors import (
    InternalError,
    MethodNotAllowed,
    NotFound,
    NotImplementedByServer,
    PayloadTooLarge,
    ScimError,
    Unauthorized,
)
from scimkit.events import AuthorizationHook, MeHook, PasswordHook, RequestCompleted, RequestListener
from scimkit.schema.discovery import Features
from scimkit.schema.resource_types import ResourceType
from scimkit.service.announced_types import announced_types
from scimkit.service.bulk import Bulk
from scimkit.service.cursors import Cursors
from scimkit.service.discovery import Discovery
from scimkit.service.http import (
    READ_WHEN_EMPTY,
    SCIM_JSON,
    WITH_BODY,
    Parameters,
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
from scimkit.service.logs import log_access, log_quirks, log_refused_token
from scimkit.service.operations import ResourceOperations
from scimkit.service.permissions import Permissions
from scimkit.service.request_context import Handler, RequestContext
from scimkit.service.request_ids import HEADER as REQUEST_ID
from scimkit.service.request_ids import current_request, request_id
from scimkit.service.search import Search
from scimkit.stores.protocol import Scope, Store, SyncStore, as_async_store
from scimkit.tokens import Principal, SyncTokenVerifier, TokenVerifier, bearer_token

_log = logging.getLogger("scimkit")

ExchangeHook: TypeAlias = Callable[[Request, Response], None]
"""Told of every request and its response, as they were. For `scimkit.testing.recorder`; not for logs."""

_ID: Final = "{id}"
_LONGEST_ID: Final = 255
_FIXED: Final = frozenset({"", ".search"})
_ANYONE: Final = Principal(tenant="", token_id="")
"""Who reads the ServiceProviderConfig without a token."""


class ScimService:
    """A SCIM 2.0 service provider over a store.

    `store` is a `SyncStore` or a `Store`, `tokens` a verifier such as `TokenRegistry`. `dialect`
    serves where neither the token nor, in `tenant_dialects`, its tenant names one of `dialects`.
    `on_request_completed` is told of every request, `on_exchange` is handed it with its response (see
    `scimkit.testing.recorder`), `set_password` is told of passwords, which are dropped without it.
    `authorize` allows or forbids each operation, `me` says what `/Me` stands for. `cursors` seals page
    cursors; processes that serve one endpoint share its key. Without `resource_types` the service announces those
    that the store maps, or users and groups if the store serves any type.
    Raises: ValueError when the store does not serve one of `resource_types`, two resource types share a name or an
    endpoint, the store lacks what a hook needs, or `limits` names an attribute that no type has.
    """

    def __init__(
        self,
        store: SyncStore | Store,
        *,
        tokens: SyncTokenVerifier | TokenVerifier,
        dialect: Dialect = TOLERANT,
        dialects: Mapping[str, Dialect] = DIALECTS,
        resource_types: Sequence[ResourceType] | None = None,
        limits: Limits = Limits(),  # noqa: B008  # frozen
        tenant_dialects: Mapping[str, str] = {},  # never changed
        on_request_completed: RequestListener | None = None,
        on_exchange: ExchangeHook | None = None,
        set_password: PasswordHook | None = None,
        authorize: AuthorizationHook | None = None,
        me: MeHook | None = None,
        cursors: Cursors | None = None,
        documentation_uri: str | None = None,
    ) -> None:
        self.resource_types: tuple[ResourceType, ...] = announced_types(store, resource_types)
        self.limits = limits
        self.blocking: bool = store.is_async is False and store.blocking
        """Whether requests may wait for a disk or a network without an await."""
        self.is_async: bool = store.is_async or tokens.is_async
        """Whether requests can be served on an event loop only."""
        self.verification_blocks: bool = tokens.is_async is False and bool(getattr(tokens, "blocking", True))
        """Whether the verification of a token may wait for a disk or a network without an await."""
        self.store = store
        self.on_loop: object | None = None
        """What `scimkit.loop` keeps for the service."""
        self.is_full: Callable[[], bool] = lambda: False
        """Whether requests wait in a queue that is full."""
        self.last_health: Any = None
        self.next_health_check: float = 0.0
        self._tokens = tokens
        self._dialect = dialect
        self._dialects = dialects
        self._tenant_dialects = tenant_dialects
        self._on_request_completed = on_request_completed
        self._on_exchange = on_exchange
        self._me = me
        self._cursors = cursors or Cursors()
        self._permissions = Permissions(authorize)
        features = Features(
            max_results=limits.page,
            max_payload_size=limits.body,
            sort="sort" not in store.unsupported,
            etag=True,
            bulk_operations=limits.bulk_operations,
            default_page=limits.default_page,
            cursor_timeout=None if "cursors" in store.unsupported else self._cursors.timeout,
            change_password=set_password is not None,
            documentation_uri=documentation_uri,
        )
        self._discovery = Discovery(self.resource_types, features)
        if set_password is not None and "transactions" in store.unsupported:
            raise ValueError("this store lacks transactions, which set_password needs")
        lifted = store if store.is_async is True else as_async_store(store)
        self._resources: dict[str, ResourceOperations] = {}
        for each in self.resource_types:
            self._resources[each.endpoint.strip("/")] = ResourceOperations(
                each,
                self.resource_types,
                lifted,
                limits,
                set_password,
                self._permissions,
                hooks_wait_inside=store.is_async,
            )
        if len({each.name for each in self.resource_types}) != len(self.resource_types) or len(self._resources) != len(
            self.resource_types
        ):
            raise ValueError("two resource types share a name or an endpoint")
        for path in limits.sensitive:
            if not any(each.resolve(path) for each in self.resource_types):
                raise ValueError(f"no resource type has the sensitive attribute {path}")
        self._routes = self._make_routes(lifted)
        self._names = frozenset(first for first, _ in self._routes)
        self._endpoints = {first.lower(): first for first, _ in self._routes}

    async def handle(self, request: Request) -> Response:
        """Answer a request. Never raises: every failure is a SCIM error."""
        call: RequestContext | None = None
        principal: Principal | None = None
        detail: str | None = None
        if not request.id:
            request.id = request_id(request.headers)
        present = current_request.set(request)
        try:
            whose = request.principal or await self._verified(request)
            principal = whose if whose is not _ANYONE else None
            name = whose.dialect or self._tenant_dialects.get(whose.tenant)
            deviations = RequestDeviations(self._dialects.get(name, self._dialect) if name else self._dialect)
            scope = Scope(whose.tenant, request.deadline or monotonic() + self.limits.deadline)
            parameters = read_query(request.query)
            call = RequestContext(request, parameters, scope, whose, deviations)
            if "" in parameters.values():
                call.parameters = _without_empty(parameters, deviations)
            accept = request.headers.get("accept")
            media_type = SCIM_JSON if accept is None else accepted_type(accept, deviations)
            response = await self._answer(call)
            if media_type != SCIM_JSON:
                response = as_media_type(response, media_type)
        except ScimError as error:
            error = call.deviations.dialect.explained(error, request.method) if call else error
            detail, response = error.detail, error_response(error)
        except Exception:
            _log.exception("a request failed")
            failure = InternalError()
            detail, response = failure.detail, error_response(failure)
        if call is not None and call.deviations.fired:
            response = replace(response, quirks=tuple(call.deviations.fired))
        self._report(request, response, call, principal, detail)
        current_request.reset(present)
        return response

    async def authenticate(self, request: Request) -> Response | None:
        """Verify the token of a request by its headers, before its body is read.

        Sets `request.principal` and returns None if the request may go on to `handle`. Otherwise returns the response.
        A host without an event loop calls `run_sync(service.authenticate(request))`.
        """
        try:
            request.principal = await self._verified(request)
        except ScimError as error:
            return self.refuse(request, error)
        except Exception:
            _log.exception("the verification of a token failed")
            return self.refuse(request, InternalError())
        return None

    def refuse(self, request: Request, error: ScimError) -> Response:
        """Return the response of a request that cannot be handled, and tell the hooks of it as `handle` does."""
        response = error_response(error)
        if not request.id:
            request.id = request_id(request.headers)
        known = request.principal if request.principal is not _ANYONE else None
        present = current_request.set(request)
        self._report(request, response, None, known, error.detail)
        current_request.reset(present)
        return response

    async def _verified(self, request: Request) -> Principal:
        """Whose the token of a request is. Raises: Unauthorized, what the verifier raises."""
        self.limits.check_request(request.headers, request.query)
        authorization = request.headers.get("authorization")
        if authorization is None and _is_public(request):
            return _ANYONE
        try:
            answer = self._tokens.verify(bearer_token(authorization))
            return answer if isinstance(answer, Principal) else await answer
        except Unauthorized as error:
            log_refused_token(request, error)
            token_id, tenant = getattr(error, "token_id", None), getattr(error, "tenant", None)
            if token_id is not None and tenant is not None:
                request.refused = Principal(tenant, token_id)
            raise

    def _answer(self, call: RequestContext) -> Awaitable[Response]:
        """Route a request. HEAD is GET, whose body the adapters leave out (RFC 9110 section 9.3.2)."""
        request = call.request
        first, _, rest = request.path.strip("/").partition("/")
        if first not in self._names:
            request = self._at_endpoint(call)
            first, _, rest = request.path.strip("/").partition("/")
        id = "" if rest in _FIXED else rest
        methods = self._routes.get((first, _ID if id else rest))
        if methods is None or "/" in rest:
            raise NotFound("There is no such endpoint.")
        if id and (len(id) > _LONGEST_ID or not id.isprintable()):
            raise NotFound("No resource has this id.")
        handler = methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            if request.method == "OPTIONS":
                return _at_once(Response(204, headers=(("Allow", ", ".join(methods)),)))
            raise MethodNotAllowed(tuple(methods))
        call.id = id
        if request.method in WITH_BODY:
            if len(request.body) > self.limits.body:
                raise PayloadTooLarge(f"The request body is larger than {self.limits.body} bytes.")
            check_encoding(request.headers.get("content-encoding"))
            check_media_type(request.headers.get("content-type"), call.deviations)
        return handler(call)

    def _at_endpoint(self, call: RequestContext) -> Request:
        """Return the request at an endpoint that there is, whose name may be in another case. Raises NotFound."""
        first, slash, rest = call.request.path.strip("/").partition("/")
        name = self._endpoints.get(first.lower())
        if name is not None and name != first:
            call.deviations.endpoint()
            call.request = replace(call.request, path=f"/{name}{slash}{rest}")
        return call.request

    def _make_routes(self, store: Store) -> dict[tuple[str, str], Mapping[str, Handler]]:
        """Endpoint, and what follows it, to the methods it takes (RFC 7644 section 3.2)."""
        routes: dict[tuple[str, str], Mapping[str, Handler]] = {
            ("ServiceProviderConfig", ""): {"GET": self._discovery.service_provider_config},
            ("ResourceTypes", ""): {"GET": self._discovery.list_resource_types},
            ("ResourceTypes", _ID): {"GET": self._discovery.read_resource_type},
            ("Schemas", ""): {"GET": self._discovery.list_schemas},
            ("Schemas", _ID): {"GET": self._discovery.read_schema},
        }
        searchable = [each.searchable for each in self._resources.values()]
        root = Search(searchable, store, self.limits, self._permissions, self._cursors)
        routes["Bulk", ""] = {"POST": Bulk(self._serve_part, self.limits.bulk_operations).post}
        routes["Me", ""] = dict.fromkeys(("GET", "PUT", "PATCH", "DELETE", "POST"), self._serve_me)
        routes["", ""] = {"GET": root.get}
        routes[".search", ""] = {"POST": root.post}
        for name, each in self._resources.items():
            search = Search([each.searchable], store, self.limits, self._permissions, self._cursors)
            guarded, kind = self._permissions.guarded, each.resource_type
            routes[name, ""] = {
                "GET": guarded(search.get, "search", kind),
                "POST": guarded(each.create, "create", kind),
            }
            routes[name, ".search"] = {"POST": guarded(search.post, "search", kind)}
            routes[name, _ID] = {
                "GET": guarded(each.read, "read", kind),
                "PUT": guarded(each.replace, "replace", kind),
                "PATCH": guarded(each.patch, "patch", kind),
                "DELETE": guarded(each.delete, "delete", kind),
            }
        return routes

    async def _serve_part(self, call: RequestContext, request: Request) -> Response:
        """Serve one operation of a bulk, as a request of its own on a resource type."""
        part = RequestContext(request, {}, call.scope, call.principal, call.deviations)
        try:
            if self._at_endpoint(part).path.strip("/").partition("/")[0] not in self._resources:
                raise NotFound("There is no such resource type.")
            response = await self._answer(part)
        except ScimError as error:
            response = error_response(call.deviations.dialect.explained(error, request.method))
        call.changed = call.changed or part.changed
        call.skipped_members += part.skipped_members
        return response

    async def _serve_me(self, call: RequestContext) -> Response:
        """`/Me` (RFC 7644 section 3.11): the resource that the host says it is; 501 without a hook.

        Whatever the answer, its `Location` is that of the resource.
        """
        if self._me is None or call.request.method == "POST":
            raise NotImplementedByServer("This service does not offer /Me.")
        answer = self._me(call.principal)
        path = answer if answer is None or isinstance(answer, str) else await answer
        if path is None:
            raise NotFound("There is no resource for this token.")
        call.request = replace(call.request, path=f"/{path.strip('/')}")
        location = f"{call.request.base_url}{encoded_path(call.request.path)}"
        try:
            response = await self._answer(call)
        except ScimError as error:
            error.headers = (*error.headers, ("Location", location))
            raise
        return replace(response, headers=(*response.headers, ("Location", location), ("Content-Location", location)))

    def _report(
        self,
        request: Request,
        response: Response,
        call: RequestContext | None,
        principal: Principal | None,
        detail: str | None,
    ) -> None:
        response.headers += ((REQUEST_ID, request.id),)
        if response.quirks:
            log_quirks(request, response)
        log_access(request, response, principal, self.limits.deadline)
        if self._on_exchange is not None:
            try:
                self._on_exchange(request, response)
            except Exception:
                _log.exception("the exchange hook failed")
        if self._on_request_completed is None:
            return
        principal = principal or request.refused
        event = RequestCompleted(
            method=request.method,
            path=request.path,
            status=response.status,
            tenant=principal.tenant if principal else None,
            token_id=principal.token_id if principal else None,
            resource_type=self._type_at(request.path),
            id=(call.id or None) if call else None,
            changed=call.changed if call else False,
            quirks=response.quirks,
            skipped_members=call.skipped_members if call else (),
            detail=detail,
            request_id=request.id,
        )
        try:
            self._on_request_completed(event)
        except Exception:
            _log.exception("the event hook failed")

    def _type_at(self, path: str) -> str | None:
        first = path.strip("/").partition("/")[0]
        operations = self._resources.get(self._endpoints.get(first.lower(), first))
        return operations.resource_type.name if operations else None


def _without_empty(parameters: Parameters, deviations: RequestDeviations) -> dict[str, str | int]:
    """Return the parameters without those that have no value and no meaning without one. Raises InvalidValue."""
    for name, value in parameters.items():
        if value == "" and name not in READ_WHEN_EMPTY:
            deviations.empty_parameter(name)
    return {name: value for name, value in parameters.items() if value != "" or name in READ_WHEN_EMPTY}


async def _at_once(response: Response) -> Response:
    return response


def _is_public(request: Request) -> bool:
    """Whether a request without a token needs none: how to authenticate can be read (RFC 7643 section 5).

    A token that is sent is verified all the same, since clients test theirs so.
    """
    return request.method in ("GET", "HEAD") and request.path.strip("/") == "ServiceProviderConfig"
