"""The configuration of the app `scimkit.stores.django`, which keeps tokens and OAuth clients."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class ScimkitConfig(AppConfig):
    """The app that keeps tokens and OAuth clients.

    Add `scimkit.stores.django` to INSTALLED_APPS, and run `migrate`. `DjangoStore` itself needs no app.
    """

    name = "scimkit.stores.django"
    label = "scimkit"
    verbose_name: Any = "SCIM"
    default_auto_field: Any = "django.db.models.BigAutoField"
