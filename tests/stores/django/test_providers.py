"""The simulator of every identity provider against Django's own users and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest

from tests.stores.django.project import WsgiProject, alias

from django.contrib.auth.models import Group, User  # isort: skip
from django.urls import include, path  # isort: skip

from scimkit import ScimService, TokenRegistry
from scimkit.django import scim_urls
from scimkit.stores.django import DjangoStore
from scimkit.stores.django.auth import auth_models, set_password
from scimkit.testing.directory import sample_directory
from scimkit.testing.directory_history import DirectoryEvent, full_history, play, random_history
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.providers import PROVIDERS, provider
from scimkit.testing.report import Report, distinct, explained

NOT_KEPT: Final = (
    "displayName", "title", "phoneNumbers", "addresses", "name.formatted", 'emails[type eq "other"]',
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
)  # fmt: skip


def lived(name: str, events: Sequence[DirectoryEvent] | None = None, **options: Any) -> Report:
    """Return the report of a simulation against Django's own users and groups."""
    using = alias("sqlite")
    User.objects.using(using).all().delete()
    Group.objects.using(using).all().delete()
    tokens = TokenRegistry()

    def password(tenant: str, id: str, text: str) -> None:
        set_password(tenant, id, text, using=using)

    service = ScimService(DjangoStore(auth_models(), using=using), tokens=tokens, set_password=password)
    project = WsgiProject([path("scim/v2/", include(scim_urls(service)))])
    with open_endpoint(project, "/scim/v2") as endpoint:
        simulator = provider(
            name, endpoint.base_url, tokens.issue(name).token, sample_directory(), client=endpoint.client, **options
        )
        report = play(simulator, full_history() if events is None else events)
        assert simulator.clean_up() == []
        simulator.close()
    return report


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_succeeds(name: str) -> None:
    """A complete simulation has no finding if the provider omits the attributes that Django has no field for."""
    report = lived(name, without=NOT_KEPT)
    assert report.passed, "\n\n".join(explained(step) for step in report.failures)
    assert report.not_compared == NOT_KEPT


@pytest.mark.parametrize("name", ["okta-catalogue", "entra-aadOptscim062020"])
def test_a_random_life_succeeds(name: str) -> None:
    """A random simulation has no finding, although a provider may change dropped attributes repeatedly."""
    report = lived(name, random_history(1, length=40)[1], without=NOT_KEPT)
    assert report.passed, "\n\n".join(explained(step) for step in report.failures)


def test_finding_names_dropped_attributes() -> None:
    """Without these options, one finding names every attribute without a field, and how to omit them."""
    (step, _), *others = distinct(lived("okta").failures)
    assert others == []
    for name in ("displayName", "title", "'phoneNumbers[type eq \"mobile\"]'", "manager"):
        assert f"--without {name} " in str(step.fix)
    assert "externalId" not in str(step.fix)
