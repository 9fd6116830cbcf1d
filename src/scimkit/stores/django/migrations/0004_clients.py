"""The table of OAuth clients."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Create the table of `scimkit.stores.django.models.ScimClient`."""

    dependencies: ClassVar[Sequence[Any]] = (("scimkit", "0003_token_life"),)
    operations: ClassVar[Sequence[Any]] = (
        migrations.CreateModel(
            name="ScimClient",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("tenant_key", models.CharField(db_index=True, max_length=64)),
                ("created", models.DateTimeField()),
                ("version", models.PositiveIntegerField()),
                ("document", models.TextField()),
            ],
            options={"verbose_name": "SCIM OAuth client"},
        ),
    )
