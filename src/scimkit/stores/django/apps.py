"""The app `scimkit.stores.django`: it keeps tokens, and shows them in Django's admin."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class ScimkitConfig(AppConfig):
    """Put `scimkit.stores.django` into INSTALLED_APPS, and run `migrate`. The store itself needs no app."""

    name = "scimkit.stores.django"
    label = "scimkit"
    verbose_name: Any = "SCIM"
    default_auto_field: Any = "django.db.models.BigAutoField"
