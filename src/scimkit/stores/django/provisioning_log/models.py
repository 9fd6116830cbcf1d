"""The tables of the provisioning log. `scimkit.provisioning` describes their values."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from scimkit.provisioning import LogEntry
from scimkit.provisioning.serialization import CODE_LENGTH, KEY_LENGTH, id_bytes, row_to_entry
from scimkit.stores.django.provisioning_log.fields import EntryIdField, KeyField


def _index(column: str, *others: str) -> Any:
    fields = [each for each in ("tenant", column, "id", *others) if each]
    return models.Index(fields=fields, name=f"scimkit_log_{column or 'id'}")


class LogRow(models.Model):
    """An entry of the provisioning log."""

    id: EntryIdField = EntryIdField(primary_key=True, max_length=16)
    tenant: KeyField = KeyField(max_length=KEY_LENGTH)
    token_id: KeyField = KeyField(max_length=KEY_LENGTH)
    cycle_id: KeyField = KeyField(max_length=KEY_LENGTH)
    resource_id: KeyField = KeyField(max_length=KEY_LENGTH)
    external_id: KeyField = KeyField(max_length=KEY_LENGTH, null=True)
    label_key: KeyField = KeyField(max_length=KEY_LENGTH, null=True)
    action: models.CharField[str, str] = models.CharField(max_length=16)
    result: models.CharField[str, str] = models.CharField(max_length=16)
    error_code: models.CharField[str, str] = models.CharField(max_length=CODE_LENGTH, blank=True)
    started: models.BigIntegerField[int, int] = models.BigIntegerField()
    payload: models.BinaryField[bytes, bytes] = models.BinaryField()

    class Meta:
        """The names of the model and the indexes of searches."""

        verbose_name = "provisioning log entry"
        verbose_name_plural = "provisioning log entries"
        ordering: tuple[str, ...] = ("-id",)
        indexes: ClassVar[list[Any]] = [
            _index(""), _index("resource_id"), _index("external_id"), _index("label_key"), _index("result"),
            _index("action"), _index("token_id"), _index("cycle_id", "action", "result", "error_code"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.action} {self.result} {self.id}"

    def entry(self) -> LogEntry:
        """Return the entry of the row."""
        names = [field.attname for field in self._meta.concrete_fields]
        return row_to_entry({**{name: getattr(self, name) for name in names}, "id": id_bytes(self.id)})


class LogActivity(models.Model):
    """The requests of a token in one minute."""

    id: models.BigAutoField[int, int] = models.BigAutoField(primary_key=True)
    tenant: KeyField = KeyField(max_length=KEY_LENGTH)
    token_id: KeyField = KeyField(max_length=KEY_LENGTH)
    minute: models.BigIntegerField[int, int] = models.BigIntegerField()
    cycle_id: KeyField = KeyField(max_length=KEY_LENGTH)
    first: models.BigIntegerField[int, int] = models.BigIntegerField()
    last: models.BigIntegerField[int, int] = models.BigIntegerField()
    reads: models.BigIntegerField[int, int] = models.BigIntegerField()

    class Meta:
        """The names of the model, its key and the indexes of cycles."""

        verbose_name = "minute of a token"
        verbose_name_plural = "minutes of tokens"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "token_id", "minute"], name="scimkit_log_activity_key"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["tenant", "cycle_id"], name="scimkit_log_activity_cycle"),
            models.Index(fields=["tenant", "token_id", "cycle_id"], name="scimkit_log_activity_token"),
            models.Index(fields=["minute"], name="scimkit_log_activity_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.minute}"
