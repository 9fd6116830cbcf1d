from scimkit import USER, MemoryStore
from scimkit.testing.contract import StoreContract
from scimkit.testing.properties import ResourceTypeProperties


class TestAgent(ResourceTypeProperties):
    resource_type = USER


class TestMyStore(StoreContract):
    def make_store(self):
        return MemoryStore()
