"""The words of the admin page in English. `english.toml` is the only file to translate."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final


def flat_words(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the keys and words of a table of words, such as `("tokens.title", "SCIM tokens")`.

    The elements of a list have the keys `KEY.1`, `KEY.2` and so on.
    """
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from flat_words(value, f"{key}.")
        elif isinstance(value, list):
            yield from ((f"{key}.{number}", each) for number, each in enumerate(value, 1))
        else:
            yield key, value


ENGLISH: Final[Mapping[str, str]] = dict(
    flat_words(tomllib.loads(Path(__file__).with_name("english.toml").read_text(encoding="utf-8")))
)
"""The words by key."""
