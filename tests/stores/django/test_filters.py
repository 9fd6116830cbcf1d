"""Filters on fields of Django models have the standard meaning, or are refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimkit import USER, Query, Scope, filters
from scimkit.errors import InvalidFilter
from scimkit.filters.filter import Filter
from scimkit.testing import reference, strategies
from tests.stores.databases import DATABASES
from tests.stores.django.declared import helpdesk_of
from tests.stores.django.helpdesk.models import Agent, Membership, Team, now
from tests.stores.django.project import alias
from tests.stores.mapped.helpdesk import account
from tests.stores.mapped.test_filters import AGENTS, SERVED, TEXT, TEXTS, keeps


def helpdesk(using: str, account: str, agents: list[dict[str, Any]], team: str, members: int) -> None:
    """Create agents and a team. The last agent is the manager of the first agent."""
    rows = [Agent(account=account, login=f"a{number}", **each) for number, each in enumerate(agents)]
    for each in rows:
        each.disabled_at = None if each.disabled_at is None else now()
        Agent.save_base(each, using=using)
    Agent.objects.using(using).filter(pk=rows[0].pk).update(manager=rows[-1])
    made = Team.objects.using(using).create(account=account, name=team)
    for each in rows[:members]:
        Membership.objects.using(using).create(team=made, agent=each)


def compare(store: Any, scope: Scope, wanted: Filter) -> None:
    """Compare the result of a filter with the reference model."""
    documents = store.search(scope, Query(USER)).documents
    expected = [each["id"] for each in documents if reference.matches(USER, dict(each), wanted.node)]
    assert [each["id"] for each in store.search(scope, Query(USER, wanted)).documents] == expected, str(wanted.node)


@pytest.mark.parametrize("database", DATABASES)
def test_generated_filters_agree_with_the_reference(database: str) -> None:
    """A filter finds the same rows as the reference model, or is refused."""
    store, using, asked, refused = helpdesk_of(database), alias(database), [0], [0]

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(AGENTS, min_size=1, max_size=6), st.data())
    def agree(agents: list[dict[str, Any]], data: st.DataObject) -> None:
        scope = Scope(account())
        helpdesk(using, scope.tenant, agents, data.draw(TEXT), 1)
        for node in data.draw(st.lists(strategies.filters(USER, depth=1, texts=TEXTS, keeps=keeps), min_size=12)):
            asked[0] += 1
            try:
                compare(store, scope, Filter(node))
            except InvalidFilter:
                refused[0] += 1

    agree()
    assert asked[0] - refused[0] > 50


@pytest.mark.parametrize("database", DATABASES)
def test_filter_on_a_field_is_answered(database: str) -> None:
    """A filter on mapped attributes is never refused, and finds the same rows as the reference model."""
    store, scope = helpdesk_of(database), Scope(account())
    one = {"email": "x@e.org", "kind": "ext", "department": "Support", "external_id": "e1"}
    two = {"home_email": "y@e.org", "kind": "emp", "disabled_at": now(), "profile": {"ui": {"locale": "EN"}}}
    helpdesk(alias(database), scope.tenant, [one, two, {"title": "x"}], "Tier 1", 2)
    for text in SERVED:
        compare(store, scope, filters.parse(text))
