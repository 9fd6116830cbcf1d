"""The pages of Django's admin that show the provisioning log. Nobody can change it there."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from scimkit.provisioning import entry_to_json
from scimkit.stores.django.provisioning_log.models import LogRow

if TYPE_CHECKING:  # ModelAdmin is generic in the stubs only
    LogRowModelAdmin = admin.ModelAdmin[LogRow]
else:
    LogRowModelAdmin = admin.ModelAdmin


@admin.register(LogRow)
class LogRowAdmin(LogRowModelAdmin):
    """The list of entries, newest first, and the page of one entry."""

    list_display: Any = ("started_at", "result", "action", "resource", "error_code", "detail", "tenant_name")
    list_filter: ClassVar[Any] = ("result", "action")
    fields: ClassVar[Any] = (
        "started_at", "tenant_name", "result", "action", "resource", "error_code", "detail", "json",
    )  # fmt: skip
    show_full_result_count: ClassVar[Any] = False
    list_per_page: ClassVar[Any] = 50

    @admin.display(description="Time", ordering="id")
    def started_at(self, row: LogRow) -> Any:
        """Return the time at which the request began."""
        return row.entry().started

    @admin.display(description="Tenant")
    def tenant_name(self, row: LogRow) -> str:
        """Return the tenant."""
        return row.entry().tenant

    @admin.display(description="Resource")
    def resource(self, row: LogRow) -> str:
        """Return the type and the label of the resource."""
        entry = row.entry()
        return f"{entry.resource_type} {entry.label or entry.external_id or entry.resource_id}"

    @admin.display(description="Detail")
    def detail(self, row: LogRow) -> str:
        """Return the detail of the error."""
        return row.entry().detail

    @admin.display(description="Entry")
    def json(self, row: LogRow) -> str:
        """Return the entry as JSON."""
        return dumps(entry_to_json(row.entry()), indent=2, ensure_ascii=False)

    def get_readonly_fields(self, request: Any, obj: LogRow | None = None) -> Any:
        """Return all fields."""
        return self.fields

    def has_add_permission(self, request: Any) -> bool:
        """Return False, because only the service adds entries."""
        return False

    def has_change_permission(self, request: Any, obj: LogRow | None = None) -> bool:
        """Return False, because entries do not change."""
        return False

    def has_delete_permission(self, request: Any, obj: LogRow | None = None) -> bool:
        """Return False, because the service deletes old entries."""
        return False
