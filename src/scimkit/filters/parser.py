"""Filter text to syntax tree: a tokenizer of one regular expression and a recursive descent.

The parser never looks at a schema, and never recurses deeper than `MAX_DEPTH`. Text that is not in
RFC form is not guessed: a `FilterDeviationHandler` is asked, and the default one refuses.
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
"""Characters a filter may have."""

MAX_DEPTH: Final = 40
"""Levels of parentheses, brackets and `not` a filter may have."""

MAX_COMPARISONS: Final = 200
"""Comparisons and presence tests a filter may have."""

_TOKEN: Final = re.compile(r'\s*(?:("(?:[^"\\\x00-\x1f]|\\.)*+")|([()\[\]])|([^\s()\[\]"]+)|(.))', re.DOTALL)
_STRING, _BRACKET, _WORD, _STRAY, _END = 1, 2, 3, 4, 5

_ATTRIBUTE_PATH: Final = re.compile(
    r"(?:urn:[a-z0-9][a-z0-9-]{0,31}:[A-Za-z0-9()+,\-.:=@;$_!*'%/?#]+:)?"
    r"[A-Za-z$][A-Za-z0-9_$\-]*(?:\.[A-Za-z$][A-Za-z0-9_$\-]*)?\Z",
    re.IGNORECASE,
)
_SINGLE_QUOTED: Final = re.compile(r"'((?:[^'\\]|\\.|'(?![\s)\]]|\Z))*+)'", re.DOTALL)
"""A text in single quotes: a quote within it is escaped, doubled, or followed by more of the text."""
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?\Z")
_LITERALS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_EXPRESSION: Final = re.compile(
    r'\s*([^\s()\[\]"]+)\s+(?:([Pp][Rr])|([A-Za-z]{2})\s+(?:"([^"\\\x00-\x1f]*)"|(true|false|null)))\s*\Z'
)
"""An attribute expression that is all of a filter: path, `pr`, operator, text of a string, literal."""


class FilterDeviationHandler(Protocol):
    """What the parser asks when a filter is not in RFC form."""

    def bare_value(self, word: str) -> str | bool | None:
        """The value of a word without quotes; None refuses it."""
        ...

    def single_quoted(self) -> bool:
        """Report whether a text in single quotes is a string."""
        ...

    def narrowed_value_path(self) -> bool:
        """Whether `path[filter].sub op value` is read as `path[filter and sub op value]`."""
        ...

    def attribute_path(self, text: str) -> str | None:
        """An attribute path for a text that is none; None refuses it."""
        ...


class RefusingFilterHandler:
    """The `FilterDeviationHandler` that allows nothing outside the RFC."""

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
    """Read a filter into its syntax tree.

    Args:
        text: The filter (RFC 7644 section 3.4.2.2).
        lenience: Decides about text that is not in RFC form. The default refuses it.
        max_length: Characters that the filter may have.
        max_comparisons: Comparisons and presence tests that the filter may have.

    Raises:
        InvalidFilter: The filter is not valid or exceeds a limit. The error has the text and the position.
    """
    if len(text) > max_length:
        raise InvalidFilter(f"The filter is longer than {max_length} characters.")
    found = _EXPRESSION.match(text)
    return (found and _attribute_expression(found)) or _descend(text, deviations, max_comparisons)


def _attribute_expression(found: re.Match[str]) -> Node | None:
    """The filter of one attribute expression in RFC form, as nearly all are; None for any other text."""
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
    """One pass over the tokens. `kind`, `token` and `position` are those of the next token."""

    __slots__ = ("_comparisons_left", "_found", "_index", "_lenience", "_text", "_tokens", "kind", "token")

    def __init__(self, text: str, deviations: FilterDeviationHandler, max_comparisons: int) -> None:
        self._comparisons_left = max_comparisons
        self._text = text
        self._lenience = deviations
        self._tokens: list[re.Match[str]] = []
        tokens = self._tokens
        for found in _TOKEN.finditer(text.rstrip()):
            if found.lastindex == _STRAY:  # stop here: the rest would be scanned again for each open quotation mark
                raise InvalidFilter("A string is not closed.", text=text, position=found.start(_STRAY))
            tokens.append(found)
        self._index = -1
        self._found: re.Match[str] | None = None
        self.kind, self.token = _END, ""
        self.advance()

    @property
    def position(self) -> int:
        """Where the next token begins."""
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
        """Whether a bracket comes after the next token."""
        at = self._index + 1
        return at < len(self._tokens) and self._tokens[at][_BRACKET] == bracket

    def fail(self, message: str, position: int | None = None) -> NoReturn:
        where = self.position if position is None else position
        raise InvalidFilter(f"{message}.", text=self._text, position=where)

    def disjunction(self, depth: int, in_brackets: bool = False) -> Node:
        """`FILTER = term *("or" term)`."""
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
        """`attrExp / valuePath / *1"not" "(" FILTER ")"`."""
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
        """What follows an opening bracket, up to but not including the closing one."""
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
        return self._lenience.attribute_path(self.token) or self.fail(
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
        """`compValue`: a JSON string, number, true, false or null."""
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
        value = self._lenience.bare_value(token)
        if value is None:
            self.fail("A string value must be in double quotes")
        return value

    def single_quoted(self) -> str:
        """Read a text in single quotes, which may be several tokens. The next token is then its last one."""
        found = _SINGLE_QUOTED.match(self._text, self.position)
        if found is None or not self._lenience.single_quoted():
            self.fail("A string value must be in double quotes")
        while self._index + 1 < len(self._tokens) and self._tokens[self._index + 1].end() <= found.end():
            self._index += 1
        return found[1].replace("''", "'").replace("\\'", "'").replace("\\\\", "\\")

    def number(self, token: str, *, whole: bool) -> Value:
        """A number; as text, where bare words are allowed and the number would not print back the same."""
        number = int(token) if whole else float(token)
        if repr(number) == token:
            return number
        text = self._lenience.bare_value(token)
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
        """`attrPath "[" valFilter "]"`; brackets do not nest."""
        if in_brackets:
            self.fail("A value path cannot stand inside another")
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
        if not is_attribute_path(sub_path) or not self._lenience.narrowed_value_path():
            self.fail("Expected the end of the filter, 'and' or 'or'")
        self.advance()
        return ValuePath(path, conjunction([node, self.comparison(sub_path)]))
