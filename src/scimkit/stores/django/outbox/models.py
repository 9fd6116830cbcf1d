"""The table of the outbox. Each row is an event, as `scimkit.events.outbox` describes it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from scimkit.events.outbox import MAX_ERROR


class OutboxEvent(models.Model):
    """An event that waits for delivery, was delivered, or is a dead letter."""

    sequence: models.BigAutoField[int, int] = models.BigAutoField(primary_key=True)
    event_id: models.CharField[str, str] = models.CharField(max_length=36, unique=True)
    event_type: models.CharField[str, str] = models.CharField(max_length=64)
    resource_key: models.CharField[str, str] = models.CharField(max_length=64)
    payload: models.BinaryField[bytes, bytes] = models.BinaryField()
    status: models.CharField[str, str] = models.CharField(max_length=16)
    attempts: models.IntegerField[int, int] = models.IntegerField()
    created: models.BigIntegerField[int, int] = models.BigIntegerField()
    due: models.BigIntegerField[int, int] = models.BigIntegerField()
    finished: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(null=True)
    error: models.CharField[str, str] = models.CharField(max_length=MAX_ERROR, blank=True)
    claim: models.CharField[str | None, str | None] = models.CharField(max_length=32, null=True)

    class Meta:
        """The names of the model and the indexes for claims."""

        verbose_name = "SCIM event"
        ordering: tuple[str, ...] = ("sequence",)
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["status", "due", "sequence"], name="scimkit_outbox_due"),
            models.Index(fields=["resource_key", "status", "sequence"], name="scimkit_outbox_resource"),
            models.Index(fields=["status", "finished"], name="scimkit_outbox_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
