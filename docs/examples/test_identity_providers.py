import pytest

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp

pytest_plugins = ["scimkit.testing.plugin"]

tokens = TokenRegistry()


@pytest.fixture
def scim_target():
    """Your application: ASGI, WSGI, or a URL."""
    return ScimApp(ScimService(MemoryStore(), tokens=tokens), prefix="/scim/v2")


@pytest.fixture
def scim_path():
    return "/scim/v2"


@pytest.fixture
def scim_token():
    return tokens.issue("tests").token


def test_every_identity_provider_succeeds(identity_provider):
    identity_provider.live()
