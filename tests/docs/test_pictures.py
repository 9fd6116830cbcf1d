"""Tests that the pictures of the documentation show the code as it is, and need nothing from other sites."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs.demo_picture import output, shortened
from tests.docs.pictures import FLOWS, PICTURES, ROOMS, TOP, Step, drawings, layers

FILES = sorted(PICTURES.glob("*.svg"))
STEPS = [step for _, steps in FLOWS.values() for step in steps if "." in step.where]
_CHANGING = re.compile(r"[0-9a-f]{8}…|scimkit_\w+…|\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\d+(\.\d+)? m?s\b|127\.0\.0\.1:\d+")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_picture_is_small_and_complete(file: Path) -> None:
    """A picture is valid XML of at most 150 KB, and loads nothing from another site."""
    text = file.read_text("utf-8")
    assert len(text.encode()) <= 150_000
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert not re.search(r"(href|src|url\()\W*https?:|@import|@font-face", text)


@pytest.mark.parametrize("file", drawings())
def test_a_picture_is_up_to_date(file: str) -> None:
    """Each drawn picture is the output of `python -m tests.docs.pictures`."""
    assert (PICTURES / file).read_text("utf-8") == drawings()[file], "run python -m tests.docs.pictures"


def test_every_package_is_in_the_picture() -> None:
    """The picture of the layers has every package and module of scimkit, and no other."""
    source = TOP / "src" / "scimkit"
    existing = {path.stem for path in source.iterdir() if path.suffix in ("", ".py")} - {"__init__", "__pycache__"}
    drawn = {name for row in layers() for name in row}
    assert existing <= drawn == ROOMS.keys()
    assert drawn - existing <= {"admin"}  # the contract allows this package to be absent


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.where)
def test_a_step_names_existing_code(step: Step) -> None:
    """Each step of a request names a class or function that exists."""
    names = ["scimkit", *step.where.split(".")]
    for length in range(len(names), 0, -1):
        try:
            found: object = importlib.import_module(".".join(names[:length]))
        except ModuleNotFoundError:
            continue
        for name in names[length:]:
            found = getattr(found, name)
        assert callable(found)
        return


def test_the_demo_is_a_real_run() -> None:
    """The picture of the demo has the lines of a new run, apart from ids, times and dates."""
    texts = ElementTree.parse(PICTURES / "demo.svg").iter("{http://www.w3.org/2000/svg}text")
    _, *shown = ("".join(text.itertext()).replace("\xa0", " ") for text in texts)  # the first text is the title
    plain = (re.sub(r"\x1b\[[\d;]*m", "", line) for line in shortened(output()))
    assert Counter(_words("\n".join(plain))) == Counter(_words("\n".join(shown)))


def _words(text: str) -> list[str]:
    """Return the words of the output that do not change from run to run."""
    return re.findall(r"[A-Za-z]{3,}", _CHANGING.sub(" ", text))
