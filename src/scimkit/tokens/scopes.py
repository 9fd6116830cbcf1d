"""The scopes of a token: the operations that the token permits. This module makes no decision about a request."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

DEFAULT_SCOPES: Final = ("read", "write")
MAX_SCOPES: Final = 1000
"""Maximum number of characters of all scopes of a token together, separated by spaces."""

_SCOPE: Final = re.compile(r"(?:read|write)(?::[A-Za-z][A-Za-z0-9_-]*)?\Z")


def check_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes, each once and in their order.

    Raises:
        ValueError: There is no scope, a scope has an unknown form, or the scopes are too long.
    """
    found = (scopes,) if isinstance(scopes, str) else tuple(dict.fromkeys(scopes))
    if not found:
        raise ValueError("A token needs at least one scope, such as read.")
    for each in found:
        if not is_scope(each):
            raise ValueError("A scope must be read, write, or one of them with a resource type, such as write:Group.")
    if len(" ".join(found)) > MAX_SCOPES:
        raise ValueError(f"The scopes of a token may have at most {MAX_SCOPES} characters together.")
    return found


def is_scope(value: object) -> bool:
    """Report whether a value has the form of a scope."""
    return isinstance(value, str) and _SCOPE.match(value) is not None


def effective_scopes(scopes: Collection[str]) -> frozenset[str] | None:
    """Return the scopes as a set, or None if they permit every operation on every resource type."""
    return None if "read" in scopes and "write" in scopes else frozenset(scopes)
