"""Test that docs/reference/errors.md has each error class and each detail of the code, and no others."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import scimkit
from scimkit import errors
from scimkit.errors import ScimError
from scimkit.stores.mapped.constraint_errors import _REASONS

SOURCE: Final = Path(scimkit.__file__).parent
PAGE: Final = (Path(__file__).parents[2] / "docs" / "reference" / "errors.md").read_text("utf-8")
CLASSES: Final = [
    each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, ScimError)
]  # fmt: skip
RAISING: Final = {*(each.__name__ for each in CLASSES), "fail", "_require", "_over_limit", "_refusal"}
"""The functions whose arguments are details."""
PLACEHOLDERS: Final = re.compile(
    r"\b(ATTRIBUTE|TYPE|N|OPERATOR|OPERATION|SCOPE|NAMES|URN|OP|PARAMETER|HEADER)\b"
)  # fmt: skip
MAPPED_REASONS: Final = {f"* {reason}" for reason in _REASONS.values()}
"""The details of `constraint_error`, which consist of a path and a reason."""


def trees() -> Iterator[ast.Module]:
    """Yield the syntax trees of all modules that clients can get an error from."""
    for path in SOURCE.rglob("*.py"):
        if not {"testing", "cli", "admin"} & set(path.parts):
            yield ast.parse(path.read_text("utf-8"))


def patterns(node: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    """Yield the texts of an expression, with `*` for each value that is known only at run time."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    elif isinstance(node, ast.Name) and node.id in constants:
        yield from patterns(constants[node.id], {})


@cache
def details() -> frozenset[str]:
    """Return the details in the code: those of calls, and the defaults of the classes."""
    modules = list(trees())
    constants = {
        target.id: node.value
        for module in modules
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    found: set[str] = set()
    for node in (node for module in modules for node in ast.walk(module)):
        if isinstance(node, ast.Call):
            arguments = [*node.args, *(each.value for each in node.keywords if each.arg == "detail")]
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in RAISING:
                found |= {f"{text.rstrip('.')}." for each in arguments for text in patterns(each, constants)}
        elif isinstance(node, ast.ClassDef):
            found |= set(_details_of_class(node))
    return frozenset(text for text in found if re.search(r"[a-z]{2}.* ", text)) | MAPPED_REASONS


def _details_of_class(node: ast.ClassDef) -> Iterator[str]:
    """Yield the `default_detail` of a class, and the details that its `__init__` passes on."""
    raises = any(getattr(base, "id", "") in RAISING for base in node.bases)
    for each in ast.walk(node):
        if isinstance(each, ast.AnnAssign | ast.Assign) and each.value is not None:
            target = each.targets[0] if isinstance(each, ast.Assign) else each.target
            if isinstance(target, ast.Name) and target.id == "default_detail":
                yield from patterns(each.value, {})
        elif raises and isinstance(each, ast.Call) and getattr(each.func, "attr", "") == "__init__" and each.args:
            detail = each.args[0]
            for choice in (detail.body, detail.orelse) if isinstance(detail, ast.IfExp) else (detail,):
                yield from patterns(choice, {})


def rows() -> Iterable[str]:
    """Return the details in the tables of the page, with `*` for the placeholders."""
    tables = re.findall(r"^\| detail \| cause \| remedy \|\n\|[- |]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    cells = [line.split(" | ")[0].removeprefix("| ") for table in tables for line in table.splitlines()]
    return [PLACEHOLDERS.sub("*", cell.replace("\\", "")) for cell in cells]


def test_every_class_has_its_row() -> None:
    """The table of classes has each class of `scimkit.errors` with its status and its `scimType`, in their order."""
    found = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (?:`(\w+)` )?\| [^|]+ \|$", PAGE, re.MULTILINE)
    assert found == [(each.__name__, str(each.status), each.scim_type or "") for each in CLASSES]


def test_every_detail_has_its_row() -> None:
    """Each detail that the code can send is on the page, with cause and remedy."""
    assert sorted(details() - set(rows())) == []


def test_every_row_is_a_detail() -> None:
    """The page has no detail that the code does not have, and no detail twice."""
    listed = list(rows())
    assert sorted(set(listed) - details()) == []
    assert len(listed) == len(set(listed))
