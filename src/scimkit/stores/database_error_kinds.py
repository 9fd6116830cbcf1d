"""The kinds of database errors, with the answer of the service to each kind, for all stores.

A script prints the page `docs/reference/database-errors.md` from this table, and a test compares the two. This module
imports no database library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from scimkit.errors import InvalidFilter, InvalidValue, PayloadTooLarge, ScimError, Unavailable, Uniqueness


class UnsupportedCharacter(InvalidValue):
    """Error 400 invalidValue for a text with a character that the charset of a database column does not have.

    Stores raise this error when a statement compares such a text with a column. The stores then compare bytes instead.
    """

    default_detail = "A value has a character that this service cannot store."


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """A kind of database error, with its codes and the answer to the client.

    The longest matching code decides. The code `08` matches all codes `08...` without a row of their own. Likewise,
    `SQLITE_BUSY` matches `SQLITE_BUSY_SNAPSHOT` unless a row names the longer code.
    """

    name: str
    what: str
    """The cause of the error, in words for the page."""
    answer: type[ScimError]
    postgresql: tuple[str, ...] = ()
    """SQLSTATE codes of PostgreSQL. MariaDB and MySQL use the codes of the SQL standard too."""
    mysql: tuple[int, ...] = ()
    """Error numbers of MariaDB and MySQL."""
    sqlite: tuple[str, ...] = ()
    """Names of SQLite's extended result codes."""
    classes: tuple[str, ...] = ()
    """Names of exception classes, for errors without a known code."""
    again: str = "no"
    """The condition under which a store runs the transaction again, within the deadline of the request."""

    @property
    def codes(self) -> tuple[str | int, ...]:
        """Return the codes of all databases."""
        return (*self.postgresql, *self.mysql, *self.sqlite)


KINDS: Final = (
    ErrorKind(
        "duplicate", "another row has the same value in a unique column", Uniqueness,
        ("23505",), (1062, 1169, 1586), ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY",
                                         "SQLITE_CONSTRAINT_ROWID"),
    ),
    ErrorKind(
        "reference", "a referenced row was deleted, or a row to delete is still referenced", InvalidValue,
        ("23001", "23503"), (1216, 1217, 1451, 1452), ("SQLITE_CONSTRAINT_FOREIGNKEY", "SQLITE_CONSTRAINT_TRIGGER"),
        again="yes, if a member was deleted while it was added to a group; then 503",
    ),
    ErrorKind(
        "not-null", "a column that must not be NULL has no value", InvalidValue,
        ("23502",), (1048, 1364), ("SQLITE_CONSTRAINT_NOTNULL",),
    ),
    ErrorKind(
        "constraint", "a row does not meet another constraint", InvalidValue,
        ("23",), (3819, 4025), ("SQLITE_CONSTRAINT",), ("IntegrityError",),
    ),
    ErrorKind(
        "value", "a value is too long, out of range, or not of the type of its column; a text has the character NUL",
        InvalidValue, ("22",), (1264, 1265, 1292, 1366, 1406), ("SQLITE_MISMATCH",), ("DataError",),
    ),
    ErrorKind(
        "charset", "a text is compared with a column whose charset lacks a character of the text",
        UnsupportedCharacter, (), (1267, 1270, 1271, 3988), again="once, with a comparison of bytes",
    ),
    ErrorKind(
        "size", "a row or a statement is too large for the database", PayloadTooLarge,
        (), (1118, 1153, 1301), ("SQLITE_TOOBIG",),
    ),
    ErrorKind(
        "too-complex", "a statement is too complex for the database", InvalidFilter,
        ("54",), (1116, 1390, 1436, 3170),
    ),
    ErrorKind(
        "deadlock", "the transaction lost a deadlock", Unavailable, ("40P01",), (1213,), again="yes",
    ),
    ErrorKind(
        "serialization", "another transaction changed a row that this transaction had read", Unavailable,
        ("40001",), (1020, 1305), ("SQLITE_BUSY_SNAPSHOT",), again="yes",
    ),
    ErrorKind(
        "lock", "a lock was not granted in time", Unavailable,
        ("55P03",), (1205, 3572), ("SQLITE_BUSY", "SQLITE_LOCKED"), again="yes",
    ),
    ErrorKind(
        "timeout", "the database canceled a statement that took too long", Unavailable,
        ("57014",), (1317, 1969, 3024), ("SQLITE_INTERRUPT",),
    ),
    ErrorKind(
        "connection", "the connection was lost", Unavailable,
        ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04"),
        (1053, 1077, 1079, 1080, 1152, 1184, 1927, 2006, 2013, 2014, 2055, 4031),
        again="yes, except for a connection lost during COMMIT",
    ),
    ErrorKind(
        "not-ready", "the database node is disconnected from its cluster", Unavailable, (), (1047,), again="yes",
    ),
    ErrorKind(
        "not-prepared", "another user of a connection removed its prepared statements", Unavailable, ("26000",),
        again="yes",
    ),
    ErrorKind(
        "full", "the database has no free connection, memory or disk space", Unavailable,
        ("53",), (1021, 1037, 1038, 1040, 1041, 1114, 1135, 1203, 1226, 3675), ("SQLITE_FULL", "SQLITE_NOMEM"),
    ),
    ErrorKind(
        "read-only", "the database or the transaction is read-only", Unavailable,
        ("25006",), (1290, 1792, 1836), ("SQLITE_READONLY",),
    ),
    ErrorKind(
        "unreachable", "the database cannot be reached or read, or refuses the account", Unavailable,
        ("28", "3D"), (1044, 1045, 1049, 1129, 1130, 1142, 1698, 2002, 2003, 2005),
        ("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_PERM", "SQLITE_AUTH"),
    ),
    ErrorKind(
        "other", "any other error of the database", Unavailable,
    ),
)  # fmt: skip
"""The kinds of errors, in the order of the page. The last kind applies to every error without a row of its own."""

_BY_CODE: Final[dict[Any, ErrorKind]] = {code: kind for kind in KINDS for code in kind.codes}
_BY_CLASS: Final = {name: kind for kind in KINDS for name in kind.classes}
_BY_NAME: Final = {kind.name: kind for kind in KINDS}
_MEMBER_IS_GONE: Final = frozenset({"23503", 1452})
_TOO_COMPLEX_IN_SQLITE: Final = ("Expression tree is too large", "too many SQL variables", "parser stack overflow",
                                 "at most 64 tables in a join", "too many terms in compound SELECT")  # fmt: skip
"""Messages of SQLite about statements that are too complex. SQLite reports these errors with the general code."""


def codes_of(error: BaseException | None) -> list[Any]:
    """Return the codes of a driver's error: an error number of MySQL, an error name of SQLite, or an SQLSTATE."""
    first = error.args[0] if error is not None and error.args else None
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    codes = (first, getattr(error, "sqlite_errorname", None), state)
    return [each for each in codes if isinstance(each, int) or (each is not None and each is not first)]


def kind_of(error: BaseException | None) -> ErrorKind:
    """Return the kind of a driver's error. A known code takes precedence over the class of the exception."""
    if error is not None and error.args and str(error.args[0]).startswith(_TOO_COMPLEX_IN_SQLITE):
        return _BY_NAME["too-complex"]
    for code in codes_of(error):
        for shorter in _shorter_codes(code):
            if shorter in _BY_CODE:
                return _BY_CODE[shorter]
    for each in type(error).__mro__:
        if each.__name__ in _BY_CLASS:
            return _BY_CLASS[each.__name__]
    return KINDS[-1]


def is_kind(error: BaseException | None, names: str | Iterable[str]) -> bool:
    """Report whether a driver's error belongs to one of some kinds."""
    return kind_of(error).name in ({names} if isinstance(names, str) else set(names))


def lost(error: BaseException | None) -> bool:
    """Report whether a transaction failed only because of another transaction.

    Running the transaction again may help.
    """
    if kind_of(error).name in ("deadlock", "serialization", "lock"):
        return True
    return not _MEMBER_IS_GONE.isdisjoint(codes_of(error))


def _shorter_codes(code: Any) -> Iterator[Any]:
    """Yield a code, and then the code without its last parts."""
    yield code
    if not isinstance(code, str):
        return
    if not code.startswith("SQLITE_"):
        yield code[:2]
        return
    while "_" in code:
        code = code.rpartition("_")[0]
        yield code
