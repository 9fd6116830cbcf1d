"""Events become JSON that matches the published schema, and become the same events again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from scimkit import GROUP, USER
from scimkit.documents import write_json
from scimkit.events import (
    EVENT_TYPES,
    BreakerTripped,
    EventDerivation,
    EventSource,
    MembersAdded,
    ResourceEvent,
    UserDeactivated,
    event_from_json,
    event_schema,
    event_to_json,
)
from scimkit.patch.changes import EffectiveChanges
from scimkit.testing.strategies import documents

SCHEMA = Draft202012Validator(event_schema(), format_checker=FormatChecker())
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "event-payloads.md"


def user_documents() -> st.SearchStrategy[dict[str, Any]]:
    """Return documents of users with an id."""
    return documents(USER).map(lambda document: {**document, "id": "u1"})


def member_ids() -> st.SearchStrategy[tuple[str, ...]]:
    """Return some ids of members."""
    return st.lists(st.text(), max_size=3).map(tuple)


@given(before=user_documents() | st.just({}), after=user_documents(), gone=st.booleans())
def test_events_of_users_survive_json(before: dict[str, Any], after: dict[str, Any], gone: bool) -> None:
    """Each event of a write matches the schema and is read back as an equal event."""
    first, last = (after, {}) if gone else (before, after)
    changes = EffectiveChanges(first, last, left_groups=(("Group", "g1"),) if gone else ())
    source = EventSource("acme", "token", "request", ("quirk",))
    for event in EventDerivation(USER).events(changes, source):
        check(event)


@given(added=member_ids(), removed=member_ids())
def test_events_of_members_survive_json(added: tuple[str, ...], removed: tuple[str, ...]) -> None:
    """The ids of members are kept in order."""
    team = {"id": "g1", "displayName": "team"}
    for event in EventDerivation(GROUP).events(EffectiveChanges(team, team, added, removed), EventSource("acme")):
        check(event)


def check(event: ResourceEvent) -> None:
    """Check that an event matches the schema and survives JSON."""
    payload = json.loads(write_json(event_to_json(event)))
    SCHEMA.validate(payload)
    assert event_from_json(payload) == event


def test_the_schema_refuses_what_is_no_event() -> None:
    """The schema and the reader refuse an unknown version and type, and a change of members without members."""
    payload = event_to_json(MembersAdded(resource_type="Group", id="g", tenant="t", members=("u",)))
    without = {name: value for name, value in payload.items() if name != "members"}
    for wrong in ({**payload, "version": 2}, {**payload, "type": "Other"}, without, {}):
        assert not SCHEMA.is_valid(wrong)
        with pytest.raises(ValueError, match="payload of an event"):
            event_from_json(wrong)


def test_attributes_that_a_receiver_does_not_know_are_ignored() -> None:
    """A payload with additional attributes is valid, so that a later scimkit may add some."""
    event = UserDeactivated(resource_type="User", id="u", tenant="t")
    payload = {**event_to_json(event), "later": 1}
    SCHEMA.validate(payload)
    assert event_from_json(payload) == event


def test_a_tripped_breaker_survives_json() -> None:
    """The counts of a breaker are kept."""
    check(BreakerTripped(resource_type="User", id="1", tenant="acme", deactivations=51, limit=50))


def test_the_schema_names_every_type() -> None:
    """The types of the schema are the classes of events."""
    assert set(event_schema()["properties"]["type"]["enum"]) == set(EVENT_TYPES)


def test_the_page_describes_every_attribute() -> None:
    """The reference page has a row for each attribute of the schema, and for nothing else."""
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8").partition("## Types")[0], re.MULTILINE)
    assert sorted(rows) == sorted(event_schema()["properties"])
