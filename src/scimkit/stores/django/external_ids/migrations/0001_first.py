"""The first migration of the tables of external ids."""

from collections.abc import Sequence
from typing import Any, ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def _owner(model: str) -> models.OneToOneField:  # type: ignore[type-arg]  # generic in the stubs only
    return models.OneToOneField(
        on_delete=django.db.models.deletion.CASCADE,
        primary_key=True,
        related_name="scim_external_id",
        serialize=False,
        to=model,
    )


class Migration(migrations.Migration):
    """Creates the models of `scimkit.stores.django.external_ids.models`."""

    initial: ClassVar[bool | None] = True
    dependencies: ClassVar[Sequence[Any]] = (
        ("auth", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    )
    operations: ClassVar[Sequence[Any]] = (
        migrations.CreateModel(
            name="UserExternalId",
            fields=[
                ("user", _owner(settings.AUTH_USER_MODEL)),
                ("value", models.CharField(db_index=True, max_length=255)),
            ],
            options={
                "verbose_name": "external id of a user",
                "verbose_name_plural": "external ids of users",
            },
        ),
        migrations.CreateModel(
            name="GroupExternalId",
            fields=[
                ("group", _owner("auth.group")),
                ("value", models.CharField(db_index=True, max_length=255)),
            ],
            options={
                "verbose_name": "external id of a group",
                "verbose_name_plural": "external ids of groups",
            },
        ),
    )
