"""Pseudo-random candidates.

Only `random()` of a seeded generator is used, whose numbers are the same in every version of Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final, TypeVar

from scimkit.filters.ast import And, Comparison, Node, Not, Or, Present, ValuePath
from scimkit.schema.attributes import AttributePath
from tests.corpus.candidates import CLAUSE_OF, DEVICE, FILTERS, GROUP, PATCH, USER, Candidate, body
from tests.corpus.samples import OPEN, base, complex_paths, element, samples, simple_paths

_SEED: Final = 7644
_DRAWN: Final = 4000
_OPERATORS: Final[dict[str, tuple[str, ...]]] = {
    "string": ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"),
    "reference": ("eq", "ne", "co", "sw", "ew"),
    "integer": ("eq", "ne", "gt", "ge", "lt", "le"),
    "decimal": ("eq", "ne", "gt", "ge", "lt", "le"),
    "dateTime": ("gt", "ge", "lt", "le"),
    "boolean": ("eq", "ne"),
    "binary": ("eq", "ne"),
}
T = TypeVar("T")


def explored_candidates() -> Iterator[Candidate]:
    """Yield pseudo-random filters and PATCHes, always the same ones."""
    draw = _Draw(Random(_SEED))
    for _ in range(_DRAWN):
        schemas = draw.one((USER, USER, DEVICE, DEVICE, GROUP))
        document = draw.document(schemas)
        if draw.chance(0.4):
            text = str(draw.node(schemas, 2))
            yield Candidate("filter", FILTERS, "combination", schemas, document, text)
        else:
            operations = [draw.operation(schemas) for _ in range(draw.one((1, 1, 2, 2, 3)))]
            clause = CLAUSE_OF[operations[0]["op"]] if len(operations) == 1 else PATCH
            yield Candidate("patch", clause, "combination", schemas, document, body(*operations))


class _Draw:
    """Draws parts of candidates."""

    def __init__(self, random: Random) -> None:
        self._random = random.random

    def chance(self, share: float) -> bool:
        return self._random() < share

    def one(self, choices: Sequence[T]) -> T:
        return choices[int(self._random() * len(choices))]

    def document(self, schemas: tuple[str, ...]) -> dict[str, Any]:
        document = base(schemas)
        for path in (*simple_paths(schemas), *complex_paths(schemas)):
            if path.sub_attribute is None and not path.leaf.required and self.chance(0.25):
                holder = document if path.extension is None else document.setdefault(path.extension.name, {})
                holder[path.attribute.name] = self.value(path)
        return document

    def value(self, path: AttributePath) -> Any:
        """Return a value of the leaf: an array if the leaf has several values."""
        leaf, count = path.leaf, self.one((1, 1, 2))
        if leaf.type != "complex":
            values = samples(path)
            start = int(self._random() * len(values))
            several = [values[(start + step) % len(values)] for step in range(count)]
            return several if leaf.multi_valued else several[0]
        several = [self._element(path, number) for number in range(count)]
        return several if leaf.multi_valued else several[0]

    def _element(self, path: AttributePath, number: int) -> dict[str, Any]:
        names = [
            name
            for name, each in path.leaf.children.items()
            if name not in ("$ref", "primary") and each.mutability != "readOnly" and each.path not in OPEN
        ]
        chosen = [name for name in names if self.chance(0.5)] or names[:1]
        return element(path.leaf, number + self.one((0, 1)), *chosen)

    def node(self, schemas: tuple[str, ...], depth: int) -> Node:
        if depth and self.chance(0.6):
            if self.chance(0.25):
                return Not(self.node(schemas, depth - 1))
            kind: Callable[[tuple[Node, ...]], Node] = self.one((And, Or))
            operands = [self.node(schemas, depth - 1) for _ in range(2)]
            return kind(tuple(operands)) if not any(isinstance(each, And | Or) for each in operands) else operands[0]
        if self.chance(0.3):
            path = self.one([each for each in complex_paths(schemas) if each.attribute.multi_valued])
            return ValuePath(path.text, self._in_brackets(path))
        path = self.one(list(simple_paths(schemas)))
        return self._leaf(path.text, path)

    def _in_brackets(self, path: AttributePath) -> Node:
        names = [
            name
            for name, each in path.leaf.children.items()
            if name != "$ref" and each.mutability != "readOnly" and each.path not in OPEN
        ]
        leaves = [
            self._leaf(name, AttributePath(path.attribute, path.leaf.children[name]))
            for name in (self.one(names), self.one(names))
        ]
        if self.chance(0.5) or str(leaves[0]) == str(leaves[1]):
            return leaves[0]
        return self.one((And, Or))(tuple(leaves))

    def _leaf(self, text: str, path: AttributePath) -> Node:
        if self.chance(0.2):
            return Present(text)
        operator: Any = self.one(_OPERATORS[path.leaf.type])
        value = self.one(samples(path))
        if operator in ("co", "sw", "ew"):
            value = value[:2] if self.chance(0.5) else value[-2:]
        return Comparison(text, operator, value)

    def operation(self, schemas: tuple[str, ...]) -> dict[str, Any]:
        op = self.one(("add", "replace", "remove"))
        paths = (*simple_paths(schemas), *complex_paths(schemas))
        path = self.one(paths)
        if path.attribute.multi_valued and path.attribute.type == "complex":
            whole = AttributePath(path.attribute, None, path.extension)
            if path.sub_attribute is not None or self.chance(0.4):
                tail = "" if path.sub_attribute is None else f".{path.leaf.name}"
                made = {"op": op, "path": f"{whole.text}[{self._in_brackets(whole)}]{tail}"}
                single = self.one(samples(path)) if tail else self._element(whole, 0)
                return made if op == "remove" else {**made, "value": single}
        if op != "remove" and path.extension is None and path.sub_attribute is None and self.chance(0.3):
            return {"op": op, "value": {path.attribute.name: self.value(path)}}
        made = {"op": op, "path": path.text}
        return made if op == "remove" else {**made, "value": self.value(path)}
