"""Tokens in Django's database and in Django's admin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.stores.django.project import Hosted, alias, migrate

from django.contrib import admin  # isort: skip
from django.contrib.auth.models import User  # isort: skip
from django.core.management import call_command  # isort: skip
from django.test import Client, override_settings  # isort: skip
from django.urls import path  # isort: skip

from scimkit import TokenRegistry
from scimkit.stores.django import DjangoTokenStore
from scimkit.stores.django.models import ScimToken
from scimkit.testing.token_contract import TokenStoreContract
from scimkit.tokens import PATTERN, InvalidToken
from tests.stores.databases import DATABASES

urlpatterns = [path("admin/", admin.site.urls)]
LIST = "/admin/scimkit/scimtoken/"


@pytest.mark.parametrize("database", DATABASES)
def test_tokens_outlive_the_process(database: str) -> None:
    """A token that one registry issued is verified, listed, rotated and revoked by another registry."""
    using = alias(database)
    tenant = f"t{datetime.now(UTC).timestamp()}"
    issued = TokenRegistry(DjangoTokenStore(using)).issue(
        "Entra", tenant=tenant, expires_in=timedelta(days=1), dialect="entra"
    )
    registry = TokenRegistry(DjangoTokenStore(using))
    assert registry.list(tenant) == [issued.record]
    principal = registry.verify(issued.token)
    assert (principal.tenant, principal.dialect) == (tenant, "entra")
    second = registry.rotate(issued.record.id, tenant=tenant)
    registry.revoke(issued.record.id, tenant=tenant)
    with pytest.raises(InvalidToken):
        registry.verify(issued.token)
    assert registry.verify(second.token).tenant == tenant
    assert issued.token[8:] not in str(ScimToken.objects.using(using).values_list().get(id=issued.record.id))


def test_no_migration_is_missing() -> None:
    """`makemigrations` finds no missing migration."""
    call_command("makemigrations", "scimkit", check=True, dry_run=True, verbosity=0)


@pytest.fixture
def browser() -> Iterator[Client]:
    """A client that is logged in to Django's admin."""
    migrate("default")
    ScimToken.objects.all().delete()
    user = User.objects.get_or_create(username="admin", is_staff=True, is_superuser=True)[0]
    middleware = ["django.contrib.sessions.middleware.SessionMiddleware",
                  "django.contrib.auth.middleware.AuthenticationMiddleware",
                  "django.contrib.messages.middleware.MessageMiddleware"]  # fmt: skip
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=middleware):
        client = Client()
        client.force_login(user)
        yield client


def test_a_token_is_issued_and_shown_once(browser: Client) -> None:
    """The form issues a token and shows it. No other page shows the token or its hash."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    form = {"description": "Entra", "tenant": "default", "expires_0": tomorrow.date(), "expires_1": "12:00:00"}
    assert browser.get(f"{LIST}add/").status_code == 200
    shown = browser.post(f"{LIST}add/", form)
    (token,) = set(re.findall(PATTERN, shown.content.decode()))
    assert "no-store" in shown["Cache-Control"]
    registry = TokenRegistry(DjangoTokenStore())
    record = registry.list()[0]
    assert registry.verify(token).description == "Entra"
    assert record.expires is not None
    assert record.expires.date() == tomorrow.date()
    for page in (LIST, f"{LIST}{record.id}/change/"):
        text = browser.get(page).content.decode()
        assert "Active" in text
        assert not re.findall(PATTERN, text)
        assert record.hash.hex() not in text
        assert "Entra" in text


def test_a_token_is_revoked_and_stays(browser: Client) -> None:
    """The action revokes a token. A token cannot be changed or deleted."""
    registry = TokenRegistry(DjangoTokenStore())
    issued = registry.issue("Entra")
    id = issued.record.id
    browser.post(f"{LIST}{id}/change/", {"description": "other"})
    assert browser.post(f"{LIST}{id}/delete/", {"post": "yes"}).status_code == 403
    assert registry.list() == [issued.record]
    browser.post(LIST, {"action": "revoke", "_selected_action": [id]})
    assert registry.list()[0].revoked is not None
    text: Any = browser.get(LIST).content.decode()
    assert "Revoked" in text


class ThreadedTokenStore(DjangoTokenStore):
    """A store whose threads close their connections after each call."""

    def update(self, old: Any, new: Any) -> Any:
        return Hosted(super(), self._transactions.using).update(old, new)

    def touch(self, id: str, instant: Any) -> Any:
        return Hosted(super(), self._transactions.using).touch(id, instant)


@pytest.mark.parametrize("database", DATABASES)
class TestDjangoTokenStore(TokenStoreContract):
    """Tokens in the table of the app `scimkit.stores.django`."""

    @pytest.fixture(autouse=True)
    def _on(self, database: str) -> None:
        self.database = alias(database)

    def make_store(self) -> Any:
        return ThreadedTokenStore(self.database)
