"""The app `scimkit.stores.django.provisioning_log`: it keeps what identity providers did, and why something failed."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class ProvisioningLogConfig(AppConfig):
    """The app of the provisioning log. A project without a log does not need its tables."""

    name = "scimkit.stores.django.provisioning_log"
    label = "scimkit_log"
    verbose_name: Any = "SCIM provisioning log"
    default_auto_field: Any = "django.db.models.BigAutoField"
