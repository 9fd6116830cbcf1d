"""Contract tests that run random operations on the store and on another store, and compare the results."""

from __future__ import annotations

from contextlib import ExitStack
from typing import ClassVar

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from scimkit.stores.memory import MemoryStore
from scimkit.stores.protocol import SyncStore
from scimkit.testing.contract.base import QUIET, ContractBase
from scimkit.testing.contract.machine import StoreMachine


class HistoriesContract(ContractBase):
    """Random sequences of operations give the same results on the store and on another store."""

    histories: ClassVar[int] = 10
    """The number of sequences."""
    steps: ClassVar[int] = 20
    """The number of steps of each sequence."""

    def other_store(self) -> SyncStore:
        """Return the store to compare with. Override this method if your store rejects unknown members."""
        return MemoryStore()

    def test_histories_agree_with_the_other_store(self) -> None:
        """The two stores have the same resources and results after each write, transaction and search."""
        contract = self

        class Machine(StoreMachine):
            subject = contract

            def make_stores(self) -> tuple[SyncStore, SyncStore]:
                self.open = ExitStack()
                return self.open.enter_context(contract.opened()), contract.other_store()

            def close_stores(self) -> None:
                self.open.close()

        chosen = settings(
            max_examples=self.histories,
            stateful_step_count=self.steps,
            deadline=None,
            suppress_health_check=QUIET,
            phases=self.phases,
        )
        run_state_machine_as_test(Machine, settings=chosen)
