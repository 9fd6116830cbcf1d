"""Transactions on a database of the Django project, and their repetition. This module contains no rule of SCIM."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import Error, InterfaceError, connections, transaction

from scimkit.errors import Unavailable
from scimkit.stores.database_error_kinds import UnsupportedCharacter, is_kind, kind_of, lost
from scimkit.stores.database_errors import ATTEMPTS, answer_to, pause, unavailable
from scimkit.stores.django.timeouts import bounded, bounded_transaction

Result = TypeVar("Result")


class Transactions:
    """Runs work in transactions.

    Args:
        using: The alias of the database in `DATABASES`.
    """

    def __init__(self, using: str) -> None:
        self.using = using

    def read(self, work: Callable[[], Result], deadline: float | None = None) -> Result:
        """Run work that only reads, and return its result.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """
        connection: Any = connections[self.using]

        def attempt(_: _Attempts) -> Result:
            is_hosts = connection.in_atomic_block
            needs_transaction = connection.vendor == "postgresql" and deadline is not None and not is_hosts
            own = transaction.atomic(using=self.using) if needs_transaction else nullcontext()
            with own, bounded_transaction(connection, deadline, is_hosts=is_hosts):
                return work()

        return self._insisted(attempt, deadline)

    def write(self, work: Callable[[], Result], deadline: float | None = None) -> Result:
        """Run work in a transaction, and return its result.

        The transaction is repeated if another transaction interfered. A transaction that the application began is not
        repeated, because the store does not know all of its work.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """
        connection: Any = connections[self.using]

        def attempt(attempts: _Attempts) -> Result:
            is_hosts = connection.in_atomic_block
            with transaction.atomic(using=self.using):
                with bounded_transaction(connection, deadline, is_hosts=is_hosts):
                    result = work()
                attempts.committing = True
            return result

        return self._insisted(attempt, deadline)

    def _insisted(self, attempt: Callable[[_Attempts], Result], deadline: float | None) -> Result:
        """Run a transaction, and repeat it if another transaction interfered or an idle connection was closed."""
        connection: Any = connections[self.using]
        attempts = _Attempts(deadline)
        while True:
            attempts.committing, is_old = False, connection.connection is not None
            try:
                with bounded(connection, deadline):
                    return attempt(attempts)
            except Error as error:
                seconds = attempts.failed(error, connection, is_old=is_old)
            time.sleep(seconds)


@dataclass(slots=True)
class _Attempts:
    """Counts the attempts of a transaction and decides about the next attempt, as `sql.database.Attempts` does."""

    deadline: float | None
    committing: bool = False
    number: int = 0
    is_replaced: bool = False
    """True if a connection that was closed while idle has been replaced."""

    def failed(self, error: Error, connection: Any, *, is_old: bool) -> float:
        """Return the seconds to wait before the next attempt, if the failed attempt changed nothing.

        Raises:
            ScimError: Errors of this kind are not retried.
        """
        cause = error.__cause__ or error
        if connection.in_atomic_block:
            raise answer_to(cause) from None
        is_idle = is_old and not self.is_replaced and not self.committing
        if _is_broken(error, connection):
            connection.close()
            if not is_idle:
                raise unavailable(cause) from None
            self.is_replaced = True
            return 0.0
        connection.close_if_unusable_or_obsolete()
        again = lost(cause) or is_kind(cause, "not-ready")
        if not again and kind_of(cause).answer is not Unavailable:
            raise answer_to(cause) from None
        seconds = pause(self.number)
        self.number += 1
        over = self.number == ATTEMPTS if self.deadline is None else time.monotonic() + seconds >= self.deadline
        if over or not again:
            raise unavailable(cause) from None
        return seconds


class Joined:
    """Runs work in a transaction that is already open. A failed write undoes only itself."""

    def __init__(self, using: str) -> None:
        self.using = using

    def read(self, work: Callable[[], Result], deadline: float | None = None) -> Result:
        """Run work that only reads. Errors are handled by the code that began the transaction."""
        with _comparisons_translated():
            return work()

    def write(self, work: Callable[[], Result], deadline: float | None = None) -> Result:
        """Run work in a savepoint. Errors and repetition are handled by the code that began the transaction."""
        with _comparisons_translated(), transaction.atomic(using=self.using):
            return work()


@contextmanager
def _comparisons_translated() -> Iterator[None]:
    """Raise `UnsupportedCharacter` if a text has characters that the compared column cannot contain."""
    try:
        yield
    except Error as error:
        if is_kind(error.__cause__, "charset"):
            raise UnsupportedCharacter() from None
        raise


def _is_broken(error: Error, connection: Any) -> bool:
    """Report whether an error means that the server closed the connection."""
    if connection.connection is None:  # Django closes a connection if the rollback fails
        return True
    if isinstance(error, InterfaceError) or is_kind(error.__cause__, "connection"):
        return True
    return bool(connection.errors_occurred) and not connection.is_usable()
