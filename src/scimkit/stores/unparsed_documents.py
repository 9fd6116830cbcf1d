"""The documents of a page as the JSON text in which a database holds them.

The service puts the text into the response without parsing it, if the response contains the whole document. All other
code reads the page as a sequence of documents, which are parsed when the first one is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, TypeAlias, overload

from scimkit.documents import Document
from scimkit.stores.metadata import member_entry


class Unparsed(NamedTuple):
    """A document as the JSON text of an object, with the parts that a database holds elsewhere.

    The text was written by `scimkit.documents.write_json`. It has `id` and `schemas`, but no `meta`, no members and no
    computed groups.
    """

    id: str
    version: int
    created: bytes
    modified: bytes
    text: bytes
    groups: Sequence[tuple[bytes, bytes | None]]
    """The id and the display name of each group, in UTF-8."""


def group_entry(id: bytes, display: bytes | None) -> dict[str, Any]:
    """Return the element of a user's `groups` for the id and the display name of a group."""
    return member_entry(id.decode(), "direct", None if display is None else display.decode())


Parse: TypeAlias = Callable[[Unparsed], Document]


class UnparsedDocuments(Sequence[Document]):
    """A page of documents that are parsed when the first one is read.

    Args:
        unparsed: The documents of the page.
        parse: Returns the whole document, with `meta` and the groups.
    """

    __slots__ = ("_parse", "_parsed", "unparsed")

    def __init__(self, unparsed: Sequence[Unparsed], parse: Parse) -> None:
        self.unparsed: Sequence[Unparsed] = unparsed
        """The documents of the page as text."""
        self._parse = parse
        self._parsed: list[Document] | None = None

    def parse(self, each: Unparsed) -> Document:
        """Return one document of the page."""
        return self._parse(each)

    def _documents(self) -> list[Document]:
        if self._parsed is None:
            self._parsed = [self._parse(each) for each in self.unparsed]
        return self._parsed

    def __len__(self) -> int:
        return len(self.unparsed)

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents())

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Document]: ...
    def __getitem__(self, index: Any) -> Any:
        return self._documents()[index]

    def __eq__(self, other: object) -> bool:
        """Compare the documents with those of another sequence."""
        return isinstance(other, Sequence) and self._documents() == list(other)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # as a list
