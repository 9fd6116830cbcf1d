"""Documents: JSON objects in and out, within limits.

A *document* is a resource in canonical form: canonical attribute names, typed values, no nulls, no
empty arrays or objects, no `$ref` and no `meta.location`. Inside scimkit a document is never changed
in place: whoever needs another one builds it, sharing the branches that stay.

This module never looks at a schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeAlias

from pydantic_core import PydanticSerializationError, from_json, to_json

from scimkit.errors import InvalidSyntax

Document: TypeAlias = Mapping[str, Any]
"""A resource in canonical form. Read-only by type: a store may hand out what it keeps."""

MAX_DEPTH: Final = 64
"""Levels of nesting a request body may have. A SCIM resource needs five."""

_WHITE_SPACE_BEFORE_COLON: Final = (b" :", b"\t:", b"\n:", b"\r:")


def parse_json(body: bytes) -> Any:
    """Read a UTF-8 JSON text as RFC 8259 has it and RFC 7644 section 3.12 expects it.

    Refused: NaN and infinities, numbers out of range, lone surrogates, other encodings, a byte order
    mark, nesting deeper than `MAX_DEPTH`, a name given twice in one object, and NUL in any string
    (no database keeps it).

    Raises: InvalidSyntax.
    """
    try:
        value = from_json(body, allow_inf_nan=False)
    except (ValueError, RecursionError):
        raise InvalidSyntax("The request body is not valid JSON in UTF-8.") from None
    if b"\\u0000" in body and _has_null_character(value):
        raise InvalidSyntax("The request body has a null character in a string.")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise InvalidSyntax(f"The request body is nested deeper than {MAX_DEPTH} levels.")
    if _may_repeat_a_name(body, value):
        _refuse_repeated_names(body)
    return value


def parse_object(body: bytes) -> dict[str, Any]:
    """`parse_json`, for bodies that must be one JSON object. Raises: InvalidSyntax."""
    value = parse_json(body)
    if type(value) is not dict:
        raise InvalidSyntax("The request body must be a JSON object.")
    return value


def write_json(value: object) -> bytes:
    """The compact UTF-8 JSON text of a value made of JSON types."""
    try:
        return to_json(value)
    except PydanticSerializationError:
        raise InvalidSyntax("A value has no JSON form.") from None


def _may_repeat_a_name(body: bytes, value: object) -> bool:
    """Whether the text could hold a name twice: a cheap test that may only err towards yes.

    The parser keeps the last of two equal names, so the text would then hold more `":` than the
    value holds names. The count is exact unless white space stands before a colon or a string holds
    an escaped quote before one; both are answered with yes.
    """
    if any(pattern in body for pattern in _WHITE_SPACE_BEFORE_COLON):
        return True
    return body.count(b'":') != _count_names(value)


def _refuse_repeated_names(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_unique_names)
    except RecursionError:
        raise InvalidSyntax("The request body is nested too deep.") from None


def _unique_names(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        _repeated_name()


def _repeated_name() -> NoReturn:
    raise InvalidSyntax("The request body gives the same name twice in one object.")


def _count_names(value: object) -> int:
    if type(value) is dict:
        count = len(value)
        for item in value.values():
            if type(item) is dict or type(item) is list:
                count += _count_names(item)
        return count
    if type(value) is list:
        return sum(_count_names(item) for item in value if type(item) is dict or type(item) is list)
    return 0


def _depth(value: object) -> int:
    if type(value) is dict:
        return 1 + max(map(_depth, value.values()), default=0)
    if type(value) is list:
        return 1 + max(map(_depth, value), default=0)
    return 0


def _has_null_character(value: object) -> bool:
    if type(value) is str:
        return "\0" in value
    if type(value) is dict:
        return any("\0" in name or _has_null_character(item) for name, item in value.items())
    if type(value) is list:
        return any(map(_has_null_character, value))
    return False
