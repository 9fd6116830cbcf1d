"""A pytest plugin that runs simulated identity providers against an application.

To use the plugin, write `pytest_plugins = ["scimkit.testing.plugin"]` in `conftest.py`. Then define the fixtures
`scim_target` and `scim_token`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from secrets import token_hex

try:
    import pytest
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The simulators need pytest: pip install 'scimkit[testing]'") from _missing

from scimkit.testing.directory import sample_directory
from scimkit.testing.directory_history import DirectoryEvent, full_history, marked, play
from scimkit.testing.endpoint import Endpoint, Target, open_endpoint
from scimkit.testing.providers import PROVIDERS, Provider, provider
from scimkit.testing.report import Report, distinct, explained


class IdentityProvider:
    """A simulated identity provider with its own directory, connected to the application under test."""

    def __init__(self, name: str, simulator: Provider, mark: str) -> None:
        self.name = name
        self.simulator = simulator
        self._mark = mark

    def live(self, events: Sequence[DirectoryEvent] | None = None) -> Report:
        """Play events in the directory, and send the changes to the application after each event.

        Args:
            events: The events to play; by default, one event of every kind.

        Returns:
            The report with every request and its response.

        Raises:
            AssertionError: At least one response is wrong. The message lists each finding once, with the request, the
                response, the expected response and the fix.
        """
        wanted = full_history() if events is None else events
        report = play(self.simulator, [event.marked(self._mark) for event in wanted])
        found = "\n\n".join(explained(step) for step, _ in distinct(report.failures))
        left_out = f" Not compared: {', '.join(report.not_compared)}." if report.not_compared else ""
        assert report.passed, f"{self.name} found {len(report.failures)} wrong responses.{left_out}\n\n{found}"
        return report


@pytest.fixture
def scim_target() -> Target:
    """Return the application under test: an ASGI application, a WSGI application or a URL. Override this fixture."""
    raise pytest.UsageError("Define the fixture scim_target. It must return your application or its URL.")


@pytest.fixture
def scim_token() -> str:
    """Return a bearer token that the application accepts. Override this fixture."""
    raise pytest.UsageError(
        "Define the fixture scim_token. It must return a bearer token that your application accepts."
    )


@pytest.fixture
def scim_path() -> str:
    """Return the path below which the application serves SCIM, such as `/scim/v2`."""
    return ""


@pytest.fixture
def scim_without() -> Sequence[str]:
    """Return the attributes that the application does not keep, such as `["title"]`. Override this fixture."""
    return ()


@pytest.fixture
def scim_endpoint(scim_target: Target, scim_path: str) -> Iterator[Endpoint]:
    """Yield the endpoint of the running application."""
    with open_endpoint(scim_target, scim_path) as endpoint:
        yield endpoint


@pytest.fixture(params=sorted(PROVIDERS))
def identity_provider(
    request: pytest.FixtureRequest, scim_endpoint: Endpoint, scim_token: str, scim_without: Sequence[str]
) -> Iterator[IdentityProvider]:
    """Yield each simulated identity provider in turn, and delete the resources that the simulator created."""
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
