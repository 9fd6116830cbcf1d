"""Tests of the pytest plugin with an ASGI application, a WSGI application and a URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.server import running

pytest_plugins = ["pytester"]

_EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "test_identity_providers.py"
_HOST = """
import pytest
from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.{kind} import ScimApp

pytest_plugins = ["scimkit.testing.plugin"]
tokens = TokenRegistry()

@pytest.fixture
def scim_target():
    return ScimApp(ScimService(MemoryStore(), tokens=tokens, {options}))

@pytest.fixture
def scim_token():
    return tokens.issue("test").token

def test_it(identity_provider):
    identity_provider.live()
"""


def run(pytester: pytest.Pytester, source: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test_host=source)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist", *arguments)


@pytest.mark.parametrize("source", [_EXAMPLE.read_text(), _HOST.format(kind="wsgi", options="")], ids=["asgi", "wsgi"])
def test_every_provider_runs_against_the_application(pytester: pytest.Pytester, source: str) -> None:
    """The plugin runs ten providers against the application, each as a test of its own."""
    result = run(pytester, source, "-v")
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines(["*test_*?okta? *", "*test_*?sailpoint? *"])


def test_a_wrong_response_is_explained(pytester: pytest.Pytester) -> None:
    """The failure message has the reason, the fix, the request body and the response body."""
    options = "dialect=__import__('scimkit.dialects', fromlist=['x']).DIALECTS['strict']"
    result = run(pytester, _HOST.format(kind="wsgi", options=options), "-k", "pingfederate")
    result.assert_outcomes(failed=1, deselected=9)
    result.stdout.fnmatch_lines(["*pingfederate found * wrong responses*", "*why: *", "*fix: *", "*received: *"])


_NARROW = """
import json
from scimkit import ScimService
from scimkit.service import Response

class Narrow(ScimService):
    async def handle(self, request):
        response = await super().handle(request)
        body = json.loads(response.body) if response.body else {}
        body.pop("title", None)
        return Response(response.status, json.dumps(body).encode() if body else b"", response.headers)

@pytest.fixture
def scim_target():
    return ScimApp(Narrow(MemoryStore(), tokens=tokens))

@pytest.fixture
def scim_without():
    return [WITHOUT]
"""


@pytest.mark.parametrize(("without", "outcome", "line"), [
    ("'title'", {"passed": 1}, "*1 passed*"),
    ("'locale'", {"failed": 1}, "*okta found * wrong responses. Not compared: locale.*"),
    ("'titel'", {"errors": 1}, "*scim_without: 'titel' is not an attribute of users or groups*"),
])  # fmt: skip
def test_scim_without_names_attributes_that_are_not_kept(
    pytester: pytest.Pytester, without: str, outcome: dict[str, int], line: str
) -> None:
    """Attributes in `scim_without` are not compared. A finding names a missing attribute."""
    source = _HOST.format(kind="wsgi", options="") + _NARROW.replace("WITHOUT", without)
    result = run(pytester, source, "-k", "okta and not catalogue")
    result.assert_outcomes(deselected=9, **outcome)
    result.stdout.fnmatch_lines([line])
    if "failed" in outcome:
        result.stdout.fnmatch_lines(["*why: The response to GET /Users/* has no `title`.*", "*fix: Map title.*"])


def test_a_missing_fixture_is_explained(pytester: pytest.Pytester) -> None:
    """The error for a missing `scim_target` says what the fixture must return."""
    source = 'pytest_plugins = ["scimkit.testing.plugin"]\ndef test_it(scim_endpoint): pass\n'
    result = run(pytester, source)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*Define the fixture scim_target*"])


def test_a_url_is_a_target() -> None:
    """A URL is used as the endpoint, followed by the path."""
    with (
        running(ScimApp(ScimService(MemoryStore(), tokens=TokenRegistry()))) as url,
        open_endpoint(url + "/", "/scim/v2") as endpoint,
    ):
        assert endpoint.base_url == f"{url}/scim/v2"
        assert endpoint.client is None


def test_other_callables_are_refused() -> None:
    """A callable with one argument is refused, because it is neither an ASGI nor a WSGI application."""
    with pytest.raises(TypeError, match="must be an ASGI application"), open_endpoint(lambda request: None):
        pass
