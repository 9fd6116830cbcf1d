"""Tests that the page of settings has each argument with its default, and each environment variable."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from scimkit import MemoryStore, ScimService, TokenRegistry, asgi, wsgi
from scimkit.admin import AdminSite
from scimkit.delivery import AsyncWebhook, Webhook, async_deliver, deliver
from scimkit.django import scim_urls
from scimkit.oauth import AsyncJwtVerifier, JwtVerifier
from scimkit.provisioning import LogOptions
from scimkit.safeguards import Breaker
from scimkit.service.cursors import Cursors
from scimkit.stores.django import DjangoStore
from scimkit.stores.sql import AsyncSqlStore, SqlStore
from scimkit.stores.sqlalchemy import AsyncMappedStore, MappedStore
from scimkit.tokens import AsyncTokenRegistry
from tests.docs.tables import DOCS, rows

PAGE: Final = "reference/settings.md"
FOR_TESTS: Final = {"clock", "monotonic"}
CONFIGURED: Final[dict[str, tuple[Callable[..., Any], ...]]] = {
    "ScimService": (ScimService,),
    "ScimApp": (asgi.ScimApp, wsgi.ScimApp),
    "scim_urls": (scim_urls,),
    "SqlStore": (SqlStore,),
    "MappedStore": (MappedStore, AsyncMappedStore),
    "DjangoStore": (DjangoStore,),
    "MemoryStore": (MemoryStore,),
    "TokenRegistry.issue": (TokenRegistry().issue, AsyncTokenRegistry.issue),
    "LogOptions": (LogOptions,),
    "Breaker": (Breaker,),
    "Cursors": (Cursors,),
    "AdminSite": (AdminSite,),
    "JwtVerifier": (JwtVerifier, AsyncJwtVerifier),
    "Webhook": (Webhook, AsyncWebhook),
    "deliver": (deliver, async_deliver),
}
"""What each section is about."""


def settings(configured: Callable[..., Any]) -> dict[str, Any]:
    """Return the defaults of the arguments by name, without those that exist for tests only."""
    given = inspect.signature(configured).parameters
    return {name: each.default for name, each in given.items() if name not in {*FOR_TESTS, "self"}}


def written(default: Any) -> str | None:
    """Return a default as the page has it, or None if the page describes it in words."""
    if default is inspect.Parameter.empty:
        return "required"
    if isinstance(default, timedelta):
        return f"{default.days} days" if default.days else f"{default.seconds // 3600} hour"
    if isinstance(default, str):
        return f'"{default}"'
    if default is None or default in ((), {}) or isinstance(default, bool | int | float):
        return str(default)
    return None


@pytest.mark.parametrize("section", CONFIGURED)
def test_each_argument_has_its_row(section: str) -> None:
    """A table has each argument in its order, with its default. The variants of a section have the same arguments."""
    first, *others = CONFIGURED[section]
    found = {name: default for name, default, _ in rows(PAGE, f"`{section}`")}
    defaults = settings(first)
    assert list(found) == list(defaults)
    expected = {name: written(default) or found[name] for name, default in defaults.items()}
    assert found == expected
    for other in others:
        assert settings(other) == defaults


def test_the_async_store_lacks_one_argument() -> None:
    """`AsyncSqlStore` has the arguments of `SqlStore` without `upgrade`."""
    assert settings(AsyncSqlStore) == {name: each for name, each in settings(SqlStore).items() if name != "upgrade"}


def test_no_section_is_left_out() -> None:
    """Each section with a table of arguments is compared."""
    text = (DOCS / PAGE).read_text("utf-8")
    assert {*re.findall(r"^## `(.+)`$", text, re.MULTILINE)} == {*CONFIGURED}


def test_each_environment_variable_has_its_row() -> None:
    """The table has each variable that the code reads. `SCIMKIT_SERVE` is between a process and its workers."""
    source = DOCS.parent / "src" / "scimkit"
    read = {name for path in source.rglob("*.py") for name in re.findall(r'"(SCIM(?:KIT)?_[A-Z_]+)"', path.read_text())}
    assert {name for name, _ in rows(PAGE, "Environment variables")} == read - {"SCIMKIT_SERVE"}
