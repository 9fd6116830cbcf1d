import pytest

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp

pytest_plugins = ["scimkit.testing.plugin"]

tokens = TokenRegistry()


@pytest.fixture
def scim_target():
    """Return your application (ASGI or WSGI), or the URL of a running service."""
    return ScimApp(ScimService(MemoryStore(), tokens=tokens), prefix="/scim/v2")


@pytest.fixture
def scim_path():
    """Return the path of the endpoint in the application."""
    return "/scim/v2"


@pytest.fixture
def scim_token():
    """Return a bearer token that the endpoint accepts."""
    return tokens.issue("tests").token


def test_every_identity_provider_succeeds(identity_provider):
    """Each identity provider provisions the whole directory without a finding."""
    identity_provider.live()
