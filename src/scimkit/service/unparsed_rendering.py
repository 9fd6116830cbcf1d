"""Rendering of the documents of a page as text, without parsing them.

A page of one hundred resources would otherwise create thousands of objects, only to write them again. The text of a
document becomes part of the response if the response contains all of the text. Any other document is parsed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from scimkit.documents import Document, write_json
from scimkit.schema.projection import Projection
from scimkit.service.locations import path_segment
from scimkit.service.rendering import Renderer, list_response
from scimkit.stores.protocol import GROUPS, META
from scimkit.stores.unparsed_documents import Unparsed, UnparsedDocuments, group_entry

Rendered: TypeAlias = "Mapping[str, Any] | bytes"
"""A resource in a response: a JSON object, or the text of one."""


def render_page(
    documents: Sequence[Document], renderer: Renderer, projection: Projection, base_url: str
) -> list[Rendered]:
    """Return the documents of a page for a response, as text where that is possible."""
    stripped = projection.stripped
    if type(documents) is not UnparsedDocuments or stripped is None or META in stripped or GROUPS in stripped:
        return [renderer.render(each, projection, base_url) for each in documents]
    page = _Page(renderer, base_url)
    marks = [write_json(each) for each in (*stripped, *renderer.references, META, GROUPS)]
    together = b"".join([each.text for each in documents.unparsed])
    marks = [each for each in (*marks, b"\\u") if each in together]
    return [
        renderer.render(documents.parse(each), projection, base_url)
        if marks and any(mark in each.text for mark in marks)
        else page.text(each)
        for each in documents.unparsed
    ]


class _Page:
    """Renders the documents of one page whose text is part of the response."""

    def __init__(self, renderer: Renderer, base_url: str) -> None:
        self._renderer = renderer
        self._base_url = base_url
        self._groups: dict[tuple[bytes, bytes | None], bytes] = {}
        kind, location = write_json(renderer.name), write_json(renderer.location("", base_url))
        self._meta = b'%s,"meta":{"resourceType":' + kind.replace(b"%", b"%%")
        self._meta += b',"created":"%s","lastModified":"%s","version":"W/\\"%d\\"","location":'
        self._meta += location[:-1].replace(b"%", b"%%") + b'%s"}'

    def text(self, it: Unparsed) -> bytes:
        """Return the text of a document with `meta` and its groups."""
        whole = self._meta % (it.text[:-1], it.created, it.modified, it.version, path_segment(it.id).encode())
        if not it.groups:
            return whole + b"}"
        return b'%s,"groups":[%s]}' % (whole, b",".join([self._group(id, name) for id, name in it.groups]))

    def _group(self, id: bytes, name: bytes | None) -> bytes:
        """Return the text of an element of `groups`. Many users of a page have the same groups."""
        text = self._groups.get((id, name))
        if text is None:
            holder: dict[str, Any] = {GROUPS: [group_entry(id, name)]}
            self._renderer.add_references(holder, self._base_url)
            text = self._groups[id, name] = write_json(holder[GROUPS][0])
        return text


def list_body(resources: Sequence[Rendered], total: int, start_index: int | None, **cursors: str) -> bytes:
    """Return the JSON text of a ListResponse (RFC 7644 section 3.4.2).

    Args:
        resources: The resources of the page.
        total: The number of resources on all pages.
        start_index: The number of the first resource; None for a page by cursor.
        cursors: The cursors of other pages, by the name of their attribute (RFC 9865 section 2).
    """
    if not any(type(each) is bytes for each in resources):
        return write_json(list_response(resources, total, start_index) | cursors)  # type: ignore[arg-type]
    head = list_response((), total, start_index) | cursors
    head["itemsPerPage"] = len(resources)
    del head["Resources"]
    texts = [each if type(each) is bytes else write_json(each) for each in resources]
    return b'%s,"Resources":[%s]}' % (write_json(head)[:-1], b",".join(texts))
