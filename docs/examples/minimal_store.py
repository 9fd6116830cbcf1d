"""A complete store of your own: one dict holds all rows. Replace the dict by your database."""

from threading import RLock

from scimkit import Page, Written
from scimkit.errors import NotFound
from scimkit.patch.changes import apply_changes
from scimkit.stores import all_attributes, metadata
from scimkit.stores.index_lookup import check_unique


class MinimalStore:
    is_async = blocking = False  # no call waits for a disk or a network
    unsupported = ("changes", "cursors", "member_pages", "sort")  # the service refuses requests for these

    def __init__(self):
        self.lock = RLock()
        self.rows = {}  # rows by id, in the order of creation; a write replaces a row and never changes it in place

    def get(self, scope, resource_type, id, requested=all_attributes):
        with self.lock:
            return self._document(resource_type, self._row(scope, resource_type, id))

    def search(self, scope, query):
        kind, start = query.resource_type, max(query.start_index, 1) - 1
        matches = query.filter.compile(kind) if query.filter else all_attributes  # raises InvalidFilter
        with self.lock:
            found = [self._document(kind, row) for row in self._rows_of(scope, kind)]
        found = [document for document in found if matches(document)]
        return Page(found[start : start + query.count], len(found))

    def create(self, scope, resource_type, document):
        row = {"tenant": scope.tenant, "type": resource_type.name, "id": metadata.new_id(), "version": 0}
        row |= {"created": metadata.now(), "document": {}, "members": []}
        with self.lock:
            return self._write(scope, resource_type, row, metadata.replacement(resource_type, {}, document))

    def replace(self, scope, resource_type, id, document, expected_version=None):
        with self.lock:
            row = self._row(scope, resource_type, id, expected_version)
            changes = metadata.replacement(resource_type, row["document"], document)
            return self._write(scope, resource_type, row, changes)

    def change(self, scope, resource_type, id, changes, expected_version=None):
        with self.lock:
            return self._write(scope, resource_type, self._row(scope, resource_type, id, expected_version), changes)

    def delete(self, scope, resource_type, id, expected_version=None):
        with self.lock:
            del self.rows[self._row(scope, resource_type, id, expected_version)["id"]]
            for group in self._rows_of(scope):
                if id in group["members"]:
                    self._save(group, group["document"], [each for each in group["members"] if each != id])

    def transaction(self, scope, work):
        with self.lock:
            before = dict(self.rows)
            try:
                return work(self)
            except BaseException:
                self.rows = before
                raise

    def _rows_of(self, scope, kind=None):
        rows = [row for row in self.rows.values() if row["tenant"] == scope.tenant]  # no other tenant's rows are used
        return rows if kind is None else [row for row in rows if row["type"] == kind.name]

    def _row(self, scope, kind, id, expected_version=None):
        row = next((row for row in self._rows_of(scope, kind) if row["id"] == id), None)
        if row is None:
            raise NotFound(f"This {kind.name} does not exist.")
        metadata.check_version(expected_version, metadata.version_tag(row["version"]))
        return row

    def _document(self, kind, row):
        groups = [each["document"] for each in self.rows.values() if row["id"] in each["members"]]
        computed = {
            "members": [metadata.member_entry(id, self.rows[id]["type"], None) for id in row["members"]],
            "groups": [metadata.membership(each) for each in groups if metadata.is_computed(kind, "groups")],
            "meta": metadata.meta_of(kind, created=row["created"], modified=row["modified"], version=row["version"]),
        }
        return row["document"] | {name: value for name, value in computed.items() if value}

    def _write(self, scope, kind, row, changes):
        members = [{"value": id} for id in row["members"]]
        document = {**apply_changes({**row["document"], "members": members}, changes), "id": row["id"]}
        requested = [each["value"] for each in document.pop("members", ())]
        existing = {each["id"] for each in self._rows_of(scope)}
        others = [each["document"] for each in self._rows_of(scope, kind) if each["id"] != row["id"]]
        check_unique(kind, document, others)
        known, skipped = sorted(existing.intersection(requested)), tuple(id for id in requested if id not in existing)
        changed = (document, known) != (row["document"], row["members"])
        if changed:
            self._save(row, document, known)
        return Written(self._document(kind, self.rows[row["id"]]), changed, skipped)

    def _save(self, row, document, members):
        state = {"document": document, "members": members, "version": row["version"] + 1}
        self.rows[row["id"]] = row | state | {"modified": metadata.now() if row["version"] else row["created"]}
