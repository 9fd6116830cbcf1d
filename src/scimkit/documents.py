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

from pydantic_core import PydanticSerializationError, to_json

from scimkit.errors import InvalidSyntax

Document: TypeAlias = Mapping[str, Any]
"""A resource in canonical form. Read-only by type: a store may hand out what it keeps."""

_SPACE: Final = " \t\n\r"
"""What JSON has around a value (RFC 8259 section 2)."""

MAX_DEPTH: Final = 64
"""Levels of nesting a request body may have. A SCIM resource needs five."""


def parse_json(body: bytes) -> Any:
    """Read a UTF-8 JSON text as RFC 8259 has it and RFC 7644 section 3.12 expects it.

    Refused: NaN and infinities, lone surrogates, other encodings, a byte order mark, nesting deeper
    than `MAX_DEPTH`, a name given twice in one object, and NUL in any string (no database keeps it).
    A number too large for a float is infinite, which no attribute takes.

    Raises: InvalidSyntax.
    """
    try:
        text = body.decode().strip(_SPACE)
        value, end = _DECODER.raw_decode(text)
        if end != len(text):
            raise ValueError("there is more after it")
    except (ValueError, RecursionError):
        raise InvalidSyntax("The request body is not valid JSON in UTF-8.") from None
    if "\\u" in text and _has_unusable_character(value):
        raise InvalidSyntax("The request body has a null character or half a surrogate pair in a string.")
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise InvalidSyntax(f"The request body is nested deeper than {MAX_DEPTH} levels.")
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


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise InvalidSyntax("The request body gives the same name twice in one object.")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique_names, parse_constant=_no_constant)


def _depth(value: object) -> int:
    if type(value) is dict:
        return 1 + max(map(_depth, value.values()), default=0)
    if type(value) is list:
        return 1 + max(map(_depth, value), default=0)
    return 0


def _has_unusable_character(value: object) -> bool:
    if type(value) is str:
        return "\0" in value or (not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value))
    if type(value) is dict:
        return any(_has_unusable_character(name) or _has_unusable_character(item) for name, item in value.items())
    if type(value) is list:
        return any(map(_has_unusable_character, value))
    return False
