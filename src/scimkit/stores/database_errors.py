"""Answers to database errors, and delays between attempts, shared by all stores with a database.

This module imports no database library.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator
from typing import Any, Final

from scimkit.errors import InvalidFilter, InvalidValue, ScimError, Unavailable
from scimkit.stores.database_error_kinds import codes_of, is_kind, kind_of

_log = logging.getLogger("scimkit")

ATTEMPTS: Final = 12
"""Largest number of attempts for a transaction that fails because of other transactions."""

MOST_JOINS: Final = 6
"""Largest number of conditions of one filter that a database may turn into joins.

A database turns each subquery that is an operand of `and` into a join, and searches for the best order of all joins.
With 200 subqueries, PostgreSQL plans for half a minute. Further conditions are therefore written in a form that stays a
subquery, such as `(...) IS TRUE`. Planning then takes linear time.
"""

MOST_CACHED: Final = 3
"""Largest number of comparisons of a filter whose compiled statement is cached.

A compiled statement takes about 15 KB of memory for each comparison, and clients decide how long a filter is.
"""

UNSTORABLE: Final = "A value is missing, too long, out of range, or names a resource that does not exist."
"""Error detail for a row that the database refuses for an unknown reason."""

_AT_ONCE: Final = 500
_OF_CONNECTIONS: Final = frozenset({"connection", "full", "not-ready", "read-only", "unreachable"})
"""Kinds of errors whose text describes a connection or a server, so that the text contains no personal data."""
_CONNECTION_ERRORS: Final = frozenset({"OperationalError", "ConnectionError", "OSError", "ConnectionTimeout"})


def answer_to(error: BaseException | None) -> ScimError:
    """Return the `ScimError` for a driver's error, by the table of `database_error_kinds`."""
    answer = kind_of(error).answer
    if answer is Unavailable:
        return unavailable(error)
    if answer is InvalidFilter:
        return InvalidFilter("The filter is too complex for the database. Use fewer comparisons.")
    if answer is InvalidValue:
        return InvalidValue(UNSTORABLE)
    return answer()


def unavailable(error: BaseException | None) -> Unavailable:
    """Log a failure of the database and return the error for the client.

    The log entry contains the kind of the error and no personal data.
    """
    name, codes = type(error).__name__, codes_of(error)
    if is_kind(error, "timeout"):
        _log.error("The database canceled a statement that took too long: %s %s", name, codes)
    else:
        _log.error("The database failed: %s %s%s", name, codes, said_of_connection(error))
    return Unavailable()


def said_of_connection(error: BaseException | None) -> str:
    """Return the driver's text about a connection that failed, such as the host, the role or the database.

    Errors of statements give an empty string, because their texts may contain personal data.
    """
    unreached = not codes_of(error) and type(error).__name__ in _CONNECTION_ERRORS
    if error is None or not (unreached or is_kind(error, _OF_CONNECTIONS)):
        return ""
    text = " ".join(str(error.args[-1] if error.args else error).split())
    return f": {text[:300]}"


def no_answer() -> Unavailable:
    """Log that the database did not answer by the deadline of the request, and return the error for the client."""
    _log.error("The database did not answer by the deadline of the request")
    return Unavailable()


def exhausted() -> Unavailable:
    """Log that every connection of the pool is in use, and return the error for the client."""
    _log.error("Every connection of the pool is in use. Raise the size of the pool, or look for slow statements.")
    return Unavailable()


def pause(attempt: int) -> float:
    """Return the random delay in seconds before the next attempt. The delay grows with each attempt."""
    return random.uniform(0.001, 0.01) * float(2 ** min(attempt, 7))


def batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the values in lists that are short enough for one statement."""
    values = list(values)
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
