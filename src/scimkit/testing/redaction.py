"""Replacement of tokens, passwords and personal data in a recording by invented values, called fictions.

A text is kept only if its attribute shows that the text is not personal. Within a recording, equal texts get
equal fictions. This module performs no I/O.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote_plus

from scimkit.filters.ast import OPERATORS
from scimkit.schema.attributes import Attribute, AttributeTable
from scimkit.schema.resource_types import ResourceType
from scimkit.testing.recorded_words import MESSAGE, METHODS, PROTOCOL, STAMPS, WORDS

BASE_URL: Final = "https://scim.example.org/v2"
_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\Z")
_NAME: Final = re.compile(r"[$A-Za-z][A-Za-z_$-]{0,40}\Z")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[()\[\]]|\s+|[^\s()\[\]"]+', re.DOTALL)
_DETAIL_WORD: Final = re.compile(r"\S+")
_SMALL: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,2})*|")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?\Z")
_WORDS: Final = frozenset({*OPERATORS, "pr", "and", "or", "not", "true", "false", "null"})
_KEPT: Final = frozenset({"", "true", "false", "work", "home", "other", "mobile", "fax", "pager", "user", "group"})
_ENDPOINTS: Final = frozenset({"", "Bulk", "Me", ".search", "ServiceProviderConfig", "ResourceTypes", "Schemas"})
_LISTS: Final = frozenset({"attributes", "excludedattributes", "sortby"})
_NUMBERS: Final = frozenset({"startindex", "count"})


class Redactor:
    """The fictions of one recording, for the resource types of one service."""

    def __init__(self, resource_types: Sequence[ResourceType]) -> None:
        self._types = {each.endpoint.strip("/"): each for each in resource_types}
        self._made: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._names = {each.name for each in resource_types}
        self._urns = {
            urn.lower() for each in resource_types for urn in (each.schema, *(x.name for x in each.extensions))
        }

    def fiction(self, text: str, kind: str = "text") -> str:
        """Return the fiction of a text. The fiction has the letter case and the form of the text, but no part of it."""
        made = self._made.get(text.casefold())
        if made is None:
            number = len(self._made) + 1
            made = f"person{number}@example.org" if "@" in text else f"{kind}-{number}"
            self._made[text.casefold()] = made
        return made.upper() if text.isupper() else made

    def number(self, number: int | float | str) -> int:
        """Return the fiction of a number, which may be given as text."""
        return self._numbers.setdefault(str(number), 1001 + len(self._numbers))

    def id(self, text: str) -> str:
        """Return an id unchanged if it is a UUID, and a fiction otherwise. A `bulkId` reference stays a reference."""
        if text.startswith("bulkId:"):
            return f"bulkId:{self.fiction(text[7:])}"
        return text if _ID.match(text) else self.fiction(text, "id")

    def type_at(self, path: str) -> ResourceType | None:
        """Return the resource type that the path of a request addresses, or None."""
        return self._types.get(path.strip("/").partition("/")[0])

    def path(self, path: str) -> str:
        """Return the path of a request with fictions."""
        first, slash, rest = path.lstrip("/").partition("/")
        if first not in self._types and first not in _ENDPOINTS:
            return "/" + self.fiction(first) + ("/id" if rest else "")
        known = rest in _ENDPOINTS or rest.lower() in self._urns or rest in {each.name for each in self._types.values()}
        return f"/{first}{slash}{rest if known else self.id(rest)}"

    def query(self, query: str, kind: ResourceType | None) -> str:
        """Return a raw query string with fictions. Separators, the case of names and the form of spaces are kept."""
        return "&".join(self._parameter(each, kind) for each in query.split("&"))

    def _parameter(self, raw: str, kind: ResourceType | None) -> str:
        name, equals, coded = raw.partition("=")
        value = unquote_plus(coded, errors="replace")
        if name.lower() == "filter":
            value = self.filter(value, kind)
        elif name.lower() in _LISTS:
            value = ",".join(
                each if self._resolve(each.strip(), kind) else self.fiction(each) for each in value.split(",")
            )
        elif name.lower() not in _NUMBERS or not value.lstrip("-").isdigit():
            ordered = value.lower() in ("ascending", "descending", "")
            value = value if ordered else self.fiction(value)
        name = name if _NAME.match(name) or not name else self.fiction(name)
        return name + equals + (quote_plus(value) if "+" in coded else quote(value))

    def filter(self, text: str, kind: ResourceType | None) -> str:
        """Return a filter or a PATCH path, which may be malformed, with fictions as values. Operators are kept."""
        made: list[str] = []
        head = closed = ""
        attribute: Attribute | None = None
        wants_value = False
        for token in _TOKEN.findall(text):
            word = token.lower()
            if token.isspace():
                made.append(" ")
            elif token in "()[]":
                head, closed = (
                    (made[-1] if made else "", closed) if token == "[" else ("", head if token == "]" else "")
                )
                made.append(token)
            elif not wants_value and (word in _WORDS or not token.startswith('"')):
                wants_value = word in OPERATORS and word != "pr"
                if word not in _WORDS:
                    owner = head or (closed if token.startswith(".") else "")
                    name = f"{owner}.{token.lstrip('.')}" if owner else token
                    attribute = self._resolve(name, kind)
                    dot = "." if token.startswith(".") else ""
                    token = token if attribute is not None else dot + self.fiction(token.lstrip("."), "unknown")
                made.append(token)
            else:
                wants_value = False
                made.append(self._compared(token, attribute))
        return "".join(made)

    def _compared(self, token: str, attribute: Attribute | None) -> str:
        if not token.startswith('"'):
            return token if token.lower() in ("true", "false", "null") else str(self.value(attribute, token))
        return f'"{self.value(attribute, token.strip(chr(34)))}"'

    def _resolve(self, name: str, kind: ResourceType | None) -> Attribute | None:
        for each in (kind,) if kind else self._types.values():
            found = each.resolve(name) or each.resolve(re.sub(r"(:2\.0:\w+)\.", r"\1:", name))
            if found is not None:
                return found.leaf
            for extension in each.extensions:
                found = each.resolve(f"{extension.name}:{name}")
                if found is not None:
                    return found.leaf
        return None

    def value(self, attribute: Attribute | None, value: Any, parent: Attribute | None = None) -> Any:
        """Return the value of an attribute with fictions. The attribute is None if no schema has it."""
        if type(value) is list:
            return [self.value(attribute, each, parent) for each in value]
        if type(value) is dict:
            return self._members(attribute.children if attribute else AttributeTable(), value, attribute)
        if type(value) is str:
            return self._text(attribute, value, parent)
        return self.number(value) if type(value) in (int, float) else value

    def _text(self, attribute: Attribute | None, text: str, parent: Attribute | None) -> str:
        if text[:1] in ("{", "["):
            return self._json(attribute, text, parent)
        if attribute is None:
            return self.fiction(text) if text else text
        if attribute.name == "password" or attribute.returned == "never":
            return "a-secret" if text else text
        if attribute.name == "$ref" or attribute.path == "meta.location":
            return self.location(text)
        points = attribute.is_reference or (parent is not None and parent.is_reference and attribute.name == "value")
        if points or attribute.path == "id" or attribute.path.endswith(("members.value", "manager.value")):
            return self.id(text) if text else text
        stamp = STAMPS.get(attribute.path)
        if (stamp is not None and stamp.fullmatch(text)) or text.lower() in self._kept(attribute):
            return text
        if attribute.type in ("integer", "decimal") and _NUMBER.match(text.strip()):
            return str(self.number(text.strip()))
        if attribute.type == "dateTime":
            return "2001-01-01T00:00:00Z"
        if attribute.type == "binary":
            return "AAAA"
        return self.fiction(text)

    def _json(self, attribute: Attribute | None, text: str, parent: Attribute | None) -> str:
        """Return a string that contains JSON, such as a role of Entra, as JSON with fictions."""
        try:
            decoded = json.loads(text)
        except ValueError:
            return self.fiction(text)
        return json.dumps(self.value(None if parent is None else attribute, decoded, parent or attribute))

    def _kept(self, attribute: Attribute) -> frozenset[str]:
        if attribute.name == "schemas":
            return frozenset(self._urns)
        named = attribute.name == "type" or attribute.type == "boolean"
        return frozenset({"", *(each.lower() for each in attribute.canonical_values), *(_KEPT if named else ())})

    def location(self, text: str) -> str:
        """Return a URL or a relative reference with its resource type and the redacted id. The host is replaced."""
        head, _, id = text.rstrip("/").rpartition("/")
        endpoint = head.rpartition("/")[2]
        if endpoint not in self._types:
            return self.fiction(text) if text else text
        start = f"{BASE_URL}/" if "://" in text else "/" if text.startswith("/") else ""
        return f"{start}{endpoint}/{self.id(id)}"

    def _members(
        self, table: AttributeTable, value: Mapping[str, Any], parent: Attribute | None = None
    ) -> dict[str, Any]:
        made = {}
        for name, item in value.items():
            attribute = table.find(name)
            if attribute is None and (":" in name or "." in name or parent is None):
                attribute = self._resolve(name, None)
            if attribute is not None and name.lower() == attribute.name.lower() == "schemas":
                made[name] = self._schemas(item)
                continue
            made[name if attribute is not None or _NAME.match(name) else self.fiction(name, "unknown")] = self.value(
                attribute, item, parent
            )
        return made

    def _schemas(self, value: Any) -> Any:
        """Return `schemas` unchanged, except for texts that are not URNs."""
        if type(value) is list:
            return [self._schemas(each) for each in value]
        keep = type(value) is str and re.match(r"(urn:[\w:.-]+|http://schemas\.[\w./]+)\Z", value)
        return value if keep else self.value(None, value)

    def body(self, value: Any, kind: ResourceType | None) -> Any:
        """Return a request or response body with fictions. The body is a resource or a protocol message."""
        if type(value) is not dict:
            return self.value(None, value)
        made: dict[str, Any] = {}
        for name, item in value.items():
            member = name.lower()
            if member == "operations" and type(item) is list:
                made[name] = [self._operation(each, kind) for each in item]
            elif member == "resources" and type(item) is list:
                made[name] = [self.body(each, kind) for each in item]
            elif member in PROTOCOL and type(item) is not dict and type(item) is not list:
                made[name] = item if self._is_protocol(member, item) else self.value(None, item)
            elif member == "filter":
                made[name] = self.filter(str(item), kind)
            elif member == "detail" and type(item) is str:
                made[name] = self.detail(item)
            else:
                made.update(self._members(kind.attributes if kind else AttributeTable(), {name: item}))
        return made

    def _is_protocol(self, member: str, item: Any) -> bool:
        return type(item) is int or (type(item) is str and bool(PROTOCOL[member].fullmatch(item)))

    def _operation(self, operation: Any, kind: ResourceType | None) -> Any:
        if type(operation) is not dict:
            return self.value(None, operation)
        members = {name.lower(): item for name, item in operation.items()}
        if "method" in members:
            return self._part(operation)
        path = members.get("path")
        leaf = self._resolve(re.sub(r"\[.*\]", "", path), kind) if type(path) is str else None
        made: dict[str, Any] = {}
        for name, item in operation.items():
            if name.lower() == "op":
                made[name] = (
                    item if str(item).strip().lower() in ("add", "remove", "replace") else self.value(None, item)
                )
            elif name.lower() == "path" and type(item) is str:
                made[name] = self.filter(item, kind)
            elif name.lower() == "value":
                made[name] = self.value(leaf, item) if path or type(item) is not dict else self.body(item, kind)
            else:
                made[name if _NAME.match(name) else "unknown"] = self.value(None, item)
        return made

    def _part(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """Return one operation of a bulk request or response with fictions."""
        path = str(part.get("path") or part.get("location") or "")
        kind = self.type_at(path.removeprefix("/")) if "://" not in path else self._types.get(path.split("/")[-2])
        made = {}
        for name, item in part.items():
            if name in ("method", "status", "version"):
                made[name] = item if str(item).upper() in METHODS or str(item).isdigit() else self.value(None, item)
            elif name == "path":
                made[name] = self.path(str(item))
            elif name == "location":
                made[name] = self.location(str(item))
            else:
                made[name] = self.body(item, kind) if type(item) is dict else self.value(None, item)
        return made

    def detail(self, text: str) -> str:
        """Return an error detail with fictions for known personal data and for unknown words."""
        for known in sorted(self._made, key=len, reverse=True):
            if len(known) > 1 and known not in WORDS:
                text = re.sub(re.escape(known), self._made[known].replace("\\", ""), text, flags=re.IGNORECASE)
        return _DETAIL_WORD.sub(self._redact_word, text)

    def _redact_word(self, found: re.Match[str]) -> str:
        """Return a word of an error detail unchanged if it is a usual word, a small number or an attribute name."""
        word, bare = found[0], found[0].strip(".,;:()'\"")
        usual = bare.lower() in WORDS | self._urns or bare in METHODS | self._names or MESSAGE.fullmatch(bare)
        if usual or _SMALL.fullmatch(bare) or bare in self._made.values() or self._resolve(bare, None) is not None:
            return word
        return self.fiction(bare) if bare else word
