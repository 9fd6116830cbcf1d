"""Listeners: functions of the application that take part in writes, or hear of them afterwards.

service = ScimService(store, tokens=tokens, listeners=[
    before_write(check_seats),
    in_transaction(UserDeactivated, reassign_tickets),
    after_commit(MembersAdded, grant_roles),
])
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Literal, TypeAlias, TypeVar, overload

from scimkit.documents import Document
from scimkit.errors import ScimError
from scimkit.events.requests import OperationKind
from scimkit.events.resource_events import ResourceEvent
from scimkit.patch.changes import ChangeSet

Moment: TypeAlias = Literal["before_write", "in_transaction", "after_commit"]
EventType = TypeVar("EventType", bound=ResourceEvent)


class Refused(ScimError):
    """A listener refuses a write. The write is undone, and the identity provider's log shows the detail.

    Args:
        detail: What is wrong and what to do, such as "No seat is left. Buy seats or remove an agent.".
        status: The status of the response, from 400 to 499.
    """

    def __init__(self, detail: str, *, status: int = 409) -> None:
        if not 400 <= status <= 499:
            raise ValueError("the status of a refusal is from 400 to 499")
        super().__init__(detail)
        self.status = status  # type: ignore[misc]  # a class variable of the other errors


@dataclass(frozen=True, slots=True)
class Transaction:
    """The transaction of a write, as a listener receives it.

    A transaction that loses against another one is run again from its start, and its listeners are called again.
    """

    store: Any
    """The store within the transaction. Its methods read and write resources in the same transaction."""
    scope: Any
    """The `Scope` of the request, for the methods of the store. It names the tenant."""

    @property
    def tenant(self) -> str:
        """The tenant of the request."""
        return str(self.scope.tenant)

    @property
    def session(self) -> Any:
        """The SQLAlchemy session, for a `MappedStore` or `AsyncMappedStore`.

        Raises:
            AttributeError: The store works without a session.
        """
        return self._part("session")

    @property
    def connection(self) -> Any:
        """The SQLAlchemy connection, for a `SqlStore` or `AsyncSqlStore`.

        Raises:
            AttributeError: The store works without a connection.
        """
        return self._part("connection")

    @property
    def using(self) -> str:
        """The alias of the database, for a `DjangoStore`. The transaction is the atomic block of that database.

        Raises:
            AttributeError: The store is no `DjangoStore`.
        """
        return str(self._part("using"))

    def _part(self, name: str) -> Any:
        found = getattr(self.store, name, None)
        if found is None:
            raise AttributeError(f"the transaction of {type(self.store).__name__} has no {name}")
        return found


@dataclass(slots=True)
class PendingWrite:
    """A write that is about to happen. A `before_write` listener may change `document` or `changes`."""

    operation: OperationKind
    """`create`, `replace`, `patch` or `delete`."""
    resource_type: str
    """The name of the resource type, such as `User`."""
    id: str | None
    """The id of the resource, or None for `create`."""
    tenant: str
    token_id: str
    request_id: str
    document: Document | None = field(default=None, repr=False)
    """The whole document of `create` and `replace`."""
    changes: ChangeSet | None = field(default=None, repr=False)
    """The changes of `patch`."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A handler and the moment at which it is called. Made by the functions of this module."""

    moment: Moment
    event_type: type[ResourceEvent] | tuple[type[ResourceEvent], ...] | UnionType
    handler: Callable[..., Any]
    log: object | None = field(default=None, repr=False)
    """The provisioning log that the handler writes in the transaction. It must be that of the store."""


EventHandler: TypeAlias = Callable[[EventType, Transaction], Awaitable[None] | None]
"""A function of an event and the transaction of the write."""

CommittedHandler: TypeAlias = Callable[[EventType], Awaitable[None] | None]
"""A function of an event that cannot be undone any more."""

WriteHandler: TypeAlias = Callable[[PendingWrite, Transaction], Awaitable[None] | None]
"""A function of a write that did not happen yet."""


@overload
def in_transaction(event_type: type[EventType], handler: EventHandler[EventType]) -> Listener: ...
@overload
def in_transaction(event_type: UnionType, handler: EventHandler[Any]) -> Listener: ...
def in_transaction(event_type: type[ResourceEvent] | UnionType, handler: EventHandler[Any]) -> Listener:
    """Call a handler in the transaction of the write.

    The changes of the handler and of the write are kept together, or none is. A handler that raises undoes the write:
    `Refused` becomes the response, and any other exception becomes 500. The handler is called again if the transaction
    is run again.

    Args:
        event_type: A class of resource events. `ResourceEvent` stands for all of them. A union (`A | B`) is accepted.
        handler: A function of the event and the `Transaction`. A coroutine function needs an async store.
    """
    return Listener("in_transaction", event_type, handler)


@overload
def after_commit(event_type: type[EventType], handler: CommittedHandler[EventType]) -> Listener: ...
@overload
def after_commit(event_type: UnionType, handler: CommittedHandler[Any]) -> Listener: ...
def after_commit(event_type: type[ResourceEvent] | UnionType, handler: CommittedHandler[Any]) -> Listener:
    """Call a handler after the write is committed, before the response is sent.

    Handlers are called in the order of the events. An exception is logged and changes nothing. Use an outbox for
    messages that must not be lost if the process is killed.

    Args:
        event_type: A class of resource events. `ResourceEvent` stands for all of them. A union (`A | B`) is accepted.
        handler: A function of the event. A coroutine function needs a service on an event loop.
    """
    return Listener("after_commit", event_type, handler)


def before_write(handler: WriteHandler) -> Listener:
    """Call a handler in the transaction of a write, before the store writes.

    The handler may replace `document` or `changes` of the `PendingWrite`, or raise `Refused`.

    Args:
        handler: A function of the `PendingWrite` and the `Transaction`. A coroutine function needs an async store.
    """
    return Listener("before_write", ResourceEvent, handler)
