"""The contract: a life like that of another store, step by step."""

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
    """The state machine, with the store under test and another beside it."""

    histories: ClassVar[int] = 10
    """Lives that are lived."""
    steps: ClassVar[int] = 20
    """Steps of each of them."""

    def other_store(self) -> SyncStore:
        """What the store is compared with; one that rejects unknown members is compared with one that does."""
        return MemoryStore()

    def test_histories_agree_with_the_other_store(self) -> None:
        """After every write, transaction and search of two tenants both have the same, and said the same."""
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
