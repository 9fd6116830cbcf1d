"""New columns of tokens: who created a token, its status, scopes, last use, hint and predecessor."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import migrations, models

_HELP = "Separated by spaces: read, write, or one of them with a resource type, such as write:Group."


class Migration(migrations.Migration):
    """Add the columns. Existing tokens are active, have both scopes and have no hint."""

    dependencies: ClassVar[Sequence[Any]] = (("scimkit", "0002_breaker"),)
    operations: ClassVar[Sequence[Any]] = (
        migrations.AddField("scimtoken", "created_by", models.CharField(max_length=255, null=True)),
        migrations.AddField("scimtoken", "active", models.BooleanField(default=True)),
        migrations.AddField(
            "scimtoken", "scopes", models.CharField(default="read write", help_text=_HELP, max_length=1000)
        ),
        migrations.AddField("scimtoken", "last_used", models.DateTimeField(null=True)),
        migrations.AddField("scimtoken", "hint", models.CharField(default="", max_length=4)),
        migrations.AddField("scimtoken", "rotated_from", models.CharField(max_length=32, null=True)),
    )
