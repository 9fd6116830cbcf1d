"""The models of tokens, OAuth clients and breaker states. Tokens and secrets are stored as hashes only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import models

from scimkit.tokens import TokenRecord
from scimkit.tokens.scopes import DEFAULT_SCOPES, MAX_SCOPES

_DEFAULT_SCOPES: Final = " ".join(DEFAULT_SCOPES)


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
    created_by: models.CharField[str | None, str | None] = models.CharField(max_length=255, null=True)
    active: models.BooleanField[bool, bool] = models.BooleanField(default=True)
    scopes: models.CharField[str, str] = models.CharField(
        max_length=MAX_SCOPES, default=_DEFAULT_SCOPES,
        help_text="Separated by spaces: read, write, or one of them with a resource type, such as write:Group.",
    )  # fmt: skip
    last_used: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    hint: models.CharField[str, str] = models.CharField(max_length=4, default="")
    rotated_from: models.CharField[str | None, str | None] = models.CharField(max_length=32, null=True)

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
            created_by=self.created_by, active=self.active, scopes=tuple(self.scopes.split()),
            last_used=self.last_used, hint=self.hint, rotated_from=self.rotated_from,
        )  # fmt: skip


class ScimClient(models.Model):
    """A stored OAuth client."""

    key: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    """The SHA-256 of the id of the client."""
    tenant_key: models.CharField[str, str] = models.CharField(max_length=64, db_index=True)
    """The SHA-256 of the tenant."""
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    version: models.PositiveIntegerField[int, int] = models.PositiveIntegerField()
    document: models.TextField[str, str] = models.TextField()
    """The client with the hashes of its secrets, as JSON."""

    class Meta:
        """The name in the Django admin."""

        verbose_name = "SCIM OAuth client"

    def __str__(self) -> str:
        return self.key


class ScimBreaker(models.Model):
    """The state of a breaker for one tenant, as `BreakerState` has it."""

    key: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    """The SHA-256 of the tenant, because collations of MariaDB ignore case."""
    tenant: models.CharField[str, str] = models.CharField(max_length=255)
    state: models.TextField[str, str] = models.TextField()

    class Meta:
        """The name in the Django admin."""

        verbose_name = "SCIM breaker"

    def __str__(self) -> str:
        return self.tenant
