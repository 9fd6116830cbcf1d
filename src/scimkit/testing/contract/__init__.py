"""A test suite for stores. Subclass `StoreContract` for your store, and pytest runs the tests.

    class TestMyStore(StoreContract):
        def make_store(self):
            return MyStore()

Tests of a capability in `unsupported` are skipped. The contract then checks that the store refuses the capability.
Override the attributes and methods of `StoreCapabilities` if your store does not keep every attribute.
"""

from __future__ import annotations

try:
    import hypothesis  # noqa: F401  # imported here, so that one error message covers both packages
    import pytest
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError(
        "The store contract needs pytest and hypothesis: pip install 'scimkit[testing]'"
    ) from _missing

_PARTS = (
    "base", "changes", "declaration", "storing", "uniqueness", "versions", "members", "tenants", "transactions",
    "searching", "pages", "machine", "comparison", "histories", "outbox", "outbox_model",
    "provisioning_log", "log_base", "log_entries", "log_retention", "references", "poll_queue",
    "request_queue",
)  # fmt: skip
pytest.register_assert_rewrite(*(f"{__name__}.{each}" for each in _PARTS))

from scimkit.testing.contract.capabilities import StoreCapabilities  # noqa: E402
from scimkit.testing.contract.changes import ChangesContract  # noqa: E402
from scimkit.testing.contract.declaration import DeclarationContract  # noqa: E402
from scimkit.testing.contract.histories import HistoriesContract  # noqa: E402
from scimkit.testing.contract.machine import StoreMachine  # noqa: E402
from scimkit.testing.contract.members import MembersContract  # noqa: E402
from scimkit.testing.contract.outbox import OutboxContract  # noqa: E402
from scimkit.testing.contract.pages import PagesContract  # noqa: E402
from scimkit.testing.contract.poll_queue import PollQueueContract  # noqa: E402
from scimkit.testing.contract.provisioning_log import ProvisioningLogContract  # noqa: E402
from scimkit.testing.contract.references import ReferencesContract  # noqa: E402
from scimkit.testing.contract.request_queue import RequestQueueContract  # noqa: E402
from scimkit.testing.contract.searching import SearchingContract  # noqa: E402
from scimkit.testing.contract.storing import StoringContract  # noqa: E402  # after the rewriting of its asserts
from scimkit.testing.contract.tenants import TenantsContract  # noqa: E402
from scimkit.testing.contract.transactions import TransactionsContract  # noqa: E402
from scimkit.testing.contract.uniqueness import UniquenessContract  # noqa: E402
from scimkit.testing.contract.versions import VersionsContract  # noqa: E402

__all__ = [
    "OutboxContract", "PollQueueContract", "ProvisioningLogContract", "ReferencesContract",
    "RequestQueueContract", "StoreCapabilities", "StoreContract", "StoreMachine",
]  # fmt: skip


class StoreContract(
    DeclarationContract,
    StoringContract,
    UniquenessContract,
    VersionsContract,
    MembersContract,
    TenantsContract,
    TransactionsContract,
    SearchingContract,
    PagesContract,
    ChangesContract,
    HistoriesContract,
):
    """All tests that a store must pass. A subclass implements `make_store`; `close` is called after each test."""
