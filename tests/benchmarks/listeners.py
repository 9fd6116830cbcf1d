"""The cost of what a write can carry: a PATCH with a listener, or with an entry in the provisioning log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, Final

from scimkit import MemoryStore
from scimkit.events import Listener, ResourceUpdated, Transaction, in_transaction
from scimkit.stores.sql import SqlStore
from tests.benchmarks.requests import Ours, our_calls
from tests.benchmarks.steps import Step

STORES: Final = ("MemoryStore", "SqlStore")
TITLE: Final = "PATCH active with a listener, {}"
LOG_TITLE: Final = "PATCH active with the provisioning log, {}"
_GOAL: Final = 1.1
"""The allowed ratio of the time with a listener to the time without listeners (the column `x floor`)."""
_LOG_GOAL: Final = 1.15
"""The allowed ratio of the time with the provisioning log to the time without (design: 15 % more)."""


@contextmanager
def listener_steps(people: int) -> Iterator[list[Step]]:
    """Yield two steps for each store. The floor of a step is the same PATCH on a plain service."""
    with TemporaryDirectory(prefix="scimkit-benchmark-") as folder:

        def store(kind: str, name: str, *, logged: bool = False) -> Any:
            if kind == "MemoryStore":
                return MemoryStore(provisioning_log=logged)
            return SqlStore(f"sqlite:///{folder}/{name}.db", provisioning_log=logged)

        steps: list[Step] = []
        opened: list[Any] = []
        for kind in STORES:
            plain, heard, logged = (
                store(kind, "plain"), store(kind, "heard"), store(kind, "logged", logged=True)
            )  # fmt: skip
            opened += [plain, heard, logged]
            floor = _patch(people, plain)
            for title, call, goal in (
                (TITLE, _patch(people, heard, [in_transaction(ResourceUpdated, _listen)]), _GOAL),
                (LOG_TITLE, _patch(people, logged), _LOG_GOAL),
            ):
                steps.append(Step(title.format(kind), call, None, floor, None, "", 300, goal))
        yield steps
        for each in opened:
            if isinstance(each, SqlStore):
                each.engine.dispose()


def _patch(people: int, store: Any, listeners: Sequence[Listener] = ()) -> Callable[[], Any]:
    """Return a function that sends one PATCH, which changes a user each time."""
    return our_calls(Ours(people, store, listeners), people)["PATCH active"]


def _listen(event: ResourceUpdated, transaction: Transaction) -> None:
    """Take the event and do nothing with it, so that only the cost of the library is measured."""
