"""Functions that read and write JSON within limits, and the type of canonical documents.

A *document* is a resource in canonical form. Attribute names have the case of the schema, and values have the type of
the schema. A document has no nulls, no empty arrays or objects, no `$ref` and no `meta.location`.

scimkit never changes a document in place. A changed document is a new object that shares the unchanged parts.

This module never looks at a schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeAlias

from pydantic_core import PydanticSerializationError, from_json, to_json

from scimkit.errors import InvalidSyntax

Document: TypeAlias = Mapping[str, Any]
"""A resource in canonical form. The type is read-only, because a store may return the object that it stores."""

_SPACE: Final = " \t\n\r"
"""The white space that may surround a JSON value (RFC 8259 section 2)."""

_NOT_JSON: Final = "The request body is not valid JSON in UTF-8."
_SPECIAL_ESCAPE: Final = re.compile(r"\\u(?:003[aA]|0000|[dD][89a-fA-F])")
"""An escape that stands for a colon, a null character or half a surrogate pair."""
_UNDECIDED: Final = object()
"""Marker returned by the fast parser for a text that the exact parser must read."""

_JSON_ERRORS: Final = (TypeError, ValueError)
"""Exceptions of the JSON libraries for text that is not JSON, and for values that have no JSON form."""

MAX_DEPTH: Final = 64
"""Maximum nesting of a request body. A SCIM resource needs five levels."""


def _writer() -> Callable[[object], bytes]:
    """Return the fastest installed JSON writer: `orjson` if `scimkit[speed]` is installed, otherwise `to_json`.

    `orjson` is four times as fast. It raises an error for values that are not plain JSON types, and for integers of
    more than 64 bits.
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
    """Parse JSON text in UTF-8 (RFC 8259).

    A number that is too large for a float becomes infinity, which no attribute accepts.

    Raises:
        InvalidSyntax: The text is not JSON in UTF-8, or has NaN or infinity. An object repeats a name. A string has a
            lone surrogate or a null character, which databases do not store. The nesting exceeds `MAX_DEPTH`.
    """
    try:
        text = body.decode()
        if text[:1] == "\ufeff":  # a byte order mark, which a parser may ignore (RFC 8259 section 8.1)
            text = text[1:]
    except ValueError:
        raise InvalidSyntax(_NOT_JSON) from None
    has_special = "\\u" in text and _SPECIAL_ESCAPE.search(text) is not None
    value = _UNDECIDED if has_special else _parse_fast(text)
    if value is _UNDECIDED:
        value = _parse_exactly(text)
    if len(text) > 2 * MAX_DEPTH and text.count("{") + text.count("[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise InvalidSyntax(f"The request body is nested deeper than {MAX_DEPTH} levels.")
    if has_special and _has_unusable_character(value):
        raise InvalidSyntax("The request body has a null character or half a surrogate pair in a string.")
    return value


def _parse_fast(text: str) -> Any:
    """Parse JSON text that has no special escapes. Return `_UNDECIDED` if the exact parser must read the text.

    The function writes the value again and counts the colons to detect repeated names. A repeated name loses a colon,
    and nothing else changes their number, because no escape stands for a colon. A check of every object during parsing
    takes twice as long.
    """
    try:
        value = from_json(text, allow_inf_nan=False, cache_strings="keys")
        return value if text.count(":") == _write(value).count(b":") else _UNDECIDED
    except _JSON_ERRORS:
        return _UNDECIDED


def _parse_exactly(text: str) -> Any:
    """Parse JSON text with all checks. Raise InvalidSyntax if the text is not valid."""
    try:
        text = text.strip(_SPACE)
        value, end = _DECODER.raw_decode(text)
        if end != len(text):
            raise ValueError("text after the JSON value")
    except (ValueError, RecursionError):
        raise InvalidSyntax(_NOT_JSON) from None
    return value


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a request body that must be a JSON object.

    Raises:
        InvalidSyntax: The body is not valid, as for `parse_json`, or is not an object.
    """
    value = parse_json(body)
    if type(value) is not dict:
        raise InvalidSyntax("The request body must be a JSON object.")
    return value


def write_json(value: object) -> bytes:
    """Return the compact JSON text of a value in UTF-8.

    Raises:
        InvalidSyntax: The value has no JSON form.
    """
    try:
        return _write(value)
    except _JSON_ERRORS:
        pass
    try:
        return to_json(value)
    except PydanticSerializationError:
        raise InvalidSyntax("A value cannot be written as JSON.") from None


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise InvalidSyntax("The request body gives the same name twice in one object.")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique_names, parse_constant=_refuse_constant)


def _is_deeper(value: object, levels: int) -> bool:
    """Report whether a value has more levels than allowed. The recursion stops at the limit."""
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


def camel_case(name: str) -> str:
    """Return a Python name in the form of attribute names, such as `lastUsed` for `last_used`."""
    first, *others = name.split("_")
    return first + "".join(each.title() for each in others)
