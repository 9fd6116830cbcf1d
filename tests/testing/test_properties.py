"""The ready properties, run on our own types as a host would."""

from __future__ import annotations

from scimkit import GROUP, USER
from scimkit.testing.properties import ResourceTypeProperties
from tests.resource_types import DEVICE


class TestUser(ResourceTypeProperties):
    """Users."""

    resource_type = USER


class TestGroup(ResourceTypeProperties):
    """Groups."""

    resource_type = GROUP


class TestDevice(ResourceTypeProperties):
    """A host's own type, with every kind of attribute."""

    resource_type = DEVICE
