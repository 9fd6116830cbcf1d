"""A service refuses a store whose `unsupported` cannot be true."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import USER, MemoryStore, ScimService, TokenRegistry


def _service(unsupported: Any, **options: Any) -> ScimService:
    store = type("Store", (MemoryStore,), {"unsupported": unsupported})()
    return ScimService(store, tokens=TokenRegistry(), **options)


def test_an_unknown_name_is_refused() -> None:
    """The error names the unknown capability and lists the known ones."""
    with pytest.raises(ValueError, match=r"names cursor, which no capability .* are changes, cursors, filters"):
        _service(("member_pages", "cursor"))


def test_a_string_is_refused() -> None:
    """A tuple of one name without its comma is a string."""
    with pytest.raises(ValueError, match="is a string; write a tuple"):
        _service("member_pages")


def test_a_missing_method_is_refused() -> None:
    """A store that reads groups page by page has the method `members`. Without groups, it needs none."""
    with pytest.raises(ValueError, match="no method members; add member_pages to its unsupported"):
        _service(())
    assert _service((), resource_types=(USER,)).resource_types == (USER,)
