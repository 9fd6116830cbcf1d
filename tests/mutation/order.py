"""A pytest plugin: property tests run last, since an example kills a mutant sooner."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Examples first, otherwise in the order they came."""
    items.sort(key=lambda item: item.get_closest_marker("hypothesis") is not None)
