"""The first migration of the table of tokens."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Creates the model of `scimkit.stores.django.models`."""

    initial: ClassVar[bool | None] = True
    dependencies: ClassVar[Sequence[Any]] = ()
    operations: ClassVar[Sequence[Any]] = (
        migrations.CreateModel(
            name="ScimToken",
            fields=[
                ("id", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("tenant", models.CharField(db_index=True, default="default", max_length=255)),
                ("description", models.CharField(max_length=255)),
                ("hash", models.BinaryField()),
                ("created", models.DateTimeField()),
                ("expires", models.DateTimeField(blank=True, null=True)),
                ("revoked", models.DateTimeField(null=True)),
                ("dialect", models.CharField(blank=True, max_length=64, null=True)),
            ],
            options={"verbose_name": "SCIM token", "ordering": ("created", "id")},
        ),
    )
