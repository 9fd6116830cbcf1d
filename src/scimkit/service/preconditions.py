"""Conditional requests with `If-Match` and `If-None-Match` (RFC 7644 section 3.14, RFC 9110 section 13.1).

This module does not read or write resources. It compares versions weakly, because SCIM resources have weak ETags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from scimkit.errors import PreconditionFailed

_SEPARATOR: Final = re.compile(r"[\s,]*+")
_TAG: Final = re.compile(r'(?:W/)?("[^"\x00-\x20\x7f]*+")\s*+(?:,|\Z)')
_ANY: Final = "*"


def is_conditional(headers: Mapping[str, str]) -> bool:
    """Report whether a request depends on the version of its resource."""
    return "if-match" in headers or "if-none-match" in headers


def check(headers: Mapping[str, str], version: str) -> None:
    """Check the preconditions of a write against the version of the resource.

    Raises:
        PreconditionFailed: The version does not satisfy `If-Match` or `If-None-Match`.
    """
    wanted, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if wanted is not None and not _matches(wanted, version):
        raise PreconditionFailed()
    if unwanted is not None and _matches(unwanted, version):
        raise PreconditionFailed()


def is_unchanged(headers: Mapping[str, str], version: str) -> bool:
    """Report whether a read can be answered with 304, because the client has this version already.

    Raises:
        PreconditionFailed: `If-Match` names other versions only.
    """
    wanted, known = headers.get("if-match"), headers.get("if-none-match")
    if wanted is not None and not _matches(wanted, version):
        raise PreconditionFailed()
    return known is not None and _matches(known, version)


def _matches(header: str, version: str) -> bool:
    """Report whether a list of entity tags, or `*`, names a version. Malformed entity tags are skipped.

    The scan takes one step for each element of the list and never examines a character twice.
    """
    if header.strip() == _ANY:
        return True
    wanted, position = version.removeprefix("W/"), 0
    while True:
        position = _SEPARATOR.match(header, position).end()  # type: ignore[union-attr]  # matches empty text too
        if position == len(header):
            return False
        tag = _TAG.match(header, position)
        if tag is None:
            position = header.find(",", position)
            if position < 0:
                return False
        elif tag[1] == wanted:
            return True
        else:
            position = tag.end()
