"""The property tests of `scimkit.testing.properties` for users, groups and devices."""

from __future__ import annotations

from scimkit import GROUP, USER
from scimkit.testing.properties import ResourceTypeProperties
from tests.resource_types import DEVICE


class TestUser(ResourceTypeProperties):
    """Property tests of the User resource type."""

    resource_type = USER


class TestGroup(ResourceTypeProperties):
    """Property tests of the Group resource type."""

    resource_type = GROUP


class TestDevice(ResourceTypeProperties):
    """Property tests of a custom resource type with every kind of attribute."""

    resource_type = DEVICE
