"""The filter parser: a tokenizer made of one regular expression, and a recursive descent parser.

The parser never looks at a schema, and never recurses deeper than `MAX_DEPTH`. If the text is not in RFC form, the
parser asks a `FilterDeviationHandler`. The default handler refuses the text.
Source: RFC 7644 section 3.4.2.2. Precedence: `not`, then `and`, then `or`.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final, NoReturn, Protocol

from scimkit.errors import InvalidFilter
from scimkit.filters.ast import (
    LONGEST_CACHED,
    OPERATORS,
    Comparison,
    Node,
    Not,
    Present,
    Value,
    ValuePath,
    conjunction,
    disjunction,
)

MAX_LENGTH: Final = 10_000
"""Maximum length of a filter in characters."""

MAX_DEPTH: Final = 40
"""Maximum nesting of parentheses, brackets and `not` in a filter."""

MAX_COMPARISONS: Final = 200
"""Maximum number of comparisons and presence tests in a filter."""

_TOKEN: Final = re.compile(r'\s*(?:("(?:[^"\\\x00-\x1f]|\\.)*+")|([()\[\]])|([^\s()\[\]"]+)|(.))', re.DOTALL)
_STRING, _BRACKET, _WORD, _STRAY, _END = 1, 2, 3, 4, 5

_ATTRIBUTE_PATH: Final = re.compile(
    r"(?:urn:[a-z0-9][a-z0-9-]{0,31}:[A-Za-z0-9()+,\-.:=@;$_!*'%/?#]+:)?"
    r"[A-Za-z$][A-Za-z0-9_$\-]*(?:\.[A-Za-z$][A-Za-z0-9_$\-]*)?\Z",
    re.IGNORECASE,
)
_SINGLE_QUOTED: Final = re.compile(r"'((?:[^'\\]|\\.|'(?![\s)\]]|\Z))*+)'", re.DOTALL)
"""A string in single quotes.

A single quote inside the string is escaped by a backslash, doubled, or followed by another character of the string.
"""
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?\Z")
_LITERALS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_EXPRESSION: Final = re.compile(
    r'\s*([^\s()\[\]"]+)\s+(?:([Pp][Rr])|([A-Za-z]{2})\s+(?:"([^"\\\x00-\x1f]*)"|(true|false|null)))\s*\Z'
)
"""A filter that is a single attribute expression. The groups are path, `pr`, operator, string content and literal."""


class FilterDeviationHandler(Protocol):
    """Dialects implement this protocol to accept filters that deviate from the RFC."""

    def bare_value(self, word: str) -> str | bool | None:
        """Return the value of a word without quotes. Return None to refuse the word."""
        ...

    def single_quoted(self) -> bool:
        """Report whether a string may be in single quotes."""
        ...

    def narrowed_value_path(self) -> bool:
        """Report whether `path[filter].sub op value` is read as `path[filter and sub op value]`."""
        ...

    def attribute_path(self, text: str) -> str | None:
        """Return an attribute path in place of a text that is no attribute path. Return None to refuse the text."""
        ...


class RefusingFilterHandler:
    """The `FilterDeviationHandler` that refuses every deviation from the RFC."""

    def bare_value(self, word: str) -> str | bool | None:
        return None

    def single_quoted(self) -> bool:
        return False

    def narrowed_value_path(self) -> bool:
        return False

    def attribute_path(self, text: str) -> str | None:
        return None


STRICT: Final = RefusingFilterHandler()


def parse(
    text: str,
    deviations: FilterDeviationHandler = STRICT,
    *,
    max_length: int = MAX_LENGTH,
    max_comparisons: int = MAX_COMPARISONS,
) -> Node:
    """Parse a filter and return its syntax tree.

    Args:
        text: The filter (RFC 7644 section 3.4.2.2).
        deviations: Accepts or refuses text that is not in RFC form. The default refuses it.
        max_length: Maximum length of the filter in characters.
        max_comparisons: Maximum number of comparisons and presence tests.

    Raises:
        InvalidFilter: The filter is not valid or exceeds a limit. The error has the text and the position.
    """
    if len(text) > max_length:
        raise InvalidFilter(f"The filter is longer than {max_length} characters.")
    found = _EXPRESSION.match(text)
    return (found and _attribute_expression(found)) or _descend(text, deviations, max_comparisons)


def _attribute_expression(found: re.Match[str]) -> Node | None:
    """Return the node of a filter that is a single attribute expression in RFC form, or None for other filters.

    Nearly all filters have this form, and this function is faster than the tokenizer.
    """
    path, present, operator, string, literal = found.groups()
    if not is_attribute_path(path):
        return None
    if present is not None:
        return Present(path)
    operator = operator.lower()
    if operator not in OPERATORS:
        return None
    return Comparison(path, operator, _LITERALS[literal] if string is None else string)  # type: ignore[arg-type]


def _descend(text: str, deviations: FilterDeviationHandler, max_comparisons: int) -> Node:
    parser = _Parser(text, deviations, max_comparisons)
    node = parser.disjunction(0)
    if parser.kind != _END:
        parser.fail("Expected the end of the filter, 'and' or 'or'")
    return node


def is_attribute_path(text: str) -> bool:
    """Report whether a text has the form of an attribute path (attrPath of RFC 7644 figure 1)."""
    return _is_short_path(text) if len(text) <= LONGEST_CACHED else _ATTRIBUTE_PATH.match(text) is not None


@lru_cache(maxsize=1024)
def _is_short_path(text: str) -> bool:
    return _ATTRIBUTE_PATH.match(text) is not None


class _Parser:
    """The recursive descent parser. `kind`, `token` and `position` describe the next token."""

    __slots__ = ("_comparisons_left", "_deviations", "_found", "_index", "_text", "_tokens", "kind", "token")

    def __init__(self, text: str, deviations: FilterDeviationHandler, max_comparisons: int) -> None:
        self._comparisons_left = max_comparisons
        self._text = text
        self._deviations = deviations
        self._tokens: list[re.Match[str]] = []
        tokens = self._tokens
        for found in _TOKEN.finditer(text.rstrip()):
            if found.lastindex == _STRAY:  # an open quotation mark; more of them would make the scan quadratic
                raise InvalidFilter("A string is not closed.", text=text, position=found.start(_STRAY))
            tokens.append(found)
        self._index = -1
        self._found: re.Match[str] | None = None
        self.kind, self.token = _END, ""
        self.advance()

    @property
    def position(self) -> int:
        """The index of the first character of the next token."""
        return len(self._text) if self._found is None else self._found.start(self.kind)

    def advance(self) -> None:
        self._index += 1
        if self._index < len(self._tokens):
            found = self._found = self._tokens[self._index]
            self.kind = kind = found.lastindex or _STRAY
            self.token = found[kind]
        else:
            self._found, self.kind, self.token = None, _END, ""

    def follows(self, bracket: str) -> bool:
        """Report whether the token after the next token is the given bracket."""
        at = self._index + 1
        return at < len(self._tokens) and self._tokens[at][_BRACKET] == bracket

    def fail(self, message: str, position: int | None = None) -> NoReturn:
        where = self.position if position is None else position
        raise InvalidFilter(f"{message}.", text=self._text, position=where)

    def disjunction(self, depth: int, in_brackets: bool = False) -> Node:
        """Parse `FILTER = term *("or" term)`."""
        operands = [self.conjunction(depth, in_brackets)]
        while self.kind == _WORD and self.token.lower() == "or":
            self.advance()
            operands.append(self.conjunction(depth, in_brackets))
        return disjunction(operands)

    def conjunction(self, depth: int, in_brackets: bool) -> Node:
        operands = [self.term(depth, in_brackets)]
        while self.kind == _WORD and self.token.lower() == "and":
            self.advance()
            operands.append(self.term(depth, in_brackets))
        return conjunction(operands)

    def term(self, depth: int, in_brackets: bool) -> Node:
        """Parse `attrExp / valuePath / *1"not" "(" FILTER ")"`."""
        if self.kind == _WORD:
            if self.token.lower() == "not" and self.follows("("):
                self.advance()
                return Not(self.group(depth, in_brackets))
            return self.attribute_expression(depth, in_brackets)
        if self.kind != _BRACKET or self.token != "(":
            self.fail("Expected an attribute, 'not' or '('")
        return self.group(depth, in_brackets)

    def group(self, depth: int, in_brackets: bool) -> Node:
        opened = self.position
        node = self.nested(depth, in_brackets)
        if self.token != ")" or self.kind != _BRACKET:
            self.fail("This '(' is not closed", opened)
        self.advance()
        return node

    def nested(self, depth: int, in_brackets: bool) -> Node:
        """Parse the filter after an opening bracket. The closing bracket is then the next token."""
        if depth >= MAX_DEPTH:
            self.fail(f"The filter is nested deeper than {MAX_DEPTH} levels")
        self.advance()
        return self.disjunction(depth + 1, in_brackets)

    def attribute_expression(self, depth: int, in_brackets: bool) -> Node:
        path = self.attribute_path()
        self.advance()
        if self.kind == _BRACKET and self.token == "[":
            return self.value_path(path, depth, in_brackets)
        return self.comparison(path)

    def attribute_path(self) -> str:
        if is_attribute_path(self.token):
            return self.token
        return self._deviations.attribute_path(self.token) or self.fail(
            "Expected an attribute such as userName or name.familyName"
        )

    def comparison(self, path: str) -> Node:
        self._comparisons_left -= 1
        if self._comparisons_left < 0:
            self.fail("The filter has too many comparisons")
        operator = self.token.lower()
        if operator == "pr":
            self.advance()
            return Present(path)
        if operator not in OPERATORS:
            self.fail("Expected an operator (eq, ne, co, sw, ew, pr, gt, ge, lt, le)")
        self.advance()
        value = self.value()
        self.advance()
        return Comparison(path, operator, value)  # type: ignore[arg-type]  # checked by `in OPERATORS`

    def value(self) -> Value:
        """Parse `compValue`: a JSON string, number, true, false or null."""
        token = self.token
        if self.kind == _STRING:
            return self.string(token)
        if self.kind != _WORD:
            self.fail("Expected a value after the operator")
        if token in _LITERALS:
            return _LITERALS[token]
        number = _NUMBER.match(token)
        if number is not None:
            return self.number(token, whole=not (number[1] or number[2]))
        if token[0] == "'":
            return self.single_quoted()
        value = self._deviations.bare_value(token)
        if value is None:
            self.fail("A string value must be in double quotes")
        return value

    def single_quoted(self) -> str:
        """Parse a string in single quotes, which may span several tokens. Its last token is then the next token."""
        found = _SINGLE_QUOTED.match(self._text, self.position)
        if found is None or not self._deviations.single_quoted():
            self.fail("A string value must be in double quotes")
        while self._index + 1 < len(self._tokens) and self._tokens[self._index + 1].end() <= found.end():
            self._index += 1
        return found[1].replace("''", "'").replace("\\'", "'").replace("\\\\", "\\")

    def number(self, token: str, *, whole: bool) -> Value:
        """Parse a number.

        If bare words are allowed and the number would print differently, such as `1.10`, return the text instead.
        """
        number = int(token) if whole else float(token)
        if repr(number) == token:
            return number
        text = self._deviations.bare_value(token)
        return number if text is None else text

    def string(self, token: str) -> str:
        if "\\" not in token:
            return token[1:-1]
        try:
            value: str = json.loads(token)
            value.encode()
        except ValueError:
            self.fail("The string has an escape that JSON does not define")
        return value

    def value_path(self, path: str, depth: int, in_brackets: bool) -> Node:
        """Parse `attrPath "[" valFilter "]"`. Value paths do not nest."""
        if in_brackets:
            self.fail("A value path cannot contain another value path")
        opened = self.position
        node = self.nested(depth, in_brackets=True)
        if self.token != "]" or self.kind != _BRACKET:
            self.fail("This '[' is not closed", opened)
        closed = self.position
        self.advance()
        narrowed = self.kind == _WORD and self.token[0] == "." and self.position == closed + 1
        if not narrowed:
            return ValuePath(path, node)
        sub_path = self.token[1:]
        if not is_attribute_path(sub_path) or not self._deviations.narrowed_value_path():
            self.fail("Expected the end of the filter, 'and' or 'or'")
        self.advance()
        return ValuePath(path, conjunction([node, self.comparison(sub_path)]))
