"""The table of breaker states."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Create the table of `scimkit.stores.django.models.ScimBreaker`."""

    dependencies: ClassVar[Sequence[Any]] = (("scimkit", "0001_first"),)
    operations: ClassVar[Sequence[Any]] = (
        migrations.CreateModel(
            name="ScimBreaker",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("tenant", models.CharField(max_length=255)),
                ("state", models.TextField()),
            ],
            options={"verbose_name": "SCIM breaker"},
        ),
    )
