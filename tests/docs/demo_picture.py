"""Draw `docs/pictures/demo.svg`: the output of a real `scimkit demo`, without most of its repeated steps.

`python -m tests.docs.demo_picture` runs the demo and writes the picture.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.docs.pictures import PICTURES

COMMAND: Final = ("demo", "--flavor", "default")
SHOWN: Final = 4
"""The number of steps that the picture shows of each cycle."""
_STEP: Final = re.compile(r"^\s+(\x1b\[\S*?m)?✓")
_UUID: Final = re.compile(r"([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TOKEN: Final = re.compile(r"(scimkit_\w{4})\w+")

_SVG: Final = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" role="img"
  xmlns="http://www.w3.org/2000/svg">
<title>{command}</title>
<style>
.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px;
  line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""The format of the picture. The format of rich loads a font from another site."""


def output() -> list[str]:
    """Run the demo and return its lines with the colors of a terminal."""
    env = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "200", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "scimkit.cli", *COMMAND]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True, timeout=180)
    return done.stdout.strip("\n").splitlines()


def shortened(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of the picture: some steps of each cycle, and ids without their ends."""
    steps = 0
    for line in lines:
        is_step = _STEP.match(line) is not None
        if not is_step and steps > SHOWN:
            yield f"    … {steps - SHOWN} more steps"
        steps = steps + 1 if is_step else 0
        if steps <= SHOWN:
            yield _TOKEN.sub(r"\1…", _UUID.sub(r"\1…", line))


def drawn(lines: Iterable[str]) -> str:
    """Return the picture of a terminal that shows some lines."""
    texts = [Text.from_ansi(line) for line in lines]
    width = max(text.cell_len for text in texts)
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, highlight=False)
    for text in texts:
        console.print(text, no_wrap=True)
    title = f"scimkit {' '.join(COMMAND)}"
    svg = console.export_svg(title=title, theme=MONOKAI, code_format=_SVG.replace("{command}", title), unique_id="demo")
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


if __name__ == "__main__":
    (PICTURES / "demo.svg").write_text(drawn(shortened(output())), "utf-8")
