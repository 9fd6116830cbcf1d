"""A pytest plugin for processes that run one mutant.

The plugin runs examples before properties and disables garbage collection.
"""

from __future__ import annotations

import gc

import pytest

gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run examples first, because they kill a mutant sooner than properties. Otherwise keep the order."""
    items.sort(key=lambda item: item.get_closest_marker("hypothesis") is not None)
