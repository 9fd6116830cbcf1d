"""The app `scimkit.stores.django.outbox`: it keeps resource events until a worker has delivered them."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """The app of the outbox. A project without an outbox does not need its table."""

    name = "scimkit.stores.django.outbox"
    label = "scimkit_outbox"
    verbose_name: Any = "SCIM outbox"
    default_auto_field: Any = "django.db.models.BigAutoField"
