"""A store in a SQL database, through SQLAlchemy: documents, the keys they are found by, members as rows.

A first store, for SQLite; every filter gives right answers, those that no key answers by reading all
documents of the type. The only module that imports SQLAlchemy. A write is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias

try:
    import sqlalchemy as sa
    from sqlalchemy import event
    from sqlalchemy.exc import DBAPIError
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("the SQL store needs SQLAlchemy: pip install 'scimkit[sql]'") from missing
from pydantic_core import from_json

from scimkit.documents import Document, write_json
from scimkit.errors import InvalidValue, NotFound, Unavailable, Uniqueness
from scimkit.filters.filter import Filter
from scimkit.patch.changes import ChangeSet, ReferenceChanges, apply_changes
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.paging import Position, window
from scimkit.stores.probes import keys_at, probe
from scimkit.stores.protocol import GROUPS, MEMBERS, Page, Query, Scope, UnknownMembers, Wants, Written, everything
from scimkit.stores.sorting import Sort, sort_key
from scimkit.stores.stamps import (
    check_version,
    has_members,
    is_computed,
    member_entry,
    membership,
    new_id,
    now,
    replacement,
    stamped,
)

_AT_ONCE: Final = 500

_Row: TypeAlias = tuple[int, Document]
"""The number of a resource in the order of creation, and its document."""

METADATA: Final = sa.MetaData()

RESOURCES: Final = sa.Table(
    "scim_resource", METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("tenant", sa.String(255), nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("tenant", "id"),
    sa.Index("scim_resource_order", "tenant", "type", "sequence"),
    sqlite_autoincrement=True,
)  # fmt: skip
"""One row a resource; `document` is its JSON without members and groups."""

KEYS: Final = sa.Table(
    "scim_key", METADATA,
    sa.Column("tenant", sa.String(255), primary_key=True),
    sa.Column("type", sa.String(64), primary_key=True),
    sa.Column("path", sa.String(255), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Index("scim_key_id", "tenant", "id"),
)  # fmt: skip
"""The comparison keys that resources are found by."""

MEMBER_ROWS: Final = sa.Table(
    "scim_member", METADATA,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("tenant", sa.String(255), nullable=False),
    sa.Column("group_id", sa.String(64), nullable=False),
    sa.Column("member_id", sa.String(64), nullable=False),
    sa.Column("member_type", sa.String(64), nullable=False),
    sa.Column("display", sa.Text),
    sa.UniqueConstraint("tenant", "group_id", "member_id"),
    sa.Index("scim_member_of", "tenant", "member_id"),
    sqlite_autoincrement=True,
)  # fmt: skip
"""One row a member of a group."""


def open_engine(url: str) -> sa.Engine:
    """An engine for a SQLite URL, its tables made. Raises: ValueError for another database."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise ValueError("this store takes sqlite:///FILE")
    engine = sa.create_engine(parsed, connect_args={"timeout": 30})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    with translated():
        METADATA.create_all(engine)
    return engine


def _prepare(connection: Any, _: object) -> None:
    """Leave transactions to `_begin`; let readers go on while one writes."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("scimkit_writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def translated() -> Iterator[None]:
    """The seam where the database's errors become scimkit's."""
    try:
        yield
    except DBAPIError:
        raise Unavailable() from None


class SqlStore:
    """A `SyncStore` in a SQL database. `url` is `sqlite:///FILE`."""

    is_async: Literal[False] = False
    blocking = True

    def __init__(self, url: str | sa.Engine, *, unknown_members: UnknownMembers = "skip") -> None:
        self.engine = open_engine(url) if isinstance(url, str) else url
        self._unknown_members: UnknownMembers = unknown_members

    def get(self, scope: Scope, resource_type: ResourceType, id: str, wants: Wants = everything) -> Document:
        with self._reading() as connection:
            return _Rows(connection, scope, resource_type).whole(id, wants)

    def search(self, scope: Scope, query: Query) -> Page:
        with self._reading() as connection:
            return _Rows(connection, scope, query.resource_type).page(query)

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        with self._writing() as connection:
            rows = _Rows(connection, scope, resource_type)
            id, instant = new_id(), now()
            kept = stamped(resource_type, id, document, created=instant, modified=instant, version=1)
            rows.check_unique(kept, None)
            rows.insert(id, kept)
            skipped = rows.add_members(id, document.get(MEMBERS, ()), self._unknown_members)[1]
            return Written(rows.whole(id, everything), skipped_members=skipped)

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        with self._writing() as connection:
            rows = _Rows(connection, scope, resource_type)
            changes = replacement(resource_type, rows.kept(id)[0], document)
            return self._change(rows, id, changes, expected_version, everything)

    def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        with self._writing() as connection:
            rows = _Rows(connection, scope, resource_type)
            return self._change(rows, id, changes, expected_version, lambda name: name != MEMBERS)

    def delete(self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None) -> None:
        with self._writing() as connection:
            rows = _Rows(connection, scope, resource_type)
            check_version(expected_version, rows.kept(id)[0]["meta"]["version"])
            rows.delete(id)

    def _change(self, rows: _Rows, id: str, changes: ChangeSet, expected_version: str | None, wants: Wants) -> Written:
        old, version = rows.kept(id)
        check_version(expected_version, old["meta"]["version"])
        references = dict(changes.references)
        members = references.pop(MEMBERS, None) if rows.has_members else None
        document = apply_changes(old, ChangeSet(changes.assigned, changes.unassigned, references))
        changed = document != old
        if changed:
            rows.check_unique(document, id)
        skipped: tuple[str, ...] = ()
        if members is not None:
            moved, skipped = rows.change_members(id, members, self._unknown_members)
            changed = changed or moved
        if changed:
            rows.update(id, old, document, version + 1)
        return Written(rows.whole(id, wants), changed, skipped)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with translated(), self.engine.connect().execution_options(scimkit_writes=False) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with translated(), self.engine.begin() as connection:
            yield connection


class _Rows:
    """The rows of one tenant and resource type, within one transaction."""

    def __init__(self, connection: sa.Connection, scope: Scope, resource_type: ResourceType) -> None:
        self._connection = connection
        self._tenant = scope.tenant
        self._type = resource_type
        self.has_members = has_members(resource_type)
        self._has_groups = is_computed(resource_type, GROUPS)
        self._keys = _keys_of(resource_type)
        self._own = sa.and_(RESOURCES.c.tenant == self._tenant, RESOURCES.c.type == resource_type.name)

    def kept(self, id: str) -> tuple[dict[str, Any], int]:
        """The document as it is kept, and the number of its version. Raises: NotFound."""
        query = sa.select(RESOURCES.c.document, RESOURCES.c.version).where(self._own, RESOURCES.c.id == id)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound(f"This {self._type.name} does not exist.")
        return from_json(row.document), row.version

    def whole(self, id: str, wants: Wants) -> Document:
        """The document with its members or groups, where they are wanted. Raises: NotFound."""
        return self._with_computed([self.kept(id)[0]], wants)[0]

    def page(self, query: Query) -> Page:
        if query.filter is None and query.sort is None:
            return self._plain_page(query)
        rows = self._matches(query.filter)
        if query.sort is None:
            placed = [(document, (sequence,)) for sequence, document in rows]
        else:
            placed = self._sorted(rows, query.sort)
        chosen = placed[
            window(
                len(placed),
                lambda place: placed[place][1],
                query.sort,
                after=query.after,
                before=query.before,
                start_index=query.start_index,
                count=query.count,
            )
        ]
        documents = self._with_computed([document for document, _ in chosen], query.wants)
        return Page(documents, len(placed), [position for _, position in chosen])

    def _plain_page(self, query: Query) -> Page:
        """A page of all in the order of creation, read by the index of that order."""
        total = self._connection.scalar(sa.select(sa.func.count()).select_from(RESOURCES).where(self._own)) or 0
        columns = sa.select(RESOURCES.c.sequence, RESOURCES.c.document).where(self._own).limit(query.count)
        if query.after is not None:
            columns = columns.where(RESOURCES.c.sequence > query.after[-1]).order_by(RESOURCES.c.sequence)
        elif query.before is not None:
            columns = columns.where(RESOURCES.c.sequence < query.before[-1]).order_by(RESOURCES.c.sequence.desc())
        else:
            columns = columns.offset(max(query.start_index, 1) - 1).order_by(RESOURCES.c.sequence)
        rows = sorted((row.sequence, row.document) for row in self._connection.execute(columns))
        documents = self._with_computed([from_json(document) for _, document in rows], query.wants)
        return Page(documents, total, [(sequence,) for sequence, _ in rows])

    def insert(self, id: str, document: Document) -> None:
        values = {"tenant": self._tenant, "type": self._type.name, "id": id, "version": 1}
        self._connection.execute(sa.insert(RESOURCES).values(document=write_json(document), **values))
        self._insert_keys(id, self._keys_in(document))

    def update(self, id: str, old: Document, document: Document, version: int) -> None:
        created = old["meta"]["created"]
        kept = stamped(self._type, id, document, created=created, modified=now(), version=version)
        changed = sa.update(RESOURCES).where(self._own, RESOURCES.c.id == id)
        self._connection.execute(changed.values(document=write_json(kept), version=version))
        before, after = self._keys_in(old), self._keys_in(kept)
        for path, key in before - after:
            same = (KEYS.c.tenant == self._tenant, KEYS.c.id == id, KEYS.c.path == path, KEYS.c.key == key)
            self._connection.execute(sa.delete(KEYS).where(*same))
        self._insert_keys(id, after - before)

    def delete(self, id: str) -> None:
        """Remove a resource, its keys, its members, and it from the groups it was in."""
        for group_id in list(self._connection.scalars(self._groups_of(id))):
            groups = sa.select(RESOURCES.c.document, RESOURCES.c.version).where(
                RESOURCES.c.tenant == self._tenant, RESOURCES.c.id == group_id
            )
            row = self._connection.execute(groups).one()
            document = from_json(row.document)
            meta = {**document["meta"], "lastModified": now(), "version": f'W/"{row.version + 1}"'}
            changed = sa.update(RESOURCES).where(RESOURCES.c.tenant == self._tenant, RESOURCES.c.id == group_id)
            self._connection.execute(
                changed.values(document=write_json({**document, "meta": meta}), version=row.version + 1)
            )
        either = sa.or_(MEMBER_ROWS.c.member_id == id, MEMBER_ROWS.c.group_id == id)
        self._connection.execute(sa.delete(MEMBER_ROWS).where(MEMBER_ROWS.c.tenant == self._tenant, either))
        self._connection.execute(sa.delete(KEYS).where(KEYS.c.tenant == self._tenant, KEYS.c.id == id))
        self._connection.execute(sa.delete(RESOURCES).where(self._own, RESOURCES.c.id == id))

    def check_unique(self, document: Document, own_id: str | None) -> None:
        """Refuse a value that another resource has; the write lock is already held. Raises: Uniqueness."""
        for path in self._type.unique:
            for key in self._keys[path](document):
                if not set(self.look_up(path, key) or ()) <= {own_id}:
                    raise Uniqueness(path)

    def change_members(
        self, id: str, changes: ReferenceChanges, policy: UnknownMembers
    ) -> tuple[bool, tuple[str, ...]]:
        """Remove and add members by rows. Whether any row changed, and the ids that do not exist."""
        removed = 0
        of_group = (MEMBER_ROWS.c.tenant == self._tenant, MEMBER_ROWS.c.group_id == id)
        if changes.cleared:
            kept = {(each.get("value"), each.get("display")) for each in changes.added}
            there = self._connection.execute(sa.select(MEMBER_ROWS.c.member_id, MEMBER_ROWS.c.display).where(*of_group))
            gone: Iterable[str] = [row.member_id for row in there if (row.member_id, row.display) not in kept]
        else:
            gone = changes.removed
        for some in _batches(gone):
            deleted = self._connection.execute(
                sa.delete(MEMBER_ROWS).where(*of_group, MEMBER_ROWS.c.member_id.in_(some))
            )
            removed += deleted.rowcount
        added, skipped = self.add_members(id, changes.added, policy)
        return bool(removed or added), skipped

    def add_members(
        self, id: str, members: Sequence[Mapping[str, Any]], policy: UnknownMembers
    ) -> tuple[int, tuple[str, ...]]:
        """Add the members that exist and are not there. How many, and the ids that do not exist."""
        wanted = {each["value"]: each for each in members if "value" in each} if self.has_members else {}
        added, skipped = 0, []
        for some in _batches(wanted):
            existing = sa.select(RESOURCES.c.id, RESOURCES.c.type).where(
                RESOURCES.c.tenant == self._tenant, RESOURCES.c.id.in_(some)
            )
            kinds = {row.id: row.type for row in self._connection.execute(existing)}
            there = set(
                self._connection.scalars(
                    sa.select(MEMBER_ROWS.c.member_id).where(
                        MEMBER_ROWS.c.tenant == self._tenant,
                        MEMBER_ROWS.c.group_id == id,
                        MEMBER_ROWS.c.member_id.in_(some),
                    )
                )
            )
            skipped += [each for each in some if each not in kinds]
            if skipped and policy == "reject":
                raise InvalidValue("A member does not exist.")
            fresh = [
                {
                    "tenant": self._tenant,
                    "group_id": id,
                    "member_id": each,
                    "member_type": kinds[each],
                    "display": wanted[each].get("display"),
                }
                for each in some
                if each in kinds and each not in there
            ]
            if fresh:
                self._connection.execute(sa.insert(MEMBER_ROWS), fresh)
            added += len(fresh)
        return added, tuple(skipped)

    def look_up(self, path: str, key: Any) -> Collection[str] | None:
        """The ids that have a key, by an index; None when no index has the path."""
        if path == "id":
            query = sa.select(RESOURCES.c.id).where(self._own, RESOURCES.c.id == key)
            return set(self._connection.scalars(query).all())
        if path == "members.value" and self.has_members:
            return set(self._connection.scalars(self._groups_of(key)).all())
        if path == "groups.value" and self._has_groups:
            of_group = (MEMBER_ROWS.c.tenant == self._tenant, MEMBER_ROWS.c.group_id == key)
            return set(self._connection.scalars(sa.select(MEMBER_ROWS.c.member_id).where(*of_group)).all())
        if path not in self._keys:
            return None
        same = (
            KEYS.c.tenant == self._tenant,
            KEYS.c.type == self._type.name,
            KEYS.c.path == path,
            KEYS.c.key == str(key),
        )
        return set(self._connection.scalars(sa.select(KEYS.c.id).where(*same)).all())

    def _groups_of(self, id: str) -> sa.Select[Any]:
        mine = (MEMBER_ROWS.c.tenant == self._tenant, MEMBER_ROWS.c.member_id == id)
        return sa.select(MEMBER_ROWS.c.group_id).where(*mine).order_by(MEMBER_ROWS.c.position)

    def _sorted(self, rows: list[_Row], sort: Sort) -> list[tuple[Document, Position]]:
        """The documents in order, each with its position."""
        key_of = sort_key(sort)
        whole = self._with_computed([document for _, document in rows], sort.path.names[0].__eq__)
        placed = [(document, (*key_of(each), sequence)) for each, (sequence, document) in zip(whole, rows, strict=True)]
        return sorted(placed, key=lambda pair: pair[1][:-1], reverse=sort.descending)

    def _matches(self, wanted: Filter | None) -> list[_Row]:
        """The documents that match, with their numbers, in the order of creation."""
        found = None if wanted is None else probe(wanted.node, self._type, self.look_up)
        query = sa.select(RESOURCES.c.sequence, RESOURCES.c.document).where(self._own).order_by(RESOURCES.c.sequence)
        if found is None:
            selected = list(self._connection.execute(query))
        else:
            selected = [
                row for some in _batches(sorted(found.ids))
                for row in self._connection.execute(query.where(RESOURCES.c.id.in_(some)))
            ]  # fmt: skip
        rows = sorted(((row.sequence, from_json(row.document)) for row in selected), key=lambda row: row[0])
        if wanted is None or (found is not None and found.exact):
            return rows
        predicate = wanted.compile(self._type)
        whole = self._with_computed([document for _, document in rows], everything)
        return [row for each, row in zip(whole, rows, strict=True) if predicate(each)]

    def _with_computed(self, documents: list[Document], wants: Wants) -> list[Document]:
        """The documents with their members or their groups, where they are wanted."""
        if self.has_members and wants(MEMBERS):
            return self._with_rows(documents, MEMBERS, MEMBER_ROWS.c.group_id, self._member_of_row)
        if self._has_groups and wants(GROUPS):
            return self._with_rows(documents, GROUPS, MEMBER_ROWS.c.member_id, self._group_of_row)
        return documents

    def _with_rows(
        self, documents: list[Document], name: str, column: sa.Column[str], entry: Callable[[Any], Mapping[str, Any]]
    ) -> list[Document]:
        entries: dict[str, list[Mapping[str, Any]]] = {}
        for some in _batches([document["id"] for document in documents]):
            rows = sa.select(MEMBER_ROWS).where(MEMBER_ROWS.c.tenant == self._tenant, column.in_(some))
            for row in self._connection.execute(rows.order_by(MEMBER_ROWS.c.position)).mappings().all():
                entries.setdefault(row[column.name], []).append(entry(row))
        return [{**each, name: entries[each["id"]]} if each["id"] in entries else each for each in documents]

    def _member_of_row(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        return member_entry(row["member_id"], row["member_type"], row["display"])

    def _group_of_row(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        query = sa.select(RESOURCES.c.document).where(
            RESOURCES.c.tenant == self._tenant, RESOURCES.c.id == row["group_id"]
        )
        return membership(from_json(self._connection.scalars(query).one()))

    def _keys_in(self, document: Document) -> set[tuple[str, str]]:
        return {(path, str(key)) for path, keys in self._keys.items() for key in keys(document)}

    def _insert_keys(self, id: str, keys: Iterable[tuple[str, str]]) -> None:
        row = {"tenant": self._tenant, "type": self._type.name, "id": id}
        rows = [{**row, "path": path, "key": key} for path, key in keys]
        if rows:
            self._connection.execute(sa.insert(KEYS), rows)


def _keys_of(resource_type: ResourceType) -> dict[str, Callable[[Document], Collection[Any]]]:
    paths = {text: resource_type.resolve(text) for text in resource_type.indexed}
    return {text: keys_at(path) for text, path in paths.items() if path is not None}


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    """The values in lists short enough for one statement."""
    values = list(values)
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
