"""What stores on a database share, whichever library talks to it: what a driver's errors mean, when to try again.

This module imports no database library, and knows no SCIM.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator
from typing import Any, Final

from scimkit.errors import Unavailable

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
_LOST: Final = frozenset({"40001", "40P01", "55P03", "23503", 1205, 1213, 1020, 1452, 1305})
"""SQLSTATEs of serialization failure, deadlock, a lock not granted, and a member deleted since it was read; MySQL's and
MariaDB's numbers of a lock wait timeout, a deadlock (a Galera conflict too), a record that changed since it was read,
a member deleted since, and a savepoint that went with the transaction that lost."""
_BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
_TIMED_OUT: Final = frozenset({"57014", 1969, 3024, "SQLITE_INTERRUPT"})
"""What each database says of a statement that it cancelled because it took too long."""
_CONNECTION_CLASSES: Final = frozenset({"08", "28", "3D", "53", "57"})
"""Classes of SQLSTATEs: connection, authorization, unknown database, lack of resources, intervention of an operator."""
_CONNECTION_ERRORS: Final = frozenset({"OperationalError", "ConnectionError", "OSError", "ConnectionTimeout"})
_CONNECTION_NUMBERS: Final = frozenset({
    1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 2002, 2003, 2005, 2006, 2013, "SQLITE_CANTOPEN", "SQLITE_FULL",
    "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_NOTADB", "SQLITE_CORRUPT",
})  # fmt: skip
_TOO_COMPLEX: Final = frozenset({"54000", "54001", "54011", "54023", 1116, 1390, 1436, 3170})
"""SQLSTATEs of PostgreSQL for statements that are too complex (class 54); numbers of MySQL and MariaDB for too many
tables or placeholders, a thread stack that is too small, and memory for range optimization."""
_TOO_COMPLEX_IN_SQLITE: Final = ("Expression tree is too large", "too many SQL variables", "parser stack overflow",
                                 "at most 64 tables in a join", "too many terms in compound SELECT")  # fmt: skip
_TAKEN: Final = frozenset({"23505", 1062, 1169, "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})
"""What each database says of a value that another row has."""


def lost(error: BaseException | None) -> bool:
    """Whether, by a driver's error, a transaction failed only because another one was in its way."""
    return any(code in _LOST or str(code).startswith(_BUSY) for code in _codes(error))


def taken(error: BaseException | None) -> bool:
    """Whether, by a driver's error, another row has a value that must be unique."""
    return not _TAKEN.isdisjoint(_codes(error))


def too_complex(error: BaseException | None) -> bool:
    """Report whether, by a driver's error, a statement exceeds what the database can ever evaluate."""
    text = str(error.args[0]) if error is not None and error.args else ""
    return not _TOO_COMPLEX.isdisjoint(_codes(error)) or text.startswith(_TOO_COMPLEX_IN_SQLITE)


def timed_out(error: BaseException | None) -> bool:
    """Report whether, by a driver's error, a statement was cancelled because it took too long."""
    return not _TIMED_OUT.isdisjoint(_codes(error))


def unavailable(error: BaseException | None) -> Unavailable:
    """Return what a client is told of a failure of the database. The log has its kind, and no value of anyone's."""
    if timed_out(error):
        _log.error("the database cancelled a statement that took too long: %s %s", type(error).__name__, _codes(error))
    else:
        _log.error("the database failed: %s %s%s", type(error).__name__, _codes(error), said_of_connection(error))
    return Unavailable()


def said_of_connection(error: BaseException | None) -> str:
    """Return what a driver says of a connection that failed: host, role, database, or why there is no room.

    Errors of statements are left out, because they may hold somebody's values.
    """
    codes = _codes(error)
    unreached = not codes and type(error).__name__ in _CONNECTION_ERRORS
    classes = any(isinstance(code, str) and code[:2] in _CONNECTION_CLASSES for code in codes)
    if error is None or not (unreached or classes or not _CONNECTION_NUMBERS.isdisjoint(codes)):
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


def _codes(error: BaseException | None) -> list[Any]:
    """What a driver says of it: a number of MySQL's, a name of SQLite's, an SQLSTATE, which MySQL has too."""
    first = error.args[0] if error is not None and error.args else None
    said = (first, getattr(error, "sqlite_errorname", None), getattr(error, "sqlstate", None))
    return [each for each in said if isinstance(each, int) or (each is not None and each is not first)]
