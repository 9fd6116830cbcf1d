"""Examples of `Filter`: text, equality and caching."""

from __future__ import annotations

import pytest

from scimkit import GROUP, USER
from scimkit.errors import InvalidFilter
from scimkit.filters import Filter, Present, parse
from scimkit.filters.ast import Comparison, Value
from scimkit.filters.parser import RefusingFilterHandler
from scimkit.schema.attributes import Attribute


class Words(RefusingFilterHandler):
    """A `FilterDeviationHandler` that accepts bare words."""

    def bare_value(self, word: str) -> str:
        return word


def test_text() -> None:
    """`str()` of a filter has operators in lower case and no unnecessary parentheses."""
    wanted = parse('((userName EQ "ada"))')
    assert str(wanted) == 'userName eq "ada"'
    assert repr(wanted) == "Filter('userName eq \"ada\"')"


def test_equality() -> None:
    """Filters are equal and have the same hash if their trees are equal. A filter equals no tree and no text."""
    wanted = parse("title pr")
    assert wanted == Filter(Present("title"))
    assert wanted != parse("nickName pr")
    assert wanted != Present("title")
    assert wanted != "title pr"
    assert len({wanted, Filter(Present("title")), parse("nickName pr")}) == 2
    assert hash(wanted) == hash(Filter(Present("title")))
    assert hash(wanted) != hash(parse("nickName pr"))


def test_text_is_read_once() -> None:
    """`parse` caches filters in RFC form. With a deviation handler, it parses each time."""
    assert parse('userName eq "once"') is parse('userName eq "once"')
    words = Words()
    assert parse("userName eq once", words) is not parse("userName eq once", words)
    assert parse("userName eq once", words) == parse('userName eq "once"')
    with pytest.raises(InvalidFilter):
        parse("userName eq once")


def test_compiled_once_for_each_type() -> None:
    """A filter is compiled at most once for each resource type."""
    wanted = Filter(Present("displayName"))
    assert wanted.compile(USER) is wanted.compile(USER)
    assert wanted.compile(USER) is not wanted.compile(GROUP)
    assert wanted.matches({"displayName": "x"}, GROUP) is True
    assert wanted.matches({}, GROUP) is False


def test_coercion_is_asked() -> None:
    """`compile` uses the given coercion. Without a coercion, a constant of another type is refused."""

    def coerce(attribute: Attribute, value: Value) -> Value:
        assert (attribute.path, value) == ("active", "True")
        return True

    wanted = Filter(Comparison("active", "eq", "True"))
    with pytest.raises(InvalidFilter):
        wanted.compile(USER)
    assert wanted.compile(USER, coerce)({"active": True}) is True
