"""Writers of a resource: its row, its index entries, its unique values, and the entry of the provisioning log.

PostgreSQL with psycopg does all of it in one statement. Other databases and drivers take a statement for each table.
This module never begins or ends a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scimkit.errors import Uniqueness
from scimkit.schema.attributes import folded
from scimkit.stores.database_errors import batches
from scimkit.stores.sql import postgresql_statements, statements
from scimkit.stores.sql.database import NeedsTransaction
from scimkit.stores.sql.hot_statements import (
    HotStatement,
    Interfered,
    make_check,
    outside_transaction,
    takes_single_statements,
)
from scimkit.stores.sql.index_entries import IndexEntry
from scimkit.stores.sql.tables import CLAIMS, LOG, MEMBERSHIPS, RESOURCES, VALUES
from scimkit.stores.sql.token_access import TokenAccess
from scimkit.tokens import TokenCheck

UniqueValues: TypeAlias = Mapping[tuple[int, bytes], str]
"""The values of unique attributes, as slot and digest, with the path of each value."""

LogRow: TypeAlias = Mapping[str, Any] | None
"""The columns of the entry of the provisioning log that belongs to a write, or None without a log."""

_ADD: Final = {table.name: sa.insert(table) for table in (RESOURCES, VALUES, CLAIMS, LOG.entries)}
_ADD_MEMBERS: Final = sa.insert(MEMBERSHIPS)
MOST_AT_ONCE: Final = 1000
"""Largest number of members that one statement of PostgreSQL removes and adds together with the update of a group."""
_PLACE: Final = ("slot", "element", "place")
_ENTRY: Final = (*_PLACE, "head", "whole", "chosen")
_CLAIM: Final = ("slot", "digest")
_LEFT: Final = ("member",)
_JOINED: Final = ("member", "display", "display_key")
_LITERALS: Final[dict[type, Callable[[Any], str]]] = {
    int: str,
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    type(None): lambda _: "NULL",
}
"""The text of a value within an array of PostgreSQL, by the type of the value."""


@dataclass(frozen=True, slots=True)
class IndexChanges:
    """The index entries and the unique values that the next version of a resource removes and adds."""

    removed: Iterable[IndexEntry]
    added: Iterable[IndexEntry]
    freed: UniqueValues
    claimed: UniqueValues

    @classmethod
    def between(
        cls, old: set[IndexEntry], new: set[IndexEntry], old_claims: UniqueValues, new_claims: UniqueValues
    ) -> IndexChanges:
        """Return the changes between the index entries and the unique values of two versions."""
        freed = {each: path for each, path in old_claims.items() if each not in new_claims}
        claimed = {each: path for each, path in new_claims.items() if each not in old_claims}
        return cls(old - new, new - old, freed, claimed)

    @classmethod
    def none(cls) -> IndexChanges:
        """Return no changes, for a write that leaves the document as it is."""
        return cls((), (), {}, {})


@dataclass(frozen=True, slots=True)
class MemberChanges:
    """The rows of members that a write removes and adds, by the sequence numbers of the members.

    A member whose display changes is in both.
    """

    gone: Sequence[int] = ()
    fresh: Mapping[int, Any] = field(default_factory=dict)
    """The display of each added member."""
    ids: Mapping[int, str] = field(default_factory=dict)
    """The ids of those members that the request names."""

    def __bool__(self) -> bool:
        return bool(self.gone or self.fresh)

    @property
    def fit_one_statement(self) -> bool:
        """True if one statement can remove and add the rows. The order within one statement is not defined."""
        few = len(self.gone) + len(self.fresh) <= MOST_AT_ONCE
        return few and self.fresh.keys().isdisjoint(self.gone)

    @property
    def left(self) -> list[int]:
        """The members that no longer belong to the group."""
        stay = set(self.fresh)
        return [each for each in self.gone if each not in stay]

    @property
    def joined(self) -> list[int]:
        """The members that belong to the group only since the write."""
        present = set(self.gone)
        return [each for each in self.fresh if each not in present]


class RowWriter(Protocol):
    """Writes resources on a connection."""

    def insert(
        self,
        values: Mapping[str, Any],
        entries: Iterable[IndexEntry],
        claims: UniqueValues,
        log_row: LogRow = None,
        check: TokenCheck | None = None,
    ) -> int:
        """Insert a resource and its entry of the provisioning log, and return the sequence number of the resource.

        Raises:
            Uniqueness: Another resource has one of the unique values.
            TokenChanged: The token is not the one of the check. Nothing was inserted.
        """
        ...

    def update(
        self,
        old: Mapping[str, Any],
        values: Mapping[str, Any],
        changes: IndexChanges,
        log_row: LogRow,
        members: MemberChanges,
        *,
        locked: bool,
    ) -> bool:
        """Update a resource that has a version, and insert its entry of the provisioning log.

        Args:
            old: The row that was read: `number`, `old_version`, `id`, and the parameters of its tenant and type.
            values: The columns of the resource that change.
            changes: The changes of index entries and unique values.
            log_row: The entry of the provisioning log.
            members: The changes of members.
            locked: True if the present transaction locked the row before it read the version.

        Returns:
            False if the resource does not have the version. Nothing is written then.

        Raises:
            NeedsTransaction: A single statement cannot write all changes of members.
            Uniqueness: Another resource has one of the unique values.
        """
        ...

    def log(self, log_row: Mapping[str, Any]) -> None:
        """Insert an entry of the provisioning log."""
        ...


def writer(connection: sa.Connection) -> RowWriter:
    """Return the writer for the database and the driver of a connection."""
    return (SingleStatements if takes_single_statements(connection.dialect) else SeveralStatements)(connection)


class SingleStatements:
    """Writes a resource with one statement of PostgreSQL, which needs no transaction around it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def insert(
        self,
        values: Mapping[str, Any],
        entries: Iterable[IndexEntry],
        claims: UniqueValues,
        log_row: LogRow = None,
        check: TokenCheck | None = None,
    ) -> int:
        """Insert a resource, as `RowWriter.insert` says."""
        parameters = {**_new(values), **_lists("entry", _ENTRY, entries), **_lists("claim", _CLAIM, claims)}
        # A failed statement ends the whole transaction, so within a transaction the statement inserts nothing instead.
        guarded = not outside_transaction(self._connection)
        access: TokenAccess | None = None
        if check is not None and check.is_pending:
            kept: TokenAccess = check.store.access
            access, parameters = kept, {**parameters, **kept.parameters(check.record)}
        try:
            found = self._run(postgresql_statements.creation(access, guarded=guarded), parameters, claims, log_row)
        except Uniqueness:
            if guarded and not self._connection.in_nested_transaction():
                raise Interfered from None
            if check is not None:
                check.settle(True)  # the statement inserts nothing for another token
            raise
        if not found:
            make_check(self._connection, check)
            raise self._taken(claims)
        if check is not None:
            check.settle(True)
        return int(found[0][0])

    def _taken(self, claims: UniqueValues) -> Uniqueness | Interfered:
        """Return the error for a resource that was not inserted, because a unique value is taken."""
        rows = postgresql_statements.TAKEN.rows(self._connection, _lists("claim", _CLAIM, claims))
        slots = {row[0] for row in rows}
        paths = [path for (number, _), path in claims.items() if number in slots]
        return Uniqueness(paths[0]) if paths else Interfered()

    def update(
        self,
        old: Mapping[str, Any],
        values: Mapping[str, Any],
        changes: IndexChanges,
        log_row: LogRow,
        members: MemberChanges,
        *,
        locked: bool,
    ) -> bool:
        """Update a resource that has a version, as `RowWriter.update` says."""
        if not members.fit_one_statement:
            if outside_transaction(self._connection):
                raise NeedsTransaction
            write_members(self._connection, old["number"], members)
            members = MemberChanges()
        parameters = {**old, **_new(values)}
        if members or "document" not in values:
            joined = [(each, *displayed(text).values()) for each, text in members.fresh.items()]
            parameters |= _lists("left", _LEFT, [(each,) for each in members.gone])
            parameters |= _lists("joined", _JOINED, joined)
        # A statement that cannot fail because of other rows may wait for COMMIT.
        waits = locked and not changes.claimed and not members.fresh and not self._connection.in_nested_transaction()
        if "document" not in values:
            return self._update(postgresql_statements.UPDATE_MEMBERS, parameters, {}, log_row, waits=waits)
        added = changes.added
        parameters |= _lists("entry", _ENTRY, added)
        kept = {row[:3] for row in added}
        gone = [row[:3] for row in changes.removed if row[:3] not in kept]
        if not gone and not changes.freed and not changes.claimed and not members:
            return self._update(postgresql_statements.UPDATE_ENTRIES, parameters, {}, log_row, waits=waits)
        parameters |= _lists("gone", _PLACE, gone)
        parameters |= {**_lists("claim", _CLAIM, changes.claimed), **_lists("unclaimed", _CLAIM, changes.freed)}
        all_of_it = postgresql_statements.UPDATE_ALL_AND_MEMBERS if members else postgresql_statements.UPDATE_ALL
        return self._update(all_of_it, parameters, changes.claimed, log_row, waits=waits)

    def _update(
        self, statements: tuple[HotStatement, HotStatement], parameters: Mapping[str, Any], claims: UniqueValues,
        log_row: LogRow, *, waits: bool,
    ) -> bool:  # fmt: skip
        """Run a statement that updates a resource, or let it wait. Return False if the resource has another version."""
        if waits:
            statement, values = _with_log(statements, parameters, log_row)
            if statement.add_to_next(self._connection, values, _is_locked):
                return True
        return bool(self._run(statements, parameters, claims, log_row))

    def log(self, log_row: Mapping[str, Any]) -> None:
        """Insert an entry of the provisioning log, as `RowWriter.log` says."""
        postgresql_statements.LOG_ENTRY.run_with_next(self._connection, _log(log_row))

    def _run(
        self, statements: tuple[HotStatement, HotStatement], parameters: Mapping[str, Any], claims: UniqueValues,
        log_row: LogRow,
    ) -> Any:  # fmt: skip
        """Run a statement with or without an entry, and name the attribute whose unique value another resource has."""
        statement, values = _with_log(statements, parameters, log_row)
        try:
            return statement.rows(self._connection, values)
        except IntegrityError as error:
            said: Any = getattr(error.orig, "diag", None)
            if said is not None and said.table_name == MEMBERSHIPS.name and outside_transaction(self._connection):
                raise NeedsTransaction from None  # a new member was deleted in the meantime
            if said is None or said.table_name != CLAIMS.name or said.constraint_name != CLAIMS.primary_key.name:
                raise
            text = said.message_detail or ""
            paths = [path for (slot, _), path in claims.items() if f"({slot}," in text]
            raise Uniqueness((paths or list(claims.values()))[0]) from None


def _is_locked(rows: Sequence[Any]) -> None:
    """Make sure that a statement which waited has found its row, which its transaction had locked."""
    if not rows:
        raise RuntimeError("A row changed although a transaction had locked it")


def write_members(connection: sa.Connection, group: int, changes: MemberChanges) -> None:
    """Remove and add the rows of members, with statements of their own."""
    for some in batches(changes.gone):
        connection.execute(statements.DROP_MEMBERS, {"number": group, "members": some})
    rows = [{"group": group, "member": each, **displayed(text)} for each, text in changes.fresh.items()]
    for some in batches(rows):
        connection.execute(_ADD_MEMBERS, some)


def displayed(text: Any) -> dict[str, bytes | None]:
    """Return the columns for a display name: its bytes, and the bytes of its comparison key."""
    if type(text) is not str:
        return {"display": None, "display_key": None}
    return {"display": text.encode(), "display_key": folded(text).encode()}


def _new(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters for the columns of a resource."""
    return {f"new_{name}": value for name, value in values.items()}


def _with_log(
    statements: tuple[HotStatement, HotStatement], parameters: Mapping[str, Any], log_row: LogRow
) -> tuple[HotStatement, Mapping[str, Any]]:
    """Return the statement of a write without or with an entry of the provisioning log, and its parameters."""
    if log_row is None:
        return statements[0], parameters
    return statements[1], {**parameters, **_log(log_row)}


def _log(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters for the columns of an entry of the provisioning log."""
    return {f"log_{name}": value for name, value in row.items()}


def _lists(prefix: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> dict[str, str]:
    """Return rows as one array for each column. The text of an array takes less time than a list for the driver."""
    arrays = list(zip(*rows, strict=True)) or [()] * len(columns)
    return {f"{prefix}_{name}": array_of(each) for name, each in zip(columns, arrays, strict=True)}


def array_of(values: Iterable[Any]) -> str:
    """Return the text of an array of PostgreSQL."""
    return f"{{{','.join([_LITERALS[type(each)](each) for each in values])}}}"


class SeveralStatements:
    """Writes a resource with several statements. The caller has locked the row of an existing resource."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def insert(
        self,
        values: Mapping[str, Any],
        entries: Iterable[IndexEntry],
        claims: UniqueValues,
        log_row: LogRow = None,
        check: TokenCheck | None = None,
    ) -> int:
        """Insert a resource, as `RowWriter.insert` says."""
        make_check(self._connection, check)
        inserted = self._connection.execute(_ADD[RESOURCES.name], values).inserted_primary_key
        assert inserted is not None
        number: int = inserted[0]
        self._claim(number, claims)
        self._add_entries(number, entries)
        if log_row is not None:
            self.log(log_row)
        return number

    def update(
        self,
        old: Mapping[str, Any],
        values: Mapping[str, Any],
        changes: IndexChanges,
        log_row: LogRow,
        members: MemberChanges,
        *,
        locked: bool,
    ) -> bool:
        """Update a resource, as `RowWriter.update` says."""
        number = old["number"]
        write_members(self._connection, number, members)
        for slot, digest in changes.freed:
            self._connection.execute(statements.DROP_CLAIM, {"the_slot": slot, "the_digest": digest})
        self._claim(number, changes.claimed)
        for each in changes.removed:
            place = {"the_slot": each.slot, "the_element": each.element, "the_place": each.place}
            self._connection.execute(statements.DROP_VALUE, {"number": number, **place})
        self._add_entries(number, changes.added)
        self._connection.execute(statements.UPDATE, {**values, "number": number})
        if log_row is not None:
            self.log(log_row)
        return True

    def log(self, log_row: Mapping[str, Any]) -> None:
        """Insert an entry of the provisioning log, as `RowWriter.log` says."""
        self._connection.execute(_ADD[LOG.entries.name], log_row)

    def _claim(self, number: int, claims: UniqueValues) -> None:
        """Insert the values of unique attributes, or raise `Uniqueness` if another resource has one of them."""
        for (slot, value), path in claims.items():
            try:
                self._connection.execute(_ADD[CLAIMS.name], {"slot": slot, "digest": value, "resource": number})
            except IntegrityError:
                raise Uniqueness(path) from None

    def _add_entries(self, number: int, added: Iterable[IndexEntry]) -> None:
        """Insert index entries of a resource."""
        rows = [{"resource": number, **dict(zip(_ENTRY, row, strict=True))} for row in added]
        if rows:
            self._connection.execute(_ADD[VALUES.name], rows)
