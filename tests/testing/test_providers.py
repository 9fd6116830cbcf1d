"""Tests of all simulated identity providers against a correct service."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from scimkit import MemoryStore, Request, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.service import Response
from scimkit.testing.directory import sample_directory
from scimkit.testing.directory_history import DirectoryEvent, full_history, histories, marked, play, random_history
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.providers import PROVIDERS, provider
from scimkit.testing.report import explained
from tests.testing.flawed import connected, findings, leaks_passwords, report_of


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_correct_service_passes_every_event(name: str) -> None:
    """A correct service passes every provider and every kind of event, over HTTP."""
    tokens = TokenRegistry()
    with open_endpoint(ScimApp(ScimService(MemoryStore(), tokens=tokens), prefix="/scim/v2"), "/scim/v2") as endpoint:
        simulator = provider(name, endpoint.base_url, tokens.issue(name).token, sample_directory())
        report = play(simulator, full_history())
        simulator.close()
    assert findings(report) == []
    assert report.passed


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_correct_service_passes_random_events(name: str, seed: int) -> None:
    """A correct service passes a long random sequence of events."""
    assert findings(report_of(name, events=random_history(seed, length=40)[1])) == []


@pytest.mark.parametrize("name", ["okta", "sailpoint"])
def test_a_correct_service_passes_any_events(name: str) -> None:
    """A correct service passes any sequence of events, with a provider that sends PUT and one that sends PATCH."""

    @settings(max_examples=10)
    @given(histories(length=15))
    def any_life(history: tuple[object, list[DirectoryEvent]]) -> None:
        assert findings(report_of(name, events=history[1])) == []

    any_life()


@pytest.mark.parametrize("name", PROVIDERS)
def test_everything_created_is_deleted(name: str) -> None:
    """`clean_up` deletes every resource that the simulator created, and no others."""
    with connected(name) as simulator:
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "was.here"}
        assert simulator._talk._connection.send("POST", "/Users", body).status == 201
        play(simulator, full_history()[:3])
        assert simulator.clean_up() == []
        listed = simulator._talk._connection.send("GET", "/Users").received
        assert [each["userName"] for each in listed["Resources"]] == ["was.here"]
        assert simulator._talk._connection.send("GET", "/Groups").received["totalResults"] == 0


@pytest.mark.parametrize("name", ["okta", "entra"])
def test_resources_created_without_an_id_are_deleted(name: str) -> None:
    """`clean_up` finds resources by name if the 201 response had no `id`."""

    def empty_201(request: Request, response: Response, body: object) -> Response:
        return Response(201, b"") if request.method == "POST" and response.status == 201 else response

    with connected(name, empty_201) as simulator:
        assert not simulator.synchronize()
        assert simulator._talk._connection.send("GET", "/Users").received["totalResults"] == 7
        assert simulator.clean_up() == []
        assert simulator._talk._connection.send("GET", "/Users").received["totalResults"] == 0


def test_undeleted_resources_are_returned() -> None:
    """`clean_up` returns the paths of resources that the service did not delete."""

    def no_delete(request: Request, response: Response, body: object) -> Response:
        return Response(501) if request.method == "DELETE" else response

    with connected("okta", no_delete) as simulator:
        play(simulator, [])
        left = simulator.clean_up()
    assert len(left) == 10
    assert left[0].startswith("/Groups/")


@pytest.mark.parametrize("name", sorted(PROVIDERS.keys() - {"entra", "entra-aadOptscim062020", "entra-mixed"}))
def test_a_returned_password_is_found(name: str) -> None:
    """A password in a response is a finding, with the request, the response and the fix."""
    report = report_of(name, leaks_passwords, events=[])
    step = report.failures[0]
    assert "password" in str(step.reason)
    text = explained(step)
    assert step.request in text
    assert "fix:" in text
    assert "received:" in text


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_unreachable_service(name: str) -> None:
    """A service that cannot be reached results in a finding, raises no exception, and ends the run."""
    simulator = provider(name, "http://127.0.0.1:9", "scimkit_x", sample_directory())
    report = play(simulator, full_history())
    simulator.close()
    assert not report.passed
    assert len(report.steps) < 10
    assert "scimkit_x" not in repr(report)


def test_marked_names_contain_the_mark() -> None:
    """Every `userName` and every team name of a marked directory and of marked events contains the mark."""
    directory = marked(sample_directory(), "m1")
    for event in full_history():
        event.marked("m1").happen(directory)
    assert all(person.user_name.startswith("m1.") for person in directory.people.values())
    assert all(team.name.endswith(" m1") for team in directory.teams.values())


def test_the_same_seed_gives_the_same_events() -> None:
    """The same seed gives the same events, and another seed gives other events."""
    assert random_history(5)[1] == random_history(5)[1]
    assert random_history(5)[1] != random_history(6)[1]
    assert len(random_history(5, length=12)[1]) == 12
