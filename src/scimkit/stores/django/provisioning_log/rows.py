"""`DjangoLogRows`: the tables of a provisioning log in Django's database, for `scimkit.stores.log_operations`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Func, Max, Min, Sum, TextField, Value
from django.db.models.functions import Greatest

from scimkit.provisioning import LogEntry
from scimkit.provisioning.serialization import KEY_LENGTH, entry_to_row, id_text
from scimkit.stores.django.provisioning_log.fields import KeyField
from scimkit.stores.log_rows import MOST_SORTED, NO_KEY, Activity, Minute, Scan


class DjangoLogRows:
    """The `LogRows` of a database of the project.

    Args:
        using: The alias of the database.
    """

    def __init__(self, using: str) -> None:
        self._using = using

    def insert(self, entries: Sequence[LogEntry]) -> None:
        model = self._entries.model
        self._entries.bulk_create([model(**_values(each)) for each in entries], ignore_conflicts=True)

    def find(self, id: str) -> LogEntry | None:
        row = self._entries.filter(id=id).first()
        return None if row is None else row.entry()

    def entries(self, scan: Scan) -> Sequence[LogEntry]:
        return [row.entry() for row in self._matches(scan).order_by("-id")[: scan.limit]]

    def count_labels(self, scan: Scan) -> int:
        return int(_labels(self._entries.filter(tenant=scan.tenant), scan, "label_key")[: MOST_SORTED + 1].count())

    def update(self, entries: Sequence[LogEntry]) -> None:
        for each in entries:
            row = _values(each)
            changed = {name: row[name] for name in ("payload", "external_id", "label_key")}
            self._entries.filter(id=each.id).update(**changed)

    def delete_older(self, before: str, limit: int) -> int:
        old = self._entries.filter(id__lt=before)
        found = list(old.order_by("id").values_list("id", flat=True)[:limit])
        return int(old.filter(id__lte=found[-1]).delete()[0]) if found else 0

    def add_activity(self, key: Minute, at: int, reads: int) -> str | None:
        rows = self._activity.filter(tenant=key.tenant, token_id=key.token_id, minute=key.minute)
        if rows.update(reads=F("reads") + reads, last=Greatest(F("last"), at)) != 1:
            return None
        return bytes(rows.get().cycle_id).decode()

    def latest_activity(self, key: Minute) -> Activity | None:
        rows = self._activity.select_for_update().filter(tenant=key.tenant, token_id=key.token_id)
        row = rows.order_by("-minute").first()
        return None if row is None else _activity(row.cycle_id, row.token_id, row.first, row.last, row.reads)

    def insert_activity(self, key: Minute, activity: Activity) -> bool:
        try:
            with transaction.atomic(using=self._using):
                self._activity.create(
                    tenant=key.tenant, token_id=key.token_id, minute=key.minute, first=activity.first,
                    cycle_id=activity.cycle_id.encode(), last=activity.last, reads=activity.reads,
                )  # fmt: skip
        except IntegrityError:
            return False
        return True

    def activity_of_cycles(
        self, tenant: bytes, token_id: bytes | None, cycle_id: bytes | None, before: bytes | None, limit: int
    ) -> Sequence[Activity]:
        conditions = {"token_id": token_id, "cycle_id": cycle_id, "cycle_id__lt": before}
        given = {name: value for name, value in conditions.items() if value is not None}
        rows = self._activity.filter(tenant=tenant, **given).values_list("cycle_id", "token_id")
        cycles = rows.annotate(start=Min("first"), end=Max("last"), total=Sum("reads")).order_by("-cycle_id")
        return [_activity(*each) for each in cycles[:limit]]

    def counts(self, tenant: bytes, cycles: Sequence[bytes]) -> Sequence[tuple[str, str, str, str, int]]:
        rows = self._entries.filter(tenant=tenant, cycle_id__in=cycles).order_by()
        counted = rows.values_list("cycle_id", "action", "result", "error_code").annotate(number=Count("id"))
        return [(bytes(id).decode(), action, result, code, number) for id, action, result, code, number in counted]

    def delete_older_activity(self, minute: int, limit: int) -> None:
        old = self._activity.filter(minute__lt=minute)
        found = list(old.order_by("minute").values_list("minute", flat=True)[:limit])
        if found:
            old.filter(minute__lte=found[-1]).delete()

    def _matches(self, scan: Scan) -> Any:
        """Return the rows of a scan. Only the tenant, the id and the leading column can use an index."""
        rows = self._entries.filter(tenant=scan.tenant)
        if scan.since is not None:
            rows = rows.filter(id__gte=scan.since)
        if scan.before is not None:
            rows = rows.filter(id__lt=scan.before)
        for number, (name, value) in enumerate(scan.equal):
            if number == 0 and not scan.by_label:
                rows = rows.filter(**{name: value})
            else:
                rows = rows.alias(**{f"checked_{number}": _checked(name)}).filter(**{f"checked_{number}": value})
        if scan.by_label:
            return _labels(rows, scan, "label_key")
        return _labels(rows.alias(checked_label=_checked("label_key")), scan, "checked_label")

    @property
    def _entries(self) -> Any:
        return apps.get_model("scimkit_log", "LogRow").objects.using(self._using)

    @property
    def _activity(self) -> Any:
        return apps.get_model("scimkit_log", "LogActivity").objects.using(self._using)


def _labels(rows: Any, scan: Scan, column: str) -> Any:
    if scan.labels is None:
        return rows
    low, high = scan.labels
    return rows.filter(**{f"{column}__gte": low, f"{column}__lt": NO_KEY if high is None else high})


def _checked(name: str) -> Func:
    """Return the value of a column as an expression, which is compared without an index."""
    is_text = name in ("action", "result")
    field: Any = TextField() if is_text else KeyField(max_length=KEY_LENGTH)
    missing: Any = Value("" if is_text else NO_KEY, output_field=field)
    return Func(F(name), missing, function="COALESCE", output_field=field)


def _values(entry: LogEntry) -> dict[str, Any]:
    row = entry_to_row(entry)
    return {**row, "id": id_text(row["id"])}


def _activity(cycle_id: Any, token_id: Any, first: int, last: int, reads: int) -> Activity:
    token = bytes(token_id).decode("utf-8", "replace")
    return Activity(bytes(cycle_id).decode(), token, int(first), int(last), int(reads))
