"""Documents: JSON objects in and out, within limits.

A *document* is a resource in canonical form: canonical attribute names, typed values, no nulls, no
empty arrays or objects, no `$ref` and no `meta.location`. Inside scimkit a document is never changed
in place: whoever needs another one builds it, sharing the branches that stay.

This module never looks at a schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeAlias

from pydantic_core import PydanticSerializationError, from_json, to_json

from scimkit.errors import InvalidSyntax

Document: TypeAlias = Mapping[str, Any]
"""A resource in canonical form. Read-only by type: a store may hand out what it keeps."""

_SPACE: Final = " \t\n\r"
"""What JSON has around a value (RFC 8259 section 2)."""

_NOT_JSON: Final = "The request body is not valid JSON in UTF-8."
_UNSURE: Final = object()
"""What the quick reader says of a text that the exact one has to read."""

_UNWRITTEN: Final = (TypeError, ValueError)
"""What is raised for a text that is not JSON, and for a value that is not written."""

MAX_DEPTH: Final = 64
"""Levels of nesting a request body may have. A SCIM resource needs five."""


def _writer() -> Callable[[object], bytes]:
    """What writes plain JSON types as `to_json` does: `orjson`, four times as fast, if `scimkit[speed]` is installed.

    It refuses what is not plain JSON, and whole numbers of more than 64 bits.
    """
    try:
        import orjson
    except ImportError:
        return to_json
    dumps = orjson.dumps
    plain = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS

    def write(value: object) -> bytes:
        return dumps(value, None, plain)

    return write


_write: Final = _writer()


def parse_json(body: bytes) -> Any:
    """Read a UTF-8 JSON text as RFC 8259 has it and RFC 7644 section 3.12 expects it.

    Refused: NaN and infinities, lone surrogates, other encodings, nesting deeper
    than `MAX_DEPTH`, a name given twice in one object, and NUL in any string (no database keeps it).
    A number too large for a float is infinite, which no attribute takes.

    Raises: InvalidSyntax.
    """
    try:
        text = body.decode()
        if text[:1] == "\ufeff":  # a byte order mark, which RFC 8259 section 8.1 lets a reader ignore
            text = text[1:]
    except ValueError:
        raise InvalidSyntax(_NOT_JSON) from None
    escaped = "\\" in text
    value = _UNSURE if escaped else _read_quickly(text)
    if value is _UNSURE:
        value = _read_exactly(text)
    if text.count("{") + text.count("[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise InvalidSyntax(f"The request body is nested deeper than {MAX_DEPTH} levels.")
    if escaped and _has_unusable_character(value):
        raise InvalidSyntax("The request body has a null character or half a surrogate pair in a string.")
    return value


def _read_quickly(text: str) -> Any:
    """What a text without escapes says; `_UNSURE` for one that the exact reader has to read.

    Without escapes every colon of the text is one of its value written again, unless a name that was given twice took
    one away. To ask that of every object while it is read takes twice as long.
    """
    try:
        value = from_json(text, allow_inf_nan=False, cache_strings="keys")
        return value if text.count(":") == _write(value).count(b":") else _UNSURE
    except _UNWRITTEN:
        return _UNSURE


def _read_exactly(text: str) -> Any:
    """What a text says, and what is wrong with it. Raises: InvalidSyntax."""
    try:
        text = text.strip(_SPACE)
        value, end = _DECODER.raw_decode(text)
        if end != len(text):
            raise ValueError("there is more after it")
    except (ValueError, RecursionError):
        raise InvalidSyntax(_NOT_JSON) from None
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
        return _write(value)
    except _UNWRITTEN:
        pass
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


def _is_deeper(value: object, levels: int) -> bool:
    """Whether a value has more levels; no more are looked at, since Python counts them too."""
    if type(value) is not dict and type(value) is not list:
        return False
    inner = value.values() if type(value) is dict else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)


def _has_unusable_character(value: object) -> bool:
    if type(value) is str:
        return "\0" in value or (not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value))
    if type(value) is dict:
        return any(_has_unusable_character(name) or _has_unusable_character(item) for name, item in value.items())
    if type(value) is list:
        return any(map(_has_unusable_character, value))
    return False
