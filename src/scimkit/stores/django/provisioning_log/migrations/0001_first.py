"""The tables of the provisioning log."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import migrations, models

from scimkit.stores.django.provisioning_log.fields import EntryIdField, KeyField


class Migration(migrations.Migration):
    """Create the tables of `scimkit.stores.django.provisioning_log.models`."""

    initial: ClassVar[bool | None] = True
    dependencies: ClassVar[Sequence[Any]] = ()
    operations: ClassVar[Sequence[Any]] = (
        migrations.CreateModel(
            name="LogActivity",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant", KeyField(max_length=255)),
                ("token_id", KeyField(max_length=255)),
                ("minute", models.BigIntegerField()),
                ("cycle_id", KeyField(max_length=255)),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                ("reads", models.BigIntegerField()),
            ],
            options={
                "verbose_name": "minute of a token",
                "verbose_name_plural": "minutes of tokens",
                "indexes": [
                    models.Index(fields=["tenant", "cycle_id"], name="scimkit_log_activity_cycle"),
                    models.Index(fields=["tenant", "token_id", "cycle_id"], name="scimkit_log_activity_token"),
                    models.Index(fields=["minute"], name="scimkit_log_activity_minute"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "token_id", "minute"), name="scimkit_log_activity_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="LogRow",
            fields=[
                ("id", EntryIdField(max_length=16, primary_key=True, serialize=False)),
                ("tenant", KeyField(max_length=255)),
                ("token_id", KeyField(max_length=255)),
                ("cycle_id", KeyField(max_length=255)),
                ("resource_id", KeyField(max_length=255)),
                ("external_id", KeyField(max_length=255, null=True)),
                ("label_key", KeyField(max_length=255, null=True)),
                ("action", models.CharField(max_length=16)),
                ("result", models.CharField(max_length=16)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("started", models.BigIntegerField()),
                ("payload", models.BinaryField()),
            ],
            options={
                "verbose_name": "provisioning log entry",
                "verbose_name_plural": "provisioning log entries",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["tenant", "id"], name="scimkit_log_id"),
                    models.Index(fields=["tenant", "resource_id", "id"], name="scimkit_log_resource_id"),
                    models.Index(fields=["tenant", "external_id", "id"], name="scimkit_log_external_id"),
                    models.Index(fields=["tenant", "label_key", "id"], name="scimkit_log_label_key"),
                    models.Index(fields=["tenant", "result", "id"], name="scimkit_log_result"),
                    models.Index(fields=["tenant", "action", "id"], name="scimkit_log_action"),
                    models.Index(fields=["tenant", "token_id", "id"], name="scimkit_log_token_id"),
                    models.Index(
                        fields=["tenant", "cycle_id", "id", "action", "result", "error_code"],
                        name="scimkit_log_cycle_id",
                    ),
                ],
            },
        ),
    )
