"""Tests that the API reference has each public name on exactly one page."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

import scimkit
from tests.docs.pictures import TOP
from tests.docs.tables import DOCS
from tests.stores.django import project  # noqa: F401  the models of Django need settings

PAGES: Final = [DOCS / "reference" / "events.md", *sorted((DOCS / "reference" / "api").glob("*.md"))]
_DIRECTIVE: Final = re.compile(r"^::: (\S+)\n(?:    options:\n      members: \[([^]]+)\]\n)?", re.MULTILINE)
_FENCED: Final = re.compile(r"^``` ?(?:python|\{ \.python[^\n]*\})\n(.*?)^```", re.MULTILINE | re.DOTALL)
INTERNAL: Final = frozenset({("scimkit.schema.attributes", "folded")})
"""Names that an example imports although they are not public."""


def directives() -> Iterator[tuple[Path, str, list[str]]]:
    """Yield each directive of the API pages with its page and the names that it documents."""
    for page in PAGES:
        for module, members in _DIRECTIVE.findall(page.read_text("utf-8")):
            names = [name.strip() for name in members.split(",")] if members else _own_names(module)
            yield page, module, names


def _own_names(module: str) -> list[str]:
    """Return the names that a directive without members documents: the public names that the module defines."""
    found = importlib.import_module(module)
    return [name for name, value in vars(found).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module]  # fmt: skip


@cache
def documented() -> Counter[object]:
    """Return how often each object is documented. An object without an identity of its own is its module and name."""
    return Counter(_identity(module, name) for _, module, names in directives() for name in names)


def _identity(module: str, name: str) -> object:
    value: Any = getattr(importlib.import_module(module), name)
    return id(value) if isinstance(value, type) or callable(value) else name


def exported() -> Iterator[tuple[str, str]]:
    """Yield each name of `__all__` of each package, with the package."""
    for info in pkgutil.walk_packages(scimkit.__path__, "scimkit."):
        if info.ispkg and not re.search(r"\.(migrations|_\w+)\b", info.name):
            module = importlib.import_module(info.name)
            yield from ((info.name, name) for name in getattr(module, "__all__", ()))


def test_each_name_is_on_one_page() -> None:
    """No object is documented twice."""
    twice = [(module, name) for _, module, names in directives() for name in names
             if documented()[_identity(module, name)] > 1]  # fmt: skip
    assert twice == []


def test_each_module_is_on_one_page() -> None:
    """No module is on two pages, and no page has a module twice."""
    assert [module for module, count in Counter(module for _, module, _ in directives()).items() if count > 1] == []


def test_each_exported_name_is_documented() -> None:
    """Each name of an `__all__` is on a page, possibly under the package that exports it first."""
    known = documented()
    assert [f"{module}.{name}" for module, name in exported() if not known[_identity(module, name)]] == []


def imports() -> Iterator[tuple[str, str]]:
    """Yield each name that an example or a code block of the documentation imports from a module of scimkit."""
    sources = [path.read_text("utf-8") for path in (DOCS / "examples").rglob("*.py")]
    for page in (*DOCS.rglob("*.md"), TOP / "README.md"):
        sources += [block for block in _FENCED.findall(page.read_text("utf-8")) if "--8<--" not in block]
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "scimkit":
                yield from ((str(node.module), alias.name) for alias in node.names)


@pytest.mark.parametrize(("module", "name"), sorted(set(imports()) - INTERNAL))
def test_each_imported_name_is_documented(module: str, name: str) -> None:
    """Each name that the documentation imports exists, and is on an API page if it is a class or a function."""
    value = getattr(importlib.import_module(module), name)
    if isinstance(value, type) or callable(value):
        assert documented()[_identity(module, name)], "add the name to a page of docs/reference/api"


def test_the_index_has_each_page() -> None:
    """The index of the API has a link to each page."""
    text = (DOCS / "reference" / "api" / "index.md").read_text("utf-8")
    names = {page.name if page.parent.name == "api" else f"../{page.name}" for page in PAGES} - {"index.md"}
    assert set(re.findall(r"^\| \[[^]]+\]\(([^)#]+)\)", text, re.MULTILINE)) == names
