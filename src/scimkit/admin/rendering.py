"""Render pages from templates. Every value is escaped, and every word comes from one table.

Templates and static files are read from the package once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from scimkit.admin.page_requests import PageRequest, path_below
from scimkit.admin.words import ENGLISH

_FOLDER: Final = Path(__file__).parent
_TYPES: Final = {
    "admin.css": "text/css; charset=utf-8", "admin.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
}  # fmt: skip
STATIC_FILES: Final[Mapping[str, tuple[bytes, str]]] = {
    name: ((_FOLDER / "static" / name).read_bytes(), media_type) for name, media_type in _TYPES.items()
}
"""The content and the media type of each static file."""
STATIC_VERSION: Final = sha256(b"".join(content for content, _ in STATIC_FILES.values())).hexdigest()[:12]
"""A version that changes with the content of the static files, so that browsers can cache them."""
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60))


class Renderer:
    """Renders templates with the words of one language.

    Args:
        words: Words that replace those of `ENGLISH`, by key.
        name: The name of the application, in the header of each page.

    Raises:
        ModuleNotFoundError: Jinja2 is not installed.
        ValueError: `words` has a key that the page does not know.
    """

    def __init__(self, words: Mapping[str, str], name: str) -> None:
        try:
            from jinja2 import Environment, PackageLoader, StrictUndefined
            from markupsafe import Markup, escape
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError("the admin page needs Jinja2: pip install 'scimkit[admin]'") from missing

        def with_code(text: str) -> Markup:
            """Return a text as HTML, with its parts between backticks as code."""
            parts = [escape(each) for each in text.split("`")]
            return Markup("").join(
                Markup("<code>%s</code>") % each if number % 2 else each for number, each in enumerate(parts)
            )

        unknown = sorted(words.keys() - ENGLISH.keys())
        if unknown:
            raise ValueError(f"words has the unknown key {unknown[0]}")
        self._words = {**ENGLISH, **words}
        self._environment = Environment(
            loader=PackageLoader("scimkit.admin"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._environment.globals |= {"t": self.word, "has_word": self._words.__contains__, "name": name}
        self._environment.filters |= {
            "instant": _instant, "ago": self.ago, "span": self.span, "json_text": _json_text, "iso": datetime.isoformat,
            "with_code": with_code,
        }  # fmt: skip

    def word(self, key: str, /, **values: object) -> str:
        """Return the words for a key, with values in their places."""
        text = self._words[key]
        return text.format_map(values) if values else text

    def ago(self, instant: datetime, now: datetime) -> str:
        """Return how long ago an instant was, or in how long it will be."""
        key = "time.ago" if instant <= now else "time.in"
        return self.word(key, span=self.span(abs(now - instant)))

    def span(self, duration: timedelta) -> str:
        """Return a duration in its largest unit."""
        seconds = int(duration.total_seconds())
        for unit, size in _UNITS:
            if seconds >= size:
                number = seconds // size
                return self.word(f"time.{unit}" if number == 1 else f"time.{unit}s", number=number)
        return self.word("time.moments")

    def render(self, template: str, values: Mapping[str, Any], call: PageRequest | None, root: str) -> str:
        """Return the HTML of a page."""

        def url(*segments: str, query: str = "") -> str:
            return path_below(root, *segments) + (f"?{query}" if query else "")

        static = {name: url("static", STATIC_VERSION, name) for name in STATIC_FILES}
        return self._environment.get_template(template).render(values, url=url, static=static, call=call)


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _json_text(value: Any) -> str:
    """Return a value of an attribute as people read it: text as it is, other values as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, default=str)
