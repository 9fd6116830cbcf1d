"""The model of tokens. The table contains only the hash of a token."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from scimkit.tokens import TokenRecord


class ScimToken(models.Model):
    """A stored token, with the fields of `TokenRecord`."""

    id: models.CharField[str, str] = models.CharField(max_length=32, primary_key=True)
    tenant: models.CharField[str, str] = models.CharField(max_length=255, default="default", db_index=True)
    description: models.CharField[str, str] = models.CharField(max_length=255)
    hash: models.BinaryField[bytes, bytes] = models.BinaryField()
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    expires: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True, blank=True)
    revoked: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    dialect: models.CharField[str | None, str | None] = models.CharField(max_length=64, null=True, blank=True)

    class Meta:
        """The name and the order of tokens in Django's admin."""

        verbose_name = "SCIM token"
        ordering: tuple[str, str] = ("created", "id")

    def __str__(self) -> str:
        return self.description

    def record(self) -> TokenRecord:
        """Return the token record of the row."""
        return TokenRecord(
            id=self.id, tenant=self.tenant, description=self.description, hash=bytes(self.hash), created=self.created,
            expires=self.expires, revoked=self.revoked, dialect=self.dialect,
        )  # fmt: skip
