"""The cost of a listener: a PATCH with one listener in its transaction, beside the same PATCH without listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from scimkit import MemoryStore
from scimkit.events import ResourceUpdated, Transaction, in_transaction
from scimkit.stores.sql import SqlStore
from tests.benchmarks.requests import Ours, our_calls
from tests.benchmarks.steps import Step

STORES: Final = ("MemoryStore", "SqlStore")
TITLE: Final = "PATCH active with a listener, {}"
_GOAL: Final = 1.1
"""The allowed ratio of the time with a listener to the time without listeners (the column `x floor`)."""


@contextmanager
def listener_steps(people: int) -> Iterator[list[Step]]:
    """Yield a step for each store. The floor of a step is the same PATCH on a service without listeners."""
    with TemporaryDirectory(prefix="scimkit-benchmark-") as folder:
        stores: list[Any] = [SqlStore(f"sqlite:///{Path(folder)}/{name}.db") for name in ("with", "without")]
        pairs = {"MemoryStore": (MemoryStore(), MemoryStore()), "SqlStore": tuple(stores)}
        yield [
            Step(TITLE.format(name), _patch(people, heard, True), None, _patch(people, unheard, False), None, "", 300,
                 _GOAL)
            for name, (heard, unheard) in pairs.items()
        ]  # fmt: skip
        for store in stores:
            store.engine.dispose()


def _patch(people: int, store: Any, has_listener: bool) -> Callable[[], Any]:
    """Return a function that sends one PATCH, which changes a user each time."""
    listeners = [in_transaction(ResourceUpdated, _listen)] if has_listener else []
    return our_calls(Ours(people, store, listeners), people)["PATCH active"]


def _listen(event: ResourceUpdated, transaction: Transaction) -> None:
    """Take the event and do nothing with it, so that only the cost of the library is measured."""
