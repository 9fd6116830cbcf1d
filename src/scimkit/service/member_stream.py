"""A streamed group response: the members are sent while they are read, so a group of any size needs bounded memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from scimkit.documents import Document, write_json
from scimkit.stores.protocol import Members

Read: TypeAlias = Callable[[int], Awaitable[Members]]
"""A function that reads the members that follow a position."""

Render: TypeAlias = Callable[[Sequence[Document]], Sequence[Mapping[str, Any]]]
"""A function that returns members as JSON objects for the response."""


class MemberStream:
    """The JSON text of a group in parts. The first part has all other attributes and the first members."""

    def __init__(self, read: Read, render: Render, first: Members, check: Callable[[], Awaitable[object]]) -> None:
        self._read = read
        self._check = check
        self._render = render
        self._first = first
        self._next = first.next
        self._separator = b""

    def begin(self, rendered: Mapping[str, Any]) -> bytes:
        """Return the first part of the text.

        Args:
            rendered: The group as a JSON object without its members.
        """
        return write_json(rendered)[:-1] + b',"members":[' + self._written(self._first)

    async def more(self) -> bytes:
        """Return the next part of the text, or an empty part after the last one.

        Before the last part, `check` is awaited. It raises if the group was deleted meanwhile. The client then sees an
        incomplete text instead of an incomplete list of members.

        Raises:
            ScimError: The store failed. The text then has no end, so the client notices.
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
        """Return the JSON text of some members, with a separator before it if needed."""
        text = write_json(self._render(members.entries))[1:-1]
        if text:
            text, self._separator = self._separator + text, b","
        return text
