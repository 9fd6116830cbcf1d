"""Transactions on one of the host's databases, and the next attempt when one lost. This module knows no SCIM."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import DataError, Error, IntegrityError, connections, transaction

from scimkit.errors import Conflict, InvalidFilter, InvalidValue
from scimkit.stores.database_errors import ATTEMPTS, lost, pause, too_complex, unavailable

Result = TypeVar("Result")


class Transactions:
    """Runs work in transactions of its own."""

    def __init__(self, using: str) -> None:
        self.using = using

    def read(self, work: Callable[[], Result], deadline: float | None = None) -> Result:
        """The result of work that only reads. Raises: Unavailable."""
        with self._translated():
            return work()

    def write(self, work: Callable[[], Result], deadline: float | None = None) -> Result:
        """The result of work, all of it committed or none; tried again when another transaction was in its way.

        A transaction that the host has begun already is not ours to try again. Raises: Unavailable, by the deadline at
        the latest.
        """
        connection = connections[self.using]
        attempt = 0
        while True:
            with self._translated():
                try:
                    with transaction.atomic(using=self.using):
                        return work()
                except Error as error:
                    seconds, attempt = pause(attempt), attempt + 1
                    over = attempt == ATTEMPTS if deadline is None else time.monotonic() + seconds >= deadline
                    if over or connection.in_atomic_block or not lost(error.__cause__):
                        raise
            time.sleep(seconds)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """What is raised of a failure of the database, in words of SCIM."""
        try:
            yield
        except IntegrityError:  # of a constraint that is checked in the end
            raise Conflict("Something in this service stands against this.") from None
        except DataError:
            raise InvalidValue("A value is not one that this service can have.") from None
        except Error as error:
            if too_complex(error.__cause__):
                raise InvalidFilter("The filter is too complex for the database. Use fewer comparisons.") from None
            connection = connections[self.using]
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            raise unavailable(error.__cause__ or error) from None


class Joined:
    """Runs work within a transaction that is open already; a write that fails leaves what was done before."""

    def __init__(self, using: str) -> None:
        self.using = using

    def read(self, work: Callable[[], Result], deadline: float | None = None) -> Result:
        """As `Transactions.read`; the transaction answers for failures."""
        return work()

    def write(self, work: Callable[[], Result], deadline: float | None = None) -> Result:
        """As `Transactions.write`; the transaction answers for failures, and is what is tried again."""
        with transaction.atomic(using=self.using):
            return work()
