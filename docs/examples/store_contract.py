from scimkit import MemoryStore
from scimkit.testing.contract import StoreContract


class TestMyStore(StoreContract):
    def make_store(self):
        return MemoryStore()
