"""Prints docs/reference/database-errors.md from `scimkit.stores.database_error_kinds`.

python -m tests.database_errors_table > docs/reference/database-errors.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from scimkit.errors import ScimError, Unavailable
from scimkit.stores.database_error_kinds import KINDS, ErrorKind

OPENING = """# Database errors

What a client gets if a database refuses a statement or fails. The stores `SqlStore`, `AsyncSqlStore`, `MappedStore`,
`AsyncMappedStore` and `DjangoStore` read one table, `KINDS` of `scimkit.stores.database_error_kinds`. This page is printed
from the table by `python -m tests.database_errors_table`, and a test compares the two. The errors are provoked on
SQLite, PostgreSQL and MariaDB in `tests/stores/test_database_errors.py`.

- A code goes by the longest entry that it begins with: `08` stands for every SQLSTATE of that class without a row of
  its own, and `SQLITE_BUSY` for `SQLITE_BUSY_RECOVERY`. A number of MariaDB comes before its SQLSTATE.
- An error without a code goes by the class of the exception: `DataError` is a value that does not fit,
  `IntegrityError` a constraint.
- "Tried again" means that the store runs the transaction again, with growing pauses, until the deadline of the
  request. Then the answer is the one of the row. `DjangoStore` tries a connection that was lost again once, and only
  if the connection was open before the request.
- A 503 has `Retry-After`. The [log](../how-to/operate.md#logs) has the class of the exception and its codes.
- A DELETE that a foreign key refuses is 400 `mutability`. A member that another request added at the same moment is
  503, so that the client sends its request again. A value that is too long for the index of its column is 400
  `invalidValue`, although its kind is `too-complex`.
- A 400 names the attribute if the database names the column or the constraint. No answer holds a value.
"""

CLOSING = """
## Characters that a column does not have

A column of MariaDB or MySQL with the charset `utf8mb3` or `latin1` does not have every character. A write of such a
character is 400 `invalidValue`. A comparison with it is an error of the kind `charset`. `MappedStore`,
`AsyncMappedStore` and `DjangoStore` then run the request again and compare bytes, so that a filter finds no such text.
That request reads all rows of the tenant, because no index has the bytes. Without the strict SQL mode
(`STRICT_TRANS_TABLES`, the default) MariaDB stores `?` in the place of the character and reports nothing.
"""

HEADER = (
    "| kind | what happened | answer | tried again | PostgreSQL | MariaDB, MySQL | SQLite |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)


def page() -> str:
    """Return the whole page."""
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
