"""Describe in text what a quirk rewrote, for people who read the provisioning log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from scimkit.dialects.quirks import Stage
from scimkit.documents import write_json
from scimkit.schema.attributes import Attribute

MAX_TEXT: Final = 200
"""The largest number of characters of a described value."""


class Rewrite(NamedTuple):
    """One use of a quirk: the stage, the arguments that the quirk received, and its answer."""

    stage: Stage
    arguments: tuple[Any, ...]
    answer: Any


class RewriteText(NamedTuple):
    """The attribute or path that a quirk rewrote, and the texts before and after. None if there is none to show."""

    attribute: str | None = None
    before: str | None = None
    after: str | None = None


_Description: TypeAlias = Callable[[tuple[Any, ...], Any], RewriteText]


def _of_value(arguments: tuple[Any, ...], answer: Any) -> RewriteText:
    """Describe the rewrite of a value. Values of attributes that are never returned stay hidden."""
    attribute: Attribute = arguments[0]
    if attribute.returned == "never" or attribute.mutability == "writeOnly":
        return RewriteText(attribute.path)
    return RewriteText(attribute.path, _text(arguments[1]), _text(answer))


def _of_name(arguments: tuple[Any, ...], answer: Any) -> RewriteText:
    return RewriteText(_text(arguments[-1]), _text(arguments[-1]), _text(answer))


def _of_word(arguments: tuple[Any, ...], answer: Any) -> RewriteText:
    return RewriteText(None, _text(arguments[0]), _text(answer))


def _of_parameter(arguments: tuple[Any, ...], answer: Any) -> RewriteText:
    return RewriteText(arguments[0], _text(arguments[1]), _text(answer))


def _of_unknown(arguments: tuple[Any, ...], answer: Any) -> RewriteText:
    return RewriteText(_text(arguments[1]))


def _of_attribute(arguments: tuple[Any, ...], answer: Any) -> RewriteText:
    return RewriteText(arguments[0].path)


def _of_text(arguments: tuple[Any, ...], answer: Any) -> RewriteText:
    return RewriteText(None, _text(arguments[0]))


_DESCRIPTIONS: Final[Mapping[str, _Description]] = {
    **dict.fromkeys(("value", "values", "removal", "embedded", "compared", "primaries"), _of_value),
    **dict.fromkeys(("name", "path"), _of_name),
    **dict.fromkeys(("operation_name", "bare_value", "attribute_path"), _of_word),
    **dict.fromkeys(("part", "clears_whole", "creates_elements", "omitted", "read_only"), _of_attribute),
    **dict.fromkeys(("message", "extra_member", "empty_parameter", "media_type"), _of_text),
    "parameter": _of_parameter,
    "unknown": _of_unknown,
}
"""The description of each stage whose rewrite has something to show."""


def described(rewrite: Rewrite | None) -> RewriteText:
    """Return the texts of a rewrite, each at most `MAX_TEXT` characters."""
    if rewrite is None or rewrite.stage not in _DESCRIPTIONS:
        return RewriteText()
    return _DESCRIPTIONS[rewrite.stage](rewrite.arguments, rewrite.answer)


def _text(value: Any) -> str | None:
    """Return a value as JSON, or a text as it is. Returns None for a value that is not JSON."""
    if isinstance(value, Attribute):
        return value.path
    if isinstance(value, str):
        text = value
    elif value is None or isinstance(value, bool | int | float | list | dict):
        text = write_json(value).decode()
    else:
        return None
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}\u2026"
