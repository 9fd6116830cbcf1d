"""The announcement of the SCIM 2.0 Interoperability Profile is opt-in, and needs a dialect that follows the profile."""

from __future__ import annotations

import pytest

from scimkit import INTEROP, STRICT, TOLERANT, MemoryStore, ScimService, TokenRegistry
from tests.client import Client

NAME = "interopProfileConformant"
CONFIG = "/Schemas/urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"


def test_nothing_is_announced_by_default() -> None:
    """Without the option, the ServiceProviderConfig and its schema do not name the profile, in any dialect."""
    for dialect in (INTEROP, TOLERANT):
        client = Client(dialect=dialect)
        for path in ("/ServiceProviderConfig", CONFIG):
            assert "profile" not in str(client.get(path).body).lower()


def test_the_announcement() -> None:
    """With the option, the attribute is true, and /Schemas defines it."""
    client = Client(dialect=INTEROP, announce_interop_profile=True)
    assert client.get("/ServiceProviderConfig").body[NAME] is True
    (found,) = [each for each in client.get(CONFIG).body["attributes"] if each["name"] == NAME]
    assert (found["type"], found["mutability"], found["required"]) == ("boolean", "readOnly", False)


def test_a_dialect_that_does_not_follow_the_profile() -> None:
    """The claim is refused when the service is built, if the dialect accepts what the profile refuses."""
    for dialect in (STRICT, TOLERANT):
        with pytest.raises(ValueError, match="announce_interop_profile"):
            ScimService(MemoryStore(), tokens=TokenRegistry(), dialect=dialect, announce_interop_profile=True)
