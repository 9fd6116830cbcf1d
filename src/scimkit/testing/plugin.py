"""A pytest plugin: every identity provider plays the life of a directory against the host's own application.

A host writes `pytest_plugins = ["scimkit.testing.plugin"]`, and the fixtures `scim_target` and `scim_token`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from secrets import token_hex

import pytest

from scimkit.testing.directory import sample_directory
from scimkit.testing.directory_history import DirectoryEvent, full_history, marked, play
from scimkit.testing.endpoint import Endpoint, Target, open_endpoint
from scimkit.testing.providers import PROVIDERS, Provider, provider
from scimkit.testing.report import Report, distinct, explained


class IdentityProvider:
    """A provider connected to the host's application, with a directory of its own."""

    def __init__(self, name: str, simulator: Provider, mark: str) -> None:
        self.name = name
        self.simulator = simulator
        self._mark = mark

    def live(self, events: Sequence[DirectoryEvent] | None = None) -> Report:
        """Play the events, a whole life without any.

        Raises: AssertionError that lists every finding once: the request, what came, what was expected, how to mend it.
        """
        wanted = full_history() if events is None else events
        report = play(self.simulator, [event.marked(self._mark) for event in wanted])
        found = "\n\n".join(explained(step) for step, _ in distinct(report.failures))
        left_out = f" Not compared: {', '.join(report.not_compared)}." if report.not_compared else ""
        assert report.passed, f"{self.name} finds {len(report.failures)} faults.{left_out}\n\n{found}"
        return report


@pytest.fixture
def scim_target() -> Target:
    """The host's application: an ASGI or WSGI application, or a URL. The host overrides it."""
    raise pytest.UsageError("write a fixture scim_target that returns your application or its URL")


@pytest.fixture
def scim_token() -> str:
    """A token that the application accepts. The host overrides it."""
    raise pytest.UsageError("write a fixture scim_token that returns a bearer token of your application")


@pytest.fixture
def scim_path() -> str:
    """Where the application has mounted SCIM, such as `/scim/v2`."""
    return ""


@pytest.fixture
def scim_without() -> Sequence[str]:
    """The attributes that the application does not keep, such as `["title"]`. The host overrides it."""
    return ()


@pytest.fixture
def scim_endpoint(scim_target: Target, scim_path: str) -> Iterator[Endpoint]:
    """The endpoint, answering."""
    with open_endpoint(scim_target, scim_path) as endpoint:
        yield endpoint


@pytest.fixture(params=sorted(PROVIDERS))
def identity_provider(
    request: pytest.FixtureRequest, scim_endpoint: Endpoint, scim_token: str, scim_without: Sequence[str]
) -> Iterator[IdentityProvider]:
    """Each provider in turn. What it created is deleted afterwards."""
    mark = f"t{token_hex(4)}"
    directory = marked(sample_directory(), mark)
    url, client = scim_endpoint.base_url, scim_endpoint.client
    try:
        simulator = provider(request.param, url, scim_token, directory, client=client, without=scim_without)
    except ValueError as error:
        raise pytest.UsageError(f"scim_without: {error}") from None
    try:
        yield IdentityProvider(request.param, simulator, mark)
    finally:
        simulator.clean_up()
        simulator.close()
