"""The English of the project keeps the rules of `CONTRIBUTING.md`."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys

import pytest

from scimkit.events import SyncOutbox
from scimkit.filters.parser import FilterDeviationHandler
from scimkit.patch.deviations import PatchDeviationHandler
from scimkit.schema.deviations import DeviationHandler
from scimkit.service.http import AcceptDeviationHandler, MediaTypeDeviationHandler
from scimkit.stores import HealthCheck, MemberPages, Store, SyncMemberPages, SyncStore
from scimkit.stores.breaker import BreakerStore
from scimkit.tokens import TokenStore
from tests.words import HIDING, TOP, Text, docstrings, long_sentences, pages, prose, replaced_words, sentences


@pytest.fixture(scope="module")
def all_docstrings() -> list[Text]:
    """Return all docstrings."""
    return [*docstrings([TOP / "src"]), *docstrings([TOP / "tests"])]


@pytest.mark.xdist_group("words")
def test_docstrings_name_their_subject(all_docstrings: list[Text]) -> None:
    """At most 2 % of the docstrings open with a word that hides the subject."""
    hidden = [f"{each.place}: {each.text.splitlines()[0]}" for each in all_docstrings if each.first_word in HIDING]
    assert len(hidden) <= 0.02 * len(all_docstrings), "\n".join(hidden)


@pytest.mark.xdist_group("words")
@pytest.mark.parametrize("texts", ["docstrings", "pages"])
def test_sentences_are_short(texts: str, all_docstrings: list[Text]) -> None:
    """At most 3 % of the sentences have more than 25 words."""
    chosen = all_docstrings if texts == "docstrings" else list(pages())
    long = [f"{each.place}: {sentence}" for each in chosen for sentence in long_sentences(each.text)]
    assert len(long) <= 0.03 * sum(len(list(sentences(each.text))) for each in chosen), "\n".join(long)


@pytest.mark.xdist_group("words")
def test_one_word_for_each_term(all_docstrings: list[Text]) -> None:
    """Docstrings and pages use the terms of the glossary, not the words that these terms replace."""
    replaced = replaced_words()
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, replaced))})\b")
    found = [
        f"{each.place}: {match[0]!r}: write {replaced[match[0]]!r}"
        for each in [*all_docstrings, *pages()]
        if each.path.name not in ("glossary.md", "words.py")
        for match in pattern.finditer(prose(each.text))
    ]
    assert not found, "\n".join(found)


def test_spelling() -> None:
    """`codespell` finds no mistake and no British spelling."""
    command = [sys.executable, "-m", "codespell_lib", "--builtin", "clear,rare,en-GB_to_en-US"]
    files = ["src", "tests", "docs", "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
    ignored = [
        "--skip",
        "*.jsonl,*.json,*.svg",
        "--ignore-words-list",
        "catalogue,titel,cancelled,cancelling,noone,adreses,ist,flavour",
    ]
    done = subprocess.run(
        [*command, *ignored, *files], capture_output=True, text=True, cwd=TOP, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


PUBLIC = ["scimkit", *(f"scimkit.{each}" for each in (
    "asgi", "cli", "dialects", "errors", "events", "filters", "patch", "safeguards", "schema", "service", "stores",
    "stores.sql", "stores.sqlalchemy", "testing.contract", "tokens", "wsgi",
))]  # fmt: skip


PORTS = (
    AcceptDeviationHandler, BreakerStore, DeviationHandler, FilterDeviationHandler, HealthCheck,
    MediaTypeDeviationHandler, MemberPages, PatchDeviationHandler, Store, SyncMemberPages, SyncOutbox, SyncStore,
    TokenStore,
)  # fmt: skip
"""The protocols whose methods are documented once, for all classes that implement them."""


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name: str) -> None:
    """Each exported class and function has a docstring, and so has each public method of an exported class."""
    module = importlib.import_module(name)
    missing = []
    for each in getattr(module, "__all__", ()):
        exported = getattr(module, each)
        if not isinstance(exported, type) and not inspect.isfunction(exported):
            continue
        if not inspect.getdoc(exported):
            missing.append(each)
        for method, value in vars(exported).items() if isinstance(exported, type) else ():
            known = any(hasattr(port, method) for port in PORTS)
            if inspect.isfunction(value) and not method.startswith("_") and not known and not inspect.getdoc(value):
                inherited = any(inspect.getdoc(getattr(base, method, None)) for base in exported.__mro__[1:])
                if not inherited:
                    missing.append(f"{each}.{method}")
    assert not missing
