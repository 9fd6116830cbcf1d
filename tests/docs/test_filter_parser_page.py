"""Tests of each statement of `docs/explanation/filter-parser.md` about scim2-filter-parser 0.7.0 and about scimkit."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any, Final

import pytest
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser, SCIMParserError
from scim2_filter_parser.queries import SQLQuery

from scimkit import USER, MemoryStore, Query, Scope, filters
from scimkit.errors import InvalidFilter
from scimkit.filters.ast import And, Node, Or
from scimkit.stores.sql import SqlStore
from tests.docs.tables import rows

PAGE: Final = "explanation/filter-parser.md"
COLUMNS: Final = {("userName", None, None): "login"}


def their_grouping(node: Any) -> str:
    """Return a tree of scim2-filter-parser with parentheses."""
    kind = type(node).__name__
    if kind == "Filter":
        return their_grouping(node.expr)
    if kind == "LogExpr":
        return f"({their_grouping(node.expr1)} {node.op.lower()} {their_grouping(node.expr2)})"
    value = f" {json.dumps(node.comp_value.value)}" if node.comp_value else ""
    return f"{node.attr_path.attr_name} {node.value.lower()}{value}"


def our_grouping(node: Node) -> str:
    """Return a tree of scimkit with parentheses."""
    if isinstance(node, And | Or):
        return f"({f' {type(node).__name__.lower()} '.join(map(our_grouping, node.operands))})"
    return str(node)


def test_the_version() -> None:
    """The page is about the version that the tests install."""
    assert version("scim2-filter-parser") == "0.7.0"


@pytest.mark.parametrize(("text", "theirs", "ours"), rows(PAGE, "`and` binds more tightly than `or`"))
def test_grouping(text: str, theirs: str, ours: str) -> None:
    """Both libraries group a filter as the page says."""
    assert our_grouping(filters.parse(text).node) == ours
    if theirs == "error":
        with pytest.raises(SCIMParserError):
            SCIMParser().parse(SCIMLexer().tokenize(text))
    else:
        assert their_grouping(SCIMParser().parse(SCIMLexer().tokenize(text))) == theirs


@pytest.mark.parametrize(("text", "theirs", "ours"), rows(PAGE, "A filter never returns more than it says"))
def test_conditions(text: str, theirs: str, ours: str) -> None:
    """The condition of SQL is the one on the page, and scimkit refuses the filter if the page says so."""
    where = SQLQuery(text, "users", COLUMNS).where_sql
    assert (where or "none: every user matches") == theirs
    if ours == "400 `invalidFilter":
        with pytest.raises(InvalidFilter):
            filters.parse(text).compile(USER)
    else:
        assert filters.parse(text).compile(USER)({"userName": "X"})


def test_wildcards() -> None:
    """scim2-filter-parser passes wildcards of a value on. In scimkit, `%` matches itself in memory and in SQL."""
    wanted = filters.parse('userName sw "a%b"')
    assert SQLQuery(str(wanted), "users", COLUMNS).params_dict == {"a": "a%b%"}
    database = SqlStore("sqlite://")
    for store in (MemoryStore(), database):
        for name in ("axxb", "a%bc"):
            store.create(Scope(), USER, {"schemas": [USER.schema], "userName": name})
        found = store.search(Scope(), Query(USER, wanted))
        assert [each["userName"] for each in found.documents] == ["a%bc"]
    database.engine.dispose()
