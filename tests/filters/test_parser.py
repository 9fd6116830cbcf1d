"""Examples of the filter grammar: trees, precedence, values, limits and error positions."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit.errors import InvalidFilter
from scimkit.filters.ast import (
    OPERATORS,
    And,
    Comparison,
    Node,
    Not,
    Or,
    Present,
    Value,
    ValuePath,
    conjunction,
    disjunction,
    paths_of,
)
from scimkit.filters.parser import MAX_DEPTH, MAX_LENGTH, STRICT, RefusingFilterHandler, is_attribute_path, parse

A, B, C, D = Present("a"), Present("b"), Present("c"), Present("d")

RFC_EXAMPLES: dict[str, Node] = {
    'userName Eq "john"': Comparison("userName", "eq", "john"),
    'userName eq "bjensen"': Comparison("userName", "eq", "bjensen"),
    'name.familyName co "O\'Malley"': Comparison("name.familyName", "co", "O'Malley"),
    'userName sw "J"': Comparison("userName", "sw", "J"),
    'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"': Comparison(
        "urn:ietf:params:scim:schemas:core:2.0:User:userName", "sw", "J"
    ),
    "title pr": Present("title"),
    'meta.lastModified gt "2011-05-13T04:42:34Z"': Comparison("meta.lastModified", "gt", "2011-05-13T04:42:34Z"),
    'meta.lastModified ge "2011-05-13T04:42:34Z"': Comparison("meta.lastModified", "ge", "2011-05-13T04:42:34Z"),
    'meta.lastModified lt "2011-05-13T04:42:34Z"': Comparison("meta.lastModified", "lt", "2011-05-13T04:42:34Z"),
    'meta.lastModified le "2011-05-13T04:42:34Z"': Comparison("meta.lastModified", "le", "2011-05-13T04:42:34Z"),
    'title pr and userType eq "Employee"': And((Present("title"), Comparison("userType", "eq", "Employee"))),
    'title pr or userType eq "Intern"': Or((Present("title"), Comparison("userType", "eq", "Intern"))),
    'schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"': Comparison(
        "schemas", "eq", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    ),
    'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")': And((
        Comparison("userType", "eq", "Employee"),
        Or((Comparison("emails", "co", "example.com"), Comparison("emails.value", "co", "example.org"))),
    )),
    'userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")': And((
        Comparison("userType", "ne", "Employee"),
        Not(Or((Comparison("emails", "co", "example.com"), Comparison("emails.value", "co", "example.org")))),
    )),
    'userType eq "Employee" and (emails.type eq "work")': And((
        Comparison("userType", "eq", "Employee"), Comparison("emails.type", "eq", "work"),
    )),
    'userType eq "Employee" and emails[type eq "work" and value co "@example.com"]': And((
        Comparison("userType", "eq", "Employee"),
        ValuePath("emails", And((Comparison("type", "eq", "work"), Comparison("value", "co", "@example.com")))),
    )),
    'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]': Or((
        ValuePath("emails", And((Comparison("type", "eq", "work"), Comparison("value", "co", "@example.com")))),
        ValuePath("ims", And((Comparison("type", "eq", "xmpp"), Comparison("value", "co", "@foo.com")))),
    )),
}  # fmt: skip


@pytest.mark.parametrize("text", RFC_EXAMPLES)
def test_rfc_examples(text: str) -> None:
    """Every filter of RFC 7644 section 3.4.2.2, figure 2, is parsed as the RFC explains it."""
    assert parse(text) == RFC_EXAMPLES[text]


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a pr or b pr and c pr", Or((A, And((B, C))))),
        ("a pr and b pr or c pr", Or((And((A, B)), C))),
        ("a pr and b pr or c pr and d pr", Or((And((A, B)), And((C, D))))),
        ("(a pr or b pr) and c pr", And((Or((A, B)), C))),
        ("not (a pr) and b pr", And((Not(A), B))),
        ("not (a pr) or b pr", Or((Not(A), B))),
        ("not (a pr and b pr)", Not(And((A, B)))),
        ("not (not (a pr))", Not(Not(A))),
        ("a pr and b pr and c pr", And((A, B, C))),
        ("a pr and (b pr and c pr)", And((A, B, C))),
        ("(a pr or b pr) or c pr or d pr", Or((A, B, C, D))),
        ("((a pr))", A),
        ("A PR AND NOT (B PR) OR C PR", Or((And((Present("A"), Not(Present("B")))), Present("C")))),
        ("a[b pr or c pr and d pr]", ValuePath("a", Or((B, And((C, D)))))),
        ("a[not (b pr)]", ValuePath("a", Not(B))),
        ("a[b pr] and b pr", And((ValuePath("a", B), B))),
        ("(a[b pr])", ValuePath("a", B)),
        ("a[b pr] or c[d pr]", Or((ValuePath("a", B), ValuePath("c", D)))),
        ("(a pr)and(b pr)", And((A, B))),
        ("a[b pr]and c pr", And((ValuePath("a", B), C))),
        ("not(a pr)", Not(A)),
        ("  a \t pr \r\n ", A),
        ("not pr", Present("not")),
        ('not eq "x"', Comparison("not", "eq", "x")),
        ("not[a pr]", ValuePath("not", A)),
        ("and pr and or pr", And((Present("and"), Present("or")))),
    ],
)
@pytest.mark.rfc("7644-3.4.2.2-3", "7644-3.4.2.2-4")
def test_structure(text: str, node: Node) -> None:
    """`not` binds tighter than `and`, and `and` binds tighter than `or`. Case and white space do not matter."""
    assert parse(text) == node


@pytest.mark.parametrize("operator", sorted(OPERATORS))
@pytest.mark.rfc("7644-3.4.2.2-2")
def test_operators_in_any_case(operator: str) -> None:
    """Operators may have any case and are stored in lower case (RFC 7644 section 3.4.2.2)."""
    for written in (operator, operator.upper(), operator.capitalize()):
        node = parse(f'a {written} "x"')
        assert isinstance(node, Comparison)
        assert (node.path, node.operator, node.value) == ("a", operator, "x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("0", 0),
        ("-0", 0),
        ("7", 7),
        ("-12", -12),
        ("10", 10),
        ("1.5", 1.5),
        ("1.50", 1.5),
        ("-0.25", -0.25),
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("2e-1", 0.2),
        ("1" + "0" * 300, 10**300),
        ("1e308", 1e308),
        ('""', ""),
        ('"x"', "x"),
        ('"it\'s"', "it's"),
        ('"a b"', "a b"),
        ('")"', ")"),
        ('"]"', "]"),
        ('"("', "("),
        ('"[x]"', "[x]"),
        ('"and"', "and"),
        ('"é\u2028"', "é\u2028"),
        (r'"\""', '"'),
        (r'"\\"', "\\"),
        (r'"\\\""', '\\"'),
        (r'"\/"', "/"),
        (r'"\b\f\n\r\t"', "\b\f\n\r\t"),
        (r'"\u0041\u00e9"', "Aé"),
        (r'"\ud83d\ude00"', "😀"),
        ('"\x7f"', "\x7f"),
    ],
)
def test_values(text: str, value: Value) -> None:
    """A comparison value is a JSON string, number, true, false or null, and keeps its type."""
    node = parse(f"a eq {text}")
    assert isinstance(node, Comparison)
    assert node.value == value
    assert type(node.value) is type(value)


END = "Expected the end of the filter, 'and' or 'or'"
TERM = "Expected an attribute, 'not' or '('"
OPERATOR = "Expected an operator (eq, ne, co, sw, ew, pr, gt, ge, lt, le)"
VALUE = "Expected a value after the operator"
QUOTES = "A string value must be in double quotes"
PATH = "Expected an attribute such as userName or name.familyName"
ESCAPE = "The string has an escape that JSON does not define"
OPEN_STRING = "A string is not closed"
INSIDE = "A value path cannot contain another value path"
DEEP = "The filter is nested deeper than 40 levels"

ERRORS: dict[str, tuple[int, str]] = {
    "": (0, TERM),
    "   ": (3, TERM),
    "()": (1, TERM),
    ")": (0, TERM),
    "]": (0, TERM),
    "[": (0, TERM),
    '"a" pr': (0, TERM),
    '"("a pr)': (0, TERM),
    "a pr and": (8, TERM),
    "a pr or": (7, TERM),
    "a[b pr] and": (11, TERM),
    "emails[]": (7, TERM),
    "not (": (5, TERM),
    "userName": (8, OPERATOR),
    "not": (3, OPERATOR),
    "not a pr": (4, OPERATOR),
    'not "(" a pr': (4, OPERATOR),
    'a zz "x"': (2, OPERATOR),
    'a "eq" "x"': (2, OPERATOR),
    'a "pr"': (2, OPERATOR),
    'a ( "x"': (2, OPERATOR),
    "a pr and or b pr": (12, OPERATOR),
    'a "[" b pr]': (2, OPERATOR),
    "a pr\0": (2, OPERATOR),
    "a eq": (4, VALUE),
    "a eq ": (5, VALUE),
    "a eq (": (5, VALUE),
    "a eq [": (5, VALUE),
    "a eq )": (5, VALUE),
    'a eq "x': (5, OPEN_STRING),
    '"': (0, OPEN_STRING),
    'a eq "x\\"': (5, OPEN_STRING),
    'a eq "\x01"': (5, OPEN_STRING),
    'a eq "\x1f"': (5, OPEN_STRING),
    '  a eq   "x': (9, OPEN_STRING),
    'a eq "x" "y"': (9, END),
    'a eq "x"y': (8, END),
    "a pr xor b pr": (5, END),
    "a pr)": (4, END),
    "a pr]": (4, END),
    "a eq 1 )": (7, END),
    'a pr "and" b pr': (5, END),
    'a pr "or" b pr': (5, END),
    "a[b pr].c pr": (7, END),
    "a[b pr] .c pr": (8, END),
    "a[b pr]c": (7, END),
    "a[b pr].1": (7, END),
    'a[b pr]".c" pr': (7, END),
    "(a pr": (0, "This '(' is not closed"),
    "not (a pr": (4, "This '(' is not closed"),
    "(a pr]": (0, "This '(' is not closed"),
    '(a pr ")"': (0, "This '(' is not closed"),
    "b pr and (c pr or (d pr)": (9, "This '(' is not closed"),
    "a[b pr": (1, "This '[' is not closed"),
    "a[b pr)": (1, "This '[' is not closed"),
    'a[b pr "]"': (1, "This '[' is not closed"),
    "a[b[c pr]]": (3, INSIDE),
    "a[(b[c pr])]": (4, INSIDE),
    "a[not (b[c pr])]": (8, INSIDE),
    "a[b pr or c pr and (d[e pr])]": (21, INSIDE),
    "a[b pr and c[d pr]]": (12, INSIDE),
    "a[b pr or c[d pr]]": (11, INSIDE),
    "1a pr": (0, PATH),
    "a.b.c pr": (0, PATH),
    "a. pr": (0, PATH),
    ".a pr": (0, PATH),
    "urn:x:a pr": (0, PATH),
    "b pr and é pr": (9, PATH),
    "a eq b": (5, QUOTES),
    "a eq TRUE": (5, QUOTES),
    "a eq Null": (5, QUOTES),
    "a eq 01": (5, QUOTES),
    "a eq 00": (5, QUOTES),
    "a eq +1": (5, QUOTES),
    "a eq -": (5, QUOTES),
    "a eq 1.": (5, QUOTES),
    "a eq .5": (5, QUOTES),
    "a eq 1e": (5, QUOTES),
    "a eq 1e1000": (5, QUOTES),
    "a eq 1x": (5, QUOTES),
    "a eq 1" + "0" * 301: (5, QUOTES),
    r'a eq "\q"': (5, ESCAPE),
    r'a eq "\u12"': (5, ESCAPE),
    r'a eq "\ud800"': (5, ESCAPE),
    "(" * 41 + "a pr" + ")" * 41: (40, DEEP),
    "not (" * 41 + "a pr" + ")" * 41: (204, DEEP),
    "a[" + "(" * 40 + "b pr" + ")" * 40 + "]": (41, DEEP),
    "(" * 40 + "a[b pr]" + ")" * 40: (41, DEEP),
}


@pytest.mark.parametrize("text", ERRORS, ids=lambda text: ascii(text)[:40].replace("\\", "/"))
def test_errors(text: str) -> None:
    """An invalid filter is refused with one sentence, the position, and a caret below the position."""
    position, message = ERRORS[text]
    with pytest.raises(InvalidFilter) as caught:
        parse(text)
    error = caught.value
    assert error.detail == f"{message} (at character {position + 1})."
    assert (error.text, error.position) == (text, position)
    assert error.caret() == f"{text}\n{' ' * position}^"


def test_length_limit() -> None:
    """A filter may have 10,000 characters. The error for a longer filter does not repeat the text."""
    assert MAX_LENGTH == 10_000
    assert parse("a pr".ljust(MAX_LENGTH)) == A
    with pytest.raises(InvalidFilter) as caught:
        parse("a pr".ljust(MAX_LENGTH + 1))
    assert caught.value.detail == "The filter is longer than 10000 characters."
    assert caught.value.caret() == ""


@pytest.mark.parametrize(
    "text",
    [
        "(" * 40 + "a pr" + ")" * 40,
        "not (" * 40 + "a pr" + ")" * 40,
        "a[" + "(" * 39 + "b pr" + ")" * 39 + "]",
        "(" * 39 + "a[b pr]" + ")" * 39,
        " and ".join(f"(a pr) and not (b{n} pr) and a[b{n} pr]" for n in range(66)),
    ],
)
def test_depth_limit(text: str) -> None:
    """A filter may nest parentheses, `not` and brackets 40 levels deep. Operands side by side add no level."""
    assert MAX_DEPTH == 40
    assert parse(str(parse(text))) == parse(text)


def test_number_of_comparisons() -> None:
    """A filter may have 200 comparisons, or as many as the caller allows."""
    terms = [f'a eq "{n}"' for n in range(201)]
    assert len(parse(" or ".join(terms[:200])).operands) == 200  # type: ignore[union-attr]
    with pytest.raises(InvalidFilter, match="too many comparisons"):
        parse(" or ".join(terms))
    assert parse(" or ".join(terms), max_comparisons=201)
    with pytest.raises(InvalidFilter, match="longer than 10 characters"):
        parse('name eq "x"', max_length=10)


@pytest.mark.parametrize("word", ["and", "or"])
def test_repeated_operands_are_dropped(word: str) -> None:
    """Equal operands are evaluated once. `1`, `1.0` and `true` are not equal."""
    assert parse(f" {word} ".join(['a eq "x"'] * 50)) == parse('a eq "x"')
    assert parse(f"a pr {word} b pr {word} a pr {word} c pr") == parse(f"a pr {word} b pr {word} c pr")
    for other in ("true", "1.0"):
        assert str(parse(f"a eq 1 {word} a eq {other}")) == f"a eq 1 {word} a eq {other}"
        assert str(parse(f"a eq 1 {word} a eq {other} {word} b pr")) == f"a eq 1 {word} a eq {other} {word} b pr"


@pytest.mark.parametrize(
    "text",
    ["a", "userName", "name.familyName", "$ref", "members.$ref", "a-b_c9", "a.b-c_9", "A",
     "urn:ietf:params:scim:schemas:core:2.0:User:userName",
     "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName",
     "URN:example:Foo:bar", "urn:x-1:a%2F,c.d=@;$_!*'/?#+:attr", "urn:" + "n" * 32 + ":x:a"],
)  # fmt: skip
@pytest.mark.rfc("7643-2.1-2")
def test_attribute_paths(text: str) -> None:
    """An attribute path is an optional URN, a name and an optional sub-attribute (attrPath of RFC 7644 figure 1)."""
    assert is_attribute_path(text) is True
    assert parse(f"{text} pr") == Present(text)


@pytest.mark.parametrize(
    "text",
    ["", "1a", "-a", "_a", "a.", ".a", "a..b", "a.b.c", "a.1", "a b", "a\n", "a[b]", "é", "urn:x:", "urn:x:a",
     "urn::x:a", "urn:-x:y:a", "urn:" + "n" * 33 + ":x:a", "urn:x:y:1a", "x:urn:x:y:a", "urn:x:é:a", "a:b"],
)  # fmt: skip
@pytest.mark.rfc("7643-2.1-2")
def test_no_attribute_paths(text: str) -> None:
    """A text that does not match attrPath is no attribute path."""
    assert is_attribute_path(text) is False


class Lenient:
    """A `FilterDeviationHandler` that accepts words, paths and narrowed value paths, and records the calls."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def bare_value(self, word: str) -> str | bool | None:
        self.asked.append(("value", word))
        return {"True": True, "False": False, "no": None}.get(word, word)

    def narrowed_value_path(self) -> bool:
        self.asked.append("narrowed")
        return True

    def attribute_path(self, text: str) -> str | None:
        self.asked.append(("path", text))
        return "fixed" if text.startswith("1") else None


@pytest.mark.parametrize(
    ("text", "node", "asked"),
    [
        ("a eq x", Comparison("a", "eq", "x"), [("value", "x")]),
        ("a eq True", Comparison("a", "eq", True), [("value", "True")]),
        ("a eq False", Comparison("a", "eq", False), [("value", "False")]),
        ("a eq true", Comparison("a", "eq", True), []),
        ('a eq "x"', Comparison("a", "eq", "x"), []),
        ("a eq 7", Comparison("a", "eq", 7), []),
        ("a eq 1.5", Comparison("a", "eq", 1.5), []),
        ("a eq 1.50", Comparison("a", "eq", "1.50"), [("value", "1.50")]),
        ("a eq 1.0", Comparison("a", "eq", 1.0), []),
        ("a eq 1e3", Comparison("a", "eq", "1e3"), [("value", "1e3")]),
        ("a eq -0", Comparison("a", "eq", "-0"), [("value", "-0")]),
        ("a eq 007", Comparison("a", "eq", "007"), [("value", "007")]),
        ("1a pr", Present("fixed"), [("path", "1a")]),
        ("1a[b pr]", ValuePath("fixed", B), [("path", "1a")]),
        ("a[b pr].c pr", ValuePath("a", And((B, C))), ["narrowed"]),
        ('a[b pr and c pr].d eq "x"', ValuePath("a", And((B, C, Comparison("d", "eq", "x")))), ["narrowed"]),
        ("a[b pr or c pr].d pr or a pr", Or((ValuePath("a", And((Or((B, C)), D))), A)), ["narrowed"]),
    ],
)
def test_deviation_handler_is_asked(text: str, node: Node, asked: list[Any]) -> None:
    """The handler is asked about bare words, odd numbers, odd paths and narrowed value paths only."""
    deviations = Lenient()
    found = parse(text, deviations)
    assert found == node
    assert repr(found) == repr(node)  # unlike ==, repr distinguishes 1, True and 1.0
    assert deviations.asked == asked


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("a eq no", 5, QUOTES),
        ("é pr", 0, PATH),
        ("a[b pr] .c pr", 8, END),
        ("a[b pr].1 pr", 7, END),
        ("a[b pr]. pr", 7, END),
        ('a[b pr]".c" pr', 7, END),
        ("a[b pr].c", 9, OPERATOR),
        ("a[b pr].c eq (", 13, VALUE),
    ],
)
def test_errors_with_a_deviation_handler(text: str, position: int, message: str) -> None:
    """A text that the handler refuses, or is not asked about, is refused with its position."""
    with pytest.raises(InvalidFilter) as caught:
        parse(text, Lenient())
    assert caught.value.detail == f"{message} (at character {position + 1})."
    assert caught.value.position == position


def test_strict_allows_nothing() -> None:
    """The default handler refuses every deviation."""
    assert isinstance(STRICT, RefusingFilterHandler)
    assert STRICT.bare_value("x") is None
    assert STRICT.narrowed_value_path() is False
    assert STRICT.attribute_path("1a") is None


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Comparison("a", "eq", 'q"\\é\n'), 'a eq "q\\"\\\\é\\n"'),
        (Comparison("a", "gt", 1), "a gt 1"),
        (Comparison("a", "le", -1.5), "a le -1.5"),
        (Comparison("a", "ne", None), "a ne null"),
        (Comparison("a", "eq", True), "a eq true"),
        (A, "a pr"),
        (Not(A), "not (a pr)"),
        (Not(Or((A, B))), "not (a pr or b pr)"),
        (And((A, Or((B, C)), Not(D))), "a pr and (b pr or c pr) and not (d pr)"),
        (Or((And((A, B)), C)), "a pr and b pr or c pr"),
        (ValuePath("a", Or((B, C))), "a[b pr or c pr]"),
    ],
)
def test_printing(node: Node, text: str) -> None:
    """`str()` of a tree returns the filter text without unnecessary parentheses."""
    assert str(node) == text
    assert parse(text) == node


def test_joining_is_flat() -> None:
    """`conjunction` and `disjunction` return a single operand unchanged, and flatten operands of their own kind."""
    assert conjunction([A]) is A
    assert disjunction([A]) is A
    assert conjunction([And((A, B)), C]) == And((A, B, C))
    assert disjunction([C, Or((A, B))]) == Or((C, A, B))
    assert conjunction([Or((A, B)), C]) == And((Or((A, B)), C))
    assert disjunction([And((A, B)), C]) == Or((And((A, B)), C))


def test_urn_with_parentheses() -> None:
    """A URN may have parentheses, but a filter with such a URN is refused."""
    assert is_attribute_path("urn:x:a(b):c") is True
    with pytest.raises(InvalidFilter, match="such as userName"):
        parse("urn:x:a(b):c pr")


def test_paths_of() -> None:
    """`paths_of` yields every path outside brackets in order, with repetitions."""
    node = parse('a pr and not (b eq 1 or c[x pr and y pr]) or (d.e lt "1" and a pr)')
    assert list(paths_of(node)) == ["a", "b", "c", "d.e", "a"]
