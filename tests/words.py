"""Measure the English of the project: openings of docstrings, length of sentences, words of the glossary.

`python -m tests.words [FOLDER ...]` lists every docstring and paragraph that the gate in `tests/test_words.py` counts.
The rules are those of `CONTRIBUTING.md`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[1]
GLOSSARY: Final = TOP / "docs/reference/glossary.md"

HIDING: Final = frozenset({
    "what", "whether", "where", "whom", "whose", "who", "whoever", "whatever", "that", "those", "these", "how", "which",
    "told", "both", "it", "its", "they", "them", "he", "she", "such", "one", "ones", "here", "there", "so", "as", "of",
    "either", "neither",
})  # fmt: skip
"""First words that leave a docstring without a named subject."""

LONGEST: Final = 25
"""Words of the longest sentence that counts as short (`CONTRIBUTING.md`, "Words")."""

_FENCE: Final = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_SECTION: Final = re.compile(r"^\s*(Args|Attributes|Returns|Raises|Yields|Example|Examples|Note):\s*$")
_ITEM: Final = re.compile(r"^\s*(?:[-*]|\d+\.)\s+|^\s*[*`]{0,2}\w+[`]{0,2}: ")
_ENDS: Final = re.compile(r"(?<=[.!?:;])[\"')\]*]*\s+(?=[\"'(\[*`A-Z0-9])")
_ABBREVIATIONS: Final = re.compile(r"\b(e\.g|i\.e|etc|vs|no|cf)\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Text:
    """One docstring, or one page of the documentation, with the place where it stands."""

    path: Path
    line: int
    name: str
    text: str

    @property
    def first_word(self) -> str:
        """Return the first word in lower case, or an empty string if the text begins with code."""
        found = re.match(r"[A-Za-z']+", self.text.strip())
        return found[0].lower() if found else ""

    @property
    def place(self) -> str:
        """Return where the text stands, as editors read it."""
        return f"{self.path.relative_to(TOP)}:{self.line}"


def docstrings(folders: Iterable[Path]) -> Iterator[Text]:
    """Yield the docstrings of modules, classes, functions and attributes below some folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    name = getattr(node, "name", "module")
                    if ast.get_docstring(node):
                        first = node.body[0]
                        yield Text(path, first.lineno, name, ast.get_docstring(node) or "")
                    yield from _attribute_docstrings(path, node.body)


def _attribute_docstrings(path: Path, body: list[ast.stmt]) -> Iterator[Text]:
    """Yield the strings that follow an assignment."""
    for before, after in pairwise(body):
        if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
            value = after.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                target = before.targets[0] if isinstance(before, ast.Assign) else before.target
                yield Text(path, after.lineno, ast.unparse(target), value.value)


def pages(folder: Path = TOP / "docs") -> Iterator[Text]:
    """Yield the pages of the documentation and the other Markdown files, without code and tables."""
    files = [*sorted(folder.rglob("*.md")), *(TOP / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))]
    for path in files:
        if path.exists():
            text = _FENCE.sub("", path.read_text("utf-8"))
            lines = (line for line in text.splitlines() if not line.lstrip().startswith(("|", "#", ":::", "<", "--8<")))
            yield Text(path, 1, path.name, "\n".join(lines))


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text. A list item, and each entry of a Google-style section, is one of its own."""
    paragraph: list[str] = []
    for line in [*text.splitlines(), ""]:
        starts_item = bool(_ITEM.match(line)) or bool(_SECTION.match(line))
        if (not line.strip() or starts_item) and paragraph:
            yield from _split(" ".join(paragraph))
            paragraph = []
        if line.strip() and not _SECTION.match(line):
            paragraph.append(_ITEM.sub("", line, count=1).strip())


def _split(paragraph: str) -> Iterator[str]:
    whole = _ABBREVIATIONS.sub(lambda found: found[0].replace(".", ""), re.sub(r"`[^`]*`", "code", paragraph))
    whole = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", whole)
    yield from (each for each in _ENDS.split(whole) if each.strip())


def words(sentence: str) -> int:
    """Count the words of a sentence; code between back quotes is one word."""
    return len(re.findall(r"[A-Za-z0-9][\w'’./-]*", sentence))


def long_sentences(text: str) -> list[str]:
    """Return the sentences that have more than `LONGEST` words."""
    return [each for each in sentences(text) if words(each) > LONGEST]


def replaced_words() -> dict[str, str]:
    """Return the words that the glossary replaces, each with the term that stands for it."""
    found: dict[str, str] = {}
    for row in GLOSSARY.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if row.startswith("|") and len(cells) == 3 and cells[2] not in ("", "not"):
            for word in re.findall(r"`([^`]+)`", cells[2]):
                found[word] = cells[0]
    return found


def prose(text: str) -> str:
    """Return a text without what stands between back quotes or double quotes."""
    return re.sub(r"``?[^`]*``?|\"[^\"\n]*\"", "code", text)


def main(arguments: list[str]) -> None:
    """Print what the gate would count."""
    folders = [Path(each).resolve() for each in arguments] or [TOP / "src", TOP / "tests"]
    texts = list(docstrings(folders)) if not any(each.suffix == ".md" for each in folders) else []
    texts += [each for each in pages() if each.path in folders or not arguments]
    hidden = long = 0
    for each in texts:
        if each.first_word in HIDING and each.path.suffix == ".py":
            hidden += 1
            print(f"{each.place}: {each.name}: opens with {each.first_word!r}: {each.text.splitlines()[0][:100]}")
        for sentence in long_sentences(each.text):
            long += 1
            print(f"{each.place}: {each.name}: {words(sentence)} words: {sentence[:160]}")
    total = sum(len(list(sentences(each.text))) for each in texts)
    print(f"{hidden} of {len(texts)} texts open without a subject; {long} of {total} sentences are long")


if __name__ == "__main__":
    main(sys.argv[1:])
