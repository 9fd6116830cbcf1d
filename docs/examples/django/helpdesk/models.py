from uuid import uuid4

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class Role(models.IntegerChoices):
    AGENT = 1
    LEAD = 2
    ADMIN = 3


class Account(models.Model):
    name = models.CharField(max_length=64, primary_key=True)
    seats = models.PositiveIntegerField()


class Agent(models.Model):
    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.CharField(max_length=64)
    login = models.CharField(max_length=150)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    other_email = models.EmailField(blank=True)
    department = models.CharField(max_length=100, blank=True)
    manager = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    external_id = models.CharField(max_length=200, null=True)
    role = models.PositiveSmallIntegerField(choices=Role, default=Role.AGENT)  # computed in roles.py
    user_type = models.CharField(max_length=20, default="Agent")  # or "Owner"
    disabled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    scim_version = models.BigIntegerField(default=1)
    scim_rest = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint("account", Lower("login"), name="one_login_in_an_account")]


class Team(models.Model):
    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    account = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=200, null=True)
    scim_version = models.BigIntegerField(default=1)
    grants = models.PositiveSmallIntegerField(choices=Role, null=True)  # the role of the members
    agents = models.ManyToManyField(Agent, related_name="teams")

    class Meta:
        constraints = [models.UniqueConstraint("account", Lower("name"), name="one_team_in_an_account")]


class Ticket(models.Model):
    account = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    agent = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL)  # NULL: the queue
    closed_at = models.DateTimeField(null=True)
