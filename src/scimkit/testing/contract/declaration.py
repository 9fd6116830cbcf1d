"""Contract tests for `unsupported`, in which a store declares the capabilities that it lacks."""

from __future__ import annotations

from scimkit.stores.metadata import has_members
from scimkit.stores.protocol import CAPABILITIES, SyncStore
from scimkit.testing.contract.async_driver import DrivenAsyncStore
from scimkit.testing.contract.base import ContractBase


class DeclarationContract(ContractBase):
    """A store has the method of each capability that it does not list in `unsupported`."""

    def test_unsupported_names_capabilities(self, store: SyncStore) -> None:
        """`unsupported` is a collection of known names, not a string."""
        assert not isinstance(store.unsupported, str), 'unsupported is a string; write a tuple, such as ("sort",)'
        unknown = set(store.unsupported) - CAPABILITIES
        assert not unknown, f"no capability has this name; the capabilities are {sorted(CAPABILITIES)}"

    def test_capabilities_have_their_methods(self, store: SyncStore) -> None:
        """A store that does not list a capability in `unsupported` has the method of this capability."""
        declaring = store.store if isinstance(store, DrivenAsyncStore) else store
        methods = {"transactions": "transaction"}
        if any(map(has_members, self.resource_types)):
            methods["member_pages"] = "members"
        for capability, method in methods.items():
            found = capability in store.unsupported or callable(getattr(declaring, method, None))
            assert found, f"the store has no method {method}; write it, or add {capability} to unsupported"
