"""The table of the outbox."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Create the table of `scimkit.stores.django.outbox.models`."""

    initial: ClassVar[bool | None] = True
    dependencies: ClassVar[Sequence[Any]] = ()
    operations: ClassVar[Sequence[Any]] = (
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                ("sequence", models.BigAutoField(primary_key=True, serialize=False)),
                ("event_id", models.CharField(max_length=36, unique=True)),
                ("event_type", models.CharField(max_length=64)),
                ("resource_key", models.CharField(max_length=64)),
                ("payload", models.BinaryField()),
                ("status", models.CharField(max_length=16)),
                ("attempts", models.IntegerField()),
                ("created", models.BigIntegerField()),
                ("due", models.BigIntegerField()),
                ("finished", models.BigIntegerField(null=True)),
                ("error", models.CharField(blank=True, max_length=500)),
                ("claim", models.CharField(max_length=32, null=True)),
            ],
            options={
                "verbose_name": "SCIM event",
                "ordering": ("sequence",),
                "indexes": [
                    models.Index(fields=["status", "due", "sequence"], name="scimkit_outbox_due"),
                    models.Index(fields=["resource_key", "status", "sequence"], name="scimkit_outbox_resource"),
                    models.Index(fields=["status", "finished"], name="scimkit_outbox_finished"),
                ],
            },
        ),
    )
