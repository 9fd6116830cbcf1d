"""A pytest plugin for processes that live for one mutant: examples before properties, and no garbage collection."""

from __future__ import annotations

import gc

import pytest

gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Examples first, since one of them kills a mutant sooner; otherwise in the order they came."""
    items.sort(key=lambda item: item.get_closest_marker("hypothesis") is not None)
