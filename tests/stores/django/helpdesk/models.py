"""The models of a helpdesk application: agents, teams, memberships, and teams within teams."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower


def now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


class Agent(models.Model):
    """An employee who answers tickets."""

    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.CharField(max_length=64)
    login = models.CharField(max_length=100)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, null=True)
    email = models.EmailField(max_length=200, null=True)
    home_email = models.EmailField(max_length=200, null=True)
    title = models.CharField(max_length=100, null=True)
    external_id = models.CharField(max_length=200, null=True)
    kind = models.CharField(max_length=20, null=True)
    disabled_at = models.DateTimeField(null=True)
    department = models.CharField(max_length=100, null=True)
    profile = models.JSONField(null=True)
    manager = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    scim_extra = models.JSONField(null=True)
    scim_version = models.BigIntegerField(default=1)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("account", Lower("login"), name="helpdesk_agent_login"),
            models.UniqueConstraint(fields=["account", "login"], name="helpdesk_agent_login_as_it_folds"),  # MariaDB
        )

    def save(self, *arguments: Any, **options: Any) -> None:
        """Save the row if it meets a rule of the helpdesk."""
        if self.email is not None and self.email.endswith("@forbidden.example"):
            raise ValidationError({"email": "the helpdesk takes no such address"})
        super().save(*arguments, **options)


class Team(models.Model):
    """A team of agents and other teams."""

    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=200, null=True)
    scim_version = models.BigIntegerField(default=1)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)
    agents: Any = models.ManyToManyField(Agent, through="Membership", related_name="teams")
    subteams: Any = models.ManyToManyField("self", symmetrical=False, related_name="parents")


class Membership(models.Model):
    """The membership of an agent in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["team", "agent"], name="helpdesk_once"),)
