"""A script that prints docs/reference/database-errors.md from the table `scimkit.stores.database_error_kinds`.

python -m tests.database_errors_table > docs/reference/database-errors.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from scimkit.errors import ScimError, Unavailable
from scimkit.stores.database_error_kinds import KINDS, ErrorKind

OPENING = """# Database errors

This page lists the answer that a client gets if a database refuses a statement or fails. The stores `SqlStore`,
`AsyncSqlStore`, `MappedStore`, `AsyncMappedStore` and `DjangoStore` all use one table, `KINDS` of
`scimkit.stores.database_error_kinds`. The command `python -m tests.database_errors_table` prints this page, and a test
compares both. The tests in `tests/stores/test_database_errors.py` cause the errors on SQLite, PostgreSQL and MariaDB.

- The longest entry at the beginning of an error code applies. The entry `08` stands for each SQLSTATE of that class
  without its own entry. The entry `SQLITE_BUSY` also stands for `SQLITE_BUSY_RECOVERY`. An error number of MariaDB
  takes precedence over its SQLSTATE.
- For an error without a code, the class of the exception applies: `DataError` is the kind `value`, and `IntegrityError`
  is the kind `constraint`.
- "Tried again" means that the store runs the transaction again, with growing delays, until the deadline of the request.
  Then the answer is the answer of the row. The store `DjangoStore` retries after a lost connection only once, and only
  if the connection was open before the request.
- A 503 has `Retry-After`. The [log](../how-to/operate.md#logs) has the class and the codes of the exception.
- A 400 names the attribute if the database names the column or the constraint. No answer contains a value.

Three cases differ from the table:

- A DELETE that a foreign key refuses is 400 `mutability`.
- A member that another request added at the same moment is 503, so the client repeats its request.
- A value that is too long for the index of its column is 400 `invalidValue`, although its kind is `too-complex`.
"""

CLOSING = """
## Characters that a column does not have

A column of MariaDB or MySQL with the charset `utf8mb3` or `latin1` cannot hold every character.

- A write of such a character is 400 `invalidValue`.
- A comparison with such a character is an error of the kind `charset`. Then `MappedStore`, `AsyncMappedStore` and
  `DjangoStore` run the request again and compare bytes, so a filter finds no such text. This request reads all rows of
  the tenant, because no index holds the bytes.
- Without the strict SQL mode (`STRICT_TRANS_TABLES`, the default), MariaDB stores `?` instead of the character and
  reports no error.
"""

HEADER = (
    "| kind | what happened | answer | tried again | PostgreSQL | MariaDB, MySQL | SQLite |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)


def page() -> str:
    """Return the complete page."""
    return "\n".join([OPENING, HEADER, *map(_row, KINDS)]) + "\n" + CLOSING


def _row(kind: ErrorKind) -> str:
    codes = (_codes(some) for some in (kind.postgresql, kind.mysql, kind.sqlite))
    return f"| `{kind.name}` | {kind.what} | {_answer(kind.answer)} | {kind.again} | {' | '.join(codes)} |"


def _answer(answer: type[ScimError]) -> str:
    status = str(answer.status) if answer.scim_type is None else f"{answer.status} `{answer.scim_type}`"
    return f"{status}, `Retry-After`" if answer is Unavailable else status


def _codes(codes: Iterable[str | int]) -> str:
    return ", ".join(f"`{each}`" for each in codes)


if __name__ == "__main__":
    sys.stdout.write(page())
