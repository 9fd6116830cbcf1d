"""What stores on a database share, whichever library talks to it: answers to errors, pauses between attempts.

This module imports no database library, and knows no SCIM.
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
"""How often a transaction is tried that lost against another one."""

MOST_JOINS: Final = 6
"""Conditions of one filter that a database may turn into joins.

A database makes a join of each subquery that stands alone in an `and`, and looks for the best order of all joins: with
200 of them PostgreSQL plans for half a minute. Conditions beyond the first few are written in a form that stays a
subquery, such as `(...) IS TRUE`, so that planning takes linear time.
"""

MOST_CACHED: Final = 3
"""Comparisons of the longest filter whose compiled statement is cached.

A compiled statement takes some 15 KB for each comparison, and clients choose how a filter looks.
"""

_AT_ONCE: Final = 500
_OF_CONNECTIONS: Final = frozenset({"connection", "full", "not-ready", "read-only", "unreachable"})
"""Kinds of errors whose text a driver writes about a connection or a server, so that it holds no value."""
_CONNECTION_ERRORS: Final = frozenset({"OperationalError", "ConnectionError", "OSError", "ConnectionTimeout"})


def answer_to(error: BaseException | None) -> ScimError:
    """Return what a client is told of a driver's error, by the table of `database_error_kinds`."""
    answer = kind_of(error).answer
    if answer is Unavailable:
        return unavailable(error)
    if answer is InvalidFilter:
        return InvalidFilter("The filter is too complex for the database. Use fewer comparisons.")
    if answer is InvalidValue:
        return InvalidValue("A value is not one that this service can store.")
    return answer()


def unavailable(error: BaseException | None) -> Unavailable:
    """Return what a client is told of a failure of the database. The log has its kind, and no value of anyone's."""
    name, codes = type(error).__name__, codes_of(error)
    if is_kind(error, "timeout"):
        _log.error("the database cancelled a statement that took too long: %s %s", name, codes)
    else:
        _log.error("the database failed: %s %s%s", name, codes, said_of_connection(error))
    return Unavailable()


def said_of_connection(error: BaseException | None) -> str:
    """Return what a driver says of a connection that failed: host, role, database, or why there is no room.

    Errors of statements are left out, because they may hold somebody's values.
    """
    unreached = not codes_of(error) and type(error).__name__ in _CONNECTION_ERRORS
    if error is None or not (unreached or is_kind(error, _OF_CONNECTIONS)):
        return ""
    said = " ".join(str(error.args[-1] if error.args else error).split())
    return f": {said[:300]}"


def no_answer() -> Unavailable:
    """Return what a client is told if the database did not answer by the deadline of the request."""
    _log.error("the database did not answer by the deadline of the request")
    return Unavailable()


def exhausted() -> Unavailable:
    """Return what a client is told if every connection of the pool stayed in use."""
    _log.error("every connection of the pool is in use: raise the size of the pool, or look for slow statements")
    return Unavailable()


def pause(attempt: int) -> float:
    """Seconds before the next attempt, longer each time and never the same for two."""
    return random.uniform(0.001, 0.01) * float(2 ** min(attempt, 7))


def batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    """The values in lists short enough for one statement."""
    values = list(values)
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
