"""A group that is sent while its members are read: one of any size takes bounded memory.

This module never has more members at hand than it was told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from scimkit.documents import Document, write_json
from scimkit.stores.protocol import Members

Read: TypeAlias = Callable[[int], Awaitable[Members]]
"""The members after a place."""

Render: TypeAlias = Callable[[Sequence[Document]], Sequence[Mapping[str, Any]]]
"""Members as they are sent."""


class MemberStream:
    """The JSON text of a group in parts: all else and the first members, then more of them."""

    def __init__(self, read: Read, render: Render, first: Members, check: Callable[[], Awaitable[object]]) -> None:
        self._read = read
        self._check = check
        self._render = render
        self._first = first
        self._next = first.next
        self._separator = b""

    def begin(self, rendered: Mapping[str, Any]) -> bytes:
        """The first part, from the group as it is sent but for its members."""
        return write_json(rendered)[:-1] + b',"members":[' + self._written(self._first)

    async def more(self) -> bytes:
        """Return the next part; empty after the last part.

        `check` is awaited before the end: it raises if the group was deleted meanwhile, so that a client never takes
        the members that were sent for all members.
        Raises: what the store raises; the text then has no end.
        """
        part = b""
        while not part and self._next is not None:
            found = await self._read(self._next)
            self._next = found.next
            part = self._written(found)
            if self._next is None:
                await self._check()
                part += b"]}"
        return part

    def _written(self, members: Members) -> bytes:
        text = write_json(self._render(members.entries))[1:-1]
        if text:
            text, self._separator = self._separator + text, b","
        return text
