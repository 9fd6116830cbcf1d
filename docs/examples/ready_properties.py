from scimkit import USER, MemoryStore
from scimkit.testing.properties import ResourceTypeProperties, StoreProperties


class TestAgent(ResourceTypeProperties):
    resource_type = USER


class TestMyStore(StoreProperties):
    def make_store(self):
        return MemoryStore()
