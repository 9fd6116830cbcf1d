"""The contract that every store keeps. A host subclasses it for a store of its own, and pytest runs it.

    class TestMyStore(StoreContract):
        def make_store(self):
            return MyStore()

A store that lacks something says so in `unsupported`: what cannot hold is skipped, and the contract checks that
it is refused. What a store does not keep is said in the attributes and methods of `StoreCapabilities`.
This module holds no promise itself; each part has those of one subject.
"""

from __future__ import annotations

try:
    import hypothesis  # noqa: F401  # asked for here, so that the advice is given once
    import pytest
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError(
        "the store contract needs pytest and hypothesis: pip install 'scimkit[testing]'"
    ) from _missing

_PARTS = ("base", "storing", "uniqueness", "versions", "members", "tenants", "transactions", "searching", "pages",
          "machine", "comparison", "histories")  # fmt: skip
pytest.register_assert_rewrite(*(f"{__name__}.{each}" for each in _PARTS))

from scimkit.testing.contract.capabilities import StoreCapabilities  # noqa: E402
from scimkit.testing.contract.histories import HistoriesContract  # noqa: E402
from scimkit.testing.contract.machine import StoreMachine  # noqa: E402
from scimkit.testing.contract.members import MembersContract  # noqa: E402
from scimkit.testing.contract.pages import PagesContract  # noqa: E402
from scimkit.testing.contract.searching import SearchingContract  # noqa: E402
from scimkit.testing.contract.storing import StoringContract  # noqa: E402  # after the rewriting of its asserts
from scimkit.testing.contract.tenants import TenantsContract  # noqa: E402
from scimkit.testing.contract.transactions import TransactionsContract  # noqa: E402
from scimkit.testing.contract.uniqueness import UniquenessContract  # noqa: E402
from scimkit.testing.contract.versions import VersionsContract  # noqa: E402

__all__ = ["StoreCapabilities", "StoreContract", "StoreMachine"]


class StoreContract(
    StoringContract,
    UniquenessContract,
    VersionsContract,
    MembersContract,
    TenantsContract,
    TransactionsContract,
    SearchingContract,
    PagesContract,
    HistoriesContract,
):
    """All that is promised of a store. Subclasses give `make_store`; `close` is called after each test."""
