from scimkit import MemoryStore
from scimkit.testing.contract import StoreMachine
from scimkit.testing.model import ModelStore


class TwoStores(StoreMachine):
    def make_stores(self):
        return MemoryStore(), ModelStore()


TestTwoStores = TwoStores.TestCase
