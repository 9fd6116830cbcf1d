"""The configuration of the app `scimkit.stores.django.external_ids`."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class ExternalIdsConfig(AppConfig):
    """The app with the `externalId` of Django's own users and groups.

    The tables refer to the user model of the project. They are therefore in an app of their own.
    """

    name = "scimkit.stores.django.external_ids"
    label = "scimkit_external_ids"
    verbose_name: Any = "SCIM external ids"
    default_auto_field: Any = "django.db.models.BigAutoField"
