from scimkit import USER
from scimkit.testing.properties import ResourceTypeProperties


class TestAgent(ResourceTypeProperties):
    resource_type = USER
