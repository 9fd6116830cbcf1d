"""The models of external ids, with one row for each user or group that has an `externalId`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models


class UserExternalId(models.Model):
    """The `externalId` of a user. The row is deleted together with the user."""

    user: models.OneToOneField[Any, Any] = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="scim_external_id"
    )
    value: models.CharField[str, str] = models.CharField(max_length=255, db_index=True)

    class Meta:
        """The names of the model in Django's admin."""

        verbose_name = "external id of a user"
        verbose_name_plural = "external ids of users"

    def __str__(self) -> str:
        return self.value


class GroupExternalId(models.Model):
    """The `externalId` of a group. The row is deleted together with the group."""

    group: models.OneToOneField[Any, Any] = models.OneToOneField(
        "auth.Group", on_delete=models.CASCADE, primary_key=True, related_name="scim_external_id"
    )
    value: models.CharField[str, str] = models.CharField(max_length=255, db_index=True)

    class Meta:
        """The names of the model in Django's admin."""

        verbose_name = "external id of a group"
        verbose_name_plural = "external ids of groups"

    def __str__(self) -> str:
        return self.value
